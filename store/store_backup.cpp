#include <rocksdb/utilities/checkpoint.h>

#include "store/store_rocks.hpp"

namespace winnow::store {

Status RocksStore::backup(const std::filesystem::path& dir) const {
  rocksdb::Checkpoint* raw = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(&db(), &raw);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  if (status.ok()) status = checkpoint->CreateCheckpoint(dir.string());
  if (!status.ok()) return rocks_failure(status, "backing up to " + dir.string());
  return {};
}

Status RocksStore::compact() {
  WINNOW_TRY(check_writable());
  for (std::size_t i = 0; i < kFamilies; ++i) {
    const rocksdb::Status status =
        db().CompactRange({}, rocks_->family(static_cast<Family>(i)), nullptr, nullptr);
    if (!status.ok()) return rocks_failure(status, "compacting");
  }
  return {};
}

}  // namespace winnow::store
