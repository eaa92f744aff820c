#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/market.hpp"
#include "base/time.hpp"
#include "store/dataset_manifest.hpp"

namespace winnow::store {

/// A move is an outlier beyond this multiple of the usual one (1.4826 * median absolute return, the
/// larger of the whole series' and that of its block of kOutlierBlock bars) if it reverts: the next
/// bar takes back at least half, or it is a wick. Only reported.
inline constexpr double kOutlierMads = 30;
inline constexpr std::size_t kOutlierBlock = 512;
/// Bars in a row without a trade, or at one price, are said from this many on.
inline constexpr std::size_t kQuietRunBars = 10;
/// A step is said if it is larger than this and than kOutlierMads usual moves, and stays.
inline constexpr double kLevelStepFrac = 0.05;
/// A median volume that changes by this factor and stays.
inline constexpr double kVolumeBreakFactor = 8;
/// Of bars that jump there and back again: two instruments in one series.
inline constexpr double kMixedFrac = 0.05;

enum class OddityKind : std::uint8_t {
  NoVolume,     ///< a run of bars in which nothing was traded
  Flat,         ///< a run of bars at one price
  LevelStep,    ///< the price stays at another level from one bar to the next
  VolumeBreak,  ///< volume stays at another level, as when its unit changes
  Mixed,        ///< prices alternate between two levels
  Partial,      ///< a candle that closed early, by the file's own word
};
inline constexpr std::size_t kOddityKinds = 6;
std::string_view oddity_name(OddityKind kind);

/// Something that is no fault of any row, but that whoever trades on the data should know.
struct Oddity {
  OddityKind kind = OddityKind::NoVolume;
  TimestampNs from;  ///< open time of the first bar of it
  TimestampNs to;    ///< open time of the last
  std::uint64_t bars = 0;
  std::string text;
};

/// A stretch without bars. `to` is the next bar there is.
struct Gap {
  TimestampNs from;
  TimestampNs to;
  std::uint64_t bars = 0;
};
/// All of them, by time. Distances that are no multiple of the interval are rounded.
std::vector<Gap> find_gaps(const MarketView& market);

/// Purpose: what the bars of a dataset are like as a whole.
/// Limits: the kOdditiesListed longest of each kind; counts are exact.
struct DataReport {
  static constexpr std::size_t kOdditiesListed = 10;
  std::uint64_t bars = 0;
  std::uint64_t bars_possible = 0;  ///< between the first and the last, without a gap
  std::uint64_t days_with_bars = 0;
  std::uint64_t days = 0;  ///< of UTC, from the first bar to the last
  std::string calendar;    ///< `every_day`, `business_days`, `some_days`
  std::uint64_t gaps = 0;
  Gap longest_gap;
  std::uint64_t counts[kOddityKinds] = {};
  std::uint64_t bars_of[kOddityKinds] = {};
  std::vector<Oddity> oddities;

  double coverage_frac() const {
    return bars_possible == 0 ? 0 : static_cast<double>(bars) / static_cast<double>(bars_possible);
  }
};
DataReport report_data(const MarketView& market, const FaultReport& faults);

}  // namespace winnow::store
