#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/market.hpp"
#include "base/rng.hpp"
#include "engine/engine.hpp"

namespace winnow::engine::test {

inline constexpr std::int64_t kMinuteNs = 60'000'000'000;

struct MarketOptions {
  std::uint64_t seed = 1;
  std::size_t bars = 5'000;
  std::int64_t interval_ns = 5 * kMinuteNs;
  double gap_share = 0;   ///< chance that some bars are missing before a bar
  double jump_share = 0;  ///< chance of a jump of several percent between bars
  double dry_share = 0;   ///< chance of a bar without volume
  double flat_share = 0;  ///< chance that a run of equal prices begins
};

/// A random walk with whatever makes data difficult.
inline MarketColumns random_market(const MarketOptions& options) {
  Rng rng(options.seed, 7);
  const auto normal = [&] {
    double s = -6;
    for (int i = 0; i < 12; ++i) s += rng.uniform();
    return s;
  };
  MarketColumns m;
  m.interval_ns = options.interval_ns;
  std::int64_t time = 1'700'000'100'000'000'000 / options.interval_ns * options.interval_ns;
  double px = 100;
  int flat = 0;
  for (std::size_t i = 0; i < options.bars; ++i) {
    if (rng.uniform() < options.gap_share)
      time += options.interval_ns * static_cast<int>(rng.below(400));
    if (rng.uniform() < options.flat_share) flat = 5 + static_cast<int>(rng.below(60));
    double open = px * (1 + 1e-4 * normal());
    if (rng.uniform() < options.jump_share) open *= 1 + 0.03 * normal();
    double close = open * (1 + 2e-3 * normal());
    if (flat > 0) {
      --flat;
      open = close = px;
    }
    const double high = std::max(open, close) * (1 + (flat > 0 ? 0 : 1e-3 * rng.uniform()));
    const double low = std::min(open, close) * (1 - (flat > 0 ? 0 : 1e-3 * rng.uniform()));
    m.time_ns.push_back(time);
    m.open.push_back(open);
    m.high.push_back(high);
    m.low.push_back(low);
    m.close.push_back(close);
    m.volume.push_back(rng.uniform() < options.dry_share ? 0.0 : 50 * std::fabs(normal()) + 1);
    time += options.interval_ns;
    px = close;
  }
  for (std::int64_t t = m.time_ns.front() - 3600 * 1'000'000'000ll; t < time;
       t += 8 * 3600 * 1'000'000'000ll) {
    m.funding.push_back({t, 1e-4 * normal()});
  }
  return m;
}

inline double pick(Rng& rng, double low, double high) { return low + (high - low) * rng.uniform(); }

/// A valid row of each family that trades often, on some hundred bars.
inline std::vector<double> random_params(Rng& rng, std::string_view family) {
  const auto maybe = [&](double v) { return rng.uniform() < 0.3 ? 0.0 : v; };
  const auto whole = [&](int low, int high) {
    return low + static_cast<double>(rng.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  if (family == "sma_cross") {
    const double fast = whole(1, 30);
    return {fast, fast + whole(1, 60), whole(0, 1)};
  }
  if (family == "ma_cross") {
    const double kind = whole(0, 3);
    // Exponential means take long to be known.
    const double fast = kind == 1 || kind == 3 ? whole(1, 5) : whole(1, 30);
    const double slow = fast + (kind == 1 || kind == 3 ? whole(1, 5) : whole(1, 60));
    return {kind, fast, slow, rng.below(3) == 0 ? whole(2, 3) : 1.0, whole(0, 1)};
  }
  if (family == "donchian") {
    return {whole(1, 40),        whole(1, 25), whole(1, 6), maybe(pick(rng, 0.5, 6)),
            maybe(whole(1, 80)), whole(0, 1)};
  }
  if (family == "rsi_reversion") {
    const double entry = pick(rng, 15, 45);
    return {whole(2, 8),
            entry,
            pick(rng, 46, 70),
            maybe(pick(rng, 5, 150)),
            maybe(pick(rng, 5, 150)),
            maybe(whole(1, 80)),
            whole(0, 1)};
  }
  const double entry = pick(rng, 0.8, 2.5);
  if (family == "z_momentum") {
    return {whole(2, 61),
            entry,
            pick(rng, -0.7, 0.7),
            maybe(pick(rng, 5, 150)),
            maybe(pick(rng, 10, 300)),
            maybe(whole(1, 80)),
            whole(0, 1)};
  }
  if (family == "bollinger") {
    return {whole(2, 61),        entry,      pick(rng, -0.7, 0.7), maybe(pick(rng, 5, 150)),
            maybe(whole(1, 80)), whole(0, 1)};
  }
  return {2 + static_cast<double>(rng.below(60)),
          entry,
          pick(rng, -0.7, 0.7),
          maybe(pick(rng, 5, 150)),
          maybe(pick(rng, 5, 150)),
          maybe(1 + static_cast<double>(rng.below(80)))};
}

/// The rules of engine version 2, each on or off by a coin of its own.
inline void random_rules(Rng& rng, ExecutionModel& e) {
  const auto coin = [&] { return rng.uniform() < 0.5; };
  e.work_exits = coin();
  e.expected_volume = coin();
  e.resting_targets = coin();
  if (coin()) e.target_penetration_ticks = 1 + static_cast<double>(rng.below(3));
  if (coin()) e.stop_range_frac = pick(rng, 0.01, 0.5);
  e.liquidation = coin();
  if (coin()) e.maintenance_margin_frac = pick(rng, 0.001, 0.3);
  if (coin()) e.liquidation_fee_bps = pick(rng, 1, 200);
  e.drawdown_bars = coin();
  e.shorts = rng.uniform() < 0.8;
  if (coin()) e.leverage_max = pick(rng, 0.5, 4);
  if (coin()) e.borrow_ann_frac = pick(rng, 0.01, 2);
  if (rng.uniform() < 0.3) {  // with so much that margins are met
    e.sizing = Sizing::FixedQty;
    e.fixed_qty = pick(rng, 50, 200);
    e.leverage_max = 0;
  }
  if (coin()) {
    e.impact_bps = 0;
    e.impact_y = pick(rng, 0.1, 3);
  }
}

/// A sizing by exposure, and scales, by coins. Requires: leverage_max is chosen.
inline void random_sizes(Rng& rng, ExecutionModel& e) {
  const auto coin = [&] { return rng.uniform() < 0.5; };
  constexpr Sizing kAll[] = {Sizing::AllIn, Sizing::FixedQty, Sizing::Exposure,
                             Sizing::VolatilityTarget, Sizing::Kelly};
  const Sizing sizing = kAll[rng.below(std::size(kAll))];
  choose_sizing(e, sizing);
  if (sizing == Sizing::FixedQty && e.fixed_qty == 0) e.fixed_qty = pick(rng, 0.05, 20);
  if (sizing != Sizing::FixedQty) e.fixed_qty = 0;
  if (e.leverage_max > 0) e.leverage_max = std::max(e.leverage_max, 2.0);
  if (e.rebalance) {
    e.exposure_frac = pick(rng, 0.1, 2);
    e.exposure_max_frac = pick(rng, 0.5, 2);
    e.rebalance = rng.uniform() < 0.8;
    e.rebalance_band_frac = coin() ? pick(rng, 0.005, 0.3) : 0;
    if (coin()) e.exposure_min_frac = pick(rng, 0.01, 0.4);
  }
  if (sizing == Sizing::VolatilityTarget) {
    e.volatility_target_ann_frac = pick(rng, 0.1, 2);
    e.volatility_decay = pick(rng, 0.3, 0.97);
  }
  if (sizing == Sizing::Kelly) {
    e.kelly_trades_min = static_cast<double>(rng.below(12));
    e.kelly_frac = pick(rng, 0.1, 1);
    if (e.exposure_min_frac == 0) e.exposure_min_frac = 0.02;  // or a losing one stops for good
    if (coin()) {
      e.kelly_wealth_min_frac = pick(rng, 0.5, 0.9);
      e.kelly_wealth_min_prob = pick(rng, 0.05, 0.3);
    }
  }
  if (coin()) {
    e.drawdown_bars = true;
    e.drawdown_scale_frac = pick(rng, 0.1, 0.9);
  }
  if (coin()) {
    e.performance_scale = pick(rng, 0.05, 1);
    e.performance_mean_frac = coin() ? pick(rng, 0.0001, 0.01) : 0;
  }
}

/// Every switch of the execution model on or off by a coin of its own.
inline ExecutionModel random_execution(Rng& rng, const MarketColumns& market) {
  const auto coin = [&] { return rng.uniform() < 0.5; };
  ExecutionModel e;
  if (coin()) e.taker_fee_bps = pick(rng, 0.5, 12);
  if (coin()) e.maker_fee_bps = pick(rng, -2, 8);
  if (coin()) e.half_spread_bps = pick(rng, 0.1, 6);
  if (coin()) e.half_spread_range_frac = pick(rng, 0.01, 0.2);
  if (coin()) e.impact_bps = pick(rng, 1, 60);
  if (coin()) e.participation_max_frac = pick(rng, 0.01, 0.9);
  e.funding = coin();
  if (coin()) {
    e.sizing = Sizing::FixedQty;
    e.fixed_qty = pick(rng, 0.05, 20);
  }
  e.initial_cash = pick(rng, 500, 5'000);
  if (coin()) {
    e.rules.push_back({coin() ? 0 : market.time_ns[market.size() / 5], 0.01, 0.001, 0.002, 5});
    e.rules.push_back({market.time_ns[market.size() / 2], 0.25, coin() ? 0.5 : 0.0, 0, 120});
  }
  if (coin()) random_rules(rng, e);
  if (rng.uniform() < 0.3) random_sizes(rng, e);
  return e;
}

inline std::vector<double> random_rows(Rng& rng, std::string_view family, std::size_t count) {
  std::vector<double> rows;
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = random_params(rng, family);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

}  // namespace winnow::engine::test
