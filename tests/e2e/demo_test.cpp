// The main job on the embedded default, as `./run` ends with it, and the shipped specifications.

#include <gtest/gtest.h>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Demo : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(Demo, EndsWithVerdictsAndAReport) {
  const TemporaryFolder folder;
  const Ran ran = winnow(folder.path(), GetParam(), 300);
  ASSERT_EQ(ran.status, 0) << ran.errors << ran.output;
  for (const char* part : {"1/4", "2/4", "3/4", "4/4", "where to look", "mean_reversion on sim-btc",
                           "sma_cross on sim-eth"}) {
    EXPECT_NE(ran.output.find(part), std::string::npos) << part;
  }
  const json sweep = ask(folder.path(), {"sweep", "show", "last"});
  EXPECT_EQ(sweep["state"], "done");
  EXPECT_GE(sweep["trials"], 10'000);
  EXPECT_EQ(sweep["trials_failed"], 0);
  EXPECT_EQ(sweep["segments"].size(), 4u);
  // What was planted is found, and nothing else is.
  const json converged = ask(folder.path(), {"converge", "last"});
  ASSERT_FALSE(converged["families"].empty());
  for (const json& family : converged["families"]) {
    const bool planted = family["family"] == "mean_reversion" && family["data"] == "sim-btc";
    EXPECT_EQ(family["verdict"] == "CONVERGED", planted) << family.dump();
  }
  std::size_t reports = 0;
  for (const auto& file : fs::directory_iterator(folder.path() / "reports")) {
    EXPECT_GT(fs::file_size(file.path()), 50'000u);
    ++reports;
  }
  EXPECT_EQ(reports, 1u);
}

INSTANTIATE_TEST_SUITE_P(BothSizes, Demo,
                         ::testing::Values(std::vector<std::string>{"demo"},
                                           std::vector<std::string>{"demo", "--quick"}),
                         [](const auto& p) { return p.param.size() == 1 ? "Full" : "Quick"; });

TEST(ShippedSweeps, AreValidWhereTheirDatasetsAre) {
  const TemporaryFolder folder;
  const fs::path configs = fs::path(WINNOW_SOURCE_DIR) / "configs";
  ASSERT_EQ(winnow(folder.path(), {"data", "synth", (configs / "markets/demo.yaml").string(),
                                   "--seed", "1", "--name", "sim"})
                .status,
            0);
  std::size_t checked = 0;
  for (const auto& file : fs::directory_iterator(configs / "sweeps")) {
    const Ran ran = winnow(folder.path(), {"config", "check", file.path().string()});
    if (ran.errors.find("there is no dataset") != std::string::npos) continue;  // real data
    EXPECT_EQ(ran.status, 0) << ran.errors;
    ++checked;
  }
  EXPECT_GE(checked, 2u);
}

}  // namespace
}  // namespace winnow::e2e
