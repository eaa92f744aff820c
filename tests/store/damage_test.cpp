#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

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

TEST(StoreVerify, FindsAFlippedByteInAnyFile) {
  TempDir dir;
  make_store(dir.path() / "whole");
  must(open_store(dir.path() / "whole", /*read_only=*/true)->verify(kSilent));
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(dir.path() / "whole")) {
    const auto kind = file.path().extension();
    if (kind == ".sst" || kind == ".blob") files.push_back(file.path().filename());
  }
  std::sort(files.begin(), files.end());
  ASSERT_GE(files.size(), 6u);
  const std::uint64_t seed = 5;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Rng rng(seed);
  for (const auto& file : files) {
    for (int flip = 0; flip < 2; ++flip) {
      const auto copy = dir.path() / "copy";
      std::filesystem::remove_all(copy);
      std::filesystem::copy(dir.path() / "whole", copy);
      // The last 53 bytes of a table are its footer, partly padding that no checksum covers.
      const std::uint64_t at = rng.below(std::filesystem::file_size(copy / file) - 53);
      flip_byte(copy / file, at);
      auto store = Store::open(copy, {.read_only = true});
      const Status found = store.ok() ? (*store)->verify(kSilent) : Status(store.error());
      ASSERT_FALSE(found.ok()) << file << " at " << at;
      EXPECT_EQ(found.error().code(), ErrorCode::Corrupt) << found.error().text();
      EXPECT_NE(found.error().text().find(copy.string()), std::string::npos)
          << found.error().text();
    }
  }
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
