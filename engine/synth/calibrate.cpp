#include "engine/synth/calibrate.hpp"

#include <cmath>

#include "base/check.hpp"
#include "base/det_math.hpp"

namespace winnow::engine::synth {
namespace {

struct Attainable {
  double from_prices = 0;  ///< Sharpe a bar
  double from_state = 0;
};

Attainable attainable(EdgeKind kind, double phi, double amplitude, double noise_sd) {
  const double variance = amplitude * amplitude;
  const double shock = variance * (1 - phi * phi);
  const double noise = noise_sd * noise_sd;
  const bool reverts = kind == EdgeKind::MeanReversion;
  const double gain = reverts ? 1 - phi : 1;
  // Innovation variance when the state before the bar is known up to variance p.
  const auto innovation = [&](double p) {
    return reverts ? noise + (1 - phi) * (1 - phi) * p + shock : noise + p;
  };
  double p = variance;
  constexpr int kRoundsMax = 100'000;
  for (int round = 0; round < kRoundsMax; ++round) {
    const double covariance = reverts ? phi * (phi - 1) * p + shock : phi * p;
    const double next = phi * phi * p + shock - covariance * covariance / innovation(p);
    const bool settled = std::abs(next - p) <= 1e-14 * variance;
    p = next;
    if (settled) break;
  }
  return {gain * std::sqrt(std::fmax(0.0, variance - p)) / std::sqrt(innovation(p)),
          gain * amplitude / std::sqrt(innovation(0))};
}

}  // namespace

double decay(double half_life_steps) {
  constexpr double kLn2 = 0.69314718055994530942;
  return det_exp(-kLn2 / half_life_steps);
}

EdgeTruth calibrate_edge(const EdgeSpec& spec, double half_life_bars, double noise_sd,
                         double bars_per_year) {
  WINNOW_REQUIRES(spec.kind != EdgeKind::None);
  WINNOW_REQUIRES(half_life_bars > 0 && noise_sd > 0);
  const double phi = decay(half_life_bars);
  const double per_year = std::sqrt(bars_per_year);
  double low = 0;
  double high = noise_sd;
  constexpr int kDoublingsMax = 40;
  for (int i = 0; i < kDoublingsMax; ++i) {
    if (attainable(spec.kind, phi, high, noise_sd).from_prices * per_year >= spec.sharpe_ann) break;
    high *= 2;
  }
  constexpr int kHalvings = 50;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = 0.5 * (low + high);
    const double sharpe = attainable(spec.kind, phi, middle, noise_sd).from_prices * per_year;
    (sharpe < spec.sharpe_ann ? low : high) = middle;
  }
  const Attainable reached = attainable(spec.kind, phi, high, noise_sd);
  return {half_life_bars, high, reached.from_prices * per_year, reached.from_state * per_year};
}

}  // namespace winnow::engine::synth
