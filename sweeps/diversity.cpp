#include "sweeps/diversity.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/rng.hpp"
#include "sweeps/design.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::size_t kQuarters = 4;
constexpr std::uint64_t kSampleSeed = 0x5072656164ull;
// Points at equal steps of a quarter must not fall out by rounding.
constexpr double kRounding = 1e-9;

/// The densest window of a parameter.
struct Window {
  double low = 0;
  double width = 0;
  double share = 1;
};

Window densest(const std::vector<double>& units, double width) {
  std::vector<double> sorted = units;
  std::sort(sorted.begin(), sorted.end());
  std::size_t first = 0;
  std::size_t most = 0;
  Window out{.low = 0, .width = width, .share = 0};
  for (std::size_t last = 0; last < sorted.size(); ++last) {
    while (sorted[last] - sorted[first] > width + kRounding) ++first;
    if (last - first + 1 <= most) continue;
    most = last - first + 1;
    out.low = sorted[first];
  }
  out.share = static_cast<double>(most) / static_cast<double>(sorted.size());
  return out;
}

/// One varying parameter of all rows, from 0 to 1.
struct Coordinate {
  std::vector<double> units;
  Window window;
  double coverage_frac = 1;
};

double coverage(const std::vector<double>& units, std::size_t cells) {
  std::vector<bool> seen(cells, false);
  for (const double u : units) {
    const double cell = std::clamp(u, 0.0, 1.0) * static_cast<double>(cells);
    seen[std::min(cells - 1, static_cast<std::size_t>(cell))] = true;
  }
  return static_cast<double>(std::count(seen.begin(), seen.end(), true)) /
         static_cast<double>(cells);
}

Coordinate by_rank(const Axis& axis, const std::vector<double>& values) {
  const std::size_t count = axis.count();
  Coordinate out;
  for (const double v : values) {
    std::size_t rank = 0;
    while (rank + 1 < count && axis.value(axis.index_at(rank)) < v) ++rank;
    out.units.push_back((static_cast<double>(rank) + 0.5) / static_cast<double>(count));
  }
  out.window = densest(out.units, 0);
  out.coverage_frac = coverage(out.units, count);
  return out;
}

Coordinate coordinate(const Axis& axis, const std::vector<double>& values) {
  if (axis.count() > 0 && axis.count() <= kQuarters) return by_rank(axis, values);
  Coordinate out;
  // An axis of listed values goes by their position, which hides that many lie side by side.
  const bool listed = axis.count() > 0 && !axis.stepped();
  for (const double v : values) {
    out.units.push_back(listed ? (v - axis.low()) / (axis.high() - axis.low()) : axis.to_unit(v));
  }
  out.window = densest(out.units, 1.0 / kQuarters);
  if (listed && axis.low() > 0) {
    Coordinate logs;
    const double span = std::log(axis.high() / axis.low());
    for (const double v : values) logs.units.push_back(std::log(v / axis.low()) / span);
    logs.window = densest(logs.units, 1.0 / kQuarters);
    if (logs.window.share < out.window.share) out = std::move(logs);
  }
  out.coverage_frac = coverage(out.units, kQuarters);
  return out;
}

}  // namespace

ParameterSpread parameter_spread(const Design& design, std::span<const double> rows) {
  ParameterSpread out;
  const std::size_t width = design.parameters();
  const std::size_t n = width == 0 ? 0 : rows.size() / width;
  if (n == 0) return out;
  std::vector<std::uint8_t> inside(n, 1);
  bool varies = false;
  for (std::size_t p = 0; p < width; ++p) {
    if (design.axis(p).fixed()) continue;
    varies = true;
    // Where a parameter says nothing it tells no two variants apart.
    std::vector<double> values;
    std::vector<std::size_t> where;
    for (std::size_t i = 0; i < n; ++i) {
      if (!design.rules().active(p, rows.subspan(i * width, width))) continue;
      values.push_back(rows[i * width + p]);
      where.push_back(i);
    }
    if (values.empty()) continue;
    const Coordinate c = coordinate(design.axis(p), values);
    for (std::size_t k = 0; k < where.size(); ++k) {
      const double beyond = c.units[k] - c.window.low;
      if (beyond < -kRounding || beyond > c.window.width + kRounding) inside[where[k]] = 0;
    }
    if (c.coverage_frac < out.coverage_frac) {
      out.coverage_frac = c.coverage_frac;
      out.thinnest = design.family().params[p].name;
    }
  }
  if (!varies) return out;
  out.crowded_frac =
      static_cast<double>(std::count(inside.begin(), inside.end(), 1)) / static_cast<double>(n);
  return out;
}

ParameterSpread parameter_spread(const Plan& plan, const Segment& segment) {
  const Design& design = plan.design(segment);
  if (segment.trials <= kSpreadSampleMax) {
    return parameter_spread(design, plan.params(segment.first_trial, segment.trials));
  }
  // Drawn, not every k-th: a stride could meet the same point of an axis again and again.
  Rng rng(kSampleSeed, 0);
  std::vector<double> rows;
  for (std::uint64_t i = 0; i < kSpreadSampleMax; ++i) {
    const std::vector<double> row = plan.params(segment.first_trial + rng.below(segment.trials), 1);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return parameter_spread(design, rows);
}

}  // namespace winnow::sweeps
