// The house rules hold in this checkout: tests/house/rooms.txt says what they are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "tests/house/rules.hpp"

namespace winnow::house {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class House : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const fs::path root = WINNOW_SOURCE_DIR;
    tree_ = read_tree(root);
    rules_ = read_rules(read_file(root / "tests/house/rooms.txt"));
    Findings all;
    const auto exceptions = read_exceptions(read_file(root / "tests/house/allowed.txt"), all);
    for (const SourceFile& file : tree_) {
      const Findings found = check_all(file, rules_);
      all.insert(all.end(), found.begin(), found.end());
    }
    const Contracts contracts = read_contracts(read_file(root / "tests/house/contracts.txt"), all);
    const Findings broken = check_contracts(tree_, contracts, rules_);
    all.insert(all.end(), broken.begin(), broken.end());
    findings_ = apply_exceptions(all, exceptions);
  }

  static void expect_none(const std::vector<std::string>& names) {
    for (const Finding& finding : findings_) {
      if (std::find(names.begin(), names.end(), finding.rule) != names.end()) {
        ADD_FAILURE() << finding.text();
      }
    }
  }

  static std::vector<SourceFile> tree_;
  static Rules rules_;
  static Findings findings_;
};

std::vector<SourceFile> House::tree_;
Rules House::rules_;
Findings House::findings_;

TEST_F(House, RulesAreReadableAndWithoutContradiction) {
  for (const std::string& error : rules_.errors) ADD_FAILURE() << error;
  EXPECT_GE(rules_.rooms.size(), 8u);
  EXPECT_GT(tree_.size(), 40u);
}

TEST_F(House, EveryFolderOfCodeIsARoomOfTheTable) {
  for (const SourceFile& file : tree_) {
    const std::string top(file.top());
    const bool outside = top == "tests" || top == "bench" || top == "cmake" || top == "web";
    if (!file.is_cpp() || outside) continue;
    EXPECT_NE(room_name_of(file.path, rules_), "")
        << file.path << ": no row in tests/house/rooms.txt";
  }
}

TEST_F(House, IncludesPointDown) { expect_none({"include-table"}); }

TEST_F(House, OnlyItsRoomSeesALibrary) { expect_none({"only"}); }

TEST_F(House, RoomsLinkWhatTheyMayInclude) { expect_none({"link-table"}); }

TEST_F(House, PureRoomsKnowNoThreadSocketFileOrClock) { expect_none({"purity"}); }

TEST_F(House, EngineCallsNoFunctionThatVariesBetweenMachines) { expect_none({"libm"}); }

TEST_F(House, NothingIsSharedByThreadsUnawaresOrUsedAfterItsEnd) {
  expect_none({"race", "dangling-range"});
}

TEST_F(House, WhatAHeaderRequiresIsChecked) { expect_none({"contract", "assert"}); }

TEST_F(House, LinesAreShortAndClean) {
  expect_none({"columns", "tab", "trailing-space", "newline"});
}

TEST_F(House, NothingIsLeftToDoAndNothingNamesThisMachine) { expect_none({"word", "text"}); }

TEST_F(House, FilesHaveASizeThatAReaderCanHold) {
  expect_none({"file-lines"});
  for (const SourceFile& file : tree_) {
    if (file.is_cpp() && file.lines.size() > rules_.file_lines_remark) {
      std::cout << "remark: " << file.path << " has " << file.lines.size() << " lines\n";
    }
  }
}

TEST_F(House, NamesAndSignaturesFollowTheStyle) {
  expect_none({"identifier", "bool-parameter", "pragma-once", "sleep"});
}

TEST_F(House, EveryExceptionIsNeededAndHasAReason) { expect_none({"allowed"}); }

TEST_F(House, EveryRoomHasAReadme) {
  for (const auto& [name, room] : rules_.rooms) {
    const fs::path folder = fs::path(WINNOW_SOURCE_DIR) / name;
    if (!fs::exists(folder / "CMakeLists.txt")) continue;
    EXPECT_TRUE(fs::exists(folder / "README.md"))
        << name << "/README.md is missing: purpose, first file to read, invariants, includes";
  }
}

/// Runs a tool over the checkout. A machine without it has not been set up for tests.
void expect_tool_passes(const std::string& tool, const std::string& command) {
  ASSERT_EQ(std::system(("command -v " + tool + " > /dev/null 2>&1").c_str()), 0)
      << "no " << tool << " here; tools/setup.sh test installs it";
  EXPECT_EQ(std::system(("cd '" WINNOW_SOURCE_DIR "' && " + command).c_str()), 0)
      << "from " << command;
}

TEST(HouseTools, ScriptsPassShellcheck) {
  std::string scripts;
  for (const SourceFile& file : read_tree(WINNOW_SOURCE_DIR)) {
    const std::string_view first = std::string_view(file.text).substr(0, file.text.find('\n'));
    if (!first.starts_with("#!") || first.find("sh") == std::string_view::npos) continue;
    scripts += " '" + file.path + "'";
    EXPECT_NE(file.text.find("set -euo pipefail"), std::string::npos)
        << file.path << ": scripts stop at the first error (set -euo pipefail)";
    const auto mode = fs::status(fs::path(WINNOW_SOURCE_DIR) / file.path).permissions();
    EXPECT_NE(mode & fs::perms::owner_exec, fs::perms::none) << file.path << ": not executable";
  }
  ASSERT_NE(scripts.find("'run'"), std::string::npos);
  expect_tool_passes("shellcheck", "shellcheck" + scripts);
}

TEST(HouseTools, CodeIsFormatted) { expect_tool_passes("clang-format", "tools/format.sh --check"); }

}  // namespace
}  // namespace winnow::house
