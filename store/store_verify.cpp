#include "store/store_rocks.hpp"

namespace winnow::store {

Status RocksStore::verify(const std::function<void(std::string_view)>& progress) const {
  progress("checksums of files");
  const rocksdb::Status status = db().VerifyChecksum();
  if (!status.ok()) return rocks_failure(status, "verifying");
  return {};
}

}  // namespace winnow::store
