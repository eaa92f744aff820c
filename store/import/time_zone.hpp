#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace winnow::store {

/// Purpose: one zone of the system's database of time zones (or a fixed offset): what a clock on
/// the wall said. Thread: any, once loaded.
class TimeZone {
 public:
  /// `America/New_York` and its like from $TZDIR or /usr/share/zoneinfo; `UTC`; `+02:00`,
  /// `UTC-5`. Fails: NotFound (no such zone, or no database), Corrupt.
  static Result<TimeZone> load(std::string_view name);

  const std::string& name() const { return name_; }
  /// Seconds that local time is ahead of UTC then.
  std::int64_t offset_s(std::int64_t utc_s) const;

  /// What a local time may mean, in seconds of UTC.
  struct Meaning {
    int count = 0;              ///< 0: the clocks skipped it; 2: it came twice
    std::int64_t first_s = 0;   ///< of two the earlier
    std::int64_t second_s = 0;  ///< of two the later
  };
  Meaning meaning(std::int64_t local_s) const;

 private:
  struct Turn {
    std::int64_t utc_s = 0;
    std::int64_t offset_s = 0;  ///< from then on
  };
  /// The rule that holds for ever after the last turn: `EST5EDT,M3.2.0,M11.1.0`.
  struct Rule {
    bool has_summer = false;
    std::int64_t standard_s = 0;
    std::int64_t summer_s = 0;
    struct Day {
      char kind = 'M';  ///< `M` month.week.day, `J` day without 29 February, `N` day from 0
      int month = 0, week = 0, day = 0;
      std::int64_t time_s = 7200;
    } begin, end;
  };
  Status parse_file(std::string_view bytes);
  static bool parse_rule(std::string_view text, Rule& out);
  static std::int64_t rule_day_s(const Rule::Day& day, int year);
  std::int64_t rule_offset_s(std::int64_t utc_s) const;

  std::string name_;
  std::int64_t before_s_ = 0;  ///< before the first turn
  std::vector<Turn> turns_;
  bool has_rule_ = false;
  Rule rule_;
};

}  // namespace winnow::store
