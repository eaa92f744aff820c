#pragma once

#include <cstddef>
#include <span>

#include "engine/execution.hpp"

namespace winnow::engine {

/// Daily returns that a first variance is made of; before there are as many, nothing is known.
inline constexpr std::size_t kVarianceSeedDays = 20;

/// Purpose: the exposure that a volatility target wants, from the closes of complete UTC days.
/// v[0] is the variance (divisor n - 1) of the first 20 of the returns looked back on,
/// v[t+1] = decay v[t] + (1 - decay) r[t]^2, exposure = target / sqrt(days_a_year v) (RiskMetrics
/// 1996). It looks back on so many days that what is left out weighs less than rounding error, and
/// on no more: a value depends on its own days, however long the data are.
class DailyVolatility {
 public:
  explicit DailyVolatility(const ExecutionModel& execution);
  bool on() const { return target_ > 0; }
  /// How many it looks back on.
  std::size_t closes() const { return closes_; }
  /// From `closes` of days, oldest first, at most closes() of them: at most exposure_max_frac; with
  /// too few exposure_frac.
  double exposure(std::span<const double> closes) const;

 private:
  double target_ = 0;
  double decay_ = 0;
  double days_a_year_ = 0;
  double start_ = 0;
  double most_ = 0;
  std::size_t closes_ = 0;
};

}  // namespace winnow::engine
