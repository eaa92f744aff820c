#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"
#include "serve/sweep_view.hpp"

namespace winnow::serve {

/// Writes an answer of `top` with `table` into a SQLite database: table `variants` (one column a
/// parameter or metric, NULL where a number does not exist) and table `sweep` (key, value).
/// An earlier file of that name is replaced, all or nothing. Fails: Io, InvalidInput (no table).
Status export_sqlite(const Json& table, const std::filesystem::path& file);

/// Writes text to a file, all or nothing. Fails: Io naming the file.
Status write_whole_file(const std::filesystem::path& file, std::string_view text);

}  // namespace winnow::serve
