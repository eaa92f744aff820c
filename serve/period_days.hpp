#pragma once

#include <cstdint>
#include <vector>

#include "serve/sweep_view.hpp"

namespace winnow::serve {

/// The UTC days that the periods of a segment's results stand for, as numbers from 1970.
struct PeriodDays {
  std::vector<std::int64_t> days;
  bool known = true;  ///< false: counted from the window's first day, as if none were missing
};
/// From the window alone if every day of it has a period, else from the dataset.
PeriodDays period_days(const Sources& sources, const SweepView& view,
                       const sweeps::Segment& segment, std::uint32_t periods);

/// Periods of a year of a segment's data.
double periods_per_year(const SweepView& view, const sweeps::Segment& segment);

}  // namespace winnow::serve
