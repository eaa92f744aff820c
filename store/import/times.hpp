#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace winnow::store {

/// How a time column is written.
enum class TimeUnit {
  Seconds,
  Milliseconds,
  Microseconds,
  Nanoseconds,
  Iso,    ///< ISO 8601 and RFC 3339
  Excel,  ///< days since 1899-12-30, as spreadsheets count them
  Auto,   ///< found from the text: a count since 1970 by its size, or a date in any usual order
  Format  ///< as a format of % letters says
};
/// `s`, `ms`, `us`, `ns`, `iso`, `excel`, `auto`, or a format such as `%d.%m.%Y %H:%M`. Fails:
/// InvalidInput.
Result<TimeUnit> parse_time_unit(std::string_view text);
/// What a unit allows, for an error message.
std::string_view unit_text(TimeUnit unit);

/// Which of two numbers is the day in `01/02/2024`.
enum class DayOrder { Unknown, DayFirst, MonthFirst };

struct TimeSpec {
  TimeUnit unit = TimeUnit::Auto;
  std::string format{};
  DayOrder order = DayOrder::Unknown;
};

/// One time as it was read.
struct ParsedTime {
  std::int64_t ns = 0;            ///< since 1970: of UTC, or of the wall's clock if naive
  bool naive = false;             ///< the text says no zone
  std::int64_t offset_ns = 0;     ///< that the text says, unless naive
  TimeUnit unit = TimeUnit::Iso;  ///< what it was read as
};

/// False if the text is no such time, or lies outside 1970 to 2200.
bool parse_time(std::string_view field, const TimeSpec& spec, ParsedTime& out);

/// Whether `a/b/2024` or its like stands there, and its two numbers: what the order of day and
/// month is found from.
bool ambiguous_date(std::string_view field, int& first, int& second);

/// Decimal text (a fraction is allowed) to nanoseconds, exactly; digits below 1 ns are cut. Of Iso,
/// a time without a zone is UTC. False if it is no number or lies outside 1970 to 2200.
bool parse_time(std::string_view field, TimeUnit unit, std::int64_t& out_ns);

}  // namespace winnow::store
