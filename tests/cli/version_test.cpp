#include "cli/version.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>

#include "base/version.hpp"
#include "cli/commit.hpp"
#include "engine/engine.hpp"

namespace winnow::cli {
namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(Version, SaysWhichCodeThisIsAndWhatItRunsOn) {
  const auto json = version_json();
  EXPECT_EQ(json["version"], version());
  EXPECT_EQ(json["commit"], commit());
  EXPECT_EQ(json["engine_version"], engine::kEngineVersion);
  EXPECT_EQ(json["instruction_set"], engine::isa_name(engine::best_isa()));
  EXPECT_EQ(json["instruction_sets"][0], "scalar");
  EXPECT_EQ(json["instruction_sets"].back(), json["instruction_set"]);
  const std::string text = version_text();
  EXPECT_TRUE(text.starts_with("winnow " + std::string(version()) + " (commit ")) << text;
  for (const char* key : {"commit", "instruction_set"}) {
    EXPECT_NE(text.find(json[key].get<std::string>()), std::string::npos) << key;
  }
}

TEST(Version, StandsInOnePlace) {
  const fs::path root = WINNOW_SOURCE_DIR;
  const std::string description = read_text(root / "CMakeLists.txt");
  EXPECT_NE(description.find("project(winnow VERSION " + std::string(version()) + " "),
            std::string::npos);
  // Documents name the image that tools/image.sh builds of this version.
  const std::string readme = read_text(root / "README.md");
  const std::regex image("winnow:([0-9][0-9.]*[0-9])");
  for (std::sregex_iterator at(readme.begin(), readme.end(), image), end; at != end; ++at) {
    EXPECT_EQ((*at)[1].str(), version()) << "README.md names another image";
  }
}

/// A folder that may be a checkout, and the unit that the build makes of its commit.
class CommitUnit : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "winnow-commit-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    fs::create_directories(root_ / "code/inner");
  }
  void TearDown() override { fs::remove_all(root_); }

  int shell(const std::string& line) const {
    return std::system(("cd '" + (root_ / "code").string() + "' && (" + line + ") > '" +
                        (root_ / "said").string() + "' 2>&1")
                           .c_str());
  }
  std::string said() const {
    std::string text = read_text(root_ / "said");
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }
  fs::path unit() const { return root_ / "commit.cpp"; }
  /// What a build of `folder` would say.
  std::string built(const std::string& folder = ".", const std::string& more = "") const {
    EXPECT_EQ(shell("cmake -D ROOT=$PWD/" + folder + " -D OUTPUT='" + unit().string() + "' " +
                    more + " -P '" WINNOW_SOURCE_DIR "/cmake/Commit.cmake'"),
              0)
        << said();
    const std::string text = read_text(unit());
    const auto at = text.find("return \"");
    return at == std::string::npos ? text : text.substr(at + 8, text.find('"', at + 8) - at - 8);
  }
  /// Commits all there is. Returns the first twelve digits of the commit.
  std::string commit_all() const {
    const std::string git = "git -c user.name=a -c user.email=a@example.org ";
    EXPECT_EQ(shell(git + "add -A && " + git + "commit -q --allow-empty -m x"), 0) << said();
    EXPECT_EQ(shell("git rev-parse --short=12 HEAD"), 0) << said();
    return said();
  }

  fs::path root_;
};

TEST_F(CommitUnit, WithoutGitNobodyKnows) {
  EXPECT_EQ(built(), "unknown");
  EXPECT_EQ(built(".", "-D COMMIT=v1.2.3"), "v1.2.3");
  EXPECT_EQ(built(".", "-D 'COMMIT=\"; evil'"), "unknown");
}

TEST_F(CommitUnit, FollowsEachCommitAndSaysWhatWasChangedSince) {
  ASSERT_EQ(shell("git init -q . && echo 1 > file && echo 1 > inner/file"), 0) << said();
  const std::string first = commit_all();
  EXPECT_EQ(built(), first);
  EXPECT_EQ(built("inner"), "unknown") << "a folder in another's checkout";
  EXPECT_EQ(built(), first);
  ASSERT_EQ(shell("echo 2 > file"), 0);
  EXPECT_EQ(built(), first + "-dirty");
  const std::string second = commit_all();
  EXPECT_NE(second, first);
  EXPECT_EQ(built(), second);
  ASSERT_EQ(shell("git tag v1.0"), 0);
  EXPECT_EQ(built(), second) << "a mark without a name of its own is no release";
}

TEST_F(CommitUnit, IsWrittenOnlyWhenTheCommitIsAnother) {
  ASSERT_EQ(shell("git init -q ."), 0) << said();
  commit_all();
  built();
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(1);
  fs::last_write_time(unit(), old);
  built();
  EXPECT_EQ(fs::last_write_time(unit()), old) << "each build would compile and link again";
  commit_all();
  built();
  EXPECT_NE(fs::last_write_time(unit()), old);
}

}  // namespace
}  // namespace winnow::cli
