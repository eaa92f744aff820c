#include "engine/daily_volatility.hpp"

#include <algorithm>
#include <cmath>

namespace winnow::engine {
namespace {

// After so many time constants 1 / (1 - decay) a weight is below 2^-53, as in exponential columns.
constexpr double kTimeConstants = 37;

}  // namespace

DailyVolatility::DailyVolatility(const ExecutionModel& execution) {
  if (execution.sizing != Sizing::VolatilityTarget) return;
  target_ = execution.volatility_target_ann_frac;
  decay_ = execution.volatility_decay;
  days_a_year_ = execution.days_a_year;
  start_ = execution.exposure_frac;
  most_ = execution.exposure_max_frac;
  const double days = std::ceil(kTimeConstants / (1 - decay_));
  closes_ = std::max(static_cast<std::size_t>(days), kVarianceSeedDays) + 1;
}

double DailyVolatility::exposure(std::span<const double> closes) const {
  if (closes.size() <= kVarianceSeedDays) return start_;
  const auto of_day = [&](std::size_t i) { return closes[i + 1] / closes[i] - 1; };
  double mean = 0;
  for (std::size_t i = 0; i < kVarianceSeedDays; ++i) mean += of_day(i);
  mean /= static_cast<double>(kVarianceSeedDays);
  double variance = 0;
  for (std::size_t i = 0; i < kVarianceSeedDays; ++i) {
    variance += (of_day(i) - mean) * (of_day(i) - mean);
  }
  variance /= static_cast<double>(kVarianceSeedDays - 1);
  for (std::size_t i = 0; i + 1 < closes.size(); ++i) {
    variance = decay_ * variance + (1 - decay_) * of_day(i) * of_day(i);
  }
  return std::min(most_, target_ / std::sqrt(days_a_year_ * variance));
}

}  // namespace winnow::engine
