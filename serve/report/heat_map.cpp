#include <algorithm>
#include <cmath>

#include "serve/report/charts.hpp"
#include "serve/report/html.hpp"
#include "serve/report/plot.hpp"

namespace winnow::serve::report {
namespace {

constexpr double kTop = 6;
constexpr double kBottom = 44;
constexpr double kScaleHeight = 34;

// Symmetric around zero, so that the neutral colour always means no edge.
double extent_of(const HeatMap& map) {
  double extent = 0;
  for (const double v : map.median) {
    if (std::isfinite(v)) extent = std::max(extent, std::fabs(v));
  }
  return extent > 0 ? extent : 1;
}

int heat_class(double v, double extent) {
  const int half = kHeatClasses / 2;
  return std::clamp(half + static_cast<int>(std::lround(v / extent * half)), 0, kHeatClasses - 1);
}

std::string with_unit(const std::string& name, const std::string& unit) {
  return unit.empty() ? name : name + " (" + unit + ")";
}

void draw_cells(Plot& plot, const HeatMap& map, double extent) {
  const std::size_t columns = map.x_labels.size();
  for (std::size_t y = 0; y < map.y_labels.size(); ++y) {
    for (std::size_t x = 0; x < columns; ++x) {
      const double v = map.median[y * columns + x];
      const double px = plot.x(static_cast<double>(x));
      const double py = plot.y(static_cast<double>(y) + 1);
      const double width = plot.x(static_cast<double>(x) + 1) - px;
      const double height = plot.y(static_cast<double>(y)) - py;
      const std::string css =
          std::isfinite(v) ? "h" + std::to_string(heat_class(v, extent)) : "none";
      plot.add("<path class=\"" + css + "\" d=\"M" + coordinate(px) + " " + coordinate(py) + "h" +
               coordinate(width - 0.5) + "v" + coordinate(height - 0.5) + "h" +
               coordinate(0.5 - width) + "z\"><title>" + escape(map.x_name) + " " +
               escape(map.x_labels[x]) + ", " + escape(map.y_name) + " " + escape(map.y_labels[y]) +
               ": " +
               (std::isfinite(v) ? "median Sharpe " + fixed(v, 3) : std::string("no variant")) +
               " (" + grouped(map.count[y * columns + x]) + ")</title></path>");
    }
  }
}

// As many labels as have room.
void draw_labels(Plot& plot, const HeatMap& map) {
  const std::size_t columns = map.x_labels.size();
  const std::size_t rows = map.y_labels.size();
  std::size_t longest = 1;
  for (const std::string& text : map.x_labels) longest = std::max(longest, text.size());
  const double cell = (plot.right() - plot.left()) / static_cast<double>(columns);
  const double wanted = 6.2 * static_cast<double>(longest) + 8;
  const auto every = static_cast<std::size_t>(std::max(1.0, std::ceil(wanted / cell)));
  for (std::size_t x = 0; x < columns; x += every) {
    plot.label(plot.x(static_cast<double>(x) + 0.5), plot.bottom() + 15, map.x_labels[x],
               "class=\"tick mid\"");
  }
  const double row = (plot.bottom() - plot.top()) / static_cast<double>(rows);
  const auto skip = static_cast<std::size_t>(std::max(1.0, std::ceil(14 / row)));
  for (std::size_t y = 0; y < rows; y += skip) {
    plot.label(plot.left() - 6, plot.y(static_cast<double>(y) + 0.5) + 3.5, map.y_labels[y],
               "class=\"tick end\"");
  }
  const double middle = (plot.left() + plot.right()) / 2;
  plot.label(middle, plot.bottom() + 33, with_unit(map.x_name, map.x_unit), "class=\"axis mid\"");
  const double centre = (plot.top() + plot.bottom()) / 2;
  plot.label(12, centre, with_unit(map.y_name, map.y_unit),
             "class=\"axis mid\" transform=\"rotate(-90 12 " + coordinate(centre) + ")\"");
}

void draw_scale(Plot& plot, double extent, double top) {
  constexpr double kWidth = 9;
  const double left = plot.left() + 44;
  for (int i = 0; i < kHeatClasses; ++i) {
    plot.add("<rect class=\"h" + std::to_string(i) + "\" x=\"" + coordinate(left + kWidth * i) +
             "\" y=\"" + coordinate(top) + "\" width=\"9\" height=\"9\"/>");
  }
  const double right = left + kWidth * kHeatClasses;
  plot.label(left - 6, top + 8.5, fixed(-extent, 2), "class=\"tick end\"");
  plot.label(right + 6, top + 8.5, fixed(extent, 2) + " median Sharpe, annual", "class=\"tick\"");
}

}  // namespace

std::string heat_map(const HeatMap& map, const std::string& id) {
  const double extent = extent_of(map);
  const double body = std::clamp(18.0 * static_cast<double>(map.y_labels.size()), 90.0, 250.0);
  const double height = kTop + body + kBottom + kScaleHeight;
  std::size_t longest = 1;
  for (const std::string& text : map.y_labels) longest = std::max(longest, text.size());
  const double left = std::clamp(30 + 6.2 * static_cast<double>(longest), 52.0, 130.0);
  Plot plot(height, {0, static_cast<double>(map.x_labels.size())},
            {0, static_cast<double>(map.y_labels.size())},
            {.left = left, .right = 14, .top = kTop, .bottom = kBottom + kScaleHeight});
  draw_cells(plot, map, extent);
  draw_labels(plot, map);
  draw_scale(plot, extent, height - 18);
  std::string caption =
      "Cell: median annual Sharpe over all other parameters. Shown "
      "are the two parameters that explain most of the variance of Sharpe, each "
      "alone.";
  if (map.centre_x && map.centre_y) {
    const double px = plot.x(static_cast<double>(*map.centre_x) + 0.5);
    const double py = plot.y(static_cast<double>(*map.centre_y) + 0.5);
    plot.add("<path class=\"centre\" d=\"M" + coordinate(px) + " " + coordinate(py - 7) +
             "l7 7l-7 7l-7 -7z\"><title>plateau centre</title></path>");
    caption +=
        " Diamond: the plateau centre, the variant whose neighbourhood does best on "
        "average.";
  }
  return figure(map.x_name + " × " + map.y_name,
                plot.finish(id, "Heat map of " + map.x_name + " by " + map.y_name, ""), "",
                caption);
}

}  // namespace winnow::serve::report
