#include "sweeps/level/kin.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace winnow::sweeps::level {
namespace {

/// Rows with mean 0 and length 1, so that a correlation is one dot product; zeros if constant.
std::vector<double> standardised(const PanelView& panel) {
  const std::size_t n = panel.periods();
  std::vector<double> out(panel.variants() * n, 0);
  for (std::size_t v = 0; v < panel.variants(); ++v) {
    double mean = 0;
    for (std::size_t t = 0; t < n; ++t) mean += panel.at(v, t);
    mean /= static_cast<double>(n);
    double squares = 0;
    for (std::size_t t = 0; t < n; ++t) {
      const double d = panel.at(v, t) - mean;
      out[v * n + t] = d;
      squares += d * d;
    }
    const bool varies = squares > static_cast<double>(n) * mean * mean * 1e-24;
    const double scale = varies ? 1 / std::sqrt(squares) : 0;
    for (std::size_t t = 0; t < n; ++t) out[v * n + t] *= scale;
  }
  return out;
}

double dot(const double* a, const double* b, std::size_t n) {
  double sum = 0;
  for (std::size_t t = 0; t < n; ++t) sum += a[t] * b[t];
  return sum;
}

}  // namespace

std::vector<double> portfolio_of(const PanelView& panel) {
  const std::size_t n = panel.periods();
  const std::vector<double> rows = standardised(panel);
  std::vector<double> out(n, 0);
  for (std::size_t i = 0; i < rows.size(); ++i) out[i % n] += rows[i];
  for (double& r : out) r /= static_cast<double>(panel.variants());
  return out;
}

Kinship compare_families(const PanelView& earlier, const PanelView& later,
                         const KinLimits& limits) {
  WINNOW_REQUIRES(earlier.periods() == later.periods());
  Kinship out;
  const std::size_t n = later.periods();
  const std::vector<double> a = standardised(earlier);
  const std::vector<double> b = standardised(later);
  const std::vector<double> whole_a = portfolio_of(earlier);
  const std::vector<double> whole_b = portfolio_of(later);
  const std::vector<double> one_a = standardised(PanelView::of(whole_a, 1, n));
  const std::vector<double> one_b = standardised(PanelView::of(whole_b, 1, n));
  out.portfolio_correlation = dot(one_a.data(), one_b.data(), n);
  std::size_t twins = 0;
  for (std::size_t v = 0; v < later.variants(); ++v) {
    double best = -1;
    for (std::size_t w = 0; w < earlier.variants(); ++w) {
      best = std::max(best, dot(b.data() + v * n, a.data() + w * n, n));
    }
    out.best_twin.push_back(best);
    twins += best >= limits.twin_correlation ? 1 : 0;
  }
  out.share_with_twin = static_cast<double>(twins) / static_cast<double>(later.variants());
  out.kin = out.portfolio_correlation >= limits.portfolio_correlation ||
            out.share_with_twin >= limits.twin_share_frac;
  return out;
}

}  // namespace winnow::sweeps::level
