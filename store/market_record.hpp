#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/market_identity.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "store/dataset_manifest.hpp"
#include "store/market_seal.hpp"

namespace winnow::store {

/// Another dataset of the same market, with the figures that said so when the later one came.
struct MarketLink {
  std::string content_hash;
  MarketLikeness likeness;
};

/// Purpose: what is kept of a dataset for as long as its home: which market it is of, and the seal
/// that came with it. It outlives the dataset.
/// Invariants: a record is only ever added to (seals), never taken back.
struct MarketRecord {
  std::uint64_t number = 0;  ///< in the order of imports, from 1
  std::string content_hash;
  std::string name;  ///< it was imported as
  std::string instrument;
  DurationNs interval;
  std::int64_t first_day = 0;  ///< UTC day of the first bar, from 1970
  std::int64_t last_day = 0;   ///< of the last bar; part of the dataset
  TimestampNs created;         ///< the dataset
  bool found = false;          ///< the dataset was there before markets were known
  std::vector<MarketLink> links;
  std::vector<SealEntry> seals;

  /// What a dataset's manifest says; without links and seals.
  static MarketRecord of(const Manifest& manifest);
  /// One line with a checksum of the rest, then JSON.
  std::string to_text() const;
  /// Fails: Corrupt.
  static Result<MarketRecord> from_text(std::string_view text);
};

/// The bytes of a print, packed, with the content hash it is of.
std::string pack_print(const MarketPrint& print, std::string_view content_hash);
/// Fails: Corrupt.
Result<MarketPrint> unpack_print(std::string_view bytes, std::string_view content_hash);

}  // namespace winnow::store
