#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.hpp"
#include "base/result.hpp"
#include "base/result_block.hpp"
#include "store/store.hpp"

// What lies on disk, as pure functions from bytes to values and back. Every value is
//
//   [format version: 1 byte] [payload] [checksum: 4 bytes]
//
// with integers little-endian in values and big-endian in keys (byte order is then key order). The
// checksum covers the value AND the key it is stored under, so a value under a wrong key is found
// too. A new layout takes the next version number; the readers of the old ones stay, held to the
// golden bytes in tests/store.
namespace winnow::store::codec {

/// The layout this binary writes.
inline constexpr char kVersion = 1;
inline constexpr std::size_t kChecksumBytes = 4;

/// XXH3-64, seeded with the key's own hash, over the parts as if joined; the low 32 bits.
std::uint32_t checksum(std::string_view key, std::span<const std::string_view> parts);

/// Purpose: writes one value. Thread: one.
class Writer {
 public:
  Writer() { bytes_.push_back(kVersion); }
  Writer& u8(std::uint8_t v);
  Writer& u32(std::uint32_t v);
  Writer& u64(std::uint64_t v);
  Writer& i64(std::int64_t v) { return u64(static_cast<std::uint64_t>(v)); }
  Writer& varint(std::uint64_t v);  ///< LEB128
  Writer& hash(const Hash128& h);
  Writer& text(std::string_view s);  ///< varint length, bytes
  Writer& raw(std::string_view s);   ///< bytes alone
  /// Appends the checksum and hands the value over. Requires: called once.
  std::string finish(std::string_view key) &&;

 private:
  std::string bytes_;
};

/// Purpose: reads one value; after the first field that is not there every read gives zeros and
/// ok() is false. Thread: one.
class Reader {
 public:
  explicit Reader(std::string_view payload) : rest_(payload) {}
  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  std::uint64_t varint();
  Hash128 hash();
  std::string_view text();
  std::string_view raw(std::size_t n);
  std::string_view rest() const { return rest_; }
  bool ok() const { return ok_; }
  bool finished() const { return ok_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t n);
  std::string_view rest_;
  bool ok_ = true;
};

/// Checks length, checksum and version; gives the payload. Fails: Corrupt.
Result<std::string_view> open_value(std::string_view key, std::string_view value);

// --- keys ---------------------------------------------------------------------------------------

std::string block_key(std::uint32_t sweep, std::uint64_t block);
/// `column`: a metric's index, or one of the two below.
std::string column_key(std::uint32_t sweep, std::uint16_t column, std::uint64_t block);
inline constexpr std::uint16_t kTrialKeysColumn = 0xffff;
inline constexpr std::uint16_t kErrorsColumn = 0xfffe;
inline constexpr std::uint32_t kMetricsMax = 0xff00;
std::string number_key(std::uint64_t n);
/// Requires: `key` came from block_key or column_key; its last 8 bytes.
std::uint64_t block_of_key(std::string_view key);
/// Its first four bytes.
std::uint32_t sweep_of_key(std::string_view key);
/// Two texts so that no two pairs share a key.
std::string pair_key(std::string_view a, std::string_view b);

// --- values -------------------------------------------------------------------------------------

/// A sweep with the number its blocks are stored under.
struct SweepRecord {
  std::uint32_t number = 0;
  SweepMeta meta;
};
std::string encode_sweep(std::string_view key, const SweepRecord& record);
Result<SweepRecord> decode_sweep(std::string_view key, std::string_view value);

/// All of a block but its columns.
struct BlockHeader {
  std::uint64_t first_trial = 0;
  std::uint32_t rows = 0;
  std::uint32_t metric_count = 0;
  std::uint32_t periods = 0;
  std::uint32_t ledger_entry = 0;
  Hash128 content;
  TimestampNs committed;
  std::vector<TrialStatus> status;  ///< empty when every row is Ok
  /// Of the block's keys: its column holds LedgerKeys, as the index does. Written unless zero.
  Edition edition = {};
};
std::string encode_header(std::string_view key, const BlockHeader& header);
Result<BlockHeader> decode_header(std::string_view key, std::string_view value);

/// Where a LedgerKey was first seen. Small and fixed, as there is one a trial.
struct KeyEntry {
  std::uint32_t ledger_entry = 0;
  std::uint32_t sweep = 0;
  std::uint64_t block = 0;
  std::uint32_t row = 0;
  std::uint64_t row_hash = 0;  ///< of the row's status, metrics and returns
};
/// Appends to `out`.
void encode_key_entry(std::string_view key, const KeyEntry& entry, std::string& out);
Result<KeyEntry> decode_key_entry(std::string_view key, std::string_view value);

/// A committed block whose keys are not in the key index's files yet.
struct PendingBlock {
  std::uint32_t sweep = 0;
  std::uint64_t block = 0;
  std::uint32_t rows = 0;
  std::uint32_t ledger_entry = 0;
  std::vector<std::uint32_t> repeated_rows;  ///< ascending; their keys were first seen elsewhere
};
std::string encode_pending(std::string_view key, const PendingBlock& pending);
Result<PendingBlock> decode_pending(std::string_view key, std::string_view value);

/// The sweep of a key whose trial was counted and not kept (a backtest); its row hash is 0.
inline constexpr std::uint32_t kNoSweep = 0xffff'ffff;

/// One row of the ledger: what one sweep did with one family on one dataset. Unbacked counts are
/// written unless all are zero.
std::string encode_ledger(std::string_view key, std::uint32_t entry_number,
                          const LedgerEntry& entry);
struct LedgerRecord {
  std::uint32_t number = 0;
  LedgerEntry entry;
};
Result<LedgerRecord> decode_ledger(std::string_view key, std::string_view value);

std::string encode_alarm(std::string_view key, const Alarm& alarm);
Result<Alarm> decode_alarm(std::string_view key, std::string_view value);

/// Any text under a name: documents, errors of failed rows, single settings.
std::string encode_texts(std::string_view key, std::span<const std::string> texts);
Result<std::vector<std::string>> decode_texts(std::string_view key, std::string_view value);

}  // namespace winnow::store::codec
