#include "sweeps/stats/parzen.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.hpp"

namespace winnow::sweeps::stats {
namespace {

constexpr std::size_t kFullWeight = 25;

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

std::vector<double> tpe_choice_shares(std::span<const double> weight, double observations) {
  WINNOW_REQUIRES(!weight.empty());
  const auto choices = static_cast<double>(weight.size());
  const double base = 1 / (observations + 1);
  double all = 0;
  for (double w : weight) all += w;
  std::vector<double> out;
  for (double w : weight) {
    out.push_back(((w + base * all) / (1 + base * choices) + 1 / choices) / (all + 1));
  }
  return out;
}

}  // namespace winnow::sweeps::stats
