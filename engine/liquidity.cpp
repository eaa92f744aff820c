#include "engine/liquidity.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/time.hpp"
#include "engine/lanes/full_fills.hpp"

namespace winnow::engine {
namespace {

constexpr std::int64_t kDayNs = days(1).ns;
constexpr double kNoScale = 1e150;  // above lanes::kNoVolumeScale
static_assert(kNoScale > lanes::kNoVolumeScale);

}  // namespace

LiquidityTracker::LiquidityTracker(std::int64_t interval_ns, const ExecutionModel& execution)
    : expects_(execution.expected_volume),
      impact_y_(execution.impact_y),
      impact_(execution.impact_bps / 10'000),
      volatility_(execution),
      bars_a_day_(interval_ns > 0 ? std::max(1.0, static_cast<double>(kDayNs) /
                                                      static_cast<double>(interval_ns))
                                  : 1.0) {}

LiquidityAt LiquidityTracker::at(const MarketView& market, std::size_t bar) {
  WINNOW_REQUIRES(bar < market.size());
  LiquidityAt out;
  if (expects_) out.expected_volume = expected_volume(market, bar);
  if (impact_y_ > 0) {
    out.impact_scale = square_root_scale(market, bar);
  } else if (impact_ > 0) {
    double volume = expects_ ? out.expected_volume : market.volume[bar];
    if (!(volume > 0)) volume = market.volume[bar];
    out.impact_scale = volume > 0 ? impact_ / std::sqrt(volume) : kNoScale;
  }
  if (volatility_.on()) {
    begin_day(market, bar);
    out.exposure = exposure_;
  }
  return out;
}

std::size_t LiquidityTracker::last_day(const MarketView& market, std::size_t bar) {
  while (market.time_ns[day_begin_] < market.time_ns[bar] - kDayNs) ++day_begin_;
  return day_begin_;
}

double LiquidityTracker::mean_volume(const MarketView& market, std::size_t bar) {
  // Volumes of a halt are not added up again and again.
  while (counted_ < bar) {
    if (market.volume[counted_] > 0) traded_last_ = counted_ + 1;
    ++counted_;
  }
  const std::size_t from = last_day(market, bar);
  if (from == bar || traded_last_ <= from) return 0;
  double sum = 0;
  for (std::size_t i = from; i < bar; ++i) sum += market.volume[i];
  return sum / static_cast<double>(bar - from);
}

double LiquidityTracker::mean_square(const MarketView& market, std::size_t bar) {
  const std::size_t from = std::max<std::size_t>(last_day(market, bar), 1);
  if (from >= bar) return 0;
  double sum = 0;
  for (std::size_t i = from; i < bar; ++i) {
    const double r = market.close[i] / market.close[i - 1] - 1;
    sum += r * r;
  }
  return sum / static_cast<double>(bar - from);
}

// The volumes of the days before are added nearest day first, so that every sum has one order of
// addition whatever the gaps.
double LiquidityTracker::expected_volume(const MarketView& market, std::size_t bar) {
  const auto& time = market.time_ns;
  double sum = 0;
  int count = 0;
  for (int back = 1; back <= kLiquidityDays; ++back) {
    const std::int64_t wanted = time[bar] - back * kDayNs;
    if (wanted < time[0]) break;
    std::size_t& j = same_time_[static_cast<std::size_t>(back - 1)];
    if (j == kUnknown) {
      j = static_cast<std::size_t>(std::lower_bound(time.begin(), time.end(), wanted) -
                                   time.begin());
    }
    while (time[j] < wanted) ++j;
    if (time[j] != wanted) continue;
    sum += market.volume[j];
    ++count;
  }
  return sum > 0 ? sum / static_cast<double>(count) : mean_volume(market, bar);
}

void LiquidityTracker::see_days(const MarketView& market, std::size_t bar) {
  for (; seen_ < bar; ++seen_) {
    const std::int64_t day = utc_day_of_ns(market.time_ns[seen_]);
    if (days_.empty() || days_.back().day != day) days_.push_back({day, 0, 0});
    days_.back().volume += market.volume[seen_];
    days_.back().close = market.close[seen_];
  }
}

// Over the last complete days before days_[d]. A first day that does not begin at midnight is not
// complete, but its close is known.
LiquidityTracker::DayScale LiquidityTracker::scale_before(std::size_t d,
                                                          std::size_t first_whole) const {
  const std::size_t from = std::max(first_whole, d - std::min<std::size_t>(d, kLiquidityDays));
  if (from >= d) return {};
  DayScale out;
  double squares = 0;
  std::size_t returns = 0;
  for (std::size_t i = from; i < d; ++i) {
    out.volume += days_[i].volume;
    if (i == 0) continue;
    const double r = days_[i].close / days_[i - 1].close - 1;
    squares += r * r;
    ++returns;
  }
  out.volume /= static_cast<double>(d - from);
  if (returns > 0) out.sigma = std::sqrt(squares / static_cast<double>(returns));
  return out;
}

void LiquidityTracker::begin_day(const MarketView& market, std::size_t bar) {
  const std::int64_t day = utc_day_of_ns(market.time_ns[bar]);
  if (day == known_day_) return;
  known_day_ = day;
  see_days(market, bar);
  const bool goes_on = !days_.empty() && days_.back().day == day;
  const std::size_t complete = days_.size() - (goes_on ? 1 : 0);
  known_ = scale_before(complete, market.time_ns[0] % kDayNs == 0 ? 0 : 1);
  if (!volatility_.on()) return;
  std::vector<double> closes;
  for (std::size_t d = complete - std::min(complete, volatility_.closes()); d < complete; ++d) {
    closes.push_back(days_[d].close);
  }
  exposure_ = volatility_.exposure(closes);
}

double LiquidityTracker::square_root_scale(const MarketView& market, std::size_t bar) {
  begin_day(market, bar);
  DayScale scale = known_;
  // Before a day is complete: the bars there are, as long as a day.
  if (!(scale.volume > 0)) scale.volume = mean_volume(market, bar) * bars_a_day_;
  if (!(scale.volume > 0)) scale.volume = market.volume[bar] * bars_a_day_;
  if (!(scale.sigma > 0)) scale.sigma = std::sqrt(mean_square(market, bar) * bars_a_day_);
  return scale.volume > 0 ? impact_y_ * scale.sigma / std::sqrt(scale.volume) : kNoScale;
}

Liquidity find_liquidity(const MarketView& market, Window window, const ExecutionModel& execution) {
  WINNOW_REQUIRES(window.first <= window.last && window.last <= market.size());
  WINNOW_REQUIRES(check_execution(execution).ok());
  Liquidity out;
  if (execution.expected_volume) out.expected_volume.resize(market.size());
  out.impact_scale.resize(market.size());
  const bool targets = DailyVolatility(execution).on();
  if (targets) out.exposure.resize(market.size());
  LiquidityTracker tracker(market.interval_ns, execution);
  for (std::size_t t = window.first; t < window.last; ++t) {
    const LiquidityAt at = tracker.at(market, t);
    if (execution.expected_volume) out.expected_volume[t] = at.expected_volume;
    out.impact_scale[t] = at.impact_scale;
    if (targets) out.exposure[t] = at.exposure;
  }
  return out;
}

std::size_t liquidity_bars(const MarketView& market, Window window,
                           const ExecutionModel& execution) {
  const DailyVolatility volatility(execution);
  std::size_t days_back = 0;
  if (execution.expected_volume || execution.impact_y > 0) days_back = kLiquidityDays + 1;
  if (volatility.on()) days_back = std::max(days_back, volatility.closes());
  if (days_back == 0) return 0;
  ++days_back;  // a day that may be cut in two
  std::size_t t = window.first;
  std::size_t seen = 0;
  std::int64_t day = utc_day_of_ns(market.time_ns[window.first]);
  while (t > 0) {
    const std::int64_t before = utc_day_of_ns(market.time_ns[t - 1]);
    if (before != day && ++seen > days_back) break;
    day = before;
    --t;
  }
  return window.first - t;
}

}  // namespace winnow::engine
