#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/market.hpp"
#include "base/result.hpp"
#include "engine/synth/calibrate.hpp"
#include "engine/synth/market_spec.hpp"

namespace winnow::engine::synth {

/// Raised whenever a market of the same specification and seed could change; in the truth of each
/// simulated dataset. 1: high and low were the extremes of the steps' prices, between which a stop
/// at its level gained what the path had skipped. 2: of the path between them.
inline constexpr std::uint32_t kSimulatorVersion = 2;

/// From bar `first_bar` on, regime `regime` (an index into the specification's).
struct RegimeRun {
  std::uint64_t first_bar = 0;
  std::uint32_t regime = 0;
};

struct JumpEvent {
  std::uint64_t bar = 0;
  double size_frac = 0;
};

/// What is true of a simulated instrument and what no strategy can know.
struct InstrumentTruth {
  bool martingale = false;         ///< no edge of any kind before costs
  double volatility_bar_frac = 0;  ///< standard deviation of the martingale part, mean over regimes
  std::vector<RegimeRun> regimes;
  std::vector<JumpEvent> jumps;
  EdgeTruth edge;  ///< of EdgeSpec; zeros if there is none
  double pair_half_life_bars = 0;
  /// Hidden state at each bar's close: the deviation (MeanReversion), the expected return of the
  /// next bar (Trend) or the spread (pair); empty if there is none.
  std::vector<double> state;
};

struct SimulatedInstrument {
  InstrumentSpec spec;
  MarketColumns columns;
  InstrumentTruth truth;
};

/// Purpose: markets whose truth is known, for the demo, for calibration and for tests.
///
/// The martingale part moves by m *= 1 + R with E[R] = 0 given the past and R bounded, so an
/// instrument without drift and edge is a martingale exactly, before its price is rounded to ticks.
/// R is Gaussian a step; its scale is the regime's, times the day curve's, times sqrt((dof - 2) /
/// chi-squared) once a bar, which makes bar returns Student t with variance one. A bar is
/// steps_per_bar steps; high and low are the extremes of the continuous path through them, drawn
/// from their exact distributions (Brownian bridge), so that a level that was crossed was crossed
/// where it lies. A bar opens at the close before.
///
/// Pure: the bytes are a function of (spec, seed), the same on every machine. Fails: InvalidInput
/// with find_fault()'s text.
Result<std::vector<SimulatedInstrument>> simulate_market(const MarketSpec& spec,
                                                         std::uint64_t seed);

}  // namespace winnow::engine::synth
