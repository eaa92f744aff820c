#include "sweeps/bakeoff_series.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/numbers.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/metrics.hpp"
#include "sweeps/stats/validation.hpp"
#include "sweeps/validation.hpp"

namespace winnow::sweeps {
namespace {

double finite_or_nan(double v) { return std::isfinite(v) ? v : kNaN; }

// `periods`: of the whole window, of which the series may be a part.
SeriesFigures figures_of(std::vector<double> returns, std::size_t periods,
                         const BakeoffOptions& options) {
  SeriesFigures s;
  s.returns = std::move(returns);
  s.sharpe_interval = {kNaN, kNaN};
  s.sharpe_ann = kNaN;
  s.cagr_frac = kNaN;
  s.drawdown_frac = kNaN;
  s.mar = kNaN;
  if (s.returns.size() < 2) return s;
  const auto n = static_cast<double>(s.returns.size());
  const double whole =
      options.years > 0 ? options.years : static_cast<double>(periods) / options.periods_per_year;
  const double years = whole * n / static_cast<double>(periods);
  const bool annual = years * engine::kDaysPerYear >= engine::kAnnualDaysMin;
  if (annual) s.cagr_frac = finite_or_nan(stats::cagr(s.returns, n / years));
  s.drawdown_frac = std::fabs(stats::drawdowns(s.returns).maximum);
  s.measured = stats::stdev(s.returns) > 0;
  if (s.measured && annual) {
    s.sharpe_ann = stats::sharpe(s.returns) * std::sqrt(options.periods_per_year);
  }
  if (s.drawdown_frac > 0) s.mar = finite_or_nan(s.cagr_frac / s.drawdown_frac);
  return s;
}

std::vector<std::uint32_t> usable_rows(const PanelView& panel) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t v = 0; v < panel.variants(); ++v) {
    bool finite = true;
    for (std::size_t t = 0; t < panel.periods() && finite; ++t) {
      finite = std::isfinite(panel.at(v, t));
    }
    if (finite) out.push_back(v);
  }
  return out;
}

// Equal weights every day. Variants are added up in one order: the same bits at any thread count.
std::vector<double> portfolio_of(const PanelView& panel, std::span<const std::uint32_t> rows) {
  std::vector<double> out(panel.periods(), 0.0);
  if (rows.empty()) return {};
  for (const std::uint32_t v : rows) {
    for (std::size_t t = 0; t < out.size(); ++t) out[t] += panel.at(v, t);
  }
  for (double& r : out) r /= static_cast<double>(rows.size());
  return out;
}

void add_walk_forward(const PanelView& panel, std::span<const std::uint32_t> rows,
                      const BakeoffOptions& options, const ParallelFor& parallel,
                      EntrantFigures& out) {
  const auto splits = stats::walk_forward_splits(
      {.periods = panel.periods(), .train = options.train, .test = options.test});
  std::vector<stats::Ranges> trainings;
  for (const auto& split : splits) trainings.push_back({split.train});
  const auto picks = pick_variants(panel.subset(rows), std::move(trainings), parallel);
  std::vector<double> stitched;
  double trained = 0;
  std::size_t picked = 0;
  std::size_t positive = 0;
  for (std::size_t w = 0; w < splits.size(); ++w) {
    double sum = 0;
    for (std::size_t t = splits[w].test.first; t < splits[w].test.last; ++t) {
      // Nothing moved in training: nothing is held, so that all families keep one calendar.
      const double r = picks[w].found ? panel.at(rows[picks[w].variant], t) : 0;
      stitched.push_back(r);
      sum += r;
    }
    trained += picks[w].mean;
    picked += picks[w].found ? 1 : 0;
    positive += sum > 0 ? 1 : 0;
  }
  out.windows = splits.size();
  out.efficiency = kNaN;
  out.windows_positive_frac = kNaN;
  if (!splits.empty()) {
    // A loss in training has nothing that a test could keep.
    if (trained > 0) {
      out.efficiency =
          finite_or_nan(stats::mean(stitched) / (trained / static_cast<double>(picked)));
    }
    out.windows_positive_frac = static_cast<double>(positive) / static_cast<double>(splits.size());
  }
  out.walk_forward = figures_of(std::move(stitched), panel.periods(), options);
}

}  // namespace

EntrantFigures describe_entrant(const Entrant& entrant, const BakeoffOptions& options,
                                const ParallelFor& parallel) {
  EntrantFigures out;
  out.name = entrant.name;
  const auto rows = usable_rows(entrant.panel);
  out.variants = rows.size();
  out.portfolio = figures_of(portfolio_of(entrant.panel, rows), entrant.panel.periods(), options);
  add_walk_forward(entrant.panel, rows, options, parallel, out);
  out.centre = figures_of(entrant.centre, entrant.panel.periods(), options);
  return out;
}

stats::IndexRows draw_rows(std::size_t periods, const BakeoffOptions& options, double mean_block,
                           const ParallelFor& parallel) {
  stats::IndexRows rows(options.resamples);
  constexpr std::size_t kRows = 64;
  parallel((rows.size() + kRows - 1) / kRows, [&](std::size_t c) {
    for (std::size_t b = c * kRows; b < std::min(rows.size(), (c + 1) * kRows); ++b) {
      rows[b] = stats::stationary_indices(periods, mean_block, options.seed, b);
    }
  });
  return rows;
}

std::vector<double> resampled_sharpes(const SeriesFigures& series, const stats::IndexRows& rows,
                                      double periods_per_year) {
  std::vector<double> out;
  out.reserve(rows.size());
  std::vector<double> sample(series.returns.size());
  for (const auto& indices : rows) {
    WINNOW_REQUIRES(indices.size() == sample.size());
    for (std::size_t t = 0; t < indices.size(); ++t) {
      WINNOW_REQUIRES(indices[t] < sample.size());
      sample[t] = series.returns[indices[t]];
    }
    const double sd = stats::stdev(sample);
    out.push_back(sd > 0 ? stats::mean(sample) / sd * std::sqrt(periods_per_year) : kNaN);
  }
  return out;
}

}  // namespace winnow::sweeps
