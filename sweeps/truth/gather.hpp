#pragma once

#include <span>
#include <vector>

#include "base/result.hpp"
#include "sweeps/convergence/convergence.hpp"
#include "sweeps/truth/world.hpp"

namespace winnow::sweeps {

/// What a search adds around the best of the grid, row-major as the grid is: four times as many.
/// Requires: world.gather is not None, and its family is mean_reversion.
std::vector<double> gathered_rows(const TruthWorld& world, std::span<const double> grid,
                                  std::span<const double> sharpes_ann);

/// How evenly all rows lie in the space that they span. Fails: as Design.
Result<ParameterSpread> spread_of(const TruthWorld& world, std::span<const double> rows);

}  // namespace winnow::sweeps
