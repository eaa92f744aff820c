// What `explain` says of a variant by regime.

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>
#include <string>

#include "serve/regime_part.hpp"
#include "sweeps/regimes.hpp"
#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

TEST(ExplainByRegime, EachRegimeSharesOutTheSameDays) {
  Home home;
  const std::string sweep = home.run({});
  const Json told = must(query(home.sources(), "explain", {{"sweep", sweep}, {"variant", 3}}));
  const std::uint64_t trial = 3;
  const SweepView view = must(SweepView::open(home.sources(), sweep));
  const auto rows = must(read_trials(home.sources(), view, {&trial, 1}, {.returns = true}));
  const auto& returns = rows.front()->returns;
  const double whole = std::accumulate(returns.begin(), returns.end(), 0.0);
  std::map<std::string, std::size_t> days;
  std::map<std::string, double> sums;
  std::map<std::string, std::set<std::string>> states;
  for (const Json& group : told["regimes"]) {
    const std::string regime = group["regime"];
    days[regime] += group["days"].get<std::size_t>();
    sums[regime] += group["sum_frac"].get<double>();
    states[regime].insert(group["state"].get<std::string>());
  }
  ASSERT_EQ(days.size(), sweeps::regime_decls().size());
  for (const auto& [regime, count] : days) {
    EXPECT_EQ(count, returns.size()) << regime;
    EXPECT_NEAR(sums[regime], whole, 1e-9) << regime;
  }
  EXPECT_TRUE(states["trend"].contains("up") || states["trend"].contains("down"));
  EXPECT_TRUE(states["trend"].contains("unknown")) << "the data begin a few days before the window";
  EXPECT_EQ(states["volatility"], std::set<std::string>{"unknown"}) << "160 days are too few";
}

// The trend once more, by hand: which days are which is what a wrong offset would change.
TEST(ExplainByRegime, ADayIsGroupedByTheClosesBeforeIt) {
  Home home;
  const std::string sweep = home.run({});
  const std::uint64_t trial = 3;
  const SweepView view = must(SweepView::open(home.sources(), sweep));
  const auto rows = must(read_trials(home.sources(), view, {&trial, 1}, {.returns = true}));
  const auto& returns = rows.front()->returns;
  const sweeps::Segment& segment = view.plan.segment_of_trial(trial);
  const auto data = must(home.sources().datasets->load(view.dataset(segment).content_hash));
  const MarketView& market = data.view();
  std::vector<double> closes;
  for (std::size_t t = 0; t < market.size(); ++t) {
    const bool new_day =
        t == 0 || utc_day_of_ns(market.time_ns[t]) != utc_day_of_ns(market.time_ns[t - 1]);
    if (new_day) closes.push_back(0);
    closes.back() = market.close[t];
  }
  const auto before = static_cast<std::size_t>(utc_day_of_ns(view.plan.spec().from.ns) -
                                               utc_day_of_ns(market.time_ns[0]));
  ASSERT_GT(before, 0u) << "the data begin before the window";
  ASSERT_GE(closes.size(), before + returns.size());
  std::map<std::string, double> sums;
  std::map<std::string, std::size_t> days;
  for (std::size_t r = 0; r < returns.size(); ++r) {
    const std::size_t d = before + r;
    std::string state = "unknown";
    if (d >= 100) {
      double mean = 0;
      for (std::size_t i = d - 100; i < d; ++i) mean += closes[i] / 100;
      state = closes[d - 1] >= mean ? "up" : "down";
    }
    sums[state] += static_cast<double>(returns[r]);
    ++days[state];
  }
  ASSERT_GT(days["up"], 0u);
  ASSERT_GT(days["down"], 0u);
  const Json told = must(query(home.sources(), "explain", {{"sweep", sweep}, {"variant", trial}}));
  std::size_t seen = 0;
  for (const Json& group : told["regimes"]) {
    if (group["regime"] != "trend") continue;
    const std::string state = group["state"];
    EXPECT_EQ(group["days"].get<std::size_t>(), days[state]) << state;
    EXPECT_NEAR(group["sum_frac"].get<double>(), sums[state], 1e-9) << state;
    ++seen;
  }
  EXPECT_EQ(seen, days.size());
}

TEST(ExplainByRegime, WithoutTheDataItSaysWhy) {
  Home home;
  const std::string sweep = home.run({});
  Sources elsewhere = home.sources();
  elsewhere.datasets = nullptr;
  const Json told = must(query(elsewhere, "explain", {{"sweep", sweep}, {"variant", 3}}));
  EXPECT_TRUE(told["regimes"].is_null());
  EXPECT_NE(told["why"].dump().find("in which regimes it earned is not known"), std::string::npos);
}

}  // namespace
}  // namespace winnow::serve
