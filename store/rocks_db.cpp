#include "store/rocks_db.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "store/rocks_options.hpp"

namespace winnow::store {
namespace {

// How often a read-only open is tried while the writer moves files under it.
constexpr int kReadOnlyAttempts = 40;

bool is_lock_conflict(const std::string& text) {
  return text.find("lock hold by current process") != std::string::npos ||
         text.find("While lock file") != std::string::npos;
}

// Who holds the lock file. Requires: not this process, whose own POSIX lock a probe would drop.
std::string lock_holder(const std::filesystem::path& dir) {
  const int fd = ::open((dir / "LOCK").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return "another process";
  struct flock probe {};
  probe.l_type = F_WRLCK;
  probe.l_whence = SEEK_SET;
  const bool known = ::fcntl(fd, F_GETLK, &probe) == 0 && probe.l_type != F_UNLCK;
  ::close(fd);
  return known ? "process " + std::to_string(probe.l_pid) : "another process";
}

Error open_error(const rocksdb::Status& status, const std::filesystem::path& dir) {
  const std::string text = status.ToString();
  if (!is_lock_conflict(text)) return rocks_error(status, dir, "opening it");
  const bool own = text.find("lock hold by current process") != std::string::npos;
  return Error(ErrorCode::Unavailable,
               "store " + dir.string() + " is open for writing in " +
                   (own ? "this process" : lock_holder(dir)) +
                   " already; one writer at a time, read-only is possible beside it");
}

}  // namespace

Error rocks_error(const rocksdb::Status& status, const std::filesystem::path& dir,
                  std::string_view doing) {
  ErrorCode code = ErrorCode::Internal;
  std::string reason = status.ToString();
  if (status.IsCorruption()) {
    code = ErrorCode::Corrupt;
  } else if (status.IsNoSpace()) {
    code = ErrorCode::Io;
    reason = "the disk is full (" + reason + "); nothing acknowledged is lost, free some space";
  } else if (status.IsIOError() || status.IsPathNotFound()) {
    code = ErrorCode::Io;
  } else if (status.IsBusy() || status.IsTryAgain() || status.IsIncomplete()) {
    code = ErrorCode::Unavailable;
  } else if (status.IsInvalidArgument()) {
    code = ErrorCode::Corrupt;
  }
  return Error(code, "store " + dir.string() + ", " + std::string(doing) + ": " + reason);
}

Result<std::unique_ptr<RocksDb>> RocksDb::open(const std::filesystem::path& dir,
                                               const StoreOptions& options) {
  std::error_code ec;
  if (options.read_only) {
    if (!std::filesystem::exists(dir / "CURRENT", ec)) {
      return Error(ErrorCode::NotFound, "no store in " + dir.string());
    }
  } else if (std::filesystem::create_directories(dir, ec); ec) {
    return Error(ErrorCode::Io, "store " + dir.string() + " cannot be made: " + ec.message());
  }
  const auto cache = rocksdb::NewLRUCache(options.cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
  for (std::size_t i = 0; i < kFamilies; ++i) {
    families.emplace_back(std::string(kFamilyNames[i]),
                          family_options(static_cast<Family>(i), cache));
  }
  const rocksdb::DBOptions db_options = database_options(options);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  rocksdb::Status status;
  if (options.read_only) {
    // The writer may delete a file between our reading its name and opening it; then the next
    // manifest names the file that took its place.
    for (int attempt = 0; attempt < kReadOnlyAttempts; ++attempt) {
      if (attempt > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      status = rocksdb::DB::OpenForReadOnly(db_options, dir.string(), families, &handles, &db);
      if (status.ok()) break;
    }
  } else {
    std::filesystem::remove_all(dir / kIngestFolder, ec);
    status = rocksdb::DB::Open(db_options, dir.string(), families, &handles, &db);
  }
  if (!status.ok()) return open_error(status, dir);
  std::unique_ptr<RocksDb> out(new RocksDb);
  out->dir_ = dir;
  out->db_.reset(db);
  out->default_ = handles[0];
  for (std::size_t i = 0; i < kFamilies; ++i) out->handles_[i] = handles[i + 1];
  return out;
}

RocksDb::~RocksDb() {
  if (!db_) return;
  for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  db_->DestroyColumnFamilyHandle(default_);
  db_->Close().PermitUncheckedError();
}

}  // namespace winnow::store
