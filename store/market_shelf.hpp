#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/market_identity.hpp"
#include "base/result.hpp"
#include "store/dataset_folder.hpp"
#include "store/market_record.hpp"

namespace winnow::store {

class FileTransaction;

/// Purpose: the records of markets below a dataset store's folder, and how a newcomer is placed
/// among them. `market_book.hpp` is what others read. Layout:
///   markets/CONTENT_HASH.json   MarketRecord
///   markets/CONTENT_HASH.print  pack_print(); read only to compare
/// Thread: one. Processes: as DatasetStore; write() wants the writer's lock.
class MarketShelf {
 public:
  /// Records on disk, and, in memory until write(), those of datasets that have none: they were
  /// there before markets were known, so they have no seal. Fails: Corrupt (a damaged record), Io.
  static Result<MarketShelf> read(const DatasetFolder& datasets);

  /// By number.
  const std::vector<MarketRecord>& records() const { return records_; }
  /// Names that a content hash has now, in order; none: it is gone.
  std::span<const std::string> names_of(std::string_view content_hash) const;
  /// Indices of records by market, each ascending; markets in the order of their first record.
  std::vector<std::vector<std::size_t>> markets() const;
  const MarketRecord* find(std::string_view content_hash) const;

  /// Places a dataset that has no record yet: gives it the next number and a link to one member of
  /// every market it is of, the latest it is alike to. The view is needed until it returns. Fails:
  /// Corrupt (a damaged print), Io.
  Status place(MarketRecord newcomer, const MarketView& view);
  /// Adds to the record of a content hash. Requires: it has one.
  void add_seal(std::string_view content_hash, SealEntry seal);

  /// Writes what is new. Fails: Io.
  Status write(FileTransaction& files) const;

  /// Whether what is kept of a content hash is whole; nothing need be. Fails: Corrupt, Io.
  static Status verify(const DatasetFolder& datasets, std::string_view content_hash);

  /// How alike two datasets are; nothing if one has no print. Fails: Corrupt, Io.
  Result<std::optional<MarketLikeness>> likeness(const MarketRecord& a,
                                                 const MarketRecord& b) const;

 private:
  explicit MarketShelf(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<MarketRecord> read_record(const std::filesystem::path& file) const;
  Status read_records();
  void read_names(const DatasetFolder& datasets);
  Status adopt_others(const DatasetFolder& datasets);
  Status add(MarketRecord newcomer, const MarketPrint* print);
  Result<std::optional<MarketPrint>> print_of(std::string_view content_hash) const;
  std::filesystem::path path_of(std::string_view content_hash, std::string_view ending) const;

  std::filesystem::path folder_;
  std::vector<MarketRecord> records_;
  std::map<std::string, std::size_t, std::less<>> places_;  ///< in records_, by content hash
  std::map<std::string, std::vector<std::string>, std::less<>> names_;
  std::map<std::string, MarketPrint, std::less<>> fresh_prints_;  ///< not on disk yet
  std::map<std::string, bool, std::less<>> to_write_;             ///< content hashes
};

}  // namespace winnow::store
