// The house as numbers: what they are of this checkout, and that they are counted right.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "tests/house/measures.hpp"

namespace winnow::house {
namespace {

constexpr const char* kCode = R"(#pragma once
#define LONG(x) \
  { x }
namespace a {
/// Purpose: holds.
class Holder final : public Base<int(int)> {
 public:
  Holder(int n) : n_{n}, text_(n, ' ') {
    go();
  }
  template <class T, class = decltype(T{})>
  int get(T x = {}) const {
    const auto f = [](int y) { return y; };
    if (x) {
      return f(1);
    }
    return n_;
  }
  struct Inner { int i = 0; };

 private:
  int n_{0};
};
enum class Kind { One, Two };
constexpr int kTable[] = {1, 2};
int plain();
int plain() { return 1; }
}  // namespace a
)";

TEST(Measures, FunctionsAndTypesAreToldByTheirBraces) {
  const SourceFile file = make_file("base/x.hpp", kCode);
  const Outline outline = outline_of(file);
  std::vector<std::string> heads;
  std::vector<std::size_t> lines;
  for (const FunctionSize& f : outline.functions) {
    heads.push_back(f.head.substr(f.head.find_last_of(' ', f.head.find('(')) + 1));
    lines.push_back(f.lines);
  }
  EXPECT_EQ(lines, (std::vector<std::size_t>{3, 8, 1}));
  ASSERT_EQ(outline.types.size(), 3u);
  EXPECT_TRUE(has_contract(file, outline.types[0]));
  EXPECT_FALSE(has_contract(file, outline.types[1]));
  EXPECT_FALSE(has_contract(file, outline.types[2]));
}

TEST(Measures, CyclesAreFoundBetweenUnitsAndFolders) {
  const auto file = [](const char* path, const char* include) {
    return make_file(path, std::string("#include \"") + include + "\"\n");
  };
  const IncludeGraph units = units_of(
      {file("r/a/x.hpp", "r/b/y.hpp"), file("r/b/y.cpp", "r/b/z.hpp"), file("r/b/y.hpp", "string"),
       file("r/b/z.hpp", "r/a/x.hpp"), file("r/c/w.hpp", "r/a/x.hpp")});
  const auto cycles = cycles_in(units);
  ASSERT_EQ(cycles.size(), 1u);
  EXPECT_EQ(cycles[0].size(), 3u) << "x, y by its source, z";
  const auto folders = cycles_in(folders_of(units));
  ASSERT_EQ(folders.size(), 1u);
  EXPECT_EQ(folders[0].size(), 2u);
  EXPECT_TRUE(cycles_in({{"a", {"b"}}, {"b", {}}}).empty());
}

/// Purpose: this checkout, measured once.
class HouseTable : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::filesystem::path root = WINNOW_SOURCE_DIR;
    std::ifstream in(root / "tests/house/rooms.txt", std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    rules_ = read_rules(text);
    measures_ = measure_house(read_tree(root), rules_);
  }
  static Rules rules_;
  static HouseMeasures measures_;
};

Rules HouseTable::rules_;
HouseMeasures HouseTable::measures_;

TEST_F(HouseTable, FunctionsFitWhereTheyAreRead) {
  ASSERT_GT(rules_.function_lines, 0u);
  for (const FunctionSize& f : measures_.longest) {
    if (f.lines <= rules_.function_lines) break;
    ADD_FAILURE() << f.path << ":" << f.line << ": function-lines: has " << f.lines
                  << " lines; beyond " << rules_.function_lines << " it wants splitting";
  }
}

TEST_F(HouseTable, NothingIncludesWhatIncludesIt) {
  const auto expect_none = [](const std::vector<std::vector<std::string>>& cycles,
                              const char* what) {
    for (const std::vector<std::string>& cycle : cycles) {
      std::string names;
      for (const std::string& name : cycle) names += " " + name;
      ADD_FAILURE() << what << " that reach one another through their includes:" << names
                    << "; what they share wants a header below them";
    }
  };
  expect_none(measures_.unit_cycles, "units (a header with its source)");
  expect_none(measures_.folder_cycles, "folders");
}

// tools/house.sh shows what this prints.
TEST_F(HouseTable, IsPrinted) {
  const HouseMeasures& m = measures_;
  const auto row = [](const char* point, const std::string& now, const char* goal) {
    std::cout << "| " << point << " | " << now << " | " << goal << " |\n";
  };
  const auto one = [](double v) {
    std::string text = std::to_string(v);
    return text.substr(0, text.find('.') + 3);
  };
  const auto n = [](std::size_t v) { return std::to_string(v); };
  std::cout << "| Point | Now | Goal |\n|---|---|---|\n";
  row("function lines p50 / p90 / p99 / max",
      n(m.function_lines_p50) + " / " + n(m.function_lines_p90) + " / " + n(m.function_lines_p99) +
          " / " + n(m.longest.front().lines),
      "p90 <= 20, none over 70");
  row("largest file", n(m.largest_file_lines) + " (" + m.largest_file + ")", "< 800");
  row("cycles: folders / units", n(m.folder_cycles.size()) + " / " + n(m.unit_cycles.size()),
      "none / none");
  row("types with a contract line", one(m.contract_frac * 100) + "%", "> 60%");
  row("checked contracts per 1,000 lines", one(m.asserts_per_kilolines), "> 20");
  row("tests : source", one(m.tests_per_source), ">= 0.8");
  row("lines of source, functions", n(m.product_lines) + ", " + n(m.functions), "");
  EXPECT_GT(m.functions, 1000u);
}

}  // namespace
}  // namespace winnow::house
