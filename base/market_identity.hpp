#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/market.hpp"

namespace winnow {

/// A day's close-to-close return counts in steps of so many basis points; what rounds to none is no
/// move.
inline constexpr double kMoveBps = 2;
/// Two datasets are compared by the days on which either moved, if there are so many ...
inline constexpr std::uint32_t kMovedDaysMin = 30;
/// ... and are one market if at least this share of them agrees.
inline constexpr double kAgreeFracMin = 0.5;
/// They are one market also if their returns correlate by more than this at the best of the lags,
inline constexpr double kSiblingCorrelation = 0.95;
/// which are whole hours to both sides: time zones reach that far.
inline constexpr int kLagHoursMax = 14;
/// A correlation of fewer returns than these says nothing: of 60, a true .85 passes .95 once in
/// 10,000 times.
inline constexpr std::uint32_t kStepsMin = 60;
/// Below this the returns say that one name stands for two markets (two simulated paths).
inline constexpr double kStrangerCorrelation = 0.5;

/// The return of a UTC day over the day before that has bars.
struct DayMove {
  std::int32_t day = 0;    ///< from 1970
  std::int32_t moves = 0;  ///< in steps of kMoveBps, rounded to nearest
  bool operator==(const DayMove&) const = default;
};

/// The last price of a stretch of an hour, or of a bar where bars are longer.
struct PrintedClose {
  std::int32_t minute = 0;  ///< from 1970, when the bar closed, rounded up
  float price = 0;
  bool operator==(const PrintedClose&) const = default;
};

/// Purpose: what of a market's prices tells whether another dataset is of the same market, whatever
/// its interval, its first bar, its tick or its day cut. About 20 bytes a day of daily bars, 200 a
/// day of shorter ones. Invariants: both columns ascend strictly by time.
struct MarketPrint {
  std::int64_t interval_ns = 0;  ///< of the dataset
  std::vector<DayMove> days;
  std::vector<PrintedClose> closes;
  bool operator==(const MarketPrint&) const = default;

  /// Between two closes: an hour, or the dataset's interval if that is longer.
  std::int32_t step_minutes() const;
};

/// Days belong to the UTC day that a bar closes in (at midnight: the day that ends). A day has a
/// move if the day before it that has bars is at most four days back (a weekend and a holiday); the
/// last day has none if it closes earlier than the one before, for more of it may come.
MarketPrint print_market(const MarketView& market);

/// What made two datasets one market, or two.
enum class LikenessBy : std::uint8_t {
  Days,         ///< enough days on which either moved
  Correlation,  ///< returns that go together, or that clearly do not
  Name,         ///< too little in common: the instruments' names
  Bytes,        ///< one content hash; said by whoever keeps them
};
std::string_view likeness_name(LikenessBy by);

/// Purpose: how alike two datasets are, with the figures that say so.
struct MarketLikeness {
  bool same = false;
  LikenessBy by = LikenessBy::Name;
  std::uint32_t days = 0;         ///< common ones on which either moved
  std::uint32_t days_agreed = 0;  ///< of them, with the same move
  std::uint32_t steps = 0;        ///< common returns behind the correlation
  /// At the best lag; absent: fewer than kStepsMin returns, or one side stands still.
  std::optional<double> correlation;
  int lag_hours = 0;  ///< what closes of the first are later by in the second

  double agreed_frac() const {
    return days == 0 ? 0 : static_cast<double>(days_agreed) / static_cast<double>(days);
  }
};

/// Why they are one market, or two, in words: `495 of 495 days on which it moved agree (100.0%)`.
std::string likeness_text(const MarketLikeness& likeness);

/// A market's print beside the name of its instrument.
struct NamedPrint {
  const MarketPrint& print;
  std::string_view instrument;
};

/// Whether two datasets are of one market: half of the common days on which either moved agree; or
/// their returns over the longer of the two steps correlate by more than kSiblingCorrelation at the
/// best lag (another venue, mark against last price, a day cut or a time zone that differs). With
/// fewer than kMovedDaysMin such days the names decide, unless returns are at hand that contradict
/// them. Symmetric but for the sign of the lag. Cost: about 2 ms for two years of hourly closes
/// that are alike, a tenth of it for others. Limits: a day cut or zone is found to the whole hour
/// and only where one of the two is finer than a day; two daily files cut three hours or more apart
/// are strangers to it.
MarketLikeness compare_markets(const NamedPrint& a, const NamedPrint& b);

}  // namespace winnow
