#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace winnow::sweeps::search {

/// What survival looks at.
struct Merit {
  std::span<const double> losses;
  double violation = 0;  ///< 0: feasible
};

/// Deb's rules (2000): feasible before infeasible, less violation before more, and among feasible
/// ones Pareto dominance (no loss higher, one lower).
bool dominates(const Merit& a, const Merit& b);

/// Fronts of indices, ascending within each: the first holds those nobody dominates, and so on
/// (Deb and others 2002). Quadratic in time; equal merits share a front.
std::vector<std::vector<std::size_t>> nondominated_fronts(std::span<const Merit> merits);

/// Crowding distance of each member of a front, in its order; infinite at the ends of an objective
/// that varies, 0 where nothing varies.
std::vector<double> crowding_distances(std::span<const Merit> merits,
                                       std::span<const std::size_t> front);

}  // namespace winnow::sweeps::search
