#pragma once

#include <rocksdb/db.h>

#include <array>
#include <filesystem>
#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "store/store.hpp"

namespace winnow::store {

/// The column families. RocksDB's own "default" stays empty.
enum class Family : std::uint8_t {
  Meta,     ///< format, sweeps, documents
  Blocks,   ///< one header a block
  Metrics,  ///< one value a (metric, block); also trial keys and error texts as columns
  Returns,  ///< one panel a block, in blob files
  Keys,     ///< TrialKey to its first result
  Ledger,
  Alarms,
  Pending,  ///< blocks whose keys are not in Keys yet
};
inline constexpr std::size_t kFamilies = 8;
/// Files on their way into Keys; what a crash leaves there is of no use.
inline constexpr std::string_view kIngestFolder = "ingest";
inline constexpr std::array<std::string_view, kFamilies> kFamilyNames = {
    "meta", "blocks", "metrics", "returns", "keys", "ledger", "alarms", "pending"};

/// Purpose: an open RocksDB with our column families. Owner of both. Thread: any.
class RocksDb {
 public:
  /// Fails: Unavailable (held by another process), NotFound (read-only and not there), Io, Corrupt.
  static Result<std::unique_ptr<RocksDb>> open(const std::filesystem::path& dir,
                                               const StoreOptions& options);
  ~RocksDb();
  RocksDb(const RocksDb&) = delete;
  RocksDb& operator=(const RocksDb&) = delete;

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* family(Family f) const {
    return handles_[static_cast<std::size_t>(f)];
  }
  const std::filesystem::path& dir() const { return dir_; }

 private:
  RocksDb() = default;
  std::filesystem::path dir_;
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::ColumnFamilyHandle* default_ = nullptr;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilies> handles_{};
};

/// RocksDB's status as ours. Requires: !status.ok().
Error rocks_error(const rocksdb::Status& status, const std::filesystem::path& dir,
                  std::string_view doing);

inline rocksdb::Slice slice(std::string_view s) {
  return {s.data(), s.size()};
}
inline std::string_view view(const rocksdb::Slice& s) {
  return {s.data(), s.size()};
}

}  // namespace winnow::store
