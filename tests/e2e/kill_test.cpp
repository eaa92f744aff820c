// Real processes, killed with SIGKILL at random moments: the sweep finishes with the same bits.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <random>
#include <thread>

#include "base/rng.hpp"
#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Enough work that kills land in the middle of it.
const std::string kSweep = grid_sweep(
    "kill", {"lookback_bars: {int: [12, 288], step: 4}", "entry_z: {float: [1.0, 3.0], step: 0.25}",
             "exit_z: {values: [0, 0.25, 0.5]}", "stop_bps: {values: [0, 50, 100, 200, 400]}",
             "max_hold_bars: {values: [0, 48, 96, 192]}"});

fs::path make_home(const TemporaryFolder& folder, const std::string& name) {
  const fs::path home = folder.path() / name;
  make_market(home, 400);
  write_text(home / "sweep.yaml", kSweep);
  return home;
}

TEST(KilledFarm, FinishesWithTheSameBits) {
  const TemporaryFolder folder;
  const fs::path quiet_home = make_home(folder, "quiet");
  const Ran quiet =
      winnow(quiet_home,
             {"sweep", "run", (quiet_home / "sweep.yaml").string(), "--nodes", "1", "--json"}, 300);
  ASSERT_EQ(quiet.status, 0) << quiet.errors;
  const std::string expected = leaderboard(quiet_home);
  ASSERT_GT(expected.size(), 100'000u);

  const auto seed =
      static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  SCOPED_TRACE("seed " + std::to_string(seed));
  Rng rng(seed);
  const fs::path home = make_home(folder, "killed");
  int kills = 0, client_kills = 0;
  for (int life = 0;; ++life) {
    ASSERT_LT(life, 60) << "the sweep makes no progress";
    Process run(home, winnow_argv(home, {"sweep", "run", (home / "sweep.yaml").string(), "--nodes",
                                         "2", "--workers", "1", "--json"}));
    // Kill coordinator, nodes or the command itself, a few times a life; later lives are spared
    // more, so that the end comes.
    const int kills_in_this_life = life < 6 ? 6 : 0;
    bool client_died = false;
    for (int i = 0; i < kills_in_this_life && run.running() && !client_died; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(30 + rng.below(300)));
      const std::vector<pid_t> children = descendants(run.pid());
      if (children.empty()) continue;
      const std::uint64_t victim = rng.below(children.size() + 1);
      if (victim == children.size()) {
        run.send(SIGKILL);
        client_died = true;
        ++client_kills;
      } else {
        ::kill(children[victim], SIGKILL);
        ++kills;
      }
    }
    const int status = run.wait(240);
    ASSERT_NE(status, -1) << "stuck: " << run.errors();
    if (status == 0) break;
    ASSERT_TRUE(client_died) << "status " << status << ": " << run.errors();
  }
  RecordProperty("kills", kills);
  RecordProperty("client_kills", client_kills);
  EXPECT_GT(kills + client_kills, 3);

  EXPECT_TRUE(leaderboard(home) == expected) << "results differ after " << kills << " kills";
  EXPECT_EQ(ledger(home), ledger(quiet_home)) << "a retry was counted twice, or not at all";
  EXPECT_EQ(ask(home, {"sweep", "show", "last"})["state"], "done");
}

TEST(KilledFarm, InterruptedCommandIsResumable) {
  const TemporaryFolder folder;
  const fs::path home = make_home(folder, "interrupted");
  Process run(home, winnow_argv(home, {"sweep", "run", (home / "sweep.yaml").string(), "--json"}));
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  run.send(SIGINT);
  const int status = run.wait(60);
  if (status == 0) GTEST_SKIP() << "the sweep was faster than the interrupt";
  EXPECT_EQ(status, 130) << run.errors();
  EXPECT_TRUE(descendants(run.pid()).empty());
  const Ran again = winnow(home, {"sweep", "run", (home / "sweep.yaml").string(), "--json"}, 300);
  ASSERT_EQ(again.status, 0) << again.errors;
  const json summary = json_of(again);
  EXPECT_EQ(summary["state"], "done");
  EXPECT_EQ(summary["trials_committed"], summary["trials"]);
}

}  // namespace
}  // namespace winnow::e2e
