#pragma once

#include <cstdint>
#include <optional>
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

}  // namespace winnow::sweeps
