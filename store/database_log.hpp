#pragma once

#include <rocksdb/env.h>

#include <filesystem>
#include <memory>

namespace winnow::store {

/// What RocksDB says of itself from warnings up, in `dir`/LOG; the file before, from 4 MiB on, is
/// LOG.old. Lines that cannot be written are dropped: RocksDB's own writer of this file aborts the
/// process at the first line after one that met a full disk.
std::shared_ptr<rocksdb::Logger> database_log(const std::filesystem::path& dir);

/// For readers, which leave no trace in a store.
std::shared_ptr<rocksdb::Logger> silent_log();

}  // namespace winnow::store
