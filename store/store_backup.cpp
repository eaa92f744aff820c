#include <fcntl.h>
#include <rocksdb/utilities/checkpoint.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "store/store_rocks.hpp"
#include "store/unfinished.hpp"

namespace winnow::store {

namespace {

std::vector<std::filesystem::path> files_of(const std::filesystem::path& dir, std::error_code& ec) {
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(dir, ec)) {
    files.push_back(file.path());
  }
  return files;
}

// Files and folder reach the disk.
std::error_code sync_tree(const std::filesystem::path& dir) {
  std::error_code ec;
  std::vector<std::filesystem::path> paths = files_of(dir, ec);
  paths.push_back(dir);
  for (const auto& path : paths) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    if (!synced) ec = std::error_code(errno, std::generic_category());
    if (fd >= 0) ::close(fd);
  }
  return ec;
}

// A checkpoint links the store's files. What damages one would damage the backup with it: each
// linked file becomes one of its own.
std::error_code own_files(const std::filesystem::path& dir) {
  std::error_code ec;
  for (const auto& file : files_of(dir, ec)) {
    if (std::filesystem::hard_link_count(file, ec) < 2 && !ec) continue;
    const std::filesystem::path copy = file.string() + ".copy";
    std::filesystem::copy_file(file, copy, ec);
    if (!ec) std::filesystem::rename(copy, file, ec);
    if (ec) return ec;
  }
  return ec;
}

}  // namespace

Status RocksStore::backup(const std::filesystem::path& dir) const {
  std::error_code ec;
  if (std::filesystem::exists(dir, ec)) {
    return Error(ErrorCode::InvalidInput,
                 "backup folder " + dir.string() + " exists; a new name is needed");
  }
  // Under another name until it is whole and on disk, so that a cut leaves no half backup behind.
  const std::filesystem::path making = dir.string() + std::string(kUnfinished);
  std::filesystem::remove_all(making, ec);
  rocksdb::Status status;
  {
    // The list of files is taken before the logs are copied; see KeyIndex for what lies between.
    const auto notes = index_.hold_notes();
    rocksdb::Checkpoint* raw = nullptr;
    status = rocksdb::Checkpoint::Create(&db(), &raw);
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
    if (status.ok()) status = checkpoint->CreateCheckpoint(making.string());
  }
  if (!status.ok()) return rocks_failure(status, "backing up to " + dir.string());
  ec = own_files(making);
  if (!ec) ec = sync_tree(making);
  if (!ec) std::filesystem::rename(making, dir, ec);
  if (!ec) return {};
  const std::string reason = ec.message();
  std::filesystem::remove_all(making, ec);
  return Error(ErrorCode::Io, "backing up to " + dir.string() + ": " + reason);
}

Status Store::restore(const std::filesystem::path& backup, const std::filesystem::path& to) {
  std::error_code ec;
  if (!std::filesystem::exists(backup / "CURRENT", ec)) {
    return Error(ErrorCode::NotFound, "no backup of a store in " + backup.string());
  }
  if (std::filesystem::exists(to, ec)) {
    return Error(ErrorCode::InvalidInput,
                 "folder " + to.string() + " exists; a store is restored under a new name");
  }
  // Under another name until it is whole and on disk, so that a cut leaves no half store behind.
  const std::filesystem::path making = to.string() + std::string(kUnfinished);
  std::filesystem::remove_all(making, ec);
  std::filesystem::create_directories(to.parent_path(), ec);
  std::filesystem::copy(backup, making, std::filesystem::copy_options::recursive, ec);
  if (!ec) {
    ec = sync_tree(making);
    if (!ec) std::filesystem::rename(making, to, ec);
  }
  if (ec) {
    return Error(ErrorCode::Io,
                 "restoring " + backup.string() + " to " + to.string() + ": " + ec.message());
  }
  return {};
}

Status RocksStore::compact() {
  WINNOW_TRY(check_writable());
  const std::scoped_lock writing(writing_mutex_);
  rocks_->readers().await_quiet();
  WINNOW_TRY(index_.flush());
  rocksdb::CompactRangeOptions how;
  // Without these, what was deleted would stay in the lowest files and in files of panels.
  how.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  how.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
  how.blob_garbage_collection_age_cutoff = 1.0;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    rocks_->readers().await_quiet();
    const rocksdb::Status status =
        db().CompactRange(how, rocks_->family(static_cast<Family>(i)), nullptr, nullptr);
    if (!status.ok()) return rocks_failure(status, "compacting");
  }
  return {};
}

}  // namespace winnow::store
