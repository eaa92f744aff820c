#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sweeps/stats/parallel.hpp"
#include "sweeps/truth/reimports.hpp"
#include "sweeps/truth/world.hpp"

namespace winnow::sweeps {

// Truth tests: simulated markets whose truth is known go through the real engine, and the
// convergence score must say what is true. What a verdict means in these worlds is what it can be
// trusted with outside.

/// How much to run. Where all must be rejected a sweep is `families` independent markets, corrected
/// together (Holm); where something must be found, each family is a sweep of its own.
struct TruthSize {
  std::uint64_t sweeps = 1;
  std::uint64_t families = 100;
  std::uint64_t seed = 1;  ///< of the first market; each has its own
};

struct TruthReport {
  std::string_view world;
  TruthAim aim = TruthAim::Rejected;
  double rate_limit = 0;
  std::uint64_t sweeps = 0;
  std::uint64_t families = 0;             ///< over all sweeps
  std::uint64_t variants = 0;             ///< a family
  std::uint64_t converged = 0;            ///< families with the verdict CONVERGED
  std::uint64_t converged_uncharged = 0;  ///< before losses that were not seen are charged
  /// Families whose C reached the level that it needs, whatever the gates: what the gates are for.
  std::uint64_t passed_score = 0;
  /// CONVERGED families that would be so, too, as the first that an account opens: at .0025.
  std::uint64_t at_first_level = 0;
  /// CONVERGED by one panel before gaps are charged, if they are counted.
  std::uint64_t alone_cash = 0;
  std::uint64_t alone_ols = 0;
  std::uint64_t alone_exposure = 0;
  std::uint64_t promoted = 0;  ///< CONVERGED, with a Holm-corrected p of at most 5%
  std::uint64_t sweeps_with_promotion = 0;
  std::uint64_t real = 0;  ///< of an account's families, those with an edge
  double false_share = 0;  ///< of AccountYear, mean over the years
  ReimportCounts reimports = {};
  /// Of the rate that the aim is about, 95%, exact (Clopper and Pearson 1934).
  double rate = 0, rate_low = 0, rate_high = 0;
  double family_sharpe_ann = 0;  ///< mean over families of the mean over variants
  double best_sharpe_ann = 0;    ///< mean over families of the best variant: what luck looks like
  /// The rate meets the limit as counted.
  bool met = false;
};

/// Runs a world. Deterministic: the same bits for any ParallelFor. Fails: InvalidInput (no sweeps
/// or families), and as simulate_market and run_batch.
Result<TruthReport> run_truth(const TruthWorld& world, const TruthSize& size,
                              const ParallelFor& parallel = serial_for());

/// Exact two-sided 95% limits of a rate of which `hits` of `trials` were seen.
struct RateLimits {
  double low = 0;
  double high = 1;
};
RateLimits rate_limits(std::uint64_t hits, std::uint64_t trials);

}  // namespace winnow::sweeps
