#include "sweeps/stats/cma.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace winnow::sweeps::stats {

CmaParameters cma_defaults(std::size_t dimensions) {
  const auto n = static_cast<double>(dimensions);
  return cma_parameters(dimensions, 4 + static_cast<std::size_t>(std::floor(3 * std::log(n))));
}

CmaParameters cma_parameters(std::size_t dimensions, std::size_t lambda) {
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
  return p;
}

double cma_chi_approx(std::size_t dimensions) {
  const double n = static_cast<double>(dimensions);
  return std::sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
}

double cma_chi_exact(std::size_t dimensions) {
  const double n = static_cast<double>(dimensions);
  return std::sqrt(2.0) * std::exp(std::lgamma((n + 1) / 2) - std::lgamma(n / 2));
}

CmaState::CmaState(CmaParameters parameters, std::span<const double> mean, double sigma)
    : p_(std::move(parameters)),
      mean_(Eigen::Map<const Eigen::VectorXd>(mean.data(), static_cast<Eigen::Index>(mean.size()))),
      ps_(Eigen::VectorXd::Zero(mean_.size())),
      pc_(Eigen::VectorXd::Zero(mean_.size())),
      covariance_(Eigen::MatrixXd::Identity(mean_.size(), mean_.size())),
      sigma_(sigma) {}

void CmaState::tell(const std::vector<std::vector<double>>& candidates,
                    std::span<const double> losses) {
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return losses[a] < losses[b]; });
  const double n = static_cast<double>(mean_.size());
  evaluations_ += static_cast<double>(candidates.size());
  const Eigen::VectorXd old = mean_;
  const auto step = [&](std::size_t rank) -> Eigen::VectorXd {
    return Eigen::Map<const Eigen::VectorXd>(candidates[order[rank]].data(), mean_.size()) - old;
  };
  Eigen::VectorXd y = Eigen::VectorXd::Zero(mean_.size());
  for (std::size_t k = 0; k < p_.mu; ++k) y += p_.weights[k] * step(k);
  mean_ = old + y;

  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(covariance_);
  const Eigen::MatrixXd whiten = eigen.operatorInverseSqrt();
  ps_ = (1 - p_.cs) * ps_ + std::sqrt(p_.cs * (2 - p_.cs) * p_.mueff) / sigma_ * (whiten * y);
  const double generations = evaluations_ / static_cast<double>(p_.lambda);
  const double expected = 1 - std::pow(1 - p_.cs, 2 * generations);
  const double h = ps_.squaredNorm() / n / expected < 2 + 4 / (n + 1) ? 1 : 0;
  pc_ = (1 - p_.cc) * pc_ + h * std::sqrt(p_.cc * (2 - p_.cc) * p_.mueff) / sigma_ * y;

  const double c1a = p_.c1 * (1 - (1 - h * h) * p_.cc * (2 - p_.cc));
  const double weight_sum = std::accumulate(p_.weights.begin(), p_.weights.end(), 0.0);
  covariance_ *= 1 - c1a - p_.cmu * weight_sum;
  covariance_ += p_.c1 * pc_ * pc_.transpose();
  for (std::size_t k = 0; k < std::min(p_.weights.size(), order.size()); ++k) {
    const Eigen::VectorXd d = step(k);
    double w = p_.weights[k];
    // A negative weight counts per unit of Mahalanobis length, which keeps the matrix definite.
    if (w < 0) w *= n * sigma_ * sigma_ / (whiten * d).squaredNorm();
    covariance_ += w * p_.cmu / (sigma_ * sigma_) * d * d.transpose();
  }
  sigma_ *= std::exp(std::min(1.0, p_.cs / p_.damps * (ps_.squaredNorm() / n - 1) / 2));
}

}  // namespace winnow::sweeps::stats
