#include "cluster/array_invites.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>
#include <optional>
#include <set>

#include "cluster/authority.hpp"
#include "tests/cluster/folder.hpp"

namespace winnow::cluster {
namespace {

namespace fs = std::filesystem;
const TimestampNs kNow = system_clock().now();

unsigned mode_of(const fs::path& at) {
  struct stat info {};
  EXPECT_EQ(::stat(at.c_str(), &info), 0) << at;
  return info.st_mode & 0777u;
}

class ArrayInvitesTest : public ::testing::Test {
 protected:
  ArrayInvitesTest() {
    EXPECT_TRUE(Authority::init(home_.path, "north", "farm.example:7700", kNow));
    authority_.emplace(*Authority::open(home_.path));
  }
  Status invite(const std::string& name, std::uint32_t nodes) {
    return invite_array(*authority_, {.name = name, .nodes = nodes, .folder = folder()}, kNow);
  }
  fs::path folder() const { return home_.path / "shared" / "of all nodes"; }
  fs::path file(std::uint32_t n) const { return folder() / array_identity(std::to_string(n)); }
  /// Names of nodes, each with how many of its certificates are valid.
  std::map<std::string, int> valid() const {
    std::map<std::string, int> out;
    const auto all = authority_->issued();
    for (const Issued& one : *all) {
      if (one.role == Role::Node) out[one.name] += one.revoked ? 0 : 1;
    }
    return out;
  }
  Folder home_;
  std::optional<Authority> authority_;
};

TEST_F(ArrayInvitesTest, EachNodeHasItsOwnInAFolderOfItsOwners) {
  const Status made = invite("slurm", 3);
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(mode_of(folder()), 0700u);
  std::set<std::string> serials;
  for (std::uint32_t n = 1; n <= 3; ++n) {
    EXPECT_EQ(mode_of(file(n)), 0600u);
    const auto identity = read_identity(file(n));
    ASSERT_TRUE(identity) << identity.error().text();
    EXPECT_EQ(identity->name, "slurm-" + std::to_string(n));
    EXPECT_EQ(identity->role, Role::Node);
    EXPECT_EQ(identity->door, "farm.example:7700");
    serials.insert(identity->serial);
  }
  EXPECT_EQ(serials.size(), 3u);
}

TEST_F(ArrayInvitesTest, EarlierOnesOfTheNameAreRevokedAndOthersStay) {
  ASSERT_TRUE(authority_->issue({.role = Role::Node, .name = "slurm-a", .door = ""}, kNow));
  ASSERT_TRUE(invite("night", 1));
  ASSERT_TRUE(invite("slurm", 3));
  const std::string first = read_identity(file(1))->serial;
  ASSERT_TRUE(invite("slurm", 2));
  EXPECT_NE(read_identity(file(1))->serial, first);
  EXPECT_EQ(valid(),
            (std::map<std::string, int>{
                {"night-1", 1}, {"slurm-1", 1}, {"slurm-2", 1}, {"slurm-3", 0}, {"slurm-a", 1}}));
  EXPECT_FALSE(fs::exists(file(3))) << "a revoked identity is left lying about";
}

TEST_F(ArrayInvitesTest, KeysAreNotPutWhereOthersCanEnter) {
  fs::create_directories(folder());
  fs::permissions(folder(), fs::perms::owner_all | fs::perms::group_exec);
  const Status made = invite("slurm", 1);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), ErrorCode::Refused);
  EXPECT_NE(made.error().text().find("chmod 700"), std::string::npos) << made.error().text();
  EXPECT_TRUE(valid().empty()) << "one was made for nobody";
  EXPECT_FALSE(fs::exists(file(1)));
}

TEST_F(ArrayInvitesTest, ANameThatIsNoneIsRefused) {
  const Status made = invite("../up", 1);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), ErrorCode::InvalidInput);
}

}  // namespace
}  // namespace winnow::cluster
