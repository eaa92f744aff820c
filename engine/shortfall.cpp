#include "engine/shortfall.hpp"

#include <algorithm>
#include <set>

#include "base/time.hpp"

namespace winnow::engine {
namespace {

// So few bars without a trade are a quiet minute of a market, not a column that was never there.
constexpr double kSilentBarsFrac = 0.01;

std::string funding_shortfall(const ExecutionModel& model, const MarketView& market, Window window,
                              std::string_view data) {
  const std::int64_t first = utc_day_of_ns(market.time_ns[window.first]);
  const std::int64_t last = utc_day_of_ns(market.time_ns[window.last - 1]);
  std::set<std::int64_t> covered;
  for (const FundingEvent& e : market.funding) {
    const std::int64_t day = utc_day_of_ns(e.time_ns);
    if (day >= first && day <= last) covered.insert(day);
  }
  if (covered.empty()) return no_funding_text(data, model.name);
  const std::string quoted = "'" + std::string(data) + "'";
  const std::int64_t days = last - first + 1;
  const auto at_the_edges = static_cast<std::int64_t>(!covered.contains(first)) +
                            static_cast<std::int64_t>(last != first && !covered.contains(last));
  const auto paid = static_cast<std::int64_t>(covered.size());
  if (paid + at_the_edges >= days) return "";
  return quoted + " has funding payments on " + std::to_string(paid) + " of " +
         std::to_string(days) + " days of the window, so " + model.name +
         " charges none on the other " + std::to_string(days - paid);
}

std::string volume_shortfall(const ExecutionModel& model, const MarketView& market, Window window,
                             const std::string& data) {
  if (model.participation_max_frac <= 0 && model.impact_bps <= 0) return "";
  const auto first = market.volume.begin() + static_cast<std::ptrdiff_t>(window.first);
  const auto last = market.volume.begin() + static_cast<std::ptrdiff_t>(window.last);
  const auto silent = std::count_if(first, last, [](double v) { return !(v > 0); });
  const auto bars = last - first;
  if (silent == bars) {
    return data + " has no volume, so what " + model.name +
           " takes for impact and allows of a bar's volume cannot be counted";
  }
  if (static_cast<double>(silent) < kSilentBarsFrac * static_cast<double>(bars)) return "";
  return data + " has " + std::to_string(silent) + " of " + std::to_string(bars) +
         " bars without volume in the window; " + model.name + " cannot count impact there";
}

}  // namespace

std::string no_funding_text(std::string_view data, std::string_view profile) {
  return "'" + std::string(data) + "' has no funding history, so " + std::string(profile) +
         " charges none on it";
}

std::vector<std::string> shortfalls(const ExecutionModel& model, const MarketView& market,
                                    Window window, std::string_view data) {
  std::vector<std::string> out;
  window.last = std::min(window.last, market.size());
  if (window.first >= window.last) return out;
  const std::string quoted = "'" + std::string(data) + "'";
  if (model.funding) {
    std::string text = funding_shortfall(model, market, window, data);
    if (!text.empty()) out.push_back(std::move(text));
  }
  std::string text = volume_shortfall(model, market, window, quoted);
  if (!text.empty()) out.push_back(std::move(text));
  return out;
}

}  // namespace winnow::engine
