#include <gtest/gtest.h>

#include <cmath>

#include "engine/engine.hpp"
#include "tests/engine/support.hpp"

// Every rule of a fill on markets of a few bars, with the numbers worked out by hand.

namespace winnow::engine {
namespace {

constexpr std::int64_t kDayNs = 86'400'000'000'000;

/// Bars with the given opens; the close is the next open unless said otherwise.
struct Bars {
  MarketColumns columns;
  Bars(std::initializer_list<std::array<double, 5>> ohlcv, std::int64_t interval = kDayNs) {
    columns.interval_ns = interval;
    std::int64_t t = 19'000 * kDayNs;
    for (const auto& b : ohlcv) {
      columns.time_ns.push_back(t);
      columns.open.push_back(b[0]);
      columns.high.push_back(b[1]);
      columns.low.push_back(b[2]);
      columns.close.push_back(b[3]);
      columns.volume.push_back(b[4]);
      t += interval;
    }
  }
};

// fast 1, slow 2: above when the close rose, below when it fell.
Result<Backtest> cross(const Bars& bars, const ExecutionModel& e, double short_side = 0) {
  const MarketView m = bars.columns.view();
  return run_backtest(m, {0, m.size()}, *find_family("sma_cross"),
                      std::vector<double>{1, 2, short_side}, e);
}

// Falls (so that a cross up is armed), rises: long from the open of bar 3; falls: out at bar 5's.
const Bars kUpDown = {{100, 101, 99, 100, 10}, {100, 100, 89, 90, 10}, {90, 96, 90, 95, 10},
                      {96, 101, 95, 100, 10},  {100, 100, 91, 92, 10}, {91, 93, 90, 93, 40}};

double metric(const Backtest& b, std::string_view name) {
  return b.metrics[static_cast<std::size_t>(find_metric(name))];
}

TEST(Fills, AllInPaysPriceAndFeeExactly) {
  ExecutionModel e;
  e.taker_fee_bps = 10;
  e.initial_cash = 1000;
  const auto b = cross(kUpDown, e);
  ASSERT_TRUE(b.ok());
  ASSERT_EQ(b->trades.size(), 1u);
  const Trade& t = b->trades[0];
  const double qty = 1000 / (96 * 1.001);
  EXPECT_DOUBLE_EQ(t.qty, qty);
  EXPECT_EQ(t.entry_px, 96);
  EXPECT_EQ(t.exit_px, 91);
  EXPECT_NEAR(t.fees, qty * (96 + 91) * 0.001, 1e-12);
  EXPECT_NEAR(t.pnl, qty * 91 * 0.999 - 1000, 1e-9);
  // Flat, flat, flat, held (marked at the close), held, out.
  ASSERT_EQ(b->equity.size(), 6u);
  EXPECT_EQ(b->equity[2], 1000);
  EXPECT_NEAR(b->equity[3], qty * 100, 1e-9);
  EXPECT_NEAR(b->equity[4], qty * 92, 1e-9);
  EXPECT_NEAR(b->equity[5], qty * 91 * 0.999, 1e-9);
  EXPECT_EQ(b->open_qty, 0);
}

TEST(Fills, PositionOpenAtTheEndStaysOpenAndIsMarked) {
  const Bars bars = {{100, 101, 99, 100, 10},
                     {100, 100, 89, 90, 10},
                     {90, 96, 90, 95, 10},
                     {96, 101, 95, 100, 10}};
  ExecutionModel e;
  e.initial_cash = 960;
  const auto b = cross(bars, e);
  ASSERT_TRUE(b.ok());
  EXPECT_TRUE(b->trades.empty());
  EXPECT_EQ(b->open_qty, 10);
  EXPECT_EQ(b->equity.back(), 1000);
  EXPECT_EQ(metric(*b, "exposure_frac"), 0.25);
  EXPECT_EQ(metric(*b, "trades"), 0);
}

TEST(Fills, CrossDownTurnsShortWhenAskedTo) {
  ExecutionModel e;
  e.sizing = Sizing::FixedQty;
  e.fixed_qty = 2;
  const auto b = cross(kUpDown, e, 1);
  ASSERT_TRUE(b.ok());
  // The first fall has no bar at which fast was not below before it, but the first bar with both
  // means is that very fall: no short until the rise.
  ASSERT_EQ(b->trades.size(), 1u);
  EXPECT_EQ(b->trades[0].side, Side::Long);
  EXPECT_EQ(b->open_qty, -2);
  EXPECT_DOUBLE_EQ(b->equity.back(), 100'000 + 2 * (91 - 96) - 2 * (93 - 91));
}

TEST(Fills, HalfSpreadAndRangeAndImpactAdd) {
  ExecutionModel e;
  e.half_spread_bps = 20;
  e.half_spread_range_frac = 0.1;
  e.impact_bps = 50;
  e.sizing = Sizing::FixedQty;
  e.fixed_qty = 2.5;
  const auto b = cross(kUpDown, e);
  ASSERT_TRUE(b.ok());
  ASSERT_EQ(b->trades.size(), 1u);
  // Decided at bar 2 (range 6 of 95) and filled in bar 3 (volume 10); out decided at bar 4 (9 of
  // 92), filled in bar 5 (volume 40).
  const double in = 0.002 + 0.1 * 6 / 95 + 0.005 * std::sqrt(2.5 / 10);
  const double out = 0.002 + 0.1 * 9 / 92 + 0.005 * std::sqrt(2.5 / 40);
  EXPECT_NEAR(b->trades[0].entry_px, 96 * (1 + in), 1e-10);
  EXPECT_NEAR(b->trades[0].exit_px, 91 * (1 - out), 1e-10);
  EXPECT_NEAR(metric(*b, "slippage_frac") * 100'000, 2.5 * (96 * in + 91 * out), 1e-8);
}

TEST(Fills, AllInWithImpactSpendsTheCashAndNoMore) {
  ExecutionModel e;
  e.taker_fee_bps = 8;
  e.impact_bps = 400;
  e.initial_cash = 3000;
  const auto b = cross(kUpDown, e);
  ASSERT_TRUE(b.ok());
  ASSERT_EQ(b->trades.size(), 1u);
  const Trade& t = b->trades[0];
  const double cost = t.qty * t.entry_px * 1.0008;
  EXPECT_LE(cost, 3000 * (1 + 1e-14));
  EXPECT_GE(cost, 3000 * (1 - 1e-9));
  EXPECT_NEAR(t.entry_px, 96 * (1 + 0.04 * std::sqrt(t.qty / 10)), 1e-9);
}

TEST(Fills, TicksRoundAgainstTheTraderAndLotsDown) {
  ExecutionModel e;
  e.half_spread_bps = 5;
  e.taker_fee_bps = 10;
  e.initial_cash = 1000;
  e.rules = {{0, 0.1, 0.3, 0, 0}};
  const auto b = cross(kUpDown, e);
  ASSERT_TRUE(b.ok());
  ASSERT_EQ(b->trades.size(), 1u);
  EXPECT_EQ(b->trades[0].entry_px, 96.1);      // 96.048 up
  EXPECT_EQ(b->trades[0].exit_px, 90.9);       // 90.9545 down
  EXPECT_NEAR(b->trades[0].qty, 10.2, 1e-12);  // 10.395 down to 34 lots of 0.3
}

TEST(Fills, AMultipleInDecimalIsAMultiple) {
  ExecutionModel e;
  e.sizing = Sizing::FixedQty;
  e.fixed_qty = 0.3;  // 0.3 / 0.1 is 2.9999999999999996 in doubles
  e.rules = {{0, 0.01, 0.1, 0, 0}};
  const auto b = cross(kUpDown, e);
  ASSERT_TRUE(b.ok());
  ASSERT_EQ(b->trades.size(), 1u);
  EXPECT_EQ(b->trades[0].qty, 0.3);
  EXPECT_EQ(b->trades[0].entry_px, 96);
}

TEST(Fills, MinimumsRefuseEntries) {
  ExecutionModel e;
  e.initial_cash = 960;  // ten at 96
  for (const auto& [rules, entered] : {std::pair{InstrumentRules{0, 0, 0, 10.01, 0}, false},
                                       std::pair{InstrumentRules{0, 0, 0, 10, 0}, true},
                                       std::pair{InstrumentRules{0, 0, 0, 0, 961}, false},
                                       std::pair{InstrumentRules{0, 0, 0, 0, 960}, true}}) {
    e.rules = {rules};
    const auto b = cross(kUpDown, e);
    ASSERT_TRUE(b.ok());
    EXPECT_EQ(b->trades.size(), entered ? 1u : 0u);
    EXPECT_EQ(metric(*b, "rejected_orders"), entered ? 0 : 1);
  }
}

TEST(Fills, RulesHoldFromTheirTimeOn) {
  ExecutionModel e;
  e.half_spread_bps = 5;
  e.sizing = Sizing::FixedQty;
  e.fixed_qty = 1;
  // In force from the exit's bar.
  e.rules = {{kUpDown.columns.time_ns[5], 1, 0, 0, 0}};
  const auto b = cross(kUpDown, e);
  ASSERT_TRUE(b.ok());
  EXPECT_DOUBLE_EQ(b->trades.at(0).entry_px, 96 * 1.0005);
  EXPECT_EQ(b->trades.at(0).exit_px, 90);
}

TEST(Fills, ParticipationCapsEntriesOnly) {
  ExecutionModel e;
  e.participation_max_frac = 0.2;
  const auto b = cross(kUpDown, e);
  ASSERT_TRUE(b.ok());
  EXPECT_EQ(b->trades.at(0).qty, 2);
}

TEST(Fills, FundingIsPaidAtTheOpenAfterItsFill) {
  Bars bars = kUpDown;
  const auto& t = bars.columns.time_ns;
  bars.columns.funding = {{t[2], 0.5},   // flat
                          {t[3], 0.01},  // bar 3: after the entry at its open
                          {t[4] + kDayNs / 2, -0.02},
                          {t[5] + kDayNs, 0.5}};  // after the data
  ExecutionModel e;
  e.sizing = Sizing::FixedQty;
  e.fixed_qty = 2;
  EXPECT_EQ(cross(bars, e)->trades.at(0).funding, 0) << "switched off";
  e.funding = true;
  const auto b = cross(bars, e);
  const double paid = 2 * 96 * 0.01 - 2 * 100 * 0.02;
  EXPECT_NEAR(b->trades.at(0).funding, paid, 1e-12);
  EXPECT_NEAR(b->trades.at(0).pnl, 2 * (91 - 96) - paid, 1e-12);
  EXPECT_NEAR(b->equity.back(), 100'000 - 10 - paid, 1e-9);
}

// Two closes: z is -1 after a fall and 1 after a rise.
Result<Backtest> reversion(const Bars& bars, const ExecutionModel& e, double stop_bps,
                           double target_bps, double hold_bars) {
  const MarketView m = bars.columns.view();
  const std::vector<double> params{2, 0.9, -5, stop_bps, target_bps, hold_bars};
  return run_backtest(m, {0, m.size()}, *find_family("mean_reversion"), params, e);
}

ExecutionModel one_unit() {
  ExecutionModel e;
  e.taker_fee_bps = 10;
  e.maker_fee_bps = -5;
  e.half_spread_bps = 50;
  e.sizing = Sizing::FixedQty;
  e.fixed_qty = 1;
  return e;
}

TEST(Fills, StopComesBeforeTargetInOneBar) {
  const Bars bars = {
      {100, 101, 99, 100, 1}, {100, 100, 90, 90, 1}, {90, 120, 60, 90, 1}, {90, 90, 90, 90, 1}};
  const auto b = reversion(bars, one_unit(), 1000, 1000, 0);
  ASSERT_TRUE(b.ok()) << b.error().text();
  ASSERT_EQ(b->trades.size(), 1u);
  const Trade& t = b->trades[0];
  const double entry = 90 * 1.005;
  EXPECT_DOUBLE_EQ(t.entry_px, entry);
  EXPECT_DOUBLE_EQ(t.exit_px, entry * 0.9 * 0.995);
  EXPECT_EQ(t.entry_time_ns, t.exit_time_ns);
  EXPECT_NEAR(t.fees, (t.entry_px + t.exit_px) * 0.001, 1e-12);
}

TEST(Fills, StopBeyondTheOpenFillsAtTheOpen) {
  const Bars bars = {{100, 101, 99, 100, 1},
                     {100, 100, 90, 90, 1},
                     {90, 91, 89, 90, 1},
                     {70, 72, 65, 70, 1},
                     {70, 70, 70, 70, 1}};
  const auto b = reversion(bars, one_unit(), 1000, 0, 0);
  ASSERT_EQ(b->trades.size(), 1u);
  EXPECT_DOUBLE_EQ(b->trades[0].exit_px, 70 * 0.995);
}

TEST(Fills, TargetIsARestingOrderAtItsPriceOrBetter) {
  for (const double open : {95.0, 110.0}) {
    const Bars bars = {{100, 101, 99, 100, 1},
                       {100, 100, 90, 90, 1},
                       {90, 91, 89, 90, 1},
                       {open, 115, 94, 95, 1},
                       {95, 95, 95, 95, 1}};
    const auto b = reversion(bars, one_unit(), 0, 1000, 0);
    ASSERT_EQ(b->trades.size(), 1u);
    const double target = 90 * 1.005 * 1.1;
    EXPECT_DOUBLE_EQ(b->trades[0].exit_px, std::max(open, target));
    EXPECT_NEAR(b->trades[0].fees, 90 * 1.005 * 0.001 - b->trades[0].exit_px * 0.0005, 1e-12);
  }
}

TEST(Fills, ShortsMirrorLongs) {
  const Bars bars = {{100, 101, 99, 100, 1},
                     {100, 110, 100, 110, 1},
                     {110, 111, 109, 110, 1},
                     {125, 126, 100, 110, 1},
                     {110, 110, 110, 110, 1}};
  const auto b = reversion(bars, one_unit(), 1000, 0, 0);
  ASSERT_EQ(b->trades.size(), 1u);
  EXPECT_EQ(b->trades[0].side, Side::Short);
  EXPECT_DOUBLE_EQ(b->trades[0].entry_px, 110 * 0.995);
  EXPECT_DOUBLE_EQ(b->trades[0].exit_px, 125 * 1.005);  // gapped over the stop
}

TEST(Fills, MaximumHoldLeavesAtTheOpenAfterItsClose) {
  const Bars bars = {{100, 101, 99, 100, 1}, {100, 100, 90, 90, 1}, {90, 91, 88, 89, 1},
                     {89, 89, 87, 88, 1},    {88, 88, 86, 87, 1},   {87, 87, 85, 86, 1}};
  const auto b = reversion(bars, one_unit(), 0, 0, 2);
  ASSERT_EQ(b->trades.size(), 1u);
  EXPECT_EQ(b->trades[0].entry_time_ns, bars.columns.time_ns[2]);
  EXPECT_EQ(b->trades[0].exit_time_ns, bars.columns.time_ns[5]);
}

TEST(Fills, RuinEndsAVariant) {
  // Three units short of a price that doubles and more.
  const Bars bars = {{100, 101, 99, 100, 1}, {100, 110, 100, 110, 1}, {110, 400, 109, 390, 1},
                     {390, 390, 90, 100, 1}, {100, 101, 90, 91, 1},   {91, 92, 80, 81, 1}};
  ExecutionModel e;
  e.sizing = Sizing::FixedQty;
  e.fixed_qty = 1;
  e.initial_cash = 200;
  const auto b = reversion(bars, e, 0, 0, 0);
  ASSERT_TRUE(b.ok());
  EXPECT_EQ(metric(*b, "ruined"), 1);
  EXPECT_EQ(metric(*b, "total_return_frac"), -1);
  EXPECT_EQ(metric(*b, "drawdown_max_frac"), 1);
  EXPECT_EQ(b->trades.size(), 1u);
  EXPECT_EQ(b->open_qty, 0);
  EXPECT_EQ(b->returns, (std::vector<float>{0, 0, -1, 0, 0, 0}));
  for (const MetricDecl& m : metric_decls()) {
    if (m.annual) continue;  // six days are not a year
    EXPECT_TRUE(std::isfinite(metric(*b, m.name)) || m.name == "omega" || m.name == "tail_ratio" ||
                m.name == "profit_factor")
        << m.name;
  }
}

TEST(Fills, WithoutCashNothingIsEntered) {
  // Two units short, stopped by a gap at 400: cash is negative for the rest of the day, and the
  // rises at bars 3 and 4 are not sold.
  const Bars bars({{100, 101, 99, 100, 1},
                   {100, 110, 100, 110, 1},
                   {110, 111, 109, 110, 1},
                   {400, 401, 389, 390, 1},
                   {390, 396, 390, 395, 1},
                   {395, 396, 380, 381, 1}},
                  kDayNs / 8);
  ExecutionModel e;
  e.sizing = Sizing::FixedQty;
  e.fixed_qty = 2;
  e.initial_cash = 200;
  const auto b = reversion(bars, e, 5'000, 0, 0);
  ASSERT_TRUE(b.ok());
  ASSERT_EQ(b->trades.size(), 1u);
  EXPECT_DOUBLE_EQ(b->trades[0].pnl, -580);
  EXPECT_DOUBLE_EQ(b->equity[4], -380);
  EXPECT_EQ(b->equity.back(), 0);
  EXPECT_EQ(metric(*b, "ruined"), 1);
}

}  // namespace
}  // namespace winnow::engine
