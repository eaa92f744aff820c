#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/check.hpp"
#include "base/det_math.hpp"
#include "sweeps/search/tpe.hpp"

namespace winnow::sweeps::search {
namespace {

constexpr std::size_t kBins = 256;
constexpr double kNarrowest = 0.01;
constexpr double kTapSigmas = 4;

double cdf(double z) { return 0.5 * std::erfc(-z * std::numbers::sqrt2 / 2); }

}  // namespace

void Kernels::fit(std::span<const double> observations, std::span<const double> weights,
                  std::uint64_t points) {
  WINNOW_REQUIRES(weights.size() == observations.size());
  WINNOW_REQUIRES(std::all_of(observations.begin(), observations.end(),
                              [](double x) { return x >= 0 && x <= 1; }));
  points_ = points;
  const std::size_t n = observations.size() + 1;
  centre_.assign(observations.begin(), observations.end());
  centre_.push_back(0.5);
  sigma_.resize(n);
  scale_.resize(n);
  cumulative_.resize(n);
  order_.resize(n);
  std::iota(order_.begin(), order_.end(), 0u);
  std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return centre_[a] != centre_[b] ? centre_[a] < centre_[b] : a < b;
  });
  const double narrowest = 1 / std::min(100.0, 1 + static_cast<double>(n));
  for (std::size_t k = 0; k < n; ++k) {
    const double here = centre_[order_[k]];
    double left = k > 0 ? here - centre_[order_[k - 1]] : 0;
    const double right = k + 1 < n ? centre_[order_[k + 1]] - here : left;
    if (k == 0) left = right;
    sigma_[order_[k]] = std::clamp(std::max(left, right), narrowest, 1.0);
  }
  sigma_.back() = 1;
  double sum = 0;
  for (std::size_t k = 0; k < n; ++k) {
    sum += k + 1 < n ? weights[k] : 1;
    cumulative_[k] = sum;
  }
  for (std::size_t k = 0; k < n; ++k) {
    const double w = (k + 1 < n ? weights[k] : 1) / sum;
    const double inside = cdf((1 - centre_[k]) / sigma_[k]) - cdf(-centre_[k] / sigma_[k]);
    scale_[k] = w / inside;
    if (points_ == 0) scale_[k] /= std::sqrt(2 * std::numbers::pi);
  }
}

double Kernels::operator()(double u) const {
  double sum = 0;
  if (points_ == 0) {
    for (std::size_t k = 0; k < centre_.size(); ++k) {
      const double z = (u - centre_[k]) / sigma_[k];
      sum += scale_[k] * det_exp(-0.5 * z * z);
    }
    return sum;
  }
  const double half = 0.5 / static_cast<double>(points_);
  for (std::size_t k = 0; k < centre_.size(); ++k) {
    const double d = u - centre_[k];
    sum += scale_[k] * (cdf((d + half) / sigma_[k]) - cdf((d - half) / sigma_[k]));
  }
  return sum;
}

std::vector<double> Kernels::shares() const {
  std::vector<double> out;
  double before = 0;
  for (const double c : cumulative_) {
    out.push_back((c - before) / cumulative_.back());
    before = c;
  }
  return out;
}

double Kernels::draw(Rng& rng) const {
  const double pick = rng.uniform() * cumulative_.back();
  const auto at = std::upper_bound(cumulative_.begin(), cumulative_.end(), pick);
  const auto k =
      std::min<std::size_t>(static_cast<std::size_t>(at - cumulative_.begin()), centre_.size() - 1);
  // A third of the draws at least lies inside: the centre does.
  for (int attempt = 0; attempt < 100; ++attempt) {
    const double u = centre_[k] + sigma_[k] * det_normal(rng);
    if (u >= 0 && u < 1) return u;
  }
  return centre_[k];
}

Histogram::Histogram(std::uint64_t points) : discrete_(points > 0 && points <= kBins) {
  const std::size_t bins = discrete_ ? static_cast<std::size_t>(points) : kBins;
  count_.assign(bins, 0);
  ages_.assign(bins, 0);
  const double sigma = kNarrowest * static_cast<double>(bins);
  const auto radius = static_cast<std::size_t>(std::ceil(kTapSigmas * sigma));
  for (std::size_t j = 0; j <= radius; ++j) {
    const auto x = static_cast<double>(j);
    taps_.push_back(cdf((x + 0.5) / sigma) - cdf((x - 0.5) / sigma));
  }
  for (std::size_t b = 0; b < bins; ++b) {
    const double x = static_cast<double>(b) + 0.5;
    inside_.push_back(1 / (cdf((static_cast<double>(bins) - x) / sigma) - cdf(-x / sigma)));
  }
}

std::size_t Histogram::bin(double u) const {
  const auto b = static_cast<std::size_t>(u * static_cast<double>(count_.size()));
  return std::min(b, count_.size() - 1);
}

void Histogram::change(double u, std::int64_t age, std::int64_t sign) {
  const std::size_t b = bin(u);
  count_[b] += sign;
  ages_[b] += sign * age;
  all_count_ += sign;
  all_ages_ += sign * age;
}

double Histogram::operator()(double u, std::uint64_t total) const {
  const std::size_t b = bin(u);
  const std::size_t last = count_.size() - 1;
  const std::size_t radius = taps_.size() - 1;
  const double base = 1 / static_cast<double>(total);
  const double slope = (1 - base) * base;
  double sum = 0;
  const std::size_t from = b > radius ? b - radius : 0;
  const std::size_t to = std::min(last, b + radius);
  for (std::size_t c = from; c <= to; ++c) {
    const double w = base * static_cast<double>(count_[c]) + slope * static_cast<double>(ages_[c]);
    sum += w * inside_[c] * taps_[c > b ? c - b : b - c];
  }
  // The prior: a normal law of width 1 at the middle.
  const double bins = static_cast<double>(count_.size());
  constexpr double kPriorInside = 0.3829249225480262;  // P(|z| < 1/2)
  const double z = (static_cast<double>(b) + 0.5) / bins - 0.5;
  sum += det_exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi) / kPriorInside / bins;
  const double weights =
      base * static_cast<double>(all_count_) + slope * static_cast<double>(all_ages_) + 1;
  return sum / weights * (discrete_ ? 1 : bins);
}

}  // namespace winnow::sweeps::search
