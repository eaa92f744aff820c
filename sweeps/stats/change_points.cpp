#include "sweeps/stats/change_points.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/numbers.hpp"
#include "sweeps/stats/basic.hpp"

namespace winnow::sweeps::stats {
namespace {

/// Sums of squares about the mean of any segment, from prefix sums of the centred series.
class SegmentSquares {
 public:
  explicit SegmentSquares(std::span<const double> x) : sum_(x.size() + 1), square_(x.size() + 1) {
    const double m = mean(x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double d = x[i] - m;
      sum_[i + 1] = sum_[i] + d;
      square_[i + 1] = square_[i] + d * d;
    }
  }
  double operator()(std::size_t first, std::size_t last) const {
    const double s = sum_[last] - sum_[first];
    const double v = square_[last] - square_[first] - s * s / static_cast<double>(last - first);
    return std::max(v, 0.0);
  }

 private:
  std::vector<double> sum_, square_;
};

}  // namespace

const MeanShifts::Model& MeanShifts::selected() const {
  return *std::min_element(models.begin(), models.end(),
                           [](const Model& a, const Model& b) { return a.bic < b.bic; });
}

MeanShifts mean_shifts(std::span<const double> x, std::size_t segment_min, std::size_t breaks_max) {
  WINNOW_REQUIRES(segment_min >= 1 && x.size() >= segment_min);
  const SegmentSquares squares(x);
  const std::size_t n = x.size();
  const double nd = static_cast<double>(n);
  MeanShifts out;
  // best[t]: least squares of x[0, t) with the current number of breaks; from[m][t]: its last
  // break.
  std::vector<double> best(n + 1, kInf);
  for (std::size_t t = segment_min; t <= n; ++t) best[t] = squares(0, t);
  std::vector<std::vector<std::size_t>> from;
  for (std::size_t m = 0; m <= breaks_max && (m + 1) * segment_min <= n; ++m) {
    if (m > 0) {
      std::vector<double> next(n + 1, kInf);
      from.emplace_back(n + 1, 0);
      for (std::size_t t = (m + 1) * segment_min; t <= n; ++t) {
        for (std::size_t s = m * segment_min; s + segment_min <= t; ++s) {
          const double v = best[s] + squares(s, t);
          if (v < next[t]) {
            next[t] = v;
            from.back()[t] = s;
          }
        }
      }
      best = std::move(next);
    }
    MeanShifts::Model model;
    model.rss = best[n];
    model.bic = nd * (std::log(model.rss) + 1 - std::log(nd) + std::log(2 * M_PI)) +
                std::log(nd) * static_cast<double>(2 * m + 2);
    std::size_t t = n;
    for (std::size_t k = m; k > 0; --k) {
      t = from[k - 1][t];
      model.breaks.insert(model.breaks.begin(), t);
    }
    out.models.push_back(std::move(model));
  }
  return out;
}

namespace {

/// P(sup of a Brownian bridge's size > x).
double kolmogorov_tail(double x) {
  // Below this it is 1 but for 1e-12, and the series converges no more.
  if (x < 0.2) return 1;
  double p = 0;
  for (int k = 1; k <= 200; ++k) {
    const double term = 2 * std::exp(-2.0 * k * k * x * x);
    p += k % 2 == 1 ? term : -term;
  }
  return std::clamp(p, 0.0, 1.0);
}

}  // namespace

SupremumTest ols_cusum(std::span<const double> x) {
  SupremumTest r;
  const double m = mean(x);
  const double scale = stdev(x) * std::sqrt(static_cast<double>(x.size()));
  if (!(scale > 0)) return r;
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += x[i] - m;
    if (std::abs(sum) / scale > r.statistic) {
      r.statistic = std::abs(sum) / scale;
      r.break_index = i + 1;
    }
  }
  r.p = kolmogorov_tail(r.statistic);
  return r;
}

double ols_cusum_critical(double level) {
  double low = 0.2;
  double high = 6;
  for (int k = 0; k < 100; ++k) {
    const double middle = (low + high) / 2;
    (kolmogorov_tail(middle) > level ? low : high) = middle;
  }
  return std::round(high * 100) / 100;
}

SupremumTest sup_f(std::span<const double> x) {
  // Hansen's surface for one parameter, 15% trimming: chi-squared law of a linear transform.
  constexpr double kIntercept = -0.98828874;
  constexpr double kSlope = 1.01604712;
  constexpr double kDof = 2.96752918;
  constexpr double kTrim = 0.15;
  SupremumTest r;
  const SegmentSquares squares(x);
  const std::size_t n = x.size();
  const double nd = static_cast<double>(n);
  const double whole = squares(0, n);
  const auto first = std::max<std::size_t>(1, static_cast<std::size_t>(std::floor(kTrim * nd)));
  const auto last = static_cast<std::size_t>(std::floor((1 - kTrim) * nd));
  for (std::size_t k = first; k <= last && k < n; ++k) {
    const double parts = squares(0, k) + squares(k, n);
    if (!(parts > 0)) continue;
    const double f = (whole - parts) / (parts / (nd - 2));
    if (f > r.statistic) {
      r.statistic = f;
      r.break_index = k;
    }
  }
  r.p = chi2_sf(std::max(0.0, kIntercept + kSlope * r.statistic), kDof);
  return r;
}

Segmentation optimal_segments(std::span<const double> x, SegmentCost cost, double penalty,
                              std::size_t segment_min) {
  const SegmentSquares squares(x);
  const std::size_t n = x.size();
  const auto value = [&](std::size_t a, std::size_t b) {
    const double ss = squares(a, b);
    const double length = static_cast<double>(b - a);
    return cost == SegmentCost::Mean ? ss : length * std::log(ss / length + 1e-6);
  };
  std::vector<double> best(n + 1, kInf);
  std::vector<std::size_t> from(n + 1, 0);
  best[0] = -penalty;  // n segments have n - 1 breaks
  for (std::size_t t = segment_min; t <= n; ++t) {
    for (std::size_t s = 0; s + segment_min <= t; ++s) {
      if (best[s] == kInf) continue;
      const double v = best[s] + value(s, t) + penalty;
      if (v < best[t]) {
        best[t] = v;
        from[t] = s;
      }
    }
  }
  Segmentation out;
  if (best[n] == kInf) return out;
  out.cost = best[n];
  for (std::size_t t = n; t > 0; t = from[t]) out.ends.insert(out.ends.begin(), t);
  return out;
}

PageCusum page_cusum(std::span<const double> x, const PageOptions& o) {
  PageCusum r;
  const auto reference = x.first(std::min(o.reference, x.size()));
  const double m = mean(reference);
  const double s = stdev(reference);
  if (!(s > 0)) return r;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double z = (x[i] - m) / s;
    r.up = std::max(0.0, r.up + z - o.k);
    r.down = std::max(0.0, r.down - z - o.k);
    if (!r.first_alarm && (r.up > o.h || r.down > o.h)) r.first_alarm = i;
  }
  return r;
}

double inclan_tiao(std::span<const double> x) {
  const double m = mean(x);
  double total = 0;
  for (double v : x) total += (v - m) * (v - m);
  if (!(total > 0)) return 0;
  double sum = 0;
  double largest = 0;
  const double n = static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += (x[i] - m) * (x[i] - m);
    largest = std::max(largest, std::abs(sum / total - static_cast<double>(i + 1) / n));
  }
  return std::sqrt(n / 2) * largest;
}

}  // namespace winnow::sweeps::stats
