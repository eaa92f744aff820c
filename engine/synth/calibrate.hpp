#pragma once

#include "engine/synth/market_spec.hpp"

namespace winnow::engine::synth {

/// A planted edge in numbers, per bar.
struct EdgeTruth {
  double half_life_bars = 0;
  double amplitude_sd_frac =
      0;  ///< of the deviation (MeanReversion) or the expected return (Trend)
  double sharpe_ann_prices = 0;  ///< best linear forecast from past closes, before costs
  double sharpe_ann_state = 0;   ///< the same if the hidden state were seen
};

/// The part of 1 that is left after one of `half_life` steps: 2^(-1/half_life).
double decay(double half_life_steps);

/// Amplitude for which the steady-state Kalman filter over closes reaches `spec.sharpe_ann`.
///
/// Model, per bar: return y[t] = w[t] + s[t], w white with standard deviation `noise_sd`, hidden
/// state AR(1) x[t] = phi x[t-1] + u[t] of stationary standard deviation a. MeanReversion: s[t] =
/// x[t] - x[t-1], forecast (phi - 1) E x. Trend: s[t] = x[t-1], forecast E x. With the filter's
/// variance P (a fixed point of the Riccati recursion), innovation variance V and forecast gain c,
/// the Sharpe ratio a bar is c sqrt(a^2 - P) / sqrt(V) (positions in proportion to the forecast,
/// risk constant); a year has `bars_per_year` of them. Bisection over a, arithmetic and square
/// roots only, so that every machine finds the same amplitude.
/// Requires: spec.kind != None, half_life_bars > 0, noise_sd > 0.
EdgeTruth calibrate_edge(const EdgeSpec& spec, double half_life_bars, double noise_sd,
                         double bars_per_year);

}  // namespace winnow::engine::synth
