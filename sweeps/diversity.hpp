#pragma once

#include <span>

#include "sweeps/convergence/convergence.hpp"
#include "sweeps/plan.hpp"

namespace winnow::sweeps {

/// How evenly `rows` (row-major, one entry a parameter of the design) lie in the design's space.
/// Each varying parameter is taken from 0 to 1 over its declared range (logarithmic ranges and
/// those listed values that lie more evenly so by their logarithm; up to four listed values by
/// rank). crowded_frac is the share of rows inside the densest quarters of all parameters at once,
/// so a cloud is found wherever it lies. No rows, or nothing that varies: even.
ParameterSpread parameter_spread(const Design& design, std::span<const double> rows);

/// The same of a segment's launched trials, from a seeded sample beyond kSpreadSampleMax.
ParameterSpread parameter_spread(const Plan& plan, const Segment& segment);
inline constexpr std::uint64_t kSpreadSampleMax = 65'536;

}  // namespace winnow::sweeps
