#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "sweeps/truth/reimports.hpp"
#include "sweeps/truth/world.hpp"

namespace winnow::sweeps {

/// What one sweep on one market came to.
struct ReimportOutcome {
  ReimportCounts counts;
  double best_sharpe_ann = 0;
  double mean_sharpe_ann = 0;
};

/// A sweep of `rows` on the world's market of a seed, and its best variant once more on a copy of
/// which the sweep knew nothing: deflated by what was tried on the market, and by what was tried on
/// those bytes. The identity of that market and of one of another world, all in turn, is asked for.
/// Fails: as simulate_market and run_batch.
Result<ReimportOutcome> reimport_sweep(const TruthWorld& world, std::span<const double> rows,
                                       std::size_t row_width, std::uint64_t seed,
                                       std::uint64_t turn);

}  // namespace winnow::sweeps
