#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace winnow::store {

/// The column families. RocksDB's own "default" stays empty.
enum class Family : std::uint8_t {
  Meta,     ///< format, sweeps, documents
  Blocks,   ///< one header a block
  Metrics,  ///< one value a (metric, block); also trial keys and error texts as columns
  Returns,  ///< one panel a block, in blob files
  Keys,     ///< TrialKey to its first result
  Ledger,
  Alarms,
  Pending,    ///< blocks whose keys are not in Keys yet
  Points,     ///< learning curves, one value a block, in blob files
  Exposures,  ///< one panel a block, in blob files
};
inline constexpr std::size_t kFamilies = 10;
/// Younger than the first stores: a store may lack them until a writer opens it.
constexpr bool may_lack(Family f) { return f == Family::Points || f == Family::Exposures; }
/// Files on their way into Keys; what a crash leaves there is of no use.
inline constexpr std::string_view kIngestFolder = "ingest";
inline constexpr std::array<std::string_view, kFamilies> kFamilyNames = {
    "meta",   "blocks", "metrics", "returns", "keys",
    "ledger", "alarms", "pending", "points",  "exposures"};

/// What RocksDB's own threads report of themselves.
struct RocksHealth {
  std::atomic<bool> stopped = false;
  std::atomic<bool> ever_stopped = false;
  std::atomic<std::uint64_t> slowdowns = 0;
  std::atomic<std::uint64_t> stops = 0;
};

}  // namespace winnow::store
