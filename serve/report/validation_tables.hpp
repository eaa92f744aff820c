#pragma once

#include "serve/report/input.hpp"
#include "serve/validation.hpp"

namespace winnow::serve::report {

/// What a specification's canonical `validation` says, in words.
std::string validation_words(const std::string& canonical_json);

/// A family's folds and what they make together.
WordTable validation_table(const SweepView& view, const sweeps::Segment& segment,
                           const ValidatedFamily& validated);

}  // namespace winnow::serve::report
