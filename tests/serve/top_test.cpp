#include <gtest/gtest.h>

#include <map>
#include <set>

#include "serve/board.hpp"
#include "serve/board_cache.hpp"
#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

// 768 trials in 48 blocks; those of one look-back window lie side by side.
const std::string kWideYaml = R"(sweep: wide
data: [alpha]
window: {from: 2023-01-05, to: 2023-03-01}
execution: plain
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [12, 72], step: 12}
      entry_z: {float: [1.0, 2.5], step: 0.1}
      stop_bps: {values: [0, 50, 100, 150, 200, 250, 300, 400]}
search: {method: grid}
seed: 7
)";

// The first are read block by block, all of them by whole columns: the same rows either way.
TEST(Top, RowsOfFewBlocksAreTheRowsOfWholeColumns) {
  Home home;
  const std::string sweep = home.run({.name = "wide", .yaml = kWideYaml});
  const auto ask = [&](const Json& args) { return must(query(home.sources(), "top", args)); };
  const Json all = ask({{"sweep", sweep}, {"limit", 1000}, {"all", true}});
  ASSERT_EQ(all["rows"].size(), 768u);
  std::map<std::uint64_t, Json> metrics;
  for (const Json& row : all["rows"]) metrics[row["trial"]] = row["metrics"];
  const Json few = ask({{"sweep", sweep}, {"where", "lookback_bars == 24"}, {"limit", 100}});
  EXPECT_EQ(few["trials_matching"], 128u);
  ASSERT_EQ(few["rows"].size(), 100u);
  std::set<std::uint64_t> trials;
  for (const Json& row : few["rows"]) {
    EXPECT_EQ(row["metrics"], metrics.at(row["trial"])) << row["trial"];
    trials.insert(row["trial"].get<std::uint64_t>());
  }
  EXPECT_EQ(trials.size(), 100u);
}

// A leaderboard's deflated ratios are those that `explain` gives one variant from its returns.
TEST(Top, DeflatedRatiosAreAColumnAndAnOrder) {
  Home home;
  const std::string sweep = home.run({.name = "test", .yaml = kSpecYaml});
  const auto ask = [&](const char* what, const Json& args) {
    return must(query(home.sources(), what, args));
  };
  const Json by = ask("top", {{"sweep", sweep}, {"by", "dsr"}, {"limit", 10'000}, {"all", true}});
  ASSERT_GT(by["rows"].size(), 50u);
  double last = 1;
  std::size_t measured = 0;
  for (const Json& row : by["rows"]) {
    if (row["metrics"]["dsr"].is_null()) {
      // Without returns that vary there is no track record, and none of it is luck: last of all.
      EXPECT_EQ(row["metrics"]["vol_ann"], 0) << row["trial"];
      last = 0;
      continue;
    }
    const double dsr = row["metrics"]["dsr"];
    EXPECT_LE(dsr, last) << row["trial"];
    EXPECT_LE(dsr, row["metrics"]["psr"].get<double>());
    last = dsr;
    if (++measured > 20) continue;
    const Json luck = ask("explain", {{"sweep", sweep}, {"variant", row["trial"]}})["luck"];
    EXPECT_EQ(dsr, luck["dsr"].get<double>()) << row["trial"];
    EXPECT_EQ(row["metrics"]["psr"].get<double>(), luck["psr"].get<double>());
  }
  EXPECT_GT(measured, 50u);
  const Json lucky =
      ask("top", {{"sweep", sweep}, {"where", "psr > 0.9"}, {"limit", 10'000}, {"all", true}});
  EXPECT_LT(lucky["rows"].size(), by["rows"].size());
  for (const Json& row : lucky["rows"]) EXPECT_GT(row["metrics"]["psr"].get<double>(), 0.9);
  // More was tried on the dataset: the same results are worth less.
  home.run({.name = "wide", .yaml = kWideYaml});
  const Json after =
      ask("top", {{"sweep", sweep}, {"by", "dsr"}, {"limit", 10'000}, {"all", true}});
  std::map<std::uint64_t, double> before;
  for (const Json& row : by["rows"]) {
    if (row["metrics"]["dsr"].is_number()) before[row["trial"]] = row["metrics"]["dsr"];
  }
  std::size_t lower = 0;
  for (const Json& row : after["rows"]) {
    if (row["data"] != "alpha" || !row["metrics"]["dsr"].is_number()) continue;
    EXPECT_LE(row["metrics"]["dsr"].get<double>(), before.at(row["trial"]));
    lower += row["metrics"]["dsr"].get<double>() < before.at(row["trial"]) ? 1 : 0;
  }
  EXPECT_GT(lower, 20u);
}

TEST(Compare, NamedVariantsAreTestedAgainstCashAndOneAnother) {
  Home home;
  const std::string sweep = home.run({.name = "test", .yaml = kSpecYaml});
  const Json top = must(query(home.sources(), "top", {{"sweep", sweep}, {"limit", 500}}));
  const Json& rows = top["rows"];
  Json trials = Json::array();
  for (const Json& row : rows) {
    if (row["data"] == rows[0]["data"] && trials.size() < 3) trials.push_back(row["trial"]);
  }
  const auto ask = [&](const Json& variants) {
    return must(query(home.sources(), "compare", {{"sweep", sweep}, {"variants", variants}}));
  };
  const Json answer = ask(trials);
  EXPECT_TRUE(answer["contest"]["reason"].is_null());
  EXPECT_GT(answer["contest"]["p_spa_beats_cash"].get<double>(), 0 - 1e-9);
  double best = 0;
  for (const Json& v : answer["variants"]) {
    EXPECT_GT(v["p_beats_cash"].get<double>(), 0);
    best = std::max(best, v["p_in_best_set"].get<double>());
  }
  EXPECT_EQ(best, 1) << "one of them is never worse than another";
  // The same variant twice is as good as itself.
  const Json twice = ask({trials[0], trials[0]});
  EXPECT_EQ(twice["variants"][0]["p_in_best_set"], 1.0);
  EXPECT_EQ(twice["variants"][1]["p_in_best_set"], 1.0);
  Json other = trials;
  for (const Json& row : rows) {
    if (row["data"] != rows[0]["data"]) other[0] = row["trial"];
  }
  const Json apart = ask(other);
  EXPECT_EQ(apart["contest"]["reason"], "the variants trade different datasets");
  EXPECT_TRUE(apart["variants"][0]["p_beats_cash"].is_null());
}

// What a coordinator keeps between questions never changes an answer, whatever is committed
// meanwhile.
TEST(Top, CachedBoardsAreTheBoardsReadAnew) {
  Home home;
  const Home::RunOptions options{.name = "wide", .blocks_max = 10, .yaml = kWideYaml};
  const std::string sweep = home.run(options);
  BoardCache cache;
  const auto ask = [&](const Json& args) {
    Sources kept = home.sources();
    kept.boards = &cache;
    const Json anew = must(query(home.sources(), "top", args));
    for (int time = 0; time < 2; ++time) EXPECT_EQ(must(query(kept, "top", args)), anew);
    return anew;
  };
  const Json board{{"sweep", sweep}, {"where", "stop_bps > 0"}, {"limit", 30}};
  const Json by_luck{{"sweep", sweep}, {"by", "dsr"}, {"limit", 5}};
  EXPECT_EQ(ask(board)["trials_committed"], 160);
  ask(by_luck);
  (void)home.run({.name = "wide", .yaml = kWideYaml});
  EXPECT_EQ(ask(board)["trials_committed"], 768);
  ask(by_luck);
}

// An order of a metric that the ledger does not deflate stays while others work on the same market.
TEST(Top, AnOrderIsMadeAnewForResultsAndForALedgerThatItNeeds) {
  Home home;
  const std::string sweep = home.run({.name = "wide", .blocks_max = 10, .yaml = kWideYaml});
  BoardCache cache;
  Sources sources = home.sources();
  sources.boards = &cache;
  // Held until the end, so that two orders never lie at one place.
  std::vector<Board> held;
  const auto view = must(SweepView::open(sources, sweep));
  const auto order_by = [&](const std::string& by) {
    held.push_back(must(Board::make(sources, view, {by, ""})));
    return &held.back().order();
  };
  const BoardOrder* plain = order_by("sharpe_ann");
  const BoardOrder* deflated = order_by("dsr");
  EXPECT_EQ(order_by("sharpe_ann"), plain);
  EXPECT_EQ(order_by("dsr"), deflated);
  (void)home.run({.name = "others"});  // on the same market
  EXPECT_EQ(order_by("sharpe_ann"), plain);
  EXPECT_NE(order_by("dsr"), deflated);
  (void)home.run({.name = "wide", .yaml = kWideYaml});
  EXPECT_NE(order_by("sharpe_ann"), plain);
}

TEST(Top, FirstPlacesOfABoardThatNobodyKeepsAreThoseOfTheWhole) {
  Home home;
  const std::string sweep = home.run({.name = "wide", .yaml = kWideYaml});
  const Sources sources = home.sources();
  const auto view = must(SweepView::open(sources, sweep));
  const Board whole = must(Board::make(sources, view, {"calmar", "stop_bps > 0"}));
  const Board part = must(Board::make(sources, view, {"calmar", "stop_bps > 0", 30}));
  ASSERT_EQ(part.order().places(), 30u);
  EXPECT_GT(whole.order().places(), 30u);
  EXPECT_EQ(part.order().matching(), whole.order().matching());
  const auto expected = whole.order().rows(20, 10);
  const auto rows = part.order().rows(20, 99);
  ASSERT_EQ(rows.size(), expected.size());
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].trials, expected[i].trials);
}

TEST(LastAsked, KeepsWhatWasAskedForLastWithinItsBytes) {
  LastAsked<std::size_t> kept(100, [](const std::size_t& size) { return size; });
  int made = 0;
  const auto ask = [&](const std::string& name, std::uint64_t version, std::size_t size) {
    const auto got =
        kept.get(name, {version, 0}, [&]() -> Result<std::shared_ptr<const std::size_t>> {
          ++made;
          return std::make_shared<const std::size_t>(size);
        });
    return got.ok() ? **got : 0;
  };
  EXPECT_EQ(ask("a", 1, 33), 33u);
  EXPECT_EQ(ask("a", 1, 33), 33u);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(ask("a", 2, 33), 33u);  // of a later version
  EXPECT_EQ(made, 2);
  ask("b", 1, 33);
  ask("c", 1, 33);
  ask("a", 2, 33);
  EXPECT_EQ(made, 4);
  ask("d", 1, 33);  // "b" is the one that was not asked for
  ask("a", 2, 33);
  ask("c", 1, 33);
  EXPECT_EQ(made, 5);
  ask("b", 1, 33);
  EXPECT_EQ(made, 6);
  EXPECT_EQ(ask("huge", 1, 101), 101u);  // given, not kept
  ask("huge", 1, 101);
  EXPECT_EQ(made, 8);
}

TEST(LastAsked, WhatCouldNotBeMadeIsNotKept) {
  LastAsked<int> kept(100, [](const int&) { return std::size_t{1}; });
  using Made = Result<std::shared_ptr<const int>>;
  EXPECT_FALSE(kept.get("a", {}, []() -> Made { return Error(ErrorCode::Io, "cut"); }).ok());
  EXPECT_TRUE(kept.get("a", {}, []() -> Made { return std::make_shared<const int>(1); }).ok());
}

}  // namespace
}  // namespace winnow::serve
