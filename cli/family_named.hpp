#pragma once

#include <string_view>

#include "base/result.hpp"
#include "engine/family.hpp"

namespace winnow::cli {

/// Fails: NotFound, with the nearest name.
Result<const engine::FamilyDecl*> family_named(std::string_view name);

}  // namespace winnow::cli
