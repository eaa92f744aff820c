#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/market.hpp"
#include "base/result.hpp"

namespace winnow::store {

// The columns of a dataset in one file that is mapped, not read. All numbers are little-endian.
//   0    header: magic "WNWCOLS1", counts, interval, seven sections {offset, bytes, XXH3-128}, and
//        an XXH3-128 of everything before it
//   320  the sections in the order time_ns, open, high, low, close, volume, funding, each aligned
//        to 64 bytes, zeros between
// A funding event is {int64 time_ns, double rate_frac}.

/// Fails: InvalidInput naming the first bar that breaks an invariant of MarketView.
Status check_market(const MarketView& market);

/// SHA-256 of "winnow-columns-1\n", interval, bar count, funding count (int64 each), then the
/// sections without padding: the identity of what an engine sees.
std::string market_content_hash(const MarketView& market);

/// The file as pieces to be written one after another; they point into `market` and `header`.
struct ColumnFile {
  std::string header;
  std::vector<std::string_view> pieces;
};
/// Requires: check_market(market).
ColumnFile layout_columns(const MarketView& market);

/// Purpose: a column file mapped read-only and shared. Owner: any number of datasets.
/// Thread: any.
class MappedColumns {
 public:
  /// Checks header, sizes and bounds, and, once a process and file, every byte and every value:
  /// what is damaged is never handed out. Fails: NotFound, Io, Corrupt naming file and column.
  static Result<std::shared_ptr<const MappedColumns>> open(const std::filesystem::path& path);
  ~MappedColumns();
  MappedColumns(const MappedColumns&) = delete;
  MappedColumns& operator=(const MappedColumns&) = delete;

  const MarketView& view() const { return view_; }

  /// Rehashes every byte of the file. Fails: Corrupt naming the column.
  Status verify() const;

 private:
  MappedColumns() = default;
  Status attach(std::string_view file_name);

  const char* bytes_ = nullptr;
  std::size_t size_ = 0;
  MarketView view_;
};

}  // namespace winnow::store
