#include "sweeps/stops.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/names.hpp"

namespace winnow::sweeps {
namespace {

constexpr double kBps = 1e4;
constexpr std::uint64_t kRowsRead = 65'536;

}  // namespace

namespace {

/// Of the trials [first, first + out.size()) of a segment.
void read_stops(const Plan& plan, const Segment& segment, std::uint64_t first,
                std::span<double> out) {
  const auto& params = plan.family(segment).params;
  const auto at = std::find_if(params.begin(), params.end(),
                               [](const engine::ParamDecl& p) { return p.name == kStopParam; });
  if (at == params.end()) return;
  const auto column = static_cast<std::size_t>(at - params.begin());
  const std::vector<double> rows = plan.params(first, out.size());
  for (std::size_t r = 0; r < out.size(); ++r) {
    const double bps = rows[r * params.size() + column];
    if (std::isfinite(bps) && bps > 0) out[r] = bps / kBps;
  }
}

}  // namespace

std::vector<double> stop_fracs(const Plan& plan, const Segment& segment) {
  std::vector<double> out(segment.trials, 0.0);
  for (std::uint64_t first = 0; first < segment.trials; first += kRowsRead) {
    const std::uint64_t count = std::min(kRowsRead, segment.trials - first);
    read_stops(plan, segment, segment.first_trial + first, std::span(out).subspan(first, count));
  }
  return out;
}

double stop_frac_of(const Plan& plan, const Segment& segment, std::uint64_t trial) {
  WINNOW_REQUIRES(trial - segment.first_trial < segment.trials);
  double out = 0;
  read_stops(plan, segment, trial, {&out, 1});
  return out;
}

std::string hard_stop_lack(const StrategySpace& space) {
  const auto stop = std::find_if(space.params.begin(), space.params.end(),
                                 [](const ParamSpace& p) { return p.name == kStopParam; });
  const std::string name(kStopParam);
  if (stop == space.params.end()) {
    return "the family '" + space.family + "' has no parameter " + name +
           ", so its losses have no hard stop";
  }
  const double low = stop->when ? std::min(stop->low, stop->when->otherwise) : stop->low;
  const double high = stop->when ? std::max(stop->high, stop->when->otherwise) : stop->high;
  if (low <= 0) {
    return "the family '" + space.family + "' is tried with " + name + " " + show_number(low) +
           ", which is no stop";
  }
  if (high > kHardStopFracMax * kBps) {
    return "the family '" + space.family + "' is tried with " + name + " " + show_number(high) +
           "; a stop farther than " + show_number(kHardStopFracMax * kBps) +
           " bps from the entry is none";
  }
  return {};
}

}  // namespace winnow::sweeps
