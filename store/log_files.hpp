#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace winnow::store {

/// Finds damage in RocksDB's logs and manifests that RocksDB takes for the end of a log, and would
/// forget acknowledged results for: a flipped byte in the length or the type of a late record. A
/// record that the process or the machine did not finish writing is no damage. Files that go away
/// meanwhile are passed over. Fails: Corrupt, naming file and place; Io.
/// Format: https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format
Status check_log_files(const std::filesystem::path& dir);

/// The same with the checksum of every record, for logs that RocksDB has refused: which file, and
/// between which bytes; RocksDB does not say. Not for a log that is being written.
Status check_log_records(const std::filesystem::path& dir);

/// The checksums of all blobs, for a store whose panels RocksDB cannot read: which file, and where;
/// RocksDB says neither. Fails: Corrupt; Io.
/// Format: https://github.com/facebook/rocksdb/blob/main/db/blob/blob_log_format.h
Status check_blob_files(const std::filesystem::path& dir);

}  // namespace winnow::store
