#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace winnow {

/// Where writing to `file` goes: what symbolic links lead to.
struct Destination {
  std::filesystem::path path;
  /// A device, a pipe or a file that a process holds open (/dev/stdout): nothing may be put in its
  /// place, bytes go into it.
  bool written_through = false;
};
/// Fails: InvalidInput (a folder, no folder to put it in), Io.
Result<Destination> destination_of(const std::filesystem::path& file);

/// Writes all of the text to a file: a regular one appears whole or stays as it was (and keeps its
/// permissions), a link's target is replaced, and what is no regular file is written through.
/// Fails: as destination_of; Io naming the file, also where the bytes did not all arrive.
Status write_whole_file(const std::filesystem::path& file, std::string_view text);

/// Puts `made`, a regular file of this process, where `file` says, by the same rules, and removes
/// it from where it was. Fails: as above.
Status place_whole_file(const std::filesystem::path& made, const std::filesystem::path& file);

/// A name beside `file` that is this process's own, for what becomes that file.
std::filesystem::path unfinished_name(const std::filesystem::path& file);

}  // namespace winnow
