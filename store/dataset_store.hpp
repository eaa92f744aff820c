#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/market.hpp"
#include "base/result.hpp"
#include "store/dataset_columns.hpp"
#include "store/dataset_folder.hpp"
#include "store/dataset_manifest.hpp"
#include "store/market_seal.hpp"

namespace winnow::store {

/// Purpose: one version of a dataset, mapped. Copies share the mapping; views stay valid while any
/// copy lives, even if the name moves on to a newer version. Thread: any.
class Dataset {
 public:
  Dataset(Manifest manifest, std::shared_ptr<const MappedColumns> columns)
      : manifest_(std::make_shared<const Manifest>(std::move(manifest))),
        columns_(std::move(columns)) {}

  const MarketView& view() const { return columns_->view(); }
  const Manifest& manifest() const { return *manifest_; }

 private:
  std::shared_ptr<const Manifest> manifest_;
  std::shared_ptr<const MappedColumns> columns_;
};

/// The bytes of one file on their way into the store.
struct RawSource {
  std::string name;
  std::string role;  ///< as RawFile::role
  std::string_view bytes;
};

/// What put() is given beside the columns.
struct NewDataset {
  std::string name;
  std::string instrument;
  std::string format;
  TimestampNs created;
  std::string on_fault = "refuse";
  std::vector<RawSource> raw;
  std::vector<RawFile> raw_stored;  ///< files of earlier versions that this one is also made of
  FaultReport faults;
  std::vector<Repair> repairs;
  std::vector<std::string> notes;
  std::string truth_json;
  SealRequest seal;
};

enum class PutKind {
  Created,     ///< a new name
  NewVersion,  ///< the name now points at these columns; the earlier version loads by hash
  Unchanged,   ///< the name held these very columns already; nothing was written
};
/// The market that a dataset turned out to be of (market_book.hpp).
struct MarketNote {
  std::string id;
  bool known = false;                ///< it was there before this import
  std::vector<std::string> members;  ///< other datasets of it, by name; those that are gone by hash
  std::optional<std::int64_t> sealed_from_day;
  bool sealed_now = false;  ///< by this import
};
struct PutOutcome {
  PutKind kind = PutKind::Created;
  Manifest manifest;
  MarketNote market;
};

/// What remove() took away.
struct Removed {
  std::uint64_t versions = 0;
  std::uint64_t bytes = 0;  ///< of columns and files that no other dataset has
};

/// Purpose: the catalogue of datasets, content-addressed. Layout below its folder:
///   raw/SHA256.zst              files as they were imported
///   columns/CONTENT_HASH.cols   see dataset_columns.hpp
///   names/NAME/CONTENT_HASH.json  one manifest a version
///   names/NAME/current          the content hash the name points at
///   markets/                    which of them are one market, and seals (market_book.hpp)
/// Thread: any. Processes: any number of readers beside one writer at a time; what a reader sees is
/// complete, since files appear whole by rename and `current` moves last.
/// Invariants: files below raw/ and columns/ never change; a manifest's columns exist before it.
class DatasetStore {
 public:
  /// Nothing is created before the first put(). Fails: Io if `folder` is there but no folder.
  static Result<DatasetStore> open(const std::filesystem::path& folder);

  /// Names are 1 to 100 of `A-Za-z0-9._-`, starting with a letter or digit.
  static Status check_name(std::string_view name);

  /// By name, or by a content hash or at least 8 of its leading digits (any version, also replaced
  /// ones). Fails: NotFound naming the nearest names, Corrupt, Io.
  Result<Dataset> load(std::string_view name_or_hash) const;
  Result<Manifest> manifest(std::string_view name_or_hash) const;

  /// Current versions by name. Fails: Io, Corrupt.
  Result<std::vector<Manifest>> list() const;
  std::vector<std::string> names() const { return files_.names(); }
  /// All versions of a name, oldest first.
  Result<std::vector<Manifest>> versions(std::string_view name) const;

  /// Stores columns under a name; on failure the store is as it was. Fails: InvalidInput (a bad
  /// name, columns that break MarketView's invariants), Refused (a seal that would be lifted), Io
  /// (disk full).
  Result<PutOutcome> put(const MarketView& columns, const NewDataset& meta) const;

  /// All versions under another name. Fails: NotFound, InvalidInput (a bad or taken name), Io.
  Status rename(std::string_view name, std::string_view new_name) const;
  /// A name with all its versions. Results made from them stay, and so does what the ledger
  /// counted, which market they were of, and its seal. Fails: NotFound, Io.
  Result<Removed> remove(std::string_view name) const;

  /// Rehashes columns, raw files, manifest and what is kept of its market. Fails: Corrupt naming
  /// what differs, NotFound, Io.
  Status verify(std::string_view name_or_hash) const;

  /// The bytes of an imported file. Fails: NotFound, Corrupt.
  Result<std::string> raw_file(std::string_view sha256) const;

  /// Writes `ts_ms,open,high,low,close,volume` (or `ts_ns` where a time is no whole millisecond);
  /// the importer `ohlcv` reads it back to the same columns. Returns the bar count. Fails: Io.
  Result<std::uint64_t> export_csv(std::string_view name_or_hash,
                                   const std::filesystem::path& file) const;
  /// Likewise `ts_ms,funding_rate`.
  Result<std::uint64_t> export_funding_csv(std::string_view name_or_hash,
                                           const std::filesystem::path& file) const;

  /// Every gap: `from,to,bars_missing,from_ns,to_ns`, `to` being the next bar there is.
  Result<std::uint64_t> export_gaps_csv(std::string_view name_or_hash,
                                        const std::filesystem::path& file) const;

  const std::filesystem::path& folder() const { return files_.folder(); }
  /// Where the columns of a content hash are, or would be.
  std::filesystem::path columns_file(std::string_view content_hash) const {
    return files_.columns_file(content_hash);
  }
  const DatasetFolder& files() const { return files_; }

 private:
  explicit DatasetStore(std::filesystem::path folder) : files_(std::move(folder)) {}
  std::filesystem::path raw_path(std::string_view sha256) const;
  std::filesystem::path name_path(std::string_view name) const;
  Result<Manifest> read_manifest(const std::filesystem::path& file) const;
  Result<Manifest> current_manifest(std::string_view name) const;
  Result<Manifest> manifest_by_hash(std::string_view prefix) const;
  Error not_found(std::string_view name) const;
  // With the writer's lock, from put().
  Result<PutOutcome> put_again(const MarketView& columns, const NewDataset& meta,
                               const Manifest& current) const;
  Result<PutOutcome> put_version(const MarketView& columns, const NewDataset& meta, Manifest m,
                                 PutKind kind) const;

  DatasetFolder files_;
};

}  // namespace winnow::store
