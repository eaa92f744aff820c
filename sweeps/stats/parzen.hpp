#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

// The tree-structured Parzen estimator's parts, with the choices of Optuna 3.1: univariate, prior
// weight 1, magic clip, no endpoints, 10 start-up trials, 24 candidates.

inline constexpr std::size_t kTpeStartupTrials = 10;
inline constexpr std::size_t kTpeCandidates = 24;

/// How many of n trials count as good: min(ceil(n / 10), 25).
std::size_t tpe_good_count(std::size_t n);
/// Hyperopt's: min(ceil(sqrt(n) / 4), 25).
std::size_t hyperopt_good_count(std::size_t n);
/// Weights by age, not normalised: the last 25 weigh 1, older ones ramp up from 1 / n.
std::vector<double> tpe_weights(std::size_t n);

/// The good and the other trials, as ascending indices (lower values are better, ties to the
/// earlier).
struct TpeSplit {
  std::vector<std::size_t> below, above;
};
TpeSplit tpe_split(std::span<const double> values);

/// Mixture of truncated normal laws around the observations, and a wide one at the middle (the
/// prior).
class ParzenFloat {
 public:
  /// Requires: low < high.
  ParzenFloat(std::span<const double> observations, double low, double high);
  double log_density(double x) const { return log_mixture(x, true); }
  /// What Optuna 3.1 compares: the same without dividing each law by its sigma, so not a density.
  /// It favours the wide laws. Kept to reproduce that version's choices.
  double log_score_optuna31(double x) const { return log_mixture(x, false); }
  const std::vector<double>& weights() const { return weights_; }  ///< sum to 1, the prior last
  const std::vector<double>& means() const { return means_; }
  const std::vector<double>& sigmas() const { return sigmas_; }

 private:
  double log_mixture(double x, bool per_sigma) const;

  double low_, high_;
  std::vector<double> weights_, means_, sigmas_;
};

/// Mixture over the choices of a categorical parameter.
class ParzenCategorical {
 public:
  /// Requires: every observation < choices.
  ParzenCategorical(std::span<const std::size_t> observations, std::size_t choices);
  double log_density(std::size_t choice) const;
  const std::vector<double>& weights() const { return weights_; }

 private:
  std::vector<double> weights_;
  std::vector<double> probability_;  ///< by choice
};

}  // namespace winnow::sweeps::stats
