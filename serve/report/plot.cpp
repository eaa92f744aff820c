#include "serve/report/plot.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/time.hpp"
#include "serve/report/html.hpp"

namespace winnow::serve::report {

double Plot::x(double v) const {
  return left() + (v - x_.low) / (x_.high - x_.low) * (right() - left());
}

double Plot::y(double v) const {
  return bottom() - (v - y_.low) / (y_.high - y_.low) * (bottom() - top());
}

void Plot::label(double px, double py, std::string_view text, std::string_view extra) {
  body_ += "<text x=\"" + coordinate(px) + "\" y=\"" + coordinate(py) + "\"" +
           (extra.empty() ? "" : " ") + std::string(extra) + ">" + escape(text) + "</text>";
}

void Plot::y_axis(std::span<const Tick> ticks, std::string_view title) {
  for (const Tick& tick : ticks) {
    const std::string at = coordinate(y(tick.value));
    body_ += "<path class=\"grid\" d=\"M" + coordinate(left()) + " " + at + "H" +
             coordinate(right()) + "\"/>";
    label(left() - 7, y(tick.value) + 3.5, tick.text, "class=\"tick end\"");
  }
  const double middle = (top() + bottom()) / 2;
  label(12, middle, title,
        "class=\"axis mid\" transform=\"rotate(-90 12 " + coordinate(middle) + ")\"");
}

void Plot::x_axis(std::span<const Tick> ticks, std::string_view title) {
  body_ += "<path class=\"base\" d=\"M" + coordinate(left()) + " " + coordinate(bottom()) + "H" +
           coordinate(right()) + "\"/>";
  for (const Tick& tick : ticks) {
    const double px = x(tick.value);
    body_ += "<path class=\"base\" d=\"M" + coordinate(px) + " " + coordinate(bottom()) + "v4\"/>";
    // A label at the border would be cut off.
    const char* anchor = px > right() - 24 ? "class=\"tick end\"" : "class=\"tick mid\"";
    label(px > right() - 24 ? right() : px, bottom() + 17, tick.text, anchor);
  }
  label((left() + right()) / 2, height_ - 5, title, "class=\"axis mid\"");
}

void Plot::line(std::span<const double> xs, std::span<const double> ys, std::string_view css,
                std::string_view name) {
  std::string d;
  std::string values;
  bool pen_down = false;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (i > 0) values += ',';
    if (std::isfinite(ys[i])) values += exact(std::round(ys[i] * 1e4) / 1e4);
    if (!std::isfinite(ys[i])) {
      pen_down = false;
      continue;
    }
    d += (pen_down ? "L" : "M") + coordinate(x(xs[i])) + " " + coordinate(y(ys[i]));
    pen_down = true;
  }
  body_ += "<path class=\"line " + std::string(css) + "\" data-name=\"" + escape(name) +
           "\" data-v=\"" + values + "\" d=\"" + d + "\"/>";
}

void Plot::band(std::span<const double> xs, std::span<const double> low,
                std::span<const double> high, std::string_view css) {
  std::string d;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    d += (i == 0 ? "M" : "L") + coordinate(x(xs[i])) + " " + coordinate(y(high[i]));
  }
  for (std::size_t i = xs.size(); i-- > 0;) {
    d += "L" + coordinate(x(xs[i])) + " " + coordinate(y(low[i]));
  }
  body_ += "<path class=\"" + std::string(css) + "\" d=\"" + d + "Z\"/>";
}

std::string Plot::finish(std::string_view id, std::string_view title,
                         std::string_view attributes) const {
  return "<svg viewBox=\"0 0 " + coordinate(kWidth) + " " + coordinate(height_) +
         "\" role=\"img\" aria-labelledby=\"" + escape(id) + "\"" +
         (attributes.empty() ? "" : " ") + std::string(attributes) + "><title id=\"" + escape(id) +
         "\">" + escape(title) + "</title>" + body_ + "</svg>";
}

std::string figure(std::string_view title, std::string_view svg, std::string_view legend,
                   std::string_view caption) {
  std::string out = "<figure><h4>" + escape(title) + "</h4>";
  if (!legend.empty()) out += "<div class=\"legend\">" + std::string(legend) + "</div>";
  return out + std::string(svg) + "<figcaption>" + std::string(caption) +
         "</figcaption></figure>\n";
}

std::string legend_entry(std::string_view css, std::string_view text) {
  return "<span><i class=\"key " + std::string(css) + "\"></i>" + escape(text) + "</span>";
}

Plot::Range range_of(std::span<const std::span<const double>> columns) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const auto& column : columns) {
    for (const double v : column) {
      if (!std::isfinite(v)) continue;
      low = std::min(low, v);
      high = std::max(high, v);
    }
  }
  if (low > high) return {0, 1};
  const double pad = high > low ? (high - low) * 0.04 : std::max(std::fabs(low) * 0.05, 0.01);
  return {low - pad, high + pad};
}

std::vector<std::size_t> spread(std::size_t n, std::size_t limit) {
  std::vector<std::size_t> out;
  const std::size_t points = std::min(n, limit);
  for (std::size_t i = 1; i <= points; ++i) out.push_back(i * n / points - 1);
  return out;
}

std::string time_name(std::span<const std::int64_t> start_ns, std::size_t period) {
  if (period >= start_ns.size()) return "day " + std::to_string(period + 1);
  return format_day(utc_day_of_ns(start_ns[period]));
}

std::vector<Plot::Tick> time_ticks(std::span<const std::int64_t> start_ns, std::size_t periods) {
  std::vector<Plot::Tick> ticks;
  constexpr std::size_t kTicks = 5;
  if (periods < 2) return ticks;
  for (std::size_t i = 0; i < kTicks; ++i) {
    const std::size_t at = i * (periods - 1) / (kTicks - 1);
    if (!ticks.empty() && static_cast<double>(at) == ticks.back().value) continue;
    const std::string name = time_name(start_ns, at);
    ticks.push_back({static_cast<double>(at), start_ns.empty() ? std::to_string(at + 1) : name});
  }
  return ticks;
}

}  // namespace winnow::serve::report
