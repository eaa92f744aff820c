#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

/// Inequality of positive numbers (say, profit by variant).
struct Dispersion {
  double cv = 0;              ///< sd (divisor n - 1) / mean
  double gini = 0;            ///< 0 equal, towards 1 for one that has all
  double mad = 0;             ///< median absolute deviation from the median
  double hhi = 0;             ///< sum of squared shares (Herfindahl)
  double top_share_frac = 0;  ///< the largest over the sum
};
/// Requires: not empty, a positive sum.
Dispersion dispersion(std::span<const double> x);

/// A response surface over a rectangular grid of two parameters: is the best point on a plateau or
/// on a needle? Differences are between rook neighbours (one step in one parameter), the
/// neighbourhood of the best point and of the plateau centre has the diagonals too.
struct GridShape {
  double morans_i = 0;  ///< spatial autocorrelation; -1 / (n - 1) for noise
  double expected_i = 0;
  double max_local_lipschitz = 0;  ///< largest step between neighbours
  double mean_abs_neighbour_diff = 0;
  double neighbour_variance_ratio = 0;  ///< mean squared step / (2 variance): 1 noise, 0 smooth
  std::array<std::size_t, 2> best{};
  double best_value = 0;
  double best_neighbour_mean = 0;
  double best_neighbour_frac = 0;  ///< neighbours of the best with at least 70% of its value
  std::array<std::size_t, 2> plateau_centre{};  ///< largest mean over itself and its neighbours
  double plateau_centre_mean = 0;
};
/// `grid` is [row][column]. Requires: at least two points.
GridShape grid_shape(const std::vector<std::vector<double>>& grid);

/// Silhouette of each variant in a clustering, with distance between the rows of
/// D = sqrt((1 - correlation) / 2) (Lopez de Prado and Lewis 2018). A cluster of one scores 0.
struct Silhouette {
  std::vector<double> score;
  double mean = 0;
  double quality_t = 0;  ///< mean / standard deviation (divisor n)
};
/// `columns` is [variant][period]; one label a variant, at least two labels.
Silhouette correlation_silhouette(const std::vector<std::vector<double>>& columns,
                                  std::span<const int> labels);

}  // namespace winnow::sweeps::stats
