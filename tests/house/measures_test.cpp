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
    const std::string rules{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    measures_ = measure_house(read_tree(root), read_rules(rules));
  }
  static HouseMeasures measures_;
};

HouseMeasures HouseTable::measures_;

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
  for (std::size_t i = 0; i < 12; ++i) {
    const FunctionSize& f = m.longest[i];
    std::cout << f.lines << " " << f.path << ":" << f.line << " " << f.head.substr(0, 60) << "\n";
  }
  for (const auto& cycle : m.unit_cycles) {
    for (const std::string& unit : cycle) std::cout << unit << " ";
    std::cout << "\n";
  }
  for (const auto& cycle : m.folder_cycles) {
    for (const std::string& folder : cycle) std::cout << folder << " ";
    std::cout << "\n";
  }
  EXPECT_GT(m.functions, 1000u);
}

}  // namespace
}  // namespace winnow::house
