#pragma once

#include <string>

#include "serve/scores.hpp"

namespace winnow::serve {

// Why a family is no more than it is, beside the figures of its gates.

/// Puts what its last look decided among the reasons of a family that was opened and is not
/// CONVERGED: "level: p = 0.0332 at look 1 of 1, at most 0.0025 needed". Nothing for one that is
/// judged in words: not even how near it came.
void add_level_reason(FamilyScore& family);

/// What stands against it, for a person who has read no page: "the market explains what it earns".
/// Empty: nothing does, its verdict says it already, or it is judged in words, of which there is
/// one kind of no only.
std::string why_in_words(const FamilyScore& family);

}  // namespace winnow::serve
