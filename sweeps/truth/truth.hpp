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

/// The worlds there are:
///   no_edge        martingales without costs, the hardest null: nothing is lost on average
///   plateau        a mean-reverting market where the family's variants have a true Sharpe ratio of
///                  3 on average, after costs, over two years
///   true_spike     one variant has a true edge of 3.3, its forty neighbours exactly none: they
///                  trade the same martingale without the deviation that decays. (In one market
///                  they would share the edge: who enters on a move enters, on average, on a
///                  deviation. Forty lookbacks of 5 to 25 days had 0.22, and agreed on it rightly.)
///   lucky_day      a martingale with one enormous jump: some variants happened to be on its side
///   costs_eat_edge a fast edge that is real before costs and gone after
///   without_costs  the same market without costs, to show that there was something to eat
///   stops_4, _16, _64, targets_4, _16, _64
///                  martingales without costs, stops or targets of 5 to 100 bps, so many prices a
///                  bar: a fill at a level must gain nothing by it
///                  The same names with _vip and _retail: with what trading costs the largest
///                  accounts of a venue, and the smallest
///   drift_05, drift_1, drift_15, drift
///                  a market that rises (holding it: .5 to 2 a year), held or not without timing:
///                  the market's, not skill
///   calm           volatility varies, the drift does not, and it is wild after falls: who follows
///                  prices holds when it is calm, which beta does not explain
///   wild           the same with a drift in proportion to variance, by those who buy what fell:
///                  they hold when it is wild, which the mean exposure does not explain
///   vol_target     volatility varies, the drift does not, and size is a share of a volume that
///                  shrinks as it grows wild: positions sized by volatility
///   pegged         sixty times a year a peg is left by 60 bps and met again, or breaks by 40%:
///                  nothing is earned on average, and in two years of five no break is seen
///   plateau_stops  the plateau by variants with stops
///   dying          the plateau, whose edge ends with the first half of the days; costs go on
///   clones, inert  martingales; a search gathers around the best variant, with near clones or
///                  along an axis that changes nothing
///   reimported     martingales, imported again in another version: they must be the same market,
///                  others never, and what was tried must still be counted
///   zoom_in, zoom_in_costs
///                  martingales; the program zooms over all parts of the space (`open: search`)
///   zoom_confirm   martingales; the best part by the first half of the days, judged by the second
///   zoom_in_next_year
///                  the plateau over two years, zoomed on the first and judged on the second
///   sequence_100, _1000
///                  so many families without an edge, each opened and acted on at its own time
///   climbing       34 openings on the same sealed days, each close to the one before, words only
///   starving       4 families of Sharpe 2.8 over two years among 20 opened
///   fdr, fdr_shared
///                  40 families that somebody opens, one in five with a Sharpe ratio of 3, each
///                  judged by days of its own, or all by the same days (correlation .6)
///   believed       one family of Sharpe 3 over a year, opened with half of the account
std::span<const TruthWorld> truth_worlds();
/// Null if there is none of that name.
const TruthWorld* find_truth_world(std::string_view name);

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
