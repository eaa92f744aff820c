#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "serve/sweep_view.hpp"
#include "sweeps/convergence/convergence.hpp"

namespace winnow::serve {

/// Purpose: the look that a verdict belongs to, where a specification declares several (looks:
/// equal or spending). A hypothesis (a family on a market, by the days and the part of the
/// parameter space that it covers) is looked at as its data grows, sweep after sweep; each look is
/// taken once and keeps the days it was taken with, also if the dataset has another name by then or
/// the space is a little larger. Scoring again, with more days or more often,
/// gives that look's verdict again until the next look is due, so it cannot raise the rate of false
/// positives above that of the declared looks.
struct Look {
  sweeps::LookPlan plan = sweeps::LookPlan::EqualLooks;
  std::uint64_t number = 0;   ///< 1 to sweeps::kLooks; 0: none is due yet
  std::uint64_t periods = 0;  ///< the first so many days are scored; 0: all there are
  std::string sweep = {};     ///< that took it
  bool recorded = false;      ///< a look that is not on record cannot end in CONVERGED
  bool recordable = false;    ///< it would be, had the store been open for writing
  std::string refusal = {};   ///< why this look cannot count; empty: it does
};

/// Whether every variant of the family has a result.
enum class FamilyState : std::uint8_t { Incomplete, Complete };
constexpr FamilyState family_state(std::uint64_t scored, std::uint64_t trials) {
  return scored == trials ? FamilyState::Complete : FamilyState::Incomplete;
}

/// The look of a segment whose panel has `periods` days, recorded if it is new, the family is
/// complete and `sources.verdicts` allows. Nothing if the specification declares one look only: a
/// sweep's data does not grow, and each sweep counts as a hypothesis of its own.
/// Fails: Io, Corrupt (of the record).
Result<std::optional<Look>> take_look(const Sources& sources, const SweepView& view,
                                      const sweeps::Segment& segment, std::uint64_t periods,
                                      FamilyState state);

/// What looks were kept under before markets had an identity, with the dataset's name in it. They
/// are found by it and count for their market.
std::string look_key_by_name(const SweepView& view, const sweeps::Segment& segment);

/// Turns CONVERGED into INSUFFICIENT with the reason if the look does not count.
void apply_look(const Look& look, sweeps::Convergence& score);

Json look_json(const Look& look);

}  // namespace winnow::serve
