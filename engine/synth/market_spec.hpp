#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace winnow::engine::synth {

/// 24 weights, one at each full hour UTC, linear between; scaled so that the day's mean is 1
/// (volume) or the day's mean square is 1 (volatility). The scale of what is given does not matter.
using DayCurve = std::array<double, 24>;
constexpr DayCurve flat_curve() {
  DayCurve c{};
  for (double& v : c) v = 1;
  return c;
}
/// As markets that never close look: quiet before dawn in Europe, loudest when the US opens.
DayCurve crypto_volume_curve();
DayCurve crypto_volatility_curve();

/// A state of the market. The next one is drawn uniformly from the others; how long one lasts is
/// geometric.
struct RegimeSpec {
  std::string name = "only";
  double volatility_ann_frac = 0.5;  ///< of the martingale part, 365 days a year
  double drift_ann_frac = 0;         ///< expected return a year
  DurationNs mean_duration = days(20);
};

enum class EdgeKind {
  None,
  MeanReversion,  ///< a stationary deviation from the martingale that decays
  Trend,          ///< an expected return that persists
};

/// A planted edge. `sharpe_ann` is the annual Sharpe ratio, before costs, of the best linear
/// forecast that sees all past closes and trades every bar in proportion to it: what no price-based
/// strategy beats, and what a family loses part of to costs and to its form. calibrate_edge() turns
/// it into an amplitude in closed form.
struct EdgeSpec {
  EdgeKind kind = EdgeKind::None;
  DurationNs half_life = days(1);
  double sharpe_ann = 3;
};

struct JumpSpec {
  double per_year = 0;
  double sd_frac = 0.01;  ///< of a jump's size; its mean is 0
};

struct FundingSpec {
  DurationNs every{};  ///< 0: none
  double mean_bps = 0;
  double sd_bps = 1;
};

/// A price tied to an earlier instrument: log price = hedge_ratio * log price of `with` + a
/// stationary spread (Ornstein-Uhlenbeck) + a constant.
struct PairSpec {
  std::string with;
  double hedge_ratio = 1;
  DurationNs half_life = hours(12);
  double spread_sd_frac = 0.006;
};

struct InstrumentSpec {
  std::string name;
  double start_px = 100;
  double tick_px = 0.01;
  double lot_qty = 0.001;
  double volume_per_bar = 1000;        ///< mean
  double volume_sd_log = 0.5;          ///< of the logarithm
  std::uint32_t tail_dof = 4;          ///< of bar returns' Student t: even, 4 to 40; 0: Gaussian
  std::vector<RegimeSpec> regimes{1};  ///< at least one; unused by a pair
  JumpSpec jumps;
  DayCurve volatility_curve = crypto_volatility_curve();
  DayCurve volume_curve = crypto_volume_curve();
  EdgeSpec edge;
  std::optional<PairSpec> pair;  ///< then no regimes, tails, jumps or edge of its own
  FundingSpec funding;
};

/// What to simulate. Limits: see find_fault().
struct MarketSpec {
  std::string name;
  TimestampNs start{1'672'531'200'000'000'000};  ///< 2023-01-01
  DurationNs interval = seconds(900);
  std::uint64_t bars = 70'080;
  std::uint32_t steps_per_bar = 16;  ///< random moves a bar is made of
  std::vector<InstrumentSpec> instruments;
};

/// What is wrong with a specification, by key path (`instruments[0].edge.half_life`).
struct SpecFault {
  std::string path;
  std::string text;  ///< value and what is allowed
};
std::optional<SpecFault> find_fault(const MarketSpec& spec);

}  // namespace winnow::engine::synth
