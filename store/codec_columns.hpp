#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.hpp"
#include "base/result.hpp"

// Columns of numbers on disk: metrics and trial keys as they are, period returns packed when that
// saves enough. Values have the frame of codec.hpp.
namespace winnow::store::codec {

/// How a panel of returns lies on disk. Daily returns of strategies that trade rarely are mostly
/// zeros and shrink to 1/50 by zstd; those of strategies always in the market to 1/1.4 at 200 MB/s,
/// which does not pay. Shuffling bytes made both worse.
enum class PanelMethod : std::uint8_t { Raw = 0, Zstd = 1 };

/// Purpose: a value in parts, so that a large column goes from the caller's memory into the write
/// batch in one copy. `data` points into the caller's numbers or into `scratch`.
struct ColumnValue {
  std::string head;  ///< version and shape
  std::string_view data;
  char sum[4] = {};
};

/// A column of fixed-size items as bytes. `bytes` must outlive the value.
ColumnValue encode_column(std::string_view key, std::string_view bytes);
/// Fails: Corrupt (checksum, version, or not rows * item_bytes long).
Result<std::string_view> decode_column(std::string_view key, std::string_view value,
                                       std::size_t rows, std::size_t item_bytes);

/// Trial keys and row hashes of a block, as one column. Both must outlive the value.
struct TrialColumn {
  std::string head;
  std::string_view keys;
  std::string_view row_hashes;
  char sum[4] = {};
};
TrialColumn encode_trial_column(std::string_view key, std::span<const TrialKey> keys,
                                std::span<const std::uint64_t> row_hashes);
Status decode_trial_column(std::string_view key, std::string_view value, std::size_t rows,
                           std::vector<TrialKey>& keys, std::vector<std::uint64_t>& row_hashes);

/// A panel [row][period]. `returns` and `scratch` must outlive the value.
ColumnValue encode_panel(std::string_view key, std::span<const float> returns, std::uint32_t rows,
                         std::uint32_t periods, std::string& scratch);
/// Decodes into `out`. Requires: out.size() == rows * periods. Fails: Corrupt.
Status decode_panel(std::string_view key, std::string_view value, std::uint32_t rows,
                    std::uint32_t periods, std::span<float> out);

/// The learning curves of a block: metrics * steps * rows numbers, in the order of
/// ResultBlock::points, packed if that halves them. `points` and `scratch` must outlive the value.
struct PointsShape {
  std::uint32_t rows = 0;
  std::uint32_t metrics = 0;
  std::uint32_t steps = 0;
};
ColumnValue encode_points(std::string_view key, std::span<const double> points,
                          const PointsShape& shape, std::string& scratch);
/// Fails: Corrupt (checksum, version, another number of rows, or not as long as its shape says).
Result<PointsShape> decode_points(std::string_view key, std::string_view value, std::uint32_t rows,
                                  std::vector<double>& points);

}  // namespace winnow::store::codec
