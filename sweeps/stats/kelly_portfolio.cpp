#include "sweeps/stats/kelly_portfolio.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace winnow::sweeps::stats {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Purpose: growth less `price` times the logarithm of the risk, with a barrier: concave in b.
class Problem {
 public:
  Problem(MatrixXd returns, VectorXd probabilities, double lambda)
      : r_(std::move(returns)), p_(std::move(probabilities)), lambda_(lambda) {}

  double growth(const VectorXd& b) const { return p_.dot(log_wealth(b)); }
  /// ln E (r'b)^-lambda.
  double log_risk(const VectorXd& b) const {
    const VectorXd e = -lambda_ * log_wealth(b);
    const double top = e.maxCoeff();
    return top + std::log(p_.dot((e.array() - top).exp().matrix()));
  }

  VectorXd solve(double price) const {
    VectorXd b = VectorXd::Constant(r_.cols(), 1 / static_cast<double>(r_.cols()));
    for (double barrier = 1e-2; barrier > 5e-14; barrier /= 5) ascend(price, barrier, b);
    return b;
  }

 private:
  static constexpr int kNewtonSteps = 60;

  VectorXd log_wealth(const VectorXd& b) const { return (r_ * b).array().log().matrix(); }
  double value(double price, double barrier, const VectorXd& b) const {
    return growth(b) - (price > 0 ? price * log_risk(b) : 0) + barrier * b.array().log().sum();
  }

  void ascend(double price, double barrier, VectorXd& b) const {
    const Index n = b.size();
    for (int k = 0; k < kNewtonSteps; ++k) {
      VectorXd gradient;
      MatrixXd curvature;
      slopes(price, barrier, b, gradient, curvature);
      MatrixXd system = MatrixXd::Zero(n + 1, n + 1);
      system.topLeftCorner(n, n) = curvature;
      system.col(n).head(n).setOnes();
      system.row(n).head(n).setOnes();
      VectorXd right = VectorXd::Zero(n + 1);
      right.head(n) = -gradient;
      const VectorXd d = system.fullPivLu().solve(right).head(n);
      const double gain = gradient.dot(d);
      if (!(gain > 1e-18)) return;
      if (!step(price, barrier, gain, d, b)) return;
    }
  }

  /// Halves the step until it stays inside and gains.
  bool step(double price, double barrier, double gain, const VectorXd& d, VectorXd& b) const {
    const double here = value(price, barrier, b);
    for (double size = 1; size > 1e-12; size /= 2) {
      const VectorXd there = b + size * d;
      if (!(there.minCoeff() > 0)) continue;
      const double gained = value(price, barrier, there) - here;
      if (gained >= 0.1 * size * gain || (gained >= 0 && size * gain < 1e-14)) {
        b = there;
        return true;
      }
    }
    return false;
  }

  void slopes(double price, double barrier, const VectorXd& b, VectorXd& gradient,
              MatrixXd& curvature) const {
    const VectorXd wealth = r_ * b;
    const MatrixXd x = wealth.cwiseInverse().asDiagonal() * r_;  // [scenario][asset] r / r'b
    gradient = x.transpose() * p_ + barrier * b.cwiseInverse();
    curvature = -(x.transpose() * p_.asDiagonal() * x);
    curvature.diagonal() -= barrier * b.cwiseInverse().cwiseAbs2();
    if (!(price > 0)) return;
    VectorXd e = -lambda_ * wealth.array().log().matrix();
    e.array() -= e.maxCoeff();
    VectorXd q = p_.cwiseProduct(e.array().exp().matrix());
    q /= q.sum();
    const VectorXd mean = x.transpose() * q;
    gradient += price * lambda_ * mean;
    const MatrixXd square = x.transpose() * q.asDiagonal() * x;
    curvature -=
        price * (lambda_ * square + lambda_ * lambda_ * (square - mean * mean.transpose()));
  }

  MatrixXd r_;  // [scenario][asset]
  VectorXd p_;
  double lambda_;
};

std::vector<double> list(const VectorXd& v) { return {v.data(), v.data() + v.size()}; }

}  // namespace

PortfolioKelly kelly_portfolio(const std::vector<std::vector<double>>& returns,
                               const std::vector<double>& probabilities, double alpha,
                               double beta) {
  WINNOW_REQUIRES(!returns.empty() && !probabilities.empty());
  WINNOW_REQUIRES(alpha > 0 && alpha < 1 && beta > 0 && beta < 1);
  const auto assets = static_cast<Index>(returns.size());
  const auto scenarios = static_cast<Index>(probabilities.size());
  MatrixXd r(scenarios, assets);
  for (Index a = 0; a < assets; ++a) {
    for (Index s = 0; s < scenarios; ++s) {
      r(s, a) = returns[static_cast<std::size_t>(a)][static_cast<std::size_t>(s)];
    }
  }
  PortfolioKelly out;
  out.lambda = std::log(beta) / std::log(alpha);
  const Problem problem(std::move(r), Eigen::Map<const VectorXd>(probabilities.data(), scenarios),
                        out.lambda);
  const VectorXd free = problem.solve(0);
  VectorXd bound = free;
  if (problem.log_risk(free) > 0) {
    // The risk falls with its price.
    constexpr int kHalvings = 60;
    double low = -14;  // ln of the price
    double high = 14;
    for (int k = 0; k < kHalvings; ++k) {
      const double middle = (low + high) / 2;
      bound = problem.solve(std::exp(middle));
      (problem.log_risk(bound) > 0 ? low : high) = middle;
    }
    bound = problem.solve(std::exp(high));
  }
  out.kelly = list(free);
  out.growth_kelly = problem.growth(free);
  out.constrained = list(bound);
  out.growth_constrained = problem.growth(bound);
  out.constraint = std::exp(problem.log_risk(bound));
  return out;
}

}  // namespace winnow::sweeps::stats
