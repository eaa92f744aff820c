#include "sweeps/stats/bayes.hpp"

#include <algorithm>
#include <boost/math/distributions/gamma.hpp>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>
#include <complex>
#include <limits>

#include "base/check.hpp"
#include "sweeps/stats/basic.hpp"

namespace winnow::sweeps::stats {
namespace {

using Quadrature = boost::math::quadrature::gauss_kronrod<double, 61>;

double sum_of_squares(std::span<const double> x, double about) {
  double ss = 0;
  for (double v : x) ss += (v - about) * (v - about);
  return ss;
}

}  // namespace

NormalInverseGamma NormalInverseGamma::updated(std::span<const double> x) const {
  if (x.empty()) return *this;
  const double n = static_cast<double>(x.size());
  const double centre = mean(x);
  NormalInverseGamma p;
  p.kappa = kappa + n;
  p.m = (kappa * m + n * centre) / p.kappa;
  p.alpha = alpha + n / 2;
  p.beta = beta + 0.5 * sum_of_squares(x, centre) +
           kappa * n * (centre - m) * (centre - m) / (2 * p.kappa);
  return p;
}

double NormalInverseGamma::log_evidence(std::span<const double> x) const {
  const NormalInverseGamma p = updated(x);
  return log_gamma(p.alpha) - log_gamma(alpha) + alpha * std::log(beta) -
         p.alpha * std::log(p.beta) + 0.5 * std::log(kappa / p.kappa) -
         static_cast<double>(x.size()) / 2 * std::log(2 * M_PI);
}

double NormalInverseGamma::mean_quantile(double p) const {
  return m + std::sqrt(beta / (alpha * kappa)) * student_quantile(p, 2 * alpha);
}

double NormalInverseGamma::p_mean_above(double value) const {
  return student_cdf((m - value) / std::sqrt(beta / (alpha * kappa)), 2 * alpha);
}

double NormalInverseGamma::sharpe_mean() const {
  return m * std::exp(log_gamma(alpha + 0.5) - log_gamma(alpha)) / std::sqrt(beta);
}

double NormalInverseGamma::sharpe_sd() const {
  const double first = sharpe_mean();
  return std::sqrt(1 / kappa + m * m * alpha / beta - first * first);
}

double NormalInverseGamma::p_sharpe_above(double s) const {
  // Given the precision l, mu / sigma is normal with mean m sqrt(l) and variance 1 / kappa.
  const boost::math::gamma_distribution<double> precision(alpha, 1 / beta);
  const auto density = [&](double l) {
    return boost::math::pdf(precision, l) * normal_cdf((m * std::sqrt(l) - s) * std::sqrt(kappa));
  };
  const double low = boost::math::quantile(precision, 1e-15);
  const double high = boost::math::quantile(boost::math::complement(precision, 1e-15));
  constexpr int kPieces = 8;
  double sum = 0;
  for (int i = 0; i < kPieces; ++i) {
    const double a = low + (high - low) * i / kPieces;
    sum += Quadrature::integrate(density, a, low + (high - low) * (i + 1) / kPieces, 5, 1e-12);
  }
  return sum;
}

NormalInverseGamma::Predictive NormalInverseGamma::predictive() const {
  return {2 * alpha, m, std::sqrt(beta * (kappa + 1) / (alpha * kappa))};
}

double NormalInverseGamma::p_next_above(double value) const {
  const Predictive p = predictive();
  return student_cdf((p.location - value) / p.scale, p.dof);
}

double student_log_likelihood(std::span<const double> x, double mu, double sigma, double nu) {
  double tail = 0;
  for (double v : x) {
    const double z = (v - mu) / sigma;
    tail += std::log1p(z * z / nu);
  }
  const double constant =
      log_gamma((nu + 1) / 2) - log_gamma(nu / 2) - 0.5 * std::log(nu * M_PI) - std::log(sigma);
  return static_cast<double>(x.size()) * constant - (nu + 1) / 2 * tail;
}

StudentPosterior student_posterior(std::span<const double> x) {
  WINNOW_REQUIRES(x.size() >= 5);
  constexpr std::size_t kMu = 161;
  constexpr std::size_t kSigma = 81;
  constexpr std::size_t kNu = 40;
  constexpr double kNuPriorMean = 29;
  const double centre = mean(x);
  const double sd = stdev(x);
  const double span = 5 * sd / std::sqrt(static_cast<double>(x.size()));
  const double mu_step = 2 * span / (kMu - 1);
  const double nu_low = std::log(0.5);
  const double nu_step = (std::log(200.0) - nu_low) / (kNu - 1);  // in ln(nu - 1)
  std::vector<double> log_p(kMu * kSigma * kNu);
  std::vector<double> mu(kMu);
  std::vector<double> sigma(kSigma);
  std::vector<double> nu(kNu);
  for (std::size_t i = 0; i < kMu; ++i) mu[i] = centre - span + mu_step * static_cast<double>(i);
  for (std::size_t j = 0; j < kSigma; ++j) {
    sigma[j] =
        sd * std::exp(std::log(0.4) + std::log(1.5 / 0.4) * static_cast<double>(j) / (kSigma - 1));
  }
  for (std::size_t k = 0; k < kNu; ++k) {
    nu[k] = 1 + std::exp(nu_low + nu_step * static_cast<double>(k));
  }
  double top = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < kMu; ++i) {
    for (std::size_t j = 0; j < kSigma; ++j) {
      for (std::size_t k = 0; k < kNu; ++k) {
        // The grid is even in ln(nu - 1): a point stands for a width proportional to nu - 1.
        const double value = student_log_likelihood(x, mu[i], sigma[j], nu[k]) -
                             (nu[k] - 1) / kNuPriorMean + std::log(nu[k] - 1);
        log_p[(i * kSigma + j) * kNu + k] = value;
        top = std::max(top, value);
      }
    }
  }
  StudentPosterior r;
  double total = 0;
  double mu_square = 0;
  for (std::size_t i = 0; i < kMu; ++i) {
    // A grid point stands for a cell; the cell that holds 0 counts in part.
    const double above = std::clamp((mu[i] + mu_step / 2) / mu_step, 0.0, 1.0);
    for (std::size_t j = 0; j < kSigma; ++j) {
      for (std::size_t k = 0; k < kNu; ++k) {
        const double p = std::exp(log_p[(i * kSigma + j) * kNu + k] - top);
        total += p;
        r.p_mu_above_0 += p * above;
        r.mu_mean += p * mu[i];
        mu_square += p * mu[i] * mu[i];
        r.scale_mean += p * sigma[j];
        r.nu_mean += p * nu[k];
      }
    }
  }
  r.p_mu_above_0 /= total;
  r.mu_mean /= total;
  r.mu_sd = std::sqrt(mu_square / total - r.mu_mean * r.mu_mean);
  r.scale_mean /= total;
  r.nu_mean /= total;
  return r;
}

RandomEffects random_effects(std::span<const double> y, std::span<const double> se) {
  WINNOW_REQUIRES(y.size() >= 2 && se.size() == y.size());
  WINNOW_REQUIRES(std::all_of(se.begin(), se.end(), [](double s) { return s > 0; }));
  const double k = static_cast<double>(y.size());
  RandomEffects r;
  double weight = 0;
  double weight2 = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double w = 1 / (se[i] * se[i]);
    weight += w;
    weight2 += w * w;
    r.fixed_mean += w * y[i];
  }
  r.fixed_mean /= weight;
  for (std::size_t i = 0; i < y.size(); ++i) {
    r.q += (y[i] - r.fixed_mean) * (y[i] - r.fixed_mean) / (se[i] * se[i]);
  }
  r.p_q = chi2_sf(r.q, k - 1);
  r.i2 = r.q > 0 ? std::max(0.0, (r.q - (k - 1)) / r.q) : 0;
  r.tau2 = std::max(0.0, (r.q - (k - 1)) / (weight - weight2 / weight));
  double random_weight = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double w = 1 / (se[i] * se[i] + r.tau2);
    random_weight += w;
    r.mean += w * y[i];
  }
  r.mean /= random_weight;
  r.se = 1 / std::sqrt(random_weight);
  r.p_mean_above_0 = normal_cdf(r.mean / r.se);
  r.predictive_sd = std::sqrt(r.tau2 + r.se * r.se);
  r.p_new_above_0 = normal_cdf(r.mean / r.predictive_sd);
  if (y.size() > 2) r.p_new_above_0_student = student_cdf(r.mean / r.predictive_sd, k - 2);
  const double plain = mean(y);
  const double spread = sum_of_squares(y, plain);
  // One variance for all: James and Stein's estimator has no other. That of the mean se, whatever
  // the order of the estimates.
  const double common = mean(se);
  const double keep = spread > 0 ? std::max(0.0, 1 - (k - 3) * common * common / spread) : 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    r.shrunk.push_back(r.mean + r.tau2 / (r.tau2 + se[i] * se[i]) * (y[i] - r.mean));
    r.james_stein.push_back(plain + keep * (y[i] - plain));
  }
  return r;
}

namespace {

using Complex = std::complex<double>;

/// Laplace transform in the horizon of the expected maximum drawdown at unit volatility:
/// (1 / s) * integral over h of E exp(-s T_h), T_h the time to a drawdown of h.
Complex drawdown_transform(Complex s, double drift) {
  const Complex delta = std::sqrt(drift * drift + 2.0 * s);
  const Complex rate = delta + drift;
  const double scale = std::max(rate.real(), 1e-12);
  const auto integrand = [&](double v) {
    const double h = v / scale;
    return 2.0 * delta * std::exp(-rate * h) /
           ((delta - drift) + (delta + drift) * std::exp(-2.0 * delta * h));
  };
  Complex sum = 0;
  for (double from = 0; from < 48; from += 2) {
    const auto real = [&](double v) { return integrand(v).real(); };
    const auto imaginary = [&](double v) { return integrand(v).imag(); };
    sum += Complex(Quadrature::integrate(real, from, from + 2, 6, 1e-12),
                   Quadrature::integrate(imaginary, from, from + 2, 6, 1e-12));
  }
  return sum / (scale * s);
}

}  // namespace

double expected_max_drawdown(double mu, double sigma, double horizon) {
  if (!(sigma > 0) || !(horizon > 0)) return mu < 0 && horizon > 0 ? -mu * horizon : 0;
  if (mu == 0) return std::sqrt(M_PI / 2) * sigma * std::sqrt(horizon);
  // Euler's inversion (Abate and Whitt 2006) at unit volatility.
  constexpr int kTerms = 11;
  std::vector<double> weight(2 * kTerms + 1, 1.0);
  weight[0] = 0.5;
  double binomial = 1;
  weight[2 * kTerms] = std::pow(2.0, -kTerms);
  for (int k = 1; k < kTerms; ++k) {
    binomial = binomial * (kTerms - k + 1) / k;
    weight[2 * kTerms - k] = weight[2 * kTerms - k + 1] + std::pow(2.0, -kTerms) * binomial;
  }
  double sum = 0;
  for (int k = 0; k <= 2 * kTerms; ++k) {
    const Complex s = Complex(kTerms * std::log(10.0) / 3, M_PI * k) / horizon;
    sum += (k % 2 == 0 ? 1 : -1) * weight[k] * drawdown_transform(s, mu / sigma).real();
  }
  return sigma * std::pow(10.0, kTerms / 3.0) / horizon * sum;
}

double max_drawdown_tail(double depth, double sigma, double horizon) {
  if (!(depth > 0)) return 1;
  if (!(sigma > 0) || !(horizon > 0)) return 0;
  constexpr int kTermsMax = 200;
  constexpr double kNegligible = 1e-18;
  const double a = depth / (sigma * std::sqrt(horizon));
  double sum = 0;
  if (a >= 1) {
    // By reflections: 4 (Q(a) - Q(3a) + Q(5a) - ...).
    for (int k = 0; k < kTermsMax; ++k) {
      const double term = 4 * normal_cdf(-(2 * k + 1) * a);
      sum += k % 2 == 0 ? term : -term;
      if (term < kNegligible) break;
    }
    return std::min(1.0, sum);
  }
  // By eigenfunctions of the interval: 1 - 4 / pi (exp(-c) - exp(-9 c) / 3 + ...), c = pi^2 / 8
  // a^2.
  const double c = M_PI * M_PI / (8 * a * a);
  for (int k = 0; k < kTermsMax; ++k) {
    const double odd = 2 * k + 1;
    const double term = 4 / (M_PI * odd) * std::exp(-odd * odd * c);
    sum += k % 2 == 0 ? term : -term;
    if (term < kNegligible) break;
  }
  return std::clamp(1 - sum, 0.0, 1.0);
}

}  // namespace winnow::sweeps::stats
