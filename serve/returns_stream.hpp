#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "serve/scores.hpp"

namespace winnow::serve {

/// Some consecutive rows of a family's period returns.
struct ReturnRows {
  std::span<const std::uint64_t> trial;
  std::span<const float> returns;  ///< [row][period]; a failed trial's row is NaN
  std::uint32_t periods = 0;
  std::span<const float> row(std::size_t i) const { return returns.subspan(i * periods, periods); }
};

/// How many parts read_return_rows calls for.
std::size_t return_parts(const sweeps::Segment& segment);

/// Calls `visit(part, rows)` for the committed trials of a segment, parts on any threads, each at
/// most once. Blocks with other periods than most (quarantined ones) are left out. Memory: that of
/// some blocks a thread, nothing if the panel is given. Gives the number of periods; 0: there are
/// none. Fails: Corrupt, Io.
Result<std::uint32_t> read_return_rows(
    const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
    const FamilyPanel* panel,
    const std::function<void(std::size_t part, const ReturnRows& rows)>& visit);

/// Periods of a segment's results; 0: there are none yet. Fails: Corrupt, Io.
Result<std::uint32_t> return_periods(const Sources& sources, const SweepView& view,
                                     const sweeps::Segment& segment);

}  // namespace winnow::serve
