#include "store/rocks_options.hpp"

#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>

#include <algorithm>

#include "store/database_log.hpp"

namespace winnow::store {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// RocksDB would look for room on a full disk every five seconds and refuse to be asked meanwhile.
// The next write asks itself, so work goes on as soon as there is room.
class RecoverWhenAsked final : public rocksdb::EventListener {
 public:
  explicit RecoverWhenAsked(std::shared_ptr<RocksHealth> health) : health_(std::move(health)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status*) override {
    health_->ever_stopped = true;
    health_->stopped = true;
  }
  void OnErrorRecoveryCompleted(rocksdb::Status old) override {
    old.PermitUncheckedError();
    health_->stopped = false;
  }
  void OnStallConditionsChanged(const rocksdb::WriteStallInfo& stall) override {
    if (stall.condition.cur == rocksdb::WriteStallCondition::kDelayed) ++health_->slowdowns;
    if (stall.condition.cur == rocksdb::WriteStallCondition::kStopped) ++health_->stops;
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }

 private:
  std::shared_ptr<RocksHealth> health_;
};

// RocksDB starts this many threads for each column family and opening, also for a family of no
// table. Its own 16 made a thousand threads of two openings, which was most of the time of every
// command that reads a small store; tables by the hundred are worth some.
int opening_threads(const std::filesystem::path& dir) {
  constexpr std::ptrdiff_t kTablesOfAThread = 64;
  std::error_code ec;
  std::ptrdiff_t tables = 0;
  for (std::filesystem::directory_iterator it(dir, ec), end; !ec && it != end; it.increment(ec)) {
    tables += it->path().extension() == ".sst" ? 1 : 0;
  }
  return static_cast<int>(std::clamp<std::ptrdiff_t>(tables / kTablesOfAThread, 1, 16));
}

}  // namespace

rocksdb::DBOptions looking_options(const std::filesystem::path& dir) {
  rocksdb::DBOptions o;
  // As the writer has it: without, a reader that finds logs in the manifest wants to strike them
  // out there, and ends the process because it cannot.
  o.track_and_verify_wals_in_manifest = true;
  o.info_log = silent_log();
  o.max_file_opening_threads = opening_threads(dir);
  return o;
}

rocksdb::DBOptions database_options(const std::filesystem::path& dir, const StoreOptions& options,
                                    const std::shared_ptr<RocksHealth>& health) {
  rocksdb::DBOptions o;
  o.info_log = options.read_only ? silent_log() : database_log(dir);
  o.max_file_opening_threads = opening_threads(dir);
  o.create_if_missing = !options.read_only;
  o.create_missing_column_families = !options.read_only;
  // A flush or compaction beside the committing thread, and one more so that a long compaction of
  // one family never holds back another's flush.
  o.max_background_jobs = 3;
  o.db_write_buffer_size = 192 * kMiB;
  // What a start replays; it bounds restart time (issue: serving again within 2 s).
  o.max_total_wal_size = 192 * kMiB;
  o.avoid_flush_during_recovery = false;
  // A reader holds every table open from the start, as the writer may delete any of them later;
  // with tables of a quarter gigabyte those are few.
  o.max_open_files = options.read_only ? -1 : 512;
  o.bytes_per_sync = kMiB;  // background files reach the disk evenly, not in one burst at their end
  o.paranoid_checks = true;
  o.track_and_verify_wals_in_manifest = true;
  // A record cut short at the end of a log was never acknowledged and is dropped. Anything else
  // that does not check was, so the store refuses to open rather than forget it.
  o.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  o.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  o.max_manifest_file_size = 16 * kMiB;
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;
  o.listeners.push_back(std::make_shared<RecoverWhenAsked>(health));
  return o;
}

rocksdb::ColumnFamilyOptions family_options(Family family,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions o;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.format_version = 5;
  // Indexes and filters live in the one bounded cache, the most needed of them pinned.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  o.write_buffer_size = 4 * kMiB;
  o.max_write_buffer_number = 3;
  o.compression = rocksdb::kLZ4Compression;
  o.target_file_size_base = 256 * kMiB;
  switch (family) {
    case Family::Keys:
      // Sorted files of random 16-byte keys, mostly asked for in vain: whole-key filters answer
      // those. Hashes do not compress. Nothing is ever rewritten, so merging by size is cheapest.
      table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(12));
      table.block_size = 8 << 10;
      o.compression = rocksdb::kNoCompression;
      o.compaction_style = rocksdb::kCompactionStyleUniversal;
      o.level0_file_num_compaction_trigger = 8;
      break;
    case Family::Metrics:
      o.write_buffer_size = 32 * kMiB;
      table.block_size = 32 << 10;
      break;
    case Family::Exposures:
    case Family::Points:
    case Family::Returns:
      o.write_buffer_size = 64 * kMiB;
      o.enable_blob_files = true;
      o.min_blob_size = 1024;
      o.blob_file_size = 256 * kMiB;
      // Panels are compressed before they come here, so that the log carries fewer bytes too.
      o.blob_compression_type = rocksdb::kNoCompression;
      o.compression = rocksdb::kNoCompression;
      break;
    case Family::Meta:
    case Family::Blocks:
    case Family::Ledger:
    case Family::Alarms:
    case Family::Pending:
      table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
      break;
  }
  o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return o;
}

}  // namespace winnow::store
