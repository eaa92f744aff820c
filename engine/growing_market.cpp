#include "engine/growing_market.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/check.hpp"
#include "base/numbers.hpp"
#include "base/time.hpp"
#include "engine/prepare.hpp"

namespace winnow::engine {
namespace {

Error bad_bar(const BarEvent& bar, const std::string& why) {
  return Error(ErrorCode::InvalidInput, "the bar of " + format_time_ns(bar.time_ns) + " " + why);
}

}  // namespace

GrowingMarket::GrowingMarket(const MarketView& history, const ExecutionModel& execution,
                             std::optional<std::int64_t> ordinal_first)
    : pays_funding_(execution.funding),
      has_rules_(execution.has_rules()),
      rules_by_time_(execution.rules),
      tracker_(history.interval_ns, execution) {
  WINNOW_REQUIRES(check_execution(execution).ok());
  WINNOW_REQUIRES(history.size() == 0 || check_window(history, {0, history.size()}).ok());
  const auto copy = [](auto& to, const auto& from) { to.assign(from.begin(), from.end()); };
  copy(columns_.time_ns, history.time_ns);
  copy(columns_.open, history.open);
  copy(columns_.high, history.high);
  copy(columns_.low, history.low);
  copy(columns_.close, history.close);
  copy(columns_.volume, history.volume);
  columns_.interval_ns = history.interval_ns;
  for (const InstrumentRules& r : rules_by_time_) {
    const auto& time = columns_.time_ns;
    const auto from = std::lower_bound(time.begin(), time.end(), r.from_ns);
    rules_.push_back(rule_step(r, static_cast<std::size_t>(from - time.begin())));
  }
  set_execution(job_, execution);
  job_.first = size();
  if (ordinal_first) {
    job_.market.ordinal_first = *ordinal_first;
  } else if (size() > 0 && columns_.interval_ns > 0) {
    job_.market.ordinal_first = columns_.time_ns[0] / columns_.interval_ns;
  }
  point();
}

Status GrowingMarket::check(const BarEvent& bar, std::span<const FundingEvent> funding) const {
  for (const double px : {bar.open, bar.high, bar.low, bar.close}) {
    if (!std::isfinite(px) || px <= 0) {
      return bad_bar(bar, "has a price of " + shortest_text(px) + "; above 0 is allowed");
    }
  }
  if (bar.low > std::min(bar.open, bar.close) || bar.high < std::max(bar.open, bar.close)) {
    return bad_bar(bar, "has an open or a close outside its low and high");
  }
  if (!std::isfinite(bar.volume) || bar.volume < 0) {
    return bad_bar(bar, "has a volume of " + shortest_text(bar.volume) + "; 0 or more is allowed");
  }
  const std::int64_t least = std::max<std::int64_t>(columns_.interval_ns, 1);
  if (size() > 0 && bar.time_ns - columns_.time_ns.back() < least) {
    return bad_bar(
        bar, "opens before the one of " + format_time_ns(columns_.time_ns.back()) + " has ended");
  }
  for (const FundingEvent& event : funding) {
    if (!std::isfinite(event.rate_frac))
      return bad_bar(bar, "has a funding payment without a rate");
    if (event.time_ns < bar.time_ns) {
      return bad_bar(bar, "has a funding payment of " + format_time_ns(event.time_ns) +
                              ", which is before it");
    }
  }
  return {};
}

Status GrowingMarket::append(const BarEvent& bar, std::span<const FundingEvent> funding) {
  WINNOW_TRY(check(bar, funding));
  const std::size_t t = size();
  if (t == 0 && columns_.interval_ns > 0) {
    job_.market.ordinal_first = bar.time_ns / columns_.interval_ns;
  }
  columns_.time_ns.push_back(bar.time_ns);
  columns_.open.push_back(bar.open);
  columns_.high.push_back(bar.high);
  columns_.low.push_back(bar.low);
  columns_.close.push_back(bar.close);
  columns_.volume.push_back(bar.volume);
  // What is in force from a time on is so from the first bar that opens then or later.
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (rules_[i].from_bar >= t)
      rules_[i].from_bar = rules_by_time_[i].from_ns <= bar.time_ns ? t : t + 1;
  }
  funding_.clear();
  if (pays_funding_ && !funding.empty()) {
    funding_.push_back({t, 0});
    for (const FundingEvent& event : funding) funding_.back().rate_frac += event.rate_frac;
  }
  if (has_rules_) {
    const LiquidityAt at = tracker_.at(columns_.view(), t);
    expected_volume_.resize(t);
    impact_scale_.resize(t);
    expected_volume_.push_back(at.expected_volume);
    impact_scale_.push_back(at.impact_scale);
    exposure_.resize(t);
    exposure_.push_back(at.exposure);
  }
  point();
  return {};
}

void GrowingMarket::point() {
  job_.open = columns_.open.data();
  job_.high = columns_.high.data();
  job_.low = columns_.low.data();
  job_.close = columns_.close.data();
  job_.volume = columns_.volume.data();
  job_.market.field[static_cast<std::size_t>(Field::Open)] = job_.open;
  job_.market.field[static_cast<std::size_t>(Field::High)] = job_.high;
  job_.market.field[static_cast<std::size_t>(Field::Low)] = job_.low;
  job_.market.field[static_cast<std::size_t>(Field::Close)] = job_.close;
  job_.market.field[static_cast<std::size_t>(Field::Volume)] = job_.volume;
  job_.market.time_ns = columns_.time_ns.data();
  job_.market.interval_ns = columns_.interval_ns;
  job_.market.size = size();
  job_.last = size();
  job_.rules = rules_.data();
  job_.rule_count = rules_.size();
  job_.funding = funding_.data();
  job_.fundings = funding_.size();
  job_.expected_volume = expected_volume_.data();
  job_.impact_scale = impact_scale_.data();
  job_.exposure = exposure_.data();
}

}  // namespace winnow::engine
