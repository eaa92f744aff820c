#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "store/import/layout.hpp"

namespace winnow::cli {

/// Reads a column map (docs/DATA.md). Fails: InvalidInput as `file:line:column: ...`, an unknown
/// key with the nearest known one.
Result<store::Layout> parse_layout(std::string_view yaml, const std::string& file);

/// `--layout`: the name of a layout, or a file of one. Fails: InvalidInput naming the layouts there
/// are, NotFound, Io.
Result<store::Layout> resolve_layout(const std::string& name_or_file);

}  // namespace winnow::cli
