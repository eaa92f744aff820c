// Parameters that say something only where another has certain values, and what a specification
// requires between parameters: every search keeps to them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "sweeps/adaptive.hpp"
#include "sweeps/design.hpp"
#include "sweeps/diversity.hpp"
#include "tests/sweeps/support.hpp"

namespace winnow::sweeps::testing {
namespace {

constexpr std::size_t kLookback = 0, kStop = 3, kTakeProfit = 4;

// A take-profit is searched only beside a stop of 50 or 100.
std::string stops(std::string_view take_profit, std::string_view search) {
  return "sweep: stops\ndata: [btcusdt-5m]\nwindow: {from: 2023-01-01, to: 2024-01-01}\n"
         "execution: binance-usdm\nstrategies:\n  - family: mean_reversion\n    params:\n"
         "      lookback_bars: {int: [12, 240], step: 12}\n"
         "      stop_bps: {values: [100, 0, 50, 25]}\n      take_profit_bps: {" +
         std::string(take_profit) + ", when: {stop_bps: [50, 100]}, else: 7}\nseed: 3\n" +
         std::string(search);
}

std::string crossings(std::string_view require, std::string_view search) {
  return "sweep: crossings\ndata: [btcusdt-5m]\nwindow: {from: 2023-01-01, to: 2024-01-01}\n"
         "execution: binance-usdm\nstrategies:\n  - family: sma_cross\n    params:\n"
         "      fast_bars: {int: [4, 80], step: 4}\n      slow_bars: {int: [8, 240], step: 4}\n"
         "    require: [" +
         std::string(require) + "]\nseed: 3\n" + std::string(search);
}

const char* const kSampled[] = {"search: {method: random, samples: 400}\n",
                                "search: {method: sobol, samples: 400}\n",
                                "search: {method: lhs, samples: 400}\n"};
const char* const kLearning[] = {
    "search: {method: tpe, trials: 192, generation: 32}\n",
    "search: {method: cmaes, trials: 192, generation: 32}\n",
    "search: {method: nsga2, trials: 192, generation: 32, objectives: [sharpe_ann, calmar]}\n",
    "search: {method: tpe, trials: 300, generation: 8}\n"
    "fidelity: {method: hyperband, shortest: 30d, eta: 3}\n"};

Plan must(const Result<Plan>& plan) {
  EXPECT_TRUE(plan.ok()) << plan.error().text();
  return *plan;
}

using Row = std::vector<double>;

std::vector<Row> rows_of(const Plan& plan) {
  const Segment& segment = plan.segments()[0];
  const std::size_t width = plan.design(segment).parameters();
  std::vector<Row> out;
  if (!plan.spec().learns()) {
    for (std::uint64_t t = 0; t < segment.trials; ++t) out.push_back(plan.params(t, 1));
    return out;
  }
  auto search = SegmentSearch::make(plan, segment);
  EXPECT_TRUE(search.ok()) << search.error().text();
  const std::size_t objectives = plan.spec().adaptive.objectives.size();
  while (search->rows_made() < segment.trials && search->open().ok()) {
    const GenerationRows rows = search->open_rows();
    std::vector<search::Outcome> outcomes;
    for (std::uint64_t r = 0; r < rows.rows(); ++r) {
      const double* p = rows.values.data() + r * width;
      out.emplace_back(p, p + width);
      search::Outcome o;
      for (std::size_t k = 0; k < objectives; ++k) {
        o.losses.push_back(std::abs(p[0] - 60) + std::abs(p[1] - 90) * static_cast<double>(k + 1) +
                           std::abs(p[width > kTakeProfit ? kTakeProfit : 1] - 40));
      }
      outcomes.push_back(o);
    }
    EXPECT_TRUE(search->tell(outcomes).ok());
  }
  return out;
}

TEST(Conditions, OfAGridMakeOnePointWhereAParameterSaysNothing) {
  const Plan plan = must(plan_of(stops("values: [200, 50, 300]", "search: {method: grid}\n")));
  // 20 lookbacks times (two stops with three take-profits and two with none).
  ASSERT_EQ(plan.trials(), 20u * (2 * 3 + 2));
  const Design& design = plan.design(plan.segments()[0]);
  std::set<Row> seen;
  std::vector<std::uint64_t> digits(design.parameters());
  for (std::uint64_t t = 0; t < plan.trials(); ++t) {
    const Row row = plan.params(t, 1);
    EXPECT_TRUE(seen.insert(row).second) << "trial " << t << " stands twice";
    const bool beside = row[kStop] == 50 || row[kStop] == 100;
    EXPECT_EQ(row[kTakeProfit] == 7, !beside) << t;
    design.grid()->unrank(t, digits);
    EXPECT_EQ(design.grid()->rank(digits), t);
  }
}

TEST(Conditions, AreKeptBySampledSearches) {
  for (const char* search : kSampled) {
    SCOPED_TRACE(search);
    const std::vector<Row> rows = rows_of(must(plan_of(stops("float: [20, 500]", search))));
    std::size_t beside = 0;
    for (const Row& row : rows) {
      if (row[kStop] == 50 || row[kStop] == 100) {
        ++beside;
        EXPECT_TRUE(row[kTakeProfit] >= 20 && row[kTakeProfit] <= 500) << row[kTakeProfit];
      } else {
        EXPECT_EQ(row[kTakeProfit], 7);
      }
    }
    EXPECT_GT(beside, rows.size() / 3);
    EXPECT_LT(beside, rows.size() * 2 / 3);
  }
}

TEST(Conditions, AreKeptBySearchesThatLearn) {
  for (const char* search : kLearning) {
    for (const char* range : {"log: [20, 500]", "values: [50, 20, 300]"}) {
      SCOPED_TRACE(std::string(search) + range);
      std::size_t beside = 0;
      const std::string yaml = with("step: 12", "step: 2", stops(range, search));
      const std::vector<Row> rows = rows_of(must(plan_of(yaml)));
      for (const Row& row : rows) {
        if (row[kStop] == 50 || row[kStop] == 100) {
          ++beside;
          EXPECT_TRUE(row[kTakeProfit] >= 20 && row[kTakeProfit] <= 500) << row[kTakeProfit];
        } else {
          EXPECT_EQ(row[kTakeProfit], 7);
        }
      }
      EXPECT_GT(beside, 0u);
      EXPECT_LT(beside, rows.size());
    }
  }
}

// What an earlier search found is told to the next, variants in which the parameter says nothing
// too.
TEST(Conditions, WarmStartsTakeRowsOfTheSameSpace) {
  const std::string yaml = stops("log: [20, 500]", kLearning[0]);
  const Plan plan = must(plan_of(yaml));
  std::vector<PriorResult> prior;
  for (const Row& row : rows_of(plan)) prior.push_back({row, {.losses = {row[kLookback]}}});
  EXPECT_TRUE(SegmentSearch::make(plan, plan.segments()[0], prior).ok());
  prior.front().params[kStop] = 25;
  prior.front().params[kTakeProfit] = 30;
  EXPECT_FALSE(SegmentSearch::make(plan, plan.segments()[0], prior).ok());
}

TEST(Conditions, WhereAParameterSaysNothingItTellsNoTwoVariantsApart) {
  const Plan plan = must(plan_of(stops("values: [200, 50, 300]", "search: {method: grid}\n")));
  const Design& design = plan.design(plan.segments()[0]);
  std::vector<double> clones;
  for (int i = 0; i < 40; ++i) {
    Row row = plan.params(0, 1);
    row[kStop] = i < 39 ? 0 : 50;
    row[kTakeProfit] = i < 39 ? 7 : 200;
    clones.insert(clones.end(), row.begin(), row.end());
  }
  EXPECT_GT(parameter_spread(design, clones).crowded_frac, 0.9);
}

TEST(Requirements, AreKeptByEverySearch) {
  std::vector<std::string> searches{"search: {method: grid}\n"};
  searches.insert(searches.end(), std::begin(kSampled), std::end(kSampled));
  searches.insert(searches.end(), std::begin(kLearning), std::end(kLearning));
  for (const std::string& search : searches) {
    SCOPED_TRACE(search);
    const Plan plan =
        must(plan_of(crossings("fast_bars <= 20 or slow_bars >= 200, slow_bars != 100", search)));
    const std::vector<Row> rows = rows_of(plan);
    EXPECT_GT(rows.size(), 100u);
    for (const Row& row : rows) {
      EXPECT_LT(row[0], row[1]);
      EXPECT_TRUE(row[0] <= 20 || row[1] >= 200) << row[0] << " " << row[1];
      EXPECT_NE(row[1], 100);
    }
  }
  const auto all = plan_of(crossings("slow_bars > 0", "search: {method: grid}\n"));
  const auto some = plan_of(crossings("slow_bars > 2 * 50", "search: {method: grid}\n"));
  EXPECT_TRUE(all.ok());
  EXPECT_FALSE(some.ok()) << "only comparisons are allowed";
}

TEST(Requirements, ThatNothingMeetsAreRefused) {
  const std::string grid = "search: {method: grid}\n";
  const auto none = plan_of(crossings("fast_bars > 60, fast_bars < 40", grid));
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().text().find("no point of the grid is valid: it is required that "),
            std::string::npos)
      << none.error().text();
  const auto few = plan_of(crossings("fast_bars > 76, slow_bars > 236", kSampled[0]));
  ASSERT_FALSE(few.ok());
  EXPECT_NE(few.error().text().find("draws are valid; narrow the ranges"), std::string::npos)
      << few.error().text();
}

TEST(Conditions, GoThroughJsonAndNameTheSweep) {
  const std::string grid = "search: {method: grid}\n";
  const Plan with_both = must(plan_of(stops("values: [200, 50, 300]", grid)));
  const auto again = ResolvedSpec::from_json(with_both.spec().to_json());
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(again->to_json(), with_both.spec().to_json());
  EXPECT_EQ(must(Plan::make(*again)).id(), with_both.id());
  const std::string other = with("else: 7", "else: 8", stops("values: [200, 50, 300]", grid));
  EXPECT_NE(must(plan_of(other)).id(), with_both.id());
  const Plan plain = must(plan_of(crossings("slow_bars > 0", grid)));
  EXPECT_EQ(must(Plan::make(*ResolvedSpec::from_json(plain.spec().to_json()))).id(), plain.id());
  EXPECT_NE(must(plan_of(crossings("slow_bars > 1", grid))).id(), plain.id());
  // A sweep that says neither has the text that it always had.
  EXPECT_EQ(must(plan_of(kSpec)).spec().to_json().find("when"), std::string::npos);
  EXPECT_EQ(must(plan_of(kSpec)).spec().to_json().find("require"), std::string::npos);
}

struct Wrong {
  const char* name;
  const char* from;
  const char* to;
  const char* why;  ///< part of the refusal
};

class ConditionRefusal : public ::testing::TestWithParam<Wrong> {};

TEST_P(ConditionRefusal, NamesPlaceAndWhatIsAllowed) {
  const std::string good = stops("values: [200, 50]", "search: {method: grid}\n");
  EXPECT_EQ(refusal(good), "accepted");
  const std::string said = refusal(with(GetParam().from, GetParam().to, good));
  EXPECT_EQ(said.substr(0, 10), "spec.yaml:") << said;
  EXPECT_NE(said.find(GetParam().why), std::string::npos) << said;
}

const Wrong kWrong[] = {
    {"ElseAlone", "when: {stop_bps: [50, 100]}, ", "",
     "take_profit_bps.else: else says nothing without when"},
    {"ElseOutside", "else: 7", "else: 99999", "99999 is outside the strategy's range"},
    {"WhenOfNothing", "when: {stop_bps: [50, 100]}", "when: {}", "name one parameter"},
    {"WhenOfTwo", "when: {stop_bps: [50, 100]}", "when: {stop_bps: 50, entry_z: 1}",
     "several parameters; name one"},
    {"WhenUnknown", "when: {stop_bps", "when: {stop_pct", "write 'stop_bps'"},
    {"WhenItself", "when: {stop_bps: [50, 100]}", "when: {take_profit_bps: [200]}",
     "a parameter cannot depend on itself"},
    {"WhenFixed", "when: {stop_bps: [50, 100]}", "when: {entry_z: [2]}", "entry_z does not vary"},
    {"WhenNever", "when: {stop_bps: [50, 100]}", "when: {stop_bps: [50, 60]}",
     "stop_bps never is 60"},
    {"WhenAlways", "when: {stop_bps: [50, 100]}", "when: {stop_bps: [0, 25, 50, 100]}",
     "so it always holds; leave it out"},
    {"WhenFixedItself", "values: [200, 50]", "values: [200]", "the parameter does not vary"},
    {"WhenOfAConditional", "stop_bps: {values: [100, 0, 50, 25]}",
     "stop_bps: {values: [100, 0, 50, 25], when: {lookback_bars: [12]}}",
     "stop_bps depends on lookback_bars itself"},
    {"RequireText", "seed: 3", "    require: fast\nseed: 3", "a list of comparisons"},
    {"RequireEmpty", "seed: 3", "    require: []\nseed: 3", "the list is empty"},
    {"RequireUnknown", "seed: 3", "    require: [stop_bps < exit]\nseed: 3", "exit"},
    {"RequireNothing", "seed: 3", "    require: [1 < 2]\nseed: 3", "1 < 2"},
};

INSTANTIATE_TEST_SUITE_P(All, ConditionRefusal, ::testing::ValuesIn(kWrong),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace winnow::sweeps::testing
