#include "sweeps/filter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/rng.hpp"

namespace winnow::sweeps {
namespace {

const std::vector<std::string> kNames{"sharpe_ann", "drawdown_max_frac", "trades_count",
                                      "lookback_bars"};
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

const std::vector<std::vector<double>> kData{
    {1, 2, 3, kNaN, -1}, {.1, .2, .5, kNaN, .4}, {10, 60, 70, 0, 50}, {12, 24, 12, 24, 12}};

std::vector<std::uint32_t> selected(std::string_view text) {
  const auto filter = Filter::parse(text, kNames);
  EXPECT_TRUE(filter.ok()) << filter.error().text();
  if (!filter) return {99};
  std::vector<std::span<const double>> columns;
  for (const std::uint32_t c : filter->columns()) columns.emplace_back(kData[c]);
  return filter->select(columns, 5);
}

std::string refused(std::string_view text) {
  const auto filter = Filter::parse(text, kNames);
  return filter ? "accepted" : filter.error().text();
}

using Rows = std::vector<std::uint32_t>;

// Neither a condition nor its negation selects a row without the number: both say so of it.
TEST(Filter, B8RowsThatAConditionCannotDecideAreNamed) {
  const auto undecided = [](std::string_view text) {
    const auto filter = Filter::parse(text, kNames);
    std::vector<std::span<const double>> columns;
    for (const std::uint32_t c : filter->columns()) columns.emplace_back(kData[c]);
    std::vector<std::uint32_t> out;
    const auto rows = filter->select(columns, 5, &out);
    for (const std::uint32_t r : out) EXPECT_EQ(std::count(rows.begin(), rows.end(), r), 0);
    return out;
  };
  EXPECT_EQ(undecided("sharpe_ann > 1"), (std::vector<std::uint32_t>{3}));
  EXPECT_EQ(undecided("not sharpe_ann > 1"), (std::vector<std::uint32_t>{3}));
  EXPECT_TRUE(undecided("sharpe_ann > 1 or trades_count < 5").empty()) << "decided by the other";
  EXPECT_TRUE(undecided("sharpe_ann > 1 and trades_count > 5").empty());
  EXPECT_TRUE(undecided("").empty());
}

TEST(Filter, ComparesNamesWithNumbers) {
  EXPECT_EQ(selected("sharpe_ann > 1"), (Rows{1, 2}));
  EXPECT_EQ(selected("sharpe_ann >= 1"), (Rows{0, 1, 2}));
  EXPECT_EQ(selected("sharpe_ann < -0.5"), (Rows{4}));
  EXPECT_EQ(selected("sharpe_ann<=+1e0"), (Rows{0, 4}));
  EXPECT_EQ(selected("lookback_bars = 24"), (Rows{1, 3}));
  EXPECT_EQ(selected("lookback_bars == 24"), (Rows{1, 3}));
  EXPECT_EQ(selected("lookback_bars <> 24"), (Rows{0, 2, 4}));
  EXPECT_EQ(selected("2 < sharpe_ann"), (Rows{2}));
  EXPECT_EQ(selected("trades_count > lookback_bars"), (Rows{1, 2, 4}));
}

// More rows than are judged together, judged one by one.
TEST(Filter, JudgesEveryRowOfManyAlike) {
  Rng rng(3);
  std::vector<double> a(2500);
  std::vector<double> b(2500);
  Rows expected;
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] = rng.uniform() < 0.1 ? kNaN : rng.uniform();
    b[i] = rng.uniform() < 0.1 ? kNaN : rng.uniform();
    const bool known = !std::isnan(a[i]) && !std::isnan(b[i]);
    if ((known && !(a[i] < b[i])) || a[i] == b[i] || b[i] > 0.9) {
      expected.push_back(static_cast<std::uint32_t>(i));
    }
  }
  const auto filter =
      Filter::parse("not sharpe_ann < drawdown_max_frac or drawdown_max_frac > 0.9", kNames);
  ASSERT_TRUE(filter.ok());
  EXPECT_EQ(filter->select(std::vector<std::span<const double>>{a, b}, a.size()), expected);
}

TEST(Filter, EmptyTextSelectsAll) {
  EXPECT_EQ(selected(""), (Rows{0, 1, 2, 3, 4}));
  EXPECT_EQ(selected("   "), (Rows{0, 1, 2, 3, 4}));
}

TEST(Filter, NotBindsTightestThenAndThenOr) {
  EXPECT_EQ(selected("sharpe_ann == 1 or sharpe_ann == 2 and trades_count > 100"), (Rows{0}));
  EXPECT_EQ(selected("(sharpe_ann == 1 or sharpe_ann == 2) and trades_count > 50"), (Rows{1}));
  EXPECT_EQ(selected("not sharpe_ann > 1 and trades_count > 20"), (Rows{4}));
  EXPECT_EQ(selected("!(sharpe_ann > 1 && trades_count > 20) || lookback_bars = 24"),
            (Rows{0, 1, 3, 4}));
  EXPECT_EQ(selected("NOT not sharpe_ann > 1"), (Rows{1, 2}));
}

TEST(Filter, MissingNumbersAreNeitherTrueNorFalse) {
  EXPECT_EQ(selected("sharpe_ann != 5"), (Rows{0, 1, 2, 4}));
  EXPECT_EQ(selected("not sharpe_ann > 1"), (Rows{0, 4}));
  EXPECT_EQ(selected("sharpe_ann > 1 or lookback_bars == 24"), (Rows{1, 2, 3}));
}

TEST(Filter, FetchesEachColumnOnce) {
  const auto filter =
      Filter::parse("trades_count > 1 and trades_count < 9 or sharpe_ann > 0", kNames);
  ASSERT_TRUE(filter.ok());
  EXPECT_EQ(std::vector<std::uint32_t>(filter->columns().begin(), filter->columns().end()),
            (Rows{2, 0}));
}

TEST(Filter, RefusalsNameThePosition) {
  EXPECT_EQ(refused("sharp_ann > 1"),
            "--where, position 1: there is no metric or parameter 'sharp_ann' (did you mean "
            "'sharpe_ann'?); allowed: sharpe_ann, drawdown_max_frac, trades_count, lookback_bars");
  EXPECT_EQ(refused("sharpe_ann > 1 and"),
            "--where, position 19: the end where a name or a number belongs");
  EXPECT_EQ(refused("sharpe_ann"),
            "--where, position 11: the end where one of < <= > >= == != belongs");
  EXPECT_EQ(refused("sharpe_ann > 1 2"),
            "--where, position 16: '2' where and, or, or the end belongs");
  EXPECT_EQ(refused("(sharpe_ann > 1"),
            "--where, position 16: the end where the ')' of position 1 belongs");
  EXPECT_EQ(refused("1 < 2"), "--where, position 1: compares two numbers; one side must be a name");
  EXPECT_EQ(refused("0 < sharpe_ann < 2"),
            "--where, position 16: comparisons do not chain; write a < x and x < b");
  EXPECT_EQ(refused("sharpe_ann > 1; drop"),
            "--where, position 15: ';' is not part of the language; allowed: names, numbers, < <= "
            "> >= == !=, and, or, not, ( )");
  EXPECT_EQ(refused("sharpe_ann > 12abc"), "--where, position 14: '12abc' is not a number");
  EXPECT_EQ(refused("sharpe_ann > 1e999"), "--where, position 14: '1e999' is not a number");
  EXPECT_EQ(refused(std::string(100, '(')), "--where, position 65: nested too deeply");
  EXPECT_EQ(refused(std::string(5000, ' ')), "--where is longer than 4096 characters");
}

TEST(Filter, AnyTextIsReadWithoutFault) {
  const std::vector<std::string> parts{"sharpe_ann", "<",  ">=", "(", ")",  "and", "or", "not", "!",
                                       "&&",         "||", "1",  "-", ".5", "x",   "==", "\xff"};
  Rng rng(5);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint64_t k = rng.below(12); k > 0; --k) {
      text += parts[rng.below(parts.size())] + (rng.below(4) != 0 ? " " : "");
    }
    const auto filter = Filter::parse(text, kNames);
    accepted += filter.ok() ? 1 : 0;
    if (!filter) continue;
    std::vector<std::span<const double>> columns;
    for (const std::uint32_t c : filter->columns()) columns.emplace_back(kData[c]);
    EXPECT_LE(filter->select(columns, 5).size(), 5u);
  }
  EXPECT_GT(accepted, 100);
}

TEST(SortRows, MissingNumbersComeLastAndTiesGoByTrial) {
  const std::vector<double> values{2, kNaN, 3, 2, kNaN, -1};
  const std::vector<std::uint64_t> trial{9, 8, 7, 1, 2, 3};
  const Rows all{0, 1, 2, 3, 4, 5};
  EXPECT_EQ(sort_rows(all, values, trial, SortOrder::Descending, 10), (Rows{2, 3, 0, 5, 4, 1}));
  EXPECT_EQ(sort_rows(all, values, trial, SortOrder::Ascending, 10), (Rows{5, 3, 0, 2, 4, 1}));
  EXPECT_EQ(sort_rows(all, values, trial, SortOrder::Descending, 2), (Rows{2, 3}));
  EXPECT_EQ(sort_rows(Rows{4, 5}, values, trial, SortOrder::Descending, 2), (Rows{5, 4}));
  EXPECT_TRUE(sort_rows({}, values, trial, SortOrder::Descending, 2).empty());
}

}  // namespace
}  // namespace winnow::sweeps
