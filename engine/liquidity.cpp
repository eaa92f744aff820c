#include "engine/liquidity.hpp"

#include <algorithm>
#include <cmath>

#include "base/time.hpp"
#include "engine/lanes/full_fills.hpp"

namespace winnow::engine {
namespace {

constexpr std::int64_t kDayNs = days(1).ns;
constexpr double kNoScale = 1e150;  // above lanes::kNoVolumeScale
static_assert(kNoScale > lanes::kNoVolumeScale);

/// The bars of the 24 hours before each bar, asked for in order.
class LastDay {
 public:
  explicit LastDay(const MarketView& market) : market_(market) {}

  std::size_t first(std::size_t bar) {
    while (market_.time_ns[begin_] < market_.time_ns[bar] - kDayNs) ++begin_;
    return begin_;
  }
  double mean_volume(std::size_t bar) {
    // Volumes of a halt are not added up again and again.
    while (counted_ < bar) {
      if (market_.volume[counted_] > 0) traded_last_ = counted_ + 1;
      ++counted_;
    }
    const std::size_t from = first(bar);
    if (from == bar || traded_last_ <= from) return 0;
    double sum = 0;
    for (std::size_t i = from; i < bar; ++i) sum += market_.volume[i];
    return sum / static_cast<double>(bar - from);
  }
  /// Mean square of the close-to-close returns; 0 where there are none.
  double mean_square(std::size_t bar) {
    const std::size_t from = std::max<std::size_t>(first(bar), 1);
    if (from >= bar) return 0;
    double sum = 0;
    for (std::size_t i = from; i < bar; ++i) {
      const double r = market_.close[i] / market_.close[i - 1] - 1;
      sum += r * r;
    }
    return sum / static_cast<double>(bar - from);
  }

 private:
  const MarketView& market_;
  std::size_t begin_ = 0;
  std::size_t counted_ = 0;
  std::size_t traded_last_ = 0;  // one past the last bar with volume; 0: none
};

/// Adds the volumes of `back` days before to the window's bars: nearest day first, so that every
/// sum has one order of addition whatever the gaps.
void add_day(const MarketView& market, Window window, std::int64_t back, std::vector<double>& sum,
             std::vector<std::uint8_t>& count) {
  const std::int64_t shift = back * kDayNs;
  const auto& time = market.time_ns;
  if (time[window.last - 1] - time[0] < shift) return;
  std::size_t j = 0;
  if (time[window.first] - time[0] >= shift) {
    j = static_cast<std::size_t>(
        std::lower_bound(time.begin(), time.end(), time[window.first] - shift) - time.begin());
  }
  for (std::size_t t = window.first; t < window.last; ++t) {
    const std::int64_t wanted = time[t] - shift;
    while (time[j] < wanted) ++j;
    if (time[j] != wanted) continue;
    sum[t] += market.volume[j];
    ++count[t];
  }
}

std::vector<double> expected_volumes(const MarketView& market, Window window) {
  std::vector<double> sum(market.size());
  std::vector<std::uint8_t> count(market.size());
  for (int back = 1; back <= kLiquidityDays; ++back) add_day(market, window, back, sum, count);
  LastDay last_day(market);
  for (std::size_t t = window.first; t < window.last; ++t) {
    if (sum[t] > 0) {
      sum[t] /= static_cast<double>(count[t]);
    } else {
      sum[t] = last_day.mean_volume(t);
    }
  }
  return sum;
}

/// A UTC day with bars.
struct Day {
  std::int64_t day = 0;
  double volume = 0;
  double close = 0;
};

std::vector<Day> days_before(const MarketView& market, std::size_t last) {
  std::vector<Day> out;
  for (std::size_t t = 0; t < last; ++t) {
    const std::int64_t day = utc_day_of_ns(market.time_ns[t]);
    if (out.empty() || out.back().day != day) out.push_back({day, 0, 0});
    out.back().volume += market.volume[t];
    out.back().close = market.close[t];
  }
  return out;
}

/// What a day's slippage is made of.
struct DayScale {
  double volume = 0;  ///< of a day, mean; 0: nothing traded
  double sigma = 0;   ///< of a day, root mean square return
};

// Over the last complete days before days[d]. A first day that does not begin at midnight is not
// complete, but its close is known.
DayScale scale_of_days(const std::vector<Day>& days, std::size_t d, bool first_is_whole) {
  const std::size_t whole = first_is_whole ? 0 : 1;
  const std::size_t from = std::max(whole, d - std::min<std::size_t>(d, kLiquidityDays));
  if (from >= d) return {};
  DayScale out;
  double squares = 0;
  std::size_t returns = 0;
  for (std::size_t i = from; i < d; ++i) {
    out.volume += days[i].volume;
    if (i == 0) continue;
    const double r = days[i].close / days[i - 1].close - 1;
    squares += r * r;
    ++returns;
  }
  out.volume /= static_cast<double>(d - from);
  if (returns > 0) out.sigma = std::sqrt(squares / static_cast<double>(returns));
  return out;
}

std::vector<double> square_root_scales(const MarketView& market, Window window, double impact_y) {
  std::vector<double> out(market.size());
  const std::vector<Day> days = days_before(market, window.last);
  const bool first_is_whole = market.time_ns[0] % kDayNs == 0;
  const double bars_a_day =
      market.interval_ns > 0
          ? std::max(1.0, static_cast<double>(kDayNs) / static_cast<double>(market.interval_ns))
          : 1.0;
  LastDay last_day(market);
  std::size_t d = 0;
  DayScale known;
  for (std::size_t t = window.first; t < window.last; ++t) {
    const std::int64_t day = utc_day_of_ns(market.time_ns[t]);
    if (t == window.first || days[d].day != day) {
      while (days[d].day != day) ++d;
      known = scale_of_days(days, d, first_is_whole);
    }
    DayScale scale = known;
    // Before a day is complete: the bars there are, as long as a day.
    if (!(scale.volume > 0)) scale.volume = last_day.mean_volume(t) * bars_a_day;
    if (!(scale.volume > 0)) scale.volume = market.volume[t] * bars_a_day;
    if (!(scale.sigma > 0)) scale.sigma = std::sqrt(last_day.mean_square(t) * bars_a_day);
    out[t] = scale.volume > 0 ? impact_y * scale.sigma / std::sqrt(scale.volume) : kNoScale;
  }
  return out;
}

}  // namespace

Liquidity find_liquidity(const MarketView& market, Window window, const ExecutionModel& execution) {
  Liquidity out;
  if (execution.expected_volume) out.expected_volume = expected_volumes(market, window);
  if (execution.impact_y > 0) {
    out.impact_scale = square_root_scales(market, window, execution.impact_y);
    return out;
  }
  out.impact_scale.resize(market.size());
  if (!(execution.impact_bps > 0)) return out;
  for (std::size_t t = window.first; t < window.last; ++t) {
    double volume = execution.expected_volume ? out.expected_volume[t] : market.volume[t];
    if (!(volume > 0)) volume = market.volume[t];
    out.impact_scale[t] = volume > 0 ? execution.impact_bps / 10'000 / std::sqrt(volume) : kNoScale;
  }
  return out;
}

std::size_t liquidity_bars(const MarketView& market, Window window,
                           const ExecutionModel& execution) {
  if (!execution.expected_volume && !(execution.impact_y > 0)) return 0;
  // Twenty days, the close before them, and a day that may be cut in two.
  constexpr int kDaysBack = kLiquidityDays + 2;
  std::size_t t = window.first;
  int seen = 0;
  std::int64_t day = utc_day_of_ns(market.time_ns[window.first]);
  while (t > 0) {
    const std::int64_t before = utc_day_of_ns(market.time_ns[t - 1]);
    if (before != day && ++seen > kDaysBack) break;
    day = before;
    --t;
  }
  return window.first - t;
}

}  // namespace winnow::engine
