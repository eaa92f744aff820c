// Who a coordinator takes the processes of this machine for, and what tokens let them do.

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kRefused = 3;

class Access : public testing::Test {
 protected:
  void SetUp() override { make_market(home_, 30); }
  Ran as(const std::string& name, const std::string& role, std::vector<std::string> args) {
    args.insert(args.end(), {"--token-file", token_of(home_, name, role)});
    return winnow(home_, args);
  }
  Ran sweep_as(const std::string& name, const std::string& role, const std::string& sweep,
               std::vector<std::string> more = {}) {
    const fs::path spec = home_ / (sweep + ".yaml");
    write_text(spec, random_sweep(sweep, 20, 1));
    more.insert(more.begin(), {"sweep", "run", spec.string(), "--quiet"});
    return as(name, role, more);
  }
  std::string who(std::vector<std::string> more = {}) const {
    std::vector<std::string> args{"whoami"};
    args.insert(args.end(), more.begin(), more.end());
    return ask(home_, args)["name"];
  }
  /// What holds with a farm and without one.
  void expect_rights();

  TemporaryFolder folder_;
  fs::path home_ = folder_.path() / "home";
};

void Access::expect_rights() {
  EXPECT_EQ(who({"--token-file", token_of(home_, "scout", "agent")}), "scout");
  const Ran claimed = winnow(home_, {"whoami", "--user", "scout"});
  EXPECT_EQ(claimed.status, kRefused) << claimed.output;
  EXPECT_EQ(as("scout", "agent", {"whoami", "--user", "scout"}).status, 0);

  const Ran looks = sweep_as("eve", "viewer", "mine");
  EXPECT_EQ(looks.status, kRefused) << looks.errors;
  EXPECT_NE(looks.errors.find("token 'eve' (viewer) may not run sweeps"), std::string::npos)
      << looks.errors;
  EXPECT_EQ(sweep_as("scout", "agent", "mine").status, 0);
  const json list = json_of(as("eve", "viewer", {"sweep", "list", "--json"}));
  ASSERT_EQ(list["sweeps"].size(), 1u);
  EXPECT_EQ(list["sweeps"][0]["user"], "scout");

  for (const char* role : {"viewer", "agent"}) {
    const Ran ran = as("eve", role, {"sweep", "delete", "mine", "--yes"});
    EXPECT_EQ(ran.status, kRefused) << ran.errors;
  }
  const Ran others = as("kim", "researcher", {"sweep", "delete", "mine", "--yes"});
  EXPECT_EQ(others.status, kRefused);
  EXPECT_NE(others.errors.find("is of 'scout'"), std::string::npos) << others.errors;
  for (const char* role : {"agent", "researcher"}) {
    const Ran lifted =
        as("scout", role, {"ledger", "budget", "set", "--user", "scout", "--unlimited"});
    EXPECT_EQ(lifted.status, kRefused) << lifted.output;
    EXPECT_EQ(as("scout", role, {"reveal", "abcd"}).status, kRefused);
  }
  const Ran unsealing = as("scout", "agent",
                           {"backtest", "--strategy", "mean_reversion", "--data", "sim-alpha",
                            "--execution", "none", "--unseal", "--json"});
  EXPECT_EQ(unsealing.status, kRefused) << unsealing.output;
  EXPECT_EQ(unsealing.output.find("sharpe"), std::string::npos);
  EXPECT_EQ(as("ann", "operator", {"sweep", "delete", "mine", "--yes"}).status, 0);
}

TEST_F(Access, RolesHoldWithoutAFarm) { expect_rights(); }

TEST_F(Access, RolesHoldAtACoordinator) {
  Coordinator farm(home_);
  ASSERT_NE(farm.port(), 0) << farm.process().errors();
  const Process node(home_,
                     winnow_argv(home_, {"node", "--join", farm.endpoint(), "--workers", "1"}));
  expect_rights();
  const json tokens = ask(home_, {"token", "list"})["tokens"];
  EXPECT_GT(tokens.size(), 3u);
}

TEST_F(Access, ARevokedTokenEndsWhatItOpened) {
  Coordinator farm(home_);
  ASSERT_NE(farm.port(), 0) << farm.process().errors();
  const std::string token = token_of(home_, "scout", "agent");
  const fs::path spec = home_ / "waits.yaml";
  write_text(spec, random_sweep("waits", 20, 1));
  // Nobody computes: it watches.
  Process watcher(home_, winnow_argv(home_, {"sweep", "run", spec.string(), "--connect",
                                             farm.endpoint(), "--token-file", token}));
  ASSERT_TRUE(eventually(30, [&] { return ask(home_, {"sweep", "list"})["sweeps_total"] == 1; }));
  ASSERT_EQ(winnow(home_, {"token", "revoke", "scout"}).status, 0);
  EXPECT_EQ(watcher.wait(20), kRefused);
  EXPECT_NE(watcher.errors().find("was revoked"), std::string::npos) << watcher.errors();
  const Ran again = winnow(home_, {"top", "last", "--token-file", token});
  EXPECT_EQ(again.status, kRefused) << again.output;
  EXPECT_EQ(winnow(home_, {"token", "revoke", "scout"}).status, 2) << "it is no token any more";
}

TEST_F(Access, AnAgentMakesNoTokensAndNoInvitations) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"token", "create", "--role", "operator"},
        {"token", "revoke", "scout"},
        {"cluster", "init", "--name", "north"},
        {"cluster", "invite", "me", "--role", "operator", "--out", "x"}}) {
    ::setenv("WINNOW_TOKEN", read_text(token_of(home_, "scout", "agent")).c_str(), 1);
    const Ran ran = winnow(home_, args);
    ::unsetenv("WINNOW_TOKEN");
    EXPECT_EQ(ran.status, kRefused) << args[1] << ran.errors;
  }
  EXPECT_EQ(winnow(home_, {"token", "create", "--role", "king"}).status, 2);
  EXPECT_EQ(winnow(home_, {"token", "create", "--role", "agent", "--name", "a b"}).status, 2);
  EXPECT_EQ(winnow(home_, {"token", "create", "--role", "agent", "--days", "0"}).status, 2);
}

}  // namespace
}  // namespace winnow::e2e
