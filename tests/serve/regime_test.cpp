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
  EXPECT_TRUE(states["trend"].contains("unknown")) << "the data begin with the window";
  EXPECT_EQ(states["volatility"], std::set<std::string>{"unknown"}) << "160 days are too few";
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
