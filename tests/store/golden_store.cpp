#include "golden_store.hpp"

#include <rocksdb/db.h>

#include <map>

#include "store/codec.hpp"
#include "store/codec_columns.hpp"
#include "store_fixture.hpp"

namespace winnow::store {
namespace {

constexpr BlockShape kNarrow{.rows = 24, .metrics = 3, .periods = 5};
constexpr BlockShape kWide{.rows = 20, .metrics = 2, .periods = 120};
constexpr BlockShape kBare{.rows = 16, .metrics = 4, .periods = 0};

void commit_all(Store& store, const std::string& id, std::uint64_t salt, std::uint64_t blocks,
                const BlockShape& shape, const std::string& dataset = "btc") {
  must(store.put_sweep(make_sweep(id, blocks, shape)));
  for (std::uint64_t b = 0; b < blocks; ++b) {
    const ResultBlock block = make_block(salt, b, shape);
    commit_one(store, commit_of(id, block, dataset));
  }
}

ResultBlock with_curves(std::uint64_t number, bool constant) {
  ResultBlock block = make_block(20, number, kNarrow);
  block.point_metrics = 2;
  block.point_steps = 8;
  Rng rng(number, 9);
  for (std::size_t i = 0; i < std::size_t{2} * 8 * block.rows; ++i) {
    block.points.push_back(constant ? 0.25 : rng.uniform());
  }
  return block;
}

/// The first row that is Ok becomes one that a limit cut off.
ResultBlock with_a_cut_row() {
  ResultBlock block = make_block(30, 0, kBare);
  std::size_t failed_before = 0;
  std::uint32_t row = 0;
  for (; block.status[row] != TrialStatus::Ok; ++row) ++failed_before;
  block.status[row] = TrialStatus::Cut;
  block.errors.insert(block.errors.begin() + static_cast<std::ptrdiff_t>(failed_before),
                      "it went over its limit of 2 s");
  for (std::uint32_t m = 0; m < block.metric_count; ++m) {
    block.metrics[std::size_t{m} * block.rows + row] = std::numeric_limits<double>::quiet_NaN();
  }
  return block;
}

}  // namespace

void make_golden_store(const std::filesystem::path& dir) {
  StoreOptions options;
  options.cache_bytes = std::size_t{8} << 20;
  options.index_run_keys = 100;  // so that there are files of keys, and notes of keys in none
  auto store = must(Store::open(dir, options));
  commit_all(*store, "grid", 1, 6, kNarrow);
  commit_all(*store, "panels", 10, 2, kWide, "eth");
  ResultBlock flat = make_block(11, 0, kWide);
  std::fill(flat.returns.begin(), flat.returns.end(), 0.0f);  // packs well
  must(store->put_sweep(make_sweep("flat", 1, kWide)));
  commit_one(*store, commit_of("flat", flat, "eth", "trend"));
  must(store->put_sweep(make_sweep("curves", 3, kNarrow)));
  for (std::uint64_t b = 0; b < 3; ++b) {
    const ResultBlock block = with_curves(b, b == 2);
    commit_one(*store, commit_of("curves", block, "btc", "trend"));
  }
  must(store->put_sweep(make_sweep("cut", 1, kBare)));
  const ResultBlock cut = with_a_cut_row();
  commit_one(*store, commit_of("cut", cut));
  // Deleted, and one of two that were deleted runs again.
  commit_all(*store, "gone", 40, 2, kNarrow);
  commit_all(*store, "back", 41, 2, kNarrow);
  must(store->put_document("generation", "gone/0/0", "{\"rows\":[1,2]}"));
  must(store->put_document("look", "gone/0", "{\"n\":3}"));
  for (const char* id : {"gone", "back"}) {
    must(store->delete_sweep(id, {"bob", {kNow.ns + 5}, {"generation"}}));
  }
  must(store->compact());
  // From here on in the log alone.
  commit_all(*store, "back", 41, 1, kNarrow);
  commit_all(*store, "again", 1, 2, kNarrow);  // trials that `grid` has brought
  ResultBlock other = make_block(1, 3, kNarrow);
  other.metrics[5] += 1;
  commit_one(*store, commit_of("grid", other));  // law 2: the first stays, an alarm
  SweepMeta done = make_sweep("grid", 6, kNarrow);
  done.state = SweepState::Done;
  done.finished = {kNow.ns + 9};
  must(store->put_sweep(done));
  must(store->put_document("convergence", "grid/family", "{\"score\":0.5}"));
  must(store->put_document("user_budget", "ann", "[]"));
}

namespace {

/// Purpose: turns keys and values of one store into lines. Thread: one.
class Describer {
 public:
  std::string line(const std::string& family, std::string_view key, std::string_view value) {
    if (family == "meta") return meta(key, value);
    if (family == "blocks") return block(key, value);
    if (family == "metrics") return column(key, value);
    if (family == "returns" || family == "exposures") return panel(key, value);
    if (family == "points") return curves(key, value);
    if (family == "keys") return entry(key, value);
    if (family == "pending") return pending(key, value);
    if (family == "ledger") return ledger(key, value);
    if (family == "alarms") return alarm(key, value);
    return "what is this? " + hash128(value).hex();
  }

 private:
  using Place = std::pair<std::uint32_t, std::uint64_t>;

  static std::string text_of(std::uint64_t n) { return std::to_string(n); }
  static std::string place_of(std::string_view key) {
    return "sweep " + text_of(codec::sweep_of_key(key)) + " block " +
           text_of(codec::block_of_key(key));
  }
  template <class T>
  static std::string hash_of(const std::vector<T>& numbers) {
    return hash128({reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)})
        .hex();
  }
  static std::string plain(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) out += c >= ' ' && c <= '~' ? c : '.';
    return out;
  }
  static std::string joined(const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts) out += " | " + plain(text);
    return out;
  }

  std::string meta(std::string_view key, std::string_view value) const {
    if (key == "format") return "format: " + std::string(value);
    if (!key.starts_with("s/")) {
      return plain(key) + joined(must(codec::decode_texts(key, value)));
    }
    const codec::SweepRecord r = must(codec::decode_sweep(key, value));
    const SweepMeta& m = r.meta;
    return plain(key) + ": number " + text_of(r.number) + ", " + m.id + ", " + m.name + ", by " +
           m.user + ", " + std::string(sweep_state_name(m.state)) + ", " + text_of(m.trials) +
           " trials in " + text_of(m.blocks) + " blocks, from " + std::to_string(m.created.ns) +
           " to " + std::to_string(m.finished.ns) + ", engine " + text_of(m.engine_version) +
           ", code " + m.code_version + ", " + m.spec_json + joined(m.metric_names);
  }
  std::string block(std::string_view key, std::string_view value) {
    const codec::BlockHeader h = must(codec::decode_header(key, value));
    headers_[{codec::sweep_of_key(key), codec::block_of_key(key)}] = h;
    std::string status;
    for (const TrialStatus s : h.status) status += std::to_string(static_cast<int>(s));
    return place_of(key) + ": trial " + text_of(h.first_trial) + ", " + text_of(h.rows) +
           " rows, " + text_of(h.metric_count) + " metrics, " + text_of(h.periods) +
           " periods, entry " + text_of(h.ledger_entry) + ", content " + h.content.hex() + ", at " +
           std::to_string(h.committed.ns) + ", status " + (status.empty() ? "all ok" : status);
  }
  const codec::BlockHeader& header_of(std::string_view key) const {
    return headers_.at({codec::sweep_of_key(key), codec::block_of_key(key)});
  }
  std::string column(std::string_view key, std::string_view value) const {
    const codec::BlockHeader& h = header_of(key);
    const auto column = static_cast<unsigned>(static_cast<unsigned char>(key[4]) * 256 +
                                              static_cast<unsigned char>(key[5]));
    const std::string where = place_of(key) + " column " + text_of(column);
    if (column == codec::kErrorsColumn) {
      return where + joined(must(codec::decode_texts(key, value)));
    }
    if (column == codec::kTrialKeysColumn) {
      std::vector<TrialKey> keys;
      std::vector<std::uint64_t> hashes;
      must(codec::decode_trial_column(key, value, h.rows, keys, hashes));
      std::string bytes;
      for (const TrialKey& k : keys) bytes += k.hex();
      return where + ": keys " + hash128(bytes).hex() + ", row hashes " + hash_of(hashes);
    }
    return where + ": " +
           hash128(must(codec::decode_column(key, value, h.rows, sizeof(double)))).hex();
  }
  std::string panel(std::string_view key, std::string_view value) const {
    const codec::BlockHeader& h = header_of(key);
    std::vector<float> out(std::size_t{h.rows} * h.periods);
    must(codec::decode_panel(key, value, h.rows, h.periods, out));
    return place_of(key) + ": " + hash_of(out);
  }
  std::string curves(std::string_view key, std::string_view value) const {
    std::vector<double> out;
    const auto shape = must(codec::decode_points(key, value, header_of(key).rows, out));
    return place_of(key) + ": " + text_of(shape.metrics) + " metrics, " + text_of(shape.steps) +
           " steps, " + hash_of(out);
  }
  static std::string entry(std::string_view key, std::string_view value) {
    const codec::KeyEntry e = must(codec::decode_key_entry(key, value));
    return Hash128::from_bytes(key.data()).hex() + ": entry " + text_of(e.ledger_entry) +
           ", sweep " + text_of(e.sweep) + " block " + text_of(e.block) + " row " + text_of(e.row) +
           ", hash " + text_of(e.row_hash);
  }
  static std::string pending(std::string_view key, std::string_view value) {
    const codec::PendingBlock p = must(codec::decode_pending(key, value));
    std::string repeated;
    for (const std::uint32_t row : p.repeated_rows) repeated += " " + text_of(row);
    return text_of(codec::block_of_key(key)) + ": sweep " + text_of(p.sweep) + " block " +
           text_of(p.block) + ", " + text_of(p.rows) + " rows, entry " + text_of(p.ledger_entry) +
           ", repeated" + repeated;
  }
  static std::string ledger(std::string_view key, std::string_view value) {
    const codec::LedgerRecord r = must(codec::decode_ledger(key, value));
    const LedgerEntry& e = r.entry;
    return text_of(r.number) + ": " + e.dataset_hash + ", " + e.family + ", sweep " + e.sweep_id +
           ", by " + e.user + ", " + text_of(e.trials) + " trials, " + text_of(e.executions) +
           " executions, " + text_of(e.failed) + " failed, " + std::to_string(e.first.ns) + " to " +
           std::to_string(e.last.ns);
  }
  static std::string alarm(std::string_view key, std::string_view value) {
    const Alarm a = must(codec::decode_alarm(key, value));
    return text_of(codec::block_of_key(key)) + ": " + std::to_string(a.time.ns) + " " +
           plain(a.text);
  }

  std::map<Place, codec::BlockHeader> headers_;
};

}  // namespace

std::string describe_store(const std::filesystem::path& dir) {
  std::vector<std::string> there;
  rocksdb::Status status = rocksdb::DB::ListColumnFamilies({}, dir.string(), &there);
  EXPECT_TRUE(status.ok()) << status.ToString();
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : there) {
    families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  }
  rocksdb::DB* raw = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  status = rocksdb::DB::OpenForReadOnly({}, dir.string(), families, &handles, &raw);
  if (!status.ok()) {
    ADD_FAILURE() << status.ToString();
    return {};
  }
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::string out;
  Describer describer;
  // Headers come before the columns that need them: the families are in the order of their making.
  for (std::size_t f = 0; f < there.size(); ++f) {
    if (there[f] == "exposures") continue;  // younger than what is kept
    const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator({}, handles[f]));
    std::uint64_t values = 0;
    std::string lines;
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      // Younger as well, and of another id in every store.
      if (it->key().ToStringView().ends_with("ledgerbirth")) continue;
      ++values;
      lines +=
          describer.line(there[f], it->key().ToStringView(), it->value().ToStringView()) + '\n';
    }
    EXPECT_TRUE(it->status().ok()) << it->status().ToString();
    out += there[f] + ": " + std::to_string(values) + " values, " + hash128(lines).hex() + '\n';
    // Keys, columns and panels are many and say nothing to a reader.
    if (there[f] != "keys" && there[f] != "metrics" && there[f] != "returns") out += lines;
  }
  for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
  return out;
}

}  // namespace winnow::store
