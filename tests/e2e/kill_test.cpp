// Real processes, killed with SIGKILL at random moments: the sweep finishes with the same bits.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "base/rng.hpp"
#include "tests/e2e/process.hpp"

namespace winnow::e2e {
namespace {

using nlohmann::json;

// Enough work that kills land in the middle of it, on markets small enough for a test.
constexpr const char* kMarket = R"(market: small
start: 2023-01-01
interval: 15m
duration: 400d
steps_per_bar: 4
instruments:
  - name: kill-a
    start_px: 20000
    tick_px: 0.1
    lot_qty: 0.001
    volume_per_bar: 500
    regimes: [{name: only, volatility_ann_frac: 0.6, mean_duration: 30d}]
  - name: kill-b
    start_px: 1500
    tick_px: 0.01
    lot_qty: 0.001
    volume_per_bar: 4000
    regimes: [{name: only, volatility_ann_frac: 0.6, mean_duration: 30d}]
)";

constexpr const char* kSweep = R"(sweep: kill
data: [kill-a, kill-b]
execution: binance-usdm
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [12, 288], step: 4}
      entry_z: {float: [1.0, 3.0], step: 0.25}
      exit_z: {values: [0, 0.25, 0.5]}
      stop_bps: {values: [0, 50, 100, 200, 400]}
      max_hold_bars: {values: [0, 48, 96, 192]}
search: {method: grid}
seed: 7
)";

std::string make_home(const TemporaryFolder& folder, const std::string& name) {
  const auto home = folder.path() / name;
  std::filesystem::create_directories(home);
  write_text(home / "market.yaml", kMarket);
  write_text(home / "sweep.yaml", kSweep);
  const Ran made = winnow(home, {"data", "synth", (home / "market.yaml").string(), "--seed", "3",
                                 "--name", "kill", "--quiet"});
  EXPECT_EQ(made.status, 0) << made.errors;
  return home.string();
}

/// Every variant's metrics and parameters as exact text, in the order of the plan.
std::string all_results(const std::string& home) {
  const Ran exported =
      winnow(home, {"top", "last", "--by", "sharpe_ann", "--csv", "--limit", "1000000"});
  EXPECT_EQ(exported.status, 0) << exported.errors;
  return exported.output;
}

json shown(const std::string& home) {
  const Ran ran = winnow(home, {"sweep", "show", "last", "--json"});
  EXPECT_EQ(ran.status, 0) << ran.errors;
  return json::parse(ran.output, nullptr, false);
}

std::string ledger(const std::string& home) {
  const Ran ran = winnow(home, {"ledger", "show", "--json"});
  EXPECT_EQ(ran.status, 0) << ran.errors;
  return ran.output;
}

TEST(KilledFarm, FinishesWithTheSameBits) {
  const TemporaryFolder folder;
  const std::string quiet_home = make_home(folder, "quiet");
  const Ran quiet = winnow(
      quiet_home, {"sweep", "run", quiet_home + "/sweep.yaml", "--nodes", "1", "--json"}, 300);
  ASSERT_EQ(quiet.status, 0) << quiet.errors;
  const std::string expected = all_results(quiet_home);
  ASSERT_GT(expected.size(), 100'000u);

  const auto seed =
      static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  SCOPED_TRACE("seed " + std::to_string(seed));
  Rng rng(seed);
  const std::string home = make_home(folder, "killed");
  int kills = 0, client_kills = 0;
  for (int life = 0;; ++life) {
    ASSERT_LT(life, 60) << "the sweep makes no progress";
    Process run(home, winnow_argv(home, {"sweep", "run", home + "/sweep.yaml", "--nodes", "2",
                                         "--workers", "1", "--json"}));
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

  EXPECT_TRUE(all_results(home) == expected) << "results differ after " << kills << " kills";
  EXPECT_EQ(ledger(home), ledger(quiet_home)) << "a retry was counted twice, or not at all";
  const json meta = shown(home);
  EXPECT_EQ(meta.value("state", ""), "done");
}

TEST(KilledFarm, InterruptedCommandIsResumable) {
  const TemporaryFolder folder;
  const std::string home = make_home(folder, "interrupted");
  Process run(home, winnow_argv(home, {"sweep", "run", home + "/sweep.yaml", "--json"}));
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  run.send(SIGINT);
  const int status = run.wait(60);
  if (status == 0) GTEST_SKIP() << "the sweep was faster than the interrupt";
  EXPECT_EQ(status, 130) << run.errors();
  EXPECT_TRUE(descendants(run.pid()).empty());
  const Ran again = winnow(home, {"sweep", "run", home + "/sweep.yaml", "--json"}, 300);
  ASSERT_EQ(again.status, 0) << again.errors;
  const json summary = json::parse(again.output);
  EXPECT_EQ(summary["state"], "done");
  EXPECT_EQ(summary["trials_committed"], summary["trials"]);
}

}  // namespace
}  // namespace winnow::e2e
