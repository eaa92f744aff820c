#include "base/window_coverage.hpp"

#include <algorithm>
#include <cstdio>

namespace winnow {
namespace {

std::string days_text(double days) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", days);
  return text;
}

}  // namespace

std::string window_coverage(TimestampNs from, TimestampNs to, TimestampNs data_first,
                            TimestampNs data_end) {
  constexpr double kWorthSaying = 0.02;
  if (to <= from) return {};
  const TimestampNs begin = std::max(from, data_first);
  const TimestampNs end = std::min(to, data_end);
  const double asked = (to - from).seconds();
  const double there = end > begin ? (end - begin).seconds() : 0;
  if (asked - there <= kWorthSaying * asked) return {};
  constexpr double kDaySeconds = 86'400;
  return "the window of " + days_text(asked / kDaySeconds) + " days, " + format_timestamp(from) +
         " to " + format_timestamp(to) + ", has data for " + days_text(there / kDaySeconds) +
         " days, " + format_timestamp(begin) + " to " + format_timestamp(end);
}

}  // namespace winnow
