#include "sweeps/convergence/anova.hpp"

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <vector>

#include "base/check.hpp"

namespace winnow::sweeps {
namespace {

/// Leave-one-block-out values of (MSV - MSE) / B without a second table: dropping block b changes a
/// variant's residuals by e[b] / (B - 1) and its effect by -e[b] / (B - 1).
struct Jackknife {
  std::vector<double> ss_variant;  ///< by block: sum over variants of the squared effect without it
  std::vector<double> ss_residual;  ///< by block: sum over variants of e[b]^2
};

double jackknife_se(const Jackknife& j, double ss_residual, std::size_t n, std::size_t b_count) {
  const double b = static_cast<double>(b_count);
  const double df_variant = static_cast<double>(n - 1);
  std::vector<double> tau2(b_count);
  double mean = 0;
  for (std::size_t k = 0; k < b_count; ++k) {
    const double msv = (b - 1) * j.ss_variant[k] / df_variant;
    const double mse = (ss_residual - b / (b - 1) * j.ss_residual[k]) / ((b - 2) * df_variant);
    tau2[k] = (msv - mse) / (b - 1);
    mean += tau2[k] / b;
  }
  double ss = 0;
  for (double t : tau2) ss += (t - mean) * (t - mean);
  return std::sqrt((b - 1) / b * ss);
}

}  // namespace

BlockAnova block_anova(const AnovaInput& in) {
  WINNOW_REQUIRES(in.blocks >= 2 && in.variants >= 1);
  WINNOW_REQUIRES(in.table.size() == in.variants * in.blocks);
  const std::size_t n = in.variants;
  const std::size_t blocks = in.blocks;
  const double nd = static_cast<double>(n);
  const double bd = static_cast<double>(blocks);
  std::vector<double> block_mean(blocks, 0.0);
  std::vector<double> variant_mean(n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const double* row = &in.table[i * blocks];
    double sum = 0;
    for (std::size_t b = 0; b < blocks; ++b) {
      sum += row[b];
      block_mean[b] += row[b];
    }
    variant_mean[i] = sum / bd;
  }
  BlockAnova a;
  for (double& m : block_mean) {
    m /= nd;
    a.mu += m / bd;
  }
  double ss_block = 0;
  for (double m : block_mean) ss_block += (m - a.mu) * (m - a.mu);
  a.ms_block = nd * ss_block / (bd - 1);
  a.se2 = a.ms_block / (nd * bd);
  double ss_variant = 0;
  double ss_residual = 0;
  Jackknife j{std::vector<double>(blocks, 0.0), std::vector<double>(blocks, 0.0)};
  std::size_t above = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double* row = &in.table[i * blocks];
    const double effect = variant_mean[i] - a.mu;
    above += variant_mean[i] > in.hurdle ? 1 : 0;
    ss_variant += effect * effect;
    double ss_row = 0;
    for (std::size_t b = 0; b < blocks; ++b) {
      const double e = row[b] - block_mean[b] - effect;
      const double left_out = effect - e / (bd - 1);
      ss_row += e * e;
      j.ss_variant[b] += left_out * left_out;
      j.ss_residual[b] += e * e;
    }
    ss_residual += ss_row;
  }
  a.variant_sign_frac = static_cast<double>(above) / nd;
  if (n < 2) return a;
  a.ms_variant = bd * ss_variant / (nd - 1);
  a.ms_residual = ss_residual / ((bd - 1) * (nd - 1));
  a.tau2_raw = (a.ms_variant - a.ms_residual) / bd;
  if (in.jackknife && blocks > 2) a.tau2_jackknife_se = jackknife_se(j, ss_residual, n, blocks);
  return a;
}

double student_ratio(double num, double den, double dof) {
  if (!(den > 0) || !std::isfinite(num / den)) return num > 0 ? 1.0 : (num < 0 ? 0.0 : 0.5);
  return boost::math::cdf(boost::math::students_t(dof), num / den);
}

double normal_ratio(double num, double den) {
  if (!(den > 0) || !std::isfinite(num / den)) return num > 0 ? 1.0 : (num < 0 ? 0.0 : 0.5);
  return boost::math::cdf(boost::math::normal(), num / den);
}

double convergence_c(const BlockAnova& a, std::size_t variants, std::size_t blocks, double hurdle) {
  const double spread = a.tau2() * (1 + 1 / static_cast<double>(variants)) + a.se2;
  return student_ratio(a.mu - hurdle, std::sqrt(spread), static_cast<double>(blocks) - 1);
}

}  // namespace winnow::sweeps
