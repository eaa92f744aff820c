#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>

#include "store/high_water.hpp"
#include "store_fixture.hpp"

namespace winnow::store {
namespace {

const auto kSilent = [](std::string_view) {};

void flip_byte(const std::filesystem::path& path, std::uint64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ 0x40));
}

// A closed store whose data lies in table and blob files.
void make_store(const std::filesystem::path& dir) {
  const BlockShape shape{.rows = 48, .metrics = 4, .periods = 60};
  auto store = open_store(dir);
  must(store->put_sweep(make_sweep("s", 12, shape)));
  must(store->put_document("report", "s", "{}"));
  for (std::uint64_t b = 0; b < 12; ++b) {
    const ResultBlock block = make_block(1, b, shape);
    commit_one(*store, commit_of("s", block));
  }
  must(store->compact());
}

// All that a store says of its contents, bit for bit; or why it cannot.
Result<std::string> all_of(const Store& store, std::uint64_t blocks) {
  std::string out;
  auto sweeps = store.sweeps();
  if (!sweeps) return sweeps.error();
  for (const SweepMeta& meta : *sweeps) out += meta.id + ' ' + meta.spec_json + '\n';
  for (std::uint64_t b = 0; b < blocks; ++b) {
    auto block = store.read_block("s", b, {.keys = true, .metrics = true, .returns = true});
    if (!block) return block.error();
    out += block->content_hash().hex() + '\n';
  }
  auto ledger = store.ledger_entries();
  if (!ledger) return ledger.error();
  for (const LedgerEntry& e : *ledger) {
    out += e.family + ' ' + std::to_string(e.trials) + ' ' + std::to_string(e.executions) + '\n';
  }
  auto document = store.document("report", "s");
  if (!document) return document.error();
  return out + document->value_or("none");
}

// A store as a power cut leaves it: older blocks in table and blob files, newer ones in the log.
constexpr std::uint64_t kCutBlocks = 20;
void make_cut_store(const std::filesystem::path& dir) {
  const auto alive = std::filesystem::path(dir.string() + "-alive");
  make_store(alive);
  const BlockShape shape{.rows = 48, .metrics = 4, .periods = 60};
  auto store = open_store(alive);
  must(store->put_sweep(make_sweep("s", kCutBlocks, shape)));
  for (std::uint64_t b = 12; b < kCutBlocks; ++b) {
    const ResultBlock block = make_block(1, b, shape);
    commit_one(*store, commit_of("s", block));
  }
  std::filesystem::copy(alive, dir, std::filesystem::copy_options::recursive);
}

/// What opening, verifying and reading a copy of `whole` with one byte changed comes to: empty if
/// the damage was found, or if it changes nothing that the store says.
std::string missed(const std::filesystem::path& whole, const std::filesystem::path& copy,
                   const std::filesystem::path& file, std::uint64_t at, const std::string& before) {
  std::filesystem::remove_all(copy);
  std::filesystem::copy(whole, copy, std::filesystem::copy_options::recursive);
  flip_byte(copy / file, at);
  // A writer replays the logs, and deletes them; tables it reads as a reader does.
  const std::string extension = file.extension().string();
  const bool table = extension == ".sst" || extension == ".blob";
  std::string out;
  for (const bool read_only : {true, false}) {
    if (table && !read_only) break;
    auto store = Store::open(copy, {.read_only = read_only});
    if (!store.ok() || !(*store)->verify(kSilent).ok()) continue;
    const auto after = all_of(**store, kCutBlocks);
    if (after.ok() && *after == before) continue;
    out += file.string() + " at " + std::to_string(at) + (read_only ? ", read-only: " : ": ") +
           (after.ok() ? "another content" : after.error().text()) + "\n";
  }
  return out;
}

TEST(StoreVerify, FindsAFlippedByteInEveryKindOfFile) {
  TempDir dir;
  const auto whole = dir.path() / "whole";
  make_cut_store(whole);
  std::string before;
  {
    auto store = open_store(whole, /*read_only=*/true);
    must(store->verify(kSilent));
    before = must(all_of(*store, kCutBlocks));
  }
  const std::uint64_t seed = 5;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Rng rng(seed);
  std::map<std::string, int> kinds;
  for (const auto& entry : std::filesystem::directory_iterator(whole)) {
    const auto file = entry.path().filename();
    const std::uint64_t bytes = entry.file_size();
    if (bytes == 0) continue;  // locks
    const std::string name = file.string();
    const bool numbered = name.front() >= '0' && name.front() <= '9';
    kinds[numbered ? file.extension().string() : name.substr(0, name.find('-'))] += 1;
    for (int flip = 0; flip < 2; ++flip) {
      EXPECT_EQ(missed(whole, dir.path() / "copy", file, rng.below(bytes), before), "");
    }
  }
  for (const char* kind : {".sst", ".blob", ".log", "MANIFEST", "CURRENT", "IDENTITY", "OPTIONS"}) {
    EXPECT_GT(kinds[kind], 0) << kind;
  }
}

/// What a reader says of a copy of `whole` with one byte changed: why it opens or verifies no more;
/// empty if it says all that it said before.
std::string verdict(const std::filesystem::path& whole, const std::filesystem::path& copy,
                    const std::filesystem::path& file, std::uint64_t at,
                    const std::string& before) {
  std::filesystem::remove_all(copy);
  std::filesystem::copy(whole, copy, std::filesystem::copy_options::recursive);
  flip_byte(copy / file, at);
  const auto store = Store::open(copy, {.read_only = true});
  if (!store.ok()) return store.error().text();
  if (const Status whole_still = (*store)->verify(kSilent); !whole_still.ok()) {
    return whole_still.error().text();
  }
  const auto after = all_of(**store, kCutBlocks);
  return after.ok() && *after == before ? "" : "another content, and nobody noticed";
}

// Who finds damage must also be told where: the file's name is in the text. Files that the store
// does not read are harmless, whatever is in them.
TEST(StoreVerify, NamesTheFileThatIsDamaged) {
  TempDir dir;
  const auto whole = dir.path() / "whole";
  make_cut_store(whole);
  const std::string before = must(all_of(*open_store(whole, /*read_only=*/true), kCutBlocks));
  const std::uint64_t seed = 11;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Rng rng(seed);
  std::map<std::string, int> kinds;
  for (const auto& entry : std::filesystem::directory_iterator(whole)) {
    const auto file = entry.path().filename();
    const std::string name = file.string();
    const std::uint64_t bytes = entry.is_regular_file() ? entry.file_size() : 0;
    // Two files of a kind are enough.
    if (bytes == 0 || ++kinds[file.extension().string()] > (file.has_extension() ? 2 : 100)) {
      continue;
    }
    // A mark that is damaged claims nothing; what it would have said is in the store itself.
    const bool unread = name.starts_with("OPTIONS") || name == "IDENTITY" ||
                        name.starts_with("LOG") || name == HighWater::kFileName;
    int found = 0;
    const int flips = unread ? 1 : 5;
    for (int flip = 0; flip < flips; ++flip) {
      const std::uint64_t at = rng.below(bytes);
      const std::string text = verdict(whole, dir.path() / "copy", file, at, before);
      if (text.empty()) continue;  // such bytes there are: a table's unused ones
      ++found;
      EXPECT_NE(text.find(name), std::string::npos) << name << " at " << at << ": " << text;
    }
    std::printf("%-20s %8llu bytes: %d of %d flips found\n", name.c_str(),
                static_cast<unsigned long long>(bytes), found, flips);
    EXPECT_EQ(found == 0, unread) << name;
  }
}

// RocksDB takes a late record with a wrong length or type for one that was never finished.
TEST(StoreVerify, FindsAWrongLengthOrTypeInTheLastRecordsOfALog) {
  TempDir dir;
  const auto whole = dir.path() / "whole";
  make_cut_store(whole);
  const std::string before = must(all_of(*open_store(whole, /*read_only=*/true), kCutBlocks));
  int heads = 0;
  for (const auto& entry : std::filesystem::directory_iterator(whole)) {
    const auto file = entry.path().filename();
    const bool manifest = file.string().rfind("MANIFEST-", 0) == 0;
    if (!manifest && file.extension() != ".log") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    // Records [checksum: 4][length: 2][type: 1][payload] in blocks of 32 KiB.
    std::vector<std::uint64_t> starts;
    for (std::size_t at = 0; at + 7 <= bytes.size();) {
      const std::size_t room = 32768 - at % 32768;
      if (room < 7) {
        at += room;
        continue;
      }
      starts.push_back(at);
      at += 7 + static_cast<unsigned char>(bytes[at + 4]) +
            256 * std::size_t{static_cast<unsigned char>(bytes[at + 5])};
    }
    // The last ones, which nothing follows, are the ones that matter.
    const std::size_t first = starts.size() > 2 ? starts.size() - 2 : 0;
    for (std::size_t i = first; i < starts.size(); ++i) {
      for (const std::uint64_t byte : {4, 5, 6}) {
        EXPECT_EQ(missed(whole, dir.path() / "copy", file, starts[i] + byte, before), "");
      }
      ++heads;
    }
  }
  EXPECT_GE(heads, 4);
}

// A record that was not finished is no damage: what was acknowledged before it is there.
TEST(StoreVerify, TakesAnUnfinishedLastRecordForWhatItIs) {
  TempDir dir;
  const auto whole = dir.path() / "whole";
  make_cut_store(whole);
  int cuts = 0;
  for (const auto& entry : std::filesystem::directory_iterator(whole)) {
    if (entry.path().extension() != ".log" || entry.file_size() == 0) continue;
    for (const std::uint64_t missing : {1, 200, 5000}) {
      const auto copy = dir.path() / "copy";
      std::filesystem::remove_all(copy);
      std::filesystem::copy(whole, copy, std::filesystem::copy_options::recursive);
      std::filesystem::resize_file(copy / entry.path().filename(), entry.file_size() - missing);
      // Not finished is not acknowledged: the mark is still that of before (F6).
      std::filesystem::remove(copy / HighWater::kFileName);
      must(open_store(copy, /*read_only=*/true)->verify(kSilent));
      auto store = open_store(copy);
      must(store->verify(kSilent));
      EXPECT_TRUE(must(store->committed("s", kCutBlocks))[kCutBlocks - 2]);
      EXPECT_FALSE(must(store->committed("s", kCutBlocks))[kCutBlocks - 1]);
      ++cuts;
    }
  }
  EXPECT_EQ(cuts, 3);
}

TEST(StoreVerify, NamesItsSteps) {
  TempDir dir;
  make_store(dir.path());
  std::string steps;
  must(open_store(dir.path())->verify([&](std::string_view step) {
    steps.append(step).append("; ");
  }));
  EXPECT_NE(steps.find("12 blocks, 576 trials verified"), std::string::npos) << steps;
  EXPECT_NE(steps.find("576 trial keys verified"), std::string::npos) << steps;
}

TEST(StoreBackup, IsAStoreOfItsOwn) {
  TempDir dir;
  const auto source = dir.path() / "s";
  make_store(source);
  const auto copy = dir.path() / "backup";
  auto store = open_store(source);
  const BlockShape shape{.rows = 48, .metrics = 4, .periods = 60};
  must(store->put_sweep(make_sweep("t", 2, shape)));
  const ResultBlock before = make_block(8, 0, shape);
  const ResultBlock after = make_block(8, 1, shape);
  commit_one(*store, commit_of("t", before));
  must(store->backup(copy));
  commit_one(*store, commit_of("t", after));
  EXPECT_EQ(store->backup(copy).error().code(), ErrorCode::InvalidInput);
  {
    auto other = open_store(copy);
    must(other->verify(kSilent));
    expect_stored(*other, "t", before);
    EXPECT_FALSE(must(other->committed("t", 2))[1]);
    EXPECT_EQ(must(other->ledger()).at(0).trials, 13u * 48);
    commit_one(*other, commit_of("t", after));
  }
  const auto restored = dir.path() / "restored";
  must(Store::restore(copy, restored));
  EXPECT_EQ(Store::restore(copy, restored).error().code(), ErrorCode::InvalidInput);
  EXPECT_EQ(Store::restore(dir.path() / "nothing", dir.path() / "r2").error().code(),
            ErrorCode::NotFound);
  auto other = open_store(restored);
  must(other->verify(kSilent));
  expect_stored(*other, "t", after);
  must(store->verify(kSilent));
}

// A file system of its own in memory, if the test may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(const std::filesystem::path& at) : at_(at) {
    std::filesystem::create_directories(at);
    mounted_ = ::mount("tmpfs", at.c_str(), "tmpfs", 0, "size=48m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }

 private:
  std::filesystem::path at_;
  bool mounted_ = false;
};

TEST(StoreDisk, FullDiskLosesNothingAndWorkGoesOnAfterwards) {
  TempDir dir;
  const auto disk_dir = dir.path() / "disk";
  SmallDisk disk(disk_dir);
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small tmpfs needs root";
  const auto ballast = disk_dir / "ballast";
  std::ofstream(ballast) << std::string(std::size_t{28} << 20, 'b');
  const BlockShape shape{.rows = 256, .metrics = 4, .periods = 300};
  std::vector<std::uint64_t> acknowledged;
  std::uint64_t next = 0;
  StoreOptions options;
  options.index_run_keys = 2000;
  {
    auto store = must(Store::open(disk_dir / "s", options));
    must(store->put_sweep(make_sweep("s", 1000, shape)));
    const auto commit_next = [&]() -> Status {
      const ResultBlock block = make_block(1, next, shape);
      const BlockCommit commit = commit_of("s", block);
      auto outcome = store->commit({&commit, 1}, kNow);
      if (!outcome.ok()) return outcome.error();
      EXPECT_EQ(outcome->at(0).kind, CommitKind::Fresh);
      acknowledged.push_back(next++);
      return {};
    };
    Status full;
    while (full.ok() && next < 1000) full = commit_next();
    ASSERT_FALSE(full.ok());
    EXPECT_EQ(full.error().code(), ErrorCode::Io) << full.error().text();
    EXPECT_NE(full.error().text().find("full"), std::string::npos) << full.error().text();
    EXPECT_GT(acknowledged.size(), 5u);
    EXPECT_EQ(commit_next().error().code(), ErrorCode::Io);  // still full, still said so
    for (std::uint64_t b : acknowledged) expect_stored(*store, "s", make_block(1, b, shape));
    // Room for what waits in memory, which goes to table files before the log may go on.
    std::filesystem::remove(ballast);
    const std::size_t before = acknowledged.size();
    for (int i = 0; i < 8; ++i) must(commit_next());
    EXPECT_EQ(acknowledged.size(), before + 8);
    // What a power cut at this moment would leave.
    std::filesystem::copy(disk_dir / "s", dir.path() / "cut",
                          std::filesystem::copy_options::recursive);
  }
  for (const auto& path : {dir.path() / "cut", disk_dir / "s"}) {
    auto store = open_store(path);
    must(store->verify(kSilent));
    for (std::uint64_t b : acknowledged) expect_stored(*store, "s", make_block(1, b, shape));
    EXPECT_EQ(must(store->ledger()).at(0).trials, acknowledged.size() * shape.rows);
  }
}

}  // namespace
}  // namespace winnow::store
