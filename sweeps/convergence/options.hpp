#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "engine/calendar.hpp"

namespace winnow::sweeps {

/// When the family may be looked at. Looking often and stopping at the first good day is selection:
/// with a look every ten days a null family passes .95 in a quarter of all cases.
enum class LookPlan : std::uint8_t {
  OneLook,        ///< one look, declared before the data came: C >= 1 - alpha
  EqualLooks,     ///< at 90, 180, 365 and 730 days, C >= .982 each
  SpendingLooks,  ///< the same days, C >= .999, .995, .985, .965
};

/// "one", "equal", "spending".
const char* look_plan_name(LookPlan plan);
inline constexpr std::size_t kLooks = 4;
/// Days that the look needs. Requires: 1 <= look <= kLooks.
std::uint64_t look_days(std::size_t look);
/// The last look that `periods` days allow, 1 to kLooks; 0: none yet. Of a plan of several.
std::size_t due_look(std::uint64_t periods);

/// How evenly the variants lie in the declared parameter space (sweeps/diversity.hpp). A search
/// that gathers around a lucky variant makes its near clones outvote all others: they are too
/// different for the dedupe and no evidence of their own.
struct ParameterSpread {
  /// Share of the variants within a quarter of the range of every varying parameter at once.
  double crowded_frac = 0;
  /// Of the least covered parameter: share of its quarters that hold a variant.
  double coverage_frac = 1;
  std::string thinnest = {};  ///< that parameter
};
/// A share of three quarters of near clones can carry a family alone (f / sqrt(f (1 - f)) > 1.73).
inline constexpr double kCrowdedFracMax = 0.60;
/// Fewer distinct variants are no family.
inline constexpr std::size_t kDistinctVariantsMin = 5;
inline constexpr double kAxisCoverageMin = 0.50;

struct ConvergenceOptions {
  double hurdle_sharpe_ann = 0;  ///< h: the edge to beat, after costs
  double target_sharpe_ann = 1;  ///< what is hoped for; futility is judged against it
  double periods_per_year = engine::kPeriodsPerYearOpen;  ///< of the data's calendar
  double alpha = 0.05;                                    ///< error rate of the one declared look
  LookPlan looks = LookPlan::OneLook;
  /// The worst single loss to expect, in daily standard deviations: a phantom event of this size is
  /// put into every variant and the family scored again. 0: none is declared, the gate is off.
  double stress_sd = 8;
  /// The strategy has hard stops: C under stress needs .90 instead of .95.
  bool hard_stops = false;
  /// Blocks to cut the calendar into; 0: min(20, max(6, floor(T / 10))).
  std::size_t blocks = 0;
  /// Variants launched for this hypothesis, 0 if all are in the panel. Scoring survivors only is
  /// selection (the best 30% of a null family look converged), so a smaller panel never converges.
  std::uint64_t launched = 0;
  /// The variants in the panel were chosen by what they did in the first so many periods (rungs of
  /// a halving): only later periods are scored, and those that were left out need not be there.
  std::size_t chosen_by_periods = 0;
  /// How many variants were chosen so; 0: those in the panel. One that is missing keeps the family
  /// from converging.
  std::uint64_t chosen = 0;
  ParameterSpread spread = {};  ///< default: even
  /// What one gap that was not seen costs each row of the panel, as a fraction of its equity
  /// (level/gaps.hpp), and how often it is charged. Never less than stress_sd standard deviations.
  /// Empty: nothing is charged.
  std::span<const double> gap_loss = {};
  double gap_rate_year = 0;
};

/// How the near clones were found.
enum class DedupeMode : std::uint8_t {
  Exact,   ///< every pair with correlation above .99 is linked
  Hashed,  ///< too many pairs to try: seeded hashing found the links; some pairs near .99 may be
           ///< missed
};

}  // namespace winnow::sweeps
