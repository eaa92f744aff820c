#pragma once

#include <rocksdb/db.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/check.hpp"
#include "base/result.hpp"
#include "store/reader_gate.hpp"
#include "store/rocks_families.hpp"
#include "store/store.hpp"

namespace winnow::store {

/// Purpose: an open RocksDB with our column families. Owner of both. Thread: any.
class RocksDb {
 public:
  /// Fails: Unavailable (held by another process), NotFound (read-only and not there), Io, Corrupt.
  static Result<std::unique_ptr<RocksDb>> open(const std::filesystem::path& dir,
                                               const StoreOptions& options);
  ~RocksDb();
  RocksDb(const RocksDb&) = delete;
  RocksDb& operator=(const RocksDb&) = delete;

  /// The families that are younger than the store. Requires: open for writing, and the store is of
  /// this binary's format. Fails: Io.
  Status add_missing_families();

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* family(Family f) const {
    return handles_[static_cast<std::size_t>(f)];
  }
  /// False for a family that is younger than the store, until a writer opens it.
  bool has(Family f) const { return family(f) != nullptr; }
  const std::filesystem::path& dir() const { return dir_; }

  /// RocksDB takes no writes after a failed one, until revive() succeeds.
  bool stopped() const { return health_->stopped; }
  /// Whether stopped() ever was true. RocksDB 7.8.3 aborts the process when it is given a file
  /// after a revival, as it then takes its own file numbers for reserved that are not.
  bool ever_stopped() const { return health_->ever_stopped; }
  /// Times that writes began to be slowed down or stopped.
  const RocksHealth& health() const { return *health_; }
  /// Ok when writes are taken again; also when they were all along. Requires: gate() is held.
  rocksdb::Status revive();
  /// Keeps writes and revivals apart from the taking in of files.
  std::mutex& gate() const { return gate_; }
  /// What opening readers ask of the writer. Requires: open for writing.
  ReaderGate& readers() {
    WINNOW_REQUIRES(readers_.has_value());
    return *readers_;
  }

 private:
  RocksDb() = default;
  std::filesystem::path dir_;
  std::shared_ptr<RocksHealth> health_ = std::make_shared<RocksHealth>();
  mutable std::mutex gate_;
  std::optional<ReaderGate> readers_;
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::ColumnFamilyHandle* default_ = nullptr;
  std::shared_ptr<rocksdb::Cache> cache_;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilies> handles_{};
};

/// RocksDB's status as ours. Requires: !status.ok().
Error rocks_error(const rocksdb::Status& status, const std::filesystem::path& dir,
                  std::string_view doing);

inline rocksdb::Slice slice(std::string_view s) { return {s.data(), s.size()}; }
inline std::string_view view(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

}  // namespace winnow::store
