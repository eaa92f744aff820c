#include "sweeps/adaptive.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/engine.hpp"
#include "sweeps/judged.hpp"
#include "tests/sweeps/support.hpp"

namespace winnow::sweeps::testing {
namespace {

using search::Outcome;
using search::OutcomeState;

// One family on one dataset, searched by `search`.
std::string learning(std::string_view search) {
  return "sweep: learns\ndata: [btcusdt-5m]\nwindow: {from: 2023-01-01, to: 2024-01-01}\n"
         "execution: binance-usdm\nstrategies:\n  - family: sma_cross\n    params:\n"
         "      fast_bars: {int: [2, 200]}\n      slow_bars: {log: [12, 400]}\nseed: 3\n" +
         std::string(search);
}

const char* const kSearches[] = {
    "search: {method: tpe, trials: 192, generation: 32}\n",
    "search: {method: cmaes, trials: 192, generation: 32}\n",
    "search: {method: nsga2, trials: 192, generation: 32, objectives: [sharpe_ann, calmar]}\n",
    "search: {method: tpe, trials: 300, generation: 8}\n"
    "fidelity: {method: halving, shortest: 40d, eta: 3}\n",
    "search: {method: random, trials: 300, generation: 8}\n"
    "fidelity: {method: hyperband, shortest: 30d, eta: 3}\n",
    "search: {method: cmaes, trials: 192, generation: 32}\n"
    "fidelity: {method: asha, shortest: 40d, eta: 2}\n"};

Plan must(const Result<Plan>& plan) {
  EXPECT_TRUE(plan.ok()) << plan.error().text();
  return *plan;
}

// Some fail, one has no number; the others follow from their parameters and rung.
std::vector<Outcome> outcomes_of(const GenerationRows& rows, std::size_t objectives) {
  std::vector<Outcome> out;
  for (std::uint64_t r = 0; r < rows.rows(); ++r) {
    const double* p = rows.values.data() + r * rows.width;
    Outcome o;
    for (std::size_t k = 0; k < objectives; ++k) {
      o.losses.push_back(std::abs(p[0] - 60) + std::abs(p[1] - 200) * static_cast<double>(k + 1) +
                         1.0 / (1 + rows.rungs[r]));
    }
    const std::uint64_t trial = rows.first_row + r;
    if (trial % 7 == 3) o = {.state = OutcomeState::Failed};
    if (trial % 31 == 8) o.losses.assign(objectives, std::nan(""));
    out.push_back(o);
  }
  return out;
}

// All rows as text; the search is put down and taken up again before generation `stop`.
std::string run(const Plan& plan, int stop, std::uint64_t* trials = nullptr) {
  const Segment& segment = plan.segments()[0];
  auto made = SegmentSearch::make(plan, segment);
  EXPECT_TRUE(made.ok()) << made.error().text();
  SegmentSearch search = *std::move(made);
  std::string trace;
  for (int g = 0; search.rows_made() < segment.trials; ++g) {
    const Status opened = search.open();
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    if (!opened.ok()) return trace;
    if (g == stop) {
      auto again = SegmentSearch::restore(plan, segment, search.checkpoint());
      EXPECT_TRUE(again.ok()) << again.error().text();
      search = *std::move(again);
    }
    const GenerationRows rows = search.open_rows();
    EXPECT_EQ(rows.first_row % kAdaptiveBlockRows, 0u);
    EXPECT_EQ(rows.rows() % kAdaptiveBlockRows, 0u);
    for (std::uint64_t r = 0; r < rows.rows(); ++r) {
      EXPECT_EQ(rows.rungs[r], rows.rungs[r / kAdaptiveBlockRows * kAdaptiveBlockRows]);
      trace += std::to_string(rows.rungs[r]);
      for (std::uint32_t p = 0; p < rows.width; ++p) {
        trace += " " + std::to_string(rows.values[r * rows.width + p]);
      }
      trace += "\n";
    }
    EXPECT_TRUE(search.tell(outcomes_of(rows, plan.spec().adaptive.objectives.size())).ok());
  }
  if (trials != nullptr) *trials = search.rows_made();
  return trace;
}

// The whole grid of the same family over a window.
std::string with_grid(const std::string& window) {
  std::string yaml = learning("search: {method: grid}\n");
  yaml = with("{from: 2023-01-01, to: 2024-01-01}", window, yaml);
  yaml = with("{int: [2, 200]}", "10", yaml);
  return with("{log: [12, 400]}", "100", yaml);
}

TEST(AdaptiveSearch, MakesExactlyTheTrialsOfThePlanWhateverFails) {
  for (const char* search : kSearches) {
    const Plan plan = must(plan_of(learning(search)));
    std::uint64_t trials = 0;
    run(plan, -1, &trials);
    EXPECT_EQ(trials, plan.trials()) << search;
  }
}

TEST(AdaptiveSearch, TakenUpAnywhereItMakesTheSameRows) {
  for (const char* search : kSearches) {
    const Plan plan = must(plan_of(learning(search)));
    const std::string whole = run(plan, -1);
    for (int stop = 0; stop < 7; ++stop) EXPECT_EQ(run(plan, stop), whole) << search << stop;
  }
}

TEST(AdaptiveSearch, RowsAreVariantsTheFamilyAccepts) {
  for (const char* search : kSearches) {
    const Plan plan = must(plan_of(learning(search)));
    auto made = SegmentSearch::make(plan, plan.segments()[0]);
    ASSERT_TRUE(made.ok());
    ASSERT_TRUE(made->open().ok());
    const GenerationRows& rows = made->open_rows();
    for (std::uint64_t r = 0; r < rows.rows(); ++r) {
      const auto params = std::span(rows.values).subspan(r * rows.width, rows.width);
      EXPECT_TRUE(engine::check_params(plan.family(plan.segments()[0]), params).ok());
    }
  }
}

TEST(AdaptivePlan, KnowsTheRowsItWasGivenAndNoOthers) {
  const Plan plan = must(plan_of(learning(kSearches[0])));
  EXPECT_EQ(plan.trials(), 192u);
  EXPECT_EQ(plan.blocks(), 24u);
  EXPECT_FALSE(plan.known(0));
  auto search = SegmentSearch::make(plan, plan.segments()[0]);
  ASSERT_TRUE(search.ok() && search->open().ok());
  const GenerationRows& rows = search->open_rows();
  const Plan with = must(plan.with_rows({&rows, 1}));
  EXPECT_TRUE(with.known(3));
  EXPECT_FALSE(with.known(4));
  EXPECT_EQ(with.params(0, 32), rows.values);
  EXPECT_TRUE(std::isnan(with.params(32, 1)[0]));
  EXPECT_EQ(with.id(), plan.id());
  const GenerationRows shipped = rows_of_blocks(with, 1, 2);
  const auto decoded = decode_generation(encode_generation(shipped));
  ASSERT_TRUE(decoded.ok());
  const Plan node = must(plan.with_rows({&*decoded, 1}));
  EXPECT_FALSE(node.known(0));
  EXPECT_TRUE(node.known(2));
  EXPECT_EQ(node.params(8, 16), with.params(8, 16));
  GenerationRows beyond = rows;
  beyond.first_row = 176;
  EXPECT_FALSE(plan.with_rows({&beyond, 1}).ok());
}

TEST(AdaptivePlan, AShorterWindowIsAnotherTrial) {
  const Plan plan = must(plan_of(learning(kSearches[5])));
  ASSERT_EQ(plan.rungs(), 5u);  // 40, 80, 160, 320 and 365 days
  const Segment& segment = plan.segments()[0];
  std::vector<double> point(plan.design(segment).parameters());
  plan.design(segment).place(std::vector<double>{8, 100}, point);  // fast_bars by position
  ASSERT_EQ(point[0], 10);
  GenerationRows rows{0, 0, static_cast<std::uint32_t>(point.size()), {}, {}, {}};
  for (std::size_t r = 0; r < 16; ++r) {
    rows.values.insert(rows.values.end(), point.begin(), point.end());
    rows.rungs.push_back(r < 8 ? 0 : 4);
  }
  const Plan with = must(plan.with_rows({&rows, 1}));
  EXPECT_EQ(with.window_to(0), plan.spec().from + days(40));
  EXPECT_EQ(with.window_to(1), plan.spec().to);
  EXPECT_NE(with.trial_key(0, point), with.trial_key(1, point));
  EXPECT_EQ(with.trial_key(1, point), plan.key(plan.segments()[0], point));
  // The same bars are the same trial, whatever search asks for them.
  const Plan grid = must(plan_of(with_grid("{from: 2023-01-01, to: 2023-02-10}")));
  EXPECT_EQ(grid.key(grid.segments()[0], point), with.trial_key(0, point));
}

TEST(Judged, ASearchIsJudgedByWhatItTriedBeforeItLearned) {
  const Plan plan = must(plan_of(learning(kSearches[0])));
  const Segment& segment = plan.segments()[0];
  const Judged judged = judged_variants(plan, segment);
  EXPECT_EQ(judged.rows, 32u);
  EXPECT_EQ(judged.chosen_by_periods, 0u);
  EXPECT_TRUE(judged.counts(plan, segment, 31));
  EXPECT_FALSE(judged.counts(plan, segment, 32));
  EXPECT_FALSE(judged.note.empty());
  const Plan grid = must(plan_of(learning("search: {method: random, samples: 200}\n")));
  EXPECT_EQ(judged_variants(grid, grid.segments()[0]).rows, 200u);
  EXPECT_EQ(judged_variants(grid, grid.segments()[0]).note, "");
}

TEST(Judged, AWarmStartLeavesNoDays) {
  const Plan plan = must(plan_of(learning(
      "search: {method: tpe, trials: 192, generation: 32, warm_start: 0123456789abcdef}\n")));
  EXPECT_EQ(judged_variants(plan, plan.segments()[0]).chosen_by_periods, Judged::kAllPeriods);
}

TEST(Judged, ALadderIsJudgedByAllOrByTheDaysAfterIt) {
  const std::string ladder = learning(
      "search: {method: random, trials: 300, generation: 8}\n"
      "fidelity: {method: hyperband, shortest: 30d, eta: 3}\n");
  const Plan all = must(plan_of(ladder));
  const Segment& segment = all.segments()[0];
  EXPECT_EQ(judged_variants(all, segment).variants(all, segment), segment.trials);
  const Plan later = must(plan_of(ladder + "convergence: {survivors: later_days}\n"));
  const Judged judged = judged_variants(later, segment);
  EXPECT_EQ(judged.chosen_by_periods, 270u);  // 30, 90, 270 days and the whole
  GenerationRows rows{0, 0, 2, {}, {}, {}};
  rows.width = static_cast<std::uint32_t>(later.design(segment).parameters());
  rows.values.assign(std::size_t{16} * rows.width, 10.0);
  rows.rungs.assign(8, 2);
  rows.rungs.resize(16, 3);
  const Plan with = must(later.with_rows({&rows, 1}));
  EXPECT_FALSE(judged.counts(with, segment, 7));
  EXPECT_TRUE(judged.counts(with, segment, 8));
  EXPECT_EQ(judged.variants(with, segment), 8u);
}

TEST(AdaptivePlan, HowFarASearchOfOneSegmentGoesDoesNotNameIt) {
  const auto id = [](const std::string& yaml) { return must(plan_of(yaml)).id(); };
  const std::string a = learning(kSearches[0]);
  EXPECT_EQ(id(a), id(with("trials: 192", "trials: 320", a)));
  EXPECT_NE(id(a), id(with("generation: 32", "generation: 64", a)));
  EXPECT_NE(id(a), id(with("seed: 3", "seed: 4", a)));
  EXPECT_NE(id(a), id(with("trials: 192", "trials: 192, objective: calmar", a)));
}

TEST(AdaptiveSpec, TrialsAreWholeGenerationsAndSaySo) {
  auto spec = parse_spec(learning("search: {method: tpe, trials: 100}\n"), "spec.yaml", catalog());
  ASSERT_TRUE(spec.ok()) << spec.error().text();
  EXPECT_EQ(spec->samples, 128u);
  EXPECT_EQ(spec->warnings.back(), "search.trials 100 becomes 128, whole generations of 64");
  const auto back = ResolvedSpec::from_json(spec->to_json());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->to_json(), spec->to_json());
}

TEST(AdaptiveSpec, LadderWhoseTopIsOutOfReachSaysSo) {
  const auto warnings = [](const char* trials) {
    const auto spec =
        parse_spec(learning("search: {method: lhs, generation: 32, trials: " + std::string(trials) +
                            "}\nfidelity: {method: asha, shortest: 40d, eta: 3}\n"),
                   "spec.yaml", catalog());
    EXPECT_TRUE(spec.ok()) << spec.error().text();
    return spec ? spec->warnings : std::vector<std::string>();
  };
  ASSERT_EQ(warnings("64").size(), 1u);  // 40, 120 and 360 days, then all
  EXPECT_EQ(warnings("64")[0],
            "search.trials 64: none will see the whole window, and no other is ranked; that takes "
            "320 or more, or a longer fidelity.shortest");
  EXPECT_TRUE(warnings("320").empty());
}

TEST(AdaptiveSpec, JsonFromElsewhereIsCheckedBeforeItIsPlanned) {
  const auto spec = parse_spec(learning(kSearches[3]), "spec.yaml", catalog());
  ASSERT_TRUE(spec.ok());
  const auto planned = [&](auto change) {
    ResolvedSpec s = *spec;
    change(s);
    return Plan::make(s).ok();
  };
  EXPECT_TRUE(planned([](ResolvedSpec&) {}));
  EXPECT_FALSE(planned([](ResolvedSpec& s) { s.adaptive.eta = 0; }));
  EXPECT_FALSE(planned([](ResolvedSpec& s) { s.adaptive.shortest = {}; }));
  EXPECT_FALSE(planned([](ResolvedSpec& s) { s.adaptive.generation = 9; }));
  EXPECT_FALSE(planned([](ResolvedSpec& s) { s.adaptive.objectives = {"nothing"}; }));
  EXPECT_FALSE(planned([](ResolvedSpec& s) { s.samples += 1; }));
  EXPECT_FALSE(planned([](ResolvedSpec& s) { s.adaptive.generation = 0; }));
}

TEST(Generation, DamagedBytesAreRefused) {
  const GenerationRows rows{0, 8, 1, {1, 2}, {0, 0}, "state"};
  const std::string bytes = encode_generation(rows);
  ASSERT_TRUE(decode_generation(bytes).ok());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    EXPECT_FALSE(decode_generation(damaged).ok()) << i;
  }
  EXPECT_FALSE(decode_generation(bytes.substr(0, 30)).ok());
}

}  // namespace
}  // namespace winnow::sweeps::testing
