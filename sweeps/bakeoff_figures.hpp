#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/calendar.hpp"
#include "sweeps/stats/bootstrap.hpp"
#include "sweeps/stats/panel.hpp"

namespace winnow::sweeps {

// What a bake-off is told of its entrants, and what it says of each. See bakeoff.hpp.

struct Entrant {
  std::string name;
  PanelView panel;             ///< all variants; a row with a number that is not finite is left out
  std::vector<double> centre;  ///< daily returns of the plateau centre; empty: there is none
};

struct BakeoffOptions {
  std::size_t train = 90;  ///< periods
  std::size_t test = 30;
  std::size_t resamples = 2000;
  std::uint64_t seed = 1;
  double level = 0.95;  ///< of confidence intervals
  double alpha = 0.05;  ///< of the verdict, after correction
  double periods_per_year = engine::kPeriodsPerYearOpen;
  /// Calendar time of all periods together; 0: periods / periods_per_year.
  double years = 0;
};

/// One series of daily returns. Ratios are annual by the data's calendar; NaN where they
/// do not exist, or over less than engine::kAnnualDaysMin.
struct SeriesFigures {
  std::vector<double> returns;
  double sharpe_ann = 0;
  stats::Interval sharpe_interval;  ///< percentiles of the stationary bootstrap
  double cagr_frac = 0;
  double drawdown_frac = 0;
  double mar = 0;         ///< CAGR / largest drawdown
  bool measured = false;  ///< false: no days, or days that do not vary
};

struct EntrantFigures {
  std::string name;
  std::size_t variants = 0;  ///< rows that are used
  SeriesFigures portfolio, walk_forward, centre;
  std::size_t windows = 0;
  /// Annual mean of the tests / mean annual mean of the picks in training; NaN if that is a loss.
  double efficiency = 0;
  double windows_positive_frac = 0;
  double crowding_mean = 0;  ///< correlation of portfolios with those of the other families
  double crowding_max = 0;
  double p_beats_cash = 1;   ///< StepM-adjusted, of the tested series against earning nothing
  double p_in_best_set = 0;  ///< model confidence set: below alpha, some other family is better
};

}  // namespace winnow::sweeps
