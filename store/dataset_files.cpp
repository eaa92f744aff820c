#include "store/dataset_files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

namespace winnow::store {
namespace {

namespace fs = std::filesystem;

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { close(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  int close() {
    if (fd_ < 0) return 0;
    return ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

Status write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return io_error("write", path, n == 0 ? ENOSPC : errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Status sync_folder(const fs::path& folder) {
  Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok() || ::fsync(fd.get()) != 0) return io_error("sync folder", folder, errno);
  return {};
}

}  // namespace

Error io_error(std::string_view action, const fs::path& path, int error_number) {
  return Error(ErrorCode::Io, "cannot " + std::string(action) + " " + path.string() + ": " +
                                  std::generic_category().message(error_number));
}

Result<std::string> read_whole_file(const fs::path& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) {
    if (errno == ENOENT) {
      return Error(ErrorCode::NotFound, "there is no file " + path.string());
    }
    return io_error("open", path, errno);
  }
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return io_error("read", path, errno);
  if (S_ISDIR(facts.st_mode)) {
    return Error(ErrorCode::InvalidInput, path.string() + " is a folder; name a file");
  }
  std::string bytes;
  std::size_t used = 0;
  bytes.resize(static_cast<std::size_t>(facts.st_size) + 1);
  for (;;) {
    if (used == bytes.size()) bytes.resize(bytes.size() * 2);
    const ssize_t n = ::read(fd.get(), bytes.data() + used, bytes.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("read", path, errno);
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
  }
  bytes.resize(used);
  return bytes;
}

Status make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return io_error("create folder", path, error.value());
  return {};
}

FileTransaction::~FileTransaction() {
  for (auto it = created_.rbegin(); it != created_.rend(); ++it) {
    std::error_code ignored;  // nothing more can be done; an unreferenced file does no harm
    fs::remove(*it, ignored);
  }
}

Status FileTransaction::write(const fs::path& target, std::string_view bytes) {
  const std::string_view pieces[] = {bytes};
  return write(target, pieces);
}

Status FileTransaction::write(const fs::path& target, std::span<const std::string_view> pieces) {
  static std::atomic<std::uint64_t> counter{0};
  const fs::path temporary = temporary_ / (std::to_string(::getpid()) + "-" +
                                           std::to_string(counter.fetch_add(1)) + ".tmp");
  const bool existed = fs::exists(target);
  const auto discard = [&](Status status) {
    ::unlink(temporary.c_str());
    return status;
  };
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.ok()) return io_error("create", temporary, errno);
  for (const std::string_view piece : pieces) {
    if (Status status = write_all(fd.get(), piece, temporary); !status.ok()) return discard(status);
  }
  if (::fsync(fd.get()) != 0 || fd.close() != 0) {
    return discard(io_error("sync", temporary, errno));
  }
  if (::rename(temporary.c_str(), target.c_str()) != 0) {
    return discard(io_error("rename into place", target, errno));
  }
  if (!existed) created_.push_back(target);
  return sync_folder(target.parent_path());
}

Result<WriterLock> WriterLock::acquire(const fs::path& lock_file) {
  const int fd = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return io_error("open lock", lock_file, errno);
  WriterLock lock(fd);
  while (::flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) return io_error("lock", lock_file, errno);
  }
  return lock;
}

WriterLock::~WriterLock() {
  if (fd_ >= 0) ::close(fd_);
}

std::string compress_bytes(std::string_view bytes) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     &ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, 3);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  // Cannot fail: the context exists and the bound is large enough.
  out.resize(ZSTD_compress2(context.get(), out.data(), out.size(), bytes.data(), bytes.size()));
  return out;
}

Result<std::string> decompress_bytes(std::string_view bytes) {
  const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  constexpr unsigned long long kRatioMax = 1 << 17;  // more than zstd reaches: a damaged header
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
      size > (bytes.size() + 1) * kRatioMax) {
    return Error(ErrorCode::Corrupt, "the bytes are not a zstd frame of known size");
  }
  std::string out(size, '\0');
  const std::size_t n = ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(n)) {
    return Error(ErrorCode::Corrupt, std::string("zstd: ") + ZSTD_getErrorName(n));
  }
  if (n != out.size()) return Error(ErrorCode::Corrupt, "zstd: the frame ends early");
  return out;
}

}  // namespace winnow::store
