#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/market.hpp"
#include "base/result.hpp"
#include "engine/execution.hpp"
#include "engine/synth/market_spec.hpp"
#include "sweeps/level/gaps.hpp"
#include "sweeps/truth/accounts.hpp"

namespace winnow::sweeps {

/// What must come out.
enum class TruthAim : std::uint8_t {
  Rejected,  ///< at most `rate_limit` of the sweeps may promote anything
  Found,     ///< at least `rate_limit` of the families must be promoted
  /// Of an account: the expected share of false ones among the promoted is at most `rate_limit`,
  /// at the worst moment of the year.
  FewFalse,
};

/// The values a parameter takes; parameters that are not named have their defaults.
struct TruthAxis {
  std::string_view param;
  std::vector<double> values;
};

/// How a world's families are judged.
enum class TruthJudge : std::uint8_t {
  Whole,    ///< all variants on all days, Holm over a sweep's families
  Search,   ///< `open: search`: the best part of the space, all parts paid for by sign flips
  Confirm,  ///< the best part by the first half of the days, judged by the second
  /// The best variant is run again on the same market in another version (reimports.hpp).
  Reimport,
};

/// What a search puts around the best variant that the grid found, four times as many as the grid
/// has: what outvotes all others unless somebody looks.
enum class TruthGather : std::uint8_t {
  None,
  NearClones,  ///< other lookbacks and entries beside its own
  InertAxis,   ///< itself, under values that change nothing
};

/// Whether the verdicts of each panel by itself are counted, too: of the returns as they are
/// (cash), less beta times the market (least squares), and less the market at the mean exposure.
enum class TruthAlone : std::uint8_t { Uncounted, Counted };

/// One kind of world.
struct TruthWorld {
  std::string_view name;
  std::string_view what;  ///< one sentence
  engine::synth::MarketSpec market;
  engine::ExecutionModel execution;
  std::string_view family;
  std::vector<TruthAxis> grid;  ///< the variants are all combinations
  TruthAim aim = TruthAim::Rejected;
  double rate_limit = 0.05;
  /// So many variants, the first, trade the market with its edge, all others the same market
  /// without it (the same martingale, nothing to forecast). 0: all see the edge.
  std::size_t edge_variants = 0;
  /// What is charged for losses that were not seen: by default a pair with a long record.
  level::Gap gap{.frac = 0.30, .seen = 1, .years = 11, .record = "a pair with a long record"};
  /// Where the market is none that a specification describes. Null: it is `market`.
  Result<MarketColumns> (*columns)(std::uint64_t seed) = nullptr;
  TruthJudge judge = TruthJudge::Whole;
  TruthGather gather = TruthGather::None;
  TruthAlone alone = TruthAlone::Uncounted;
  /// Where a year of an account is what runs, one a sweep, and no market.
  std::optional<AccountTruth> account = std::nullopt;
};

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

}  // namespace winnow::sweeps
