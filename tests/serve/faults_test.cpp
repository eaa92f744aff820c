// What users found wrong in answers, by the row of the list of faults.
#include <gtest/gtest.h>

#include "base/names.hpp"
#include "sweeps/spec_warnings.hpp"
#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

std::string yaml_of(const std::string& stops, int seed) {
  return R"(sweep: twice
data: [alpha]
window: {from: 2023-01-05, to: 2023-03-01}
execution: plain
strategies:
  - family: mean_reversion
    params:
      lookback_bars: 24
      entry_z: {values: [1.0, 2.0]}
      stop_bps: {values: )" +
         stops + R"(}
search: {method: grid}
seed: )" +
         std::to_string(seed) + "\n";
}

TEST(FaultD9, AnAmbiguousNameIsRefusedWithTheIds) {
  Home home;
  const std::string first = home.run({.name = "twice", .yaml = yaml_of("[100]", 1)});
  const std::string second = home.run({.name = "twice", .yaml = yaml_of("[200]", 1)});
  ASSERT_NE(first, second);
  const auto found = find_sweep(home.store(), "twice");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code(), ErrorCode::InvalidInput);
  EXPECT_NE(found.error().text().find(first), std::string::npos) << found.error().text();
  EXPECT_NE(found.error().text().find(second), std::string::npos);
  EXPECT_EQ(must(find_sweep(home.store(), first)).id, first);
}

TEST(FaultD9, LastIsTheOneThatWasRunLastWhateverClocksSay) {
  Home home;
  const std::string first = home.run({.name = "one", .yaml = yaml_of("[100]", 1)});
  const std::string second =
      home.run({.name = "two", .yaml = yaml_of("[200]", 1), .created_s = 1'600'000'000});
  must(home.store().put_document(sweeps::kLastRunKind, sweeps::kLastRunKey, second));
  EXPECT_EQ(must(find_sweep(home.store(), "last")).id, second);
  must(home.store().put_document(sweeps::kLastRunKind, sweeps::kLastRunKey, first));
  EXPECT_EQ(must(find_sweep(home.store(), "last")).id, first);
}

TEST(FaultD3, WarningsOfASpecificationStandInEveryAnswer) {
  Home home;
  const std::string sweep = home.run({.name = "one", .yaml = yaml_of("[100]", 1)});
  const std::vector<std::string> said = {"search.trials 72 becomes 320"};
  must(home.store().put_document(sweeps::kSpecWarningsKind, sweep, sweeps::warnings_to_json(said)));
  for (const char* const question : {"top", "sweep_show", "explain", "converge"}) {
    const Json answer = must(query(home.sources(), question, {{"sweep", sweep}}));
    EXPECT_EQ(answer["warnings"], Json(said)) << question;
  }
  const Json report = must(query(home.sources(), "report", {{"sweep", sweep}}));
  EXPECT_NE(report["html"].get<std::string>().find(said[0]), std::string::npos);
}

TEST(FaultD2, FailedTrialsAreCountedInTheListToo) {
  Home home;
  home.run({.name = "one", .failed_trial = 1, .yaml = yaml_of("[100]", 1)});
  const Json list = must(query(home.sources(), "sweep_list", Json::object()));
  EXPECT_EQ(list["sweeps"][0]["trials_failed"], 1u);
  EXPECT_EQ(list["sweeps"][0]["trials_committed"], 2u);
}

// A stop too wide to be ever hit changes nothing: such variants are one result.
TEST(FaultD16, EqualReturnsStandOnceWithHowManyShareThem) {
  Home home;
  const std::string sweep =
      home.run({.name = "one", .yaml = yaml_of("[50, 9000, 9100, 9200, 9300]", 1)});
  const Json top = must(query(home.sources(), "top", {{"sweep", sweep}}));
  const Json each = must(query(home.sources(), "top", {{"sweep", sweep}, {"all", true}}));
  ASSERT_EQ(each["rows"].size(), 10u);
  ASSERT_EQ(top["rows"].size(), 4u);
  std::uint64_t shared = 0;
  for (const Json& row : top["rows"]) {
    shared += row["same_results"].get<std::uint64_t>();
    EXPECT_EQ(each["rows"][row["rank"].get<std::size_t>() - 1]["trial"], row["trial"]);
    if (row["same_results"] == 1u) continue;
    EXPECT_EQ(row["same_results"], 4u);
    EXPECT_EQ(row["same_trials"].size(), 4u);
    EXPECT_EQ(row["same_trials"][0], row["trial"]);
  }
  EXPECT_EQ(shared, 10u);
  const Json one = must(query(home.sources(), "top", {{"sweep", sweep}, {"limit", 1}}));
  EXPECT_EQ(one["rows"][0], top["rows"][0]);
}

TEST(FaultD15, SampledValuesAreRoundedForReading) {
  EXPECT_EQ(show_rounded(1.2345678901234567), "1.23457");
  EXPECT_EQ(show_rounded(0.25), "0.25");
  EXPECT_EQ(show_rounded(123456789), "123456789");
  EXPECT_EQ(show_rounded(0.1), "0.1");
  EXPECT_EQ(show_rounded(1234.56789), "1234.57");
}

}  // namespace
}  // namespace winnow::serve
