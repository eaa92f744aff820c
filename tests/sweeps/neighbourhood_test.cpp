#include "sweeps/neighbourhood.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "tests/sweeps/support.hpp"

namespace winnow::sweeps::testing {
namespace {

Plan make_plan(const std::string& strategy, const std::string& search = "{method: grid}") {
  auto plan = plan_of("sweep: s\ndata: [btcusdt-5m, ethusdt-5m]\nexecution: none\nstrategies:\n" +
                      strategy + "search: " + search + "\nseed: 3\n");
  EXPECT_TRUE(plan.ok()) << plan.error().text();
  return *std::move(plan);
}

const std::string kPlane =
    "  - family: sma_cross\n"
    "    params: {fast_bars: {int: [4, 40], step: 4}, slow_bars: {int: [12, 120], step: 12}}\n";

std::vector<double> params_of(const Plan& plan, std::uint64_t trial) {
  return plan.params(trial, 1);
}

TEST(Neighbourhoods, GridNeighboursAreOneStepAwayAndValid) {
  const Plan plan = make_plan(kPlane);
  const Segment& s = plan.segments()[1];  // not the first: trials are numbered over the plan
  const auto hoods = Neighbourhoods::make(plan, s);
  ASSERT_TRUE(hoods.ok());
  EXPECT_EQ(hoods->candidates(), s.trials);
  for (std::uint64_t t = s.first_trial; t < s.first_trial + s.trials; ++t) {
    const std::vector<double> mine = params_of(plan, t);
    std::set<std::uint64_t> expected;
    for (std::uint64_t u = s.first_trial; u < s.first_trial + s.trials; ++u) {
      const std::vector<double> other = params_of(plan, u);
      if (std::fabs(other[0] - mine[0]) <= 4 && std::fabs(other[1] - mine[1]) <= 12) {
        expected.insert(u);
      }
    }
    const std::vector<std::uint64_t> members = hoods->around(t);
    EXPECT_EQ(std::set<std::uint64_t>(members.begin(), members.end()), expected);
    EXPECT_EQ(members.size(), expected.size());
    EXPECT_TRUE(std::is_sorted(members.begin(), members.end()));
  }
}

// Sums of all at once are those of the listed neighbours, whatever the design.
TEST(Neighbourhoods, SumsAreThoseOfTheNeighbours) {
  const std::string refused =
      "  - family: sma_cross\n"
      "    params: {fast_bars: {int: [4, 60], step: 4}, slow_bars: {values: [50, 20, 110, 80]}}\n";
  const std::string wide =
      "  - family: mean_reversion\n"
      "    params: {lookback_bars: {int: [12, 48], step: 12}, entry_z: {float: [1.0, 2.0], step: "
      "0.5}, "
      "stop_bps: {values: [0, 300, 100]}, max_hold_bars: {int: [0, 24], step: 12}}\n";
  const std::string line =
      "  - family: sma_cross\n"
      "    params: {fast_bars: {int: [4, 40], step: 4}, slow_bars: 100}\n";
  for (const auto& [strategy, search] :
       {std::pair{kPlane, "{method: grid}"}, std::pair{refused, "{method: grid}"},
        std::pair{wide, "{method: grid}"}, std::pair{line, "{method: grid}"},
        std::pair{wide, "{method: random, samples: 60}"}}) {
    const Plan plan = make_plan(strategy, search);
    const Segment& s = plan.segments()[1];
    const auto hoods = Neighbourhoods::make(plan, s);
    ASSERT_TRUE(hoods.ok());
    std::vector<double> values;
    for (std::uint64_t i = 0; i < s.trials; ++i)
      values.push_back(std::sin(1.0 + 7.0 * static_cast<double>(i)));
    const Neighbourhoods::Sums sums = hoods->sums(values);
    for (std::uint64_t i = 0; i < s.trials; ++i) {
      double sum = 0;
      const auto members = hoods->around(s.first_trial + i);
      for (const std::uint64_t m : members) sum += values[m - s.first_trial];
      EXPECT_NEAR(sums.sum[i], sum, 1e-12) << strategy << i;
      EXPECT_EQ(sums.members[i], static_cast<double>(members.size())) << strategy << i;
    }
  }
}

TEST(Neighbourhoods, SmallOnesArePassedOver) {
  const Plan plan = make_plan(kPlane);
  const Segment& s = plan.segments()[0];
  const auto hoods = Neighbourhoods::make(plan, s, {.members_min = 9});
  std::uint64_t visited = 0;
  hoods->for_each([&](const Neighbourhood& n) {
    EXPECT_EQ(n.members.size(), 9u);
    ++visited;
    return true;
  });
  EXPECT_GT(visited, 20u);
  EXPECT_LT(visited, s.trials);
  std::uint64_t until_stopped = 0;
  hoods->for_each([&](const Neighbourhood&) { return ++until_stopped < 3; });
  EXPECT_EQ(until_stopped, 3u);
}

TEST(Neighbourhoods, ListsAreSteppedInOrderOfSize) {
  const Plan plan = make_plan(
      "  - family: sma_cross\n"
      "    params: {fast_bars: {values: [30, 10, 20]}, slow_bars: {values: [200, 100]}}\n");
  const Segment& s = plan.segments()[0];
  const auto hoods = Neighbourhoods::make(plan, s);
  std::set<double> fast;
  // Trial 2 is fast 10: its neighbours are 10 and 20, not 30.
  ASSERT_EQ(params_of(plan, 2)[0], 10);
  for (const std::uint64_t t : hoods->around(2)) fast.insert(params_of(plan, t)[0]);
  EXPECT_EQ(fast, (std::set<double>{10, 20}));
}

TEST(Neighbourhoods, OneVaryingParameterReachesTwoSteps) {
  const Plan plan = make_plan(
      "  - family: mean_reversion\n    params: {lookback_bars: {int: [10, 20], step: 1}}\n");
  const auto hoods = Neighbourhoods::make(plan, plan.segments()[0]);
  EXPECT_EQ(hoods->radius(), 2u);
  EXPECT_EQ(hoods->around(5), (std::vector<std::uint64_t>{3, 4, 5, 6, 7}));
  EXPECT_EQ(hoods->around(0), (std::vector<std::uint64_t>{0, 1, 2}));
  EXPECT_FALSE(hoods->at(0).has_value());
  EXPECT_TRUE(hoods->at(2).has_value());
}

TEST(Neighbourhoods, TilesHoldEveryTrialOnce) {
  for (const char* search : {"{method: grid}", "{method: lhs, samples: 500}"}) {
    const bool grid = std::string_view(search) == "{method: grid}";
    const Plan plan =
        make_plan(grid ? kPlane
                       : "  - family: sma_cross\n"
                         "    params: {fast_bars: {int: [2, 200]}, slow_bars: {int: [10, 400]}}\n",
                  search);
    const Segment& s = plan.segments()[1];
    const auto tiles = Neighbourhoods::make(plan, s, {.cover = Cover::Tiles, .members_min = 1});
    ASSERT_TRUE(tiles.ok());
    std::map<std::uint64_t, int> seen;
    std::uint64_t count = 0;
    tiles->for_each([&](const Neighbourhood& n) {
      EXPECT_TRUE(std::count(n.members.begin(), n.members.end(), n.centre) == 1);
      for (const std::uint64_t t : n.members) ++seen[t];
      ++count;
      return true;
    });
    EXPECT_EQ(seen.size(), s.trials);
    EXPECT_EQ(seen.begin()->first, s.first_trial);
    EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](auto& e) { return e.second == 1; }));
    EXPECT_GE(count, s.trials / 25);
  }
}

TEST(Neighbourhoods, SampledNeighboursAreTheNearestByBruteForce) {
  for (const char* method : {"random", "sobol", "lhs"}) {
    const Plan plan = make_plan(
        "  - family: mean_reversion\n    params: {lookback_bars: {log: [10, 1000]},\n"
        "      entry_z: {float: [1, 3]}, stop_bps: {values: [0, 100, 400]}}\n",
        std::string("{method: ") + method + ", samples: 300}");
    const Segment& s = plan.segments()[1];
    const auto hoods = Neighbourhoods::make(plan, s, {.nearest = 8});
    ASSERT_TRUE(hoods.ok());
    const Design& design = plan.design(s);
    const auto unit = [&](std::uint64_t t) {
      const std::vector<double> v = params_of(plan, t);
      return std::array{design.axis(0).to_unit(v[0]), design.axis(1).to_unit(v[1]),
                        design.axis(3).to_unit(v[3])};
    };
    for (std::uint64_t t = s.first_trial; t < s.first_trial + s.trials; ++t) {
      std::vector<std::pair<double, std::uint64_t>> all;
      const auto mine = unit(t);
      for (std::uint64_t u = s.first_trial; u < s.first_trial + s.trials; ++u) {
        const auto other = unit(u);
        double distance = 0;
        for (std::size_t a = 0; a < 3; ++a) {
          const double d = other[a] - mine[a];
          distance += d * d;
        }
        all.emplace_back(u == t ? -1 : distance, u);
      }
      std::sort(all.begin(), all.end());
      std::vector<std::uint64_t> expected;
      for (std::size_t k = 0; k < 9; ++k) expected.push_back(all[k].second);
      std::sort(expected.begin(), expected.end());
      ASSERT_EQ(hoods->around(t), expected) << method << " trial " << t;
    }
  }
}

TEST(Neighbourhoods, MoreSamplesThanThereAreGiveAll) {
  const Plan plan = make_plan(
      "  - family: sma_cross\n    params: {fast_bars: {int: [2, 50]}, slow_bars: {int: [60, "
      "90]}}\n",
      "{method: random, samples: 4}");
  const auto hoods = Neighbourhoods::make(plan, plan.segments()[0]);
  EXPECT_EQ(hoods->around(2), (std::vector<std::uint64_t>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace winnow::sweeps::testing
