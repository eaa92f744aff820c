#include "sweeps/stats/low_discrepancy.hpp"

#include <algorithm>
#include <cmath>

namespace winnow::sweeps::stats {
namespace {

std::vector<std::uint64_t> first_primes(std::size_t count) {
  std::vector<std::uint64_t> primes;
  for (std::uint64_t n = 2; primes.size() < count; ++n) {
    bool prime = true;
    for (std::uint64_t p : primes) prime = prime && n % p != 0;
    if (prime) primes.push_back(n);
  }
  return primes;
}

/// Mean over points of the product over dimensions of f(x).
template <class F>
double mean_product(const Points& x, F f) {
  double sum = 0;
  for (const auto& point : x) {
    double product = 1;
    for (double v : point) product *= f(v);
    sum += product;
  }
  return sum / static_cast<double>(x.size());
}

/// The same over all pairs of points.
template <class F>
double mean_pair_product(const Points& x, F f) {
  double sum = 0;
  for (const auto& a : x) {
    for (const auto& b : x) {
      double product = 1;
      for (std::size_t k = 0; k < a.size(); ++k) product *= f(a[k], b[k]);
      sum += product;
    }
  }
  const double n = static_cast<double>(x.size());
  return sum / (n * n);
}

double power(double base, const Points& x) {
  return std::pow(base, static_cast<double>(x.front().size()));
}

double off_centre(double v) { return std::abs(v - 0.5); }

}  // namespace

std::vector<double> halton(std::uint64_t index, std::size_t dimensions) {
  std::vector<double> out;
  for (std::uint64_t base : first_primes(dimensions)) {
    double value = 0;
    double digit = 1;
    for (std::uint64_t i = index; i > 0; i /= base) {
      digit /= static_cast<double>(base);
      value += static_cast<double>(i % base) * digit;
    }
    out.push_back(value);
  }
  return out;
}

Points latin_hypercube(const std::vector<std::vector<std::size_t>>& permutations,
                       const Points& uniforms) {
  Points out = uniforms;
  const double n = static_cast<double>(permutations.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (std::size_t k = 0; k < out[i].size(); ++k) {
      out[i][k] = (static_cast<double>(permutations[i][k]) + uniforms[i][k]) / n;
    }
  }
  return out;
}

double centred_discrepancy(const Points& x) {
  const auto one = [](double v) {
    const double c = off_centre(v);
    return 1 + 0.5 * c - 0.5 * c * c;
  };
  const auto two = [](double a, double b) {
    return 1 + 0.5 * off_centre(a) + 0.5 * off_centre(b) - 0.5 * std::abs(a - b);
  };
  return power(13.0 / 12, x) - 2 * mean_product(x, one) + mean_pair_product(x, two);
}

double wraparound_discrepancy(const Points& x) {
  const auto two = [](double a, double b) {
    const double d = std::abs(a - b);
    return 1.5 - d * (1 - d);
  };
  return mean_pair_product(x, two) - power(4.0 / 3, x);
}

double mixture_discrepancy(const Points& x) {
  const auto one = [](double v) {
    const double c = off_centre(v);
    return 5.0 / 3 - 0.25 * c - 0.25 * c * c;
  };
  const auto two = [](double a, double b) {
    const double d = std::abs(a - b);
    return 15.0 / 8 - 0.25 * off_centre(a) - 0.25 * off_centre(b) - 0.75 * d + 0.5 * d * d;
  };
  return power(19.0 / 12, x) - 2 * mean_product(x, one) + mean_pair_product(x, two);
}

double l2_star_discrepancy(const Points& x) {
  const auto one = [](double v) { return 1 - v * v; };
  const auto two = [](double a, double b) { return 1 - std::max(a, b); };
  const double half = power(0.5, x);
  return std::sqrt(power(1.0 / 3, x) - 2 * half * mean_product(x, one) + mean_pair_product(x, two));
}

}  // namespace winnow::sweeps::stats
