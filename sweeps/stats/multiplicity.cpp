#include "sweeps/stats/multiplicity.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.hpp"

namespace winnow::sweeps::stats {
namespace {

using Sorted = std::vector<double>;  // ascending p-values

/// 1 - (1 - p)^k without cancellation.
double sidak_power(double p, double k) { return p >= 1 ? 1.0 : -std::expm1(k * std::log1p(-p)); }

double harmonic(std::size_t m) {
  double sum = 0;
  for (std::size_t i = 1; i <= m; ++i) sum += 1 / static_cast<double>(i);
  return sum;
}

/// Step-down: each adjusted value is at least the one before.
Sorted running_max(Sorted v) {
  for (std::size_t i = 1; i < v.size(); ++i) v[i] = std::max(v[i], v[i - 1]);
  return v;
}

/// Step-up: each adjusted value is at most the one after.
Sorted running_min(Sorted v) {
  for (std::size_t i = v.size(); i-- > 1;) v[i - 1] = std::min(v[i - 1], v[i]);
  return v;
}

template <class F>
Sorted each(const Sorted& p, F f) {
  Sorted out(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) out[i] = f(p[i], i);
  return out;
}

Sorted benjamini_hochberg(const Sorted& p, double factor) {
  const double m = static_cast<double>(p.size());
  return running_min(each(
      p, [&](double v, std::size_t i) { return v / (static_cast<double>(i + 1) / m) * factor; }));
}

/// Largest Simes bound over all closed subsets (Wright 1992's loop). Quadratic in the tests.
Sorted hommel(const Sorted& p) {
  Sorted a = p;
  const std::size_t n = p.size();
  for (std::size_t m = n; m > 1; --m) {
    const double md = static_cast<double>(m);
    double simes = md * p[n - m];
    for (std::size_t k = 1; k <= m; ++k) {
      simes = std::min(simes, md * p[n - m + k - 1] / static_cast<double>(k));
    }
    for (std::size_t i = n - m; i < n; ++i) a[i] = std::max(a[i], simes);
    for (std::size_t i = 0; i < n - m; ++i) a[i] = std::max(a[i], std::min(md * p[i], simes));
  }
  return a;
}

Sorted two_stage(const Sorted& p, double alpha) {
  Sorted first = benjamini_hochberg(p, 1);
  const auto rejected = static_cast<std::size_t>(
      std::count_if(first.begin(), first.end(), [&](double v) { return v <= alpha; }));
  if (rejected == 0 || rejected == p.size()) return first;
  const double share = static_cast<double>(p.size() - rejected) / static_cast<double>(p.size());
  for (double& v : first) v = std::min(1.0, v) * share;
  return first;
}

Sorted harvey_liu_bhy(const Sorted& p) {
  const double scale = static_cast<double>(p.size()) * harmonic(p.size());
  Sorted v = each(p, [&](double x, std::size_t i) {
    return i + 1 == p.size() ? x : x * scale / static_cast<double>(i + 1);
  });
  return running_min(std::move(v));
}

Sorted adjust_sorted(Correction correction, const Sorted& p, double alpha) {
  const double m = static_cast<double>(p.size());
  const auto remaining = [&](std::size_t i) { return m - static_cast<double>(i); };
  switch (correction) {
    case Correction::Bonferroni:
      return each(p, [&](double v, std::size_t) { return v * m; });
    case Correction::Sidak:
      return each(p, [&](double v, std::size_t) { return sidak_power(v, m); });
    case Correction::Holm:
      return running_max(each(p, [&](double v, std::size_t i) { return v * remaining(i); }));
    case Correction::HolmSidak:
      return running_max(
          each(p, [&](double v, std::size_t i) { return sidak_power(v, remaining(i)); }));
    case Correction::Hochberg:
      return running_min(each(p, [&](double v, std::size_t i) { return v * remaining(i); }));
    case Correction::Hommel:
      return hommel(p);
    case Correction::BenjaminiHochberg:
      return benjamini_hochberg(p, 1);
    case Correction::BenjaminiYekutieli:
      return benjamini_hochberg(p, harmonic(p.size()));
    case Correction::TwoStageBh:
      return two_stage(p, alpha);
    case Correction::HarveyLiuBhy:
      return harvey_liu_bhy(p);
  }
  return p;
}

}  // namespace

std::vector<double> adjust(Correction correction, std::span<const double> p, double alpha) {
  WINNOW_REQUIRES(std::all_of(p.begin(), p.end(), [](double one) { return one >= 0 && one <= 1; }));
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  Sorted sorted;
  for (std::size_t i : order) sorted.push_back(p[i]);
  const Sorted adjusted = adjust_sorted(correction, sorted, alpha);
  std::vector<double> out(p.size());
  for (std::size_t i = 0; i < order.size(); ++i) out[order[i]] = std::min(1.0, adjusted[i]);
  return out;
}

std::vector<bool> reject(Correction correction, std::span<const double> p, double alpha) {
  std::vector<bool> out;
  for (double v : adjust(correction, p, alpha)) out.push_back(v <= alpha);
  return out;
}

}  // namespace winnow::sweeps::stats
