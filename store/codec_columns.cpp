#include "store/codec_columns.hpp"

#include <zstd.h>

#include <cstring>

#include "base/check.hpp"
#include "store/codec.hpp"

namespace winnow::store::codec {
namespace {

void seal(std::string_view key, ColumnValue& value) {
  const std::string_view parts[] = {value.head, value.data};
  const std::uint32_t sum = checksum(key, parts);
  std::memcpy(value.sum, &sum, sizeof sum);
}

constexpr int kZstdLevel = 1;
constexpr std::size_t kPackedPanelBytesMin = 4096;
constexpr std::size_t kSampleBytes = 32 << 10;

// Packs into `out`; false if less than half is saved.
bool pack(std::string_view bytes, std::string& out) {
  out.resize(ZSTD_compressBound(bytes.size()));
  const std::size_t n =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kZstdLevel);
  if (ZSTD_isError(n) != 0 || n > bytes.size() / 2) return false;
  out.resize(n);
  return true;
}

// A sample decides first, so that panels that do not shrink cost next to nothing.
bool pack_panel(std::string_view bytes, std::string& out) {
  if (bytes.size() < kPackedPanelBytesMin) return false;
  if (bytes.size() > 2 * kSampleBytes && !pack(bytes.substr(0, kSampleBytes), out)) return false;
  return pack(bytes, out);
}

}  // namespace

ColumnValue encode_column(std::string_view key, std::string_view bytes) {
  ColumnValue value;
  value.head.push_back(kVersion);
  value.data = bytes;
  seal(key, value);
  return value;
}

Result<std::string_view> decode_column(std::string_view key, std::string_view value,
                                       std::size_t rows, std::size_t item_bytes) {
  auto payload = open_value(key, value);
  if (!payload.ok()) return payload;
  if (payload->size() != rows * item_bytes) {
    return Error(ErrorCode::Corrupt, "a column of " + std::to_string(payload->size()) +
                                         " bytes where " + std::to_string(rows) + " rows of " +
                                         std::to_string(item_bytes) + " belong");
  }
  return payload;
}

TrialColumn encode_trial_column(std::string_view key, std::span<const TrialKey> keys,
                                std::span<const std::uint64_t> row_hashes) {
  TrialColumn value;
  value.head.push_back(kVersion);
  value.keys = {reinterpret_cast<const char*>(keys.data()), keys.size_bytes()};
  value.row_hashes = {reinterpret_cast<const char*>(row_hashes.data()), row_hashes.size_bytes()};
  const std::string_view parts[] = {value.head, value.keys, value.row_hashes};
  const std::uint32_t sum = checksum(key, parts);
  std::memcpy(value.sum, &sum, sizeof sum);
  return value;
}

Status decode_trial_column(std::string_view key, std::string_view value, std::size_t rows,
                           std::vector<TrialKey>& keys, std::vector<std::uint64_t>& row_hashes) {
  auto bytes = decode_column(key, value, rows, sizeof(TrialKey) + sizeof(std::uint64_t));
  if (!bytes.ok()) return bytes.error();
  keys.resize(rows);
  row_hashes.resize(rows);
  const std::size_t keys_bytes = rows * sizeof(TrialKey);
  std::memcpy(keys.data(), bytes->data(), keys_bytes);
  std::memcpy(row_hashes.data(), bytes->data() + keys_bytes, bytes->size() - keys_bytes);
  return {};
}

ColumnValue encode_panel(std::string_view key, std::span<const float> returns, std::uint32_t rows,
                         std::uint32_t periods, std::string& scratch) {
  const std::string_view raw(reinterpret_cast<const char*>(returns.data()), returns.size_bytes());
  const bool packed = pack_panel(raw, scratch);
  ColumnValue value;
  value.head.push_back(kVersion);
  value.head.push_back(static_cast<char>(packed ? PanelMethod::Zstd : PanelMethod::Raw));
  char shape[8];
  std::memcpy(shape, &rows, 4);
  std::memcpy(shape + 4, &periods, 4);
  value.head.append(shape, 8);
  value.data = packed ? std::string_view(scratch) : raw;
  seal(key, value);
  return value;
}

ColumnValue encode_points(std::string_view key, std::span<const double> points,
                          const PointsShape& shape, std::string& scratch) {
  const std::string_view raw(reinterpret_cast<const char*>(points.data()), points.size_bytes());
  const bool packed = pack_panel(raw, scratch);
  ColumnValue value;
  value.head.push_back(kVersion);
  value.head.push_back(static_cast<char>(packed ? PanelMethod::Zstd : PanelMethod::Raw));
  const std::uint32_t numbers[] = {shape.rows, shape.metrics, shape.steps};
  value.head.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
  value.data = packed ? std::string_view(scratch) : raw;
  seal(key, value);
  return value;
}

Result<PointsShape> decode_points(std::string_view key, std::string_view value, std::uint32_t rows,
                                  std::vector<double>& points) {
  auto payload = open_value(key, value);
  if (!payload.ok()) return payload.error();
  Reader in(*payload);
  const auto method = static_cast<PanelMethod>(in.u8());
  PointsShape shape;
  shape.rows = in.u32();
  shape.metrics = in.u32();
  shape.steps = in.u32();
  // What a block can hold at most, so that a wrong shape never asks for much memory.
  constexpr std::uint64_t kPointsMax = std::uint64_t{1} << 24;
  const std::uint64_t columns = std::uint64_t{shape.metrics} * shape.steps;
  if (!in.ok() || shape.rows != rows || rows == 0 || columns == 0 || columns > kPointsMax / rows) {
    return Error(ErrorCode::Corrupt, "learning curves of " + std::to_string(shape.rows) +
                                         " rows, " + std::to_string(shape.metrics) +
                                         " metrics and " + std::to_string(shape.steps) +
                                         " steps in a block of " + std::to_string(rows) + " rows");
  }
  points.resize(columns * rows);
  const std::size_t bytes = points.size() * sizeof(double);
  const std::string_view data = in.rest();
  if (method == PanelMethod::Raw && data.size() == bytes) {
    std::memcpy(points.data(), data.data(), bytes);
    return shape;
  }
  if (method == PanelMethod::Zstd &&
      ZSTD_decompress(points.data(), bytes, data.data(), data.size()) == bytes) {
    return shape;
  }
  return Error(ErrorCode::Corrupt, "learning curves that do not unpack to their size");
}

Status decode_panel(std::string_view key, std::string_view value, std::uint32_t rows,
                    std::uint32_t periods, std::span<float> out) {
  WINNOW_REQUIRES(out.size() == std::size_t{rows} * periods);
  auto payload = open_value(key, value);
  if (!payload.ok()) return payload.error();
  Reader in(*payload);
  const auto method = static_cast<PanelMethod>(in.u8());
  const std::uint32_t stored_rows = in.u32();
  const std::uint32_t stored_periods = in.u32();
  if (!in.ok() || stored_rows != rows || stored_periods != periods) {
    return Error(ErrorCode::Corrupt, "a panel of " + std::to_string(stored_rows) + " x " +
                                         std::to_string(stored_periods) + " where " +
                                         std::to_string(rows) + " x " + std::to_string(periods) +
                                         " belongs");
  }
  const std::string_view data = in.rest();
  if (method == PanelMethod::Raw && data.size() == out.size_bytes()) {
    std::memcpy(out.data(), data.data(), data.size());
    return {};
  }
  if (method == PanelMethod::Zstd &&
      ZSTD_decompress(out.data(), out.size_bytes(), data.data(), data.size()) == out.size_bytes()) {
    return {};
  }
  return Error(ErrorCode::Corrupt, "a panel that does not unpack to its size");
}

}  // namespace winnow::store::codec
