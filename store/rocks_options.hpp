#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/options.h>

#include <filesystem>
#include <memory>

#include "store/rocks_families.hpp"
#include "store/store.hpp"

namespace winnow::store {

/// Options of an opening of `dir` that only looks, by whatever families it names: no log of its
/// own.
rocksdb::DBOptions looking_options(const std::filesystem::path& dir);

/// Options of the whole database in `dir`: two cores, bounded memory, files and logs. `health`
/// follows whether RocksDB refuses writes.
rocksdb::DBOptions database_options(const std::filesystem::path& dir, const StoreOptions& options,
                                    const std::shared_ptr<RocksHealth>& health);

/// Options of one column family; all share `cache`.
rocksdb::ColumnFamilyOptions family_options(Family family,
                                            const std::shared_ptr<rocksdb::Cache>& cache);

}  // namespace winnow::store
