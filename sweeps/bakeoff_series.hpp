#pragma once

#include <vector>

#include "sweeps/bakeoff_figures.hpp"
#include "sweeps/stats/parallel.hpp"
#include "sweeps/stats/snooping.hpp"

namespace winnow::sweeps {

// The series of one entrant of a bake-off, and resamples of them.

/// Its three series with their figures; intervals and tests are left to the caller.
EntrantFigures describe_entrant(const Entrant& entrant, const BakeoffOptions& options,
                                const ParallelFor& parallel);

/// Stationary bootstrap samples of `periods` days, the same for all series of that length.
stats::IndexRows draw_rows(std::size_t periods, const BakeoffOptions& options, double mean_block,
                           const ParallelFor& parallel);

/// Annual Sharpe of each resample; NaN where its days do not vary. Requires: rows below the size.
std::vector<double> resampled_sharpes(const SeriesFigures& series, const stats::IndexRows& rows,
                                      double periods_per_year);

}  // namespace winnow::sweeps
