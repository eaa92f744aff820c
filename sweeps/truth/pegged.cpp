#include "sweeps/truth/pegged.hpp"

#include <algorithm>
#include <cmath>

#include "base/time.hpp"
#include "sweeps/truth/noise.hpp"

namespace winnow::sweeps {
namespace {

constexpr double kHoursAYear = 365 * 24;
constexpr std::uint64_t kHoursAwayMin = 3;
constexpr std::uint64_t kHoursAwayMore = 18;

}  // namespace

// (1 - q) d = q b, with d lost on the way back and b won beyond.
double break_probability(const PeggedSpec& spec) {
  return spec.deviation_frac / (spec.deviation_frac + spec.break_frac);
}

MarketColumns pegged_market(const PeggedSpec& spec, std::uint64_t seed) {
  Rng rng(seed, 31);
  MarketColumns out;
  out.interval_ns = hours(1).ns;
  double peg = 1000;
  double side = 0;  // of the deviation that there is
  std::uint64_t hours_left = 0;
  double before = peg;
  for (std::size_t i = 0; i < spec.bars; ++i) {
    peg *= 1 + spec.noise_bar_frac * nearly_normal(rng);
    if (side != 0 && --hours_left == 0) {
      // Simple returns of the peg: back to it, or beyond it by the break.
      if (rng.uniform() < break_probability(spec)) {
        peg *= 1 + side * (spec.deviation_frac + spec.break_frac);
      }
      side = 0;
    } else if (side == 0 && rng.uniform() < spec.deviations_year / kHoursAYear) {
      side = rng.uniform() < 0.5 ? -1 : 1;
      hours_left = kHoursAwayMin + rng.below(kHoursAwayMore);
    }
    const double close = peg * (1 + side * spec.deviation_frac);
    out.time_ns.push_back(1'672'531'200'000'000'000 +
                          static_cast<std::int64_t>(i) * out.interval_ns);
    out.open.push_back(before);
    out.close.push_back(close);
    out.high.push_back(std::max(before, close));
    out.low.push_back(std::min(before, close));
    out.volume.push_back(1e6);
    before = close;
  }
  return out;
}

}  // namespace winnow::sweeps
