#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

/// Normal returns with unknown mean and variance: mu | s2 ~ N(m, s2 / kappa), s2 ~ InvGamma(alpha,
/// beta). Conjugate, so everything is closed but P(Sharpe > s), which is one quadrature. Per period
/// unless named `_ann`.
struct NormalInverseGamma {
  double m = 0, kappa = 1, alpha = 2, beta = 1;

  NormalInverseGamma updated(std::span<const double> x) const;
  /// ln of the probability density of x under this prior (evidence).
  double log_evidence(std::span<const double> x) const;

  double mean_quantile(double p) const;  ///< of mu (Student's t with 2 alpha degrees of freedom)
  double p_mean_above(double value) const;
  double variance_mean() const { return beta / (alpha - 1); }
  double sharpe_mean() const;
  double sharpe_sd() const;
  /// P(mu / sigma > s), s per period.
  double p_sharpe_above(double s) const;
  /// The next return: Student's t.
  struct Predictive {
    double dof, location, scale;
  };
  Predictive predictive() const;
  double p_next_above(double value) const;
};

/// Student-t returns with flat priors on mu and ln sigma and nu - 1 ~ Exponential(mean 29)
/// (Kruschke 2013), on a grid of 161 x 81 x 40 points.
struct StudentPosterior {
  double p_mu_above_0 = 0;
  double mu_mean = 0, mu_sd = 0;
  double scale_mean = 0;
  double nu_mean = 0;
};
/// Requires: at least five numbers that are not all equal.
StudentPosterior student_posterior(std::span<const double> x);
double student_log_likelihood(std::span<const double> x, double mu, double sigma, double nu);

/// Random effects over estimates with standard errors (say, Sharpes of variants):
/// DerSimonian-Laird.
struct RandomEffects {
  double fixed_mean = 0;
  double q = 0;  ///< Cochran
  double p_q = 1;
  double i2 = 0;
  double tau2 = 0;
  double mean = 0;
  double se = 0;
  double p_mean_above_0 = 0;
  double predictive_sd = 0;          ///< of a new variant's true value
  double p_new_above_0 = 0;          ///< normal law
  double p_new_above_0_student = 0;  ///< Student's t with k - 2 degrees of freedom; k > 2
  std::vector<double> shrunk;        ///< towards the mean, by tau2 / (tau2 + se^2)
  std::vector<double> james_stein;   ///< positive part, to the plain mean, variance (mean se)^2
};
/// Requires: sizes equal, at least two, all se > 0.
RandomEffects random_effects(std::span<const double> estimates, std::span<const double> se);

/// Expected maximum drawdown of a Brownian motion with drift `mu` and volatility `sigma` over
/// `horizon` (Magdon-Ismail and others 2004), by inverting the Laplace transform of Taylor (1975)
/// of the time to a drawdown of h: relative error below 1e-6. Zero drift: sqrt(pi / 2) sigma
/// sqrt(T).
double expected_max_drawdown(double mu, double sigma, double horizon);

/// P(the largest drawdown of a Brownian motion without drift over `horizon` reaches `depth`): by
/// Levy the drawdown is |B|, so that this is its exit from (-depth, depth). To rounding at any
/// depth.
double max_drawdown_tail(double depth, double sigma, double horizon);

}  // namespace winnow::sweeps::stats
