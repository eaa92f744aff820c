// What a node keeps and fetches by itself: results nobody acknowledged survive the node, datasets
// come by hash.

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Ship : public ::testing::Test {
 protected:
  fs::path make_ship_home(const std::string& name, int days, int samples) const {
    const fs::path home = folder_.path() / name;
    make_market(home, days);
    write_text(home / "work.yaml", random_sweep("work", samples, 9));
    return home;
  }
  fs::path empty_home(const std::string& name) const {
    const fs::path home = folder_.path() / name;
    fs::create_directories(home);
    return home;
  }
  static json shown(const fs::path& home, const Coordinator& farm) {
    return ask(home, {"sweep", "show", "work", "--connect", farm.endpoint()});
  }
  static void submit(const fs::path& home, const Coordinator& farm) {
    const Ran ran = winnow(home, {"sweep", "run", (home / "work.yaml").string(), "--connect",
                                  farm.endpoint(), "--detach", "--quiet"});
    ASSERT_EQ(ran.status, 0) << ran.errors;
  }
  static std::unique_ptr<Process> node(const fs::path& home, const Coordinator& farm,
                                       std::vector<std::string> more = {}) {
    std::vector<std::string> args{"node", "--join", farm.endpoint(), "--workers", "1"};
    args.insert(args.end(), more.begin(), more.end());
    return std::make_unique<Process>(home, winnow_argv(home, args));
  }
  TemporaryFolder folder_;
};

TEST_F(Ship, ResultsNobodyAcknowledgedSurviveCoordinatorAndNode) {
  const fs::path home = make_ship_home("home", 200, 24'000);
  const fs::path spool = home / "spool";
  auto farm = std::make_unique<Coordinator>(home);
  ASSERT_NE(farm->port(), 0) << farm->process().errors();
  auto first = node(home, *farm, {"--http", "127.0.0.1:0"});
  const std::string port = metrics_port(*first);
  submit(home, *farm);
  ASSERT_TRUE(eventually(60, [&] { return shown(home, *farm)["trials_committed"] > 0; }));
  EXPECT_EQ(bytes_below(spool), 0u) << "a block went to the spool though all is well";

  const std::string endpoint = farm->endpoint();
  farm->process().send(SIGKILL);
  ASSERT_EQ(farm->process().wait(10), 128 + SIGKILL);
  // It finishes its leases, and keeps all that nobody acknowledges.
  ASSERT_TRUE(eventually(60, [&] {
    const double kept = metric(home, port, "winnow_node_spool_blocks");
    return kept > 0 && kept == metric(home, port, "winnow_node_unacknowledged_blocks") &&
           metric(home, port, "winnow_node_pool_leases") == 0;
  })) << first->errors();
  EXPECT_GT(bytes_below(spool), 1000u);
  first->send(SIGKILL);
  ASSERT_EQ(first->wait(10), 128 + SIGKILL);

  farm = std::make_unique<Coordinator>(home, endpoint);
  ASSERT_NE(farm->port(), 0) << farm->process().errors();
  auto second = node(home, *farm);
  ASSERT_TRUE(eventually(120, [&] { return shown(home, *farm)["state"] == "done"; }))
      << second->errors();
  EXPECT_NE(second->errors().find("blocks of an earlier node"), std::string::npos)
      << second->errors();
  EXPECT_TRUE(eventually(20, [&] { return bytes_below(spool) == 0; }))
      << "acknowledged blocks are still kept";
  second->send(SIGTERM);
  EXPECT_EQ(second->wait(30), 0);
  farm->process().send(SIGTERM);
  EXPECT_EQ(farm->process().wait(30), 0);

  const fs::path quiet = make_ship_home("quiet", 200, 24'000);
  ASSERT_EQ(winnow(quiet, {"sweep", "run", (quiet / "work.yaml").string()}, 200).status, 0);
  EXPECT_TRUE(leaderboard(home, "work") == leaderboard(quiet, "work"));
  EXPECT_EQ(ask(home, {"ledger", "show"})["trials_total"], 24'000);
}

TEST_F(Ship, NodesWithEmptyHomesFetchTheDatasetAndComputeTheSame) {
  const fs::path home = make_ship_home("home", 1500, 6'000);
  Coordinator farm(home);
  ASSERT_NE(farm.port(), 0) << farm.process().errors();
  const fs::path one = empty_home("one"), two = empty_home("two");
  auto first = node(one, farm, {"--data-limit", "1GB"});
  submit(home, farm);
  // One that is killed while it fetches, or right after, is nothing the next one minds.
  ASSERT_TRUE(eventually(60, [&] { return bytes_below(one / "data") > 0; })) << first->errors();
  first->send(SIGKILL);
  ASSERT_EQ(first->wait(10), 128 + SIGKILL);
  first = node(one, farm, {"--data-limit", "1GB"});
  auto second = node(two, farm);
  ASSERT_TRUE(eventually(120, [&] { return shown(home, farm)["state"] == "done"; }))
      << first->errors() << second->errors();
  for (Process* each : {first.get(), second.get()}) {
    each->send(SIGTERM);
    EXPECT_EQ(each->wait(30), 0);
  }
  farm.process().send(SIGTERM);
  EXPECT_EQ(farm.process().wait(30), 0);
  for (const fs::path& at : {one, two}) {
    const json listed = ask(at, {"data", "list"});
    EXPECT_NE(listed.dump().find("sim-alpha"), std::string::npos) << listed.dump();
    EXPECT_EQ(winnow(at, {"data", "verify", "sim-alpha"}).status, 0);
  }
  const fs::path quiet = make_ship_home("quiet", 1500, 6'000);
  ASSERT_EQ(winnow(quiet, {"sweep", "run", (quiet / "work.yaml").string()}, 200).status, 0);
  EXPECT_TRUE(leaderboard(home, "work") == leaderboard(quiet, "work"));
}

TEST_F(Ship, F3ADatasetThatTheCoordinatorLostIsWaitedForAndFailsNoTrial) {
  const fs::path home = make_ship_home("home", 100, 2'000);
  Coordinator farm(home);
  ASSERT_NE(farm.port(), 0) << farm.process().errors();
  submit(home, farm);
  fs::rename(home / "data" / "columns", home / "data" / "aside");
  auto lost = node(empty_home("one"), farm);
  ASSERT_TRUE(eventually(60, [&] {
    return lost->errors().find("the coordinator cannot send dataset") != std::string::npos;
  })) << lost->errors();
  // It is nobody's attempt: the sweep waits and says for what.
  const auto farm_says = [&] {
    return winnow(home, {"explain", "work", "--connect", farm.endpoint()}).output;
  };
  EXPECT_TRUE(eventually(30, [&] {
    return farm_says().find("the coordinator cannot send dataset") != std::string::npos;
  })) << farm_says();
  EXPECT_EQ(shown(home, farm)["state"], "running");
  EXPECT_EQ(shown(home, farm).value("trials_failed", 0), 0);
  EXPECT_TRUE(lost->running());
  // It is there again: the sweep goes on by itself.
  fs::remove_all(home / "data" / "columns");
  fs::rename(home / "data" / "aside", home / "data" / "columns");
  ASSERT_TRUE(eventually(60, [&] { return shown(home, farm)["state"] == "done"; }))
      << farm.process().errors();
  EXPECT_EQ(shown(home, farm).value("trials_failed", 0), 0);
  EXPECT_TRUE(farm.process().running());
}

}  // namespace
}  // namespace winnow::e2e
