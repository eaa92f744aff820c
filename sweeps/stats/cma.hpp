#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

/// Strategy parameters of CMA-ES (Hansen, The CMA Evolution Strategy: A Tutorial, 2016).
struct CmaParameters {
  std::size_t dimensions = 0;
  std::size_t lambda = 0;  ///< candidates a generation
  std::size_t mu = 0;      ///< parents
  std::vector<double>
      weights;  ///< of the sorted candidates: mu positive ones that sum to 1, or lambda
  double mueff = 0;
  double mueff_minus = 0;  ///< of the negative raw weights
  double cc = 0, cs = 0, c1 = 0, cmu = 0;
  double damps = 0;
};
/// Table 1 of the tutorial: lambda = 4 + floor(3 ln n).
CmaParameters cma_defaults(std::size_t dimensions);
/// The same for a given number of candidates. Requires: dimensions >= 1, lambda >= 4.
CmaParameters cma_parameters(std::size_t dimensions, std::size_t lambda);
/// Expected length of a standard normal vector: Hansen's approximation, and exact.
double cma_chi_approx(std::size_t dimensions);
double cma_chi_exact(std::size_t dimensions);

/// Purpose: the state of CMA-ES and its update by one evaluated generation, with the step size law
/// of Hansen's compact program: sigma *= exp(min(1, cs / damps (|ps|^2 / n - 1) / 2)). Thread: one.
class CmaState {
 public:
  CmaState(CmaParameters parameters, std::span<const double> mean, double sigma);

  /// Requires: as many candidates as losses, at least parameters.mu, each of the dimension.
  void tell(const std::vector<std::vector<double>>& candidates, std::span<const double> losses);

  const Eigen::VectorXd& mean() const { return mean_; }
  double sigma() const { return sigma_; }
  const Eigen::VectorXd& ps() const { return ps_; }
  const Eigen::VectorXd& pc() const { return pc_; }
  const Eigen::MatrixXd& covariance() const { return covariance_; }

 private:
  CmaParameters p_;
  Eigen::VectorXd mean_, ps_, pc_;
  Eigen::MatrixXd covariance_;
  double sigma_;
  double evaluations_ = 0;
};

}  // namespace winnow::sweeps::stats
