#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

// The tree-structured Parzen estimator's parts, with the choices of Optuna 3.1: univariate, prior
// weight 1, magic clip, no endpoints, 10 start-up trials, 24 candidates. The laws over numbers are
// search/tpe.hpp, Kernels.

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

/// The law over the choices of a category, from the weight that the observations of each have:
/// each observation spreads 1 / (n + 1) over all choices, and a prior of weight 1 is even.
/// Requires: at least one choice.
std::vector<double> tpe_choice_shares(std::span<const double> weight, double observations);

}  // namespace winnow::sweeps::stats
