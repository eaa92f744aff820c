#include "sweeps/risk/day_bars.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace winnow::sweeps::risk {
namespace {

// Closes the day whose levels were appended since the last one.
void finish_day(DayBars& out) {
  const std::size_t begin = out.first.empty() ? 0 : out.first.back();
  double low = out.level[begin];
  double high = 1;
  double fall = 0;
  for (std::size_t b = begin; b < out.level.size(); ++b) {
    low = std::min(low, out.level[b]);
    high = std::max(high, out.level[b]);
    fall = std::max(fall, 1 - out.level[b] / high);
  }
  out.low.push_back(low);
  out.high.push_back(high);
  out.fall.push_back(fall);
  out.growth.push_back(out.level.back());
  out.first.push_back(out.level.size());
}

std::vector<std::int32_t> months_or_default(std::span<const std::int32_t> month, std::size_t days) {
  std::vector<std::int32_t> out(month.begin(), month.end());
  for (std::size_t d = out.size(); d < days; ++d) {
    out.push_back(static_cast<std::int32_t>(d / kMonthDays));
  }
  return out;
}

}  // namespace

DayBars days_from_returns(std::span<const double> returns, std::span<const std::int32_t> month) {
  DayBars out;
  out.first.push_back(0);
  for (const double r : returns) {
    out.level.push_back(std::isfinite(r) ? std::max(0.0, 1 + r) : 1.0);
    out.exit_cost.push_back(0);
    finish_day(out);
  }
  out.month = months_or_default(month, out.days());
  return out;
}

DayBars days_from_bars(const BarEquity& bars) {
  WINNOW_REQUIRES(bars.initial > 0);
  WINNOW_REQUIRES(bars.day_end.empty() || bars.day_end.back() <= bars.equity.size());
  DayBars out;
  out.first.push_back(0);
  out.level.reserve(bars.equity.size());
  double start = bars.initial;
  std::size_t b = 0;
  for (const std::size_t end : bars.day_end) {
    for (; b < end; ++b) {
      const double level = start > 0 ? std::max(0.0, bars.equity[b] / start) : 1.0;
      out.level.push_back(std::isfinite(level) ? level : 1.0);
      out.exit_cost.push_back(std::clamp(bars.exit_cost[b], 0.0, 1.0));
    }
    start = bars.equity[end - 1];
    finish_day(out);
  }
  out.month = months_or_default(bars.month, out.days());
  return out;
}

}  // namespace winnow::sweeps::risk
