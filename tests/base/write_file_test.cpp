#include "base/write_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

namespace winnow {
namespace {

namespace fs = std::filesystem;

/// A folder that goes away with the test.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("winnow-write-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() {
    std::error_code ec;
    fs::remove_all(path, ec);
  }
};

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

TEST(FaultD5, ALinkStaysAndItsTargetIsReplaced) {
  const Folder folder;
  fs::create_directories(folder.path / "kept");
  std::ofstream(folder.path / "kept" / "real") << "old";
  fs::create_symlink("kept/real", folder.path / "one");
  fs::create_symlink("one", folder.path / "two");
  ASSERT_TRUE(write_whole_file(folder.path / "two", "new"));
  EXPECT_TRUE(fs::is_symlink(folder.path / "two"));
  EXPECT_TRUE(fs::is_symlink(folder.path / "one"));
  EXPECT_EQ(content(folder.path / "kept" / "real"), "new");
  fs::create_symlink("kept/later", folder.path / "three");
  ASSERT_TRUE(write_whole_file(folder.path / "three", "made"));
  EXPECT_EQ(content(folder.path / "kept" / "later"), "made");
  fs::create_symlink("loop", folder.path / "loop");
  EXPECT_FALSE(write_whole_file(folder.path / "loop", "x"));
}

TEST(FaultD5, APipeIsWrittenThrough) {
  const Folder folder;
  const fs::path pipe = folder.path / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  ASSERT_TRUE(write_whole_file(pipe, "through"));
  char read[16] = {};
  EXPECT_EQ(::read(reader, read, sizeof read), 7);
  EXPECT_STREQ(read, "through");
  ::close(reader);
  EXPECT_TRUE(fs::is_fifo(pipe));
  std::ofstream(folder.path / "made") << "copy";
  const int again = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_TRUE(place_whole_file(folder.path / "made", pipe));
  EXPECT_EQ(::read(again, read, sizeof read), 4);
  ::close(again);
  EXPECT_FALSE(fs::exists(folder.path / "made"));
}

TEST(FaultD4, ADeviceThatTakesNothingIsAnErrorAndStaysADevice) {
  const Status written = write_whole_file("/dev/full", "text");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), ErrorCode::Io);
  EXPECT_NE(written.error().text().find("/dev/full"), std::string::npos);
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(FaultD5, AFileAppearsWholeAndKeepsItsPermissions) {
  const Folder folder;
  const fs::path file = folder.path / "file";
  std::ofstream(file) << "old";
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  ASSERT_TRUE(write_whole_file(file, "new"));
  EXPECT_EQ(content(file), "new");
  EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const Status folder_named = write_whole_file(folder.path, "x");
  ASSERT_FALSE(folder_named);
  EXPECT_EQ(folder_named.error().code(), ErrorCode::InvalidInput);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace winnow
