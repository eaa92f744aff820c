// Faults found in use, section B: one number for one thing, whichever question is asked.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "serve/query.hpp"
#include "serve/sweep_view.hpp"
#include "sweeps/generation.hpp"
#include "sweeps/results.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/sharpe.hpp"
#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

// Stops far beyond what the market does never fire, and entries at seven deviations never come:
// several variants are one, and some never trade.
const std::string kSparseYaml = R"(sweep: sparse
data: [alpha]
window: {from: 2023-01-05, to: 2023-06-01}
execution: plain
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [12, 48], step: 12}
      entry_z: {values: [1.0, 1.5, 2.0, 7.0, 8.0]}
      stop_bps: {values: [0, 200]}
search: {method: grid}
)";

Json ask_and_keep(Home& home, const char* what, const Json& args) {
  Sources sources = home.sources();
  sources.verdicts = &home.store();
  return must(query(sources, what, args));
}

class OneNumber : public testing::Test {
 protected:
  Json ask_and_keep(const char* what, Json args) {
    if (!args.contains("sweep") && std::string(what) != "ledger") args["sweep"] = id_;
    return serve::ask_and_keep(home_, what, args);
  }
  Home home_;
  std::string id_ = home_.run({.name = "sparse", .yaml = kSparseYaml});
};

TEST_F(OneNumber, B2EveryAnswerHasTheSameDeflatedRatio) {
  const Json converge = ask_and_keep("converge", Json::object());
  const Json& family = converge["families"][0];
  const std::uint64_t best = family["best"]["trial"];
  const Json told = ask_and_keep("explain", {{"variant", best}})["luck"];
  const Json side = ask_and_keep("compare", {{"variants", {best, 0}}})["variants"][0]["luck"];
  std::map<std::uint64_t, Json> board;
  const Json ranked = ask_and_keep("top", {{"by", "dsr"}, {"limit", 1000}, {"all", true}});
  for (const Json& row : ranked["rows"]) {
    board[row["trial"]] = row["metrics"];
  }
  for (const char* key : {"psr", "dsr"}) {
    EXPECT_EQ(board.at(best)[key], family["profit"]["best"][key]) << key;
    EXPECT_EQ(board.at(best)[key], told[key]) << key;
    EXPECT_EQ(board.at(best)[key], side[key]) << key;
  }
  for (const char* key : {"dsr_effective", "trials", "trials_effective", "ratio_sd_ann",
                          "expected_max_sharpe_ann", "haircut_sharpe_ann"}) {
    EXPECT_EQ(family["profit"]["best"][key], told[key]) << key;
    EXPECT_EQ(side[key], told[key]) << key;
  }
  // Those that never moved are no trials of a maximum: the spread is that of the others.
  std::vector<double> ratios;
  std::size_t never = 0;
  for (const auto& [trial, metrics] : board) {
    const bool moved = metrics["vol_ann"].get<double>() > 0;
    never += moved ? 0 : 1;
    EXPECT_EQ(metrics["dsr"].is_null(), !moved) << trial;
    if (moved) ratios.push_back(metrics["sharpe_ann"].get<double>());
  }
  ASSERT_GT(never, 4u);
  EXPECT_NEAR(told["ratio_sd_ann"].get<double>(), sweeps::stats::stdev(ratios), 1e-9);
}

TEST_F(OneNumber, HoldingTheMarketStandsBesideEveryResult) {
  const Json board = ask_and_keep("top", Json::object())["holding"];
  ASSERT_EQ(board.size(), 1u);
  EXPECT_TRUE(board[0]["metrics"]["sharpe_ann"].is_number()) << board;
  EXPECT_EQ(ask_and_keep("compare", {{"variants", {0, 1}}})["holding"], board);
  const Json duel = serve::ask_and_keep(home_, "bakeoff", {{"sweeps", {id_}}});
  EXPECT_EQ(duel["comparisons"][0]["holding"], board[0]);
}

TEST_F(OneNumber, B6LuckIsOneFunction) {
  const Json top = ask_and_keep("top", Json::object());
  const Json converge = ask_and_keep("converge", Json::object());
  const double shown = top["noise"][0]["noise_sharpe_ann_max_expected"];
  EXPECT_EQ(shown, converge["families"][0]["noise_sharpe_ann_max_expected"].get<double>());
  const double sd = top["noise"][0]["noise_sharpe_ann_sd"];
  const double n = top["noise"][0]["ledger_trials"];
  EXPECT_DOUBLE_EQ(shown, sd * sweeps::stats::expected_max_sharpe(n));
  for (const std::uint64_t huge :
       {std::uint64_t{1'000'000'000'000'000}, std::uint64_t{100'000'000'000'000'000}}) {
    const double expected = sweeps::stats::expected_max_sharpe(static_cast<double>(huge));
    EXPECT_NEAR(noise_expectation(huge, 365, 365).max_ann, expected, 1e-12);
  }
}

TEST_F(OneNumber, B7TheEffectiveNumberOfTrialsIsTheSameEverywhereAndNamesItsBasis) {
  const auto numbers = [&](const Sources& sources) {
    const Json family = must(query(sources, "converge", {{"sweep", id_}}))["families"][0];
    const std::uint64_t best = family["best"]["trial"];
    const Json told = must(query(sources, "explain", {{"sweep", id_}, {"variant", best}}))["luck"];
    const Json ledger = must(query(sources, "ledger", Json::object()));
    EXPECT_EQ(family["ledger_trials_effective"], told["trials_effective"]);
    EXPECT_EQ(family["profit"]["best"]["trials_effective"], told["trials_effective"]);
    EXPECT_EQ(ledger["trials_effective_total"], told["trials_effective"]);
    EXPECT_EQ(family["ledger_trials_effective_basis"], told["trials_effective_basis"]);
    EXPECT_EQ(ledger["trials_effective_basis"], told["trials_effective_basis"]);
    return told;
  };
  // Read only: the correlation that `converge` measures cannot go on record, and counts for nobody.
  const Json before = numbers(home_.sources());
  EXPECT_EQ(before["trials_effective"].get<double>(), before["trials"].get<double>());
  EXPECT_NE(before["trials_effective_basis"].get<std::string>().find("0 of 1"), std::string::npos);
  Sources writable = home_.sources();
  writable.verdicts = &home_.store();
  const Json after = numbers(writable);
  EXPECT_LT(after["trials_effective"].get<double>(), before["trials_effective"].get<double>());
  EXPECT_NE(after["trials_effective_basis"].get<std::string>().find("1 of 1"), std::string::npos);
  EXPECT_EQ(numbers(home_.sources()), after);
}

// What a first answer puts on record counts for all of its own families, and stays.
TEST(EffectiveTrialsB7, AnAnswerThatMeasuresAgreesWithTheNext) {
  Home home;
  const std::string id = home.run({.name = "test"});
  const Json first = ask_and_keep(home, "converge", {{"sweep", id}});
  for (const Json& family : first["families"]) {
    const Json& basis = family["ledger_trials_effective_basis"];
    EXPECT_NE(basis.get<std::string>().find("2 of 2"), std::string::npos) << basis;
  }
  EXPECT_EQ(ask_and_keep(home, "converge", {{"sweep", id}}), first);
}

TEST_F(OneNumber, B8PerfectRatiosRankFirstAndFiltersSayWhatTheyLeftOut) {
  const Json all = ask_and_keep("top", {{"by", "profit_factor"}, {"limit", 1000}, {"all", true}});
  std::size_t perfect = 0;
  bool measured = false;
  for (const Json& row : all["rows"]) {
    if (row["metrics"]["profit_factor"].is_null()) {
      EXPECT_FALSE(measured) << "variant " << row["trial"] << " never lost and ranks below others";
      ++perfect;
    } else {
      measured = true;
    }
  }
  const std::uint64_t n = all["trials_matching"];
  for (const std::string expression :
       {"profit_factor > 1", "dsr > 0.001", "psr > 0.5 or profit_factor > 2"}) {
    const Json yes = ask_and_keep("top", {{"where", expression}, {"limit", 1000}, {"all", true}});
    const Json no = ask_and_keep(
        "top", {{"where", "not (" + expression + ")"}, {"limit", 1000}, {"all", true}});
    EXPECT_EQ(yes["trials_undecided"], no["trials_undecided"]) << expression;
    EXPECT_EQ(yes["trials_matching"].get<std::uint64_t>() +
                  no["trials_matching"].get<std::uint64_t>() +
                  yes["trials_undecided"].get<std::uint64_t>(),
              n)
        << expression;
  }
  const Json some = ask_and_keep("top", {{"where", "dsr > 0.001"}});
  EXPECT_GT(some["trials_undecided"].get<std::uint64_t>(), 0u) << "variants that never moved";
  const Json none =
      ask_and_keep("top", {{"where", "profit_factor > 1e300"}, {"limit", 1000}, {"all", true}});
  EXPECT_EQ(none["trials_matching"], perfect) << "what never lost is above any number";
}

const std::string kHalvingYaml = R"(sweep: halving
data: [alpha]
window: {from: 2023-01-05, to: 2023-05-30}
execution: plain
strategies:
  - family: mean_reversion
    params: {entry_z: {float: [0.5, 4.0]}, lookback_bars: {int: [12, 96]}}
search: {method: random, trials: 72, generation: 8}
fidelity: {method: halving, shortest: 40d, eta: 3}
seed: 7
)";

// Most trials of a ladder stop early. Their ratios are of another time and stand beside nothing.
TEST(FidelityB3, OnlyTrialsOfTheWholeWindowAreComparedCountedAndRanked) {
  Home home;
  const std::string id = home.run({.name = "halving", .yaml = kHalvingYaml});
  const Json top = ask_and_keep(home, "top", {{"sweep", id}, {"limit", 10'000}, {"all", true}});
  const std::uint64_t ranked = top["trials_matching"];
  const std::uint64_t committed = top["trials_committed"];
  ASSERT_GT(ranked, 1u);
  ASSERT_LT(ranked, committed);
  std::map<std::uint64_t, Json> board;
  std::vector<double> ratios;
  for (const Json& row : top["rows"]) {
    board[row["trial"]] = row["metrics"];
    if (row["metrics"]["vol_ann"].get<double>() > 0) {
      ratios.push_back(row["metrics"]["sharpe_ann"].get<double>());
    }
  }
  const Json family = ask_and_keep(home, "converge", {{"sweep", id}})["families"][0];
  const std::uint64_t best = family["best"]["trial"];
  EXPECT_EQ(top["rows"][0]["trial"], best);
  const Json told = ask_and_keep(home, "explain", {{"sweep", id}, {"variant", best}});
  EXPECT_EQ(told["rank_in_family_by_sharpe_ann"], 1);
  EXPECT_EQ(told["ranked_in_family"], ranked);
  EXPECT_NEAR(told["luck"]["ratio_sd_ann"].get<double>(), sweeps::stats::stdev(ratios), 1e-9);
  EXPECT_EQ(board.at(best)["dsr"], told["luck"]["dsr"]);
  EXPECT_EQ(board.at(best)["dsr"], family["profit"]["best"]["dsr"]);
  std::size_t shorter = 0;
  for (std::uint64_t t = 0; t < committed && shorter < 3; ++t) {
    if (board.contains(t)) continue;
    ++shorter;
    const Json early = ask_and_keep(home, "explain", {{"sweep", id}, {"variant", t}});
    EXPECT_TRUE(early["luck"].is_null()) << t;
    EXPECT_FALSE(early.contains("rank_in_family_by_sharpe_ann")) << t;
    EXPECT_NE(early["why"].dump().find("whole window"), std::string::npos);
    const Json side = ask_and_keep(home, "compare", {{"sweep", id}, {"variants", {best, t}}});
    EXPECT_TRUE(side["variants"][1]["luck"].is_null()) << t;
    EXPECT_FALSE(side["contest"]["reason"].is_null()) << t;
  }
  EXPECT_EQ(shorter, 3u);
}

TEST(RankingB8, WhatIsPerfectIsBestAndWhatIsUnknownIsCounted) {
  for (const char* metric : {"profit_factor", "omega", "sortino_ann", "calmar", "tail_ratio"}) {
    EXPECT_TRUE(sweeps::missing_is_best(metric)) << metric;
    EXPECT_TRUE(sweeps::metric_higher_is_better(metric)) << metric;
  }
  for (const char* metric : {"sharpe_ann", "psr", "dsr", "drawdown_max_frac"}) {
    EXPECT_FALSE(sweeps::missing_is_best(metric)) << metric;
  }
}

}  // namespace
}  // namespace winnow::serve
