#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace winnow::cli {

/// What may be read where a text is wanted. A device is never: some never end, others do something.
enum class Readable {
  Files,          ///< regular files
  FilesAndPipes,  ///< also a pipe, as in `<(make_spec)`, until its writers are gone
};

struct ReadLimits {
  std::size_t bytes_max = std::size_t{1} << 20;
  Readable readable = Readable::FilesAndPipes;
};

/// A whole text. Reads no byte beyond the limit, and never waits for a pipe nobody writes to.
/// Fails: NotFound, Io, InvalidInput (no such thing as may be read, or too long).
Result<std::string> read_file(const std::filesystem::path& file, const ReadLimits& limits = {});

}  // namespace winnow::cli
