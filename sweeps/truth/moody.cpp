#include "sweeps/truth/moody.hpp"

#include <algorithm>
#include <cmath>

#include "base/det_math.hpp"
#include "base/time.hpp"
#include "sweeps/truth/noise.hpp"

namespace winnow::sweeps {
namespace {

constexpr double kMoodyHoursAYear = 365 * 24;
constexpr double kLog2 = 0.69314718055994530942;
constexpr double kMoodyReturnMax = 0.5;  // symmetric, so that the mean stays the drift

}  // namespace

MarketColumns moody_market(const MoodySpec& spec, std::uint64_t seed) {
  Rng returns(seed, 53);
  Rng moods(seed, 54);
  const double keep = det_exp(-kLog2 / (24 * spec.half_life_days));
  const double shock = spec.mood_sd_log * std::sqrt(1 - keep * keep);
  const double own = std::sqrt(1 - spec.leverage * spec.leverage);
  // The mean of exp(2 mood) is exp(2 sd^2): less that, the mean variance is what was asked for.
  const double level = spec.volatility_ann_frac / std::sqrt(kMoodyHoursAYear) *
                       det_exp(-spec.mood_sd_log * spec.mood_sd_log);
  const double variance = spec.volatility_ann_frac * spec.volatility_ann_frac / kMoodyHoursAYear;
  const double drift = spec.hold_sharpe_ann * spec.volatility_ann_frac / kMoodyHoursAYear;
  MarketColumns out;
  out.interval_ns = hours(1).ns;
  double mood = spec.mood_sd_log * nearly_normal(moods);
  double before = 1000;
  for (std::size_t i = 0; i < spec.bars; ++i) {
    const double sd = level * det_exp(mood);
    const double z = nearly_normal(returns);
    const double paid = spec.drift == DriftLaw::Constant ? drift : drift * sd * sd / variance;
    const double close =
        before * (1 + paid + std::clamp(sd * z, -kMoodyReturnMax, kMoodyReturnMax));
    mood = keep * mood + shock * (own * nearly_normal(moods) - spec.leverage * z);
    out.time_ns.push_back(1'672'531'200'000'000'000 +
                          static_cast<std::int64_t>(i) * out.interval_ns);
    out.open.push_back(before);
    out.close.push_back(close);
    out.high.push_back(std::max(before, close));
    out.low.push_back(std::min(before, close));
    out.volume.push_back(spec.notional_bar * std::sqrt(variance) / sd / before);
    before = close;
  }
  return out;
}

}  // namespace winnow::sweeps
