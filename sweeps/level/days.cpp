#include "sweeps/level/days.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace winnow::sweeps::level {

std::int64_t day_count(std::span<const DayRange> ranges) {
  std::int64_t days = 0;
  for (const DayRange& r : ranges) {
    WINNOW_INVARIANT(r.start <= r.end);
    days += r.end - r.start;
  }
  return days;
}

std::vector<DayRange> joined(std::vector<DayRange> ranges) {
  std::erase_if(ranges, [](const DayRange& r) { return r.start >= r.end; });
  std::sort(ranges.begin(), ranges.end(),
            [](const DayRange& a, const DayRange& b) { return a.start < b.start; });
  std::vector<DayRange> out;
  for (const DayRange& r : ranges) {
    if (!out.empty() && r.start <= out.back().end) {
      out.back().end = std::max(out.back().end, r.end);
    } else {
      out.push_back(r);
    }
  }
  return out;
}

std::vector<DayRange> fresh_days(DayRange window, std::span<const DayRange> shown) {
  std::vector<DayRange> out;
  std::int64_t from = window.start;
  for (const DayRange& r : joined({shown.begin(), shown.end()})) {
    if (r.end <= from) continue;
    if (r.start >= window.end) break;
    WINNOW_INVARIANT(r.start < r.end && r.end > from);
    if (r.start > from) out.push_back({from, r.start});
    from = r.end;
  }
  if (from < window.end) out.push_back({from, window.end});
  return out;
}

}  // namespace winnow::sweeps::level
