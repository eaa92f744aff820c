// The data behind the figures: curves, distribution, influence of parameters, heat maps.
#include <algorithm>
#include <cmath>

#include "base/names.hpp"
#include "serve/report/assemble.hpp"
#include "serve/report/html.hpp"

namespace winnow::serve::report {
namespace {

constexpr std::size_t kLevelsMax = 40;  // more distinct values than this are binned
constexpr std::size_t kBins = 16;

// The value at a share of the way through the order; partly sorts.
float order_statistic(std::vector<float>& values, double share) {
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

// Calls `use(period, values)` with every row's number, for each period. Columns are gathered a
// tile at a time: one pass over memory serves sixteen periods.
template <class Use>
void by_period(const Sources& sources, const FamilyPanel& panel, const Use& use) {
  constexpr std::size_t kTile = 16;
  const std::size_t periods = panel.periods;
  const std::size_t rows = panel.trial.size();
  sources.parallel((periods + kTile - 1) / kTile, [&](std::size_t tile) {
    const std::size_t first = tile * kTile;
    const std::size_t last = std::min(periods, first + kTile);
    std::vector<std::vector<float>> columns(last - first);
    for (auto& column : columns) column.reserve(rows);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t p = first; p < last; ++p) {
        const float v = panel.returns[r * periods + p];
        if (std::isfinite(v)) columns[p - first].push_back(v);
      }
    }
    for (std::size_t p = first; p < last; ++p) {
      if (!columns[p - first].empty()) use(p, columns[p - first]);
    }
  });
}

std::vector<double> row_of(const FamilyPanel& panel, std::optional<std::uint64_t> trial) {
  if (!trial) return {};
  const auto at = std::lower_bound(panel.trial.begin(), panel.trial.end(), *trial);
  if (at == panel.trial.end() || *at != *trial) return {};
  const auto first = panel.returns.begin() +
                     (at - panel.trial.begin()) * static_cast<std::ptrdiff_t>(panel.periods);
  return {first, first + panel.periods};
}

void returns_to_equity(const Sources& sources, FamilyPanel& panel) {
  sources.parallel(panel.trial.size(), [&](std::size_t r) {
    double equity = 1;
    float* row = panel.returns.data() + r * panel.periods;
    for (std::size_t p = 0; p < panel.periods; ++p) {
      equity *= 1.0 + static_cast<double>(row[p]);
      row[p] = static_cast<float>(equity);
    }
  });
}

void equity_to_drawdown(const Sources& sources, FamilyPanel& panel) {
  sources.parallel(panel.trial.size(), [&](std::size_t r) {
    float peak = 1;
    float* row = panel.returns.data() + r * panel.periods;
    for (std::size_t p = 0; p < panel.periods; ++p) {
      peak = std::max(peak, row[p]);
      row[p] = 1 - row[p] / peak;
    }
  });
}

/// The levels of one parameter: its values, or bins of about equal counts.
struct Levels {
  std::vector<std::size_t> of;  // by variant
  std::vector<std::string> labels;
};

Levels levels_of(const std::vector<double>& column) {
  std::vector<double> sorted = column;
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> unique = sorted;
  unique.erase(std::unique(unique.begin(), unique.end()), unique.end());
  Levels out;
  out.of.resize(column.size());
  if (unique.size() <= kLevelsMax) {
    for (const double v : unique) out.labels.push_back(show_number(v));
    for (std::size_t i = 0; i < column.size(); ++i) {
      const auto at = std::lower_bound(unique.begin(), unique.end(), column[i]);
      out.of[i] = static_cast<std::size_t>(at - unique.begin());
    }
    return out;
  }
  std::vector<double> starts;  // smallest value of each bin
  for (std::size_t b = 0; b < kBins; ++b) {
    const double start = sorted[b * sorted.size() / kBins];
    if (starts.empty() || start > starts.back()) starts.push_back(start);
  }
  const bool whole =
      std::all_of(unique.begin(), unique.end(), [](double v) { return v == std::floor(v); });
  for (const double start : starts) {
    out.labels.push_back("≥" + fixed(start, whole || std::fabs(start) >= 100 ? 0 : 2));
  }
  for (std::size_t i = 0; i < column.size(); ++i) {
    const auto after = std::upper_bound(starts.begin(), starts.end(), column[i]);
    out.of[i] = static_cast<std::size_t>(after - starts.begin()) - 1;
  }
  return out;
}

double explained(const Levels& levels, const std::vector<double>& values) {
  std::vector<double> sum(levels.labels.size());
  std::vector<double> count(levels.labels.size());
  double total = 0;
  double n = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    sum[levels.of[i]] += values[i];
    count[levels.of[i]] += 1;
    total += values[i];
    n += 1;
  }
  if (n == 0) return 0;
  const double mean = total / n;
  double between = 0;
  double all = 0;
  for (std::size_t l = 0; l < sum.size(); ++l) {
    if (count[l] == 0) continue;
    const double d = sum[l] / count[l] - mean;
    between += count[l] * d * d;
  }
  for (const double v : values) {
    if (std::isfinite(v)) all += (v - mean) * (v - mean);
  }
  return all > 0 ? between / all : 0;
}

double median_of(std::vector<double>& values) {
  if (values.empty()) return std::nan("");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

std::size_t column_of(const ParamTable& table, const std::string& name) {
  const auto at = std::find(table.names.begin(), table.names.end(), name);
  return static_cast<std::size_t>(at - table.names.begin());
}

}  // namespace

Curves make_curves(const Sources& sources, FamilyPanel panel, std::optional<std::uint64_t> best,
                   std::optional<std::uint64_t> centre) {
  Curves out;
  if (panel.trial.empty() || panel.periods == 0) return out;
  for (auto* column : {&out.median, &out.low, &out.high, &out.median_drawdown}) {
    column->assign(panel.periods, std::nan(""));
  }
  returns_to_equity(sources, panel);
  out.best = row_of(panel, best);
  out.centre = row_of(panel, centre);
  by_period(sources, panel, [&](std::size_t p, std::vector<float>& values) {
    out.median[p] = order_statistic(values, 0.5);
    out.low[p] = order_statistic(values, 0.05);
    out.high[p] = order_statistic(values, 0.95);
  });
  equity_to_drawdown(sources, panel);
  out.best_drawdown = row_of(panel, best);
  out.centre_drawdown = row_of(panel, centre);
  by_period(sources, panel, [&](std::size_t p, std::vector<float>& values) {
    out.median_drawdown[p] = order_statistic(values, 0.5);
  });
  return out;
}

Histogram make_histogram(const std::vector<double>& values, double marked) {
  constexpr std::size_t kHistogramBins = 70;
  Histogram out;
  std::vector<double> sorted;
  for (const double v : values) {
    if (std::isfinite(v)) sorted.push_back(v);
  }
  if (sorted.empty()) return out;
  std::sort(sorted.begin(), sorted.end());
  // The lowest half percent (ruined variants) would squeeze all others into a corner.
  const double low = std::min(sorted[sorted.size() / 200], 0.0);
  const double high = std::max({sorted.back(), marked, low + 0.1});
  const double pad = (high - low) * 0.03;
  out.low = low - pad;
  out.bin_width = (high + pad - out.low) / static_cast<double>(kHistogramBins);
  out.counts.assign(kHistogramBins, 0);
  out.finite = sorted.size();
  for (const double v : sorted) {
    if (v < out.low) {
      ++out.below;
      continue;
    }
    const auto bin = static_cast<std::size_t>((v - out.low) / out.bin_width);
    ++out.counts[std::min(bin, kHistogramBins - 1)];
  }
  return out;
}

std::vector<Influence> make_influence(const ParamTable& table, const std::vector<double>& values) {
  std::vector<Influence> out;
  for (std::size_t p = 0; p < table.columns.size(); ++p) {
    const Levels levels = levels_of(table.columns[p]);
    if (levels.labels.size() < 2) continue;
    out.push_back({table.names[p], table.units[p], explained(levels, values)});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Influence& a, const Influence& b) { return a.eta2 > b.eta2; });
  return out;
}

HeatMap make_heat_map(const ParamTable& table, const std::vector<double>& values,
                      const std::string& x, const std::string& y,
                      std::optional<std::size_t> centre) {
  const std::size_t px = column_of(table, x);
  const std::size_t py = column_of(table, y);
  const Levels across = levels_of(table.columns[px]);
  const Levels up = levels_of(table.columns[py]);
  HeatMap map;
  map.x_name = x;
  map.y_name = y;
  map.x_unit = table.units[px];
  map.y_unit = table.units[py];
  map.x_labels = across.labels;
  map.y_labels = up.labels;
  const std::size_t columns = across.labels.size();
  std::vector<std::vector<double>> cells(columns * up.labels.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) cells[up.of[i] * columns + across.of[i]].push_back(values[i]);
  }
  for (auto& cell : cells) {
    map.count.push_back(static_cast<std::uint32_t>(cell.size()));
    map.median.push_back(median_of(cell));
  }
  if (centre && *centre < values.size()) {
    map.centre_x = across.of[*centre];
    map.centre_y = up.of[*centre];
  }
  return map;
}

}  // namespace winnow::serve::report
