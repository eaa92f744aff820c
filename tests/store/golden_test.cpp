#include "golden_store.hpp"

#include <rocksdb/db.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "store/codec.hpp"
#include "store_fixture.hpp"

// A store that version 1 wrote is kept in tests/store/golden: whatever comes later reads it.
namespace winnow::store {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(WINNOW_SOURCE_DIR) / "tests" / "store" / "golden";
const auto kSilent = [](std::string_view) {};

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// The kept store, in a folder of its own below `dir`.
fs::path golden_copy(const TempDir& dir) {
  const std::string command =
      "tar -xzf '" + (kGolden / "store_v1.tar.gz").string() + "' -C '" + dir.path().string() + "'";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  return dir.path() / "store_v1";
}

/// What describe_store said of it.
std::string kept_text() { return read_file(kGolden / "store_v1.txt"); }

/// Names, lengths and contents of all files but RocksDB's words.
std::string files_of(const fs::path& dir) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = fs::relative(entry.path(), dir).string();
    if (name.starts_with("LOG") || name == "LOCK") continue;
    files[name] = hash128(read_file(entry.path())).hex();
  }
  std::string out;
  for (const auto& [name, hash] : files) out += name + " " + hash + "\n";
  return out;
}

/// What the store says through its own questions.
void expect_golden_answers(const Store& store) {
  const BlockShape narrow{.rows = 24, .metrics = 3, .periods = 5};
  for (std::uint64_t b = 0; b < 6; ++b) expect_stored(store, "grid", make_block(1, b, narrow));
  for (std::uint64_t b = 0; b < 2; ++b) {
    expect_stored(store, "again", make_block(1, b, narrow));
    expect_stored(store, "panels", make_block(10, b, {.rows = 20, .metrics = 2, .periods = 120}));
  }
  expect_stored(store, "back", make_block(41, 0, narrow));
  EXPECT_EQ(must(store.committed("gone", 2)), std::vector<bool>(2, false));
  EXPECT_EQ(must(store.sweep("gone"))->state, SweepState::Deleted);
  EXPECT_EQ(must(store.sweep("grid"))->state, SweepState::Done);
  EXPECT_EQ(must(store.sweeps()).size(), 8u);
  const auto curves = must(store.read_block("curves", 1, {.points = true}));
  EXPECT_EQ(curves.point_metrics, 2u);
  EXPECT_EQ(curves.points.size(), 2u * 8 * 24);
  const auto cut = must(store.read_block("cut", 0, {.keys = true, .metrics = true}));
  EXPECT_EQ(std::count(cut.status.begin(), cut.status.end(), TrialStatus::Cut), 1);
  const auto alarms = must(store.alarms());
  ASSERT_EQ(alarms.size(), 1u);
  EXPECT_NE(alarms[0].text.find("block 3 of sweep grid"), std::string::npos) << alarms[0].text;
  EXPECT_EQ(must(store.document("convergence", "grid/family")), "{\"score\":0.5}");
  EXPECT_EQ(must(store.document("look", "gone/0")), "{\"n\":3}");
  EXPECT_EQ(must(store.document("generation", "gone/0/0")), std::nullopt);
  const TrialKey keys[] = {key_of(1, 30), key_of(40, 3), key_of(99, 1)};
  const auto places = must(store.find(keys));
  ASSERT_TRUE(places[0].has_value());
  EXPECT_EQ(places[0]->sweep_id, "grid");
  EXPECT_EQ(places[0]->trial, 30u);
  EXPECT_FALSE(places[1].has_value());
  EXPECT_FALSE(places[2].has_value());
  std::uint64_t trials = 0;
  std::uint64_t executions = 0;
  for (const LedgerCount& line : must(store.ledger())) {
    trials += line.trials;
    executions += line.executions;
  }
  // grid, panels, flat, curves, cut, gone, back; again repeats 48 of grid's, back 24 of its own.
  EXPECT_EQ(trials, 6u * 24 + 2 * 20 + 20 + 3 * 24 + 16 + 2 * 24 + 2 * 24);
  EXPECT_EQ(executions, trials + 48 + 24);
  const Status whole = store.verify(kSilent);
  EXPECT_TRUE(whole.ok()) << whole.error().text();
}

/// Opens a closed store behind the store's back.
void with_database(
    const fs::path& dir,
    const std::function<void(rocksdb::DB&, std::map<std::string, rocksdb::ColumnFamilyHandle*>&)>&
        how) {
  std::vector<std::string> names;
  ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, dir.string(), &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const auto& name : names) {
    rocksdb::ColumnFamilyOptions options;
    if (name == "keys") options.compaction_style = rocksdb::kCompactionStyleUniversal;
    families.emplace_back(name, options);
  }
  rocksdb::DB* raw = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const auto status = rocksdb::DB::Open({}, dir.string(), families, &handles, &raw);
  ASSERT_TRUE(status.ok()) << status.ToString();
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::map<std::string, rocksdb::ColumnFamilyHandle*> by_name;
  for (std::size_t i = 0; i < names.size(); ++i) by_name[names[i]] = handles[i];
  how(*db, by_name);
  for (const auto& [name, handle] : by_name) db->DestroyColumnFamilyHandle(handle);
}

/// Every key and value by family, undecoded, as a hash each.
std::string raw_content(const fs::path& dir) {
  std::string out;
  with_database(dir, [&](rocksdb::DB& db, auto& families) {
    for (const auto& [name, handle] : families) {
      KeyHasher content(name);
      const std::unique_ptr<rocksdb::Iterator> it(db.NewIterator({}, handle));
      for (it->SeekToFirst(); it->Valid(); it->Next()) {
        content.add(it->key().ToStringView()).add(it->value().ToStringView());
      }
      EXPECT_TRUE(it->status().ok()) << it->status().ToString();
      out += name + " " + content.finish().hex() + "\n";
    }
  });
  return out;
}

/// The text of opening `dir` in either way, which must fail alike and change nothing: RocksDB may
/// write its logs out when a writer looks, but what they say stays.
Error refusal_of(const fs::path& dir) {
  const std::string before = raw_content(dir);
  const auto reader = Store::open(dir, {.read_only = true});
  const auto writer = Store::open(dir);
  EXPECT_FALSE(reader.ok());
  EXPECT_FALSE(writer.ok());
  EXPECT_EQ(raw_content(dir), before) << "a store that was refused is another one now";
  if (reader.ok() || writer.ok()) return Error(ErrorCode::Internal, "it opened");
  EXPECT_EQ(reader.error().code(), writer.error().code()) << reader.error().text() << "\n"
                                                          << writer.error().text();
  return writer.error();
}

TEST(GoldenStore, ReadsAsItWasWritten) {
  const TempDir dir;
  const fs::path store = golden_copy(dir);
  const std::string before = files_of(store);
  EXPECT_EQ(describe_store(store), kept_text());
  expect_golden_answers(*open_store(store, /*read_only=*/true));
  EXPECT_EQ(files_of(store), before) << "reading changed a file";
}

TEST(GoldenStore, WriterTakesItOverWithoutLoss) {
  const TempDir dir;
  const fs::path folder = golden_copy(dir);
  {
    auto store = open_store(folder);
    expect_golden_answers(*store);
    must(store->backup(dir.path() / "backup"));
  }
  EXPECT_EQ(describe_store(folder), kept_text());
  expect_golden_answers(*open_store(dir.path() / "backup", true));
  {
    auto store = open_store(folder);
    must(store->compact());
    expect_golden_answers(*store);
    // It goes on: known trials are repeats, the deleted sweep runs again, new ones count.
    const BlockShape narrow{.rows = 24, .metrics = 3, .periods = 5};
    const ResultBlock again = make_block(41, 1, narrow);
    must(store->put_sweep(make_sweep("back", 2, narrow)));
    EXPECT_EQ(commit_one(*store, commit_of("back", again)).trials_new_to_ledger, 0u);
    EXPECT_EQ(commit_one(*store, commit_of("back", again)).kind, CommitKind::Duplicate);
    must(store->put_sweep(make_sweep("new", 1, narrow)));
    const ResultBlock fresh = make_block(77, 0, narrow);
    EXPECT_EQ(commit_one(*store, commit_of("new", fresh)).trials_new_to_ledger, 24u);
    must(store->delete_sweep("curves", {"ann", kNow, {}}));
    must(store->verify(kSilent));
  }
  auto store = open_store(folder, true);
  must(store->verify(kSilent));
  expect_stored(*store, "new", make_block(77, 0, {.rows = 24, .metrics = 3, .periods = 5}));
}

// What today's code writes is what version 1 wrote, value by value.
TEST(GoldenStore, IsWrittenTheSameToday) {
  const TempDir dir;
  make_golden_store(dir.path() / "today");
  EXPECT_EQ(describe_store(dir.path() / "today"), kept_text());
}

TEST(GoldenStore, YoungerFormatIsRefusedByName) {
  const TempDir dir;
  const fs::path store = golden_copy(dir);
  with_database(store, [](rocksdb::DB& db, auto& families) {
    ASSERT_TRUE(db.Put({}, families["meta"], "format", "winnow-store 2").ok());
  });
  const Error error = refusal_of(store);
  EXPECT_EQ(error.code(), ErrorCode::Refused);
  for (const std::string& part :
       {store.string(), std::string("'winnow-store 2'"), std::string("reads 'winnow-store 1'")}) {
    EXPECT_NE(error.text().find(part), std::string::npos) << error.text();
  }
}

TEST(GoldenStore, ValueOfAYoungerVersionIsNamed) {
  const TempDir dir;
  const fs::path folder = golden_copy(dir);
  with_database(folder, [](rocksdb::DB& db, auto& families) {
    const std::unique_ptr<rocksdb::Iterator> it(db.NewIterator({}, families["ledger"]));
    it->SeekToFirst();
    ASSERT_TRUE(it->Valid());
    const std::string key = it->key().ToString();
    std::string value = it->value().ToString();
    value[0] = 2;
    const std::string_view body(value.data(), value.size() - codec::kChecksumBytes);
    const std::uint32_t sum = codec::checksum(key, {&body, 1});
    std::memcpy(value.data() + body.size(), &sum, sizeof sum);
    ASSERT_TRUE(db.Put({}, families["ledger"], key, value).ok());
  });
  const Error error = refusal_of(folder);
  for (const char* part : {"ledger entry 0", "format version 2", "reads version 1"}) {
    EXPECT_NE(error.text().find(part), std::string::npos) << error.text();
  }
}

TEST(GoldenStore, UnknownFamilyIsRefusedByName) {
  const TempDir dir;
  const fs::path store = golden_copy(dir);
  with_database(store, [](rocksdb::DB& db, auto& families) {
    ASSERT_TRUE(db.CreateColumnFamily({}, "verdicts", &families["verdicts"]).ok());
  });
  const Error error = refusal_of(store);
  EXPECT_EQ(error.code(), ErrorCode::Refused);
  for (const std::string& part :
       {store.string(), std::string("'verdicts'"), std::string("meta, blocks, metrics")}) {
    EXPECT_NE(error.text().find(part), std::string::npos) << error.text();
  }
}

// RocksDB would make it anew, empty, and the ledger would have forgotten.
TEST(GoldenStore, MissingFamilyIsNamedAndNotMadeAnew) {
  for (const char* family :
       {"meta", "blocks", "metrics", "returns", "keys", "ledger", "alarms", "pending"}) {
    const TempDir dir;
    const fs::path store = golden_copy(dir);
    with_database(store, [&](rocksdb::DB& db, auto& families) {
      ASSERT_TRUE(db.DropColumnFamily(families[family]).ok());
    });
    const Error error = refusal_of(store);
    EXPECT_EQ(error.code(), ErrorCode::Corrupt) << error.text();
    EXPECT_NE(error.text().find("lacks the column families " + std::string(family) + ";"),
              std::string::npos)
        << error.text();
  }
}

// A process that died while it made the store has lost nothing: nothing was there.
TEST(GoldenStore, HalfMadeStoreIsFinished) {
  const TempDir dir;
  const fs::path folder = dir.path() / "half";
  {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, folder.string(), &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    for (const char* name : {"meta", "blocks"}) {
      rocksdb::ColumnFamilyHandle* handle = nullptr;
      ASSERT_TRUE(db->CreateColumnFamily({}, name, &handle).ok());
      db->DestroyColumnFamilyHandle(handle);
    }
  }
  // Whoever only reads finds no store yet; who comes next to write finishes it.
  const auto reader = Store::open(folder, {.read_only = true});
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().code(), ErrorCode::NotFound) << reader.error().text();
  auto store = open_store(folder);
  must(store->put_sweep(make_sweep("s", 1)));
  const ResultBlock block = make_block(1, 0);
  EXPECT_EQ(commit_one(*store, commit_of("s", block)).kind, CommitKind::Fresh);
  must(store->verify(kSilent));
}

}  // namespace
}  // namespace winnow::store
