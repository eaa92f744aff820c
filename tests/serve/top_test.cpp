#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

// 768 trials in 48 blocks; those of one look-back window lie side by side.
const std::string kWideYaml = R"(sweep: wide
data: [alpha]
window: {from: 2023-01-05, to: 2023-03-01}
execution: plain
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [12, 72], step: 12}
      entry_z: {float: [1.0, 2.5], step: 0.1}
      stop_bps: {values: [0, 50, 100, 150, 200, 250, 300, 400]}
search: {method: grid}
seed: 7
)";

// The first are read block by block, all of them by whole columns: the same rows either way.
TEST(Top, RowsOfFewBlocksAreTheRowsOfWholeColumns) {
  Home home;
  const std::string sweep = home.run({.name = "wide", .yaml = kWideYaml});
  const auto ask = [&](const Json& args) { return must(query(home.sources(), "top", args)); };
  const Json all = ask({{"sweep", sweep}, {"limit", 1000}});
  ASSERT_EQ(all["rows"].size(), 768u);
  std::map<std::uint64_t, Json> metrics;
  for (const Json& row : all["rows"]) metrics[row["trial"]] = row["metrics"];
  const Json few = ask({{"sweep", sweep}, {"where", "lookback_bars == 24"}, {"limit", 100}});
  EXPECT_EQ(few["trials_matching"], 128u);
  ASSERT_EQ(few["rows"].size(), 100u);
  std::set<std::uint64_t> trials;
  for (const Json& row : few["rows"]) {
    EXPECT_EQ(row["metrics"], metrics.at(row["trial"])) << row["trial"];
    trials.insert(row["trial"].get<std::uint64_t>());
  }
  EXPECT_EQ(trials.size(), 100u);
}

}  // namespace
}  // namespace winnow::serve
