#include "sweeps/stats/parzen.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "sweeps/stats/basic.hpp"

namespace winnow::sweeps::stats {
namespace {

constexpr std::size_t kFullWeight = 25;
constexpr double kPriorWeight = 1;

/// Observations by age and the prior, normalised.
std::vector<double> mixture_weights(std::size_t n) {
  std::vector<double> w = tpe_weights(n);
  w.push_back(kPriorWeight);
  const double sum = std::accumulate(w.begin(), w.end(), 0.0);
  for (double& v : w) v /= sum;
  return w;
}

}  // namespace

std::size_t tpe_good_count(std::size_t n) { return std::min<std::size_t>((n + 9) / 10, 25); }

std::size_t hyperopt_good_count(std::size_t n) {
  const double good = std::ceil(0.25 * std::sqrt(static_cast<double>(n)));
  return std::min<std::size_t>(static_cast<std::size_t>(good), 25);
}

std::vector<double> tpe_weights(std::size_t n) {
  std::vector<double> w(n, 1.0);
  if (n <= kFullWeight) return w;
  const std::size_t ramp = n - kFullWeight;
  const double first = 1 / static_cast<double>(n);
  for (std::size_t i = 0; i < ramp; ++i) {
    const double share = ramp > 1 ? static_cast<double>(i) / static_cast<double>(ramp - 1) : 0;
    w[i] = first + (1 - first) * share;
  }
  return w;
}

TpeSplit tpe_split(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  const auto good = static_cast<std::ptrdiff_t>(tpe_good_count(values.size()));
  TpeSplit s{{order.begin(), order.begin() + good}, {order.begin() + good, order.end()}};
  std::sort(s.below.begin(), s.below.end());
  std::sort(s.above.begin(), s.above.end());
  return s;
}

ParzenFloat::ParzenFloat(std::span<const double> observations, double low, double high)
    : low_(low),
      high_(high),
      weights_(mixture_weights(observations.size())),
      means_(observations.begin(), observations.end()) {
  means_.push_back((low + high) / 2);
  const std::size_t n = means_.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return means_[a] < means_[b]; });
  const auto at = [&](std::size_t k) {
    return k == 0 ? low_ : (k > n ? high_ : means_[order[k - 1]]);
  };
  sigmas_.resize(n);
  for (std::size_t k = 1; k <= n; ++k) {
    double left = at(k) - at(k - 1);
    double right = at(k + 1) - at(k);
    // The ends of the range are no neighbours once there are two points.
    if (n >= 2 && k == 1) left = right;
    if (n >= 2 && k == n) right = left;
    sigmas_[order[k - 1]] = std::max(left, right);
  }
  const double widest = high - low;
  const double narrowest = widest / std::min(100.0, 1 + static_cast<double>(n));
  for (double& s : sigmas_) s = std::clamp(s, narrowest, widest);
  sigmas_.back() = widest;
}

double ParzenFloat::log_mixture(double x, bool per_sigma) const {
  double top = -std::numeric_limits<double>::infinity();
  std::vector<double> terms;
  for (std::size_t k = 0; k < means_.size(); ++k) {
    const double z = (x - means_[k]) / sigmas_[k];
    const double inside =
        normal_cdf((high_ - means_[k]) / sigmas_[k]) - normal_cdf((low_ - means_[k]) / sigmas_[k]);
    terms.push_back(std::log(weights_[k]) - 0.5 * z * z - 0.5 * std::log(2 * M_PI) -
                    (per_sigma ? std::log(sigmas_[k]) : 0.0) - std::log(inside));
    top = std::max(top, terms.back());
  }
  double sum = 0;
  for (double t : terms) sum += std::exp(t - top);
  return top + std::log(sum);
}

ParzenCategorical::ParzenCategorical(std::span<const std::size_t> observations, std::size_t choices)
    : weights_(mixture_weights(observations.size())), probability_(choices, 0.0) {
  const double base = kPriorWeight / static_cast<double>(observations.size() + 1);
  const double total = 1 + base * static_cast<double>(choices);
  for (std::size_t k = 0; k < observations.size(); ++k) {
    for (std::size_t c = 0; c < choices; ++c) {
      probability_[c] += weights_[k] * (base + (c == observations[k] ? 1 : 0)) / total;
    }
  }
  for (double& p : probability_) p += weights_.back() / static_cast<double>(choices);
}

double ParzenCategorical::log_density(std::size_t choice) const {
  return std::log(probability_[choice]);
}

}  // namespace winnow::sweeps::stats
