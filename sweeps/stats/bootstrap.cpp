#include "sweeps/stats/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/check.hpp"
#include "base/rng.hpp"
#include "sweeps/stats/basic.hpp"

namespace winnow::sweeps::stats {
namespace {

double product(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Autocovariances and the bandwidth after which autocorrelations stay within the noise band.
struct LagWindow {
  std::vector<double> autocovariance;
  std::size_t bandwidth = 0;
};

LagWindow lag_window(std::span<const double> x) {
  const std::size_t n = x.size();
  const double nd = static_cast<double>(n);
  const double m = mean(x);
  std::vector<double> e;
  for (double v : x) e.push_back(v - m);
  const std::size_t run = std::max<std::size_t>(5, static_cast<std::size_t>(std::log10(nd)));
  const std::size_t lags =
      std::min(n - 2, static_cast<std::size_t>(std::ceil(std::sqrt(nd))) + run);
  const double band = 2 * std::sqrt(std::log10(nd) / nd);
  LagWindow w;
  std::vector<double> size;
  std::optional<std::size_t> quiet;
  const std::span<const double> all(e);
  for (std::size_t lag = 0; lag <= lags; ++lag) {
    const double cross = product(all.subspan(lag), all.first(n - lag));
    const auto later = all.subspan(lag + 1);
    const auto earlier = all.first(n - lag - 1);
    w.autocovariance.push_back(cross / nd);
    size.push_back(std::abs(cross) / std::sqrt(product(later, later) * product(earlier, earlier)));
    if (lag < run || quiet) continue;
    const bool still = std::all_of(size.begin() + static_cast<std::ptrdiff_t>(lag - run),
                                   size.begin() + static_cast<std::ptrdiff_t>(lag),
                                   [band](double s) { return s < band; });
    if (still) quiet = lag - run;
  }
  w.bandwidth = std::min(lags, quiet ? 2 * std::max<std::size_t>(*quiet, 1) : lags);
  return w;
}

}  // namespace

BlockLength optimal_block_length(std::span<const double> x) {
  BlockLength b;
  if (x.size() < 10 || !(variance(x) > 0)) return b;
  const double n = static_cast<double>(x.size());
  const LagWindow w = lag_window(x);
  double g = 0;
  double spectrum = w.autocovariance[0];
  for (std::size_t k = 1; k <= w.bandwidth; ++k) {
    const double share = static_cast<double>(k) / static_cast<double>(w.bandwidth);
    const double weight = share <= 0.5 ? 1 : 2 * (1 - share);
    g += 2 * weight * static_cast<double>(k) * w.autocovariance[k];
    spectrum += 2 * weight * w.autocovariance[k];
  }
  const double longest = std::ceil(std::min(3 * std::sqrt(n), n / 3));
  const auto length = [&](double d) {
    return std::min(std::cbrt(2 * g * g / d) * std::cbrt(n), longest);
  };
  b.stationary = length(2 * spectrum * spectrum);
  b.circular = length(4.0 / 3 * spectrum * spectrum);
  return b;
}

double usable_block(double estimate, std::size_t n) {
  if (!(estimate >= 1)) return 1;
  return std::min(estimate, static_cast<double>(n));
}

std::vector<std::size_t> stationary_indices(std::span<const std::size_t> starts,
                                            std::span<const double> uniforms, double mean_block) {
  const std::size_t n = starts.size();
  std::vector<std::size_t> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    const bool fresh = i == 0 || uniforms[i] <= 1 / mean_block;
    out[i] = fresh ? starts[i] : (out[i - 1] + 1) % n;
  }
  return out;
}

std::vector<std::size_t> stationary_indices(std::size_t n, double mean_block, std::uint64_t seed,
                                            std::uint64_t replication) {
  Rng rng(seed, replication);
  std::vector<std::size_t> starts(n);
  std::vector<double> uniforms(n);
  for (std::size_t i = 0; i < n; ++i) {
    starts[i] = rng.below(n);
    uniforms[i] = rng.uniform();
  }
  return stationary_indices(starts, uniforms, mean_block);
}

std::vector<std::size_t> circular_indices(std::size_t n, std::size_t block,
                                          std::span<const std::size_t> starts) {
  std::vector<std::size_t> out;
  for (std::size_t start : starts) {
    for (std::size_t k = 0; k < block && out.size() < n; ++k) out.push_back((start + k) % n);
  }
  return out;
}

BootstrapSummary bootstrap(std::span<const double> x, const Statistic& statistic,
                           const std::vector<std::vector<std::size_t>>& resamples, double level) {
  WINNOW_REQUIRES(resamples.size() >= 2);
  BootstrapSummary s;
  s.estimate = statistic(x);
  std::vector<double> values;
  std::vector<double> sample;
  for (const auto& rows : resamples) {
    sample.clear();
    for (std::size_t t : rows) sample.push_back(x[t]);
    values.push_back(statistic(sample));
  }
  const double tail = (1 - level) / 2;
  s.mean = mean(values);
  s.stderr_ = stdev(values);
  s.percentile = {quantile(values, tail), quantile(values, 1 - tail)};
  s.basic = {2 * s.estimate - s.percentile.high, 2 * s.estimate - s.percentile.low};
  double below = 0;
  for (double v : values) {
    below += v < s.estimate ? 1 : 0;
    s.share_not_positive += v <= 0 ? 1 / static_cast<double>(values.size()) : 0;
  }
  s.z0 = normal_quantile(below / static_cast<double>(values.size()));
  std::vector<double> left_out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sample.assign(x.begin(), x.end());
    sample.erase(sample.begin() + static_cast<std::ptrdiff_t>(i));
    left_out.push_back(statistic(sample));
  }
  const double centre = mean(left_out);
  double square = 0;
  double cube = 0;
  for (double v : left_out) {
    square += (centre - v) * (centre - v);
    cube += std::pow(centre - v, 3);
  }
  s.acceleration = square > 0 ? cube / (6 * std::pow(square, 1.5)) : 0;
  const auto adjusted = [&](double p) {
    const double z = s.z0 + normal_quantile(p);
    return quantile(values, normal_cdf(s.z0 + z / (1 - s.acceleration * z)));
  };
  s.bca = std::isfinite(s.z0) ? Interval{adjusted(tail), adjusted(1 - tail)} : s.percentile;
  return s;
}

}  // namespace winnow::sweeps::stats
