#include "engine/family.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "base/numbers.hpp"
#include "engine/engine.hpp"
#include "engine/families/list.hpp"
#include "tests/engine/support.hpp"

namespace winnow::engine {
namespace {

TEST(Families, DeclareDefaultsThatPassTheirOwnChecks) {
  ASSERT_EQ(families().size(), kFamilyCount);
  for (const FamilyDecl& family : families()) {
    EXPECT_EQ(find_family(family.name), &family);
    std::vector<double> values;
    for (const ParamDecl& p : family.params) {
      EXPECT_LE(p.min, p.max);
      EXPECT_FALSE(p.help.empty());
      values.push_back(p.default_value);
    }
    EXPECT_TRUE(check_params(family, values).ok()) << family.name;
  }
  EXPECT_EQ(find_family("momentum"), nullptr);
}

// A strategy that lacks something fails the one demand that names it.
using L = lanes::Lane1;
struct Good : strategies::SmaCross<L> {};
struct NoDeclaration {
  static constexpr int kColumns = 1;
};
struct NoColumn : strategies::Cross<L>, strategies::SmaCrossDecl {};
struct NoRule : strategies::SmaCross<L> {
  void rule() const = delete;
};
struct DecidesNumbers : strategies::SmaCross<L> {
  template <class S>
  double decide(const S&) {
    return 1;
  }
};
struct Unprotected : strategies::SmaCross<L> {
  static constexpr lanes::Exits kExits = lanes::Exits::Fixed;
};
struct HoldsText : strategies::SmaCross<L> {
  std::string note;
};
static_assert(lanes::Strategy<Good, L>);
static_assert(!lanes::Declares<NoDeclaration>);
static_assert(!lanes::NamesItsColumns<NoColumn>);
static_assert(!lanes::SaysWhenItIsDue<NoRule, L>);
static_assert(!lanes::Decides<DecidesNumbers, L>);
static_assert(!lanes::ProtectsWhatItOpens<Unprotected, L>);
static_assert(!lanes::HoldsLanesOnly<HoldsText, L>);

// Each family has a page, whose table says of every parameter what is declared, and of no other.
TEST(Families, HaveAPageThatSaysWhatIsDeclared) {
  const std::string folder = std::string(WINNOW_SOURCE_DIR) + "/docs/strategies/";
  const auto text_of = [](const std::string& path) {
    std::ifstream in(path);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string index = text_of(folder + "README.md");
  for (const FamilyDecl& family : families()) {
    const std::string name(family.name);
    SCOPED_TRACE(name);
    EXPECT_NE(
        index.find("| [" + name + "](" + name + ".md) | " + std::string(family.summary) + " |"),
        std::string::npos);
    const std::string page = text_of(folder + name + ".md");
    EXPECT_NE(page.find("](plots/" + name + ".svg)"), std::string::npos);
    EXPECT_NE(text_of(folder + "plots/" + name + ".svg").find("<svg"), std::string::npos);
    for (const char* part : {"## Rule", "## When it fails", "## A sweep"}) {
      EXPECT_NE(page.find(part), std::string::npos) << part;
    }
    const std::size_t table = page.find("## Parameters");
    ASSERT_NE(table, std::string::npos);
    const std::string rows = page.substr(table, page.find("\n## ", table + 1) - table);
    for (const ParamDecl& p : family.params) {
      const std::string row = "| `" + std::string(p.name) + "` | " + std::string(p.unit) + " | " +
                              shortest_text(p.min) + " to " + shortest_text(p.max) + " | " +
                              shortest_text(p.default_value) + " | " + std::string(p.help) + " |";
      EXPECT_NE(rows.find(row), std::string::npos) << row;
    }
    EXPECT_EQ(static_cast<std::size_t>(std::count(rows.begin(), rows.end(), '\n')),
              family.params.size() + 4);
  }
}

void expect_refused(const FamilyDecl& family, std::vector<double> values, const char* part) {
  const Status status = check_params(family, values);
  ASSERT_FALSE(status.ok()) << part;
  EXPECT_EQ(status.error().code(), ErrorCode::InvalidInput);
  EXPECT_NE(status.error().text().find(part), std::string::npos) << status.error().text();
}

TEST(Families, RefuseParametersByNameValueAndRange) {
  const FamilyDecl& cross = *find_family("sma_cross");
  expect_refused(cross, {5, 20}, "takes 3 parameters, got 2");
  expect_refused(cross, {0, 20, 0}, "fast_bars=0 is outside its range [1, 20000]");
  expect_refused(cross, {5.5, 20, 0}, "fast_bars=5.5 must be a whole number");
  expect_refused(cross, {20, 20, 0}, "fast_bars must be below slow_bars");
  expect_refused(cross, {std::nan(""), 20, 0}, "fast_bars");
  const FamilyDecl& reversion = *find_family("mean_reversion");
  expect_refused(reversion, {20, 2, 2, 0, 0, 0}, "exit_z must be below entry_z");
  expect_refused(reversion, {20, std::numeric_limits<double>::infinity(), 0, 0, 0, 0}, "entry_z");
}

TEST(Families, TheMaskOfACheckNamesWhatItReads) {
  for (const FamilyDecl& family : families()) {
    if (family.check == nullptr) continue;
    Rng rng(11);
    for (int round = 0; round < 2'000; ++round) {
      // Values of the mask from one row, the rest from another: the verdict is the first row's.
      const auto a = test::random_params(rng, family.name);
      auto values = a;
      for (double& v : values) v += static_cast<double>(rng.below(5)) - 2;
      auto mixed = test::random_params(rng, family.name);
      for (std::size_t p = 0; p < values.size(); ++p) {
        if ((family.check_reads >> p) & 1u) mixed[p] = values[p];
      }
      EXPECT_EQ(family.check(values).ok(), family.check(mixed).ok());
    }
  }
}

TEST(Execution, RefusesNumbersWithoutMeaning) {
  EXPECT_TRUE(check_execution({}).ok());
  const auto refused = [](auto change, const char* part) {
    ExecutionModel e;
    change(e);
    const Status status = check_execution(e);
    ASSERT_FALSE(status.ok()) << part;
    EXPECT_EQ(status.error().code(), ErrorCode::InvalidInput);
    EXPECT_NE(status.error().text().find(part), std::string::npos) << status.error().text();
  };
  using E = ExecutionModel;
  refused([](E& e) { e.taker_fee_bps = -1; }, "taker_fee_bps=-1");
  refused([](E& e) { e.maker_fee_bps = 1e5; }, "maker_fee_bps=1e+05");
  refused([](E& e) { e.half_spread_bps = std::nan(""); }, "half_spread_bps");
  refused([](E& e) { e.impact_bps = -0.5; }, "impact_bps");
  refused([](E& e) { e.participation_max_frac = 1.5; }, "participation_max_frac=1.5");
  refused([](E& e) { e.initial_cash = 0; }, "initial_cash=0");
  refused([](E& e) { e.sizing = Sizing::FixedQty; }, "needs fixed_qty above 0");
  refused([](E& e) { e.rules = {{5, -1, 0, 0, 0}}; }, "rules[0].tick_px=-1");
  refused([](E& e) { e.rules = {{5, 0, 0, 0, 0}, {5, 0, 0, 0, 0}}; }, "rules[1].from_ns=5");
  EXPECT_TRUE([] {
    E e;
    e.maker_fee_bps = -2;
    return check_execution(e).ok();
  }()) << "a maker rebate is allowed";
}

TEST(Batch, NamesTheRowItRefuses) {
  const MarketColumns columns = test::random_market({.bars = 300});
  const MarketView market = columns.view();
  const ExecutionModel execution;
  const std::vector<double> rows = {5, 20, 0, 20, 5, 0};
  BatchRequest request{
      &market, {0, 300}, find_family("sma_cross"), rows, &execution, best_isa(), {}, {}, {}};
  auto refused = run_batch(request);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().text().find("parameter row 1"), std::string::npos);
  const std::vector<double> good = {5, 20, 0};
  request.params = good;
  EXPECT_TRUE(run_batch(request).ok());
  for (const Window window : {Window{0, 301}, Window{7, 7}, Window{9, 8}}) {
    request.window = window;
    EXPECT_FALSE(run_batch(request).ok());
  }
}

TEST(Batch, HasAPeriodForEachDayWithBars) {
  const MarketColumns columns = test::random_market({.seed = 8, .bars = 3000, .gap_share = 0.01});
  const MarketView market = columns.view();
  const ExecutionModel execution;
  const std::vector<double> rows = {5, 20, 0};
  const Window window{100, 2900};
  const auto run = run_batch(
      {&market, window, find_family("sma_cross"), rows, &execution, Isa::Scalar, {}, {}, {}});
  ASSERT_TRUE(run.ok());
  const auto starts = period_starts(market, window);
  EXPECT_EQ(run->periods, starts.size());
  EXPECT_EQ(run->returns.size(), starts.size());
  for (const std::int64_t s : starts) EXPECT_EQ(s % 86'400'000'000'000, 0);
}

}  // namespace
}  // namespace winnow::engine
