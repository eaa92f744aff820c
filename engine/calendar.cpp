#include "engine/calendar.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/check.hpp"
#include "base/time.hpp"

namespace winnow::engine {
namespace {

constexpr double kBusinessDaysPerYear = 252;
constexpr double kShareMin = 0.25;
constexpr int kWeeksMin = 3;

double periods_of_weekdays(int weekdays) {
  if (weekdays == 7) return kPeriodsPerYearOpen;
  if (weekdays == 5) return kBusinessDaysPerYear;
  return std::round(kDaysPerYear * weekdays / 7);
}

// Days that have bars, by weekday. A jump a day: bars are not looked at one by one.
std::array<int, 7> days_by_weekday(std::span<const std::int64_t> time_ns) {
  std::array<int, 7> out{};
  for (auto at = time_ns.begin(); at != time_ns.end();) {
    const std::int64_t day = utc_day(TimestampNs{*at});
    ++out[static_cast<std::size_t>(((day % 7) + 7) % 7)];
    at = std::lower_bound(at, time_ns.end(), (day + 1) * days(1).ns);
  }
  return out;
}

}  // namespace

std::string calendar_name(double periods_per_year) {
  if (periods_per_year == kPeriodsPerYearOpen) return "24/7";
  if (periods_per_year == kBusinessDaysPerYear) return "business days";
  if (periods_per_year == periods_of_weekdays(6)) return "24/6";
  char text[64];
  std::snprintf(text, sizeof text, "%.4g periods a year", periods_per_year);
  return text;
}

Calendar calendar_of(std::span<const std::int64_t> time_ns, std::int64_t interval_ns) {
  WINNOW_REQUIRES(time_ns.empty() || time_ns.front() <= time_ns.back());
  double periods = kPeriodsPerYearOpen;
  if (interval_ns > days(1).ns) {
    periods = kDaysPerYear * static_cast<double>(days(1).ns) / static_cast<double>(interval_ns);
  } else {
    const std::array<int, 7> found = days_by_weekday(time_ns);
    const int most = *std::max_element(found.begin(), found.end());
    if (most < kWeeksMin) return {};
    const auto open =
        std::count_if(found.begin(), found.end(), [&](int n) { return n >= kShareMin * most; });
    periods = periods_of_weekdays(static_cast<int>(open));
  }
  return {calendar_name(periods), periods};
}

}  // namespace winnow::engine
