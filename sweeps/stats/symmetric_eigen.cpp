#include "sweeps/stats/symmetric_eigen.hpp"

#include "base/check.hpp"
#include "sweeps/stats/dense.hpp"

namespace winnow::sweeps::stats {

SymmetricEigen symmetric_eigen(std::span<const double> matrix, std::size_t n) {
  WINNOW_REQUIRES(n >= 1 && matrix.size() == n * n);
  const MatrixXd read = Eigen::Map<const MatrixXd>(matrix.data(), index(n), index(n));
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(read);
  SymmetricEigen out;
  out.converged = solver.info() == Eigen::Success;
  out.values.assign(solver.eigenvalues().data(), solver.eigenvalues().data() + n);
  out.vectors.assign(solver.eigenvectors().data(), solver.eigenvectors().data() + n * n);
  return out;
}

}  // namespace winnow::sweeps::stats
