#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.hpp"

namespace winnow::sweeps::search {

// The two models of one dimension that the tree-structured Parzen estimator compares, on the unit
// interval. Conventions of stats/parzen.hpp (a prior of weight 1, magic clip, weights by age).

/// Purpose: mixture of normal laws truncated to the unit interval, each with a width by the
/// distance to its neighbours, and the prior at 1/2. On a dimension of `points` points it is the
/// mass of the point's stratum; else the score of Optuna 3.1, which does not divide a law by its
/// width, so that it favours wide laws, and which searched better than the density.
class Kernels {
 public:
  /// Weights: one an observation; the prior weighs 1. Requires: observations in [0, 1].
  void fit(std::span<const double> observations, std::span<const double> weights,
           std::uint64_t points);
  double operator()(double u) const;
  double draw(Rng& rng) const;

  // The laws, one an observation in its order, the prior last.
  std::span<const double> centres() const { return centre_; }
  std::span<const double> sigmas() const { return sigma_; }
  std::vector<double> shares() const;  ///< weights, with sum 1

 private:
  std::vector<double> centre_, sigma_, scale_, cumulative_;
  std::vector<std::uint32_t> order_;
  std::uint64_t points_ = 0;
};

/// Purpose: the same for many observations in constant space and time: counts and sums of ages in
/// bins, smoothed by the narrowest kernel (1/100) where they are read. Counts are whole numbers, so
/// taking an observation away restores every bit.
class Histogram {
 public:
  explicit Histogram(std::uint64_t points = 0);
  void add(double u, std::int64_t age) { change(u, age, 1); }
  void remove(double u, std::int64_t age) { change(u, age, -1); }
  /// Weight of an observation of age a: 1 / total + (1 - 1 / total) a / total.
  double operator()(double u, std::uint64_t total) const;

 private:
  void change(double u, std::int64_t age, std::int64_t sign);
  std::size_t bin(double u) const;

  std::vector<std::int64_t> count_, ages_;
  std::int64_t all_count_ = 0, all_ages_ = 0;
  std::vector<double> inside_;  // share of a bin's kernel within the interval
  std::vector<double> taps_;    // mass of the kernel by distance in bins
  bool discrete_ = false;
};

}  // namespace winnow::sweeps::search
