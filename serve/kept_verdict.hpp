#pragma once

#include <cstdint>
#include <string>

#include "serve/scores.hpp"

namespace winnow::serve {

// A complete family's verdict is kept: to score a million variants takes seconds.

/// What documents about one family of a sweep are kept under.
std::string verdict_key(const SweepView& view, std::uint32_t segment);

/// A kept verdict of this family under these options, with its look. False: there is none.
Result<bool> read_verdict(const Sources& sources, const SweepView& view,
                          const sweeps::Segment& segment, const ScoreOptions& options,
                          FamilyScore& out);
void keep_verdict(const Sources& sources, const SweepView& view, const FamilyScore& family,
                  const ScoreOptions& options, std::uint64_t panel_periods);

}  // namespace winnow::serve
