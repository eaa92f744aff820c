#include <gtest/gtest.h>

#include "sweeps/verify/compare.hpp"
#include "sweeps/verify/csv_table.hpp"
#include "sweeps/verify/runner.hpp"

namespace winnow::sweeps::verify {
namespace {

Result<std::string> no_files(const std::string& name) {
  return Error(ErrorCode::NotFound, "no file " + name);
}

CaseReport run_one(const std::string& json, const ReadFile& read = no_files) {
  const auto report = verify_statistics("{\"id\": \"own\", \"cases\": [" + json + "]}", read);
  EXPECT_TRUE(report.ok());
  return report.ok() ? report->cases.at(0) : CaseReport{};
}

TEST(VerifyStats, ComputesFromInputsAndPasses) {
  // sqrt(24) observations: z = 0.5 sqrt(24) / sqrt(1 + .125) = 2.3094...
  const CaseReport r = run_one(R"({"name": "a", "inputs": {"sr": 0.5, "T": 25, "skew": 0,
      "kurt": 3, "sr_star": 0.0}, "expected": {"psr_nonnormal": 0.9895386},
      "tolerance": {"abs": 1e-6}})");
  EXPECT_TRUE(r.passed) << r.message;
  EXPECT_EQ(r.compared, 1u);
}

TEST(VerifyStats, AWrongExpectationFailsAndNamesTheField) {
  const CaseReport r = run_one(R"({"name": "a", "inputs": {"outcomes": [1, -1],
      "probs": [0.6, 0.4]}, "expected": {"f": 0.3}, "tolerance": {"rel": 1e-6}})");
  EXPECT_FALSE(r.passed);
  EXPECT_EQ(r.field, "f");
  EXPECT_NEAR(r.error, 0.1, 1e-9);
  EXPECT_GT(r.error_to_tolerance, 1);
}

TEST(VerifyStats, UnknownKindsMissingFieldsAndMissingFilesFail) {
  EXPECT_NE(run_one(R"({"name": "x", "inputs": {"zebra": 1}, "expected": {"y": 1}})")
                .message.find("unknown kind"),
            std::string::npos);
  const CaseReport field = run_one(R"({"name": "a", "inputs": {"outcomes": [1, -1],
      "probs": [0.6, 0.4]}, "expected": {"f": 0.2, "wisdom": 1}, "tolerance": {"rel": 1e-6}})");
  EXPECT_FALSE(field.passed);
  EXPECT_EQ(field.message, "wisdom is not computed");
  const CaseReport file = run_one(R"({"name": "a", "inputs": {"panel_csv": "gone.csv",
      "h_annual": 0}, "expected": {"C": 0.5}})");
  EXPECT_NE(file.message.find("no file gone.csv"), std::string::npos);
  const CaseReport type = run_one(R"({"name": "a", "inputs": {"outcomes": "one",
      "probs": [1]}, "expected": {"f": 0.2}})");
  EXPECT_FALSE(type.passed);
  EXPECT_FALSE(run_one(R"({"name": "e", "inputs": {"v": [1, 2]}, "expected": {}})").passed);
}

TEST(VerifyStats, TextThatIsNotACaseFileIsRefused) {
  EXPECT_FALSE(verify_statistics("{", no_files).ok());
  EXPECT_FALSE(verify_statistics("{\"cases\": []}", no_files).ok());
  EXPECT_FALSE(verify_statistics("{\"cases\": [3]}", no_files).ok());
}

TEST(VerifyStats, ReadsColumnsBesideTheFile) {
  const auto read = [](const std::string& name) -> Result<std::string> {
    EXPECT_EQ(name, "data/r.csv");
    return std::string("r\n0.1\n-0.05\n0.2\n");
  };
  const CaseReport r = run_one(R"({"name": "m", "inputs": {"returns_csv": "data/r.csv",
      "periods_per_year": 4}, "expected": {"own": {"max_drawdown": -0.05, "trough_index": 2,
      "recovery_index": 3}, "empyrical": {"cum_return": 0.254}}, "tolerance": {"rel": 1e-12}})",
                               read);
  EXPECT_TRUE(r.passed) << r.message;
  EXPECT_EQ(r.compared, 4u);
}

TEST(VerifyCompare, TolerancesBelongToTheFieldsTheyName) {
  const Json tolerance =
      Json::parse(R"({"rel": 1e-6, "pvalue_abs": 0.1, "zero": {"abs": 0.5}, "holm_p_abs": 0.2})");
  const auto passes = [&](const Json& want, const Json& got) {
    CaseReport r;
    compare(want, got, tolerance, r);
    return r.passed;
  };
  EXPECT_TRUE(passes({{"a", {{"pvalue", 0.50}}}}, {{"a", {{"pvalue", 0.59}}}}));
  EXPECT_FALSE(passes({{"a", {{"stat", 0.50}}}}, {{"a", {{"stat", 0.59}}}}));
  EXPECT_TRUE(passes({{"zero", {0.0, 1.0}}}, {{"zero", {0.4, 1.4}}}));
  EXPECT_TRUE(passes({{"p_adjusted", {{"holm", 0.5}}}}, {{"p_adjusted", {{"holm", 0.65}}}}));
  EXPECT_FALSE(passes({{"sharpe", {{"holm", 0.5}}}}, {{"sharpe", {{"holm", 0.65}}}}));
  EXPECT_TRUE(passes({{"x", "NaN"}, {"y", "-Infinity"}},
                     {{"x", std::nan("")}, {"y", -std::numeric_limits<double>::infinity()}}));
  EXPECT_FALSE(passes({{"x", "NaN"}}, {{"x", 1.0}}));
  EXPECT_FALSE(passes({{"x", 1.0}}, {{"x", std::nan("")}}));
  EXPECT_FALSE(passes({{"x", {1, 2}}}, {{"x", {1, 2, 3}}}));
  EXPECT_FALSE(passes({{"x", true}}, {{"x", false}}));
}

TEST(CsvTable, HeaderIsOptionalAndFaultsNameTheLine) {
  const auto with = parse_csv("a,b\n1,2\n3,nan\n");
  ASSERT_TRUE(with.ok());
  EXPECT_EQ(with->names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(with->rows(), 2u);
  EXPECT_TRUE(std::isnan(with->columns[1][1]));
  const auto without = parse_csv("1,2\r\n3,4");
  ASSERT_TRUE(without.ok());
  EXPECT_EQ(without->by_row()[1], (std::vector<double>{3, 4}));
  EXPECT_NE(parse_csv("a\n1\nx\n").error().text().find("line 3"), std::string::npos);
  EXPECT_FALSE(parse_csv("1,2\n3\n").ok());
}

}  // namespace
}  // namespace winnow::sweeps::verify
