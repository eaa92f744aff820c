#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace winnow::store {

/// What errno says, with the path it was about.
Error io_error(std::string_view action, const std::filesystem::path& path, int error_number);

/// Fails: NotFound, Io.
Result<std::string> read_whole_file(const std::filesystem::path& path);

/// Creates a folder and its parents. Fails: Io.
Status make_folder(const std::filesystem::path& path);

/// Purpose: writes files so that after a crash each is there whole or not at all: a temporary file
/// is written and synced, renamed into place, and its folder synced. Unless keep() is called, files
/// this instance created are removed again by its destructor, so a failure half way through leaves
/// the store as it was.
/// Thread: one.
class FileTransaction {
 public:
  /// `temporary` is a folder on the same file system as every target.
  explicit FileTransaction(std::filesystem::path temporary) : temporary_(std::move(temporary)) {}
  ~FileTransaction();
  FileTransaction(const FileTransaction&) = delete;
  FileTransaction& operator=(const FileTransaction&) = delete;

  /// Writes the pieces one after another. Replaces a file that is there. Fails: Io.
  Status write(const std::filesystem::path& target, std::span<const std::string_view> pieces);
  Status write(const std::filesystem::path& target, std::string_view bytes);

  void keep() { created_.clear(); }

 private:
  std::filesystem::path temporary_;
  std::vector<std::filesystem::path> created_;
};

/// Purpose: keeps other writers out of a store while it lives. Readers need no lock.
class WriterLock {
 public:
  /// Waits for the current writer. Fails: Io.
  static Result<WriterLock> acquire(const std::filesystem::path& lock_file);
  WriterLock(WriterLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  WriterLock& operator=(WriterLock&&) = delete;
  ~WriterLock();

 private:
  explicit WriterLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

/// zstd with a checksum.
std::string compress_bytes(std::string_view bytes);
/// Fails: Corrupt.
Result<std::string> decompress_bytes(std::string_view bytes);

}  // namespace winnow::store
