#pragma once

#include <cmath>
#include <vector>

#include "base/det_math.hpp"
#include "base/hash.hpp"
#include "base/market.hpp"
#include "base/rng.hpp"
#include "engine/engine.hpp"

// The sweeps W1 and W3 on data made here, the same on every machine.

namespace winnow::bench {

/// A seeded minute market: geometric random walk, twelve steps inside each bar, prices in cents.
inline MarketColumns minute_market(std::uint64_t seed, std::size_t bars) {
  Rng rng(seed, 1);
  constexpr int kSteps = 12;
  const double step = 0.6 / std::sqrt(525'600.0 * kSteps);
  const auto cents = [](double px) { return std::floor(px * 100 + 0.5) / 100; };
  MarketColumns m;
  m.interval_ns = 60'000'000'000;
  double log_px = det_log(42'000);
  double close = 42'000;
  for (std::size_t i = 0; i < bars; ++i) {
    m.time_ns.push_back(1'704'067'200'000'000'000 + static_cast<std::int64_t>(i) * m.interval_ns);
    const double open = close;
    double high = open;
    double low = open;
    for (int k = 0; k < kSteps; ++k) {
      log_px += step * det_normal_quantile(rng.uniform());
      close = cents(det_exp(log_px));
      high = std::fmax(high, close);
      low = std::fmin(low, close);
    }
    m.open.push_back(open);
    m.high.push_back(high);
    m.low.push_back(low);
    m.close.push_back(close);
    m.volume.push_back(cents(5 + 20 * rng.uniform()));
  }
  return m;
}

/// sma_cross: 50 fast by 200 slow means, or a corner of that grid.
inline std::vector<double> w1_rows(int fasts, int slows) {
  std::vector<double> rows;
  for (int f = 0; f < fasts; ++f) {
    for (int s = 0; s < slows; ++s) {
      rows.insert(rows.end(), {5.0 + 2 * f, 105.0 + 5 * s, 0.0});
    }
  }
  return rows;
}

/// mean_reversion with stops, targets and maximum hold; five lookbacks. Dense: some 1,400 trades a
/// variant and 100,000 bars.
inline std::vector<double> w3_rows(std::size_t variants, bool dense) {
  Rng rng(7, 3);
  const auto pick = [&](double low, double high) { return low + (high - low) * rng.uniform(); };
  constexpr double kDense[] = {20, 30, 60, 120, 240};
  constexpr double kSparse[] = {240, 480, 720, 1440, 2880};
  std::vector<double> rows;
  for (std::size_t v = 0; v < variants; ++v) {
    const std::size_t lookback = v * 5 / variants;
    if (dense) {
      rows.insert(rows.end(), {kDense[lookback], pick(1.5, 3.5), pick(-0.5, 0.75), pick(20, 200),
                               pick(20, 300), static_cast<double>(15 + rng.below(465))});
    } else {
      rows.insert(rows.end(), {kSparse[lookback], pick(2, 3.5), pick(-0.5, 0.75), pick(100, 400),
                               pick(100, 600), static_cast<double>(240 + rng.below(2640))});
    }
  }
  return rows;
}

/// Fees 10 bps on both sides, half-spread 5 bps.
inline engine::ExecutionModel bench_execution() {
  engine::ExecutionModel e;
  e.taker_fee_bps = 10;
  e.maker_fee_bps = 10;
  e.half_spread_bps = 5;
  return e;
}

/// Names every bit of what trading did: each period's return, and of each variant the trades and
/// what they cost. A metric that is new, or defined anew, is no other result. NaN counts as one
/// value.
inline Hash128 result_hash(const engine::BatchResult& result) {
  KeyHasher hasher("bench");
  for (const char* name : {"trades", "win_rate_frac", "hold_bars_avg", "fees_frac", "slippage_frac",
                           "total_return_frac"}) {
    const auto m = static_cast<std::size_t>(engine::find_metric(name));
    for (std::size_t v = 0; v < result.variants; ++v) {
      hasher.add(result.metrics[m * result.variants + v]);
    }
  }
  for (const float r : result.returns) hasher.add(static_cast<double>(r));
  return hasher.finish();
}

}  // namespace winnow::bench
