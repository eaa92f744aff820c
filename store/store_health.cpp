#include <rocksdb/db.h>

#include <system_error>

#include "store/store_rocks.hpp"

namespace winnow::store {

StoreHealth RocksStore::health() const {
  StoreHealth out;
  const auto sum = [&](const char* name) {
    std::uint64_t total = 0;
    for (std::size_t f = 0; f < kFamilies; ++f) {
      std::uint64_t one = 0;
      if (!rocks_->has(static_cast<Family>(f))) continue;
      if (db().GetIntProperty(rocks_->family(static_cast<Family>(f)), name, &one)) total += one;
    }
    return total;
  };
  const auto whole = [&](const char* name) {
    std::uint64_t one = 0;
    (void)db().GetIntProperty(rocks_->family(Family::Blocks), name, &one);
    return one;
  };
  out.stopped = rocks_->stopped() || whole("rocksdb.is-write-stopped") != 0;
  out.delayed_write_bytes_per_s = whole("rocksdb.actual-delayed-write-rate");
  out.pending_compaction_bytes = sum("rocksdb.estimate-pending-compaction-bytes");
  out.running_compactions = whole("rocksdb.num-running-compactions");
  out.running_flushes = whole("rocksdb.num-running-flushes");
  out.cache_bytes = whole("rocksdb.block-cache-usage");  // all families share it
  out.memtable_bytes = sum("rocksdb.cur-size-all-mem-tables");
  out.table_bytes = sum("rocksdb.total-sst-files-size");
  std::error_code error;
  for (std::filesystem::directory_iterator it(rocks_->dir(), error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;
    const auto bytes = it->file_size(gone);
    if (!gone && it->path().extension() == ".log") out.wal_bytes += bytes;
  }
  const auto space = std::filesystem::space(rocks_->dir(), error);
  if (!error) out.disk_free_bytes = space.available;
  out.alarms = next_alarm_;  // they are numbered from 0; a scrape must not read them all
  return out;
}

}  // namespace winnow::store
