#pragma once

#include "serve/scores.hpp"

namespace winnow::serve {

// An opened family may be an earlier idea under another name: its returns say so (LEVEL 4). They
// are known when it was computed, so that is when its days are settled, before its first look.

/// Takes the days from a claim on which hypotheses that its results are like had been seen before
/// it was opened; on record where that may be done. Nothing for one that is settled, was looked at
/// or is not computed yet. Requires: family.opened. Fails: Corrupt, Io.
Status settle_kin_days(const Sources& sources, const SweepView& view,
                       const sweeps::Segment& segment, FamilyScore& family);

}  // namespace winnow::serve
