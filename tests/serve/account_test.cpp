// The ledger's account, and what it makes of results.
#include "serve/ledger_account.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "serve/query.hpp"
#include "sweeps/stats/basic.hpp"
#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

std::string with_seed(int seed) {
  std::string yaml = kSpecYaml;
  return yaml.replace(yaml.find("seed: 7"), 7, "seed: " + std::to_string(seed));
}

std::string with_entries(const std::string& values) {
  std::string yaml = kSpecYaml;
  const std::string from = "{float: [1.0, 2.5], step: 0.5}";
  return yaml.replace(yaml.find(from), from.size(), "{values: " + values + "}");
}

Sources writable(Home& home) {
  Sources sources = home.sources();
  sources.verdicts = &home.store();
  return sources;
}

TEST(Account, RepeatsAndFailuresAreToldApartAndExplained) {
  Home home;
  home.run({.name = "first"});
  const std::string again = home.run(
      {.name = "again", .failed_trial = 5, .yaml = with_seed(8), .created_s = 1'700'000'100});
  const Json all = must(query(home.sources(), "ledger", Json::object()));
  const std::uint64_t n = all["trials_total"];
  EXPECT_EQ(all["executions_total"], 2 * n);
  EXPECT_EQ(all["repeats_total"], n);
  EXPECT_EQ(all["failed_total"], 1);
  EXPECT_EQ(all["lines"].size(), 4u);  // two families on two datasets
  const std::string how = all["how"].dump();
  EXPECT_NE(how.find("N = " + std::to_string(n) + " distinct trials"), std::string::npos) << how;
  EXPECT_NE(how.find(std::to_string(n) + " repeat a key"), std::string::npos) << how;

  const Json second = must(query(home.sources(), "ledger", {{"by", "sweep"}, {"sweep", again}}));
  EXPECT_EQ(second["trials_total"], 0) << "what was known already counts for nothing";
  EXPECT_EQ(second["executions_total"], n);
  for (const Json& line : second["lines"]) EXPECT_EQ(line["user"], "tester");
}

TEST(Account, AHypothesisIsTheClaimWhoeverTriesItAndHoweverOften) {
  Home home;
  home.run({.name = "first"});
  home.run({.name = "again", .yaml = with_seed(8), .created_s = 1'700'000'100});
  const auto hypotheses = [&] {
    return must(query(home.sources(), "ledger", {{"by", "hypothesis"}}))["lines"].size();
  };
  EXPECT_EQ(hypotheses(), 4u) << "another seed is the same claim";
  home.run({.name = "wider", .yaml = with_entries("[0.5, 1.0]"), .created_s = 1'700'000'200});
  EXPECT_EQ(hypotheses(), 6u) << "another space of mean_reversion, on two datasets";
  const Json one = must(query(home.sources(), "ledger", {{"by", "hypothesis"}}))["lines"][0];
  const Json only = must(
      query(home.sources(), "ledger", {{"hypothesis", one["hypothesis"]}, {"by", "hypothesis"}}));
  ASSERT_EQ(only["lines"].size(), 1u);
  EXPECT_EQ(only["trials_total"], one["trials"]);
}

TEST(Account, WrongGroupingsAreNamed) {
  Home home;
  home.run({.name = "first"});
  const auto answer = query(home.sources(), "ledger", {{"by", "sweeps"}});
  ASSERT_FALSE(answer.ok());
  EXPECT_NE(answer.error().text().find("did you mean 'sweep'"), std::string::npos);
}

TEST(Account, EffectiveTrialsCountInFullUntilTheFamilyIsScored) {
  Home home;
  const std::string id = home.run({.name = "first"});
  const Json before = must(query(home.sources(), "ledger", Json::object()));
  EXPECT_EQ(before["trials_effective_total"].get<double>(), before["trials_total"].get<double>());
  const Json scored = must(query(writable(home), "converge", {{"sweep", id}}));
  const Json after = must(query(home.sources(), "ledger", Json::object()));
  EXPECT_EQ(after["trials_total"], before["trials_total"]);
  EXPECT_LT(after["trials_effective_total"].get<double>(), after["trials_total"].get<double>());
  double sum = 0;
  for (const Json& f : scored["families"]) {
    const double n = f["trials"], r = std::max(0.0, f["profit"]["mean_correlation"].get<double>());
    sum += r + (1 - r) * n;
  }
  EXPECT_NEAR(after["trials_effective_total"].get<double>(), sum, 1e-9 * sum);
}

TEST(Account, DeflatedSharpeFallsAsOthersTryMore) {
  Home home;
  const std::string id = home.run({.name = "first"});
  const auto dsr = [&] {
    const Json best = must(query(writable(home), "converge", {{"sweep", id}}))["families"][0];
    EXPECT_EQ(best["profit"]["best"]["trials"], best["ledger_trials"]);
    return best["profit"]["best"]["dsr"].get<double>();
  };
  const double before = dsr();
  home.run({.name = "wider",
            .yaml = with_entries("[0.5, 0.6, 0.7, 0.8, 0.9]"),
            .created_s = 1'700'000'200});
  const double after = dsr();
  EXPECT_LT(after, before);
  EXPECT_GT(after, 0);
}

TEST(Account, DeflationIsThatOfTheVariantsOwnReturns) {
  Home home;
  const std::string id = home.run({.name = "first"});
  const Json scored = must(query(home.sources(), "converge", {{"sweep", id}}))["families"][1];
  const std::uint64_t best = scored["best"]["trial"];
  const Json told = must(query(home.sources(), "explain", {{"sweep", id}, {"variant", best}}));
  for (const char* key : {"psr", "dsr", "trials"}) {
    EXPECT_NEAR(told["luck"][key].get<double>(), scored["profit"]["best"][key].get<double>(), 1e-6)
        << key;
  }
  const Json side =
      must(query(home.sources(), "compare", {{"sweep", id}, {"variants", {best, 0}}}));
  EXPECT_EQ(side["variants"][0]["luck"]["dsr"], told["luck"]["dsr"]);
}

TEST(Account, NeighbourhoodsCountForEverybodyFromThenOn) {
  Home home;
  const std::string first = home.run({.name = "first"});
  const std::string other =
      home.run({.name = "wider", .yaml = with_entries("[0.5, 1.0]"), .created_s = 1'700'000'200});
  const Json args{{"sweep", first}, {"by", "neighbourhood"}, {"limit", 3}};
  const auto refused = query(home.sources(), "converge", args);
  ASSERT_FALSE(refused.ok()) << "scores were shown that nobody had counted";
  EXPECT_EQ(refused.error().code(), ErrorCode::Refused);
  const Json tiles = must(query(writable(home), "converge", args));
  const std::uint64_t scored = tiles["neighbourhoods_scored"];
  ASSERT_GT(scored, 0u);
  EXPECT_LE(tiles["neighbourhoods"].size(), 3u);
  EXPECT_EQ(tiles["hypotheses"], 8 + scored);
  for (const auto& id : {first, other}) {
    const Json families = must(query(home.sources(), "converge", {{"sweep", id}}));
    EXPECT_EQ(families["hypotheses"], 8 + scored);
    EXPECT_EQ(families["hypotheses_neighbourhoods"], scored);
  }
  must(query(writable(home), "converge", args));
  EXPECT_EQ(must(query(home.sources(), "ledger", Json::object()))["hypotheses"], 8 + scored)
      << "looked at twice, counted twice";
}

}  // namespace
}  // namespace winnow::serve
