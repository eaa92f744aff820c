#include "sweeps/stats/cma.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/dense.hpp"
#include "sweeps/stats/symmetric_eigen.hpp"

namespace winnow::sweeps::stats {
namespace {

Eigen::Map<VectorXd> view(std::span<double> x) { return {x.data(), index(x.size())}; }
Eigen::Map<const VectorXd> view(std::span<const double> x) { return {x.data(), index(x.size())}; }
Eigen::Map<const MatrixXd> square_view(std::span<const double> x, std::size_t n) {
  return {x.data(), index(n), index(n)};
}

/// Sizes of the negative weights, worst last.
std::vector<double> negative_weights(const CmaParameters& p) {
  const auto n = static_cast<double>(p.dimensions);
  const double most = std::min(
      {1 + p.c1 / p.cmu, 1 + 2 * p.mueff_minus / (p.mueff + 2), (1 - p.c1 - p.cmu) / (n * p.cmu)});
  std::vector<double> out;
  double sum = 0;
  for (std::size_t i = p.mu + 1; i <= p.lambda; ++i) {
    out.push_back(std::log(static_cast<double>(i)) -
                  std::log((static_cast<double>(p.lambda) + 1) / 2));
    out.back() = std::max(out.back(), 0.0);
    sum += out.back();
  }
  for (double& w : out) w *= sum > 0 ? std::max(most, 0.0) / sum : 0;
  return out;
}

}  // namespace

CmaParameters cma_defaults(std::size_t dimensions) {
  const auto n = static_cast<double>(dimensions);
  return cma_parameters(dimensions, 4 + static_cast<std::size_t>(std::floor(3 * std::log(n))));
}

CmaParameters cma_parameters(std::size_t dimensions, std::size_t lambda) {
  WINNOW_REQUIRES(dimensions >= 1 && lambda >= 4);
  const auto n = static_cast<double>(dimensions);
  CmaParameters p;
  p.dimensions = dimensions;
  p.lambda = lambda;
  p.mu = p.lambda / 2;
  double sum = 0;
  double squares = 0;
  double negative = 0;
  double negative_squares = 0;
  for (std::size_t i = 1; i <= p.lambda; ++i) {
    const double w = std::log((static_cast<double>(p.lambda) + 1) / 2) - std::log(double(i));
    if (i <= p.mu) {
      p.weights.push_back(w);
      sum += w;
      squares += w * w;
    } else {
      negative += w;
      negative_squares += w * w;
    }
  }
  for (double& w : p.weights) w /= sum;
  p.mueff = sum * sum / squares;
  p.mueff_minus = negative * negative / negative_squares;
  p.cc = (4 + p.mueff / n) / (n + 4 + 2 * p.mueff / n);
  p.cs = (p.mueff + 2) / (n + p.mueff + 5);
  p.c1 = 2 / ((n + 1.3) * (n + 1.3) + p.mueff);
  p.cmu =
      std::min(1 - p.c1, 2 * (0.25 + p.mueff + 1 / p.mueff - 2) / ((n + 2) * (n + 2) + p.mueff));
  p.damps = 1 + 2 * std::max(0.0, std::sqrt((p.mueff - 1) / (n + 1)) - 1) + p.cs;
  p.negative = negative_weights(p);
  return p;
}

double cma_chi_approx(std::size_t dimensions) {
  const double n = static_cast<double>(dimensions);
  return std::sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
}

double cma_chi_exact(std::size_t dimensions) {
  const double n = static_cast<double>(dimensions);
  return std::sqrt(2.0) * std::exp(log_gamma((n + 1) / 2) - log_gamma(n / 2));
}

CmaBasis cma_basis(std::span<const double> covariance, std::size_t n) {
  WINNOW_REQUIRES(n >= 1 && covariance.size() == n * n);
  SymmetricEigen eigen = symmetric_eigen(covariance, n);
  const auto values = view(std::span<const double>(eigen.values));
  const double least = values.minCoeff();
  CmaBasis out;
  out.sound = eigen.converged && least > 0;
  out.condition = values.maxCoeff() / least;
  out.vectors = std::move(eigen.vectors);
  for (const double value : eigen.values) out.roots.push_back(std::sqrt(value));
  return out;
}

CmaDrawn cma_draw(std::span<const double> mean, const CmaLawOfDraws& law, std::span<const double> z,
                  std::span<double> out) {
  const auto scaled = square_view(law.scaled, mean.size());
  const VectorXd x =
      view(mean) + (scaled * view(z)).cwiseProduct(view(std::span<const double>(law.stretch)));
  auto inside = view(out);
  inside = x.cwiseMax(0.0).cwiseMin(1.0);
  return x == inside ? CmaDrawn::Inside : CmaDrawn::Clamped;
}

void cma_adapt(const CmaParameters& p, CmaLaw law, std::uint64_t updates, const CmaBasis& axes,
               std::span<const double* const> ranked, CmaMoments moments) {
  WINNOW_REQUIRES(ranked.size() == p.weights.size() + p.negative.size());
  using Vector = VectorXd;
  using Matrix = MatrixXd;
  const Index dims = index(moments.mean.size());
  struct {
    Eigen::Map<Vector> mean, ps, pc;
    Eigen::Map<Matrix> covariance;
    double& sigma;
  } m{view(moments.mean), view(moments.ps), view(moments.pc),
      Eigen::Map<Matrix>(moments.covariance.data(), dims, dims), moments.sigma};
  const struct {
    Matrix vectors;
    Vector roots;
  } basis{square_view(axes.vectors, moments.mean.size()), vector_of(axes.roots)};
  const auto n = static_cast<double>(dims);
  const Vector old = m.mean;
  const double sigma = m.sigma;
  const auto step = [&](std::size_t rank) -> Vector {
    return (Eigen::Map<const Vector>(ranked[rank], dims) - old) / sigma;
  };
  Vector y = Vector::Zero(dims);
  for (std::size_t k = 0; k < p.mu; ++k) y += p.weights[k] * step(k);
  m.mean += sigma * y;
  const auto whiten = [&](const Vector& v) -> Vector {
    return (basis.vectors.transpose() * v).cwiseQuotient(basis.roots);
  };
  m.ps = (1 - p.cs) * m.ps + std::sqrt(p.cs * (2 - p.cs) * p.mueff) * (basis.vectors * whiten(y));
  const double expected = 1 - std::pow(1 - p.cs, 2 * static_cast<double>(updates));
  const double chi = cma_chi_approx(static_cast<std::size_t>(dims));
  const bool moving = law == CmaLaw::Tutorial
                          ? m.ps.norm() / std::sqrt(expected) < (1.4 + 2 / (n + 1)) * chi
                          : m.ps.squaredNorm() / n / expected < 2 + 4 / (n + 1);
  m.pc = (1 - p.cc) * m.pc;
  if (moving) m.pc += std::sqrt(p.cc * (2 - p.cc) * p.mueff) * y;
  const double sum = 1 - std::accumulate(p.negative.begin(), p.negative.end(), 0.0);
  auto& c = m.covariance;
  const double stall = moving ? 0 : p.cc * (2 - p.cc);
  c *= 1 + p.c1 * stall - p.c1 - p.cmu * sum;
  c += p.c1 * m.pc * m.pc.transpose();
  Matrix steps(dims, static_cast<Index>(ranked.size()));
  for (std::size_t k = 0; k < ranked.size(); ++k) {
    const Vector d = step(k);
    // A negative weight counts per unit of Mahalanobis length, which keeps the matrix definite.
    const double w = k < p.mu ? p.weights[k] : -p.negative[k - p.mu];
    const double root = std::sqrt(std::abs(w));
    const double length = w < 0 ? std::sqrt(n / (whiten(d).squaredNorm() + 1e-300)) : 1;
    steps.col(static_cast<Index>(k)) = d * (root * length);
  }
  const auto mu = static_cast<Index>(p.mu);
  const auto rest = static_cast<Index>(ranked.size()) - mu;
  c.noalias() += p.cmu * steps.leftCols(mu) * steps.leftCols(mu).transpose();
  c.noalias() -= p.cmu * steps.rightCols(rest) * steps.rightCols(rest).transpose();
  c = (0.5 * (c + c.transpose())).eval();
  m.sigma *= law == CmaLaw::Tutorial
                 ? std::exp(std::min(1.0, p.cs / p.damps * (m.ps.norm() / chi - 1)))
                 : std::exp(std::min(1.0, p.cs / p.damps * (m.ps.squaredNorm() / n - 1) / 2));
}

}  // namespace winnow::sweeps::stats
