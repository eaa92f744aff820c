#pragma once

#include <string_view>

namespace winnow::store {

/// What the folder of a backup or a restored store is called, after its name, until it is whole. A
/// process that is killed leaves it; it is of no use.
inline constexpr std::string_view kUnfinished = ".making";

}  // namespace winnow::store
