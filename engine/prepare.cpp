#include "engine/prepare.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/check.hpp"
#include "base/det_math.hpp"
#include "base/time.hpp"
#include "engine/families/list.hpp"
#include "engine/indicators/list.hpp"

namespace winnow::engine {
namespace {

template <class Strategy>
FamilyRuntime runtime() {
  const auto warmup = [](const double* params) {
    std::size_t bars = 0;
    for (int c = 0; c < Strategy::kColumns; ++c) {
      bars = std::max(bars, warmup_bars(Strategy::column(c, params)));
    }
    return bars;
  };
  return {Strategy::kColumns, &Strategy::column, Strategy::kExitParam, warmup};
}

// 0.01 as n / 100, 5 as 5 n: see lanes::Step.
lanes::Step step_of(double size) {
  if (size == 0) return {};
  const double inverse = std::round(1.0 / size);
  if (inverse >= 1 && std::fabs(inverse * size - 1.0) < 1e-12) return {1.0, inverse};
  return {size, 1.0};
}

Error damaged(std::string_view what, std::size_t index, std::string_view why) {
  return Error(ErrorCode::InvalidInput, "the market is damaged: " + std::string(what) + " " +
                                            std::to_string(index) + " " + std::string(why));
}

Status check_times(const MarketView& market) {
  // Days and intervals are added to times.
  constexpr std::int64_t kFarthest = std::int64_t{1} << 62;
  const auto& time = market.time_ns;
  for (std::size_t t = 1; t < time.size(); ++t) {
    if (time[t] <= time[t - 1]) return damaged("bar", t, "does not open after the one before it");
  }
  if (time.front() < -kFarthest) return damaged("bar", 0, "opens out of all time");
  if (time.back() > kFarthest) return damaged("bar", time.size() - 1, "opens out of all time");
  if (market.interval_ns < 0 || market.interval_ns > kFarthest) {
    return damaged("the interval of bar", 0, "is out of all time");
  }
  return {};
}

Status check_funding(const MarketView& market) {
  for (std::size_t i = 0; i < market.funding.size(); ++i) {
    const FundingEvent& event = market.funding[i];
    if (!std::isfinite(event.rate_frac)) return damaged("funding event", i, "has no rate");
    if (i > 0 && event.time_ns < market.funding[i - 1].time_ns) {
      return damaged("funding event", i, "is earlier than the one before it");
    }
  }
  return {};
}

// Busseti, Ryu and Boyd (2016), quadratic: min(1, 2 / (lambda + 1)) times mean over mean square.
double kelly_factor(const ExecutionModel& e) {
  if (!(e.kelly_wealth_min_frac > 0)) return e.kelly_frac;
  const double lambda = det_log(e.kelly_wealth_min_prob) / det_log(e.kelly_wealth_min_frac);
  return e.kelly_frac * std::min(1.0, 2 / (lambda + 1));
}

void set_sizes(lanes::Sizes& sizes, const ExecutionModel& e) {
  using By = lanes::Sizes::By;
  const bool whole = e.sizing == Sizing::AllIn || e.sizing == Sizing::FixedQty;
  sizes.by = e.sizing == Sizing::VolatilityTarget ? By::Day
             : e.sizing == Sizing::Kelly          ? By::Trades
                                                  : By::Constant;
  sizes.exposure = whole ? 1 : e.exposure_frac;
  sizes.least = e.exposure_min_frac;
  sizes.most = e.exposure_max_frac;
  sizes.kelly_factor = kelly_factor(e);
  sizes.trades_min = e.kelly_trades_min;
  sizes.rebalance = e.rebalance;
  sizes.band = e.rebalance_band_frac;
  sizes.drawdown = e.drawdown_scale_frac;
  sizes.performance = e.performance_scale;
  sizes.performance_mean = e.performance_mean_frac;
}

}  // namespace

std::size_t family_index(const FamilyDecl& family) {
  const auto index = static_cast<std::size_t>(&family - families().data());
  WINNOW_REQUIRES(index < families().size());
  return index;
}

const FamilyRuntime& family_runtime(const FamilyDecl& family) {
  static const auto runtimes = table_of<FamilyRuntime>(
      Families<lanes::Lane1>(), []<class Strategy>() { return runtime<Strategy>(); });
  return runtimes[family_index(family)];
}

Status check_window(const MarketView& market, Window window) {
  const std::size_t n = market.size();
  if (market.time_ns.size() != n || market.open.size() != n || market.high.size() != n ||
      market.low.size() != n || market.volume.size() != n) {
    return Error(ErrorCode::InvalidInput, "market columns differ in length");
  }
  if (window.first >= window.last || window.last > n) {
    return Error(ErrorCode::InvalidInput, "window of bars [" + std::to_string(window.first) + ", " +
                                              std::to_string(window.last) +
                                              ") must be non-empty and within the " +
                                              std::to_string(n) + " bars of the market");
  }
  WINNOW_TRY(check_times(market));
  return check_funding(market);
}

std::vector<std::int64_t> period_starts(const MarketView& market, Window window) {
  constexpr std::int64_t day_ns = days(1).ns;
  std::vector<std::int64_t> starts;
  for (std::size_t t = window.first; t < window.last; ++t) {
    const std::int64_t midnight = utc_day_of_ns(market.time_ns[t]) * day_ns;
    if (starts.empty() || starts.back() != midnight) starts.push_back(midnight);
  }
  return starts;
}

void set_execution(lanes::Job& job, const ExecutionModel& execution) {
  WINNOW_REQUIRES(check_execution(execution).ok());
  job.costs.taker_fee = execution.taker_fee_bps / 10'000;
  job.costs.maker_fee = execution.maker_fee_bps / 10'000;
  job.costs.half_spread = execution.half_spread_bps / 10'000;
  job.costs.range_share = execution.half_spread_range_frac;
  job.costs.impact = execution.impact_bps / 10'000;
  job.costs.participation = execution.participation_max_frac;
  job.costs.fixed_qty = execution.sizing == Sizing::FixedQty ? execution.fixed_qty : 0;
  job.costs.initial_cash = execution.initial_cash;
  if (!execution.has_rules()) return;
  lanes::Rules& full = job.full;
  full.on = true;
  full.work_exits = execution.work_exits;
  full.expected_volume = execution.expected_volume;
  full.resting_targets = execution.resting_targets;
  full.liquidation = execution.liquidation;
  full.drawdown_bars = execution.drawdown_bars;
  full.shorts = execution.shorts;
  full.penetration_ticks = execution.target_penetration_ticks;
  full.stop_range = execution.stop_range_frac;
  full.maintenance = execution.maintenance_margin_frac;
  full.liquidation_fee = execution.liquidation_fee_bps / 10'000;
  full.leverage_max = execution.leverage_max;
  full.borrow_ann = execution.borrow_ann_frac;
  full.watches_closes = full.drawdown_bars || execution.rebalance;
  set_sizes(job.sizes, execution);
}

lanes::RuleStep rule_step(const InstrumentRules& rules, std::size_t from_bar) {
  return {from_bar, step_of(rules.tick_px), step_of(rules.lot_qty), rules.qty_min,
          rules.notional_min};
}

Prepared::Prepared(const MarketView& market, Window window, const ExecutionModel& execution) {
  WINNOW_REQUIRES(window.first < window.last && window.last <= market.size());
  WINNOW_REQUIRES(check_execution(execution).ok());
  find_periods(market, window);
  if (execution.funding) find_funding(market, window);
  find_rules(market, execution);

  job_.open = market.open.data();
  job_.high = market.high.data();
  job_.low = market.low.data();
  job_.close = market.close.data();
  job_.volume = market.volume.data();
  job_.market = {
      .field = {job_.open, job_.high, job_.low, job_.close, job_.volume},
      .time_ns = market.time_ns.data(),
      .interval_ns = market.interval_ns,
      .size = market.size(),
      .ordinal_first = market.interval_ns > 0 ? market.time_ns[0] / market.interval_ns : 0};
  job_.first = window.first;
  job_.last = window.last;
  job_.period_last = period_last_.data();
  job_.periods = period_last_.size();
  job_.funding = funding_.data();
  job_.fundings = funding_.size();
  job_.rules = rules_.data();
  job_.rule_count = rules_.size();
  set_execution(job_, execution);
  if (!job_.full.on) return;
  liquidity_ = find_liquidity(market, window, execution);
  job_.expected_volume = liquidity_.expected_volume.data();
  job_.impact_scale = liquidity_.impact_scale.data();
  job_.exposure = liquidity_.exposure.data();
}

void Prepared::find_periods(const MarketView& market, Window window) {
  for (std::size_t t = window.first; t + 1 < window.last; ++t) {
    if (utc_day_of_ns(market.time_ns[t]) != utc_day_of_ns(market.time_ns[t + 1]))
      period_last_.push_back(t);
  }
  period_last_.push_back(window.last - 1);
  WINNOW_ENSURES(period_last_.size() <= window.last - window.first);
}

// An event belongs to the last bar that had opened by then. What comes after the last bar of the
// data has ended belongs to none.
void Prepared::find_funding(const MarketView& market, Window window) {
  const auto begin = market.time_ns.begin();
  const std::int64_t data_end =
      market.time_ns.back() + std::max<std::int64_t>(market.interval_ns, 1);
  for (const FundingEvent& event : market.funding) {
    const auto after = std::upper_bound(begin, market.time_ns.end(), event.time_ns);
    if (after == begin || event.time_ns >= data_end) continue;
    const std::size_t bar = static_cast<std::size_t>(after - begin) - 1;
    if (bar < window.first || bar >= window.last) continue;
    if (!funding_.empty() && funding_.back().bar == bar) {
      funding_.back().rate_frac += event.rate_frac;
    } else {
      funding_.push_back({bar, event.rate_frac});
    }
  }
}

void Prepared::find_rules(const MarketView& market, const ExecutionModel& execution) {
  for (const InstrumentRules& r : execution.rules) {
    const auto from = std::lower_bound(market.time_ns.begin(), market.time_ns.end(), r.from_ns);
    rules_.push_back(rule_step(r, static_cast<std::size_t>(from - market.time_ns.begin())));
  }
}

}  // namespace winnow::engine
