#include "store/codec.hpp"

#define XXH_STATIC_LINKING_ONLY  // the streaming state, on the stack
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "base/check.hpp"

namespace winnow::store::codec {
namespace {

// Values are little-endian on every machine we build for; a big-endian port swaps here.
static_assert(std::endian::native == std::endian::little);

// What follows the fixed part of a block's header.
constexpr int kHasStatus = 1;
constexpr int kHasEdition = 2;

Error corrupt(std::string text) { return Error(ErrorCode::Corrupt, std::move(text)); }

void append_big_endian(std::string& out, std::uint64_t v, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(v >> (8 * i)));
}

Result<Reader> reader_of(std::string_view key, std::string_view value) {
  auto payload = open_value(key, value);
  if (!payload.ok()) return payload.error();
  return Reader(*payload);
}

Status check_end(const Reader& in, std::string_view what) {
  if (in.finished()) return {};
  return corrupt(std::string(what) + (in.ok() ? " has bytes left over" : " is too short"));
}

}  // namespace

std::uint32_t checksum(std::string_view key, std::span<const std::string_view> parts) {
  const XXH64_hash_t seed = XXH3_64bits(key.data(), key.size());
  if (parts.size() == 1) {
    return static_cast<std::uint32_t>(XXH3_64bits_withSeed(parts[0].data(), parts[0].size(), seed));
  }
  XXH3_state_t state;
  // A reset with a seed trusts what the state says of its secret: where the stack still held the
  // seed of an earlier call, but no longer its secret, the sum was that of nothing.
  XXH3_INITSTATE(&state);
  XXH3_64bits_reset_withSeed(&state, seed);
  for (std::string_view part : parts) XXH3_64bits_update(&state, part.data(), part.size());
  return static_cast<std::uint32_t>(XXH3_64bits_digest(&state));
}

Writer& Writer::u8(std::uint8_t v) {
  bytes_.push_back(static_cast<char>(v));
  return *this;
}
Writer& Writer::u32(std::uint32_t v) {
  char raw[4];
  std::memcpy(raw, &v, 4);
  bytes_.append(raw, 4);
  return *this;
}
Writer& Writer::u64(std::uint64_t v) {
  char raw[8];
  std::memcpy(raw, &v, 8);
  bytes_.append(raw, 8);
  return *this;
}
Writer& Writer::varint(std::uint64_t v) {
  for (; v >= 0x80; v >>= 7) bytes_.push_back(static_cast<char>(v | 0x80));
  bytes_.push_back(static_cast<char>(v));
  return *this;
}
Writer& Writer::hash(const Hash128& h) { return u64(h.high).u64(h.low); }
Writer& Writer::text(std::string_view s) { return varint(s.size()).raw(s); }
Writer& Writer::raw(std::string_view s) {
  bytes_.append(s);
  return *this;
}
std::string Writer::finish(std::string_view key) && {
  const std::string_view part = bytes_;
  u32(checksum(key, {&part, 1}));
  return std::move(bytes_);
}

std::string_view Reader::take(std::size_t n) {
  if (rest_.size() < n) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const std::string_view out = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return out;
}
std::uint8_t Reader::u8() {
  const auto s = take(1);
  return s.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(s[0]);
}
std::uint32_t Reader::u32() {
  std::uint32_t v = 0;
  if (const auto s = take(4); !s.empty()) std::memcpy(&v, s.data(), 4);
  return v;
}
std::uint64_t Reader::u64() {
  std::uint64_t v = 0;
  if (const auto s = take(8); !s.empty()) std::memcpy(&v, s.data(), 8);
  return v;
}
std::uint64_t Reader::varint() {
  std::uint64_t v = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::uint64_t byte = u8();
    v |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return v;
  }
  ok_ = false;
  return 0;
}
Hash128 Reader::hash() {
  Hash128 h;
  h.high = u64();
  h.low = u64();
  return h;
}
std::string_view Reader::text() { return take(varint()); }
std::string_view Reader::raw(std::size_t n) { return take(n); }

Result<std::string_view> open_value(std::string_view key, std::string_view value) {
  if (value.size() < 1 + kChecksumBytes) {
    return corrupt("a value of " + std::to_string(value.size()) + " bytes; at least 5 are written");
  }
  const std::string_view body = value.substr(0, value.size() - kChecksumBytes);
  std::uint32_t stored = 0;
  std::memcpy(&stored, value.data() + body.size(), kChecksumBytes);
  if (stored != checksum(key, {&body, 1})) return corrupt("checksum differs from the stored bytes");
  if (body[0] != kVersion) {
    return corrupt("format version " + std::to_string(static_cast<unsigned char>(body[0])) +
                   "; this binary reads version 1");
  }
  return body.substr(1);
}

std::string block_key(std::uint32_t sweep, std::uint64_t block) {
  std::string key;
  append_big_endian(key, sweep, 4);
  append_big_endian(key, block, 8);
  return key;
}

std::string column_key(std::uint32_t sweep, std::uint16_t column, std::uint64_t block) {
  std::string key;
  append_big_endian(key, sweep, 4);
  append_big_endian(key, column, 2);
  append_big_endian(key, block, 8);
  return key;
}

std::string number_key(std::uint64_t n) {
  std::string key;
  append_big_endian(key, n, 8);
  return key;
}

std::uint64_t block_of_key(std::string_view key) {
  WINNOW_REQUIRES(key.size() >= 8);
  std::uint64_t v = 0;
  for (char c : key.substr(key.size() - 8)) v = v << 8 | static_cast<unsigned char>(c);
  return v;
}

std::uint32_t sweep_of_key(std::string_view key) {
  std::uint32_t v = 0;
  for (char c : key.substr(0, 4)) v = v << 8 | static_cast<unsigned char>(c);
  return v;
}

std::string pair_key(std::string_view a, std::string_view b) {
  std::string key;
  append_big_endian(key, a.size(), 4);
  key.append(a).append(b);
  return key;
}

std::string encode_sweep(std::string_view key, const SweepRecord& record) {
  const SweepMeta& m = record.meta;
  Writer out;
  out.u32(record.number).text(m.id).text(m.name).text(m.spec_json).text(m.user);
  out.i64(m.created.ns).i64(m.finished.ns).u8(static_cast<std::uint8_t>(m.state));
  out.u64(m.trials).u64(m.blocks).u32(m.engine_version).text(m.code_version);
  out.varint(m.metric_names.size());
  for (const std::string& name : m.metric_names) out.text(name);
  return std::move(out).finish(key);
}

Result<SweepRecord> decode_sweep(std::string_view key, std::string_view value) {
  auto opened = reader_of(key, value);
  if (!opened.ok()) return opened.error();
  Reader& in = *opened;
  SweepRecord r;
  r.number = in.u32();
  r.meta.id = in.text();
  r.meta.name = in.text();
  r.meta.spec_json = in.text();
  r.meta.user = in.text();
  r.meta.created.ns = in.i64();
  r.meta.finished.ns = in.i64();
  const std::uint8_t state = in.u8();
  if (state > static_cast<std::uint8_t>(SweepState::Deleted)) {
    return corrupt("sweep state " + std::to_string(state) + "; 0 to 5 are known");
  }
  r.meta.state = static_cast<SweepState>(state);
  r.meta.trials = in.u64();
  r.meta.blocks = in.u64();
  r.meta.engine_version = in.u32();
  r.meta.code_version = in.text();
  const std::uint64_t names = in.varint();
  for (std::uint64_t i = 0; i < names && in.ok(); ++i) r.meta.metric_names.emplace_back(in.text());
  WINNOW_TRY(check_end(in, "the sweep record"));
  return r;
}

std::string encode_header(std::string_view key, const BlockHeader& h) {
  Writer out;
  out.u64(h.first_trial).u32(h.rows).u32(h.metric_count).u32(h.periods).u32(h.ledger_entry);
  out.hash(h.content).i64(h.committed.ns);
  out.u8(static_cast<std::uint8_t>((h.status.empty() ? 0 : kHasStatus) |
                                   (h.edition == Edition{} ? 0 : kHasEdition)));
  out.raw({reinterpret_cast<const char*>(h.status.data()), h.status.size()});
  if (h.edition != Edition{}) out.hash(h.edition);
  return std::move(out).finish(key);
}

Result<BlockHeader> decode_header(std::string_view key, std::string_view value) {
  auto opened = reader_of(key, value);
  if (!opened.ok()) return opened.error();
  Reader& in = *opened;
  BlockHeader h;
  h.first_trial = in.u64();
  h.rows = in.u32();
  h.metric_count = in.u32();
  h.periods = in.u32();
  h.ledger_entry = in.u32();
  h.content = in.hash();
  h.committed.ns = in.i64();
  const std::uint8_t parts = in.u8();
  if ((parts & ~(kHasStatus | kHasEdition)) != 0) {
    return corrupt("the block header has parts that this binary does not know");
  }
  if ((parts & kHasStatus) != 0) {
    const std::string_view raw = in.raw(h.rows);
    h.status.resize(raw.size());
    if (!raw.empty()) std::memcpy(h.status.data(), raw.data(), raw.size());
  }
  if ((parts & kHasEdition) != 0) h.edition = in.hash();
  WINNOW_TRY(check_end(in, "the block header"));
  for (TrialStatus s : h.status) {
    if (s > TrialStatus::Cut) return corrupt("the block header has an unknown trial status");
  }
  return h;
}

void encode_key_entry(std::string_view key, const KeyEntry& entry, std::string& out) {
  const std::size_t start = out.size();
  char raw[64];
  std::size_t n = 0;
  const auto varint = [&](std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) raw[n++] = static_cast<char>(v | 0x80);
    raw[n++] = static_cast<char>(v);
  };
  raw[n++] = kVersion;
  varint(entry.ledger_entry);
  varint(entry.sweep);
  varint(entry.block);
  varint(entry.row);
  std::memcpy(raw + n, &entry.row_hash, 8);
  out.append(raw, n + 8);
  const std::string_view body(out.data() + start, out.size() - start);
  const std::uint32_t sum = checksum(key, {&body, 1});
  std::memcpy(raw, &sum, kChecksumBytes);
  out.append(raw, kChecksumBytes);
}

Result<KeyEntry> decode_key_entry(std::string_view key, std::string_view value) {
  auto opened = reader_of(key, value);
  if (!opened.ok()) return opened.error();
  Reader& in = *opened;
  KeyEntry e;
  e.ledger_entry = static_cast<std::uint32_t>(in.varint());
  e.sweep = static_cast<std::uint32_t>(in.varint());
  e.block = in.varint();
  e.row = static_cast<std::uint32_t>(in.varint());
  e.row_hash = in.u64();
  WINNOW_TRY(check_end(in, "the key index entry"));
  return e;
}

std::string encode_pending(std::string_view key, const PendingBlock& p) {
  Writer out;
  out.u32(p.sweep).u64(p.block).u32(p.rows).u32(p.ledger_entry);
  out.varint(p.repeated_rows.size());
  for (std::uint32_t row : p.repeated_rows) out.varint(row);
  return std::move(out).finish(key);
}

Result<PendingBlock> decode_pending(std::string_view key, std::string_view value) {
  auto opened = reader_of(key, value);
  if (!opened.ok()) return opened.error();
  Reader& in = *opened;
  PendingBlock p;
  p.sweep = in.u32();
  p.block = in.u64();
  p.rows = in.u32();
  p.ledger_entry = in.u32();
  const std::uint64_t repeats = in.varint();
  for (std::uint64_t i = 0; i < repeats && in.ok(); ++i) {
    p.repeated_rows.push_back(static_cast<std::uint32_t>(in.varint()));
  }
  WINNOW_TRY(check_end(in, "the pending block"));
  return p;
}

std::string encode_ledger(std::string_view key, std::uint32_t entry_number, const LedgerEntry& e) {
  Writer out;
  out.u32(entry_number).text(e.dataset_hash).text(e.family).text(e.sweep_id).text(e.user);
  out.u64(e.trials).u64(e.executions).u64(e.failed).i64(e.first.ns).i64(e.last.ns);
  if (e.unbacked != UnbackedCounts{}) {
    out.u64(e.unbacked.trials).u64(e.unbacked.executions).u64(e.unbacked.failed);
  }
  return std::move(out).finish(key);
}

Result<LedgerRecord> decode_ledger(std::string_view key, std::string_view value) {
  auto opened = reader_of(key, value);
  if (!opened.ok()) return opened.error();
  Reader& in = *opened;
  LedgerRecord r;
  r.number = in.u32();
  r.entry.dataset_hash = in.text();
  r.entry.family = in.text();
  r.entry.sweep_id = in.text();
  r.entry.user = in.text();
  r.entry.trials = in.u64();
  r.entry.executions = in.u64();
  r.entry.failed = in.u64();
  r.entry.first.ns = in.i64();
  r.entry.last.ns = in.i64();
  if (in.ok() && !in.rest().empty()) {
    r.entry.unbacked = {in.u64(), in.u64(), in.u64()};
  }
  WINNOW_TRY(check_end(in, "the ledger entry"));
  return r;
}

std::string encode_alarm(std::string_view key, const Alarm& alarm) {
  Writer out;
  out.i64(alarm.time.ns).text(alarm.text);
  return std::move(out).finish(key);
}

Result<Alarm> decode_alarm(std::string_view key, std::string_view value) {
  auto opened = reader_of(key, value);
  if (!opened.ok()) return opened.error();
  Reader& in = *opened;
  Alarm alarm;
  alarm.time.ns = in.i64();
  alarm.text = in.text();
  WINNOW_TRY(check_end(in, "the alarm"));
  return alarm;
}

std::string encode_texts(std::string_view key, std::span<const std::string> texts) {
  Writer out;
  out.varint(texts.size());
  for (const std::string& text : texts) out.text(text);
  return std::move(out).finish(key);
}

Result<std::vector<std::string>> decode_texts(std::string_view key, std::string_view value) {
  auto opened = reader_of(key, value);
  if (!opened.ok()) return opened.error();
  Reader& in = *opened;
  std::vector<std::string> texts;
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) texts.emplace_back(in.text());
  WINNOW_TRY(check_end(in, "the text record"));
  return texts;
}

}  // namespace winnow::store::codec
