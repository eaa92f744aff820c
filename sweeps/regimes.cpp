#include "sweeps/regimes.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/numbers.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/change_points.hpp"
#include "sweeps/stats/long_memory.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::size_t kVolatilityDays = 20;
constexpr std::size_t kVolatilityHistory = 250;
constexpr std::size_t kTrendDays = 100;
constexpr std::size_t kMemoryDays = 256;
constexpr double kMemoryBand = 0.05;  // about one standard error of a Hurst exponent of 256 numbers
constexpr stats::PageOptions kPage{.k = 0.5, .h = 5, .reference = 50};
constexpr std::size_t kBreakDays = 30;  // after the reference

std::vector<double> log_returns(std::span<const double> closes) {
  std::vector<double> out;
  for (std::size_t i = 1; i < closes.size(); ++i)
    out.push_back(std::log(closes[i] / closes[i - 1]));
  return out;
}

std::size_t volatility_state(std::span<const double> closes) {
  const std::vector<double> r = log_returns(closes);
  std::vector<double> sigmas;
  for (std::size_t end = kVolatilityDays; end <= r.size(); ++end) {
    sigmas.push_back(stats::variance(std::span(r).subspan(end - kVolatilityDays, kVolatilityDays)));
  }
  const double now = sigmas.back();
  const auto below = std::count_if(sigmas.begin(), sigmas.end(), [&](double s) { return s < now; });
  const double rank = static_cast<double>(below) / static_cast<double>(sigmas.size() - 1);
  return rank < 1.0 / 3 ? 0 : rank <= 2.0 / 3 ? 1 : 2;
}

std::size_t trend_state(std::span<const double> closes) {
  return closes.back() >= stats::mean(closes) ? 0 : 1;
}

std::size_t memory_state(std::span<const double> closes) {
  const double hurst = stats::rescaled_range(log_returns(closes)).hurst_corrected;
  return hurst < 0.5 - kMemoryBand ? 0 : hurst > 0.5 + kMemoryBand ? 2 : 1;
}

std::size_t break_state(std::span<const double> closes) {
  return stats::page_cusum(log_returns(closes), kPage).first_alarm ? 1 : 0;
}

constexpr std::string_view kThirds[] = {"low", "middle", "high"};
constexpr std::string_view kTrends[] = {"up", "down"};
constexpr std::string_view kMemories[] = {"reverting", "random", "trending"};
constexpr std::string_view kBreaks[] = {"steady", "shifted"};

constexpr RegimeDecl kRegimes[] = {
    {"volatility", kThirds, kVolatilityDays + kVolatilityHistory,
     "third of the last 250 days' 20-day volatility that yesterday's lies in", &volatility_state},
    {"trend", kTrends, kTrendDays, "yesterday's close above or below the mean of the last 100",
     &trend_state},
    {"memory", kMemories, kMemoryDays + 1,
     "rescaled-range Hurst exponent of the last 256 days' returns, less its expectation under "
     "independence: below .45, to .55, above",
     &memory_state},
    {"drift", kBreaks, kPage.reference + kBreakDays + 1,
     "whether Page's CUSUM (k .5, h 5) of the last 30 days' returns, against the 50 before them, "
     "has raised an alarm",
     &break_state},
};

}  // namespace

std::span<const RegimeDecl> regime_decls() { return kRegimes; }

std::vector<std::int32_t> regime_states(const RegimeDecl& decl, std::span<const double> closes) {
  std::vector<std::int32_t> out(closes.size(), kRegimeUnknown);
  for (std::size_t day = decl.closes; day < closes.size(); ++day) {
    out[day] =
        static_cast<std::int32_t>(decl.state(closes.subspan(day - decl.closes, decl.closes)));
  }
  return out;
}

std::vector<RegimeGroup> regime_groups(const RegimeDecl& decl, std::span<const std::int32_t> states,
                                       std::span<const double> returns, double periods_per_year) {
  WINNOW_REQUIRES(states.size() == returns.size());
  std::vector<std::vector<double>> by_state(decl.states.size() + 1);
  for (std::size_t i = 0; i < returns.size(); ++i) {
    const bool known = states[i] != kRegimeUnknown;
    by_state[known ? static_cast<std::size_t>(states[i]) : decl.states.size()].push_back(
        returns[i]);
  }
  std::vector<RegimeGroup> out;
  for (const std::vector<double>& days : by_state) {
    RegimeGroup group;
    group.days = days.size();
    for (const double r : days) group.sum_frac += r;
    group.mean_frac = days.empty() ? kNaN : group.sum_frac / static_cast<double>(days.size());
    const double spread = days.size() < 2 ? 0 : std::sqrt(stats::variance(days));
    group.sharpe_ann = spread > 0 ? group.mean_frac / spread * std::sqrt(periods_per_year) : kNaN;
    out.push_back(group);
  }
  return out;
}

}  // namespace winnow::sweeps
