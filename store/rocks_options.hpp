#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/options.h>

#include <memory>

#include "store/rocks_db.hpp"

namespace winnow::store {

/// Options of the whole database: two cores, bounded memory, files and logs. `health` follows
/// whether RocksDB refuses writes.
rocksdb::DBOptions database_options(const StoreOptions& options,
                                    const std::shared_ptr<RocksHealth>& health);

/// Options of one column family; all share `cache`.
rocksdb::ColumnFamilyOptions family_options(Family family,
                                            const std::shared_ptr<rocksdb::Cache>& cache);

}  // namespace winnow::store
