#include "sweeps/search/sampler.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "sweeps/axis.hpp"
#include "tests/sweeps/support.hpp"

namespace winnow::sweeps::testing {
namespace {

ParamSpace space(ValueKind kind, double low, double high, double step = 0) {
  ParamSpace s;
  s.name = "p";
  s.kind = kind;
  s.integer = kind == ValueKind::IntRange;
  s.low = low;
  s.high = high;
  s.step = step;
  return s;
}

TEST(Sobol, EqualsThePublishedVectors) {
  const auto file = source_dir() / "tests/oracles/11_search_a.json";
  int points = 0;
  const nlohmann::json document = nlohmann::json::parse(read_text(file));
  for (const auto& one : document.at("cases")) {
    const std::string name = one.at("name");
    if (!name.starts_with("sobol_d")) continue;
    const std::uint64_t skip = one.at("inputs").at("skip");
    const auto& expected = one.at("expected").at("points");
    for (std::size_t i = 0; i < expected.size(); ++i) {
      for (std::size_t d = 0; d < expected[i].size(); ++d) {
        EXPECT_EQ(sobol(skip + i, d), expected[i][d].get<double>()) << name << " " << i << " " << d;
        ++points;
      }
    }
  }
  EXPECT_EQ(points, 16 * 8 + 8 * 3);
}

TEST(Sobol, FirstPointsOfEightDimensions) {
  // The start of the unscrambled Gray-code sequence, as every published implementation gives it.
  const double expected[5][8] = {{0, 0, 0, 0, 0, 0, 0, 0},
                                 {.5, .5, .5, .5, .5, .5, .5, .5},
                                 {.75, .25, .25, .25, .75, .75, .25, .75},
                                 {.25, .75, .75, .75, .25, .25, .75, .25},
                                 {.375, .375, .625, .875, .375, .125, .375, .875}};
  for (std::uint64_t i = 0; i < 5; ++i) {
    for (std::size_t d = 0; d < 8; ++d) EXPECT_EQ(sobol(i, d), expected[i][d]);
  }
}

TEST(Sobol, EveryDimensionAndPairIsBalanced) {
  // 2^k consecutive points from 0 put one into each of 2^k intervals of every coordinate, and in
  // two dimensions 64 points put one into each cell for the first pair.
  for (std::size_t d = 0; d < kSobolDimensionsMax; ++d) {
    std::set<int> cells;
    for (std::uint64_t i = 0; i < 1024; ++i) {
      const double u = sobol(i, d);
      ASSERT_GE(u, 0);
      ASSERT_LT(u, 1);
      cells.insert(static_cast<int>(u * 1024));
    }
    EXPECT_EQ(cells.size(), 1024u) << "dimension " << d;
  }
  std::set<int> cells;
  for (std::uint64_t i = 0; i < 64; ++i) {
    cells.insert(static_cast<int>(sobol(i, 0) * 8) * 8 + static_cast<int>(sobol(i, 1) * 8));
  }
  EXPECT_EQ(cells.size(), 64u);
}

TEST(Permutation, IsABijectionForEverySize) {
  for (const std::uint64_t n : {1, 2, 3, 4, 5, 7, 16, 17, 100, 1000, 4097}) {
    for (const std::uint64_t key : {0ull, 1ull, 0xdeadbeefull}) {
      const Permutation permutation(n, key);
      std::set<std::uint64_t> seen;
      for (std::uint64_t i = 0; i < n; ++i) seen.insert(permutation(i));
      EXPECT_EQ(seen.size(), n);
      EXPECT_LT(*seen.rbegin(), n);
    }
  }
}

TEST(Permutation, KeysGiveDifferentOrders) {
  const Permutation a(1000, 1);
  const Permutation b(1000, 2);
  int same = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) same += a(i) == b(i) ? 1 : 0;
  EXPECT_LT(same, 20);
}

TEST(LatinHypercube, PutsOneRowIntoEachStratumOfEachDimension) {
  for (const std::uint64_t rows : {1u, 2u, 5u, 64u, 999u}) {
    for (std::uint64_t dimension = 0; dimension < 5; ++dimension) {
      std::set<std::uint64_t> strata;
      for (std::uint64_t row = 0; row < rows; ++row) {
        const double u = latin_hypercube(42, 3, rows, row, dimension);
        ASSERT_GE(u, 0);
        ASSERT_LT(u, 1);
        strata.insert(static_cast<std::uint64_t>(u * static_cast<double>(rows)));
      }
      EXPECT_EQ(strata.size(), rows);
    }
  }
}

TEST(UniformAt, StreamsAreUnrelatedAndCentred) {
  double sum = 0;
  double product = 0;
  constexpr int kDraws = 20'000;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const double a = uniform_at(7, 0, i, 0) - 0.5;
    const double b = uniform_at(7, 1, i, 0) - 0.5;
    sum += a;
    product += a * b;
  }
  EXPECT_NEAR(sum / kDraws, 0, 4 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(product / kDraws, 0, 4 * (1.0 / 12) / std::sqrt(kDraws));
}

TEST(Axis, StepsAreTheDecimalsAPersonWrites) {
  const auto axis = Axis::make(space(ValueKind::FloatRange, 1.0, 3.0, 0.1));
  ASSERT_TRUE(axis.ok());
  ASSERT_EQ(axis->count(), 21u);
  EXPECT_EQ(axis->value(3), 1.3);
  EXPECT_EQ(axis->value(14), 2.4);
  EXPECT_EQ(axis->value(20), 3.0);
  const auto finer = Axis::make(space(ValueKind::FloatRange, -0.35, 0.35, 0.05));
  ASSERT_TRUE(finer.ok());
  EXPECT_EQ(finer->value(7), 0.0);
  EXPECT_FALSE(std::signbit(finer->value(7)));
  EXPECT_EQ(finer->value(13), 0.3);
}

TEST(Axis, MapsTheUnitIntervalAsDocumented) {
  const auto steps = Axis::make(space(ValueKind::IntRange, 10, 14, 2));
  EXPECT_EQ(steps->from_unit(0), 10);
  EXPECT_EQ(steps->from_unit(0.34), 12);
  EXPECT_EQ(steps->from_unit(std::nextafter(1.0, 0.0)), 14);
  const auto line = Axis::make(space(ValueKind::FloatRange, 2, 4));
  EXPECT_EQ(line->from_unit(0.25), 2.5);
  EXPECT_EQ(line->count(), 0u);
  const auto log = Axis::make(space(ValueKind::LogRange, 1, 10'000));
  EXPECT_NEAR(log->from_unit(0.5), 100, 1e-9);
  EXPECT_NEAR(log->to_unit(100), 0.5, 1e-12);
  EXPECT_EQ(log->from_unit(0), 1);
  ParamSpace whole = space(ValueKind::LogRange, 1, 8);
  whole.integer = true;
  const auto counts = Axis::make(whole);
  std::set<double> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(counts->from_unit(i / 1000.0));
  EXPECT_EQ(seen, (std::set<double>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(counts->distinct(), 8u);
}

TEST(Axis, ListsKeepTheirOrderAndKnowTheirRanks) {
  ParamSpace list = space(ValueKind::Values, 0, 0);
  list.values = {100, 1, 10};
  const auto axis = Axis::make(list);
  ASSERT_TRUE(axis.ok());
  EXPECT_EQ(axis->value(0), 100);
  EXPECT_EQ(axis->rank_of(0), 2u);
  EXPECT_EQ(axis->index_at(0), 1u);
  EXPECT_EQ(axis->to_unit(10), 0.5);
  EXPECT_EQ(axis->low(), 1);
  list.values = {1, 2, 1};
  EXPECT_EQ(Axis::make(list).error().text(), "p: the value 1 stands twice");
}

TEST(Axis, ImpossibleRangesAreRefused) {
  const double nan = std::nan("");
  EXPECT_FALSE(Axis::make(space(ValueKind::FloatRange, 3, 1, 0.5)).ok());
  EXPECT_FALSE(Axis::make(space(ValueKind::FloatRange, nan, 1, 0.5)).ok());
  EXPECT_FALSE(Axis::make(space(ValueKind::FloatRange, 0, HUGE_VAL, 0.5)).ok());
  EXPECT_FALSE(Axis::make(space(ValueKind::FloatRange, 0, 1, -0.5)).ok());
  EXPECT_FALSE(Axis::make(space(ValueKind::FloatRange, 0, 1, 1e-12)).ok());
  EXPECT_FALSE(Axis::make(space(ValueKind::LogRange, 0, 1)).ok());
  EXPECT_FALSE(Axis::make(space(ValueKind::Values, 0, 0)).ok());
  EXPECT_EQ(Axis::make(space(ValueKind::FloatRange, 0, 1, 0.3)).error().text(),
            "p: step 0.3 does not fit from 0 to 1; the range may end at 0.9 or 1.2");
}

}  // namespace
}  // namespace winnow::sweeps::testing
