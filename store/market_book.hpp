#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/dataset_store.hpp"
#include "store/market_record.hpp"

namespace winnow::store {

/// Purpose: one dataset (a content hash) of a market.
struct MarketMember {
  std::string content_hash;
  std::string name;                ///< it has now (the first of several), or had last
  std::vector<std::string> names;  ///< it has now
  std::string instrument;
  DurationNs interval;
  std::int64_t first_day = 0;  ///< UTC day of the first bar, from 1970
  std::int64_t last_day = 0;   ///< of the last bar; part of the dataset
  std::uint64_t number = 0;    ///< in the order of imports
  TimestampNs created;
  bool gone = false;              ///< deleted; what the ledger counted of it stays this market's
  bool found = false;             ///< from before markets were known
  std::vector<MarketLink> links;  ///< to earlier members
  std::vector<SealEntry> seals;   ///< decisions that came with it
};

/// Purpose: all datasets that hold one market, whatever their interval, their ends, their venue or
/// their names: the connected components of MarketRecord::links.
struct Market {
  std::string id;                     ///< content hash of the earliest imported member
  std::vector<MarketMember> members;  ///< in the order of imports
  /// This UTC day and all later ones, also of bars still to come, are sealed; none: no day is.
  std::optional<std::int64_t> sealed_from_day;
  SealEntry seal;                            ///< the decision that holds, where there is a seal
  std::int64_t first_day = 0, last_day = 0;  ///< over all members

  const MarketMember* member(std::string_view content_hash) const;
  bool sealed(std::int64_t day) const { return sealed_from_day && day >= *sealed_from_day; }
};

/// Purpose: which datasets are one market, as it is when it is read: a snapshot. Thread: const,
/// any. Reading opens one small file a content hash ever imported; prices are not read, but for
/// datasets from before markets were known, until the next import writes their records.
class MarketBook {
 public:
  MarketBook() = default;  ///< one that knows nothing
  /// Fails: Corrupt (naming the damaged record), Io.
  static Result<MarketBook> read(const DatasetStore& datasets);

  /// Null: unknown.
  const Market* of(std::string_view content_hash) const;
  /// The hash itself if it is unknown.
  std::string id_of(std::string_view content_hash) const;
  bool same_market(std::string_view a, std::string_view b) const { return id_of(a) == id_of(b); }
  /// In the order of their first imports.
  const std::vector<Market>& markets() const { return markets_; }

 private:
  std::vector<Market> markets_;
  std::map<std::string, std::size_t, std::less<>> market_of_;  ///< in markets_, by content hash
};

/// How alike a dataset is to every other of its market, in its order; absent: no print is kept of
/// one of the two. Reads prints. Fails: NotFound (unknown), Corrupt, Io.
struct MemberLikeness {
  std::string content_hash;
  std::optional<MarketLikeness> likeness;
};
Result<std::vector<MemberLikeness>> likenesses(const DatasetStore& datasets,
                                               std::string_view content_hash);

}  // namespace winnow::store
