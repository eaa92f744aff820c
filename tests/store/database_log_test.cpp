#include "store/database_log.hpp"

#include <fstream>

#include "store_fixture.hpp"

namespace winnow::store {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(DatabaseLog, KeepsWarningsAndErrorsOnly) {
  TempDir dir;
  const auto log = database_log(dir.path());
  rocksdb::Log(rocksdb::InfoLogLevel::INFO_LEVEL, log, "quiet %d", 1);
  rocksdb::Log(rocksdb::InfoLogLevel::WARN_LEVEL, log, "loud %d", 2);
  const std::string text = text_of(dir.path() / "LOG");
  EXPECT_EQ(text.find("quiet"), std::string::npos);
  EXPECT_NE(text.find("warning loud 2\n"), std::string::npos) << text;
}

TEST(DatabaseLog, TurnsOverAndKeepsOneOldFile) {
  TempDir dir;
  const auto log = database_log(dir.path());
  const std::string line(1500, 'x');
  for (int i = 0; i < 8000; ++i) {
    rocksdb::Log(rocksdb::InfoLogLevel::WARN_LEVEL, log, "%s", line.c_str());
  }
  constexpr std::uintmax_t kMost = (std::uintmax_t{4} << 20) + 4096;
  EXPECT_LE(std::filesystem::file_size(dir.path() / "LOG"), kMost);
  EXPECT_LE(std::filesystem::file_size(dir.path() / "LOG.old"), kMost);
}

// The store goes on where its log finds a full disk.
TEST(DatabaseLog, LinesThatMeetAFullDiskAreDropped) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  TempDir dir;
  std::filesystem::create_symlink("/dev/full", dir.path() / "LOG");
  const auto log = database_log(dir.path());
  for (int i = 0; i < 100; ++i) rocksdb::Log(rocksdb::InfoLogLevel::ERROR_LEVEL, log, "%d", i);
  auto store = open_store(dir.path());
  must(store->put_sweep(make_sweep("s", 1)));
  EXPECT_EQ(commit_one(*store, commit_of("s", make_block(1, 0))).kind, CommitKind::Fresh);
}

TEST(DatabaseLog, ReadersLeaveNone) {
  TempDir dir;
  (void)open_store(dir.path());
  std::filesystem::remove(dir.path() / "LOG");
  (void)open_store(dir.path(), /*read_only=*/true);
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "LOG"));
}

}  // namespace
}  // namespace winnow::store
