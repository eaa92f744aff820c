#pragma once

#include <cstddef>
#include <string_view>

namespace winnow {

/// How many insertions, deletions, changes and swaps of neighbours lead from one word to the other
/// (optimal string alignment), for "did you mean". Quadratic: for words, not texts.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace winnow
