#include "cli/read_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "cli/stop_signals.hpp"

namespace winnow::cli {
namespace {

namespace fs = std::filesystem;

std::string kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "something else";
}

Error io_error(const fs::path& file) {
  return Error(ErrorCode::Io,
               file.string() + ": cannot be read: " + std::generic_category().message(errno));
}

/// Up to `bytes_max` and one more, so that too much shows.
Result<std::string> read_some(int fd, const fs::path& file, std::size_t bytes_max) {
  std::string text;
  std::array<char, 16384> buffer{};
  while (text.size() <= bytes_max) {
    const std::size_t room = std::min(buffer.size(), bytes_max + 1 - text.size());
    const ssize_t n = ::read(fd, buffer.data(), room);
    if (n == 0) break;
    if (n > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd waiting{fd, POLLIN, 0};
      ::poll(&waiting, 1, -1);
      if (stop_requested()) return Error(ErrorCode::Cancelled, "interrupted");
    } else if (errno != EINTR) {
      return io_error(file);
    }
  }
  return text;
}

}  // namespace

Result<std::string> read_file(const fs::path& file, const ReadLimits& limits) {
  // Opening a pipe without a writer would wait for one.
  const int fd = ::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
    return Error(ErrorCode::NotFound, file.string() + ": there is no such file");
  }
  if (fd < 0) return io_error(file);
  struct stat facts {};
  const bool known = ::fstat(fd, &facts) == 0;
  const bool pipe = S_ISFIFO(facts.st_mode) && limits.readable == Readable::FilesAndPipes;
  Result<std::string> text = std::string();
  if (!known) {
    text = io_error(file);
  } else if (!S_ISREG(facts.st_mode) && !pipe) {
    text = Error(ErrorCode::InvalidInput,
                 file.string() + " is " + kind_of(facts.st_mode) + ", not a file");
  } else {
    text = read_some(fd, file, limits.bytes_max);
  }
  ::close(fd);
  if (text && text->size() > limits.bytes_max) {
    return Error(ErrorCode::InvalidInput, file.string() + " has more than " +
                                              std::to_string(limits.bytes_max) +
                                              " bytes, which is all that is read of such a file");
  }
  return text;
}

}  // namespace winnow::cli
