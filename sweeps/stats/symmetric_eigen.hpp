#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

/// Eigenvalues and eigenvectors of a symmetric matrix of n rows.
struct SymmetricEigen {
  std::vector<double> values;   ///< n, ascending
  std::vector<double> vectors;  ///< n * n, of length 1, one after the other, in the values' order
  bool converged = false;       ///< else neither is to be trusted
};

/// `matrix`: n * n numbers, column by column; what lies above the diagonal is not read. Requires:
/// n >= 1. The one place that makes this decomposition: it is slow to compile.
SymmetricEigen symmetric_eigen(std::span<const double> matrix, std::size_t n);

}  // namespace winnow::sweeps::stats
