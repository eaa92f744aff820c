#include "sweeps/first_generation.hpp"

#include <gtest/gtest.h>

#include "tests/sweeps/support.hpp"

namespace winnow::sweeps::testing {
namespace {

std::vector<std::string> warnings_of(const std::string& params, const std::string& search,
                                     int seed) {
  const auto plan = plan_of(
      "sweep: first\ndata: [btcusdt-5m]\nexecution: none\nstrategies:\n"
      "  - family: mean_reversion\n    params: " +
      params + "\nsearch: " + search + "\nseed: " + std::to_string(seed) + "\n");
  EXPECT_TRUE(plan.ok()) << plan.error().text();
  if (!plan.ok()) return {};
  const auto warnings = first_generation_warnings(*plan);
  EXPECT_TRUE(warnings.ok()) << warnings.error().text();
  return warnings.ok() ? *warnings : std::vector<std::string>{};
}

std::string tpe(std::uint64_t generation) {
  return "{method: tpe, trials: " + std::to_string(8 * generation) +
         ", generation: " + std::to_string(generation) + "}";
}

// Eight points of a line: now and then most of them gather, and then the number that is named is
// the first that helps.
TEST(FirstGeneration, NumberThatIsNamedIsTheFirstThatCouldBeJudged) {
  const std::string line = "{entry_z: {float: [1, 3]}}";
  int warned = 0;
  for (int seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto warnings = warnings_of(line, tpe(8), seed);
    if (warnings.empty()) continue;
    ++warned;
    ASSERT_EQ(warnings.size(), 1u);
    const std::string key = "search.generation needs ";
    const auto at = warnings[0].find(key);
    ASSERT_NE(at, std::string::npos) << warnings[0];
    const std::uint64_t needed = std::stoull(warnings[0].substr(at + key.size()));
    for (std::uint64_t g = 8; g <= needed; g += 8) {
      EXPECT_EQ(warnings_of(line, tpe(g), seed).empty(), g == needed) << g << ": " << warnings[0];
    }
  }
  EXPECT_GT(warned, 0);
  EXPECT_LT(warned, 30);
}

// CMA-ES starts in the middle of the space, and needs more before it reaches the rest.
TEST(FirstGeneration, MethodThatGathersIsNoticed) {
  const auto warnings =
      warnings_of("{entry_z: {float: [1, 3]}}", "{method: cmaes, trials: 64, generation: 8}", 31);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("lie within a quarter of the range"), std::string::npos)
      << warnings[0];
}

TEST(FirstGeneration, WideSpacesAndOtherSearchesAreQuiet) {
  const std::string wide = "{entry_z: {float: [1, 3]}, lookback_bars: {int: [12, 240]}}";
  EXPECT_TRUE(warnings_of(wide, tpe(64), 1).empty());
  EXPECT_TRUE(warnings_of("{entry_z: {values: [1, 2]}}", "{method: grid}", 1).empty());
}

}  // namespace
}  // namespace winnow::sweeps::testing
