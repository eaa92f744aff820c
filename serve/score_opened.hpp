#pragma once

#include "serve/gap_part.hpp"
#include "serve/opening.hpp"
#include "serve/scores.hpp"

namespace winnow::serve {

// How an opened family is judged: on the days that were fixed, as a whole or by its best tile, and
// once a look.

/// A family's results with what a gap would cost each row.
struct OpenedPart {
  const FamilyPanel& panel;
  const GapPart& gaps;
};

/// Scores it on the days that judge it. Requires: out.opened. Fails: as read_market_part.
Status score_opened(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
                    const OpenedPart& part, const Judging& judging, sweeps::ConvergenceOptions how,
                    FamilyScore& out);

/// What a look finds: of a declared search the largest of its panels' and its tile's own.
double look_p(const FamilyScore& family);

/// Puts the look down that is due, where that may be done. Fails: Corrupt, Io.
Status look_at(const Sources& sources, const Judging& judging, FamilyScore& family);

}  // namespace winnow::serve
