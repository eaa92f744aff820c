#include "sweeps/plan.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <set>

#include "base/rng.hpp"
#include "sweeps/design.hpp"
#include "tests/sweeps/support.hpp"

namespace winnow::sweeps::testing {
namespace {

const char* const kSearches[] = {"{method: grid}", "{method: random, samples: 300}",
                                 "{method: sobol, samples: 300}", "{method: lhs, samples: 300}"};

// kSpec with ranges wide enough to sample from.
std::string sampled(std::string_view search) {
  std::string spec = with("{method: grid}", search);
  spec = with("{int: [12, 288], step: 12}", "{int: [12, 288]}", spec);
  spec = with("{float: [1.0, 3.0], step: 0.25}", "{float: [1.0, 3.0]}", spec);
  spec = with("{values: [50, 100, 200]}", "{log: [10, 1000]}", spec);
  spec = with("{int: [4, 40], step: 4}", "{int: [2, 200]}", spec);
  spec = with("{int: [12, 120], step: 12}", "{log: [12, 400]}", spec);
  return with("trials: 100000", "trials: 100000000", spec);
}

Plan plan_with(const std::string& search) {
  auto plan = plan_of(search == kSearches[0] ? kSpec : sampled(search));
  EXPECT_TRUE(plan.ok()) << plan.error().text();
  return *std::move(plan);
}

// Every parameter of every trial, in order.
Hash128 params_hash(const Plan& plan) {
  KeyHasher hasher("params");
  for (const Segment& s : plan.segments()) {
    for (const double v : plan.params(s.first_trial, s.trials)) hasher.add(v);
  }
  return hasher.finish();
}

TEST(Plan, GoldenTrials) {
  // A change here changes the trials of sweeps that people have begun: raise sweep-1 in plan.cpp.
  EXPECT_EQ(params_hash(plan_with(kSearches[0])).hex(), "597943098b8c6afe20f541af2046da46");
  EXPECT_EQ(params_hash(plan_with(kSearches[1])).hex(), "9a07a27b1bcaa538abeaed23393b7a10");
  EXPECT_EQ(params_hash(plan_with(kSearches[2])).hex(), "64aa13998a446ddca7d43064db75ca9f");
  EXPECT_EQ(params_hash(plan_with(kSearches[3])).hex(), "68514686c1440f2452eec5c6396b3b36");
}

TEST(Plan, GridWalksLastParameterFastest) {
  const Plan plan = plan_with(kSearches[0]);
  const std::vector<double> first = plan.params(0, 4);
  ASSERT_EQ(first.size(), 24u);
  EXPECT_EQ(std::vector<double>(first.begin(), first.begin() + 6),
            (std::vector<double>{12, 1, 0, 50, 0, 0}));
  EXPECT_EQ(first[6 + 3], 100);
  EXPECT_EQ(first[12 + 3], 200);
  EXPECT_EQ(first[18 + 1], 1.25);
  EXPECT_EQ(plan.segments()[0].trials, 24u * 9 * 3);
}

TEST(Plan, PointsTheFamilyRefusesAreNotTrials) {
  const Plan plan = plan_with(kSearches[0]);
  // By hand: fast 4, 8, .. 40 against slow 12, 24, .. 120.
  std::vector<std::pair<double, double>> expected;
  for (int fast = 4; fast <= 40; fast += 4) {
    for (int slow = 12; slow <= 120; slow += 12) {
      if (fast < slow) expected.emplace_back(fast, slow);
    }
  }
  const Segment& s = plan.segments()[1];
  ASSERT_EQ(s.trials, expected.size());
  const std::vector<double> all = plan.params(s.first_trial, s.trials);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(all[3 * i], expected[i].first);
    EXPECT_EQ(all[3 * i + 1], expected[i].second);
  }
  EXPECT_EQ(plan.design(s).grid()->skipped(), 100 - expected.size());
}

TEST(Plan, CheckedParametersBetweenFreeOnesAreNumberedLikeABruteForceWalk) {
  // entry_z and exit_z are checked against each other, with free parameters on both sides.
  const std::string spec =
      "sweep: s\ndata: [btcusdt-5m]\nexecution: none\nstrategies:\n  - family: mean_reversion\n"
      "    params: {lookback_bars: {values: [10, 20, 30]}, entry_z: {float: [0.5, 2], step: 0.5},\n"
      "      exit_z: {float: [-1, 2], step: 0.5}, stop_bps: {values: [0, 50]},\n"
      "      max_hold_bars: {values: [0, 5, 9]}}\n";
  const auto plan = plan_of(spec);
  ASSERT_TRUE(plan.ok()) << plan.error().text();
  std::vector<double> expected;
  for (double lookback : {10., 20., 30.}) {
    for (double entry : {.5, 1., 1.5, 2.}) {
      for (double exit : {-1., -.5, 0., .5, 1., 1.5, 2.}) {
        for (double stop : {0., 50.}) {
          for (double hold : {0., 5., 9.}) {
            if (exit < entry) {
              expected.insert(expected.end(), {lookback, entry, exit, stop, 0., hold});
            }
          }
        }
      }
    }
  }
  EXPECT_EQ(plan->params(0, plan->trials()), expected);
  const Design& design = plan->design(plan->segments()[0]);
  std::vector<std::uint64_t> digits(6);
  for (std::uint64_t i = 0; i < design.size(); ++i) {
    design.grid()->unrank(i, digits);
    ASSERT_EQ(design.grid()->rank(digits), i);
  }
  digits = {0, 0, 6, 0, 0, 0};  // exit 2 is not below entry 0.5
  EXPECT_FALSE(design.grid()->rank(digits).has_value());
}

TEST(Plan, AnyAccessGivesWhatASequentialWalkGives) {
  for (const char* search : kSearches) {
    const Plan plan = plan_with(search);
    Rng rng(11);
    for (const Segment& s : plan.segments()) {
      const std::vector<double> all = plan.params(s.first_trial, s.trials);
      const std::size_t width = all.size() / s.trials;
      for (int k = 0; k < 200; ++k) {
        const std::uint64_t first = rng.below(s.trials);
        const std::uint64_t count = 1 + rng.below(std::min<std::uint64_t>(s.trials - first, 7));
        const std::vector<double> some = plan.params(s.first_trial + first, count);
        ASSERT_TRUE(std::equal(some.begin(), some.end(),
                               all.begin() + static_cast<std::ptrdiff_t>(first * width)));
      }
    }
  }
}

TEST(Plan, EveryTrialIsOneTheEngineTakes) {
  for (const char* search : kSearches) {
    const Plan plan = plan_with(search);
    for (const Segment& s : plan.segments()) {
      const std::vector<double> all = plan.params(s.first_trial, s.trials);
      const std::size_t width = all.size() / s.trials;
      for (std::size_t i = 0; i < s.trials; ++i) {
        const Status status =
            engine::check_params(plan.family(s), std::span(all).subspan(i * width, width));
        ASSERT_TRUE(status.ok()) << search << ": " << status.error().text();
      }
    }
  }
}

TEST(Plan, BlocksCoverTheTrialsOnceAndNeverCrossASegment) {
  for (const char* search : kSearches) {
    const Plan plan = plan_with(search);
    std::uint64_t next = 0;
    for (std::uint64_t b = 0; b < plan.blocks(); ++b) {
      const Plan::Range range = plan.block_range(b);
      ASSERT_EQ(range.first_trial, next);
      ASSERT_GT(range.rows, 0u);
      ASSERT_LE(range.rows, plan.block_rows());
      const Segment& s = plan.segment_of_block(b);
      ASSERT_EQ(&plan.segment_of_trial(range.first_trial), &s);
      ASSERT_EQ(&plan.segment_of_trial(range.first_trial + range.rows - 1), &s);
      next += range.rows;
    }
    EXPECT_EQ(next, plan.trials());
  }
}

TEST(Plan, BlocksStaySmallEnoughToSend) {
  for (const char* samples : {"20", "1000", "50000", "10000000"}) {
    const auto made =
        plan_of(std::string("sweep: s\ndata: [btcusdt-5m]\nexecution: none\nstrategies:\n"
                            "  - family: mean_reversion\n    params: {entry_z: {float: [1, 3]}}\n"
                            "search: {method: random, samples: ") +
                samples + "}\n");
    ASSERT_TRUE(made.ok()) << made.error().text();
    const Plan& plan = *made;
    const std::uint32_t rows = plan.block_rows();
    EXPECT_EQ(rows % 16, 0u);
    EXPECT_GE(rows, 16u);
    EXPECT_LE(rows, 4096u);
    const std::size_t bytes =
        rows * (engine::metric_decls().size() * 8 + plan.segments()[0].periods * 4 + 24);
    EXPECT_LE(bytes, std::size_t{512} << 10);
  }
}

TEST(Plan, PeriodsBoundTheDaysOfTheWindow) {
  const Plan plan = plan_with(kSearches[0]);
  EXPECT_EQ(plan.segments()[0].periods, 275u);  // 2023-01-01 to 2023-10-03, exclusive
}

TEST(Plan, ABillionPointsPlanInFewBytes) {
  const std::string spec =
      "sweep: big\ndata: [btcusdt-5m]\nexecution: none\nstrategies:\n  - family: mean_reversion\n"
      "    params: {lookback_bars: {int: [2, 1001], step: 1}, entry_z: {float: [1, 3], step: "
      "0.5},\n"
      "      exit_z: {values: [-1, 0]}, stop_bps: {int: [1, 1000], step: 1},\n"
      "      take_profit_bps: {int: [1, 100], step: 1}}\n";
  const std::size_t before = ::mallinfo2().uordblks;
  const auto plan = plan_of(spec);
  const std::size_t held = ::mallinfo2().uordblks - before;
  ASSERT_TRUE(plan.ok()) << plan.error().text();
  EXPECT_EQ(plan->trials(), 1'000'000'000u);
  // A byte a point would be a thousand times as much. To walk them all would end at ctest's limit.
  EXPECT_LT(held, std::size_t{1} << 20);
  EXPECT_EQ(plan->params(999'999'999, 1), (std::vector<double>{1001, 3, 0, 1000, 100, 0}));
  const Plan::Range last = plan->block_range(plan->blocks() - 1);
  EXPECT_EQ(last.first_trial + last.rows, plan->trials());
}

TEST(Plan, GridsOfCheckedParametersHaveAStatedLimit) {
  const std::string spec =
      "sweep: big\ndata: [btcusdt-5m]\nexecution: none\nstrategies:\n  - family: sma_cross\n"
      "    params: {fast_bars: {int: [1, 3000], step: 1}, slow_bars: {int: [2, 3001], step: 1}}\n";
  EXPECT_EQ(refusal(spec),
            "spec.yaml:6:13: strategies[0].params: the grid has 9000000 points of parameters that "
            "are checked against each other; at most 4194304 can be planned. Take longer "
            "steps or search at random");
}

TEST(Plan, SampledPointsThatTheFamilyRefusesAreDrawnAnew) {
  // About half of all draws have fast >= slow.
  for (const char* method : {"random", "sobol"}) {
    const std::string spec =
        std::string("sweep: s\ndata: [btcusdt-5m]\nexecution: none\nstrategies:\n") +
        "  - family: sma_cross\n    params: {fast_bars: {int: [2, 500]}, slow_bars: {int: [2, "
        "500]}}\nsearch: {method: " +
        method + ", samples: 1000}\n";
    const auto plan = plan_of(spec);
    ASSERT_TRUE(plan.ok()) << plan.error().text();
    EXPECT_EQ(plan->trials(), 1000u);
    std::set<std::pair<double, double>> distinct;
    const std::vector<double> all = plan->params(0, 1000);
    for (std::size_t i = 0; i < 1000; ++i) {
      EXPECT_LT(all[3 * i], all[3 * i + 1]);
      distinct.emplace(all[3 * i], all[3 * i + 1]);
    }
    EXPECT_GT(distinct.size(), 980u);
  }
  const auto lhs = plan_of(
      "sweep: s\ndata: [btcusdt-5m]\nexecution: none\nstrategies:\n  - family: sma_cross\n"
      "    params: {fast_bars: {int: [2, 500]}, slow_bars: {int: [2, 500]}}\n"
      "search: {method: lhs, samples: 1000}\n");
  ASSERT_TRUE(lhs.ok()) << lhs.error().text();
  EXPECT_GT(lhs->trials(), 400u);  // rows left out, not drawn anew
  EXPECT_LT(lhs->trials(), 600u);
}

TEST(Plan, SpaceWithHardlyAValidDrawIsRefused) {
  EXPECT_EQ(
      refusal("sweep: s\ndata: [btcusdt-5m]\nexecution: none\nstrategies:\n"
              "  - family: sma_cross\n    params: {fast_bars: {int: [1000, 2000]}, slow_bars: "
              "{int: [2, 1001]}}\nsearch: {method: random, samples: 10}\n")
          .substr(0, 75),
      "spec.yaml:6:13: strategies[0].params: only 0 of 1024 draws are valid; narro");
}

TEST(Plan, SeedChoosesSampledTrialsAndNothingElse) {
  const Plan a = plan_with(kSearches[1]);
  const Plan b = *plan_of(with("seed: 42", "seed: 43", sampled(kSearches[1])));
  EXPECT_NE(a.params(0, 1), b.params(0, 1));
  EXPECT_NE(a.id(), b.id());
  const std::vector<double> point = a.params(0, 1);
  EXPECT_EQ(a.key(a.segments()[0], point), b.key(b.segments()[0], point));
}

TEST(Plan, RandomSegmentsDrawAfreshAndSobolOnesShare) {
  const Plan random = plan_with(kSearches[1]);
  EXPECT_NE(random.params(random.segments()[0].first_trial, 5),
            random.params(random.segments()[2].first_trial, 5));
  const Plan sobol = plan_with(kSearches[2]);
  EXPECT_EQ(sobol.params(sobol.segments()[0].first_trial, 5),
            sobol.params(sobol.segments()[2].first_trial, 5));
}

TEST(TrialKey, EveryPartOfATrialCountsAndNothingElse) {
  ResolvedSpec base = *parse_spec(kSpec, "spec.yaml", catalog());
  const std::vector<double> point{24, 2, 0, 100, 0, 0};
  const auto key_of = [&](const auto& change, std::vector<double> params) {
    ResolvedSpec spec = base;
    change(spec);
    const Plan plan = *Plan::make(spec);
    return plan.key(plan.segments()[0], params);
  };
  const auto nothing = [](ResolvedSpec&) {};
  const TrialKey key = key_of(nothing, point);

  std::set<TrialKey> different{key};
  const auto differs = [&](const TrialKey& other) { return different.insert(other).second; };
  for (std::size_t p = 0; p < point.size(); ++p) {
    std::vector<double> moved = point;
    moved[p] += 1;
    EXPECT_TRUE(differs(key_of(nothing, moved))) << "parameter " << p;
  }
  EXPECT_TRUE(differs(key_of([](auto& s) { s.data[0].content_hash += "x"; }, point)));
  EXPECT_TRUE(differs(key_of([](auto& s) { s.from = s.from + days(1); }, point)));
  EXPECT_TRUE(differs(key_of([](auto& s) { s.to = s.to - days(1); }, point)));
  const auto execution = [&](auto change) {
    return key_of([&](auto& s) { change(s.execution_by_data[0]); }, point);
  };
  EXPECT_TRUE(differs(execution([](auto& m) { m.taker_fee_bps = 6; })));
  EXPECT_TRUE(differs(execution([](auto& m) { m.maker_fee_bps = 3; })));
  EXPECT_TRUE(differs(execution([](auto& m) { m.half_spread_bps = 3; })));
  EXPECT_TRUE(differs(execution([](auto& m) { m.half_spread_range_frac = 0.5; })));
  EXPECT_TRUE(differs(execution([](auto& m) {
    m.impact_y = 0;
    m.impact_bps = 3;
  })));
  EXPECT_TRUE(differs(execution([](auto& m) { m.participation_max_frac = 0.5; })));
  for (const engine::ExecutionRule& rule : engine::execution_rules()) {
    if (rule.sizes) continue;  // not each by itself makes a model: tests/engine/sizing_test.cpp
    const auto changed = [&](auto& m) {
      rule.set(m, rule.flag != nullptr ? !rule.value(m) : 0.25);
    };
    EXPECT_TRUE(differs(execution(changed))) << rule.name;
  }
  EXPECT_TRUE(differs(execution([](auto& m) { m.funding = false; })));
  EXPECT_TRUE(differs(execution([](auto& m) {
    m.sizing = engine::Sizing::FixedQty;
    m.fixed_qty = 1;
  })));
  EXPECT_TRUE(differs(execution([](auto& m) {
    engine::choose_sizing(m, engine::Sizing::Exposure);
    m.exposure_frac = 0.5;
  })));
  EXPECT_TRUE(differs(execution([](auto& m) { m.initial_cash = 5; })));
  EXPECT_TRUE(differs(execution([](auto& m) { m.rules[0].tick_px = 5; })));
  EXPECT_TRUE(differs(execution([](auto& m) { m.rules[0].lot_qty = 5; })));
  EXPECT_TRUE(differs(execution([](auto& m) { m.rules[0].qty_min = 5; })));
  EXPECT_TRUE(differs(execution([](auto& m) { m.rules[0].notional_min = 6; })));
  EXPECT_TRUE(differs(execution([](auto& m) { m.rules[0].from_ns += 1; })));

  const auto same = [&](const TrialKey& other) { return other == key; };
  EXPECT_TRUE(same(key_of([](auto& s) { s.name = "other"; }, point)));
  EXPECT_TRUE(same(key_of([](auto& s) { s.seed = 7; }, point)));
  EXPECT_TRUE(same(key_of([](auto& s) { s.data[0].name = "other"; }, point)));
  EXPECT_TRUE(same(key_of([](auto& s) { s.data[0].instrument = "other"; }, point)));
  EXPECT_TRUE(same(key_of([](auto& s) { s.data[1].content_hash = "other"; }, point)));
  EXPECT_TRUE(same(key_of([](auto& s) { s.strategies[0].params[0].high = 240; }, point)));
  EXPECT_TRUE(same(key_of([](auto& s) { s.execution_by_data[0].name = "other"; }, point)));
  // Before the first bar there is nothing to trade: an earlier start is the same window.
  EXPECT_TRUE(same(key_of([](auto& s) { s.from = s.from - days(30); }, point)));
  std::vector<double> negative_zero = point;
  negative_zero[2] = -0.0;
  EXPECT_TRUE(same(key_of(nothing, negative_zero)));
}

// What the ledger knows a trial and a sweep by is what engine version 1 called them: these values
// are in stores that people have, and must never change.
TEST(LedgerKey, IsFrozenAsVersionOneGaveIt) {
  ResolvedSpec spec = *parse_spec(kSpec, "spec.yaml", catalog());
  spec.execution = {};
  spec.execution.taker_fee_bps = 5;
  for (auto& e : spec.execution_by_data) e = spec.execution;
  const Plan plan = *Plan::make(spec);
  KeyHasher keys("ledger-keys");
  for (std::uint64_t b = 0; b < plan.blocks(); b += 7) {
    const auto range = plan.block_range(b);
    keys.add(plan.ledger_key(b, plan.params(range.first_trial, 1)));
  }
  EXPECT_EQ(keys.finish().hex(), "2f6d6d7b5ea8234047dd1d4b3e9d53eb");
  EXPECT_EQ(plan.ledger_id(), "d00b31965bdd48e6");
  EXPECT_NE(plan.id(), plan.ledger_id()) << "a sweep of this version is another one";
}

TEST(LedgerKey, DiffersFromTheTrialKeyByTheEditionOfItsSegment) {
  const Plan plan = plan_with(kSearches[0]);
  for (std::uint64_t b = 0; b < plan.blocks(); b += 11) {
    const std::vector<double> params = plan.params(plan.block_range(b).first_trial, 1);
    const Edition& edition = plan.edition(plan.segment_of_block(b));
    EXPECT_NE(edition, Edition{});
    EXPECT_EQ(plan.trial_key(b, params), with_edition(plan.ledger_key(b, params), edition));
    EXPECT_EQ(plan.ledger_key(b, params), with_edition(plan.trial_key(b, params), edition));
  }
}

// The calendar came with engine version 2: it names another sweep, and no other hypothesis.
TEST(LedgerKey, ACalendarIsNoOtherHypothesis) {
  ResolvedSpec spec = *parse_spec(kSpec, "spec.yaml", catalog());
  const Plan open = *Plan::make(spec);
  for (DatasetInfo& d : spec.data) d.periods_per_year = 252;
  const Plan closed = *Plan::make(spec);
  EXPECT_NE(open.id(), closed.id());
  EXPECT_EQ(open.ledger_id(), closed.ledger_id());
  EXPECT_EQ(open.ledger_key(0, open.params(0, 1)), closed.ledger_key(0, closed.params(0, 1)));
  const auto again = ResolvedSpec::from_json(spec.to_json());
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(again->data[0].periods_per_year, 252);
  EXPECT_EQ(spec.to_json().find("periods_per_year") == std::string::npos, false);
  EXPECT_EQ(open.spec().to_json().find("periods_per_year"), std::string::npos)
      << "what is not said leaves the ids of other sweeps as they were";
}

TEST(TrialKey, FamiliesAndDatasetsNeverShareAKey) {
  const Plan plan = plan_with(kSearches[0]);
  std::set<TrialKey> keys;
  for (const Segment& s : plan.segments()) {
    const std::vector<double> all = plan.params(s.first_trial, s.trials);
    const std::size_t width = all.size() / s.trials;
    for (std::size_t i = 0; i < s.trials; ++i) {
      keys.insert(plan.key(s, std::span(all).subspan(i * width, width)));
    }
  }
  EXPECT_EQ(keys.size(), plan.trials());
}

}  // namespace
}  // namespace winnow::sweeps::testing
