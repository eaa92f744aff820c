#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "sweeps/plan.hpp"

namespace winnow::sweeps {

/// Purpose: which variants of a segment its family may be judged by, and on which days, so that no
/// variant is judged by the results that chose it. README.md, "Survivors", has the reasons.
struct Judged {
  static constexpr std::size_t kAllPeriods = std::numeric_limits<std::size_t>::max();

  std::uint64_t rows = 0;  ///< the first so many trials of the segment
  /// Only those among them that went through the whole window; else those on shorter windows are
  /// launched variants without a result.
  bool whole_window_only = false;
  std::size_t chosen_by_periods = 0;  ///< the periods after these may be scored
  std::string note = {};              ///< for people; empty: all variants, all days

  /// Requires: the trial is of the segment.
  bool counts(const Plan& plan, const Segment& segment, std::uint64_t trial) const;
  /// How many trials count.
  std::uint64_t variants(const Plan& plan, const Segment& segment) const;
};

Judged judged_variants(const Plan& plan, const Segment& segment);

/// Parameters of the trials that count, row-major.
std::vector<double> judged_params(const Plan& plan, const Segment& segment, const Judged& judged);

}  // namespace winnow::sweeps
