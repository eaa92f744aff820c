#include "cli/table.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <sstream>

#include "base/rng.hpp"

namespace winnow::cli {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(TextTable, AlignsNumbersRightAndTextLeft) {
  TextTable table(
      {{.title = "variant"}, {.title = "family", .align = Align::Left}, {.title = "sharpe_ann"}});
  table.add_row({"7", "sma_cross", "1.25"});
  table.add_row({"12345", "mr", "-0.5"});
  EXPECT_EQ(
      lines_of(table.render(0)),
      (std::vector<std::string>{"variant  family     sharpe_ann", "      7  sma_cross        1.25",
                                "  12345  mr               -0.5"}));
}

TEST(TextTable, CutsThenDropsThenTruncatesToTheWidth) {
  TextTable table({{.title = "variant"},
                   {.title = "parameters", .align = Align::Left, .width_min = 10},
                   {.title = "first", .optional = true},
                   {.title = "second", .optional = true}});
  table.add_row({"1", "lookback_bars=96 entry_z=2.5 stop_bps=100", "1.0", "2.0"});
  for (const std::size_t width : {200u, 60u, 40u, 33u, 25u, 12u, 5u}) {
    for (const std::string& line : lines_of(table.render(width))) {
      EXPECT_LE(text_columns(line), width) << line;
    }
  }
  EXPECT_NE(table.render(60).find("second"), std::string::npos);
  EXPECT_NE(table.render(60).find("…"), std::string::npos);
  const std::string narrow = table.render(28);
  EXPECT_EQ(narrow.find("second"), std::string::npos);
  EXPECT_NE(narrow.find("first"), std::string::npos);
  EXPECT_NE(narrow.find("(1 column does not"), std::string::npos);
}

TEST(TextTable, ReplacesControlCharacters) {
  TextTable table({{.title = "name", .align = Align::Left}});
  table.add_row({"a\x1b[31mred\nnext\xc2\x9bX"});
  const std::string text = table.render(0);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\x9b'), std::string::npos);
  EXPECT_EQ(lines_of(text).size(), 2u);
}

TEST(CutText, CountsCharactersNotBytes) {
  EXPECT_EQ(cut_text("äöü", 3), "äöü");
  EXPECT_EQ(cut_text("äöüß", 3), "äö…");
  EXPECT_EQ(cut_text("abc", 0), "");
}

TEST(Csv, QuotesWhatMustBeQuoted) {
  EXPECT_EQ(csv_field("plain"), "plain");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"x\""), "\"say \"\"x\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(csv_field(" lead"), "\" lead\"");
}

TEST(Numbers, ExactFormReadsBackAsTheSameDouble) {
  Rng rng(20261);
  for (int i = 0; i < 10'000; ++i) {
    double v = 0;
    const std::uint64_t bits = rng.next_u64();
    std::memcpy(&v, &bits, 8);
    if (!std::isfinite(v)) continue;
    const std::string text = csv_number(v);
    EXPECT_EQ(std::strtod(text.c_str(), nullptr), v) << text;
  }
  EXPECT_EQ(csv_number(std::numeric_limits<double>::quiet_NaN()), "");
  EXPECT_EQ(exact_number(0.1), "0.1");
  EXPECT_EQ(exact_number(-0.0), "0");
}

TEST(Numbers, ShortFormIsForReading) {
  EXPECT_EQ(short_number(1.23456), "1.235");
  EXPECT_EQ(short_number(-0.00001), "-1.00e-05");
  EXPECT_EQ(short_number(-0.00004 * 0), "0.0000");
  EXPECT_EQ(short_number(1234567.8), "1,234,568");
  EXPECT_EQ(short_number(-1234.4), "-1,234");
  EXPECT_EQ(short_number(999.96), "1000.0");
  EXPECT_EQ(short_number(std::numeric_limits<double>::quiet_NaN()), "-");
  EXPECT_EQ(group_digits(0), "0");
  EXPECT_EQ(group_digits(999), "999");
  EXPECT_EQ(group_digits(1000), "1,000");
  EXPECT_EQ(group_digits(100000), "100,000");
}

}  // namespace
}  // namespace winnow::cli
