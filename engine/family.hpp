#pragma once

#include <span>
#include <string_view>

#include "base/result.hpp"
#include "engine/lanes/family_decl.hpp"

namespace winnow::engine {

/// All families built in, in name order.
std::span<const FamilyDecl> families();

/// Null if there is none of that name.
const FamilyDecl* find_family(std::string_view name);

/// Ensures: one value per declared parameter, each finite, in range, integral where Int, and the
/// family's own check passes. Fails: InvalidInput naming parameter, value and range.
Status check_params(const FamilyDecl& family, std::span<const double> values);

/// As check_params, of one row after another, one at least. Fails: InvalidInput naming the row.
Status check_rows(const FamilyDecl& family, std::span<const double> rows);

}  // namespace winnow::engine
