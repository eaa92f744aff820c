#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace winnow::cluster {

/// What a child process is to be.
struct ProcessSpec {
  std::vector<std::string> argv;  ///< argv[0] is the program, looked for in PATH if it has no '/'
  std::filesystem::path log;      ///< its output and errors are appended here
  int ready_fd = -1;              ///< becomes its descriptor kReadyFd, if not -1
  int input_fd = -1;              ///< becomes its standard input; -1: /dev/null
};
inline constexpr int kReadyFd = 3;

/// Starts a child in a process group of its own (Ctrl-C in the terminal reaches only its owner,
/// which then stops it in order) with no signal blocked. Fails: Io.
Result<pid_t> spawn(const ProcessSpec& spec);

/// Whether the child has ended (and is reaped).
bool has_ended(pid_t pid);

/// Waits for the child's end. Its exit status, or 128 + the signal that ended it.
int wait_for(pid_t pid);

/// Asks the children to end with SIGTERM, waits at most `patience` for all of them, then ends those
/// that did not. Non-positive entries are skipped.
void end_all(const std::vector<pid_t>& pids, DurationNs patience);

/// Whether this process may start so many threads now; tries. Where it may not, libraries end the
/// process without a word that helps. Fails: Unavailable, naming how many and what to raise.
Status can_start_threads(std::uint32_t count);

/// Replaces this process by a new one of the same program, arguments, environment and number: all
/// its threads end, its files close. Returns only when that fails: Io.
Status start_anew();

/// How long a log is now, so that its later end can be told from what earlier runs left there.
std::uintmax_t log_bytes(const std::filesystem::path& file);

/// The end of what a log holds from byte `from` on, for an error's text; empty if there is none.
std::string last_lines(const std::filesystem::path& file, std::uintmax_t from = 0);

/// `status 1` or `signal 11 (Segmentation fault)`, of what waitpid() said.
std::string end_text(int wait_status);

}  // namespace winnow::cluster
