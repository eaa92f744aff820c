// The coordinator's core against peers that say anything: no frame may end it, stop the others or
// take memory that was not sent.

#include <gtest/gtest.h>
#include <malloc.h>

#include <limits>

#include "base/rng.hpp"
#include "tests/actors/core_rig.hpp"

namespace winnow::actors {
namespace {

std::string strange_text(Rng& rng, const std::string& sweep) {
  switch (rng.below(7)) {
    case 0:
      return sweep;
    case 1:
      return std::string("\xff\xfe\xc0\x80", 4);
    case 2:
      return std::string(rng.below(5000), '\0');
    case 3:
      return "\"},{\n\x1b[2J";
    case 4:
      return std::string(rng.below(3000), '[');
    case 5:
      return "cancel";
    default:
      return "";
  }
}

std::uint64_t strange_number(Rng& rng) {
  constexpr std::uint64_t kPlaces[] = {0,        1,          2,     7,          1 << 20,
                                       1u << 31, 1ull << 60, ~0ull, 1ull << 63, ~0u};
  return kPlaces[rng.below(std::size(kPlaces))] + rng.below(3);
}

Frame strange_frame(Rng& rng, const std::string& sweep, std::uint64_t session) {
  const auto text = [&] { return strange_text(rng, sweep); };
  const auto n = [&] { return strange_number(rng); };
  const auto n32 = [&] { return static_cast<std::uint32_t>(n()); };
  std::vector<std::uint64_t> many(rng.below(200));
  for (auto& x : many) x = n();
  switch (rng.below(15)) {
    case 0:
      return encode(Hello{n(),
                          text(),
                          n32(),
                          engine::kEngineVersion,
                          text(),
                          n(),
                          {text()},
                          static_cast<std::uint8_t>(rng.below(2)),
                          {{n(), sweep, rng.below(90), n32(), many}, {n(), text(), n(), n32(), {}}},
                          n(),
                          text(),
                          kSources},
                    session);
    case 1:
      return encode(Credit{n(), n32(), n()}, session);
    case 14:
      return encode(DatasetState{rng.below(2) == 0 ? "content of sim" : text(),
                                 static_cast<std::uint8_t>(rng.below(6)), n(), n(), text()},
                    session);
    case 13:
      return encode(TrialBegins{n(), n()}, session);
    case 2:
      return encode(Renew{{n(), n32(), n()}, many}, session);
    case 3:
      return encode(BlockResult{n(), text(), n(), static_cast<std::int64_t>(n()), text()}, session);
    case 4:
      return encode(LeaseFailed{n(), static_cast<std::uint8_t>(n()), text()}, session);
    case 5:
      return encode(Goodbye{}, session);
    case 6:
      return encode(Submit{text(), text(), {text(), text()}, {text()}}, session);
    case 7:
      return encode(Watch{text()}, session);
    case 8:
      // Never the sweep itself: a client may cancel it, and the test wants it to live.
      return encode(Control{"other", static_cast<SweepAction>(n() % 256), n(), n()}, session);
    case 9:
      return encode(Query{text(), text()}, session);
    case 10:
      return encode(DatasetAsk{text()}, session);
    case 11:
      return encode(BlocksCommitted{text(), many, many, text()}, session);
    default:
      return encode(Progress{text(), static_cast<std::uint8_t>(n()), n(), n(), n(), n(), n(), n(),
                             n(), 1, 1, text()},
                    session);
  }
}

TEST(CoordinatorFuzz, NoFrameEndsItOrTheOthers) {
  constexpr std::uint64_t kFrames = 60'000;
  Rig rig;
  ASSERT_FALSE(rig.sweep.empty());
  const PeerId good{2};
  ASSERT_TRUE(rig.joins(good, 77, 770));
  const auto in_use = [] { return static_cast<std::uint64_t>(::mallinfo2().uordblks); };
  const std::uint64_t before = in_use();
  Rng rng(2026);
  std::uint64_t lease_seen = 0, sequence = 0;
  for (std::uint64_t i = 0; i < kFrames; ++i) {
    SCOPED_TRACE("frame " + std::to_string(i) + " of seed 2026");
    const PeerId peer{3 + rng.below(4)};
    const std::uint64_t session = rng.below(4) == 0 ? 770 : 900 + rng.below(6);
    Frame frame = strange_frame(rng, rig.sweep, session);
    if (rng.below(3) == 0 && !frame.body.empty()) {
      for (std::uint64_t k = 1 + rng.below(3); k > 0; --k) {
        frame.body[rng.below(frame.body.size())] = static_cast<char>(rng.below(256));
      }
    }
    if (rng.below(50) == 0) frame.kind = static_cast<std::uint16_t>(rng.below(300));
    rig.core.on_frame(peer, frame, rig.now, static_cast<PeerRole>(rng.below(3)));
    if (i % 50 != 0) continue;
    rig.advance(milliseconds(200));
    rig.say(good, Credit{++sequence, 1, lease_seen}, 770);
    if (const auto order = decode<LeaseOrder>(rig.last[good])) {
      lease_seen = std::max(lease_seen, order->lease);
    }
    if (rng.below(20) == 0) rig.core.peer_gone(peer, rig.now);
  }
  // The good node is there still and gets work; another can join.
  EXPECT_GT(lease_seen, 0u);
  EXPECT_LE(rig.core.nodes(), 8u);
  EXPECT_TRUE(rig.joins(PeerId{100}, 78, 7800));
  rig.say(Rig::kUser, Query{"nodes", "{}"}, 5);
  const auto reply = decode<Reply>(rig.last[Rig::kUser]);
  ASSERT_TRUE(reply);
  EXPECT_NE(reply->text.find("host:1"), std::string::npos);
  for (const char c : reply->text) EXPECT_TRUE(c >= ' ' && c <= '~');
  EXPECT_LT(in_use(), before + (std::uint64_t{64} << 20));
}

/// A node that sends blocks faster than the store takes them costs a bounded amount of memory.
TEST(CoordinatorFuzz, ResultsOnTheirWayToTheStoreAreBounded) {
  Rig rig;
  const PeerId peer{9};
  ASSERT_TRUE(rig.joins(peer, 5, 50));
  const std::uint64_t blocks = rig.core.scheduler().progress(rig.sweep)->blocks;
  const std::string bytes(std::size_t{900} << 10, 'b');
  std::uint64_t sent = 0;
  for (std::uint64_t node = 0; node < 400; ++node) {
    const PeerId other{100 + node};
    ASSERT_TRUE(rig.joins(other, 1000 + node, 100'000 + node));
    for (std::uint64_t block = 0; block < blocks && sent < 600; ++block, ++sent) {
      rig.say(other, BlockResult{0, rig.sweep, block, 1, bytes}, 100'000 + node);
    }
  }
  ASSERT_EQ(sent, 600u);
  EXPECT_EQ(rig.offers, CoordinatorCore::kCommitBytesMax / bytes.size());
  rig.advance(milliseconds(200));  // the store has answered
  const std::uint64_t before = rig.offers;
  rig.say(PeerId{100}, BlockResult{0, rig.sweep, 0, 1, bytes}, 100'000);
  EXPECT_EQ(rig.offers, before + 1) << "room again, and nothing is taken";
}

TEST(CoordinatorFuzz, OnlyTheRoleOfTheConnectionCounts) {
  Rig rig;
  const PeerId peer{9};
  rig.core.on_frame(
      peer,
      encode(Hello{5, "n", 1, engine::kEngineVersion, "avx2", 1, {}, 0, {}, 0, "", kSources}, 50),
      rig.now, PeerRole::Client);
  EXPECT_EQ(rig.core.nodes(), 0u);
  const auto refusal = decode<Refusal>(rig.last[peer]);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, static_cast<std::uint32_t>(ErrorCode::Refused));
  EXPECT_NE(refusal->text.find("not join as a node"), std::string::npos) << refusal->text;

  rig.core.on_frame(peer, encode(Control{rig.sweep, SweepAction::Cancel, 0, 0}, 51), rig.now,
                    PeerRole::Node);
  const auto no = decode<Refusal>(rig.last[peer]);
  ASSERT_TRUE(no);
  EXPECT_NE(no->text.find("not submit"), std::string::npos) << no->text;
  EXPECT_TRUE(rig.core.scheduler().progress(rig.sweep));
}

}  // namespace
}  // namespace winnow::actors
