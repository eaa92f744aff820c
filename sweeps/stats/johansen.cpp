// Johansen's test of cointegration, apart from the other tests of unit_root.hpp: its decompositions
// take long to compile.
#include <algorithm>
#include <array>
#include <cmath>

#include "sweeps/stats/dense.hpp"
#include "sweeps/stats/johansen_critical.hpp"
#include "sweeps/stats/symmetric_eigen.hpp"
#include "sweeps/stats/unit_root.hpp"

namespace winnow::sweeps::stats {
namespace {

MatrixXd polynomial_residual(const MatrixXd& x, int order) {
  if (order < 0) return x;
  MatrixXd terms(x.rows(), order + 1);
  for (Index i = 0; i < x.rows(); ++i) {
    const double t = -1 + 2 * static_cast<double>(i) / static_cast<double>(x.rows() - 1);
    for (int k = 0; k <= order; ++k) terms(i, k) = std::pow(t, k);
  }
  return x - terms * terms.householderQr().solve(x);
}

MatrixXd residual_of(const MatrixXd& y, const MatrixXd& x) {
  if (x.cols() == 0) return y;
  return y - x * x.householderQr().solve(y);
}

/// a v = lambda b v with v' b v = 1, lambda ascending; both symmetric, b positive definite. By the
/// root of b, as Eigen's own solver of this problem does it, whose copy of the decomposition would
/// take as long to compile as all else here.
struct Pencil {
  VectorXd values;
  MatrixXd vectors;
};
Pencil solve_pencil(const MatrixXd& a, const MatrixXd& b) {
  const Eigen::LLT<MatrixXd> root(b);
  MatrixXd c = a.selfadjointView<Eigen::Lower>();
  root.matrixL().solveInPlace<Eigen::OnTheLeft>(c);
  root.matrixU().solveInPlace<Eigen::OnTheRight>(c);
  const auto n = static_cast<std::size_t>(c.size());
  const SymmetricEigen eigen = symmetric_eigen({c.data(), n}, static_cast<std::size_t>(c.rows()));
  Pencil out{vector_of(eigen.values),
             Eigen::Map<const MatrixXd>(eigen.vectors.data(), c.rows(), c.cols())};
  root.matrixU().solveInPlace(out.vectors);
  return out;
}

}  // namespace

JohansenTest johansen(const std::vector<std::vector<double>>& series, int det_order,
                      std::size_t lags) {
  const Index k = index(series.size());
  const Index n = index(series.front().size());
  const Index lag = index(lags);
  MatrixXd level(n, k);
  for (Index j = 0; j < k; ++j) level.col(j) = vector_of(series[static_cast<std::size_t>(j)]);
  const int inner = det_order > -1 ? 0 : det_order;
  level = polynomial_residual(level, det_order);
  const MatrixXd difference = level.bottomRows(n - 1) - level.topRows(n - 1);
  const Index rows = difference.rows() - lag;
  MatrixXd lagged(rows, k * lag);
  for (Index i = 1; i <= lag; ++i) {
    lagged.middleCols(k * (i - 1), k) = difference.middleRows(lag - i, rows);
  }
  lagged = polynomial_residual(lagged, inner);
  const MatrixXd r0 = residual_of(polynomial_residual(difference.bottomRows(rows), inner), lagged);
  const MatrixXd start =
      lag > 0 ? MatrixXd(level.middleRows(1, rows)) : MatrixXd(level.topRows(rows));
  const MatrixXd rk = residual_of(polynomial_residual(start, inner), lagged);
  const double t = static_cast<double>(rows);
  const MatrixXd skk = rk.transpose() * rk / t;
  const MatrixXd sk0 = rk.transpose() * r0 / t;
  const MatrixXd s00 = r0.transpose() * r0 / t;
  const MatrixXd product = sk0 * s00.ldlt().solve(sk0.transpose());
  const Pencil pencil = solve_pencil((product + product.transpose()) / 2, skk);
  JohansenTest out;
  out.vectors.assign(series.size(), {});
  for (Index i = k; i-- > 0;) {
    out.eigenvalues.push_back(pencil.values(i));
    const double sign = pencil.vectors(0, i) < 0 ? -1 : 1;
    for (Index j = 0; j < k; ++j) {
      out.vectors[static_cast<std::size_t>(j)].push_back(sign * pencil.vectors(j, i));
    }
  }
  for (std::size_t i = 0; i < series.size(); ++i) {
    double sum = 0;
    for (std::size_t j = i; j < series.size(); ++j) sum += std::log1p(-out.eigenvalues[j]);
    out.trace.push_back(-t * sum);
    out.max_eigen.push_back(-t * std::log1p(-out.eigenvalues[i]));
    const std::size_t left = series.size() - i;
    const JohansenCritical critical = johansen_critical(left, det_order);
    out.trace_critical.push_back(critical.trace);
    out.max_critical.push_back(critical.max_eigen);
  }
  return out;
}

}  // namespace winnow::sweeps::stats
