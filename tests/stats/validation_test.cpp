#include "sweeps/validation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/rng.hpp"
#include "sweeps/stats/basic.hpp"

namespace winnow::sweeps {
namespace {

using stats::Range;
using stats::Ranges;

ValidationProtocol walk_forward(std::size_t train, std::size_t test) {
  ValidationProtocol out;
  out.train = train;
  out.test = out.step = test;
  return out;
}

ValidationProtocol parts(ProtocolKind kind, std::size_t folds, std::size_t test_folds) {
  ValidationProtocol out;
  out.kind = kind;
  out.folds = folds;
  out.test_folds = test_folds;
  out.inner_folds = 3;
  return out;
}

FoldPlan planned(const ValidationProtocol& protocol, std::size_t days) {
  auto out = plan_folds(protocol, days);
  if (!out.ok()) ADD_FAILURE() << out.error().text();
  return out.ok() ? std::move(*out) : FoldPlan{};
}

std::string refused(const ValidationProtocol& protocol, std::size_t days) {
  const auto out = plan_folds(protocol, days);
  return out.ok() ? "accepted" : out.error().text();
}

/// Returns [variant][period]: noise, some variants rarely active, some never, some equal.
std::vector<std::vector<double>> seeded_panel(std::uint64_t seed, std::size_t variants,
                                              std::size_t periods) {
  Rng rng(seed);
  std::vector<std::vector<double>> out;
  for (std::size_t v = 0; v < variants; ++v) {
    if (v % 7 == 5) {
      out.push_back(out[v - 2]);  // an equal one: the lower number is picked
      continue;
    }
    std::vector<double> row(periods, v % 11 == 3 ? 0.001 : 0.0);  // those never vary
    const double active = v % 3 == 0 ? 0.05 : 1;
    for (double& r : row) {
      if (v % 11 != 3 && rng.uniform() < active) r = 0.02 * (rng.uniform() - 0.49);
    }
    out.push_back(std::move(row));
  }
  return out;
}

PanelView view_of(const std::vector<std::vector<double>>& panel) {
  std::vector<const double*> rows;
  for (const auto& row : panel) rows.push_back(row.data());
  return PanelView::of_rows(std::move(rows), panel.front().size());
}

struct Naive {
  bool found = false;
  std::size_t variant = 0;
  double sharpe = 0;
};
Naive naive_pick(const std::vector<std::vector<double>>& panel, const Ranges& train) {
  Naive best;
  for (std::size_t v = 0; v < panel.size(); ++v) {
    const auto days = gather(panel[v], train);
    const double sd = stats::stdev(days);
    if (!(sd > 1e-15)) continue;
    const double sharpe = stats::mean(days) / sd;
    if (best.found && !(sharpe > best.sharpe)) continue;
    best = {true, v, sharpe};
  }
  return best;
}

// Running sums only say who may win; the choice is that of the plain computation, in every bit.
TEST(FaultA1, PicksAreThoseOfThePlainSearch) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto panel = seeded_panel(seed, 150, 140);
    for (const auto& protocol :
         {walk_forward(20, 10), parts(ProtocolKind::KFold, 5, 1), parts(ProtocolKind::Cpcv, 6, 2),
          parts(ProtocolKind::Nested, 4, 1)}) {
      const FoldPlan plan = planned(protocol, 140);
      const auto trainings = trainings_of(plan);
      const auto picks = pick_variants(view_of(panel), trainings, serial_for());
      ASSERT_EQ(picks.size(), trainings.size());
      for (std::size_t k = 0; k < picks.size(); ++k) {
        const Naive naive = naive_pick(panel, trainings[k]);
        ASSERT_EQ(picks[k].found, naive.found);
        EXPECT_EQ(picks[k].variant, naive.variant) << "seed " << seed << ", training " << k;
        EXPECT_EQ(picks[k].sharpe, naive.sharpe);
      }
    }
  }
}

TEST(FaultA1, TheOrderOfVariantsAndThreadsDoesNotMatter) {
  const auto panel = seeded_panel(9, 200, 120);
  const FoldPlan plan = planned(walk_forward(30, 15), 120);
  FoldPicker forward(trainings_of(plan), 120);
  FoldPicker backward(trainings_of(plan), 120);
  for (std::size_t v = 0; v < panel.size(); ++v) forward.add(v, panel[v]);
  for (std::size_t v = panel.size(); v-- > 0;) backward.add(v, panel[v]);
  const ParallelFor reversed = [](std::size_t n, const std::function<void(std::size_t)>& body) {
    for (std::size_t i = n; i-- > 0;) body(i);
  };
  const auto other = pick_variants(view_of(panel), trainings_of(plan), reversed);
  for (std::size_t k = 0; k < forward.picks().size(); ++k) {
    EXPECT_EQ(forward.picks()[k].variant, backward.picks()[k].variant);
    EXPECT_EQ(forward.picks()[k].sharpe, backward.picks()[k].sharpe);
    EXPECT_EQ(forward.picks()[k].variant, other[k].variant);
  }
}

TEST(FaultA1, AVariantThatDoesNotMoveIsNeverPickedAndAFoldWithoutAPickHoldsCash) {
  std::vector<std::vector<double>> panel(3, std::vector<double>(60, 0.0));
  panel[1].assign(60, 0.0123);                                              // constant: no spread
  for (std::size_t t = 40; t < 60; ++t) panel[2][t] = t % 2 ? 0.01 : 0.02;  // moves late only
  const FoldPlan plan = planned(walk_forward(20, 10), 60);
  const auto found = validate_panel(plan, view_of(panel), 365);
  ASSERT_EQ(found.folds.size(), 4u);
  EXPECT_FALSE(found.folds[0].picked);
  EXPECT_TRUE(std::isnan(found.folds[0].train_sharpe_ann));
  EXPECT_EQ(found.folds[0].test.return_frac, 0);
  EXPECT_FALSE(found.folds[2].picked);
  EXPECT_TRUE(found.folds[3].picked);
  EXPECT_EQ(found.folds[3].pick, 2u);
  EXPECT_EQ(found.oos.days, 40u);
  EXPECT_DOUBLE_EQ(found.train_sharpe_ann_mean, found.folds[3].train_sharpe_ann);
}

TEST(FaultA1, AnchoredTrainingGrowsAndRollingKeepsItsLength) {
  ValidationProtocol protocol = walk_forward(30, 10);
  protocol.embargo = 2;
  protocol.purge = 1;
  const FoldPlan rolling = planned(protocol, 100);
  protocol.anchored = true;
  const FoldPlan anchored = planned(protocol, 100);
  ASSERT_EQ(rolling.folds.size(), 6u);
  ASSERT_EQ(anchored.folds.size(), 6u);
  for (std::size_t k = 0; k < 6; ++k) {
    const Range test{33 + 10 * k, 43 + 10 * k};
    EXPECT_EQ(rolling.folds[k].tests, (std::vector<Range>{test}));
    EXPECT_EQ(anchored.folds[k].tests, (std::vector<Range>{test}));
    EXPECT_EQ(rolling.folds[k].train, (Ranges{{10 * k, 30 + 10 * k}}));
    EXPECT_EQ(anchored.folds[k].train, (Ranges{{0, 30 + 10 * k}}));
    EXPECT_EQ(rolling.folds[k].purged, 1u);
    EXPECT_EQ(rolling.folds[k].embargoed, 2u);
  }
  protocol.step = 20;
  EXPECT_EQ(planned(protocol, 100).folds.size(), 3u);
  EXPECT_EQ(size_of(planned(protocol, 100).tested), 30u);
}

// A walk-forward goes by the calendar: a month without bars is a month.
TEST(FaultA1, WalkForwardGoesByTheCalendar) {
  std::vector<std::int64_t> days;
  for (std::int64_t d = 100; d < 250; ++d) {
    if (d < 140 || d >= 170) days.push_back(d);  // no bars for 30 days
  }
  ValidationProtocol protocol = walk_forward(20, 10);
  protocol.embargo = 1;
  const auto plan = plan_folds(protocol, std::span<const std::int64_t>(days));
  ASSERT_TRUE(plan.ok());
  for (const Fold& fold : plan->folds) {
    const std::int64_t start = days[fold.tests[0].first];
    const std::int64_t end = days[fold.tests[0].last - 1];
    EXPECT_LT(end - start, 10);
    EXPECT_LT(days[fold.train[0].last - 1], start - 1);
    EXPECT_GE(days[fold.train[0].first], start - 31);
    EXPECT_GE(size_of(fold.train), kTrainDaysMin);
    EXPECT_GE(fold.purged + fold.embargoed, 1u);
  }
  // Weekends off: one day of embargo is one day that has bars.
  std::vector<std::int64_t> weekdays;
  for (std::int64_t d = 4; d < 200; ++d) {
    if (d % 7 < 5) weekdays.push_back(d);
  }
  const auto worked = plan_folds(protocol, std::span<const std::int64_t>(weekdays));
  ASSERT_TRUE(worked.ok());
  for (const Fold& fold : worked->folds) EXPECT_GE(fold.tests[0].first, fold.train[0].last + 1);
}

// timeseriescv issue 8: an embargo that reaches the end of the sample removed nothing.
TEST(FaultA1, AnEmbargoRemovesTheRightDaysAtTheEndToo) {
  ValidationProtocol protocol = parts(ProtocolKind::KFold, 5, 1);
  protocol.embargo = 7;
  protocol.purge = 3;
  const FoldPlan plan = planned(protocol, 100);
  for (std::size_t k = 0; k < 5; ++k) {
    std::set<std::size_t> expected;
    for (std::size_t i = 0; i < 100; ++i) {
      const bool before = i + 3 < 20 * k;
      const bool after = i >= 20 * (k + 1) + 3 + 7;
      if (before || after) expected.insert(i);
    }
    std::set<std::size_t> train;
    for (const Range& r : plan.folds[k].train) {
      for (std::size_t i = r.first; i < r.last; ++i) train.insert(i);
    }
    EXPECT_EQ(train, expected) << k;
  }
  // The last but one: purge and embargo reach into the last fold. The last: nothing is behind it.
  EXPECT_EQ(plan.folds[3].purged, 6u);
  EXPECT_EQ(plan.folds[3].embargoed, 7u);
  EXPECT_EQ(plan.folds[4].purged, 3u);
  EXPECT_EQ(plan.folds[4].embargoed, 0u);
  protocol.embargo = 40;
  const FoldPlan longer = planned(protocol, 100);
  for (const Range& r : longer.folds[3].train) EXPECT_LE(r.last, 57u);
  EXPECT_EQ(longer.folds[3].embargoed, 17u);
}

// Two tests that are apart purge their own surroundings, not all that lies between them.
TEST(FaultA1, CombinatorialTestsThatAreApartKeepTheTrainingBetween) {
  ValidationProtocol protocol = parts(ProtocolKind::Cpcv, 6, 2);
  protocol.purge = 2;
  protocol.embargo = 1;
  const FoldPlan plan = planned(protocol, 120);
  ASSERT_EQ(plan.folds.size(), 15u);
  EXPECT_EQ(plan.paths, 5u);
  bool seen = false;
  for (const Fold& fold : plan.folds) {
    if (fold.tests[0] != Range{20, 40} || fold.tests[1] != Range{80, 100}) continue;
    seen = true;
    EXPECT_EQ(fold.train, (Ranges{{0, 18}, {43, 78}, {103, 120}}));
    EXPECT_EQ(fold.purged, 8u);
    EXPECT_EQ(fold.embargoed, 2u);
  }
  EXPECT_TRUE(seen);
}

TEST(FaultA1, NoProtocolTrainsWithinPurgeOrEmbargoOfATest) {
  for (const ProtocolKind kind : {ProtocolKind::KFold, ProtocolKind::Cpcv, ProtocolKind::Nested}) {
    ValidationProtocol protocol = parts(kind, 5, kind == ProtocolKind::Cpcv ? 2 : 1);
    protocol.purge = 2;
    protocol.embargo = 3;
    const FoldPlan plan = planned(protocol, 203);
    EXPECT_EQ(plan.tested, (Ranges{{0, 203}}));
    const auto check = [&](const Fold& fold) {
      for (const Range& test : fold.tests) {
        for (const Range& train : fold.train) {
          EXPECT_TRUE(train.last + 2 <= test.first || train.first >= test.last + 5);
        }
      }
    };
    for (const Fold& fold : plan.folds) check(fold);
    for (std::size_t k = 0; k < plan.inner.size(); ++k) {
      std::size_t tested = 0;
      for (const Fold& fold : plan.inner[k]) {
        check(fold);
        tested += size_of(fold.tests);
        for (const Range& train : fold.train) {
          for (const Range& test : plan.folds[k].tests) {
            EXPECT_TRUE(train.last + 2 <= test.first || train.first >= test.last + 5);
          }
        }
      }
      EXPECT_EQ(tested, size_of(plan.folds[k].train));
    }
  }
}

// What a variant will earn in the test shows in the eight days before it: a purge takes the leak
// away.
TEST(FaultA1, APurgeTakesAPlantedLeakAway) {
  const FoldPlan open = planned(walk_forward(48, 20), 68);
  ValidationProtocol protocol = walk_forward(40, 20);
  protocol.purge = 8;
  const FoldPlan purged = planned(protocol, 68);
  EXPECT_EQ(open.folds[0].tests, purged.folds[0].tests);
  std::size_t leaks_open = 0;
  std::size_t leaks = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Rng rng(seed);
    std::vector<std::vector<double>> panel(20, std::vector<double>(68));
    for (auto& row : panel) {
      for (double& r : row) r = 0.01 * (rng.uniform() - 0.5);
    }
    for (std::size_t t = 40; t < 68; ++t) panel[7][t] = t < 48 ? 0.05 : 0.01 * rng.uniform();
    leaks_open += validate_panel(open, view_of(panel), 365).folds[0].pick == 7 ? 1 : 0;
    leaks += validate_panel(purged, view_of(panel), 365).folds[0].pick == 7 ? 1 : 0;
  }
  EXPECT_GE(leaks_open, 36u);
  EXPECT_LE(leaks, 6u);  // one in twenty by chance
}

TEST(FaultA1, DegradationAndEfficiencyAreAsDefined) {
  const auto panel = seeded_panel(3, 60, 160);
  const FoldPlan plan = planned(walk_forward(40, 20), 160);
  const auto found = validate_panel(plan, view_of(panel), 252);
  std::vector<double> stitched;
  double sharpe = 0;
  double mean = 0;
  for (std::size_t k = 0; k < plan.folds.size(); ++k) {
    const Naive pick = naive_pick(panel, plan.folds[k].train);
    const auto train = gather(panel[pick.variant], plan.folds[k].train);
    const auto test = gather(panel[pick.variant], plan.folds[k].tests);
    stitched.insert(stitched.end(), test.begin(), test.end());
    sharpe += pick.sharpe * std::sqrt(252.0);
    mean += stats::mean(train) * 252;
  }
  const double folds = static_cast<double>(plan.folds.size());
  const double oos = stats::mean(stitched) / stats::stdev(stitched) * std::sqrt(252.0);
  EXPECT_NEAR(found.oos.sharpe_ann, oos, 1e-9);
  EXPECT_NEAR(found.degradation_frac, 1 - oos / (sharpe / folds), 1e-9);
  EXPECT_NEAR(found.efficiency, stats::mean(stitched) * 252 / (mean / folds), 1e-9);
  // Where training itself lost there is nothing to keep.
  std::vector<std::vector<double>> losing(2, std::vector<double>(160));
  for (std::size_t t = 0; t < 160; ++t) {
    losing[0][t] = t % 2 ? -0.01 : -0.02;
    losing[1][t] = t % 3 ? -0.01 : -0.03;
  }
  const auto lost = validate_panel(plan, view_of(losing), 365);
  EXPECT_LT(lost.train_sharpe_ann_mean, 0);
  EXPECT_TRUE(std::isnan(lost.degradation_frac));
  EXPECT_TRUE(std::isnan(lost.efficiency));
}

TEST(FaultA1, EveryPathIsOneHistory) {
  const auto panel = seeded_panel(4, 40, 120);
  const FoldPlan plan = planned(parts(ProtocolKind::Cpcv, 6, 2), 120);
  const auto found = validate_panel(plan, view_of(panel), 365);
  ASSERT_EQ(found.paths.size(), 5u);
  for (const OosFigures& path : found.paths) EXPECT_EQ(path.days, 120u);
  EXPECT_EQ(found.oos.days, 600u);
  // The first path by hand: each group from the first split that tests it.
  std::vector<double> first;
  for (std::size_t group = 0; group < 6; ++group) {
    const Range wanted{group * 20, group * 20 + 20};
    for (std::size_t k = 0; k < plan.folds.size(); ++k) {
      const auto& tests = plan.folds[k].tests;
      if (std::find(tests.begin(), tests.end(), wanted) == tests.end()) continue;
      const auto days = gather(panel[found.folds[k].pick], std::span(&wanted, 1));
      first.insert(first.end(), days.begin(), days.end());
      break;
    }
  }
  EXPECT_DOUBLE_EQ(found.paths[0].sharpe_ann, oos_figures(first, 365).sharpe_ann);
}

TEST(FaultA1, ImpossibleProtocolsAreRefusedWithNumbers) {
  EXPECT_EQ(refused(walk_forward(90, 30), 100),
            "train 90 days, embargo and purge 0 days and test 30 days need 120 days; the window "
            "has 100");
  EXPECT_EQ(refused(walk_forward(3, 30), 100),
            "no fold has 5 days to train on (train 3 days, embargo and purge 0 days; the window "
            "has 100 days, 100 of them with bars)");
  EXPECT_EQ(refused(walk_forward(90, 5), 96),
            "the folds test 5 days together; at least 10 are needed");
  ValidationProtocol embargoed = parts(ProtocolKind::KFold, 3, 1);
  embargoed.embargo = 64;
  EXPECT_EQ(refused(embargoed, 90),
            "fold 1 leaves 0 days to train on (embargo 64 days, purge 0 "
            "days); at least 5 are needed");
  EXPECT_EQ(refused(parts(ProtocolKind::Cpcv, 30, 15), 400),
            "30 groups, 15 tested together, make 155117520 splits; at most 5000 are computed");
}

// Stored text may be damaged: no length wraps, no count of splits overflows.
TEST(FaultA1, DamagedProtocolsAreRefused) {
  for (const char* text :
       {"", "{}", R"({"protocol":"other","embargo_ns":0,"purge_ns":0})",
        R"({"protocol":"kfold","folds":3,"embargo_ns":-1,"purge_ns":0})",
        R"({"protocol":"walk_forward","train_ns":-86400000000000,"test_ns":1,"step_ns":1,)"
        R"("embargo_ns":0,"purge_ns":0,"anchored":false})",
        R"({"protocol":"kfold","folds":3,"embargo_ns":9223372036854775807,"purge_ns":0})"}) {
    EXPECT_FALSE(declared_validation(text).ok()) << text;
  }
  const auto many = declared_validation(
      R"({"protocol":"cpcv","groups":400,"test_groups":200,"embargo_ns":0,"purge_ns":0})");
  ASSERT_TRUE(many.ok());
  EXPECT_FALSE(plan_folds(*many, std::size_t{1000}).ok());
}

}  // namespace
}  // namespace winnow::sweeps
