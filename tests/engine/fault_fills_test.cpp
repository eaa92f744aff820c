#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "engine/backtest.hpp"
#include "engine/liquidity.hpp"
#include "engine/synth/market_sim.hpp"
#include "tests/engine/support.hpp"

// Each fault of execution that was seen, on the few bars that show it, and what other engines were
// reported to do on bars like them. The number of a row stands in its test's name.

namespace winnow::engine {
namespace {

constexpr std::int64_t kDayNs = 86'400'000'000'000;
constexpr std::int64_t kHourNs = kDayNs / 24;

struct Bars {
  MarketColumns columns;
  explicit Bars(std::initializer_list<std::array<double, 5>> ohlcv,
                std::int64_t interval = kHourNs) {
    columns.interval_ns = interval;
    for (const auto& b : ohlcv) add(b);
  }
  void add(const std::array<double, 5>& b) {
    columns.time_ns.push_back(19'000 * kDayNs +
                              static_cast<std::int64_t>(columns.size()) * columns.interval_ns);
    columns.open.push_back(b[0]);
    columns.high.push_back(b[1]);
    columns.low.push_back(b[2]);
    columns.close.push_back(b[3]);
    columns.volume.push_back(b[4]);
  }
};

/// All rules as a profile has them that names none, and no cost.
ExecutionModel honest() {
  ExecutionModel e;
  for (const ExecutionRule& rule : execution_rules()) rule.set(e, rule.otherwise);
  e.stop_range_frac = 0;
  e.initial_cash = 1000;
  return e;
}

Result<DetailedBacktest> cross(const Bars& bars, const ExecutionModel& e, double short_side = 0) {
  const MarketView m = bars.columns.view();
  return run_detailed(m, {0, m.size()}, *find_family("sma_cross"),
                      std::vector<double>{1, 2, short_side}, e);
}

// Two closes: long after a fall, short after a rise, out by stop, target or time alone.
Result<DetailedBacktest> reversion(const Bars& bars, const ExecutionModel& e, double stop_bps,
                                   double target_bps, double hold_bars = 0) {
  const MarketView m = bars.columns.view();
  const std::vector<double> params{2, 0.9, -5, stop_bps, target_bps, hold_bars};
  return run_detailed(m, {0, m.size()}, *find_family("mean_reversion"), params, e);
}

double metric(const DetailedBacktest& b, std::string_view name) {
  return b.backtest.metrics[static_cast<std::size_t>(find_metric(name))];
}

// --- A3

// b12.csv: long at 101, out decided before two bars in which nothing trades.
const Bars kDryExit({{100, 100, 100, 100, 1e6},
                     {100, 100, 99, 99, 1e6},
                     {99, 101, 99, 101, 1e6},
                     {101, 102, 101, 102, 1e6},
                     {102, 102, 101.5, 101.5, 1e6},
                     {101.5, 101.5, 101.5, 101.5, 0},
                     {101.5, 101.5, 101.5, 101.5, 0},
                     {101.4, 101.5, 101.4, 101.5, 1e6},
                     {101.5, 101.5, 101.5, 101.5, 1e6}});

TEST(FaultA3, NothingFillsInABarWithoutVolume) {
  for (const double impact_y : {0.0, 1.0}) {
    ExecutionModel e = honest();
    e.impact_y = impact_y;
    e.participation_max_frac = 0.05;
    const auto b = cross(kDryExit, e);
    ASSERT_TRUE(b.ok()) << b.error().text();
    ASSERT_EQ(b->backtest.trades.size(), 1u);
    const Trade& t = b->backtest.trades[0];
    EXPECT_EQ(t.exit_time_ns, kDryExit.columns.time_ns[7]);
    EXPECT_NEAR(t.exit_px, 101.4, 0.01);
    EXPECT_LE(t.exit_px, 101.4);
  }
  // Neither does an entry: the rise is in bar 2, bar 3 is dry.
  Bars dry_entry = kDryExit;
  dry_entry.columns.volume[3] = 0;
  const auto b = cross(dry_entry, honest());
  EXPECT_TRUE(b->fills.empty());
  EXPECT_EQ(metric(*b, "rejected_orders"), 1);
}

// freqtrade #10591, vectorbt #760: a stop sells a million into a candle of ten thousand.
TEST(FaultA3, AnExitIsWorkedOverBarsWithinItsShareOfEach) {
  Bars bars({{100, 100, 100, 100, 1000},
             {100, 100, 90, 90, 1000},
             {90, 91, 90, 90, 1000},
             {90, 90, 80, 90, 30},
             {82, 90, 81, 90, 20},
             {82, 90, 81, 90, 0},
             {82, 90, 81, 90, 44},
             {81, 90, 80, 90, 1000},
             {82, 90, 81, 90, 1000}});
  ExecutionModel e = honest();
  e.participation_max_frac = 0.1;
  e.sizing = Sizing::FixedQty;
  e.fixed_qty = 10;
  e.rules = {{0, 0, 1, 1, 0}};
  const auto b = reversion(bars, e, 500, 0);  // stop at 85.5
  ASSERT_TRUE(b.ok()) << b.error().text();
  std::vector<double> sold;
  std::vector<std::size_t> at;
  for (const Fill& f : b->fills) {
    sold.push_back(f.qty);
    at.push_back(f.bar);
    EXPECT_LE(std::fabs(f.qty), 0.1 * bars.columns.volume[f.bar] + 1e-12);
    EXPECT_GE(f.px, bars.columns.low[f.bar]);
    EXPECT_LE(f.px, bars.columns.high[f.bar]);
  }
  EXPECT_EQ(sold, (std::vector<double>{10, -3, -2, -4, -1}));
  EXPECT_EQ(at, (std::vector<std::size_t>{2, 3, 4, 6, 7}));
  ASSERT_EQ(b->backtest.trades.size(), 1u);
  const double proceeds = 3 * 85.5 + 2 * 82 + 4 * 82 + 81;
  EXPECT_NEAR(b->backtest.trades[0].exit_px, proceeds / 10, 1e-12);
  EXPECT_NEAR(b->backtest.trades[0].pnl, proceeds - 900, 1e-9);
  EXPECT_EQ(metric(*b, "trades"), 1);
}

// LEAN #4445: two partial fills from one bar.
TEST(FaultA3, ABarsVolumeIsSpentOnce) {
  Bars bars({{100, 101, 99, 100, 100},
             {100, 100, 89, 90, 100},
             {90, 96, 90, 95, 100},
             {96, 101, 95, 100, 100},
             {100, 100, 91, 92, 100},
             {91, 93, 90, 93, 60},
             {93, 94, 80, 81, 100},
             {81, 82, 80, 81, 100}});
  ExecutionModel e = honest();
  e.participation_max_frac = 0.1;
  e.sizing = Sizing::FixedQty;
  e.fixed_qty = 4;
  e.expected_volume = false;
  const auto b = cross(bars, e, 1);
  ASSERT_TRUE(b.ok());
  // Bar 5 closes the long of 4 and has 2 left for the short.
  ASSERT_GE(b->fills.size(), 3u);
  EXPECT_EQ(b->fills[1].bar, 5u);
  EXPECT_EQ(b->fills[1].qty, -4);
  EXPECT_EQ(b->fills[2].bar, 5u);
  EXPECT_DOUBLE_EQ(b->fills[2].qty, -2);
}

// vectorbt #697: a reversal with all the cash; here the short waits until the long is sold.
TEST(FaultA3, AReversalSendsItsEntryWhenThePositionIsGone) {
  Bars bars({{100, 101, 99, 100, 1000},
             {100, 100, 89, 90, 1000},
             {90, 96, 90, 95, 1000},
             {96, 101, 95, 100, 1000},
             {100, 100, 91, 92, 1000},
             {91, 93, 90, 91, 30},
             {91, 91, 88, 89, 1000},
             {89, 89, 87, 88, 1000},
             {88, 88, 86, 87, 1000}});
  ExecutionModel e = honest();
  e.participation_max_frac = 0.1;
  const auto b = cross(bars, e, 1);
  ASSERT_TRUE(b.ok());
  ASSERT_EQ(b->fills.size(), 4u);
  EXPECT_EQ(b->fills[1].bar, 5u);
  EXPECT_EQ(b->fills[1].qty, -3);
  EXPECT_EQ(b->fills[2].bar, 6u);
  EXPECT_EQ(b->fills[3].bar, 6u);
  EXPECT_EQ(b->fills[3].kind, lanes::FillKind::Entry);
  EXPECT_LT(b->backtest.open_qty, 0);
}

// --- A4

// b11.csv: short at 100 with everything, 240 at an hourly close, 95 at the day's end.
TEST(FaultA4, AShortEndsAtThePriceThatUsesItsEquityUp) {
  const Bars bars({{99, 99, 99, 99, 1e6},
                   {99, 100, 99, 100, 1e6},
                   {100, 100, 100, 100, 1e6},
                   {100, 250, 100, 240, 1e6},
                   {240, 240, 95, 95, 1e6},
                   {95, 95, 95, 95, 1e6}});
  ExecutionModel e = honest();
  e.maintenance_margin_frac = 0.25;
  e.liquidation_fee_bps = 100;
  auto b = reversion(bars, e, 0, 0);
  ASSERT_TRUE(b.ok());
  ASSERT_GE(b->fills.size(), 2u);
  // 10 short at 100: equity 2,000 - 10 p is .25 * 10 p at 160.
  EXPECT_EQ(b->fills[1].bar, 3u);
  EXPECT_DOUBLE_EQ(b->fills[1].px, 160);
  EXPECT_NEAR(b->backtest.equity[3], 2000 - 1600 - 16, 1e-9);
  EXPECT_EQ(metric(*b, "ruined"), 0);
  EXPECT_NEAR(metric(*b, "drawdown_max_frac"), 0.616, 1e-9);
  e.maintenance_margin_frac = 0;
  b = reversion(bars, e, 0, 0);
  EXPECT_DOUBLE_EQ(b->fills[1].px, 200);
  EXPECT_EQ(b->backtest.equity[3], 0);
  EXPECT_EQ(metric(*b, "ruined"), 1);
  EXPECT_EQ(metric(*b, "drawdown_max_frac"), 1);
  EXPECT_EQ(metric(*b, "total_return_frac"), -1);
}

// LEAN #5691, nautilus #2530: below zero inside a slice, and trading (or the program) ends or not.
TEST(FaultA4, AGapBeyondTheLevelFillsAtTheOpenAndTheDebtIsForgiven) {
  const Bars bars({{99, 99, 99, 99, 1e6},
                   {99, 100, 99, 100, 1e6},
                   {100, 100, 100, 100, 1e6},
                   {300, 310, 290, 300, 1e6},
                   {300, 300, 95, 95, 1e6},
                   {95, 95, 90, 90, 1e6}});
  const auto b = reversion(bars, honest(), 0, 0);
  ASSERT_EQ(b->fills.size(), 2u) << "it never trades again";
  EXPECT_EQ(b->fills[1].px, 300);
  EXPECT_EQ(b->backtest.trades[0].pnl, -2000);
  EXPECT_EQ(b->backtest.equity.back(), 0);
  for (const double equity : b->backtest.equity) EXPECT_GE(equity, 0);
}

// vectorbt #187: shorts on unlimited cash, -256 % and back.
TEST(FaultA4, EquityIsNeverBelowZeroWhereverSomethingTrades) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed, 3);
    const MarketColumns columns =
        test::random_market({.seed = seed, .bars = 800, .jump_share = 0.2});
    ExecutionModel e = test::random_execution(rng, columns);
    for (const ExecutionRule& rule : execution_rules()) rule.set(e, rule.otherwise);
    e.sizing = Sizing::FixedQty;
    e.fixed_qty = 100;
    e.impact_bps = e.participation_max_frac = 0;
    e.leverage_max = 0;
    const auto params = test::random_params(rng, "mean_reversion");
    const auto b = run_backtest(columns.view(), {0, columns.size()}, *find_family("mean_reversion"),
                                params, e);
    ASSERT_TRUE(b.ok());
    for (const double equity : b->equity) ASSERT_GE(equity, -1e-6 * e.initial_cash) << seed;
  }
}

TEST(FaultA4, AStopBeforeTheLiquidationPriceComesFirst) {
  const Bars bars({{99, 99, 99, 99, 1e6},
                   {99, 100, 99, 100, 1e6},
                   {100, 100, 100, 100, 1e6},
                   {100, 250, 100, 240, 1e6},
                   {240, 240, 240, 240, 1e6}});
  const auto b = reversion(bars, honest(), 5'000, 0);
  EXPECT_DOUBLE_EQ(b->fills[1].px, 150);
  EXPECT_EQ(b->fills[1].kind, lanes::FillKind::Stop);
}

TEST(FaultA4, DrawdownIsTakenAtEveryClose) {
  // Long at 90; 45 inside the day; 95 at its end.
  Bars bars({{100, 100, 100, 100, 10},
             {100, 100, 90, 90, 10},
             {90, 91, 89, 90, 10},
             {90, 90, 44, 45, 10},
             {45, 96, 45, 95, 10},
             {95, 95, 95, 95, 10}});
  ExecutionModel e = honest();
  EXPECT_NEAR(metric(*reversion(bars, e, 0, 0), "drawdown_max_frac"), 0.5, 1e-12);
  e.drawdown_bars = false;
  EXPECT_EQ(metric(*reversion(bars, e, 0, 0), "drawdown_max_frac"), 0);
}

// --- A5

TEST(FaultA5, SizesKnowOnlyThePastAndTheBarMayOnlyCutThem) {
  Bars bars({});
  for (int i = 0; i < 24 * 25; ++i) {
    const double px = i % 24 == 5 ? 99 : 100;  // a fall and a rise a day
    bars.add({px, px, px, px, i % 24 == 7 ? 400.0 : 1000.0});
  }
  ExecutionModel e = honest();
  e.initial_cash = 1e9;
  e.participation_max_frac = 0.1;
  const auto size_of = [&](const Bars& b) {
    const auto run = cross(b, e);
    for (const Fill& f : run->fills) {
      if (f.bar == 24 * 22 + 7) return f.qty;
    }
    return -1.0;
  };
  EXPECT_DOUBLE_EQ(size_of(bars), 40) << "a tenth of what trades at seven";
  bars.columns.volume[24 * 22 + 7] = 1e6;
  EXPECT_DOUBLE_EQ(size_of(bars), 40) << "what was not known";
  bars.columns.volume[24 * 22 + 7] = 50;
  EXPECT_DOUBLE_EQ(size_of(bars), 5) << "there was no more";
}

// --- A6

// b04_gapbars.csv: a resting target of 102 at an open of 110.
TEST(FaultA6, ATargetFillsAtItsLimitNeverBetter) {
  const Bars bars({{101, 101, 101, 101, 1e6},
                   {101, 101, 100, 100, 1e6},
                   {100, 100.5, 99.5, 100, 1e6},
                   {110, 110, 110, 110, 1e6},
                   {110, 110, 110, 110, 1e6}});
  const auto b = reversion(bars, honest(), 0, 200);
  ASSERT_GE(b->fills.size(), 2u);
  EXPECT_DOUBLE_EQ(b->fills[1].px, 102);
  EXPECT_EQ(b->fills[1].kind, lanes::FillKind::Target);
}

// nautilus #3943, vectorbt #652: a touch fills.
TEST(FaultA6, ATouchDoesNotFillATickBeyondDoes) {
  for (const double high : {101.99, 102.0, 102.01}) {
    for (const double tick : {0.0, 0.01}) {
      const Bars bars({{101, 101, 101, 101, 1e6},
                       {101, 101, 100, 100, 1e6},
                       {100, 100.5, 99.5, 100, 1e6},
                       {100, high, 100, 100, 1e6},
                       {100, 100, 100, 100, 1e6}});
      ExecutionModel e = honest();
      e.rules = {{0, tick, 0, 0, 0}};
      const auto b = reversion(bars, e, 0, 200);
      EXPECT_EQ(b->fills.size(), high > 102 ? 2u : 1u) << high << " " << tick;
      e.target_penetration_ticks = 3;
      EXPECT_EQ(reversion(bars, e, 0, 200)->fills.size(), high > 102 && tick == 0 ? 2u : 1u);
    }
  }
}

TEST(FaultA6, ATargetTakesItsShareOfTheVolumeBeyondAndTheRestRests) {
  const Bars bars({{101, 101, 101, 101, 1000},
                   {101, 101, 100, 100, 1000},
                   {100, 100.5, 99.5, 100, 1000},
                   {100, 103, 99, 100, 80},   // a quarter of the range beyond: 20, a tenth: 2
                   {103, 104, 103, 104, 50},  // all of it: 5
                   {104, 105, 104, 104, 1000},
                   {104, 104, 104, 104, 1000}});
  ExecutionModel e = honest();
  e.participation_max_frac = 0.1;
  e.sizing = Sizing::FixedQty;
  e.fixed_qty = 10;
  const auto b = reversion(bars, e, 0, 200);
  ASSERT_EQ(b->fills.size(), 4u);
  EXPECT_NEAR(b->fills[1].qty, -2, 1e-12);
  EXPECT_NEAR(b->fills[2].qty, -5, 1e-12);
  EXPECT_NEAR(b->fills[3].qty, -3, 1e-12);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_DOUBLE_EQ(b->fills[i].px, 102);
  ASSERT_EQ(b->backtest.trades.size(), 1u);
  EXPECT_NEAR(b->backtest.trades[0].pnl, 20, 1e-9);
}

// --- A7

// LEAN #4545: a buy stop of 10 with an open of 12 filled at 10. freqtrade #3841 and others: a tight
// stop inside a candle fills exactly at its level.
TEST(FaultA7, AStopIsAMarketOrderFromItsLevelOrAWorseOpen) {
  ExecutionModel e = honest();
  e.stop_range_frac = 0.1;
  const Bars inside({{99, 99, 99, 99, 1e6},
                     {99, 100, 99, 100, 1e6},
                     {100, 100, 100, 100, 1e6},
                     {100, 120, 100, 110, 1e6},
                     {110, 110, 110, 110, 1e6}});
  EXPECT_DOUBLE_EQ(reversion(inside, e, 1000, 0)->fills[1].px, 110 + 0.1 * 20);
  const Bars gap({{99, 99, 99, 99, 1e6},
                  {99, 100, 99, 100, 1e6},
                  {100, 100, 100, 100, 1e6},
                  {120, 121, 80, 80, 1e6},
                  {80, 80, 80, 80, 1e6}});
  EXPECT_DOUBLE_EQ(reversion(gap, e, 1000, 0)->fills[1].px, 121) << "bounded by the bar";
  e.stop_range_frac = 0;
  EXPECT_DOUBLE_EQ(reversion(gap, e, 1000, 0)->fills[1].px, 120);
}

// nautilus #1537, #4063: a stop entered at a bar's open, and not by the bar that made the signal.
// LEAN #2547, #6972: a level is reached by trades alone.
TEST(FaultA7, APriceWithoutTradesTriggersNothing) {
  Bars bars({{100, 100, 100, 100, 1e6},
             {100, 100, 90, 90, 1e6},
             {90, 90, 90, 90, 1e6},
             {90, 90, 80, 88, 0},
             {88, 89, 87, 88, 1e6},
             {88, 88, 80, 88, 1e6},
             {88, 88, 88, 88, 1e6}});
  const auto b = reversion(bars, honest(), 500, 0);
  ASSERT_EQ(b->fills.size(), 2u);
  EXPECT_EQ(b->fills[0].bar, 2u) << "the bar after the signal";
  EXPECT_EQ(b->fills[1].bar, 5u);
  EXPECT_DOUBLE_EQ(b->fills[1].px, 85.5);
}

// --- E5: martingales, tight stops, no costs.
TEST(FaultE5, TightStopsHaveNoEdgeOnMartingales) {
  for (const std::uint32_t steps : {4u, 16u, 64u}) {
    double sum = 0;
    double squares = 0;
    double n = 0;
    for (std::uint64_t seed = 1; seed <= 16; ++seed) {
      synth::MarketSpec spec;
      spec.interval = hours(1);
      spec.bars = 24 * 120;
      spec.steps_per_bar = steps;
      spec.instruments.resize(1);
      spec.instruments[0].name = "one";
      spec.instruments[0].start_px = 10'000;
      const auto market = synth::simulate_market(spec, seed);
      ASSERT_TRUE(market.ok());
      const MarketView view = (*market)[0].columns.view();
      ExecutionModel e;  // every rule off: the path alone must be honest
      const std::vector<double> params{12, 1, 0, 20, 0, 0};
      const auto b =
          run_backtest(view, {0, view.size()}, *find_family("mean_reversion"), params, e);
      ASSERT_TRUE(b.ok());
      const double sharpe = b->metrics[static_cast<std::size_t>(find_metric("sharpe_ann"))];
      sum += sharpe;
      squares += sharpe * sharpe;
      ++n;
    }
    const double mean = sum / n;
    const double error = std::sqrt((squares / n - mean * mean) / (n - 1));
    EXPECT_LT(mean, 2.5 * error) << steps << " steps";
  }
}

// --- A8

// Five-minute bars of 24 days, and the same as ten-minute bars.
struct TwoLengths {
  MarketColumns five;
  MarketColumns ten;
};
TwoLengths two_lengths(std::uint64_t seed) {
  synth::MarketSpec spec;
  spec.interval = seconds(300);
  spec.bars = 288 * 24;
  spec.instruments.resize(1);
  spec.instruments[0].name = "one";
  TwoLengths out;
  out.five = (*synth::simulate_market(spec, seed))[0].columns;
  const MarketColumns& five = out.five;
  out.ten.interval_ns = 2 * five.interval_ns;
  for (std::size_t i = 0; i + 1 < five.size(); i += 2) {
    out.ten.time_ns.push_back(five.time_ns[i]);
    out.ten.open.push_back(five.open[i]);
    out.ten.high.push_back(std::max(five.high[i], five.high[i + 1]));
    out.ten.low.push_back(std::min(five.low[i], five.low[i + 1]));
    out.ten.close.push_back(five.close[i + 1]);
    out.ten.volume.push_back(five.volume[i] + five.volume[i + 1]);
  }
  return out;
}

TEST(FaultA8, DoublingTheBarsLengthHardlyChangesWhatIsPaidInAll) {
  const auto slippage = [](const MarketColumns& market, double fast, const ExecutionModel& e) {
    const std::vector<double> params{fast, 6 * fast, 1};
    const auto b = run_backtest(market.view(), {market.size() / 8, market.size()},
                                *find_family("sma_cross"), params, e);
    EXPECT_TRUE(b.ok());
    return b->metrics[static_cast<std::size_t>(find_metric("slippage_frac"))];
  };
  const auto ratio = [&](const ExecutionModel& e) {
    double five = 0;
    double ten = 0;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      const TwoLengths market = two_lengths(seed);
      five += slippage(market.five, 24, e);
      ten += slippage(market.ten, 12, e);
    }
    return five / ten;
  };
  ExecutionModel e = honest();
  e.initial_cash = 1e9;
  e.sizing = Sizing::FixedQty;
  e.fixed_qty = 1;
  e.impact_y = 1;
  EXPECT_NEAR(ratio(e), 1, 0.15);
  e.impact_y = 0;
  e.impact_bps = 10;
  EXPECT_GT(ratio(e), 1.25) << "against the bar's volume it is the root of two";
}

TEST(FaultA8, WhatAnOrderCostsDoesNotDependOnTheBarsLength) {
  const auto [five, ten] = two_lengths(4);
  ExecutionModel e = honest();
  e.impact_y = 1;
  for (std::size_t at = 1000; at + 300 < ten.size(); at += 144) {
    const auto a = find_liquidity(five.view(), {2 * at, 2 * at + 2}, e);
    const auto b = find_liquidity(ten.view(), {at, at + 1}, e);
    ASSERT_GT(b.impact_scale[at], 0);
    EXPECT_NEAR(a.impact_scale[2 * at] / b.impact_scale[at], 1, 1e-9);
  }
}

TEST(FaultA8, SlippageIsTheDaysVolatilityTimesTheRootOfTheShareOfTheDay) {
  Bars bars({});
  for (int day = 0; day < 23; ++day) {
    for (int hour = 0; hour < 24; ++hour) {
      const double px = day % 2 ? 102 : 100;
      const double dip = day == 22 && hour == 4 ? px - 1 : px;
      bars.add({px, px, dip, dip, 50});
    }
  }
  ExecutionModel e = honest();
  e.impact_y = 2;
  e.sizing = Sizing::FixedQty;
  e.fixed_qty = 3;
  const auto b = cross(bars, e);
  ASSERT_FALSE(b->fills.empty());
  const Fill& last = b->fills.back();
  ASSERT_EQ(last.bar, 22u * 24 + 6);
  const double up = 0.02;
  const double down = 1 - 100.0 / 102;
  const double sigma = std::sqrt((10 * up * up + 10 * down * down) / 20);
  EXPECT_NEAR(last.px, 100 * (1 + 2 * sigma * std::sqrt(3 / 1200.0)), 1e-9);
}

// --- A9

TEST(FaultA9, TheAccountSellsNothingShortThatItMayNot) {
  const Bars bars({{99, 99, 99, 99, 1e6},
                   {99, 100, 99, 100, 1e6},
                   {100, 100, 100, 100, 1e6},
                   {100, 100, 100, 100, 1e6}});
  ExecutionModel e = honest();
  EXPECT_EQ(reversion(bars, e, 0, 0)->fills.size(), 1u);
  e.shorts = false;
  const auto b = reversion(bars, e, 0, 0);
  EXPECT_TRUE(b->fills.empty());
  EXPECT_EQ(metric(*b, "rejected_orders"), 1);
}

TEST(FaultA9, AFixedQuantityBeyondTheCashIsRefused) {
  const auto entered = [](double qty, double leverage) {
    ExecutionModel e = honest();
    e.sizing = Sizing::FixedQty;
    e.fixed_qty = qty;
    e.leverage_max = leverage;
    const auto b = cross(kDryExit, e);
    EXPECT_EQ(metric(*b, "rejected_orders"), b->fills.empty() ? 1 : 0);
    return !b->fills.empty();
  };
  EXPECT_TRUE(entered(9.9, 1));
  EXPECT_FALSE(entered(10, 1)) << "1,010 with 1,000";
  EXPECT_TRUE(entered(19, 2));
  EXPECT_FALSE(entered(100, 2));
  EXPECT_TRUE(entered(100, 0)) << "any";
}

TEST(FaultA9, AShortPaysBorrowForEachNight) {
  Bars bars({{99, 99, 99, 99, 1e6}, {99, 100, 99, 100, 1e6}, {100, 100, 100, 100, 1e6}});
  for (int i = 0; i < 60; ++i) bars.add({100, 100, 100, 100, 1e6});
  ExecutionModel e = honest();
  e.borrow_ann_frac = 0.365;
  const auto b = reversion(bars, e, 0, 0);
  // Three days' ends on 1,000: the last day is cut, and counts.
  EXPECT_NEAR(b->backtest.equity.back(), 1000 - 3, 1e-9);
}

// --- F2

TEST(FaultF2, DamagedTimesAreRefusedByTheirPlace) {
  Bars bars = kDryExit;
  bars.columns.funding = {{bars.columns.time_ns[3], 1e-4}, {bars.columns.time_ns[5], 1e-4}};
  ExecutionModel e = honest();
  e.funding = true;
  ASSERT_TRUE(cross(bars, e).ok());
  for (int bit = 0; bit < 64; ++bit) {
    Bars damaged = bars;
    damaged.columns.funding[1].time_ns ^= std::int64_t{1} << bit;
    const auto b = cross(damaged, e);  // refused, or run: never a crash
    if (!b.ok()) {
      EXPECT_EQ(b.error().text(),
                "the market is damaged: funding event 1 is earlier than the one before it");
    }
    Bars clock = bars;
    clock.columns.time_ns[4] ^= std::int64_t{1} << bit;
    (void)cross(clock, e);
  }
}

// --- conservation

// Cash is what was there, less what was bought, plus what was sold, less fees and funding.
TEST(Conservation, EquityIsCashAndPositionAfterEveryCost) {
  int worked = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed, 11);
    const MarketColumns columns = test::random_market(
        {.seed = seed, .bars = 700, .jump_share = 0.01, .dry_share = rng.below(2) ? 0.1 : 0.0});
    ExecutionModel e = test::random_execution(rng, columns);
    const std::string_view family = rng.below(2) ? "mean_reversion" : "sma_cross";
    const auto b = run_detailed(columns.view(), {0, columns.size()}, *find_family(family),
                                test::random_params(rng, family), e);
    ASSERT_TRUE(b.ok());
    if (metric(*b, "ruined") == 1) continue;
    double bought = 0;
    double qty = 0;
    for (const Fill& f : b->fills) {
      bought += f.qty * f.px;
      qty += f.qty;
    }
    worked += b->fills.size() > 2 * b->backtest.trades.size() + 1 ? 1 : 0;
    const double scale = e.initial_cash + std::fabs(bought);
    EXPECT_NEAR(qty, b->backtest.open_qty, 1e-9 * (1 + std::fabs(qty)));
    const double paid = (metric(*b, "fees_frac") + metric(*b, "funding_frac")) * e.initial_cash;
    const bool liquidation_fees = e.liquidation && e.liquidation_fee_bps > 0;
    const double equity =
        e.initial_cash - bought + b->backtest.open_qty * columns.close.back() - paid;
    if (!liquidation_fees) {
      EXPECT_NEAR(b->backtest.equity.back(), equity, 1e-9 * scale);
    }
  }
  EXPECT_GT(worked, 10) << "some exits must take several bars";
}

}  // namespace
}  // namespace winnow::engine
