#pragma once

#include <string>

#include "serve/scoring.hpp"

namespace winnow::serve {

/// How a sweep's families are judged where that is not the default: hurdle, looks, worst loss, hard
/// stops, survivors, requirements. A list of {knob, value, default}, each with `effect` in words
/// where it is less than it says; empty: all at their defaults.
Json knobs_json(const SweepView& view, const ScoreOptions& options);
/// The same on one line: "worst_loss_sd 12 (default 8), looks equal (default one)".
std::string knobs_text(const Json& knobs);

/// A hurdle may only ask for more than no loss. Fails: InvalidInput naming the value.
Status check_hurdle(double hurdle_sharpe_ann);

}  // namespace winnow::serve
