#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "sweeps/verify/runner.hpp"

namespace winnow::sweeps::verify {
namespace {

std::filesystem::path oracle_folder() {
  return std::filesystem::path(WINNOW_SOURCE_DIR) / "tests/oracles";
}

Result<std::string> read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error(ErrorCode::NotFound, "cannot read " + path.string());
  return std::string(std::istreambuf_iterator<char>(in), {});
}

/// Every case of the file must pass.
void expect_passes(const std::filesystem::path& path) {
  const auto text = read_text(path);
  ASSERT_TRUE(text.ok());
  const auto folder = path.parent_path();
  const auto report =
      verify_statistics(*text, [&](const std::string& name) { return read_text(folder / name); });
  ASSERT_TRUE(report.ok()) << report.error().text();
  EXPECT_FALSE(report->cases.empty());
  for (const CaseReport& c : report->cases) EXPECT_TRUE(c.passed) << c.name << ": " << c.message;
}

class Oracle : public testing::TestWithParam<const char*> {};

TEST_P(Oracle, EveryCaseIsWithinTolerance) { expect_passes(oracle_folder() / GetParam()); }

INSTANTIATE_TEST_SUITE_P(Shared, Oracle,
                         testing::Values("01_sharpe_a.json", "02_pbo_a.json", "03_snooping_a.json",
                                         "04_multiple_a.json", "05_bootstrap_a.json",
                                         "06_metrics_a.json", "07_walkforward_a.json",
                                         "08_regime_a.json", "09_sizing_a.json", "10_bayes_a.json",
                                         "11_search_a.json", "12_convergence_a.json",
                                         "13_followup_a2.json", "15_level_a.json"),
                         [](const auto& topic) {
                           std::string name = topic.param;
                           return name.substr(0, name.rfind("_a"));
                         });

TEST(FaultB9, EveryCaseThatMustBeRefusedFails) {
  const auto path = oracle_folder() / "14_refuse_a2.json";
  const auto text = read_text(path);
  ASSERT_TRUE(text.ok());
  const auto report = verify_statistics(*text, read_text);
  ASSERT_TRUE(report.ok()) << report.error().text();
  EXPECT_EQ(report->cases.size(), 8u);
  for (const CaseReport& c : report->cases) {
    EXPECT_FALSE(c.passed) << c.name;
    EXPECT_NE(c.message, "") << c.name;
  }
}

}  // namespace
}  // namespace winnow::sweeps::verify
