#include "serve/report/charts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "serve/report/html.hpp"
#include "serve/report/plot.hpp"

namespace winnow::serve::report {
namespace {

constexpr std::size_t kPointsMax = 450;  // as many as the plot has pixels

std::vector<double> pick(const std::vector<double>& values, std::span<const std::size_t> at) {
  std::vector<double> out;
  for (const std::size_t i : at) out.push_back(i < values.size() ? values[i] : std::nan(""));
  return out;
}

// The deepest point of each stretch that one pixel stands for.
std::vector<double> pick_deepest(const std::vector<double>& values,
                                 std::span<const std::size_t> at) {
  std::vector<double> out;
  std::size_t first = 0;
  for (const std::size_t last : at) {
    double deepest = std::nan("");
    for (std::size_t i = first; i <= last && i < values.size(); ++i) {
      if (!(values[i] <= deepest)) deepest = values[i];
    }
    out.push_back(-deepest);
    first = last + 1;
  }
  return out;
}

std::string names_attribute(const Curves& curves, std::span<const std::size_t> at) {
  std::string out = "class=\"hover\" data-x=\"";
  for (std::size_t i = 0; i < at.size(); ++i) {
    out += (i == 0 ? "" : ",") + time_name(curves.period_start_ns, at[i]);
  }
  return out + "\"";
}

std::vector<double> as_doubles(std::span<const std::size_t> at) { return {at.begin(), at.end()}; }

std::vector<Plot::Tick> number_ticks(Plot::Range range, int count, int decimals,
                                     const char* suffix) {
  std::vector<Plot::Tick> ticks;
  for (const double v : nice_ticks(range.low, range.high, count)) {
    ticks.push_back({v, fixed(v, decimals) + suffix});
  }
  return ticks;
}

int decimals_for(Plot::Range range) {
  const double span = range.high - range.low;
  return span < 0.05 ? 3 : span < 20 ? 2 : 0;
}

const char* time_title(const Curves& curves) {
  return curves.period_start_ns.empty() ? "day of the window" : "date (UTC)";
}

}  // namespace

std::string equity_chart(const Family& family, const std::string& id) {
  const Curves& c = family.curves;
  const std::vector<std::size_t> at = spread(c.median.size(), kPointsMax);
  const std::vector<double> xs = as_doubles(at);
  const auto best = pick(c.best, at);
  const auto centre = pick(c.centre, at);
  const auto median = pick(c.median, at);
  const auto low = pick(c.low, at);
  const auto high = pick(c.high, at);
  const std::array<std::span<const double>, 5> all = {best, centre, median, low, high};
  const Plot::Range range = range_of(all);
  const double last = static_cast<double>(std::max<std::size_t>(c.median.size(), 2) - 1);
  Plot plot(280, {0, last}, range);
  plot.y_axis(number_ticks(range, 5, decimals_for(range), "×"), "equity / initial cash");
  if (range.low < 1 && range.high > 1) {
    plot.add("<path class=\"zero\" d=\"M" + coordinate(plot.left()) + " " + coordinate(plot.y(1)) +
             "H" + coordinate(plot.right()) + "\"/>");
  }
  plot.x_axis(time_ticks(c.period_start_ns, c.median.size()), time_title(c));
  plot.band(xs, low, high, "bandfill");
  plot.line(xs, high, "edge", "95th percentile");
  plot.line(xs, low, "edge", "5th percentile");
  plot.line(xs, median, "s-median", "median of all variants");
  std::string legend =
      legend_entry("k-band", "5–95 % of variants") + legend_entry("k-median", "median");
  if (!c.centre.empty()) {
    plot.line(xs, centre, "s-centre", "plateau centre");
    legend += legend_entry("k-centre", "plateau centre");
  }
  if (!c.best.empty()) {
    plot.line(xs, best, "s-best", "best Sharpe");
    legend += legend_entry("k-best", "best Sharpe");
  }
  return figure(
      "Equity",
      plot.finish(id, "Equity of " + family.name + " on " + family.data, names_attribute(c, at)),
      legend,
      "Growth of the initial cash after all costs, at the end of each UTC day. The band "
      "is taken day by day over every variant, so it is not the path of any one of them.");
}

std::string drawdown_chart(const Family& family, const std::string& id) {
  const Curves& c = family.curves;
  const std::vector<std::size_t> at = spread(c.median_drawdown.size(), kPointsMax);
  const std::vector<double> xs = as_doubles(at);
  auto best = pick_deepest(c.best_drawdown, at);
  auto centre = pick_deepest(c.centre_drawdown, at);
  auto median = pick_deepest(c.median_drawdown, at);
  for (auto* column : {&best, &centre, &median}) {
    for (double& v : *column) v *= 100;
  }
  const std::array<std::span<const double>, 3> all = {best, centre, median};
  Plot::Range range = range_of(all);
  range.high = 0;
  if (range.low >= -0.1) range.low = -1;
  const double last = static_cast<double>(std::max<std::size_t>(c.median_drawdown.size(), 2) - 1);
  Plot plot(280, {0, last}, range);
  plot.y_axis(number_ticks(range, 5, range.low < -5 ? 0 : 1, " %"), "drawdown");
  plot.x_axis(time_ticks(c.period_start_ns, c.median_drawdown.size()), time_title(c));
  plot.line(xs, median, "s-median", "median of all variants, %");
  std::string legend = legend_entry("k-median", "median");
  if (!c.centre_drawdown.empty()) {
    plot.line(xs, centre, "s-centre", "plateau centre, %");
    legend += legend_entry("k-centre", "plateau centre");
  }
  if (!c.best_drawdown.empty()) {
    plot.line(xs, best, "s-best", "best Sharpe, %");
    legend += legend_entry("k-best", "best Sharpe");
  }
  return figure(
      "Drawdown",
      plot.finish(id, "Drawdown of " + family.name + " on " + family.data, names_attribute(c, at)),
      legend,
      "Fall of equity from its highest point so far (initial cash included), in percent "
      "of that point. Each pixel shows the deepest day it stands for.");
}

namespace {

// The density of skill-less Sharpes, as counts a bin of this histogram.
void draw_noise(Plot& plot, const Histogram& h, double sd) {
  if (sd <= 0) return;
  std::vector<double> xs;
  std::vector<double> ys;
  constexpr int kSteps = 200;
  const double high = h.low + h.bin_width * static_cast<double>(h.counts.size());
  for (int i = 0; i <= kSteps; ++i) {
    const double x = h.low + (high - h.low) * i / kSteps;
    xs.push_back(x);
    ys.push_back(static_cast<double>(h.finite) * h.bin_width / sd *
                 std::exp(-x * x / (2 * sd * sd)) / std::sqrt(2 * std::numbers::pi));
  }
  plot.line(xs, ys, "s-noise", "noise");
}

// A vertical line with a label in its own row above the plot.
void draw_mark(Plot& plot, double value, double row, const char* css, const std::string& text) {
  const double px = plot.x(value);
  const bool left = px > (plot.left() + plot.right()) / 2;
  plot.add("<path class=\"mark " + std::string(css) + "\" d=\"M" + coordinate(px) + " " +
           coordinate(row - 8) + "V" + coordinate(plot.bottom()) + "\"/>");
  plot.label(px + (left ? -6 : 6), row, text,
             "class=\"note " + std::string(css) + (left ? " end\"" : "\""));
}

}  // namespace

std::string sharpe_chart(const Family& family, const std::string& id) {
  const Histogram& h = family.sharpe;
  const FamilyScore& s = family.score;
  const double high = h.low + h.bin_width * static_cast<double>(h.counts.size());
  double tallest = 1;
  for (const std::uint64_t n : h.counts) tallest = std::max(tallest, static_cast<double>(n));
  if (s.noise.sd_ann > 0) {
    tallest = std::max(tallest, static_cast<double>(h.finite) * h.bin_width / s.noise.sd_ann /
                                    std::sqrt(2 * std::numbers::pi));
  }
  Plot plot(300, {h.low, high}, {0, tallest * 1.04},
            {.left = 66, .right = 14, .top = 40, .bottom = 40});
  plot.y_axis(number_ticks({0, tallest * 1.04}, 4, tallest < 8 ? 1 : 0, ""), "variants per bin");
  plot.x_axis(number_ticks({h.low, high}, 8,
                           high - h.low > 8   ? 0
                           : high - h.low < 3 ? 2
                                              : 1,
                           ""),
              "Sharpe, annual");
  for (std::size_t b = 0; b < h.counts.size(); ++b) {
    if (h.counts[b] == 0) continue;
    const double from = h.low + h.bin_width * static_cast<double>(b);
    const double px = plot.x(from);
    const double py = plot.y(static_cast<double>(h.counts[b]));
    plot.add("<rect class=\"bin\" x=\"" + coordinate(px) + "\" y=\"" + coordinate(py) +
             "\" width=\"" + coordinate(plot.x(from + h.bin_width) - px - 0.6) + "\" height=\"" +
             coordinate(plot.bottom() - py) + "\"><title>" + grouped(h.counts[b]) +
             " variants with Sharpe " + fixed(from, 2) + " to " + fixed(from + h.bin_width, 2) +
             "</title></rect>");
  }
  draw_noise(plot, h, s.noise.sd_ann);
  if (s.noise.max_ann > h.low && s.noise.max_ann < high) {
    draw_mark(plot, s.noise.max_ann, 14, "m-noise",
              "best of " + grouped(s.ledger_trials) + " by luck: " + fixed(s.noise.max_ann, 2));
  }
  if (std::isfinite(s.best_sharpe_ann)) {
    draw_mark(plot, s.best_sharpe_ann, 30, "m-best", "best here: " + fixed(s.best_sharpe_ann, 2));
  }
  std::string caption = "All " + grouped(h.finite) +
                        " variants with a measurable Sharpe. Curve: what as many "
                        "variants without any edge would show over the same " +
                        grouped(s.score.periods) + " days (normal, sd " + fixed(s.noise.sd_ann, 2) +
                        "). Line: expected largest Sharpe of all " + grouped(s.ledger_trials) +
                        " trials ever made on this dataset if none had an edge (False "
                        "Strategy Theorem; correlated trials lower the true bar).";
  if (h.below > 0) {
    caption += " Not drawn: " + grouped(h.below) + " below " + fixed(h.low, 1) + ".";
  }
  return figure(
      "Sharpe of every variant against noise",
      plot.finish(id, "Distribution of Sharpe of " + family.name + " on " + family.data, ""),
      legend_entry("k-bin", "variants") + legend_entry("k-noise", "no edge at all"), caption);
}

std::string influence_chart(const Family& family, const std::string& id) {
  constexpr double kRow = 22;
  constexpr std::size_t kRowsMax = 12;
  const std::size_t rows = std::min(kRowsMax, family.influence.size());
  const double height = kRow * static_cast<double>(rows) + 46;
  Plot plot(height, {0, 1}, {0, static_cast<double>(rows)},
            {.left = 150, .right = 56, .top = 4, .bottom = 40});
  plot.x_axis(number_ticks({0, 1}, 4, 2, ""), "share of the variance of Sharpe explained (η²)");
  for (std::size_t i = 0; i < rows; ++i) {
    const Influence& one = family.influence[i];
    const double py = plot.top() + kRow * static_cast<double>(i) + 3;
    plot.label(plot.left() - 8, py + 12, one.param, "class=\"tick end\"");
    plot.add("<rect class=\"bin\" x=\"" + coordinate(plot.left()) + "\" y=\"" + coordinate(py) +
             "\" width=\"" + coordinate(std::max(1.0, plot.x(one.eta2) - plot.left())) +
             "\" height=\"15\"/>");
    plot.label(plot.x(one.eta2) + 6, py + 12, fixed(one.eta2, 3), "class=\"tick\"");
  }
  return figure("Which parameters matter",
                plot.finish(id, "Influence of parameters of " + family.name, ""), "",
                "One-way analysis of variance of Sharpe over all variants, one parameter at a "
                "time: 0 means the parameter alone tells nothing, 1 that it tells everything.");
}

}  // namespace winnow::serve::report
