#include "serve/report/backtest_plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "serve/report/html.hpp"
#include "serve/report/plot.hpp"

namespace winnow::serve::report {
namespace {

constexpr std::size_t kPoints = 500;
constexpr std::size_t kTradesMax = 120;
constexpr double kHead = 46;
constexpr double kPriceHeight = 200;
constexpr double kEquityHeight = 200;

constexpr std::string_view kStyle =
    "svg{font:12px system-ui,\"DejaVu Sans\",sans-serif}text{fill:#1b2026;font-size:11.5px}"
    ".paper{fill:#fff}.tick,.axis,.sub{fill:#5d6875}.head{font-size:14px;font-weight:600}"
    ".mid{text-anchor:middle}.end{text-anchor:end}path{fill:none}.grid{stroke:#e9ecf0}"
    ".base{stroke:#5d6875;stroke-width:.8}.line{stroke-width:1.5;stroke-linejoin:round}"
    ".s-price{stroke:#5d6875;stroke-width:1}.s-net{stroke:#0072b2}.s-hold{stroke:#5d6875;"
    "stroke-dasharray:4 3}.in-long{fill:#007f5f}.in-short{fill:#d55e00}.out{stroke:#1b2026;"
    "stroke-width:1.2}"
    "@media(prefers-color-scheme:dark){text{fill:#e7ebf0}.paper{fill:#12161b}.tick,.axis,.sub{"
    "fill:#9aa7b5}.grid{stroke:#242c35}.base,.s-price,.s-hold{stroke:#9aa7b5}.s-net{stroke:#56b4e9}"
    ".in-long{fill:#3fc79a}.in-short{fill:#ff9248}.out{stroke:#e7ebf0}}";

/// Bars of the window that are drawn, and where.
struct Sampled {
  std::vector<std::size_t> bars;  // counted from the window's first
  std::vector<double> at;
};

Sampled sample(std::size_t bars) {
  Sampled out;
  out.bars = spread(bars, kPoints);
  for (const std::size_t b : out.bars) out.at.push_back(static_cast<double>(b));
  return out;
}

std::vector<Plot::Tick> round_ticks(Plot::Range range) {
  std::vector<Plot::Tick> out;
  for (const double v : nice_ticks(range.low, range.high, 4)) {
    if (v >= range.low && v <= range.high) out.push_back({v, exact(std::round(v * 1e9) / 1e9)});
  }
  return out;
}

// A triangle for an entry, a small cross for an exit.
void draw_trades(Plot& plot, const BacktestPlot& in) {
  const auto first = in.market.time_ns.begin() + static_cast<std::ptrdiff_t>(in.window.first);
  const auto bar_of = [&](std::int64_t time_ns) {
    return static_cast<double>(std::lower_bound(first, in.market.time_ns.end(), time_ns) - first);
  };
  for (const engine::Trade& trade : in.backtest.trades) {
    const bool longs = trade.side == engine::Side::Long;
    const std::string at = coordinate(plot.x(bar_of(trade.entry_time_ns)));
    const double y = plot.y(trade.entry_px) + (longs ? 7 : -7);
    plot.add("<path class=\"" + std::string(longs ? "in-long" : "in-short") + "\" d=\"M" + at +
             " " + coordinate(y) + (longs ? "m-4 4h8l-4-7z" : "m-4-4h8l-4 7z") + "\"/>");
    plot.add("<path class=\"out\" d=\"M" + coordinate(plot.x(bar_of(trade.exit_time_ns))) + " " +
             coordinate(plot.y(trade.exit_px)) + "m-2.5-2.5l5 5m0-5l-5 5\"/>");
  }
}

std::vector<Plot::Tick> days_of(const BacktestPlot& in, std::size_t bars) {
  const std::vector<std::int64_t> times(
      in.market.time_ns.begin() + static_cast<std::ptrdiff_t>(in.window.first),
      in.market.time_ns.begin() + static_cast<std::ptrdiff_t>(in.window.last));
  return time_ticks(times, bars);
}

std::string price_part(const BacktestPlot& in, const Sampled& points, std::size_t bars) {
  std::vector<double> close;
  for (const std::size_t b : points.bars) close.push_back(in.market.close[in.window.first + b]);
  const std::span<const double> columns[] = {close};
  const Plot::Range range = range_of(columns);
  Plot plot(kPriceHeight, {0, static_cast<double>(bars - 1)}, range);
  plot.y_axis(round_ticks(range), "price");
  plot.line(points.at, close, "s-price", "close");
  if (in.backtest.trades.size() <= kTradesMax) draw_trades(plot, in);
  plot.x_axis(days_of(in, bars), "");
  return plot.finish("price", "The price and the fills of closed trades",
                     "y=\"" + coordinate(kHead) + "\" width=\"" + coordinate(Plot::kWidth) +
                         "\" height=\"" + coordinate(kPriceHeight) + "\"");
}

std::string equity_part(const BacktestPlot& in, const Sampled& points, std::size_t bars) {
  std::vector<double> net;
  std::vector<double> holding;
  const double first = in.market.close[in.window.first];
  for (const std::size_t b : points.bars) {
    net.push_back(in.backtest.equity[b] / in.initial_cash);
    holding.push_back(in.market.close[in.window.first + b] / first);
  }
  const std::span<const double> columns[] = {net, holding};
  const Plot::Range range = range_of(columns);
  Plot plot(kEquityHeight, {0, static_cast<double>(bars - 1)}, range);
  plot.y_axis(round_ticks(range), "of what it began with");
  plot.line(points.at, holding, "s-hold", "holding");
  plot.line(points.at, net, "s-net", "strategy, net");
  plot.x_axis(days_of(in, bars), "solid: the strategy, net of costs; dashed: holding");
  return plot.finish("equity", "Equity of the strategy and of holding",
                     "y=\"" + coordinate(kHead + kPriceHeight) + "\" width=\"" +
                         coordinate(Plot::kWidth) + "\" height=\"" + coordinate(kEquityHeight) +
                         "\"");
}

}  // namespace

std::string backtest_svg(const BacktestPlot& in) {
  const std::size_t bars = in.window.last - in.window.first;
  const Sampled points = sample(bars);
  const double height = kHead + kPriceHeight + kEquityHeight;
  const std::size_t trades = in.backtest.trades.size();
  std::string subtitle(in.subtitle);
  subtitle += "; " + std::to_string(trades) + " closed trades";
  if (trades > kTradesMax) subtitle += ", too many to be drawn";
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + coordinate(Plot::kWidth) +
         "\" height=\"" + coordinate(height) + "\" viewBox=\"0 0 " + coordinate(Plot::kWidth) +
         " " + coordinate(height) + "\"><style>" + std::string(kStyle) +
         "</style><rect class=\"paper\" width=\"100%\" height=\"100%\"/><text class=\"head\" "
         "x=\"14\" y=\"20\">" +
         escape(in.title) + "</text><text class=\"sub\" x=\"14\" y=\"37\">" + escape(subtitle) +
         "</text>" + price_part(in, points, bars) + equity_part(in, points, bars) + "</svg>\n";
}

}  // namespace winnow::serve::report
