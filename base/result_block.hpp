#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.hpp"

namespace winnow {

/// Why a trial has no metrics. Ok trials have all of them.
enum class TrialStatus : std::uint8_t {
  Ok = 0,
  Failed = 1,
  Cut = 2,  ///< it failed at a limit of time or memory, which says nothing about its result: no
            ///< other execution of the same trial can contradict it
};
/// Whether the row has an error text in place of numbers.
constexpr bool has_failed(TrialStatus status) { return status != TrialStatus::Ok; }

/// Purpose: the results of consecutive trials of one sweep segment, in columns: the unit that
/// travels from node to coordinator, is committed at once and is compared bit for bit when it comes
/// twice. Invariants: keys.size() == rows; metrics.size() == metric_count * rows; returns.size() ==
/// rows * periods; status.size() == rows; points.size() == point_metrics * point_steps * rows; the
/// numbers of a row that failed are all NaN and `errors` has its text.
struct ResultBlock {
  std::uint64_t block = 0;        ///< index in the sweep's plan
  std::uint64_t first_trial = 0;  ///< index of row 0 in the sweep's plan
  std::uint32_t rows = 0;
  std::uint32_t metric_count = 0;
  std::uint32_t periods = 0;
  std::vector<TrialKey> keys;
  std::vector<TrialStatus> status;
  std::vector<double> metrics;  ///< [metric][row]
  std::vector<float> returns;   ///< [row][period]
  /// [row][period]: the mean position, signed notional over equity. Empty: not recorded (results of
  /// engine version 1).
  std::vector<float> exposures;
  std::vector<std::string> errors;  ///< one a failed row, in row order
  /// Learning curves: some metrics as they stood at fixed steps of data time. 0 steps: none.
  std::uint32_t point_metrics = 0;
  std::uint32_t point_steps = 0;
  std::vector<double> points;  ///< [point metric][step][row]

  /// Hash of everything but `block` and `first_trial`: two runs of the same trials must agree on
  /// it.
  Hash128 content_hash() const;
};

}  // namespace winnow
