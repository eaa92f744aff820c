#include "store/rocks_db.hpp"

#include <fcntl.h>
#include <rocksdb/sst_file_reader.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/check.hpp"
#include "store/high_water.hpp"
#include "store/log_files.hpp"
#include "store/rocks_options.hpp"

namespace winnow::store {
namespace {

// How often a read-only open is tried while the writer changes the list of files under it.
constexpr int kReadOnlyAttempts = 60;

// Names one state of the list of files: the manifest and its length.
std::string manifest_state(const std::filesystem::path& dir) {
  std::ifstream current(dir / "CURRENT");
  std::string name;
  std::getline(current, name);
  std::error_code ec;
  const auto size = std::filesystem::file_size(dir / name, ec);
  return ec ? "" : name + ":" + std::to_string(size);
}

// By default the cache is 64 small ones. The filter of a file of five million trial keys has seven
// megabytes, which none of them could hold: every look-up read it anew. A few threads need few.
constexpr int kCacheShardBits = 2;

using FamilyNames = std::vector<std::string>;

bool has_name(const FamilyNames& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What the list of files says; empty if it cannot be read, which opening then says better.
FamilyNames families_there(const std::filesystem::path& dir) {
  FamilyNames there;
  std::error_code ec;
  if (!std::filesystem::exists(dir / "CURRENT", ec)) return there;
  rocksdb::DB::ListColumnFamilies({}, dir.string(), &there).PermitUncheckedError();
  return there;
}

std::vector<std::string_view> families_missing(const FamilyNames& there) {
  std::vector<std::string_view> missing;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    // Stores of an earlier version lack the youngest families; a writer adds them.
    if (may_lack(static_cast<Family>(i))) continue;
    if (!has_name(there, kFamilyNames[i])) missing.push_back(kFamilyNames[i]);
  }
  return missing;
}

// Whether nothing was ever written: what a process that died while it made the store leaves.
bool is_empty_store(const std::filesystem::path& dir, const FamilyNames& there) {
  const rocksdb::DBOptions options = looking_options(dir);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : there) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  if (!rocksdb::DB::OpenForReadOnly(options, dir.string(), families, &handles, &raw).ok()) {
    return false;
  }
  const std::unique_ptr<rocksdb::DB> db(raw);
  bool empty = true;
  for (auto* handle : handles) {
    const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator({}, handle));
    it->SeekToFirst();
    empty = empty && !it->Valid() && it->status().ok();
  }
  for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
  return empty;
}

// A family that this binary does not know was made by a younger one. One that is missing took its
// values with it: RocksDB would make it anew, and a ledger without a line forgets.
Status check_families(const std::filesystem::path& dir, const FamilyNames& there) {
  if (there.empty()) return {};
  const auto listed = [](const auto& names) {
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : ", ") + std::string(name);
    return out;
  };
  for (const std::string& name : there) {
    if (name == rocksdb::kDefaultColumnFamilyName) continue;
    if (std::find(kFamilyNames.begin(), kFamilyNames.end(), name) != kFamilyNames.end()) continue;
    return Error(ErrorCode::Refused, "store " + dir.string() + " has the column family '" + name +
                                         "', which this binary does not know; it reads " +
                                         listed(kFamilyNames) +
                                         ". A younger winnow made it: use that one");
  }
  const std::vector<std::string_view> missing = families_missing(there);
  if (missing.empty() || is_empty_store(dir, there)) return {};
  return Error(ErrorCode::Corrupt, "store " + dir.string() + " lacks the column families " +
                                       listed(missing) + "; it has " + listed(there) +
                                       ". Nothing is written to it: restore a backup");
}

// A log that lacks its end opens without a word, and is then replaced by the next: so it is looked
// at first, without touching it, and only where the newest log is not the one that it should be.
Status check_nothing_is_missing(const std::filesystem::path& dir, const HighWater::Mark& mark,
                                const std::vector<rocksdb::ColumnFamilyDescriptor>& families) {
  if (HighWater::log_is_there(dir, mark)) return {};
  const rocksdb::DBOptions options = looking_options(dir);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  // What cannot be opened so, the opening for writing refuses with better words.
  if (!rocksdb::DB::OpenForReadOnly(options, dir.string(), families, &handles, &raw).ok()) {
    return {};
  }
  const std::unique_ptr<rocksdb::DB> db(raw);
  const std::uint64_t sequence = db->GetLatestSequenceNumber();
  for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
  if (sequence >= mark.sequence) return {};
  return HighWater::missing(dir, mark, sequence);
}

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

// The file that keeps RocksDB from opening, which it names wrongly or not at all; empty if none of
// those that are read on opening is damaged by itself.
std::string damaged_file(const std::filesystem::path& dir) {
  if (const Status logs = check_log_records(dir); !logs.ok()) return logs.error().text();
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(dir, ec)) {
    if (entry.path().extension() != ".sst") continue;
    rocksdb::SstFileReader table{rocksdb::Options()};
    const rocksdb::Status status = table.Open(entry.path().string());
    if (!status.ok()) return entry.path().string() + " is damaged: " + status.ToString();
  }
  const Status blobs = check_blob_files(dir);
  return blobs.ok() ? std::string() : blobs.error().text();
}

Error open_error(const rocksdb::Status& status, const std::filesystem::path& dir) {
  const std::string text = status.ToString();
  if (!is_lock_conflict(text)) {
    Error error = rocks_error(status, dir, "opening it");
    if (error.code() != ErrorCode::Corrupt) return error;
    const std::string file = damaged_file(dir);
    return file.empty() ? error : Error(ErrorCode::Corrupt, error.text() + "; " + file);
  }
  const bool own = text.find("lock hold by current process") != std::string::npos;
  return Error(ErrorCode::Unavailable,
               "store " + dir.string() + " is open for writing in " +
                   (own ? "this process" : lock_holder(dir)) +
                   " already; one writer at a time, read-only is possible beside it");
}

/// What RocksDB is given, and what it gives.
struct Opening {
  std::filesystem::path dir;
  rocksdb::DBOptions options;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  std::vector<rocksdb::ColumnFamilyHandle*> handles = {};
  rocksdb::DB* db = nullptr;
};

// RocksDB reads the manifest first and the logs after it. If the writer has changed the manifest
// meanwhile, a log may have gone whose table file we do not know of, or a log may tell of deletions
// whose cause we do not know of: only an open beside an unchanged manifest counts.
rocksdb::Status open_to_read(Opening& o) {
  ReaderGate gate(o.dir, ReaderGate::Side::Reader);
  gate.request();
  rocksdb::Status status;
  for (int attempt = 0; attempt < kReadOnlyAttempts; ++attempt) {
    const std::string before = manifest_state(o.dir);
    status = rocksdb::DB::OpenForReadOnly(o.options, o.dir.string(), o.families, &o.handles, &o.db);
    if (status.ok() && !before.empty() && manifest_state(o.dir) == before) break;
    if (status.ok()) {
      for (auto* handle : o.handles) o.db->DestroyColumnFamilyHandle(handle);
      delete o.db;
      status = rocksdb::Status::TryAgain("its files kept changing during " +
                                         std::to_string(attempt + 1) + " attempts to open it");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return status;
}

}  // namespace

Error rocks_error(const rocksdb::Status& status, const std::filesystem::path& dir,
                  std::string_view doing) {
  WINNOW_REQUIRES(!status.ok());
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
  const auto cache = rocksdb::NewLRUCache(options.cache_bytes, kCacheShardBits);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
  FamilyNames there = families_there(dir);
  // A writer makes them one after the other; killed meanwhile it leaves what nothing was written
  // to.
  const auto half_made = [&] { return !there.empty() && !families_missing(there).empty(); };
  for (int i = 0; options.read_only && half_made() && i < kReadOnlyAttempts; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    there = families_there(dir);
  }
  WINNOW_TRY(check_families(dir, there));
  if (options.read_only && half_made()) {
    return Error(ErrorCode::NotFound, "no store in " + dir.string() + ": its making was cut off");
  }
  // Before opening: a writer beside a reader goes on acknowledging.
  const auto mark = there.empty() ? std::nullopt : HighWater::read(dir);
  // A store of an earlier version lacks the youngest families; its writer adds them once it knows
  // that the store is one it may write (add_missing_families).
  std::vector<Family> opened;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    const auto family = static_cast<Family>(i);
    if (may_lack(family) && !there.empty() && !has_name(there, kFamilyNames[i])) continue;
    families.emplace_back(std::string(kFamilyNames[i]), family_options(family, cache));
    opened.push_back(family);
  }
  std::unique_ptr<RocksDb> out(new RocksDb);
  Opening opening{dir, database_options(dir, options, out->health_), std::move(families)};
  rocksdb::Status status;
  if (options.read_only) {
    status = open_to_read(opening);
  } else {
    std::filesystem::remove_all(dir / kIngestFolder, ec);
    // Afterwards the logs are gone, and with them what RocksDB would not have seen in them.
    WINNOW_TRY(check_log_files(dir));
    if (mark) WINNOW_TRY(check_nothing_is_missing(dir, *mark, opening.families));
    status = rocksdb::DB::Open(opening.options, dir.string(), opening.families, &opening.handles,
                               &opening.db);
  }
  if (!status.ok()) return open_error(status, dir);
  if (!options.read_only) out->readers_.emplace(dir, ReaderGate::Side::Writer);
  out->dir_ = dir;
  out->db_.reset(opening.db);
  out->default_ = opening.handles[0];
  out->cache_ = cache;
  for (std::size_t i = 0; i < opened.size(); ++i) {
    out->handles_[static_cast<std::size_t>(opened[i])] = opening.handles[i + 1];
  }
  const std::uint64_t sequence = opening.db->GetLatestSequenceNumber();
  if (mark && sequence < mark->sequence) return HighWater::missing(dir, *mark, sequence);
  return out;
}

Status RocksDb::add_missing_families() {
  WINNOW_REQUIRES(readers_.has_value());
  for (std::size_t i = 0; i < kFamilies; ++i) {
    if (handles_[i] != nullptr) continue;
    const auto options = family_options(static_cast<Family>(i), cache_);
    const rocksdb::Status made =
        db_->CreateColumnFamily(options, std::string(kFamilyNames[i]), &handles_[i]);
    if (!made.ok()) {
      return Error(ErrorCode::Io,
                   "store " + dir_.string() + ", adding a column family: " + made.ToString());
    }
  }
  return {};
}

rocksdb::Status RocksDb::revive() {
  if (!stopped()) return rocksdb::Status::OK();
  rocksdb::Status status = db_->Resume();
  if (status.ok()) health_->stopped = false;
  return status;
}

RocksDb::~RocksDb() {
  if (!db_) return;
  for (auto* handle : handles_) {
    if (handle != nullptr) db_->DestroyColumnFamilyHandle(handle);
  }
  db_->DestroyColumnFamilyHandle(default_);
  db_->Close().PermitUncheckedError();
}

}  // namespace winnow::store
