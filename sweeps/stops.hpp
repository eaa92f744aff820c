#pragma once

#include <string>
#include <vector>

#include "sweeps/plan.hpp"

namespace winnow::sweeps {

/// The parameter by which a family says how far its stop lies from the entry.
inline constexpr std::string_view kStopParam = "stop_bps";
/// A stop beyond this share of the price is none: one that is met that far away has not limited a
/// loss, and no day that was seen would have reached it.
inline constexpr double kHardStopFracMax = 0.20;

/// Distance of each trial's stop, in order of the segment's trials; 0: it has none. Parameters that
/// are not known yet count as none.
std::vector<double> stop_fracs(const Plan& plan, const Segment& segment);

/// Of one trial. Requires: it is of the segment.
double stop_frac_of(const Plan& plan, const Segment& segment, std::uint64_t trial);

/// Why not every variant of a space has a stop within kHardStopFracMax; empty: each has one.
std::string hard_stop_lack(const StrategySpace& space);

}  // namespace winnow::sweeps
