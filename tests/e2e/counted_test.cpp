// Law 3 outside of sweeps: backtests, restored stores and other homes are counted, and every answer
// says in which ledger.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Counted : public ::testing::Test {
 protected:
  void SetUp() override { make_market(home(), 30); }
  fs::path home() const { return folder_.path() / "home"; }
  void sweep(const std::string& name, int samples, int seed, const fs::path& home) const {
    write_text(folder_.path() / "sweep.yaml", random_sweep(name, samples, seed));
    const Ran ran = winnow(home, {"sweep", "run", (folder_.path() / "sweep.yaml").string()});
    ASSERT_EQ(ran.status, 0) << ran.errors;
  }
  static std::uint64_t trials(const fs::path& home) {
    return ask(home, {"ledger", "show"})["trials_total"];
  }
  /// One variant on sim-alpha; `more` are further arguments.
  Ran backtest_with(std::vector<std::string> more) const {
    std::vector<std::string> args{"backtest",  "--strategy",  "mean_reversion", "--data",
                                  "sim-alpha", "--execution", "binance-usdm",   "--json"};
    args.insert(args.end(), more.begin(), more.end());
    return winnow(home(), args);
  }
  Ran backtest(double entry_z, std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--param", "entry_z=" + json(entry_z).dump()});
    return backtest_with(more);
  }
  TemporaryFolder folder_;
};

TEST_F(Counted, RestoredStoreGoesOnCounting) {
  sweep("one", 300, 1, home());
  const json copy = ask(home(), {"store", "backup", "monday"});
  sweep("two", 500, 2, home());
  const json before = ask(home(), {"ledger", "show"});
  ASSERT_EQ(before["trials_total"], 800);

  const json restored = ask(home(), {"store", "restore", "monday"});
  EXPECT_EQ(restored["ledger_trials"], 800);
  EXPECT_EQ(restored["ledger_trials_taken_back"], 500);
  const json after = ask(home(), {"ledger", "show"});
  EXPECT_EQ(after["trials_total"], 800);
  EXPECT_EQ(after["ledger"], before["ledger"]) << "the same ledger, to the last count";
  ASSERT_EQ(after["joins"].size(), 1u);
  EXPECT_EQ(after["joins"][0]["trials"], 500);
  EXPECT_GE(after["joins"][0]["documents"], 1) << "the days that the second sweep showed";
  EXPECT_EQ(ask(home(), {"store", "verify"})["ok"], true);

  // By hand, past the command: verify says so, and nobody is told a smaller N meanwhile.
  fs::remove_all(home() / "store");
  fs::copy(copy["backup"].get<std::string>(), home() / "store", fs::copy_options::recursive);
  EXPECT_EQ(trials(home()), 800u);
  const Ran found = winnow(home(), {"store", "verify"});
  EXPECT_EQ(found.status, 1);
  EXPECT_NE(found.errors.find("the ledger shrank: mean_reversion on dataset "), std::string::npos)
      << found.errors;
  EXPECT_NE(found.errors.find("has 0 trials in 0 executions"), std::string::npos) << found.errors;
  EXPECT_NE(found.errors.find("says 500 trials in 500 executions"), std::string::npos)
      << found.errors;

  // What was lost is run again: it was counted already.
  sweep("two", 500, 2, home());
  EXPECT_EQ(trials(home()), 800u);
  EXPECT_EQ(ask(home(), {"store", "verify"})["ok"], true);
  const json scored = ask(home(), {"converge", "two"});
  EXPECT_EQ(scored["ledger"]["trials"], 800);
  EXPECT_EQ(scored["families"][0]["ledger"], scored["ledger"]);
  EXPECT_EQ(scored["ledger"]["born"], before["ledger"]["born"]);
  EXPECT_EQ(scored["ledger"]["hypotheses"], 2);
  EXPECT_EQ(scored["ledger"]["head"].get<std::string>().size(), 64u);
  EXPECT_EQ(ask(home(), {"explain", "two", "0"})["ledger"], scored["ledger"]);
}

TEST_F(Counted, BacktestCountsAsTheSameTrialOfASweep) {
  // Before any sweep: the store is made for it. A holdout is no less counted.
  const json first = json_of(backtest(1.5, {"--from", "2023-01-20"}));
  EXPECT_EQ(first["ledger_new"], true);
  EXPECT_EQ(first["ledger_trials"], 1);
  EXPECT_EQ(json_of(backtest(1.5, {"--from", "2023-01-20"}))["ledger_new"], false);
  EXPECT_EQ(trials(home()), 1u);

  sweep("one", 40, 1, home());
  EXPECT_EQ(trials(home()), 41u);
  const json board = ask(home(), {"top", "one", "--limit", "3"});
  ASSERT_EQ(board["rows"].size(), 3u);
  for (const json& row : board["rows"]) {
    std::vector<std::string> params;
    for (const auto& [name, value] : row["params"].items()) {
      params.insert(params.end(), {"--param", name + "=" + value.dump()});
    }
    const json again = json_of(backtest_with(params));
    EXPECT_EQ(again["ledger_new"], false) << row;
    EXPECT_EQ(again["metrics"]["sharpe_ann"], row["metrics"]["sharpe_ann"]) << row;
  }
  EXPECT_EQ(trials(home()), 41u);
  const json other = json_of(backtest(1.25));
  EXPECT_EQ(other["ledger_new"], true);
  EXPECT_EQ(other["ledger_trials"], 42);
  const json lines = ask(home(), {"ledger", "show", "--by", "sweep"})["lines"];
  ASSERT_EQ(lines.size(), 2u) << lines;
  EXPECT_EQ(ask(home(), {"ledger", "show"})["hypotheses"], 1) << "no family was scored by it";
  EXPECT_EQ(ask(home(), {"store", "verify"})["ok"], true);

  // The other way round: a sweep of what was backtested brings nothing new.
  write_text(folder_.path() / "same.yaml", R"(sweep: same
data: [sim-alpha]
execution: binance-usdm
strategies:
  - family: mean_reversion
    params: {entry_z: {values: [1.25, 1.75]}}
search: {method: grid}
)");
  ASSERT_EQ(winnow(home(), {"sweep", "run", (folder_.path() / "same.yaml").string()}).status, 0);
  EXPECT_EQ(trials(home()), 43u);
}

TEST_F(Counted, CoordinatorCountsAndJoins) {
  const fs::path other = folder_.path() / "other";
  make_market(other, 30);
  sweep("there", 60, 3, other);
  Coordinator farm(home());
  ASSERT_NE(farm.port(), 0) << farm.process().errors();
  EXPECT_EQ(json_of(backtest(1.5))["ledger_new"], true);
  EXPECT_EQ(json_of(backtest(1.5, {"--connect", farm.endpoint()}))["ledger_new"], false);

  const json joined = ask(home(), {"ledger", "import", other.string()});
  EXPECT_EQ(joined["trials"], 60);
  EXPECT_EQ(joined["trials_total"], 61);
  EXPECT_EQ(ask(home(), {"ledger", "import", other.string()})["trials"], 0) << "twice is once";
  EXPECT_EQ(ask(home(), {"ledger", "import", (other / "store.ledger").string()})["trials"], 0);
  const json lines = ask(home(), {"ledger", "show", "--by", "sweep"})["lines"];
  EXPECT_EQ(lines.size(), 2u);
  // The other way, from a home whose store a coordinator has open.
  EXPECT_EQ(ask(other, {"ledger", "import", home().string()})["trials_total"], 61);
  EXPECT_EQ(winnow(home(), {"ledger", "import", folder_.path().string()}).status, 2);
  write_text(folder_.path() / "torn.ledger", "winnow-ledger 1\n");
  const Ran torn = winnow(home(), {"ledger", "import", (folder_.path() / "torn.ledger").string()});
  EXPECT_EQ(torn.status, 1);
  EXPECT_NE(torn.errors.find("torn.ledger"), std::string::npos) << torn.errors;
  farm.process().send(SIGTERM);
  ASSERT_EQ(farm.process().wait(30), 0);
  EXPECT_EQ(trials(home()), 61u);
  EXPECT_EQ(ask(home(), {"store", "verify"})["ok"], true);
}

TEST_F(Counted, WhatCannotBeCountedIsNotShown) {
  // A budget first: it holds for backtests as for sweeps.
  ASSERT_EQ(winnow(home(), {"ledger", "budget", "set", "--user", "agent", "--trials", "1"}).status,
            0);
  EXPECT_EQ(backtest(1.5, {"--token-file", token_of(home(), "agent", "agent")}).status, 0);
  EXPECT_EQ(backtest(1.5, {"--token-file", token_of(home(), "agent", "agent")}).status, 0)
      << "a repeat costs nothing";
  const Ran over = backtest(1.75, {"--token-file", token_of(home(), "agent", "agent")});
  EXPECT_EQ(over.status, 3);
  EXPECT_EQ(over.output.find("sharpe"), std::string::npos) << over.output;
  EXPECT_EQ(trials(home()), 1u);

  const fs::path nothing = folder_.path() / "trades.csv";
  fs::remove_all(home() / "store");
  fs::remove(home() / "store.ledger");
  write_text(home() / "store", "no folder");
  const Ran refused = backtest(1.5, {"--trades", nothing.string()});
  EXPECT_EQ(refused.status, 3);
  EXPECT_NE(refused.errors.find("could not be counted"), std::string::npos) << refused.errors;
  EXPECT_EQ(refused.output.find("sharpe"), std::string::npos) << refused.output;
  EXPECT_FALSE(fs::exists(nothing)) << "trades were shown uncounted";
}

}  // namespace
}  // namespace winnow::e2e
