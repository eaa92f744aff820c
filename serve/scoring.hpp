#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serve/scores.hpp"

namespace winnow::serve {

struct Scoring {
  std::vector<FamilyScore> families;  ///< one a segment
  HypothesisCount hypotheses;         ///< all that were ever scored
  std::vector<std::string> warnings;
};

/// Scores every family of a sweep over all its variants. Verdicts of complete families are kept as
/// documents where `sources.verdicts` allows and read from there.
/// Fails: as read_panel.
Result<Scoring> score_families(const Sources& sources, const SweepView& view,
                               const ScoreOptions& options = {});

/// How a segment's family is scored: what its specification declared, the hurdle asked for, all
/// launched trials and how they lie in parameter space. Fails: InvalidInput (of the declaration).
Result<sweeps::ConvergenceOptions> score_options(const SweepView& view,
                                                 const sweeps::Segment& segment,
                                                 const ScoreOptions& options);

struct NeighbourhoodScoring {
  std::vector<NeighbourhoodScore> tiles;  ///< largest C first
  HypothesisCount hypotheses;
  std::vector<std::string> warnings;
};
/// Scores disjoint neighbourhoods of every family; each counts as a hypothesis, from now on and
/// for everybody. Fails: as read_panel, and Refused where that cannot be written down.
Result<NeighbourhoodScoring> score_neighbourhoods(const Sources& sources, const SweepView& view,
                                                  const ScoreOptions& options = {});

}  // namespace winnow::serve
