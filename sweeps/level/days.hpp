#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace winnow::sweeps::level {

/// Days of a market, as numbers from 1970: [start, end).
struct DayRange {
  std::int64_t start = 0;
  std::int64_t end = 0;
  bool operator==(const DayRange&) const = default;
};

/// What the catalogue knows of the market behind a dataset.
struct MarketDays {
  std::string id;                           ///< its identity
  std::vector<std::string> hashes;          ///< contents of all its datasets
  std::optional<std::int64_t> sealed_from;  ///< by its import: that day and all later ones
};

/// Fewer judged days carry no verdict.
inline constexpr std::int64_t kJudgedDaysMin = 60;

std::int64_t day_count(std::span<const DayRange> ranges);

/// Sorted, without overlaps and empty ones; neighbours are joined.
std::vector<DayRange> joined(std::vector<DayRange> ranges);

/// The days of `window` that none of `shown` has.
std::vector<DayRange> fresh_days(DayRange window, std::span<const DayRange> shown);

}  // namespace winnow::sweeps::level
