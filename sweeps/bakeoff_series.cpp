#include "sweeps/bakeoff_series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/metrics.hpp"
#include "sweeps/stats/validation.hpp"

namespace winnow::sweeps {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kPeriodsPerYear = 365;
constexpr std::size_t kChunk = 256;

double finite_or_nan(double v) { return std::isfinite(v) ? v : kNan; }

SeriesFigures figures_of(std::vector<double> returns) {
  SeriesFigures s;
  s.returns = std::move(returns);
  s.sharpe_interval = {kNan, kNan};
  s.sharpe_ann = kNan;
  s.cagr_frac = kNan;
  s.drawdown_frac = kNan;
  s.mar = kNan;
  if (s.returns.size() < 2) return s;
  s.cagr_frac = finite_or_nan(stats::cagr(s.returns, kPeriodsPerYear));
  s.drawdown_frac = std::fabs(stats::drawdowns(s.returns).maximum);
  s.measured = stats::stdev(s.returns) > 0;
  if (s.measured) s.sharpe_ann = stats::sharpe(s.returns) * std::sqrt(kPeriodsPerYear);
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

struct Pick {
  double sharpe = -std::numeric_limits<double>::infinity();
  double mean = 0;  // per period of training
  std::uint32_t variant = 0;
  bool found = false;
};

/// The variant with the best Sharpe of each training window, the first of equals.
std::vector<Pick> pick_variants(const PanelView& panel, std::span<const std::uint32_t> rows,
                                std::span<const stats::WalkForwardSplit> splits,
                                const ParallelFor& parallel) {
  const std::size_t chunks = (rows.size() + kChunk - 1) / kChunk;
  std::vector<std::vector<Pick>> best(chunks, std::vector<Pick>(splits.size()));
  parallel(chunks, [&](std::size_t c) {
    std::vector<double> returns(panel.periods());
    for (std::size_t k = c * kChunk; k < std::min(rows.size(), (c + 1) * kChunk); ++k) {
      for (std::size_t t = 0; t < returns.size(); ++t) returns[t] = panel.at(rows[k], t);
      for (std::size_t w = 0; w < splits.size(); ++w) {
        const auto& train = splits[w].train;
        const auto part = std::span(returns).subspan(train.first, train.last - train.first);
        const double mean = stats::mean(part);
        const double sd = stats::stdev(part);
        if (!(sd > 0) || mean / sd <= best[c][w].sharpe) continue;
        best[c][w] = {mean / sd, mean, rows[k], true};
      }
    }
  });
  std::vector<Pick> out(splits.size());
  for (const auto& chunk : best) {
    for (std::size_t w = 0; w < splits.size(); ++w) {
      if (chunk[w].found && chunk[w].sharpe > out[w].sharpe) out[w] = chunk[w];
    }
  }
  return out;
}

void add_walk_forward(const PanelView& panel, std::span<const std::uint32_t> rows,
                      const BakeoffOptions& options, const ParallelFor& parallel,
                      EntrantFigures& out) {
  const auto splits = stats::walk_forward_splits(
      {.periods = panel.periods(), .train = options.train, .test = options.test});
  const auto picks = pick_variants(panel, rows, splits, parallel);
  std::vector<double> stitched;
  double trained = 0;
  std::size_t positive = 0;
  for (std::size_t w = 0; w < splits.size(); ++w) {
    double sum = 0;
    for (std::size_t t = splits[w].test.first; t < splits[w].test.last; ++t) {
      // Nothing moved in training: nothing is held, so that all families keep one calendar.
      const double r = picks[w].found ? panel.at(picks[w].variant, t) : 0;
      stitched.push_back(r);
      sum += r;
    }
    trained += picks[w].mean;
    positive += sum > 0 ? 1 : 0;
  }
  out.windows = splits.size();
  out.efficiency = kNan;
  out.windows_positive_frac = kNan;
  if (!splits.empty()) {
    const double n = static_cast<double>(splits.size());
    // A loss in training has nothing that a test could keep.
    if (trained > 0) out.efficiency = finite_or_nan(stats::mean(stitched) / (trained / n));
    out.windows_positive_frac = static_cast<double>(positive) / n;
  }
  out.walk_forward = figures_of(std::move(stitched));
}

}  // namespace

EntrantFigures describe_entrant(const Entrant& entrant, const BakeoffOptions& options,
                                const ParallelFor& parallel) {
  EntrantFigures out;
  out.name = entrant.name;
  const auto rows = usable_rows(entrant.panel);
  out.variants = rows.size();
  out.portfolio = figures_of(portfolio_of(entrant.panel, rows));
  add_walk_forward(entrant.panel, rows, options, parallel, out);
  out.centre = figures_of(entrant.centre);
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

std::vector<double> resampled_sharpes(const SeriesFigures& series, const stats::IndexRows& rows) {
  std::vector<double> out;
  out.reserve(rows.size());
  std::vector<double> sample(series.returns.size());
  for (const auto& indices : rows) {
    for (std::size_t t = 0; t < indices.size(); ++t) sample[t] = series.returns[indices[t]];
    const double sd = stats::stdev(sample);
    out.push_back(sd > 0 ? stats::mean(sample) / sd * std::sqrt(kPeriodsPerYear) : kNan);
  }
  return out;
}

}  // namespace winnow::sweeps
