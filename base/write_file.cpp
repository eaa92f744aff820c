#include "base/write_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

namespace winnow {
namespace {

namespace fs = std::filesystem;

// As many as the system follows itself.
constexpr int kLinksMax = 40;
// What somebody else opened as a file (`> out.html`) grows at its end.
constexpr int kThrough = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY;

Error cannot_write(const fs::path& file, int number) {
  return Error(ErrorCode::Io, file.string() + ": cannot be written: " + std::strerror(number));
}

/// Purpose: a file descriptor, closed at the latest with it.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  /// False, with errno, if what was written did not arrive.
  bool close() { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

Status write_through(const fs::path& path, const fs::path& file, std::string_view text) {
  Descriptor out(::open(path.c_str(), kThrough));
  if (out.get() < 0 || !write_all(out.get(), text) || !out.close()) {
    return cannot_write(file, errno);
  }
  return {};
}

/// Takes over the permissions of what is there; a new file has those of any new file.
void keep_permissions(const fs::path& from, const fs::path& to) {
  struct stat there {};
  if (::stat(from.c_str(), &there) == 0) ::chmod(to.c_str(), there.st_mode & 07777);
}

Status move_into_place(const fs::path& made, const fs::path& path, const fs::path& file) {
  keep_permissions(path, made);
  if (::rename(made.c_str(), path.c_str()) == 0) return {};
  const int number = errno;
  ::unlink(made.c_str());
  return cannot_write(file, number);
}

}  // namespace

fs::path unfinished_name(const fs::path& file) {
  return file.string() + ".part-" + std::to_string(::getpid());
}

Result<Destination> destination_of(const fs::path& file) {
  std::error_code ec;
  fs::path at = file;
  bool held_open = false;
  for (int links = 0; fs::is_symlink(at, ec); ++links) {
    if (links == kLinksMax) return cannot_write(file, ELOOP);
    const fs::path to = fs::read_symlink(at, ec);
    if (ec) return cannot_write(file, ec.value());
    // What stands below a process's descriptors is the open file itself, whatever its name says.
    held_open = fs::weakly_canonical(at.parent_path(), ec).string().starts_with("/proc/");
    if (held_open) break;
    at = to.is_absolute() ? to : at.parent_path() / to;
  }
  if (held_open) return Destination{file, true};
  if (fs::is_directory(at, ec)) {
    return Error(ErrorCode::InvalidInput, file.string() + " is a folder; name a file");
  }
  const bool there = fs::exists(at, ec);
  const fs::path folder = at.has_parent_path() ? at.parent_path() : fs::path(".");
  if (!there && !fs::is_directory(folder, ec)) {
    return Error(ErrorCode::InvalidInput,
                 file.string() + ": there is no folder " + folder.string());
  }
  return Destination{at, there && !fs::is_regular_file(at, ec)};
}

Status write_whole_file(const fs::path& file, std::string_view text) {
  const auto to = destination_of(file);
  if (!to.ok()) return to.error();
  if (to->written_through) return write_through(to->path, file, text);
  const fs::path part = unfinished_name(to->path);
  Descriptor out(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (out.get() < 0) return cannot_write(file, errno);
  if (!write_all(out.get(), text) || !out.close()) {
    const int number = errno;
    ::unlink(part.c_str());
    return cannot_write(file, number);
  }
  return move_into_place(part, to->path, file);
}

Status place_whole_file(const fs::path& made, const fs::path& file) {
  const auto to = destination_of(file);
  if (!to.ok()) return to.error();
  if (!to->written_through) return move_into_place(made, to->path, file);
  std::ifstream in(made, std::ios::binary);
  Status done;
  std::array<char, std::size_t{1} << 16> buffer{};
  Descriptor out(::open(to->path.c_str(), kThrough));
  if (out.get() < 0) done = cannot_write(file, errno);
  while (done.ok() && in) {
    in.read(buffer.data(), buffer.size());
    const auto n = static_cast<std::size_t>(in.gcount());
    if (!write_all(out.get(), {buffer.data(), n})) done = cannot_write(file, errno);
  }
  ::unlink(made.c_str());
  if (done.ok() && !out.close()) return cannot_write(file, errno);
  return done;
}

}  // namespace winnow
