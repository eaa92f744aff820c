#include "store/codec.hpp"

#include <cstring>

#include "store/codec_columns.hpp"
#include "store_fixture.hpp"

// The bytes on disk, without a disk. The golden texts are what version 1 wrote: they never change;
// a later version gets its own beside them.
namespace winnow::store::codec {
namespace {

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (unsigned char c : bytes) {
    out.push_back(kDigits[c >> 4]);
    out.push_back(kDigits[c & 15]);
  }
  return out;
}

std::string unhex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

SweepRecord sample_sweep() {
  SweepRecord record;
  record.number = 3;
  record.meta = make_sweep("s1", 2, {.rows = 4, .metrics = 2});
  record.meta.state = SweepState::Done;
  record.meta.finished = {1'700'000'001'000'000'000};
  return record;
}

BlockHeader sample_header() {
  BlockHeader h;
  h.first_trial = 4096;
  h.rows = 3;
  h.metric_count = 2;
  h.periods = 5;
  h.ledger_entry = 1;
  h.content = {0x0123456789abcdef, 0xfedcba9876543210};
  h.committed = {77};
  h.status = {TrialStatus::Ok, TrialStatus::Failed, TrialStatus::Ok};
  return h;
}

LedgerEntry sample_ledger() { return {"d", "mean_reversion", "s1", "ann", 10, 12, 1, {5}, {6}}; }

// Each kind of value with the bytes that version 1 gives it.
struct Golden {
  const char* name;
  std::string key;
  std::string written;
  std::string hex;
};

std::vector<Golden> goldens() {
  std::vector<Golden> out;
  const std::string block = block_key(3, 9);
  out.push_back({"sweep", "s/s1", encode_sweep("s/s1", sample_sweep()),
                 "01030000000273310d746573742073776565702073310c7b2273656564223a2034327d03616e"
                 "6e00002a36fe9c971700cac471fe9c9717020800000000000000020000000000000007000000"
                 "05302e312e3002086d65747269635f30086d65747269635f3108b2bfc9"});
  out.push_back({"header", block, encode_header(block, sample_header()),
                 "01001000000000000003000000020000000500000001000000efcdab89674523011032547698"
                 "badcfe4d00000000000000010001000876843d"});
  std::string entry;
  const std::string key(16, 'k');
  encode_key_entry(key, {1, 3, 300, 17, 0x1122334455667788}, entry);
  out.push_back({"key", key, entry, "010103ac0211887766554433221100d82664"});
  const std::string number = number_key(2);
  out.push_back({"pending", number, encode_pending(number, {3, 9, 4, 1, {0, 300}}),
                 "0103000000090000000000000004000000010000000200ac02140f4817"});
  out.push_back({"ledger", number, encode_ledger(number, 2, sample_ledger()),
                 "010200000001640e6d65616e5f726576657273696f6e02733103616e6e0a000000000000000c"
                 "0000000000000001000000000000000500000000000000060000000000000083df244a"});
  out.push_back({"alarm", number, encode_alarm(number, {{8}, "differs"}),
                 "0108000000000000000764696666657273329cec58"});
  const std::string texts[] = {"{}", ""};
  out.push_back({"texts", "d/x", encode_texts("d/x", texts), "0102027b7d00a4da4c20"});
  const double column[] = {1.5, -2.0};
  const auto metrics =
      encode_column(column_key(3, 1, 9), {reinterpret_cast<const char*>(column), sizeof column});
  out.push_back({"column", column_key(3, 1, 9),
                 metrics.head + std::string(metrics.data) + std::string(metrics.sum, 4),
                 "01000000000000f83f00000000000000c04fe4ad8a"});
  const float returns[] = {0.5f, -0.25f, 0.0f, 1.0f};
  std::string scratch;
  const auto panel = encode_panel(block, returns, 2, 2, scratch);
  out.push_back({"panel", block, panel.head + std::string(panel.data) + std::string(panel.sum, 4),
                 "010002000000020000000000003f000080be000000000000803fc28bec66"});
  const TrialKey keys[] = {{1, 2}};
  const std::uint64_t hashes[] = {3};
  const auto trials = encode_trial_column(block, keys, hashes);
  out.push_back({"trials", block,
                 trials.head + std::string(trials.keys) + std::string(trials.row_hashes) +
                     std::string(trials.sum, 4),
                 "010100000000000000020000000000000003000000000000000f337aa3"});
  const double points[] = {1.5, 2.5, -3.5, 4.5};
  std::string points_scratch;
  const auto curves = encode_points(block, points, {2, 1, 2}, points_scratch);
  out.push_back({"points", block,
                 curves.head + std::string(curves.data) + std::string(curves.sum, 4),
                 "0100020000000100000002000000000000000000f83f00000000000004400000000000000cc0"
                 "0000000000001240abc8522a"});
  return out;
}

TEST(Codec, WritesTheBytesOfVersionOne) {
  for (const Golden& g : goldens()) EXPECT_EQ(hex(g.written), g.hex) << g.name;
}

TEST(Codec, ReadsTheBytesOfVersionOne) {
  for (const Golden& g : goldens()) {
    const std::string bytes = unhex(g.hex);
    const std::string name = g.name;
    if (name == "sweep") {
      const SweepRecord r = must(decode_sweep(g.key, bytes));
      EXPECT_EQ(r.number, 3u);
      EXPECT_EQ(r.meta.id, "s1");
      EXPECT_EQ(r.meta.state, SweepState::Done);
      EXPECT_EQ(r.meta.metric_names, (std::vector<std::string>{"metric_0", "metric_1"}));
    } else if (name == "header") {
      const BlockHeader h = must(decode_header(g.key, bytes));
      EXPECT_EQ(h.first_trial, 4096u);
      EXPECT_EQ(h.content, sample_header().content);
      EXPECT_EQ(h.status, sample_header().status);
      EXPECT_EQ(h.committed.ns, 77);
    } else if (name == "key") {
      const KeyEntry e = must(decode_key_entry(g.key, bytes));
      EXPECT_EQ(e.block, 300u);
      EXPECT_EQ(e.row, 17u);
      EXPECT_EQ(e.row_hash, 0x1122334455667788u);
    } else if (name == "pending") {
      const PendingBlock p = must(decode_pending(g.key, bytes));
      EXPECT_EQ(p.block, 9u);
      EXPECT_EQ(p.repeated_rows, (std::vector<std::uint32_t>{0, 300}));
    } else if (name == "ledger") {
      const LedgerRecord r = must(decode_ledger(g.key, bytes));
      EXPECT_EQ(r.number, 2u);
      EXPECT_EQ(r.entry.family, "mean_reversion");
      EXPECT_EQ(r.entry.trials, 10u);
      EXPECT_EQ(r.entry.last.ns, 6);
    } else if (name == "alarm") {
      EXPECT_EQ(must(decode_alarm(g.key, bytes)).text, "differs");
    } else if (name == "texts") {
      EXPECT_EQ(must(decode_texts(g.key, bytes)), (std::vector<std::string>{"{}", ""}));
    } else if (name == "column") {
      const auto data = must(decode_column(g.key, bytes, 2, 8));
      double v[2];
      std::memcpy(v, data.data(), sizeof v);
      EXPECT_EQ(v[1], -2.0);
    } else if (name == "panel") {
      float v[4] = {};
      must(decode_panel(g.key, bytes, 2, 2, v));
      EXPECT_EQ(v[1], -0.25f);
      EXPECT_EQ(v[3], 1.0f);
    } else if (name == "points") {
      std::vector<double> v;
      const PointsShape shape = must(decode_points(g.key, bytes, 2, v));
      EXPECT_EQ(shape.metrics, 1u);
      EXPECT_EQ(shape.steps, 2u);
      EXPECT_EQ(v, (std::vector<double>{1.5, 2.5, -3.5, 4.5}));
    } else {
      std::vector<TrialKey> keys;
      std::vector<std::uint64_t> hashes;
      must(decode_trial_column(g.key, bytes, 1, keys, hashes));
      EXPECT_EQ(keys[0], (TrialKey{1, 2}));
      EXPECT_EQ(hashes[0], 3u);
    }
  }
}

TEST(Codec, AnyFlippedBitIsCorrupt) {
  for (const Golden& g : goldens()) {
    for (std::size_t bit = 0; bit < g.written.size() * 8; ++bit) {
      std::string bytes = g.written;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
      const auto opened = open_value(g.key, bytes);
      ASSERT_FALSE(opened.ok()) << g.name << ", bit " << bit;
      EXPECT_EQ(opened.error().code(), ErrorCode::Corrupt);
    }
  }
}

TEST(Codec, ValueUnderAnotherKeyIsCorrupt) {
  for (const Golden& g : goldens()) {
    std::string other = g.key;
    other.back() = static_cast<char>(other.back() ^ 1);
    EXPECT_FALSE(open_value(other, g.written).ok()) << g.name;
  }
}

TEST(Codec, TruncatedValuesAreCorrupt) {
  for (const Golden& g : goldens()) {
    for (std::size_t n = 0; n < g.written.size(); ++n) {
      EXPECT_FALSE(open_value(g.key, std::string_view(g.written).substr(0, n)).ok()) << g.name;
    }
  }
}

// A value whose checksum is right but whose payload is not what the decoder expects.
std::string resealed(std::string_view key, std::string payload) {
  Writer out;
  out.raw(payload);
  return std::move(out).finish(key);
}

TEST(Codec, WellSealedNonsenseIsCorruptNotACrash) {
  const std::uint64_t seed = 11;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Rng rng(seed);
  const std::string key = block_key(1, 1);
  for (int i = 0; i < 3000; ++i) {
    std::string payload(rng.below(60), '\0');
    for (char& c : payload) c = static_cast<char>(rng.below(4) == 0 ? 0xff : rng.next_u64());
    const std::string value = resealed(key, payload);
    const auto check = [](const auto& result) {
      if (!result.ok()) {
        EXPECT_EQ(result.error().code(), ErrorCode::Corrupt);
      }
    };
    check(decode_sweep(key, value));
    check(decode_header(key, value));
    check(decode_key_entry(key, value));
    check(decode_pending(key, value));
    check(decode_ledger(key, value));
    check(decode_alarm(key, value));
    check(decode_texts(key, value));
    std::vector<float> out(6);
    check(decode_panel(key, value, 2, 3, out));
    std::vector<double> points;
    check(decode_points(key, value, 2, points));
  }
}

TEST(Codec, PanelsOfRareTradesArePackedAndComeBackBitForBit) {
  const std::string key = block_key(1, 2);
  for (const std::uint64_t one_in : {1u, 20u}) {
    Rng rng(one_in);
    std::vector<float> returns(200 * 300, 0.0f);
    for (float& r : returns) {
      if (rng.below(one_in) == 0) r = static_cast<float>(rng.uniform() - 0.5) * 0.02f;
    }
    returns[7] = -0.0f;
    std::string scratch;
    const auto value = encode_panel(key, returns, 200, 300, scratch);
    const std::string bytes = value.head + std::string(value.data) + std::string(value.sum, 4);
    EXPECT_EQ(bytes.size() < returns.size() * sizeof(float) / 2, one_in == 20) << bytes.size();
    std::vector<float> back(returns.size());
    must(decode_panel(key, bytes, 200, 300, back));
    EXPECT_EQ(std::memcmp(back.data(), returns.data(), returns.size() * sizeof(float)), 0);
  }
}

TEST(Codec, UnknownVersionIsNamed) {
  std::string bytes = "\x09payload";
  const std::string_view body = bytes;
  const std::uint32_t sum = checksum("k", {&body, 1});
  bytes.append(reinterpret_cast<const char*>(&sum), 4);
  const auto opened = open_value("k", bytes);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().text().find("format version 9"), std::string::npos);
}

TEST(Codec, KeysSortByTheirNumbers) {
  EXPECT_LT(block_key(1, 255), block_key(1, 256));
  EXPECT_LT(block_key(1, ~std::uint64_t{0}), block_key(2, 0));
  EXPECT_LT(column_key(1, 2, 999), column_key(1, 3, 0));
  EXPECT_EQ(block_of_key(column_key(7, 3, 1234567)), 1234567u);
  EXPECT_EQ(sweep_of_key(column_key(7, 3, 1234567)), 7u);
  EXPECT_NE(pair_key("ab", "c"), pair_key("a", "bc"));
}

[[gnu::noinline]] void write_below(volatile char* memory, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) memory[i] = static_cast<char>(i * 37 + 1);
}

/// Writes 256 bytes of the stack that lie `gap` bytes below the caller's.
[[gnu::noinline]] void disturb_stack(std::size_t gap) {
  auto* lowest = static_cast<volatile char*>(__builtin_alloca(gap + 256));
  write_below(lowest, 256);
}

// A sum in parts once took half of its state from what earlier calls had left on the stack.
TEST(Codec, ChecksumInPartsIsThatOfTheWholeWhateverTheStackHolds) {
  std::string whole;
  for (int i = 0; i < 700; ++i) whole.push_back(static_cast<char>(i * 11));
  const std::string_view all = whole;
  const std::uint32_t expected = checksum("key", {&all, 1});
  const std::string_view parts[] = {all.substr(0, 300), all.substr(300)};
  for (std::size_t gap = 0; gap < 4096; gap += 16) {
    EXPECT_EQ(checksum("key", parts), expected) << gap;
    disturb_stack(gap);
  }
}

}  // namespace
}  // namespace winnow::store::codec
