#pragma once

#include <cstddef>
#include <span>

namespace winnow::sweeps {

/// Two-way analysis of variance without replication of a table of block means: B blocks by N
/// variants, stored [variant][block].
struct BlockAnova {
  double mu = 0;  ///< grand mean
  double ms_block = 0, ms_variant = 0, ms_residual = 0;
  double se2 = 0;       ///< MSB / (N B)
  double tau2_raw = 0;  ///< (MSV - MSE) / B
  double tau2() const { return tau2_raw > 0 ? tau2_raw : 0; }
  double tau2_jackknife_se = 0;  ///< leaving out one block at a time
  double variant_sign_frac = 0;  ///< variants with mean > h
};

/// `table` is [variant][block]; `block_effect_shift`, if not empty, is added to each block of every
/// variant. With one variant MSV and MSE are 0. Requires: blocks >= 2, variants >= 1.
/// `with_jackknife` false leaves tau2_jackknife_se at 0.
struct AnovaInput {
  std::span<const double> table;
  std::size_t variants = 0;
  std::size_t blocks = 0;
  double hurdle = 0;
  bool jackknife = true;
};
BlockAnova block_anova(const AnovaInput& input);

/// Student's distribution function with `dof` degrees of freedom of num / den, and its limits where
/// den is 0: 1 above, 0 below, .5 at num = 0. Never NaN for finite arguments.
double student_ratio(double num, double den, double dof);
/// The same for the standard normal law.
double normal_ratio(double num, double den);

/// C of CONVERGENCE: T_{B-1}((mu - h) / sqrt(tau^2 (1 + 1/N) + SE^2)).
double convergence_c(const BlockAnova& anova, std::size_t variants, std::size_t blocks,
                     double hurdle);

}  // namespace winnow::sweeps
