#pragma once

#include <string>
#include <vector>

#include "serve/scores.hpp"

namespace winnow::serve {

/// What a family's variants would lose in the gap of their instrument (sweeps/level/gaps.hpp).
struct GapPart {
  sweeps::level::Gap gap;
  std::vector<double> loss;  ///< of each row of the panel, as a fraction of equity
  /// What stands in for the largest notional that a variant held; empty: it is known.
  std::string stands_in;
};

/// Results made before engine version 2 counted `exposure_max_frac` are charged for the largest
/// mean position of a period instead, and where they have none, for one that is all they own.
/// Fails: Corrupt, Io.
Result<GapPart> read_gap_part(const Sources& sources, const SweepView& view,
                              const sweeps::Segment& segment, const FamilyPanel& panel);

/// The panel scored with `gaps` charged: fills `out` and takes a verdict back that the charge does
/// not leave.
void apply_gaps(const GapPart& part, double return_mean, sweeps::Convergence& score, GapScore& out);

}  // namespace winnow::serve
