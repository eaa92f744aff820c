// Learning curves survive the death of everyone who carries them: nothing lost, nothing doubled.

#include <gtest/gtest.h>

#include <set>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/killing.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// 120 days in steps of 7: 17 whole ones and the rest.
constexpr std::uint64_t kSteps = 18;
constexpr const char* kPointsSweep = R"(sweep: curves
data: [sim-alpha, sim-beta]
execution: binance-usdm
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [12, 288], step: 6}
      entry_z: {float: [1.0, 3.0], step: 0.1}
      stop_bps: {values: [0, 50, 100, 200]}
      max_hold_bars: {values: [0, 96]}
points: {metrics: [final_equity, sharpe_ann, drawdown_max_frac], every: 7d}
)";

fs::path make_points_home(const TemporaryFolder& folder, const std::string& name) {
  const fs::path home = folder.path() / name;
  make_market(home, 120);
  write_text(home / "sweep.yaml", kPointsSweep);
  return home;
}

std::string all_points(const fs::path& home) {
  const Ran ran = winnow(home, {"points", "last", "--csv"});
  EXPECT_EQ(ran.status, 0) << ran.errors;
  return ran.output;
}

TEST(Points, OfAFinishedTrialEndWithItsMetrics) {
  const TemporaryFolder folder;
  const fs::path home = make_points_home(folder, "quiet");
  const Ran ran = winnow(home, {"sweep", "run", (home / "sweep.yaml").string(), "--json"}, 300);
  ASSERT_EQ(ran.status, 0) << ran.errors;
  const json one = ask(home, {"points", "last", "123"});
  ASSERT_EQ(one["rows"].size(), kSteps);
  EXPECT_EQ(one["columns"],
            (json{"trial", "step", "until", "final_equity", "sharpe_ann", "drawdown_max_frac"}));
  EXPECT_EQ(one["rows"][0][1], 1);
  EXPECT_EQ(one["rows"][0][2], "2023-01-08T00:00:00Z");
  const json explained = ask(home, {"explain", "last", "123"});
  EXPECT_EQ(explained["points"], one["rows"]);
  const json& last = one["rows"].back();
  EXPECT_EQ(last[3], explained["metrics"]["final_equity"]);
  EXPECT_EQ(last[4], explained["metrics"]["sharpe_ann"]);
  EXPECT_EQ(last[5], explained["metrics"]["drawdown_max_frac"]);
  // For people, and for whoever asks too much.
  const Ran text = winnow(home, {"points", "last", "123"});
  EXPECT_EQ(text.status, 0);
  EXPECT_NE(text.output.find("drawdown_max_frac"), std::string::npos);
  EXPECT_EQ(winnow(home, {"points", "last", "999999999"}).status, 2);
}

TEST(Points, SurviveTheDeathOfNodesAndCoordinator) {
  const TemporaryFolder folder;
  const fs::path quiet_home = make_points_home(folder, "quiet");
  const Ran quiet = winnow(
      quiet_home, {"sweep", "run", (quiet_home / "sweep.yaml").string(), "--nodes", "1"}, 300);
  ASSERT_EQ(quiet.status, 0) << quiet.errors;
  const std::string expected = all_points(quiet_home);

  const fs::path home = make_points_home(folder, "killed");
  const int kills =
      run_under_kills(home, {.lives = 5, .kills_a_life = 4, .written_bytes_max = 100'000});
  EXPECT_GT(kills, 3);

  const std::string points = all_points(home);
  EXPECT_TRUE(points == expected) << "points differ after " << kills << " kills";
  const Table table = parse_csv(points);
  std::set<std::pair<std::string, std::string>> places;
  for (const auto& row : table.rows) places.emplace(row.at(0), row.at(1));
  EXPECT_EQ(places.size(), table.rows.size()) << "a step stands twice";
  const json shown = ask(home, {"sweep", "show", "last"});
  EXPECT_EQ(table.rows.size(), shown["trials"].get<std::uint64_t>() * kSteps);
  EXPECT_EQ(winnow(home, {"store", "verify"}).status, 0);
}

TEST(Points, OfASweepThatKeepsNoneAreRefusedWithTheWayToGetThem) {
  const TemporaryFolder folder;
  const fs::path home = folder.path() / "plain";
  make_market(home, 20);
  write_text(home / "sweep.yaml",
             "sweep: plain\ndata: [sim-alpha]\nexecution: none\nstrategies:\n"
             "  - {family: sma_cross}\n");
  ASSERT_EQ(winnow(home, {"sweep", "run", (home / "sweep.yaml").string()}).status, 0);
  const Ran ran = winnow(home, {"points", "last"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.errors.find("points: {metrics:"), std::string::npos) << ran.errors;
}

}  // namespace
}  // namespace winnow::e2e
