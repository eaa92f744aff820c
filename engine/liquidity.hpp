#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/market.hpp"
#include "engine/daily_volatility.hpp"
#include "engine/engine.hpp"

namespace winnow::engine {

/// Days of history that sizes and costs look back on.
inline constexpr int kLiquidityDays = 20;

/// What a decision at the close before a bar may know of how much trades in it, what an order then
/// costs, and how much the market moves.
struct LiquidityAt {
  /// Mean volume of the bars of the same time of day on the last 20 days; where there are none, or
  /// nothing traded in them, of the bars of the last 24 hours; 0 where nothing is known, or asked.
  double expected_volume = 0;
  /// Slippage of an order over the root of its quantity; see ExecutionModel::impact_y.
  double impact_scale = 0;
  /// Exposure that a volatility target wants; 0 without one.
  double exposure = 0;
};

/// Purpose: the same of one bar after another. Owner: one run, or one stepper. Thread: one.
class LiquidityTracker {
 public:
  LiquidityTracker(std::int64_t interval_ns, const ExecutionModel& execution);
  /// Of bars in rising order, from any one on. Requires: the market begins where it began before,
  /// and reaches to `bar` at least.
  LiquidityAt at(const MarketView& market, std::size_t bar);

 private:
  /// A UTC day with bars.
  struct Day {
    std::int64_t day = 0;
    double volume = 0;
    double close = 0;
  };
  /// What a day's slippage is made of.
  struct DayScale {
    double volume = 0;  ///< of a day, mean; 0: nothing traded
    double sigma = 0;   ///< of a day, root mean square return
  };
  static constexpr std::size_t kUnknown = ~std::size_t{0};
  static constexpr std::int64_t kNoDay = std::numeric_limits<std::int64_t>::min();
  static constexpr std::array<std::size_t, kLiquidityDays> all_unknown() {
    std::array<std::size_t, kLiquidityDays> out{};
    out.fill(kUnknown);
    return out;
  }

  std::size_t last_day(const MarketView& market, std::size_t bar);
  double mean_volume(const MarketView& market, std::size_t bar);
  double mean_square(const MarketView& market, std::size_t bar);
  double expected_volume(const MarketView& market, std::size_t bar);
  void begin_day(const MarketView& market, std::size_t bar);
  void see_days(const MarketView& market, std::size_t bar);
  DayScale scale_before(std::size_t d, std::size_t first_whole) const;
  double square_root_scale(const MarketView& market, std::size_t bar);

  bool expects_;
  double impact_y_;
  double impact_;
  DailyVolatility volatility_;
  double bars_a_day_;
  std::array<std::size_t, kLiquidityDays> same_time_ = all_unknown();  // by days back
  std::size_t day_begin_ = 0;  // first bar of the last 24 hours
  std::size_t counted_ = 0;
  std::size_t traded_last_ = 0;  // one past the last bar with volume; 0: none
  std::vector<Day> days_;
  std::size_t seen_ = 0;  // bars that days_ is made of
  std::int64_t known_day_ = kNoDay;
  DayScale known_;
  double exposure_ = 0;
};

/// The same by bar of the market; only the window's bars are filled in.
struct Liquidity {
  std::vector<double> expected_volume;  ///< empty: not asked
  std::vector<double> impact_scale;
  std::vector<double> exposure;  ///< empty: not asked
};
/// Requires: window and execution are checked.
Liquidity find_liquidity(const MarketView& market, Window window, const ExecutionModel& execution);

/// Bars before the window that its liquidity and volatility look back on: with fewer, sizes and
/// costs differ.
std::size_t liquidity_bars(const MarketView& market, Window window,
                           const ExecutionModel& execution);

}  // namespace winnow::engine
