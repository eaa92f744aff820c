// How large positions are: what the formulas give, what is refused, and what a position does with
// its size. That the engine sizes as a program written apart from it does: reference_test.cpp.

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/backtest.hpp"
#include "engine/daily_volatility.hpp"
#include "engine/lanes/sizer.hpp"
#include "engine/prepare.hpp"
#include "tests/engine/support.hpp"

namespace winnow::engine {
namespace {

using lanes::Lane1;

ExecutionModel sized(Sizing sizing) {
  ExecutionModel e;
  choose_sizing(e, sizing);
  if (sizing == Sizing::FixedQty) e.fixed_qty = 1;
  if (sizing == Sizing::Exposure || sizing == Sizing::Kelly) e.exposure_frac = 0.5;
  if (sizing == Sizing::VolatilityTarget) e.volatility_target_ann_frac = 0.2;
  return e;
}

double exposure_after(const ExecutionModel& e, const std::vector<double>& trades) {
  lanes::Job job;
  set_execution(job, e);
  const lanes::Sizer<Lane1> sizer(job);
  lanes::TradeMemory<Lane1> memory;
  for (const double r : trades) sizer.remember(memory, lanes::Mask1{true}, Lane1(r));
  const Lane1 scale = sizer.scale(memory, Lane1(100.0), Lane1(100.0));
  return sizer.exposure(memory, scale, 0).v;
}

// 55 wins and 45 losses of an even bet.
std::vector<double> coins() {
  std::vector<double> out(55, 1.0);
  out.insert(out.end(), 45, -1.0);
  return out;
}

TEST(SizeByTrades, IsTheKellyFractionOfAnEvenBetAndItsConstrainedOne) {
  ExecutionModel e = sized(Sizing::Kelly);
  e.kelly_frac = 1;
  EXPECT_NEAR(exposure_after(e, coins()), 0.1, 1e-12);
  e.kelly_frac = 0.25;
  EXPECT_NEAR(exposure_after(e, coins()), 0.025, 1e-12);
  // Vector rck_coin of oracles 09: the quadratic fraction at alpha .7, beta .1.
  e.kelly_frac = 1;
  e.kelly_wealth_min_frac = 0.7;
  e.kelly_wealth_min_prob = 0.1;
  EXPECT_NEAR(exposure_after(e, coins()), 0.026825127214721408, 1e-9 * 0.0268);
}

TEST(SizeByTrades, StartsWithTheExposureThatIsSaidAndNeverLeavesItsBounds) {
  ExecutionModel e = sized(Sizing::Kelly);
  e.kelly_trades_min = 101;
  EXPECT_EQ(exposure_after(e, coins()), 0.5);
  e.kelly_trades_min = 100;
  EXPECT_NEAR(exposure_after(e, coins()), 0.05, 1e-12);
  EXPECT_EQ(exposure_after(e, std::vector<double>(200, 0.001)), 1.0) << "at most exposure_max_frac";
  const std::vector<double> losing(200, -0.01);
  EXPECT_EQ(exposure_after(e, losing), 0.0);
  e.exposure_min_frac = 0.03;
  EXPECT_EQ(exposure_after(e, losing), 0.03);
  EXPECT_EQ(exposure_after(e, std::vector<double>(200, 0.0)), 0.5) << "no trade has moved: unknown";
}

TEST(SizeScales, FollowTheLastThirtyTradesAlone) {
  ExecutionModel e = sized(Sizing::Exposure);
  e.performance_scale = 0.25;
  e.performance_mean_frac = 0.01;
  std::vector<double> trades;
  for (int i = 0; i < 30; ++i) trades.push_back(i % 2 == 0 ? 0.02 : 0.012);
  // Mean .016, standard deviation .004 sqrt(30 / 29): t = .006 / (that / sqrt 30).
  const double t = 0.006 / (0.004 * std::sqrt(30.0 / 29.0) / std::sqrt(30.0));
  EXPECT_NEAR(exposure_after(e, trades), 0.5 * std::min(2.0, 1 + 0.25 * t), 1e-12);
  e.performance_scale = 0.05;
  const double now = 0.5 * (1 + 0.05 * t);
  EXPECT_NEAR(exposure_after(e, trades), now, 1e-12);
  std::vector<double> more(7, -0.9);
  more.insert(more.end(), trades.begin(), trades.end());
  EXPECT_NEAR(exposure_after(e, more), now, 1e-12) << "what came before them is forgotten";
  EXPECT_EQ(exposure_after(e, {trades.begin(), trades.end() - 1}), 0.5) << "not before thirty";
  e.performance_mean_frac = 1;
  EXPECT_EQ(exposure_after(e, trades), 0.0);
}

TEST(SizeScales, FallWithDrawdown) {
  ExecutionModel e = sized(Sizing::Exposure);
  e.drawdown_bars = true;
  e.drawdown_scale_frac = 0.2;
  lanes::Job job;
  set_execution(job, e);
  const lanes::Sizer<Lane1> sizer(job);
  const lanes::TradeMemory<Lane1> none;
  const auto at = [&](double equity) { return sizer.scale(none, Lane1(equity), Lane1(100.0)).v; };
  EXPECT_EQ(at(100), 1.0);
  EXPECT_NEAR(at(95), 0.75, 1e-12);
  EXPECT_NEAR(at(81), 0.05, 1e-12);
  EXPECT_EQ(at(79), 0.0);
  EXPECT_EQ(at(120), 1.0) << "a new peak is no drawdown";
}

TEST(DailyVolatility, LooksBackOnItsOwnDaysOnly) {
  ExecutionModel e = sized(Sizing::VolatilityTarget);
  e.volatility_decay = 0.75;
  e.exposure_frac = 0.125;
  const DailyVolatility volatility(e);
  EXPECT_EQ(volatility.closes(), 149u);  // 37 / (1 - .75) returns
  Rng rng(3);
  std::vector<double> closes{100};
  for (int i = 0; i < 400; ++i)
    closes.push_back(closes.back() * (1 + 0.02 * (rng.uniform() - 0.5)));
  EXPECT_EQ(volatility.exposure(std::span(closes).first(20)), 0.125) << "19 returns say nothing";
  const double known = volatility.exposure(std::span(closes).first(21));
  EXPECT_NE(known, 0.125);
  EXPECT_LE(known, 1.0);
  EXPECT_EQ(volatility.exposure(std::vector<double>(30, 100.0)), 1.0) << "at rest: the most";

  // A market that begins earlier says the same once it looks back no further.
  MarketColumns columns = test::random_market({.seed = 5, .bars = 24 * 260});
  columns.interval_ns = 3'600'000'000'000;
  for (std::size_t i = 0; i < columns.time_ns.size(); ++i) {
    columns.time_ns[i] = static_cast<std::int64_t>(i) * columns.interval_ns;
  }
  const MarketView all = columns.view();
  const Window late{24 * 259, all.size()};
  const std::size_t needed = liquidity_bars(all, late, e);
  ASSERT_LT(needed, 24u * 200);
  const auto whole = find_liquidity(all, late, e);
  const std::size_t dropped = late.first - needed;
  const auto part =
      find_liquidity(all.from(dropped), {late.first - dropped, late.last - dropped}, e);
  EXPECT_EQ(whole.exposure[late.first], part.exposure[late.first - dropped]);
  EXPECT_GT(whole.exposure[late.first], 0);
}

TEST(Rebalancing, KeepsThePositionWithinItsBand) {
  for (const double band : {0.005, 0.02, 0.05}) {
    SCOPED_TRACE(band);
    std::size_t resized = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const MarketColumns columns =
          test::random_market({.seed = seed, .bars = 2'000, .jump_share = 0.03});
      ExecutionModel e = sized(Sizing::Exposure);
      e.rebalance_band_frac = band;
      e.initial_cash = 1'000;
      Rng rng(seed, 9);
      const auto params = test::random_params(rng, "sma_cross");
      const auto run =
          run_detailed(columns.view(), {60, columns.size()}, *find_family("sma_cross"), params, e);
      ASSERT_TRUE(run.ok());
      double qty = 0;
      double cash = e.initial_cash;
      std::size_t next = 0;
      for (std::size_t t = 60; t < columns.size(); ++t) {
        const double before = qty;
        for (; next < run->fills.size() && run->fills[next].bar == t; ++next) {
          const Fill& f = run->fills[next];
          cash -= f.qty * f.px;
          qty += f.qty;
          resized += f.kind == lanes::FillKind::Resize ? 1 : 0;
        }
        const double close_before = columns.close[t - 1];
        const double equity = (cash + (qty - before) * columns.open[t]) + before * close_before;
        const bool kept = before != 0 && before == qty;
        if (kept && t > 61) {
          EXPECT_LE(std::fabs(std::fabs(before) * close_before - 0.5 * equity),
                    band * 0.5 * equity * (1 + 1e-9))
              << "bar " << t;
        }
      }
    }
    EXPECT_GT(resized, 50u);
  }
}

TEST(Rebalancing, IsOneTradeFromFlatToFlatAndMoneyIsConserved) {
  const MarketColumns columns = test::random_market({.seed = 4, .bars = 3'000});
  ExecutionModel e = sized(Sizing::Exposure);
  e.taker_fee_bps = e.maker_fee_bps = 5;
  e.half_spread_bps = 1;
  e.rebalance_band_frac = 0.05;
  Rng rng(8);
  for (const FamilyDecl& family : families()) {
    const auto params = test::random_params(rng, family.name);
    const auto run = run_detailed(columns.view(), {300, columns.size()}, family, params, e);
    ASSERT_TRUE(run.ok());
    double cash = e.initial_cash;
    double qty = 0;
    double fees = 0;
    for (const Fill& f : run->fills) {
      cash -= f.qty * f.px;
      fees += std::fabs(f.qty) * f.px * 5e-4;
      qty += f.qty;
    }
    const double equity = cash - fees + qty * columns.close.back();
    EXPECT_NEAR(run->backtest.equity.back(), equity, 1e-6) << family.name;
    EXPECT_NEAR(run->backtest.open_qty, qty, 1e-9) << family.name;
    double pnl = 0;
    for (const Trade& t : run->backtest.trades) {
      pnl += t.pnl;
      EXPECT_GT(t.qty, 0);
      const double side = t.side == Side::Long ? 1 : -1;
      EXPECT_NEAR(t.pnl, side * t.qty * (t.exit_px - t.entry_px) - t.fees - t.funding, 1e-6)
          << "the mean prices of all that was bought and sold";
    }
    if (qty == 0) {
      EXPECT_NEAR(equity, e.initial_cash + pnl, 1e-6) << family.name;
    }
  }
}

std::string refusal(const ExecutionModel& e) {
  const Status status = check_execution(e);
  return status ? "" : status.error().text();
}

TEST(SizingRules, WhatCannotBeHadIsRefusedByName) {
  for (const Sizing sizing : {Sizing::AllIn, Sizing::FixedQty, Sizing::Exposure,
                              Sizing::VolatilityTarget, Sizing::Kelly}) {
    EXPECT_EQ(refusal(sized(sizing)), "") << sizing_name(sizing);
    EXPECT_EQ(find_sizing(sizing_name(sizing)), sizing);
  }
  EXPECT_EQ(find_sizing("kellly"), std::nullopt);
  const auto changed = [](Sizing sizing, auto change) {
    ExecutionModel e = sized(sizing);
    change(e);
    return refusal(e);
  };
  EXPECT_EQ(changed(Sizing::Exposure, [](auto& e) { e.exposure_frac = 0; }),
            "execution model: sizing exposure needs exposure_frac above 0");
  EXPECT_EQ(changed(Sizing::VolatilityTarget, [](auto& e) { e.volatility_target_ann_frac = 0; }),
            "execution model: sizing volatility_target needs volatility_target_ann_frac above 0");
  EXPECT_EQ(changed(Sizing::VolatilityTarget, [](auto& e) { e.volatility_decay = 0.995; }),
            "execution model: volatility_decay=0.995 is outside [0, 0.99]");
  EXPECT_EQ(changed(Sizing::Exposure,
                    [](auto& e) {
                      e.exposure_frac = 3;
                      e.leverage_max = 2;
                    }),
            "execution model: an exposure of 3 is above leverage_max=2, which would refuse every "
            "entry of that size");
  EXPECT_EQ(changed(Sizing::AllIn, [](auto& e) { e.rebalance = true; }),
            "execution model: rebalance needs a sizing by exposure: exposure, volatility_target or "
            "kelly, not all_in or fixed_qty");
  EXPECT_EQ(changed(Sizing::Kelly, [](auto& e) { e.kelly_wealth_min_frac = 0.7; }),
            "execution model: kelly_wealth_min_frac and kelly_wealth_min_prob say one thing "
            "together; give both, each above 0, or neither");
  EXPECT_EQ(changed(Sizing::AllIn, [](auto& e) { e.drawdown_scale_frac = 0.2; }),
            "execution model: drawdown_scale_frac looks at every close: it needs drawdown_bars on");
  EXPECT_EQ(changed(Sizing::Kelly, [](auto& e) { e.exposure_min_frac = 1.5; }),
            "execution model: exposure_min_frac=1.5 is above exposure_max_frac=1");
}

TEST(SizingRules, ModelsWithoutThemKeepTheirKeys) {
  ExecutionModel e;
  const Hash128 before = e.key();
  for (const ExecutionRule& rule : execution_rules()) {
    if (!rule.sizes) continue;
    ExecutionModel changed = e;
    rule.set(changed, 1);
    EXPECT_NE(changed.key(), before) << rule.name;
    EXPECT_NE(changed.ledger_key(), e.ledger_key()) << rule.name;
    rule.set(changed, rule.off);
    EXPECT_EQ(changed.key(), before) << rule.name;
  }
}

}  // namespace
}  // namespace winnow::engine
