#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sweeps/convergence/options.hpp"
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
