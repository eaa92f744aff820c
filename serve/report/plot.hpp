#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace winnow::serve::report {

/// Purpose: the frame of a chart: maps values to the drawing and writes axes. Units of the drawing
/// are CSS pixels at the width the figure was drawn for. Thread: one.
class Plot {
 public:
  static constexpr double kWidth = 520;

  struct Range {
    double low = 0;
    double high = 1;
  };
  struct Margins {
    double left = 66;
    double right = 14;
    double top = 12;
    double bottom = 40;
  };

  Plot(double height, Range x, Range y) : Plot(height, x, y, Margins{}) {}
  Plot(double height, Range x, Range y, Margins margins)
      : height_(height), x_(x), y_(y), margins_(margins) {}

  double left() const { return margins_.left; }
  double right() const { return kWidth - margins_.right; }
  double top() const { return margins_.top; }
  double bottom() const { return height_ - margins_.bottom; }
  double x(double v) const;
  double y(double v) const;

  void add(std::string_view svg) { body_ += svg; }
  /// Text at a place; `extra` are further attributes. `text` is escaped here.
  void label(double px, double py, std::string_view text, std::string_view extra);

  struct Tick {
    double value = 0;
    std::string text;
  };
  void y_axis(std::span<const Tick> ticks, std::string_view title);
  void x_axis(std::span<const Tick> ticks, std::string_view title);
  /// A line through the finite values; `name` and the values are for the reader's tooltip.
  void line(std::span<const double> xs, std::span<const double> ys, std::string_view css,
            std::string_view name);
  void band(std::span<const double> xs, std::span<const double> low, std::span<const double> high,
            std::string_view css);

  /// The whole <svg>. `attributes` go to its tag.
  std::string finish(std::string_view id, std::string_view title,
                     std::string_view attributes) const;

 private:
  double height_;
  Range x_, y_;
  Margins margins_;
  std::string body_;
};

/// <figure> around a drawing. `caption` is HTML.
std::string figure(std::string_view title, std::string_view svg, std::string_view legend,
                   std::string_view caption);

/// One entry of a legend: a swatch of a class and its text.
std::string legend_entry(std::string_view css, std::string_view text);

/// The smallest range around all finite values, widened by 4% and never empty.
Plot::Range range_of(std::span<const std::span<const double>> columns);

/// Indices of at most `limit` of n points, evenly spread, the last one included.
std::vector<std::size_t> spread(std::size_t n, std::size_t limit);

/// Dates or period numbers under a time axis, and what one of the points is called.
std::vector<Plot::Tick> time_ticks(std::span<const std::int64_t> start_ns, std::size_t periods);
std::string time_name(std::span<const std::int64_t> start_ns, std::size_t period);

}  // namespace winnow::serve::report
