#include "sweeps/stats/haircut.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.hpp"
#include "base/rng.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/multiplicity.hpp"

namespace winnow::sweeps::stats {
namespace {

constexpr double kMonthsPerYear = 12;

double periods_per_year(Frequency f) {
  switch (f) {
    case Frequency::Daily:
      return 360;
    case Frequency::Weekly:
      return 52;
    case Frequency::Monthly:
      return 12;
    case Frequency::Quarterly:
      return 4;
    case Frequency::Annual:
      return 1;
  }
  return 12;
}

/// Lo's correction of an annual ratio for autocorrelation of lag one.
double autocorrelation_factor(double rho, double q) {
  if (q <= 1) return 1;
  const double tail = (1 - std::pow(rho, q)) / (q * (1 - rho));
  return 1 / std::sqrt(1 + 2 * rho / (1 - rho) * (1 - tail));
}

/// The adjusted p of the last element of `p`.
double adjusted_last(Correction correction, std::span<const double> p) {
  return adjust(correction, p).back();
}

}  // namespace

HaircutSingle haircut_single(const HaircutInput& in) {
  const double q = periods_per_year(in.frequency);
  HaircutSingle s;
  s.months = std::floor(in.observations * kMonthsPerYear / q);
  s.sharpe_ann = in.annualised ? in.sharpe : in.sharpe * std::sqrt(q);
  if (in.correct_autocorrelation) s.sharpe_ann *= autocorrelation_factor(in.autocorrelation, q);
  s.t_ratio = s.sharpe_ann / std::sqrt(kMonthsPerYear) * std::sqrt(s.months);
  s.p = 2 * student_cdf(-std::abs(s.t_ratio), s.months - 1);
  return s;
}

HaircutResult haircut_from_p(const HaircutSingle& s, double adjusted_p) {
  HaircutResult r;
  r.p = adjusted_p;
  const double z = -student_quantile(adjusted_p / 2, s.months - 1);
  r.sharpe_ann = z / std::sqrt(s.months) * std::sqrt(kMonthsPerYear);
  r.haircut_frac = (s.sharpe_ann - r.sharpe_ann) / s.sharpe_ann;
  return r;
}

Haircuts haircuts(const HaircutInput& in, const std::vector<std::vector<double>>& t_panel) {
  WINNOW_REQUIRES(!t_panel.empty());
  Haircuts h;
  h.single = haircut_single(in);
  std::vector<double> holm;
  std::vector<double> bhy;
  for (const auto& draw : t_panel) {
    std::vector<double> p;
    for (std::size_t k = 0; k < std::min(in.tests, draw.size()); ++k) {
      p.push_back(2 * normal_cdf(-std::abs(draw[k])));
    }
    p.push_back(h.single.p);
    holm.push_back(adjusted_last(Correction::Holm, p));
    bhy.push_back(adjusted_last(Correction::HarveyLiuBhy, p));
  }
  const double bonferroni = std::min(1.0, h.single.p * static_cast<double>(in.tests));
  const double p_holm = median(holm);
  const double p_bhy = median(bhy);
  h.bonferroni = haircut_from_p(h.single, bonferroni);
  h.holm = haircut_from_p(h.single, p_holm);
  h.bhy = haircut_from_p(h.single, p_bhy);
  h.average = haircut_from_p(h.single, (bonferroni + p_holm + p_bhy) / 3);
  return h;
}

HlzModel hlz_model(double rho) {
  struct Point {
    double rho, total, p0, mean;
  };
  constexpr std::array<Point, 5> kPoints{{{0.0, 1295, 0.39660, 0.0054995},
                                          {0.2, 1377, 0.44589, 0.0055508},
                                          {0.4, 1476, 0.48604, 0.0055413},
                                          {0.6, 1773, 0.59902, 0.0055512},
                                          {0.8, 3109, 0.83901, 0.0055956}}};
  const double r = std::clamp(rho, 0.0, 0.8);
  const auto k = std::min<std::size_t>(3, static_cast<std::size_t>(r / 0.2));
  const Point& a = kPoints[k];
  const Point& b = kPoints[k + 1];
  const double w = (r - a.rho) / (b.rho - a.rho);
  return {a.p0 + w * (b.p0 - a.p0), a.total + w * (b.total - a.total),
          a.mean + w * (b.mean - a.mean)};
}

std::vector<std::vector<double>> simulate_t_panel(double rho, std::size_t tests, std::size_t draws,
                                                  std::uint64_t seed) {
  const HlzModel model = hlz_model(rho);
  // A mean of 240 months at 15% annual volatility has this standard deviation.
  const double unit = 0.15 / std::sqrt(kMonthsPerYear) / std::sqrt(240.0);
  std::vector<std::vector<double>> panel(draws, std::vector<double>(tests));
  const auto normal = [](Rng& rng) { return normal_quantile(std::max(0x1.0p-54, rng.uniform())); };
  for (std::size_t d = 0; d < draws; ++d) {
    Rng rng(seed, d);
    const double common = normal(rng);
    for (double& t : panel[d]) {
      const double shock = std::sqrt(rho) * common + std::sqrt(1 - rho) * normal(rng);
      const bool real = rng.uniform() > model.null_frac;
      const double mean = real ? -model.mean_monthly * std::log(1 - rng.uniform()) : 0;
      t = std::abs(mean / unit + shock);
    }
  }
  return panel;
}

}  // namespace winnow::sweeps::stats
