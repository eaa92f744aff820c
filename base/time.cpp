#include "base/time.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace winnow {
namespace {

class SystemClock final : public Clock {
 public:
  TimestampNs now() const override {
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
  }
  MonoNs mono() const override {
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::steady_clock::now().time_since_epoch())
                .count()};
  }
};

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
constexpr std::array<Unit, 6> kUnits{{{"w", 604'800'000'000'000},
                                      {"d", 86'400'000'000'000},
                                      {"h", 3'600'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"s", 1'000'000'000},
                                      {"ms", 1'000'000}}};

// Takes exactly `width` digits off the front of `text`.
bool take_digits(std::string_view& text, std::size_t width, int& out) {
  if (text.size() < width) return false;
  auto [end, ec] = std::from_chars(text.data(), text.data() + width, out);
  if (ec != std::errc{} || end != text.data() + width || text[0] == '-') return false;
  text.remove_prefix(width);
  return true;
}

bool take_char(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

Result<TimestampNs> parse_timestamp(std::string_view text) {
  const auto bad = [&] {
    return Error(ErrorCode::InvalidInput, "'" + std::string(text) +
                                              "' is not a UTC time; write 2023-01-01 or "
                                              "2023-01-01T12:30:05Z");
  };
  std::string_view rest = text;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!take_digits(rest, 4, year) || !take_char(rest, '-') || !take_digits(rest, 2, month) ||
      !take_char(rest, '-') || !take_digits(rest, 2, day)) {
    return bad();
  }
  if (take_char(rest, 'T') || take_char(rest, ' ')) {
    if (!take_digits(rest, 2, hour) || !take_char(rest, ':') || !take_digits(rest, 2, minute)) {
      return bad();
    }
    if (take_char(rest, ':') && !take_digits(rest, 2, second)) return bad();
    take_char(rest, 'Z');
  }
  const std::chrono::year_month_day ymd{std::chrono::year(year),
                                        std::chrono::month(static_cast<unsigned>(month)),
                                        std::chrono::day(static_cast<unsigned>(day))};
  if (!rest.empty() || !ymd.ok() || hour > 23 || minute > 59 || second > 59 || year < 1970 ||
      year > 2200) {
    return bad();
  }
  const auto since = std::chrono::sys_days(ymd).time_since_epoch() + std::chrono::hours(hour) +
                     std::chrono::minutes(minute) + std::chrono::seconds(second);
  return TimestampNs{std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()};
}

std::string format_timestamp(TimestampNs t) {
  const std::int64_t day = utc_day(t);
  const std::int64_t in_day = t.ns - day * 86'400'000'000'000;
  const std::chrono::year_month_day ymd{std::chrono::sys_days(std::chrono::days(day))};
  const std::int64_t s = in_day / 1'000'000'000;
  const std::int64_t fraction = in_day % 1'000'000'000;
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d",
                static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
                static_cast<unsigned>(ymd.day()), static_cast<int>(s / 3600),
                static_cast<int>(s / 60 % 60), static_cast<int>(s % 60));
  std::string out = buffer.data();
  if (fraction != 0) {
    std::snprintf(buffer.data(), buffer.size(), ".%09lld", static_cast<long long>(fraction));
    out += buffer.data();
  }
  return out + "Z";
}

std::string format_day(std::int64_t day) {
  constexpr std::size_t kDigits = std::string_view("2023-01-01").size();
  return format_timestamp(TimestampNs{} + days(day)).substr(0, kDigits);
}

Result<DurationNs> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const char* const last = text.data() + text.size();
  const auto [end, ec] = std::from_chars(text.data(), last, count);
  if (ec == std::errc{} && count >= 0) {
    const std::string_view name(end, static_cast<std::size_t>(last - end));
    for (const Unit& unit : kUnits) {
      if (name == unit.name && count <= INT64_MAX / unit.ns) return DurationNs{count * unit.ns};
    }
  }
  return Error(ErrorCode::InvalidInput, "'" + std::string(text) +
                                            "' is not a duration; write a whole number and one of "
                                            "w, d, h, m, s, ms, as in 90d");
}

std::string format_duration(DurationNs d) {
  for (const Unit& unit : kUnits) {
    if (unit.name != "w" && d.ns != 0 && d.ns % unit.ns == 0) {
      return std::to_string(d.ns / unit.ns) + std::string(unit.name);
    }
  }
  return d.ns == 0 ? "0s" : std::to_string(d.ns) + "ns";
}

}  // namespace winnow
