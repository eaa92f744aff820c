#pragma once

#include <string_view>

namespace winnow::engine {

/// 32 hex digits of the contents of all sources below engine/ and base/, made by the build. Two
/// processes that say the same compute the same; of two that do not nobody knows, so they are no
/// farm (actors/). Not part of a TrialKey: a comment would make every stored result another trial.
std::string_view source_hash();

}  // namespace winnow::engine
