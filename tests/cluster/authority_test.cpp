#include "cluster/authority.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "cluster/certificate.hpp"
#include "tests/cluster/folder.hpp"

namespace winnow::cluster {
namespace {

namespace fs = std::filesystem;
const TimestampNs kNow = system_clock().now();

Authority make(const fs::path& home) {
  const Status made = Authority::init(home, "north", "farm.example:7700", kNow);
  EXPECT_TRUE(made);
  auto authority = Authority::open(home);
  EXPECT_TRUE(authority);
  return *authority;
}

TEST(Authority, KeepsAllItsFilesToItsOwner) {
  const Folder home;
  make(home.path);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(Authority::folder_of(home.path))) {
    struct stat info {};
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 6);
}

TEST(Authority, NeverWritesOverAnother) {
  const Folder home;
  make(home.path);
  const Status again = Authority::init(home.path, "south", "", kNow);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), ErrorCode::Refused);
  EXPECT_NE(again.error().text().find("rotate"), std::string::npos);
  EXPECT_EQ(Authority::open(home.path)->farm(), "north");
}

TEST(FaultF11, ACertificateThatIsNotValidYetIsKnownAsThat) {
  const Folder home;
  Authority authority = make(home.path);
  ASSERT_TRUE(authority.issue({.role = Role::Node, .name = "node-1", .door = ""}, kNow + days(3)));
  const auto all = authority.issued();
  ASSERT_TRUE(all);
  EXPECT_GT(all->back().valid_from, kNow + days(2));
  EXPECT_LE(all->front().valid_from, kNow);
  // A record of an earlier version says only when it ends.
  const fs::path file = Authority::folder_of(home.path) / "issued";
  std::ofstream(file) << "AB node old " << (kNow + days(9)).ns << " 1\n";
  EXPECT_EQ(authority.issued()->front().valid_from, TimestampNs{});
}

TEST(Authority, AnIdentitySurvivesItsFile) {
  const Folder home;
  Authority authority = make(home.path);
  const auto made = authority.issue({.role = Role::Node, .name = "node-1", .door = ""}, kNow);
  ASSERT_TRUE(made);
  const auto read = parse_identity(identity_text(*made), "text");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->farm, "north");
  EXPECT_EQ(read->role, Role::Node);
  EXPECT_EQ(read->name, "node-1");
  EXPECT_EQ(read->door, "farm.example:7700");
  EXPECT_EQ(read->serial, made->serial);
  EXPECT_EQ(read->key, made->key);
  EXPECT_EQ(read->authorities, made->authorities);
}

TEST(Authority, BrokenIdentityFilesAreRefusedWithAReason) {
  const Folder home;
  Authority authority = make(home.path);
  const auto made = authority.issue({.role = Role::Node, .name = "node-1", .door = ""}, kNow);
  ASSERT_TRUE(made);
  const std::string whole = identity_text(*made);
  for (std::size_t size = 0; size + 1 < whole.size(); size += 37) {
    const auto read = parse_identity(whole.substr(0, size), "cut");
    EXPECT_FALSE(read) << size;
    if (!read) {
      EXPECT_TRUE(read.error().text().starts_with("cut: ")) << read.error().text();
    }
  }
  Identity without_key = *made;
  without_key.key.clear();
  EXPECT_FALSE(parse_identity(identity_text(without_key), "f"));
}

TEST(Authority, RefusesNamesThatDoNotBelongInACertificate) {
  const Folder home;
  Authority authority = make(home.path);
  for (const char* name : {"", "a b", "../x", "-x", "a/b", "n\n", "\xc3\xa9"}) {
    EXPECT_FALSE(authority.issue({.role = Role::Node, .name = name, .door = ""}, kNow)) << name;
  }
  EXPECT_FALSE(
      authority.issue({.role = Role::Node, .name = std::string(64, 'a'), .door = ""}, kNow));
}

TEST(Authority, RevokesByNameAndBySerialNumber) {
  const Folder home;
  Authority authority = make(home.path);
  const auto a = authority.issue({.role = Role::Node, .name = "a", .door = ""}, kNow);
  const auto a2 = authority.issue({.role = Role::Node, .name = "a", .door = ""}, kNow);
  const auto b = authority.issue({.role = Role::Client, .name = "b", .door = ""}, kNow);
  ASSERT_TRUE(a && a2 && b);
  EXPECT_EQ(authority.revoke("a", kNow)->size(), 2u);
  EXPECT_EQ(authority.revoke(b->serial, kNow)->size(), 1u);
  const auto revoked = read_revoked(Authority::folder_of(home.path) / "revoked");
  ASSERT_TRUE(revoked);
  EXPECT_EQ(*revoked, (std::set<std::string>{a->serial, a2->serial, b->serial}));
  const auto again = authority.revoke("a", kNow);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), ErrorCode::NotFound);
  EXPECT_FALSE(authority.revoke("coordinator", kNow));
}

TEST(Authority, ARotationTrustsBothUntilItIsFinished) {
  const Folder home;
  Authority authority = make(home.path);
  const auto count = [](const std::string& pem) {
    std::size_t n = 0;
    for (auto at = pem.find("-----BEGIN"); at != std::string::npos;
         at = pem.find("-----BEGIN", at + 1)) {
      ++n;
    }
    return n;
  };
  ASSERT_TRUE(authority.rotate(kNow));
  EXPECT_FALSE(authority.rotate(kNow));
  auto during = authority.coordinator(kNow);
  ASSERT_TRUE(during);
  EXPECT_EQ(count(during->authorities), 2u);
  EXPECT_EQ(count(during->chain), 2u);  // with the link that the older authority signed
  ASSERT_TRUE(authority.finish_rotation(kNow));
  EXPECT_FALSE(authority.finish_rotation(kNow));
  auto after = authority.coordinator(kNow);
  ASSERT_TRUE(after);
  EXPECT_EQ(count(after->authorities), 1u);
  EXPECT_EQ(count(after->chain), 1u);
}

TEST(Authority, RenewsTheCoordinatorInTime) {
  const Folder home;
  Authority authority = make(home.path);
  const auto first = authority.coordinator(kNow);
  const auto same = authority.coordinator(kNow + days(100));
  const auto next = authority.coordinator(kNow + days(300));
  ASSERT_TRUE(first && same && next);
  EXPECT_EQ(first->serial, same->serial);
  EXPECT_NE(first->serial, next->serial);
}

}  // namespace
}  // namespace winnow::cluster
