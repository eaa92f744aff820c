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
  const auto passes = [&](const Json& want, const Json& got, const char* tolerance) {
    CaseReport r;
    compare(want, got, Json::parse(tolerance), r);
    return r.passed;
  };
  constexpr const char* kTop = R"({"rel": 1e-6})";
  EXPECT_TRUE(passes({{"a", {{"pvalue", 0.50}}}}, {{"a", {{"pvalue", 0.54}}}},
                     R"({"rel": 1e-6, "pvalue_abs": 0.05})"));
  EXPECT_FALSE(passes({{"a", {{"stat", 0.50}, {"pvalue", 0.5}}}},
                      {{"a", {{"stat", 0.54}, {"pvalue", 0.5}}}},
                      R"({"rel": 1e-6, "pvalue_abs": 0.05})"));
  EXPECT_TRUE(passes({{"zero", {0.0, 1.0}}}, {{"zero", {0.04, 1.04}}},
                     R"({"rel": 1e-6, "zero": {"abs": 0.05}})"));
  EXPECT_TRUE(passes({{"p_adjusted", {{"holm", 0.5}}}, {"sharpe", {{"holm", 0.5}}}},
                     {{"p_adjusted", {{"holm", 0.55}}}, {"sharpe", {{"holm", 0.5}}}},
                     R"({"rel": 1e-6, "holm_p_abs": 0.06})"));
  EXPECT_FALSE(passes({{"p_adjusted", {{"holm", 0.5}}}, {"sharpe", {{"holm", 0.5}}}},
                      {{"p_adjusted", {{"holm", 0.5}}}, {"sharpe", {{"holm", 0.55}}}},
                      R"({"rel": 1e-6, "holm_p_abs": 0.06})"));
  EXPECT_TRUE(passes({{"x", "NaN"}, {"y", "-Infinity"}},
                     {{"x", std::nan("")}, {"y", -std::numeric_limits<double>::infinity()}}, kTop));
  EXPECT_FALSE(passes({{"x", "NaN"}}, {{"x", 1.0}}, kTop));
  EXPECT_FALSE(passes({{"x", 1.0}}, {{"x", std::nan("")}}, kTop));
  EXPECT_FALSE(passes({{"x", {1, 2}}}, {{"x", {1, 2, 3}}}, kTop));
  EXPECT_FALSE(passes({{"x", true}}, {{"x", false}}, kTop));
  EXPECT_FALSE(passes({{"x", 1.0}}, {{"x", true}}, kTop));
}

/// The case of Gini's coefficient that is right, with one part replaced.
CaseReport altered(const std::string& part, const std::string& by) {
  std::string json = R"({"name": "d", "inputs": {"v": [1, 2, 5, 9]},
      "expected": {"gini": 0.39705882352941174}, "tolerance": {"rel": 1e-9}})";
  const std::size_t at = json.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return run_one(json.replace(at, part.size(), by));
}

TEST(FaultB9, WhatIsNotUnderstoodFailsTheCase) {
  EXPECT_TRUE(altered("1e-9", "1e-9").passed);
  const std::vector<std::pair<std::string, std::string>> faults = {
      {"9]}", R"(9], "ddof": 0})"},                         // an input that nothing reads
      {"9]}", R"("9"]})"},                                  // a text for a number
      {"9]}", "null]}"},                                    // nothing for a number
      {"9]}", "true]}"},                                    // a truth for a number
      {"9]}", R"("NaN"]})"},                                // no number in its place
      {"9]}", R"([9]]})"},                                  // another shape
      {"[1, 2, 5, 9]", "{}"},                               //
      {"[1, 2, 5, 9]", "[]"},                               //
      {"[1, 2, 5, 9]", "7"},                                //
      {R"("v": [1)", R"("v": [3], "v": [1)"},               // a key that stands twice
      {R"("inputs": {)", R"("inputs": null, "input": {)"},  //
      {R"({"gini")", R"({"ginny": 0.1, "gini")"},           // an output that is not computed
      {R"({"gini": 0.39705882352941174})", "{}"},           // nothing to compare
      {R"({"gini": 0.39705882352941174})", "[0.39705882352941174]"},
      {R"("expected": {"gini": 0.39705882352941174},)", ""},
      {R"({"rel": 1e-9})", R"({"relative": 1e-9})"},  // a tolerance without a field
      {R"({"rel": 1e-9})", R"({"rel": 1e-9, "gimi": {"abs": 0.01}})"},
      {R"({"rel": 1e-9})", R"({"gini": {"rel": 1e-9, "absolute": 1}})"},
      {R"({"rel": 1e-9})", R"({"rel": -1})"},       // a width that is none
      {R"({"rel": 1e-9})", R"({"abs": 10})"},       //
      {R"({"rel": 1e-9})", R"({"rel": "1e-9"})"},   //
      {R"({"rel": 1e-9})", R"({"rel": true})"},     //
      {R"({"rel": 1e-9})", R"({"exact": false})"},  //
      {R"({"rel": 1e-9})", "null"},                 //
      {R"({"rel": 1e-9})", "{}"},                   //
      {R"({"rel": 1e-9})", "0.001"},                //
      {R"("tolerance")", R"("tolerence")"},         // a part of a case that is none
      {R"("name": "d",)", ""},                      //
      {R"("name": "d")", R"("name": 3)"},           //
  };
  for (const auto& [part, by] : faults) {
    const CaseReport r = altered(part, by);
    EXPECT_FALSE(r.passed) << part << " -> " << by;
    EXPECT_NE(r.message, "") << part << " -> " << by;
  }
}

TEST(FaultB9, NestedInputsDeclareTheirKeysToo) {
  const auto trace = [](const std::string& params) {
    return run_one(R"({"name": "t", "inputs": {"x0": [1], "sigma0": 0.5, "params": {"lam": 4,
        "mu": 2, "weights": [0.6, 0.4, -0.1, -0.2], "mueff": 1.9, "cc": 0.5, "cs": 0.4, "c1": 0.1,
        "cmu": 0.05, "damps": 1.4)" +
                   params + R"(},
        "generations": [{"X": [[1.1], [0.9], [1.2], [0.7]], "F": [4, 3, 2, 1]}]},
        "expected": {"states": [{"mean": [0.9]}]}, "tolerance": {"rel": 1e-9}})");
  };
  EXPECT_TRUE(trace("").passed) << trace("").message;
  EXPECT_FALSE(trace(R"(, "cd": 1)").passed);
  EXPECT_FALSE(trace(R"(, "cc": 1)").passed) << "stands twice";
}

TEST(FaultB9, OptionsThatAnOutputDoesNotKnowAreRefused) {
  const auto psr = [](const std::string& inputs, const std::string& expected) {
    return run_one(R"({"name": "p", "inputs": {"sr": 0.5, "T": 25, "sr_star": 0.0)" + inputs +
                   R"(}, "expected": {)" + expected + R"(}, "tolerance": {"abs": 1e-6}})")
        .passed;
  };
  EXPECT_TRUE(psr("", R"("psr": 0.9895386)"));
  EXPECT_FALSE(psr(R"(, "rho": 0.0)", R"("psr": 0.9895386)")) << "none in 2012";
  EXPECT_FALSE(psr(R"(, "skewness": 0.0)", R"("psr": 0.9895386)"));
  EXPECT_FALSE(psr(R"(, "periods_per_year": 365)", R"("psr": 0.9895386)")) << "nothing annual";
  EXPECT_FALSE(run_one(R"({"name": "w", "inputs": {"estimates": [1, 2], "se": [1, 1],
      "james_stein_variance": "of the first"}, "expected": {"fixed_mean": 1.5}})")
                   .passed);
}

// The vectors of a search's models are computed by the code that searches run.
TEST(FaultB10, ALiveTestThatDiffersFromTheReferenceFails) {
  std::string panel = "a,b\n";
  std::string indices;
  for (int t = 0; t < 24; ++t) {
    panel += std::to_string(0.01 * ((t * 7) % 5 - 1.9)) + "," +
             std::to_string(0.01 * ((t * 3) % 7 - 2.9)) + "\n";
  }
  for (int b = 0; b < 6; ++b) {
    for (int t = 0; t < 24; ++t) indices += (t > 0 ? "," : "") + std::to_string((t + 5 * b) % 24);
    indices += "\n";
  }
  const auto read = [&](const std::string& name) -> Result<std::string> {
    return name == "p.csv" ? panel : indices;
  };
  const CaseReport r = run_one(R"({"name": "s", "inputs": {"panel_csv": "p.csv",
      "indices_csv": "i.csv", "block_size": 3, "reps": 6}, "expected": {"paper": {"rc_p": 0.0}},
      "tolerance": {"abs": 1e-9}})",
                               read);
  EXPECT_EQ(r.message.find("the live"), std::string::npos) << r.message;
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
