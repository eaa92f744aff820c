// Real processes, killed with SIGKILL at random moments: the sweep finishes with the same bits.

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/killing.hpp"
#include "tests/e2e/process.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Enough work that kills land in the middle of it.
const std::string kKillSweep = grid_sweep(
    "kill", {"lookback_bars: {int: [12, 288], step: 4}", "entry_z: {float: [1.0, 3.0], step: 0.25}",
             "exit_z: {values: [0, 0.25, 0.5]}", "stop_bps: {values: [0, 50, 100, 200, 400]}",
             "max_hold_bars: {values: [0, 48, 96, 192]}"});

fs::path make_kill_home(const TemporaryFolder& folder, const std::string& name) {
  const fs::path home = folder.path() / name;
  make_market(home, 400);
  write_text(home / "sweep.yaml", kKillSweep);
  return home;
}

TEST(KilledFarm, FinishesWithTheSameBits) {
  const TemporaryFolder folder;
  const fs::path quiet_home = make_kill_home(folder, "quiet");
  const Ran quiet =
      winnow(quiet_home,
             {"sweep", "run", (quiet_home / "sweep.yaml").string(), "--nodes", "1", "--json"}, 300);
  ASSERT_EQ(quiet.status, 0) << quiet.errors;
  const std::string expected = leaderboard(quiet_home);
  ASSERT_GT(expected.size(), 100'000u);

  const fs::path home = make_kill_home(folder, "killed");
  const int kills = run_under_kills(home, {.lives = 6, .kills_a_life = 6});
  EXPECT_GT(kills, 3);

  EXPECT_TRUE(leaderboard(home) == expected) << "results differ after " << kills << " kills";
  EXPECT_EQ(ledger(home), ledger(quiet_home)) << "a retry was counted twice, or not at all";
  EXPECT_EQ(ask(home, {"sweep", "show", "last"})["state"], "done");
}

TEST(KilledFarm, InterruptedCommandIsResumable) {
  const TemporaryFolder folder;
  const fs::path home = make_kill_home(folder, "interrupted");
  Process run(home, winnow_argv(home, {"sweep", "run", (home / "sweep.yaml").string(), "--json"}));
  ASSERT_TRUE(eventually(60, [&] {
    const Ran asked = winnow(home, {"sweep", "show", "last", "--json"});
    return asked.status == 0 && json_of(asked)["trials_committed"] > 0;
  })) << run.errors();
  run.send(SIGINT);
  EXPECT_EQ(run.wait(60), 130) << run.errors();
  EXPECT_TRUE(descendants(run.pid()).empty());
  const Ran again = winnow(home, {"sweep", "run", (home / "sweep.yaml").string(), "--json"}, 300);
  ASSERT_EQ(again.status, 0) << again.errors;
  const json summary = json_of(again);
  EXPECT_EQ(summary["state"], "done");
  EXPECT_EQ(summary["trials_committed"], summary["trials"]);
}

}  // namespace
}  // namespace winnow::e2e
