// Who may do what at a coordinator, and in whose name: its core against peers of every credential.

#include <gtest/gtest.h>

#include "tests/actors/core_rig.hpp"

namespace winnow::actors {
namespace {

/// What a peer is told, and what the coordinator did in whose name.
class CoordinatorAccess : public testing::Test {
 protected:
  template <class T>
  std::string refusal(PeerId peer, const T& message) {
    rig.last.erase(peer);
    rig.say(peer, message, 60);
    const auto refused = decode<Refusal>(rig.last[peer]);
    if (!refused) return "";
    EXPECT_EQ(refused->code, static_cast<std::uint32_t>(ErrorCode::Refused)) << refused->text;
    return refused->text;
  }
  void is(PeerId peer, const std::string& name, cluster::Rights rights,
          cluster::Credential credential = cluster::Credential::Account) {
    rig.askers[peer] = {.name = name, .rights = rights, .credential = credential};
  }
  static Submit submission() { return {.yaml = kSpec, .file_name = "f.yaml"}; }
  Control steering(SweepAction action) const { return {.sweep = rig.sweep, .action = action}; }

  Rig rig;
  const PeerId kim{20};
};

TEST_F(CoordinatorAccess, EachWishNeedsItsRole) {
  using enum cluster::Rights;
  for (const auto rights : {Viewer, Agent, Researcher, Operator}) {
    is(kim, "u", rights);  // the sweep's own
    EXPECT_EQ(refusal(kim, submission()).empty(), rights >= Agent);
    Submit unsealing = submission();
    unsealing.unseal = 1;
    EXPECT_EQ(refusal(kim, unsealing).empty(), rights >= Researcher);
    EXPECT_EQ(refusal(kim, steering(SweepAction::Pause)).empty(), rights >= Agent);
    EXPECT_EQ(refusal(kim, steering(SweepAction::Resume)).empty(), rights >= Agent);
    EXPECT_NE(refusal(kim, steering(SweepAction::Delete))
                  .find(rights >= Researcher ? "cancel` it first" : "may not delete sweeps"),
              std::string::npos);
    EXPECT_EQ(refusal(kim, Watch{rig.sweep}), "");
    EXPECT_EQ(refusal(kim, Query{"nodes", "{}"}), "");
    EXPECT_EQ(refusal(kim, Query{"ledger", "{}"}), "");
    EXPECT_EQ(rig.asked_as.rights, rights);
  }
}

TEST_F(CoordinatorAccess, OthersSweepsAreAnOperatorsToSteer) {
  is(kim, "kim", cluster::Rights::Researcher);
  for (std::size_t action = 0; action < std::size(kSweepActionNames); ++action) {
    const Control m{rig.sweep, static_cast<SweepAction>(action), 1, 1};
    EXPECT_NE(refusal(kim, m).find("is of 'u'"), std::string::npos) << kSweepActionNames[action];
  }
  EXPECT_TRUE(rig.core.scheduler().progress(rig.sweep));
  is(kim, "kim", cluster::Rights::Operator);
  EXPECT_EQ(refusal(kim, steering(SweepAction::Cancel)), "");
}

TEST_F(CoordinatorAccess, AClaimedNameIsACheckOfWhoAsks) {
  is(kim, "kim", cluster::Rights::Operator);
  EXPECT_NE(refusal(kim, Present{"", "u"}).find("'u' is not who asks"), std::string::npos);
  EXPECT_EQ(refusal(kim, Present{"", "kim"}), "");
  EXPECT_EQ(refusal(kim, submission()), "");
}

TEST_F(CoordinatorAccess, WhatIsNoMessageIsRefusedWhoeverSendsIt) {
  for (const unsigned kind : {0u, kind_of<Welcome>() + 0u, kind_of<Refusal>() + 0u, 255u}) {
    for (const PeerRole role : {PeerRole::Local, PeerRole::Node, PeerRole::Client}) {
      rig.last.erase(kim);
      Frame frame;
      frame.kind = static_cast<std::uint16_t>(kind);
      rig.core.on_frame(kim, frame, rig.now, role);
      const auto told = decode<Refusal>(rig.last[kim]);
      ASSERT_TRUE(told) << kind;
      EXPECT_NE(told->text.find("no message of kind " + std::to_string(kind)), std::string::npos);
    }
  }
  rig.last.erase(kim);
  rig.say(kim, Control{rig.sweep, static_cast<SweepAction>(99), 0, 0}, 60);
  EXPECT_NE(decode<Refusal>(rig.last[kim])->text.find("number 99"), std::string::npos);
}

TEST_F(CoordinatorAccess, ATokenNarrowsAnAccountUntilItEnds) {
  using enum cluster::Rights;
  rig.tokens["secret"] = {.name = "scout",
                          .rights = Agent,
                          .credential = cluster::Credential::Token,
                          .token_id = "12345678"};
  is(kim, "root", Operator);
  EXPECT_EQ(refusal(kim, Present{"secret", "scout"}), "");
  const auto told = decode<Reply>(rig.last[kim]);
  ASSERT_TRUE(told);
  EXPECT_NE(told->text.find("\"name\":\"scout\""), std::string::npos) << told->text;
  EXPECT_NE(refusal(kim, steering(SweepAction::Pause)).find("is of 'u'"), std::string::npos);
  EXPECT_EQ(refusal(kim, Query{"ledger", "{}"}), "");
  EXPECT_EQ(rig.asked_as.name, "scout");
  // Neither a wrong one nor a false claim changes who asks.
  EXPECT_NE(refusal(kim, Present{"wrong", ""}), "");
  EXPECT_NE(refusal(kim, Present{"", "u"}), "");
  EXPECT_EQ(refusal(kim, Query{"ledger", "{}"}), "");
  EXPECT_EQ(rig.asked_as.name, "scout");
  rig.revoked = "12345678";
  for (const std::string& text :
       {refusal(kim, Query{"ledger", "{}"}), refusal(kim, Query{"nodes", "{}"}),
        refusal(kim, Watch{rig.sweep}), refusal(kim, submission())}) {
    EXPECT_EQ(text, "revoked");
  }
}

TEST_F(CoordinatorAccess, ATokenLiftsNoCertificateAndRaisesAnotherAccount) {
  using enum cluster::Rights;
  rig.tokens["secret"] = {.name = "ann",
                          .rights = Operator,
                          .credential = cluster::Credential::Token,
                          .token_id = "12345678"};
  is(kim, "laptop", Viewer, cluster::Credential::Certificate);
  EXPECT_EQ(refusal(kim, Present{"secret", ""}), "");
  EXPECT_NE(refusal(kim, submission()).find("token 'ann' (viewer) may not run sweeps"),
            std::string::npos);
  const PeerId guest{21};
  is(guest, "guest", Viewer);
  EXPECT_NE(refusal(guest, submission()), "");
  EXPECT_EQ(refusal(guest, Present{"secret", ""}), "");
  EXPECT_EQ(refusal(guest, submission()), "");
}

TEST_F(CoordinatorAccess, WhoIsNotKnownGetsNothing) {
  rig.askers[kim] = std::nullopt;
  for (const std::string& text :
       {refusal(kim, Query{"ledger", "{}"}), refusal(kim, Query{"nodes", "{}"}),
        refusal(kim, Watch{rig.sweep}), refusal(kim, submission()),
        refusal(kim, steering(SweepAction::Cancel)), refusal(kim, Present{"", ""})}) {
    EXPECT_NE(text.find("does not know who asks"), std::string::npos) << text;
  }
  EXPECT_EQ(refusal(kim, Query{std::string(kInstanceQuestion), "{}"}), "")
      << "where it is connected anybody may see";
}

TEST_F(CoordinatorAccess, WhoWatchesByATokenSeesNothingAfterItsEnd) {
  rig.tokens["secret"] = {.name = "scout",
                          .rights = cluster::Rights::Agent,
                          .credential = cluster::Credential::Token,
                          .token_id = "12345678"};
  EXPECT_EQ(refusal(kim, Present{"secret", ""}), "");
  EXPECT_EQ(refusal(kim, Watch{rig.sweep}), "");
  const auto hears = [&](Kind kind) {
    rig.last.erase(kim);
    rig.advance(milliseconds(200));
    return rig.last[kim].kind == static_cast<std::uint16_t>(kind);
  };
  EXPECT_TRUE(hears(Kind::Progress));
  rig.revoked = "12345678";
  bool told = false;
  for (int ticks = 0; ticks < 5; ++ticks) told = hears(Kind::Refusal) || told;
  EXPECT_TRUE(told) << "within a second";
  EXPECT_FALSE(hears(Kind::Progress));
}

}  // namespace
}  // namespace winnow::actors
