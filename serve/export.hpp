#pragma once

#include <filesystem>

#include "base/result.hpp"
#include "serve/sweep_view.hpp"

namespace winnow::serve {

/// Writes an answer of `top` with `table` into a SQLite database: table `variants` (one column a
/// parameter or metric, NULL where a number does not exist) and table `sweep` (key, value).
/// Where it goes: place_whole_file(). Fails: Io, InvalidInput (no table).
Status export_sqlite(const Json& table, const std::filesystem::path& file);

}  // namespace winnow::serve
