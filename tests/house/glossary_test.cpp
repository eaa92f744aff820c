// The words, laws and pictures of the documents are those of the code.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "tests/house/source_tree.hpp"

namespace winnow::house {
namespace {

namespace fs = std::filesystem;

std::string read_text(const std::string& path) {
  std::ifstream in(fs::path(WINNOW_SOURCE_DIR) / path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Lower case without what stands between the parts of a name: `engine version` as in
/// kEngineVersion and engine_version.
std::string bare(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '_') out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

/// Rows of a document's tables as cells, heads and rules left out.
std::vector<std::vector<std::string>> rows_of(const std::string& document) {
  std::vector<std::vector<std::string>> rows;
  for (const std::string& line : split_lines(read_text(document))) {
    if (!line.starts_with("| ")) continue;
    std::vector<std::string> cells;
    for (std::size_t at = 0; at + 1 < line.size();) {
      const std::size_t end = line.find('|', at + 1);
      if (end == std::string::npos) break;
      std::string cell = line.substr(at + 1, end - at - 1);
      cell.erase(0, cell.find_first_not_of(' '));
      cell.erase(cell.find_last_not_of(' ') + 1);
      cells.push_back(cell);
      at = end;
    }
    rows.push_back(cells);
  }
  return rows;
}

TEST(Glossary, EachWordHasOneSentenceAndLivesWhereItSays) {
  std::set<std::string> words;
  for (const auto& cells : rows_of("docs/GLOSSARY.md")) {
    ASSERT_EQ(cells.size(), 3u) << cells[0];
    if (cells[0] == "Word") continue;
    SCOPED_TRACE(cells[0]);
    EXPECT_TRUE(words.insert(cells[0]).second) << "stands twice";
    EXPECT_TRUE(cells[1].ends_with('.')) << cells[1];
    const std::string file = cells[2].substr(1, cells[2].size() - 2);
    const std::string text = read_text(file);
    ASSERT_FALSE(text.empty()) << file << " is not there";
    EXPECT_NE(bare(text).find(bare(cells[0])), std::string::npos) << file << " says nothing of it";
  }
  EXPECT_GE(words.size(), 40u);
}

TEST(Glossary, IsWhereANewcomerLooks) {
  for (const char* document : {"README.md", "docs/ARCHITECTURE.md"}) {
    EXPECT_NE(read_text(document).find("GLOSSARY.md"), std::string::npos) << document;
  }
}

TEST(Laws, AreNumberedAndEveryNumberThatIsCitedIsOne) {
  std::set<std::string> laws;
  for (const auto& cells : rows_of("docs/ARCHITECTURE.md")) {
    if (cells[0].size() == 1 && std::isdigit(static_cast<unsigned char>(cells[0][0])) != 0) {
      laws.insert(cells[0]);
      EXPECT_GE(cells.size(), 4u) << "law " << cells[0];
    }
  }
  EXPECT_EQ(laws, (std::set<std::string>{"1", "2", "3", "4", "5", "6", "7"}));
  const std::regex cited("\\b[Ll]aw ([0-9]+)");
  std::size_t citations = 0;
  for (const SourceFile& file : read_tree(WINNOW_SOURCE_DIR)) {
    if (file.path.ends_with("glossary_test.cpp")) continue;
    for (std::sregex_iterator at(file.text.begin(), file.text.end(), cited), end; at != end; ++at) {
      ++citations;
      EXPECT_TRUE(laws.contains((*at)[1].str())) << file.path << " cites " << at->str();
    }
  }
  EXPECT_GT(citations, 20u);
}

/// The picture of a block's states has each state of the code, and each event that leads to one.
TEST(Pictures, ABlocksStatesAreThoseOfTheCode) {
  const std::string code = read_text("scheduler/scheduler.hpp");
  const std::string readme = read_text("scheduler/README.md");
  const std::size_t begin = readme.find("## A block's states");
  const std::string picture = readme.substr(begin, readme.find("## A lease's life") - begin);
  const std::size_t states = code.find("enum class BlockState");
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(states, std::string::npos);
  const std::string list = code.substr(states, code.find("};", states) - states);
  const std::regex name("\\n +([A-Z][a-z]+)");
  std::size_t count = 0;
  for (std::sregex_iterator at(list.begin(), list.end(), name), end; at != end; ++at, ++count) {
    EXPECT_NE(picture.find("| " + bare((*at)[1].str()) + " |"), std::string::npos)
        << (*at)[1].str();
  }
  EXPECT_EQ(count, 6u);
}

TEST(Pictures, WhatTheyCallIsThere) {
  const std::string code = read_text("scheduler/scheduler.hpp");
  const std::string readme = read_text("scheduler/README.md");
  const std::regex call("\\b([a-z]+(_[a-z]+)*)\\(\\)");
  std::set<std::string> calls;
  for (std::sregex_iterator at(readme.begin(), readme.end(), call), end; at != end; ++at) {
    calls.insert((*at)[1].str());
  }
  EXPECT_GE(calls.size(), 8u);
  for (const std::string& name : calls) {
    EXPECT_NE(code.find(" " + name + "("), std::string::npos) << name;
  }
  for (const char* limit : {"lease_ttl = milliseconds(2000)", "straggler_factor = 3.0",
                            "block_attempts_max = 8", "isolate_after = 2"}) {
    EXPECT_NE(code.find(limit), std::string::npos) << limit << ": the README says otherwise";
  }
}

}  // namespace
}  // namespace winnow::house
