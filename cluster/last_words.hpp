#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace winnow::cluster {

/// What a process that a signal ended has left behind.
struct LastWords {
  std::uint64_t session = 0;  ///< as last told to say_as()
  std::string text;           ///< the signal, by number and name
};

/// From now on a crash of this process (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) leaves a small
/// file in `folder`, and ends it as it would have. SIGKILL and an overflowing stack leave nothing.
/// Once a process. Fails: Io (no folder).
Status leave_last_words(const std::filesystem::path& folder);

/// Who this process is to those who will want to know. Thread: any.
void say_as(std::uint64_t session);

/// Those of one earlier process, taken out of the folder; nothing: none crashed.
std::optional<LastWords> take_last_words(const std::filesystem::path& folder);

}  // namespace winnow::cluster
