#include <rocksdb/db.h>
#include <rocksdb/metadata.h>

#include <system_error>

#include "store/store_rocks.hpp"

namespace winnow::store {

namespace {

FamilyHealth family_health(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family) {
  FamilyHealth out;
  rocksdb::ColumnFamilyMetaData files;
  db.GetColumnFamilyMetaData(family, &files);
  out.table_bytes = files.size;
  out.table_files = files.file_count;
  if (!files.levels.empty()) out.level0_files = files.levels.front().files.size();
  out.blob_bytes = files.blob_file_size;
  out.blob_files = files.blob_files.size();
  const auto property = [&](const char* name) {
    std::uint64_t value = 0;
    (void)db.GetIntProperty(family, name, &value);
    return value;
  };
  out.memtable_bytes = property("rocksdb.cur-size-all-mem-tables");
  out.pending_compaction_bytes = property("rocksdb.estimate-pending-compaction-bytes");
  return out;
}

}  // namespace

StoreHealth RocksStore::health() const {
  StoreHealth out;
  for (std::size_t f = 0; f < kFamilies; ++f) {
    const auto family = static_cast<Family>(f);
    FamilyHealth one;
    if (rocks_->has(family)) one = family_health(db(), rocks_->family(family));
    one.name = kFamilyNames[f];
    out.table_bytes += one.table_bytes;
    out.memtable_bytes += one.memtable_bytes;
    out.pending_compaction_bytes += one.pending_compaction_bytes;
    out.families.push_back(one);
  }
  const auto whole = [&](const char* name) {
    std::uint64_t one = 0;
    (void)db().GetIntProperty(rocks_->family(Family::Blocks), name, &one);
    return one;
  };
  out.stopped = rocks_->stopped() || whole("rocksdb.is-write-stopped") != 0;
  out.delayed_write_bytes_per_s = whole("rocksdb.actual-delayed-write-rate");
  out.running_compactions = whole("rocksdb.num-running-compactions");
  out.running_flushes = whole("rocksdb.num-running-flushes");
  out.cache_bytes = whole("rocksdb.block-cache-usage");  // all families share it
  std::error_code error;
  for (std::filesystem::directory_iterator it(rocks_->dir(), error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;
    const auto bytes = it->file_size(gone);
    if (!gone && it->path().extension() == ".log") out.wal_bytes += bytes;
  }
  const auto space = std::filesystem::space(rocks_->dir(), error);
  if (!error) out.disk_free_bytes = space.available;
  out.results_refused = results_refused_;
  out.records_refused = records_refused_;
  out.slowdowns = rocks_->health().slowdowns;
  out.stops = rocks_->health().stops;
  if (keeper_ != nullptr) {
    out.ledger_heads_refused = keeper_->refused();
    out.ledger_head_trouble = keeper_->trouble();
  }
  out.pending_keys = index_.pending();
  out.alarms = next_alarm_;  // they are numbered from 0; a scrape must not read them all
  return out;
}

}  // namespace winnow::store
