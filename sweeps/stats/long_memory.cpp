#include "sweeps/stats/long_memory.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/check.hpp"
#include "sweeps/stats/basic.hpp"

namespace winnow::sweeps::stats {
namespace {

std::optional<double> range_over_sd(std::span<const double> x) {
  const double m = mean(x);
  double sum = 0;
  double low = 0;
  double high = 0;
  bool first = true;
  for (double v : x) {
    sum += v - m;
    low = first ? sum : std::min(low, sum);
    high = first ? sum : std::max(high, sum);
    first = false;
  }
  const double s = stdev(x);
  if (!(high > low) || !(s > 0)) return std::nullopt;
  return (high - low) / s;
}

double mean_range(std::span<const double> x, std::size_t n) {
  std::vector<double> values;
  for (std::size_t from = 0; from + n <= x.size(); from += n) {
    if (const auto v = range_over_sd(x.subspan(from, n))) values.push_back(*v);
  }
  return mean(values);
}

std::vector<double> logs(const std::vector<std::size_t>& n) {
  std::vector<double> out;
  for (std::size_t v : n) out.push_back(std::log(static_cast<double>(v)));
  return out;
}

/// Mean square around the best straight line.
double detrended_square(std::span<const double> y) {
  std::vector<double> t;
  for (std::size_t i = 0; i < y.size(); ++i) t.push_back(static_cast<double>(i));
  const Line line = fit_line(t, y);
  double ss = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double e = y[i] - line.intercept - line.slope * t[i];
    ss += e * e;
  }
  return ss / static_cast<double>(y.size());
}

}  // namespace

double expected_rescaled_range(std::size_t n) {
  const double nd = static_cast<double>(n);
  double sum = 0;
  for (std::size_t i = 1; i < n; ++i) {
    sum += std::sqrt((nd - static_cast<double>(i)) / static_cast<double>(i));
  }
  const double middle =
      n <= 340 ? std::exp(log_gamma((nd - 1) / 2) - log_gamma(nd / 2)) / std::sqrt(M_PI)
               : 1 / std::sqrt(nd * M_PI / 2);
  return (nd - 0.5) / nd * middle * sum;
}

RescaledRange rescaled_range(std::span<const double> x) {
  WINNOW_REQUIRES(x.size() >= 32);
  RescaledRange r;
  std::vector<double> raw;
  std::vector<double> corrected;
  for (std::size_t n = x.size() / 2; n >= 8; n /= 2) {
    r.windows.push_back(n);
    r.values.push_back(mean_range(x, n));
    r.expected.push_back(expected_rescaled_range(n));
    raw.push_back(std::log(r.values.back()));
    corrected.push_back(raw.back() - std::log(r.expected.back()));
  }
  const std::vector<double> t = logs(r.windows);
  r.hurst = fit_line(t, raw).slope;
  r.hurst_corrected = fit_line(t, corrected).slope + 0.5;
  return r;
}

DetrendedFluctuation detrended_fluctuation(std::span<const double> x) {
  WINNOW_REQUIRES(x.size() >= 128);
  std::vector<std::size_t> windows;
  const double longest = static_cast<double>(x.size()) / 8;
  for (int k = 0;; ++k) {
    // A half power of two: exact at the even steps.
    const double size = 8 * std::ldexp(k % 2 == 0 ? 1.0 : std::sqrt(2.0), k / 2);
    if (size > longest) break;
    windows.push_back(static_cast<std::size_t>(size));
  }
  return detrended_fluctuation(x, std::move(windows));
}

DetrendedFluctuation detrended_fluctuation(std::span<const double> x,
                                           std::vector<std::size_t> windows) {
  WINNOW_REQUIRES(windows.size() >= 2);
  WINNOW_REQUIRES(std::all_of(windows.begin(), windows.end(),
                              [&](std::size_t w) { return w >= 3 && w < x.size(); }));
  DetrendedFluctuation d;
  d.windows = std::move(windows);
  std::vector<double> walk;
  const double m = mean(x);
  double sum = 0;
  for (double v : x) walk.push_back(sum += v - m);
  const std::span<const double> all(walk);
  std::vector<double> overlapping;
  for (const std::size_t n : d.windows) {
    std::vector<double> apart;
    for (std::size_t from = 0; from + n <= walk.size(); from += n) {
      apart.push_back(detrended_square(all.subspan(from, n)));
    }
    std::vector<double> shifted;
    for (std::size_t from = 0; from + n < walk.size(); from += n / 2) {
      shifted.push_back(detrended_square(all.subspan(from, n)));
    }
    d.log_fluctuation.push_back(0.5 * std::log(mean(apart)));
    overlapping.push_back(0.5 * std::log(mean(shifted)));
  }
  const std::vector<double> t = logs(d.windows);
  d.alpha = fit_line(t, d.log_fluctuation).slope;
  d.alpha_overlapping = fit_line(t, overlapping).slope;
  return d;
}

PowerLaw rescaled_range_power_law(std::span<const double> x) {
  PowerLaw p;
  const double end = std::log10(static_cast<double>(x.size()) - 1);
  for (int k = 0; 1 + 0.25 * k < end; ++k) {
    p.windows.push_back(static_cast<std::size_t>(std::pow(10.0, 1 + 0.25 * k)));
  }
  p.windows.push_back(x.size());
  std::vector<double> value;
  for (std::size_t n : p.windows) {
    p.values.push_back(mean_range(x, n));
    value.push_back(std::log(p.values.back()));
  }
  const Line line = fit_line(logs(p.windows), value);
  p.h = line.slope;
  p.c = std::exp(line.intercept);
  return p;
}

}  // namespace winnow::sweeps::stats
