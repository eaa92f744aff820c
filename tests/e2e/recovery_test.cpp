// How soon a farm is itself again: a coordinator killed over a million stored trials, a worker node
// killed, one gone silent. The times that operators are promised (README, "A farm that stays") are
// printed; what is asserted is what they follow from, which a busy machine does not change.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "tests/e2e/door_farm.hpp"
#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void write_sweep(const fs::path& home, const std::string& name, int samples, int seed) {
  write_text(home / (name + ".yaml"), random_sweep(name, samples, seed));
}

class Recovery : public ::testing::Test {
 protected:
  fs::path make_recovery_home(const std::string& name, int days) const {
    const fs::path home = folder_.path() / name;
    make_market(home, days);
    return home;
  }
  static json shown(const fs::path& home, const Coordinator& farm, const std::string& sweep) {
    return ask(home, {"sweep", "show", sweep, "--connect", farm.endpoint()});
  }
  static std::uint64_t committed(const fs::path& home, const Coordinator& farm,
                                 const std::string& sweep) {
    return shown(home, farm, sweep)["trials_committed"].get<std::uint64_t>();
  }
  static void submit(const fs::path& home, const Coordinator& farm, const std::string& sweep) {
    const Ran ran = winnow(home, {"sweep", "run", (home / (sweep + ".yaml")).string(), "--connect",
                                  farm.endpoint(), "--detach", "--quiet"});
    ASSERT_EQ(ran.status, 0) << ran.errors;
  }
  TemporaryFolder folder_;
};

TEST_F(Recovery, CoordinatorOverAMillionStoredTrialsServesAgainWithinTwoSeconds) {
  constexpr int kStored = 1'000'000, kRunning = 400'000;
  const fs::path home = make_recovery_home("killed", 4);
  write_sweep(home, "stored", kStored, 1);
  write_sweep(home, "running", kRunning, 2);
  const Ran stored = winnow(home, {"sweep", "run", (home / "stored.yaml").string()}, 300);
  ASSERT_EQ(stored.status, 0) << stored.errors;

  auto farm = std::make_unique<Coordinator>(home);
  ASSERT_NE(farm->port(), 0) << farm->process().errors();
  const std::string endpoint = farm->endpoint();
  Process node(home, winnow_argv(home, {"node", "--join", endpoint, "--workers", "2"}));
  submit(home, *farm, "running");
  ASSERT_TRUE(eventually(60, [&] { return committed(home, *farm, "running") > 0; }))
      << node.errors();
  const std::uint64_t before = committed(home, *farm, "running");
  farm->process().send(SIGKILL);
  ASSERT_EQ(farm->process().wait(10), 128 + SIGKILL);
  ASSERT_LT(before, kRunning) << "the sweep was over before the kill";

  const auto killed = Clock::now();
  farm = std::make_unique<Coordinator>(home, endpoint);
  ASSERT_NE(farm->port(), 0) << farm->process().errors();
  const std::uint64_t after = committed(home, *farm, "running");
  const double serving_s = seconds_since(killed);
  const double used_s = cpu_s(farm->process().pid());
  std::printf("serving again after %.3f s, %.3f of processor time\n", serving_s, used_s);
  EXPECT_LT(used_s, 2.0);
  EXPECT_GE(after, before) << "an acknowledged result was lost";
  EXPECT_EQ(committed(home, *farm, "stored"), kStored);

  // The node comes back by itself with what it has, and the sweep ends as if nothing had been.
  ASSERT_TRUE(eventually(120, [&] { return shown(home, *farm, "running")["state"] == "done"; }))
      << node.errors();
  EXPECT_TRUE(node.running());
  node.send(SIGTERM);
  EXPECT_EQ(node.wait(30), 0);
  farm->process().send(SIGTERM);
  EXPECT_EQ(farm->process().wait(30), 0);

  const fs::path quiet = make_recovery_home("quiet", 4);
  write_sweep(quiet, "running", kRunning, 2);
  ASSERT_EQ(winnow(quiet, {"sweep", "run", (quiet / "running.yaml").string()}, 300).status, 0);
  EXPECT_TRUE(leaderboard(home, "running") == leaderboard(quiet, "running"));
  EXPECT_EQ(ask(home, {"ledger", "show"})["trials_total"], kStored + kRunning);
}

TEST_F(Recovery, RunningLeasesAreAdoptedAndEachBlockIsComputedOnce) {
  const fs::path home = make_recovery_home("home", 400);
  write_sweep(home, "work", 24'000, 3);
  auto farm = std::make_unique<Coordinator>(home);
  ASSERT_NE(farm->port(), 0) << farm->process().errors();
  const std::string endpoint = farm->endpoint();
  std::vector<std::unique_ptr<Process>> nodes;
  std::vector<std::string> ports;
  for (int i = 0; i < 2; ++i) {
    nodes.push_back(std::make_unique<Process>(
        home, winnow_argv(
                  home, {"node", "--join", endpoint, "--workers", "1", "--http", "127.0.0.1:0"})));
    ports.push_back(metrics_port(*nodes.back()));
  }
  submit(home, *farm, "work");
  const auto computed = [&] {
    double sum = 0;
    for (const std::string& port : ports) {
      sum += metric(home, port, "winnow_node_blocks_computed_total");
    }
    return sum;
  };
  ASSERT_TRUE(eventually(60, [&] { return committed(home, *farm, "work") > 0; }));

  double adopted = 0, straggling = 0;
  for (int restart = 0; restart < 3; ++restart) {
    const double begun = computed();
    ASSERT_TRUE(eventually(60, [&] { return computed() > begun; }));
    farm->process().send(SIGKILL);
    ASSERT_EQ(farm->process().wait(10), 128 + SIGKILL);
    farm = std::make_unique<Coordinator>(home, endpoint, "127.0.0.1:0");
    ASSERT_NE(farm->port(), 0) << farm->process().errors();
    const std::string port = metrics_port(farm->process());
    // Both come back within the grace, and bring along what they run.
    ASSERT_TRUE(eventually(20, [&] {
      return ask(home, {"nodes", "--connect", endpoint}).size() == nodes.size();
    }));
    const double now = metric(home, port, "winnow_scheduler_leases_adopted_total");
    std::printf("restart %d: %.0f leases adopted\n", restart + 1, now);
    adopted += now;
    EXPECT_EQ(now > 0,
              farm->process().errors().find("running leases are adopted") != std::string::npos);
    if (shown(home, *farm, "work")["state"] == "done") break;
    straggling += metric(home, port, "winnow_scheduler_blocks_straggling_total");
  }
  EXPECT_GE(adopted, 1);
  ASSERT_TRUE(eventually(120, [&] { return shown(home, *farm, "work")["state"] == "done"; }));
  straggling +=
      metric(home, metrics_port(farm->process()), "winnow_scheduler_blocks_straggling_total");
  const json all = shown(home, *farm, "work");
  const double blocks = all["blocks"].get<double>();
  std::printf("%.0f blocks, %.0f computed, %.0f as copies for idle workers\n", blocks, computed(),
              straggling);
  EXPECT_GE(computed(), blocks);
  EXPECT_LE(computed(), blocks + straggling);
  EXPECT_EQ(all["trials_committed"], all["trials"]);
  EXPECT_EQ(ask(home, {"ledger", "show"})["trials_total"], all["trials"]);
}

/// Two nodes of one worker; leases of about half a second; one of the nodes goes while both are at
/// work. What it had is computed by the other, and the farm is done.
class LostNode : public Recovery {
 protected:
  void SetUp() override {
    home_ = make_recovery_home("home", 400);
    write_sweep(home_, "work", 24'000, 3);
    farm_ = std::make_unique<Coordinator>(home_);
    ASSERT_NE(farm_->port(), 0) << farm_->process().errors();
    const std::vector<std::string> join{"node", "--join", farm_->endpoint(), "--workers", "1"};
    for (int i = 0; i < 2; ++i) {
      nodes_.push_back(std::make_unique<Process>(home_, winnow_argv(home_, join)));
    }
    ASSERT_TRUE(eventually(20, [&] { return listed().size() == 2; }));
    submit(home_, *farm_, "work");
    ASSERT_TRUE(eventually(60, [&] {
      const json all = listed();
      return all.size() == 2 && all[0]["leases"] > 0 && all[1]["leases"] > 0;
    }));
  }
  json listed() const { return ask(home_, {"nodes", "--connect", farm_->endpoint()}); }
  std::string name_of(const Process& node) const {
    for (const json& n : listed()) {
      const std::string name = n["name"];
      if (name.ends_with(":" + std::to_string(node.pid()))) return name;
    }
    return "";
  }
  /// Seconds until the coordinator has taken back all that the node named `lost` held.
  double until_taken_back(const std::string& lost, int limit_s) const {
    const auto start = Clock::now();
    EXPECT_TRUE(eventually(limit_s, [&] {
      for (const json& n : listed()) {
        if (n["name"] == lost && n["leases"] > 0) return false;
      }
      return true;
    }));
    return seconds_since(start);
  }
  void expect_done_once() {
    ASSERT_TRUE(eventually(120, [&] { return shown(home_, *farm_, "work")["state"] == "done"; }));
    const json all = shown(home_, *farm_, "work");
    EXPECT_EQ(all["trials_committed"], all["trials"]);
    EXPECT_EQ(all["trials_failed"], 0);
    EXPECT_EQ(ask(home_, {"ledger", "show"})["trials_total"], all["trials"]);
  }
  fs::path home_;
  std::unique_ptr<Coordinator> farm_;
  std::vector<std::unique_ptr<Process>> nodes_;
};

TEST_F(LostNode, KilledOnesTrialsAreGivenBackWhenItsConnectionBreaks) {
  const std::string name = name_of(*nodes_[0]);
  ASSERT_FALSE(name.empty());
  nodes_[0]->send(SIGKILL);
  const double taken_s = until_taken_back(name, 20);
  std::printf("a killed node's leases were free after %.3f s\n", taken_s);
  // Not when its leases end, or when it has been silent for long: when its connection breaks.
  EXPECT_TRUE(eventually(30, [&] {
    return farm_->process().errors().find("node " + name + " left: its connection broke") !=
           std::string::npos;
  })) << farm_->process().errors();
  expect_done_once();
}

TEST_F(LostNode, SilentOnesTrialsAreGivenBackThoughItsConnectionStands) {
  const std::string name = name_of(*nodes_[0]);
  ASSERT_FALSE(name.empty());
  nodes_[0]->send(SIGSTOP);
  const double taken_s = until_taken_back(name, 20);
  std::printf("a silent node's leases were free after %.3f s\n", taken_s);
  expect_done_once();
  nodes_[0]->send(SIGCONT);  // its late results change nothing
  ASSERT_TRUE(eventually(20, [&] { return listed().size() == 2; }));
  expect_done_once();
}

}  // namespace
}  // namespace winnow::e2e
