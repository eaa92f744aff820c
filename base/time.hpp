#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace winnow {

/// A span of time in nanoseconds. May be negative.
struct DurationNs {
  std::int64_t ns = 0;
  auto operator<=>(const DurationNs&) const = default;
  DurationNs operator+(DurationNs o) const { return {ns + o.ns}; }
  DurationNs operator-(DurationNs o) const { return {ns - o.ns}; }
  DurationNs operator*(std::int64_t k) const { return {ns * k}; }
  double seconds() const { return static_cast<double>(ns) * 1e-9; }
};

constexpr DurationNs milliseconds(std::int64_t n) { return {n * 1'000'000}; }
constexpr DurationNs seconds(std::int64_t n) { return {n * 1'000'000'000}; }
constexpr DurationNs hours(std::int64_t n) { return {n * 3'600'000'000'000}; }
constexpr DurationNs days(std::int64_t n) { return {n * 86'400'000'000'000}; }

/// A point in UTC, nanoseconds since 1970-01-01T00:00:00Z.
struct TimestampNs {
  std::int64_t ns = 0;
  auto operator<=>(const TimestampNs&) const = default;
  TimestampNs operator+(DurationNs d) const { return {ns + d.ns}; }
  TimestampNs operator-(DurationNs d) const { return {ns - d.ns}; }
  DurationNs operator-(TimestampNs o) const { return {ns - o.ns}; }
};

/// A reading of a clock that never steps back; comparable only within one process.
struct MonoNs {
  std::int64_t ns = 0;
  auto operator<=>(const MonoNs&) const = default;
  MonoNs operator+(DurationNs d) const { return {ns + d.ns}; }
  DurationNs operator-(MonoNs o) const { return {ns - o.ns}; }
};

/// Purpose: the only way to ask for the time; pure rooms take the answer as an argument.
/// Thread: any.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimestampNs now() const = 0;
  virtual MonoNs mono() const = 0;
};

/// The machine's clock.
const Clock& system_clock();

/// Reads `2023-01-01`, `2023-01-01T12:30`, `2023-01-01T12:30:05Z` (UTC always). Fails:
/// InvalidInput.
Result<TimestampNs> parse_timestamp(std::string_view text);

/// `2023-01-01T12:30:05Z`, with a fraction only if there is one.
std::string format_timestamp(TimestampNs t);
inline std::string format_time_ns(std::int64_t ns) { return format_timestamp(TimestampNs{ns}); }

/// Reads `90d`, `12h`, `5m`, `30s`, `250ms`, `2w`; a whole non-negative count of one unit. Fails:
/// InvalidInput.
Result<DurationNs> parse_duration(std::string_view text);

/// The largest unit that divides it: `90d`, `5m`.
std::string format_duration(DurationNs d);

/// Days since 1970-01-01 (UTC) of a time, rounded down.
constexpr std::int64_t utc_day(TimestampNs t) {
  constexpr std::int64_t day = 86'400'000'000'000;
  return t.ns >= 0 ? t.ns / day : -((-t.ns + day - 1) / day);
}
/// `2023-01-01`: a day counted from 1970-01-01.
std::string format_day(std::int64_t day);

/// Of a column of times.
constexpr std::int64_t utc_day_of_ns(std::int64_t ns) { return utc_day(TimestampNs{ns}); }

}  // namespace winnow
