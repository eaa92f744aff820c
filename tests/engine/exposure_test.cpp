#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/time.hpp"
#include "engine/backtest.hpp"
#include "engine/holding.hpp"
#include "support.hpp"

// The mean position of each period, against one that is taken bar by bar from the fills.
namespace winnow::engine {
namespace {

/// Signed notional over equity at each close of the window.
std::vector<double> by_bar(const DetailedBacktest& b, const MarketView& market, Window window) {
  std::vector<double> out;
  double qty = 0;
  std::size_t next = 0;
  for (std::size_t t = window.first; t < window.last; ++t) {
    while (next < b.fills.size() && b.fills[next].bar <= t) qty += b.fills[next++].qty;
    const double equity = b.backtest.equity[t - window.first];
    out.push_back(equity > 0 ? qty * market.close[t] / equity : 0);
  }
  return out;
}

std::vector<double> by_period(const std::vector<double>& bars, const MarketView& market,
                              Window window) {
  std::vector<double> out;
  std::vector<double> counts;
  std::int64_t day = -1;
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const std::int64_t own = utc_day_of_ns(market.time_ns[window.first + i]);
    if (own != day) {
      out.push_back(0);
      counts.push_back(0);
      day = own;
    }
    out.back() += bars[i];
    counts.back() += 1;
  }
  for (std::size_t p = 0; p < out.size(); ++p) out[p] /= counts[p];
  return out;
}

/// The largest position is one at an entry or at the close of a day, and those are bars' positions
/// but for the way from open to close.
void expect_most(const DetailedBacktest& b, const MarketView& market, Window window) {
  const std::vector<double> bars = by_bar(b, market, window);
  double days = 0;
  for (std::size_t t = window.first; t < window.last; ++t) {
    const bool ends = t + 1 == window.last ||
                      utc_day_of_ns(market.time_ns[t]) != utc_day_of_ns(market.time_ns[t + 1]);
    if (ends) days = std::max(days, std::fabs(bars[t - window.first]));
  }
  double entries = 0;  // from flat: equity at the close before is the cash
  double qty = 0;
  for (const Fill& f : b.fills) {
    if (qty == 0 && f.bar > window.first && bars[f.bar - 1 - window.first] == 0) {
      const double cash = b.backtest.equity[f.bar - 1 - window.first];
      entries = std::max(entries, std::fabs(f.qty) * f.px / cash);
    }
    qty += f.qty;
    if (std::fabs(qty) < 1e-9) qty = 0;
  }
  const double all = std::fabs(*std::max_element(
      bars.begin(), bars.end(), [](double x, double y) { return std::fabs(x) < std::fabs(y); }));
  const double most =
      b.backtest.metrics[static_cast<std::size_t>(find_metric("exposure_max_frac"))];
  EXPECT_GE(most, std::max(days, entries) * (1 - 1e-9));
  EXPECT_LE(most, std::max(all, entries) * 1.05);
}

class Exposures : public testing::TestWithParam<bool> {};

// Between two looks a position moves with its price: that is what the difference is. A position
// that begins and ends inside one bar weighs nothing here and nothing there.
TEST_P(Exposures, AreTheMeanOfTheBars) {
  double held = 0;
  double largest = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed, 21);
    const MarketColumns columns = test::random_market({.seed = seed, .bars = 1'500});
    const MarketView market = columns.view();
    ExecutionModel e;
    e.taker_fee_bps = 5;
    e.initial_cash = 1'000;
    if (seed % 2 == 0) {
      e.sizing = Sizing::FixedQty;
      e.fixed_qty = 3;
    }
    if (GetParam()) {
      e.work_exits = true;
      e.expected_volume = true;
      e.participation_max_frac = 0.5;
      e.resting_targets = true;
      e.liquidation = true;
      e.drawdown_bars = true;
    }
    const std::string_view family = seed % 3 == 0 ? "sma_cross" : "mean_reversion";
    const Window window{120, columns.size() - 3};
    const auto b =
        run_detailed(market, window, *find_family(family), test::random_params(rng, family), e);
    ASSERT_TRUE(b.ok()) << b.error().text();
    const std::vector<double> expected = by_period(by_bar(*b, market, window), market, window);
    ASSERT_EQ(b->backtest.exposures.size(), expected.size());
    double mean = 0;
    for (std::size_t p = 0; p < expected.size(); ++p) {
      const double found = static_cast<double>(b->backtest.exposures[p]);
      EXPECT_NEAR(found, expected[p], 0.03) << "period " << p;
      held += std::fabs(expected[p]);
      largest = std::max(largest, std::fabs(expected[p]));
      mean += found / static_cast<double>(expected.size());
    }
    EXPECT_NEAR(b->backtest.metrics[static_cast<std::size_t>(find_metric("mean_exposure"))], mean,
                1e-6);
    expect_most(*b, market, window);
  }
  EXPECT_GT(held, 20);
  EXPECT_GT(largest, 0.5);
}

INSTANTIATE_TEST_SUITE_P(Engine, Exposures, testing::Bool(),
                         [](const auto& i) { return i.param ? "Full" : "Plain"; });

TEST(Exposure, OfHoldingIsOne) {
  const MarketColumns columns = test::random_market({.seed = 4, .bars = 3'000});
  const auto held = hold_market(columns.view(), {0, columns.size()});
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(held->metrics[static_cast<std::size_t>(find_metric("mean_exposure"))], 1);
  EXPECT_EQ(held->metrics[static_cast<std::size_t>(find_metric("exposure_max_frac"))], 1);
}

}  // namespace
}  // namespace winnow::engine
