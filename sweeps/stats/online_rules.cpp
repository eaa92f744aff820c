#include "sweeps/stats/online_rules.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/check.hpp"

namespace winnow::sweeps::stats {

double online_gamma(std::size_t j) {
  const double n = static_cast<double>(j);
  return 0.07720838 * std::log(std::max(n, 2.0)) / (n * std::exp(std::sqrt(std::log(n))));
}

std::vector<OnlineTest> lond(std::span<const double> p, double alpha) {
  std::vector<OnlineTest> out;
  double rejections = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double level = alpha * online_gamma(i + 1) * (rejections + 1);
    out.push_back({level, p[i] <= level});
    rejections += out.back().reject ? 1 : 0;
  }
  return out;
}

std::vector<OnlineTest> lord_plus_plus(std::span<const double> p, double alpha, double w0) {
  WINNOW_REQUIRES(w0 > 0 && w0 <= alpha);
  std::vector<OnlineTest> out;
  std::vector<std::size_t> rejected;
  for (std::size_t i = 0; i < p.size(); ++i) {
    double level = w0 * online_gamma(i + 1);
    for (std::size_t r = 0; r < rejected.size(); ++r) {
      level += (r == 0 ? alpha - w0 : alpha) * online_gamma(i - rejected[r]);
    }
    out.push_back({level, p[i] <= level});
    if (out.back().reject) rejected.push_back(i);
  }
  return out;
}

}  // namespace winnow::sweeps::stats
