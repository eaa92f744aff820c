#include <gtest/gtest.h>

#include "serve/scoring.hpp"
#include "tests/serve/fixture.hpp"

// Row E2: long-only crossing on a rising market shows a fine Sharpe ratio and chooses nothing.
namespace winnow::serve {
namespace {

/// A year of hours that rises steadily: holding has a Sharpe ratio of about four.
MarketColumns rising() {
  Rng rng(5, 1);
  MarketColumns m;
  m.interval_ns = 3'600'000'000'000;
  double px = 100;
  for (std::int64_t i = 0; i < 24 * 400; ++i) {
    double z = -6;
    for (int k = 0; k < 12; ++k) z += rng.uniform();
    const double close = px * (1 + 0.005 * z + 0.00022);
    m.time_ns.push_back(1'672'531'200'000'000'000 + i * m.interval_ns);
    m.open.push_back(px);
    m.close.push_back(close);
    m.high.push_back(std::max(px, close) * 1.0005);
    m.low.push_back(std::min(px, close) * 0.9995);
    m.volume.push_back(1'000);
    px = close;
  }
  return m;
}

constexpr const char* kLongOnly =
    "sweep: drift\ndata: [rising]\nwindow: {}\nexecution: plain\nstrategies:\n"
    "  - family: sma_cross\n    params:\n      fast_bars: {int: [6, 60], step: 6}\n"
    "      slow_bars: {int: [96, 480], step: 48}\n      short_side: {values: [0]}\n"
    "search: {method: grid}\n";

TEST(FaultE2, ARisingMarketIsNotTakenForSkill) {
  Home home;
  home.add_market("rising", rising());
  const std::string sweep = home.run({.name = "drift", .yaml = kLongOnly});
  const Json answer = must(query(home.sources(), "converge", {{"sweep", sweep}}));
  const Json& f = answer["families"][0];
  EXPECT_GE(f["c_cash"].get<double>(), 0.95) << f.dump(2);
  EXPECT_LT(f["c_ols"].get<double>(), 0.95);
  EXPECT_LT(f["c_exposure"].get<double>(), 0.95);
  EXPECT_EQ(f["c"], std::min(f["c_ols"].get<double>(), f["c_exposure"].get<double>()));
  EXPECT_NE(f["verdict"], "CONVERGED");
  EXPECT_GT(f["exposure_mean"].get<double>(), 0.3);
  EXPECT_GT(f["beta_mean"].get<double>(), 0.3);
  EXPECT_NE(f["market_text"].get<std::string>().find("the market explains"), std::string::npos);
  EXPECT_NE(f["reasons"][0].get<std::string>().find("skill: C = "), std::string::npos);
  // One number for one thing: the p that is corrected is of the same score.
  EXPECT_EQ(f["p"].get<double>(), 1 - f["c"].get<double>());
  Sources writable = home.sources();
  writable.verdicts = &home.store();
  const Json tiles = must(query(writable, "converge", {{"sweep", sweep}, {"by", "neighbourhood"}}));
  for (const Json& tile : tiles["neighbourhoods"]) EXPECT_NE(tile["verdict"], "CONVERGED");
}

TEST(FaultE2, WithoutTheMarketNothingIsCalledConverged) {
  Home home;
  home.add_market("rising", rising());
  const std::string sweep = home.run({.name = "drift", .yaml = kLongOnly});
  Sources blind = home.sources();
  blind.datasets = nullptr;
  const Json f = must(query(blind, "converge", {{"sweep", sweep}}))["families"][0];
  EXPECT_GE(f["c"].get<double>(), 0.95);
  EXPECT_EQ(f["verdict"], "INSUFFICIENT");
  EXPECT_TRUE(f["c_cash"].is_null());
  EXPECT_NE(f["reasons"].back().get<std::string>().find("skill: no datasets are here"),
            std::string::npos);
}

TEST(Skill, AVerdictThatIsKeptSaysTheSame) {
  Home home;
  home.add_market("rising", rising());
  const std::string sweep = home.run({.name = "drift", .yaml = kLongOnly});
  Sources sources = home.sources();
  sources.verdicts = &home.store();
  const SweepView view = must(SweepView::open(sources, sweep));
  const Scoring first = must(score_families(sources, view));
  const Scoring again = must(score_families(sources, view));
  EXPECT_FALSE(first.families[0].cached);
  EXPECT_TRUE(again.families[0].cached);
  EXPECT_EQ(skill_json(first.families[0].skill), skill_json(again.families[0].skill));
  EXPECT_EQ(first.families[0].p, again.families[0].p);
}

}  // namespace
}  // namespace winnow::serve
