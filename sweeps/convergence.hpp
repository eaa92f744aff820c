#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/calendar.hpp"
#include "sweeps/stats/panel.hpp"
#include "sweeps/stats/parallel.hpp"

namespace winnow::sweeps {

// The convergence score (CCS): one number that says whether a *family* of variants shares an edge,
// or one of them was lucky. Two-way analysis of variance of vol-standardised block means (blocks x
// variants), read as a random-effects prediction: the probability that a new, neighbouring variant
// of this family has a true Sharpe above the hurdle (Higgins, Thompson and Spiegelhalter 2009;
// block-t evidence as Ibragimov and Mueller 2010). docs name it C.

/// Of the score and its gates by themselves. What a person is told is another word (PROMISING for
/// the first, until the family was opened): serve/opening.hpp.
enum class Verdict : std::uint8_t { Converged, NotConverged, Insufficient };
/// "CONVERGED", "NOT_CONVERGED", "INSUFFICIENT".
const char* verdict_name(Verdict verdict);

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

/// Purpose: the score with its parts, and why the verdict is what it is. No field is ever NaN.
struct Convergence {
  Verdict verdict = Verdict::Insufficient;
  /// Gates that failed and by how much; for Converged, empty.
  std::vector<std::string> reasons;
  bool scored = false;  ///< false: the input cannot carry a score; c is 0 and the reasons say why

  double c = 0;  ///< predictive probability that a new variant's true Sharpe > h; p = 1 - c
  double c_required = 0;         ///< the level of this look
  double evidence = 0;           ///< E: P(family mean > h)
  double coverage = 0;           ///< K: estimated share of variants with a true edge
  double block_sign_frac = 0;    ///< blocks whose mean over variants > h
  double variant_sign_frac = 0;  ///< variants whose mean > h

  double mu_sharpe_ann = 0;  ///< grand mean of the annualised block Sharpes
  double se = 0;             ///< of mu, from the blocks
  double tau = 0;            ///< sd of true Sharpe between variants, annual
  double ms_block = 0, ms_variant = 0, ms_residual = 0;
  double icc = 0;       ///< max(0, (MSV - MSE) / (MSV + (B - 1) MSE))
  double tau2_raw = 0;  ///< (MSV - MSE) / B, may be negative
  double tau2_jackknife_se = 0;
  bool heterogeneous = false;  ///< tau2_raw > 1.645 jackknife se and K < .75
  double futility = 0;         ///< P(target > family mean)
  double mean_correlation = 0;
  double recent_mean = 0;  ///< of the last third of the blocks
  double recent_t = 0;     ///< pooled t of last third against the rest
  bool recent_ok = false;
  double stress_sd = 0;
  double c_stress = 0;  ///< C at h = 0 with one phantom event of stress_sd in every variant
  bool stress_in_sample = false;  ///< such a day already happened to the family
  double c_gaps = 0;         ///< C at h = 0 of the returns less the charge for gaps; c without one
  double gap_loss_mean = 0;  ///< over the variants that move
  double return_mean = 0;    ///< of a period, over the variants that move

  std::uint64_t periods = 0;        ///< T
  std::uint64_t blocks = 0;         ///< B
  std::uint64_t block_periods = 0;  ///< L; the oldest T - B L periods count for volatility only
  std::uint64_t variants = 0;       ///< in the panel
  std::uint64_t zero_variance = 0;  ///< excluded: constant returns
  std::uint64_t not_finite = 0;     ///< excluded: a NaN or infinity among the returns
  std::uint64_t distinct = 0;       ///< N: groups of near clones
  DedupeMode dedupe = DedupeMode::Exact;
  std::uint64_t unchecked_pairs = 0;  ///< for Hashed: pairs of different groups never compared
  double crowded_frac = 0;            ///< as ParameterSpread
  double coverage_frac = 1;

  std::vector<double> block_means;  ///< mean over variants of each block, oldest first

  /// One-sided p-value of "the family's mean edge <= h", for Holm or BH over all families ever
  /// scored.
  double p_value() const { return 1 - c; }
};

/// Scores a family. Deterministic: the same bits for any ParallelFor and any order of the variants.
/// Memory: about 0.7 KB a variant beside the panel, which is not copied.
Convergence score_convergence(const PanelView& panel, const ConvergenceOptions& options = {},
                              const ParallelFor& parallel = serial_for());

/// The level C must reach with `periods` days of data under a plan; 2 (never) before the first
/// look.
double required_level(LookPlan plan, double alpha, std::uint64_t periods);

/// One family's place among all that were ever scored.
struct FamilyDecision {
  double p = 1;
  double p_holm = 1;  ///< adjusted: compare with alpha, for promotion
  double p_bh = 1;    ///< adjusted: compare with the false discovery rate, for exploration budgets
};
/// Holm and Benjamini-Hochberg over the families' p = 1 - C. A p outside [0, 1] counts as 1.
std::vector<FamilyDecision> correct_families(std::span<const double> p_values);

/// Where a plateau is: the variant with the largest mean over itself and its neighbours.
struct PlateauCentre {
  std::size_t variant = 0;
  double mean = 0;  ///< of the neighbourhood
  std::size_t members = 0;
};
/// `neighbours(i)` lists the neighbours of variant i without i. A NaN value counts as the lowest
/// value of all. Ties go to the lower index. Fails: NotFound-like empty result (members == 0) if
/// `values` has no finite number.
PlateauCentre plateau_centre(
    std::span<const double> values,
    const std::function<std::span<const std::uint32_t>(std::size_t)>& neighbours);

}  // namespace winnow::sweeps
