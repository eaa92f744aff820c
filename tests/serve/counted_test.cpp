// What is counted beside sweeps, and which ledger an answer says it was counted in.
#include <gtest/gtest.h>

#include "serve/ledger_stamp.hpp"
#include "serve/opening.hpp"
#include "serve/query.hpp"
#include "store/ledger_head.hpp"
#include "sweeps/level/day_book.hpp"
#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

Sources counting(Home& home) {
  Sources sources = home.sources();
  sources.verdicts = &home.store();
  return sources;
}

Json backtest_of(Home& home, const LedgerKey& key) {
  const std::string hash = must(home.sources().datasets->manifest("alpha")).content_hash;
  return {{"key", key.hex()},  {"dataset_hash", hash}, {"family", "mean_reversion"},
          {"from_day", 19358}, {"to_day", 19400},      {"what", "backtest mean_reversion"}};
}

TEST(BacktestCount, IsOfTheKeyThatASweepWouldBring) {
  Home home;
  home.run({.name = "first"});
  const sweeps::Plan plan = home.plan({});
  const sweeps::Segment& segment = plan.segments()[0];
  sweeps::SingleTrial single;
  single.data = plan.spec().data[segment.dataset];
  single.from = plan.spec().from;
  single.to = plan.spec().to;
  single.execution = plan.execution(segment);
  const std::vector<double> params = plan.params(segment.first_trial + 3, 1);
  const LedgerKey key = sweeps::single_ledger_key(single, plan.family(segment), params);
  EXPECT_EQ(key, plan.ledger_key(segment.first_block, params));
  const Json known = must(query(counting(home), "backtest_count", backtest_of(home, key)));
  EXPECT_EQ(known["new"], false);

  single.to = single.to - days(1);
  const LedgerKey other = sweeps::single_ledger_key(single, plan.family(segment), params);
  const Json fresh = must(query(counting(home), "backtest_count", backtest_of(home, other)));
  EXPECT_EQ(fresh["new"], true);
  EXPECT_EQ(fresh["ledger_trials"].get<std::uint64_t>(),
            known["ledger_trials"].get<std::uint64_t>() + 1);
}

TEST(BacktestCount, SaysWhichDaysWereShownToWhom) {
  Home home;
  const Json asked = backtest_of(home, {1, 2});
  must(query(counting(home), "backtest_count", asked));
  const std::string dataset = asked["dataset_hash"];
  const auto shown = [&] {
    return must(home.store().document_keys(sweeps::level::kShownKind, dataset + "/19358-19400/"));
  };
  ASSERT_EQ(shown().size(), 1u);
  EXPECT_TRUE(sweeps::level::parse_showing(shown()[0])) << shown()[0];
  const std::string first = *must(home.store().document(sweeps::level::kShownKind, shown()[0]));
  EXPECT_NE(first.find("\"user\":\"ann\""), std::string::npos) << first;
  Sources of_bob = counting(home);
  of_bob.asker.name = "bob";
  must(query(of_bob, "backtest_count", asked));
  EXPECT_EQ(*must(home.store().document(sweeps::level::kShownKind, shown()[0])), first)
      << "the first look stays";
  must(query(counting(home), "backtest_count", backtest_of(home, {1, 3})));
  EXPECT_EQ(shown().size(), 2u) << "another variant is another showing";
}

TEST(BacktestCount, RefusesWhatItCannotCount) {
  Home home;
  EXPECT_EQ(query(home.sources(), "backtest_count", backtest_of(home, {1, 2})).error().code(),
            ErrorCode::Refused);
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, Json>>{
           {"key", "12"}, {"key", 7}, {"family", Json()}, {"to_day", 19358}}) {
    Json asked = backtest_of(home, {1, 2});
    asked[name] = value;
    const auto counted = query(counting(home), "backtest_count", asked);
    ASSERT_FALSE(counted.ok()) << name;
    EXPECT_EQ(counted.error().code(), ErrorCode::InvalidInput);
    EXPECT_NE(counted.error().text().find(name), std::string::npos) << counted.error().text();
  }
  must(query(counting(home), "budget_set", {{"user", "ann"}, {"trials", 1}}));
  must(query(counting(home), "backtest_count", backtest_of(home, {1, 2})));
  must(query(counting(home), "backtest_count", backtest_of(home, {1, 2})));
  const auto over = query(counting(home), "backtest_count", backtest_of(home, {1, 3}));
  ASSERT_FALSE(over.ok());
  EXPECT_EQ(over.error().code(), ErrorCode::Refused);
  EXPECT_EQ(must(home.store().ledger_stamp()).trials, 1u);
}

TEST(LedgerStamp, StandsInEveryAnswerThatJudges) {
  Home home;
  const std::string id = home.run({.name = "first"});
  const store::LedgerStamp stamp = must(home.store().ledger_stamp());
  const Json ledger = must(ledger_json(home.sources()));
  EXPECT_EQ(ledger["born"], format_timestamp(stamp.birth.born));
  EXPECT_EQ(ledger["trials"], stamp.trials);
  EXPECT_EQ(ledger["hypotheses"], 4);
  EXPECT_EQ(ledger["head"], stamp.head);
  EXPECT_EQ(stamp.head, store::ledger_head_hash(stamp.birth, must(home.store().ledger_entries())));
  const Json scored = must(query(home.sources(), "converge", {{"sweep", id}}));
  EXPECT_EQ(scored["ledger"], ledger);
  for (const Json& family : scored["families"]) EXPECT_EQ(family["ledger"], ledger);
  EXPECT_EQ(must(query(home.sources(), "explain", {{"sweep", id}}))["ledger"], ledger);
  EXPECT_EQ(must(query(home.sources(), "explain", {{"sweep", id}, {"variant", 3}}))["ledger"],
            ledger);
  EXPECT_EQ(must(query(home.sources(), "ledger", Json::object()))["ledger"], ledger);
  const std::string page =
      must(query(home.sources(), "report", {{"sweep", id}}))["html"].get<std::string>();
  EXPECT_NE(page.find(stamp.head.substr(0, 16)), std::string::npos);
}

TEST(LedgerImport, JoinsAndSaysWhatCame) {
  Home here;
  Home there;
  there.run({.name = "first"});
  const store::LedgerStamp from = must(there.store().ledger_stamp());
  const Json args{
      {"head", store::ledger_head_text(from.birth, must(there.store().ledger_entries()))},
      {"from", "there"},
      {"by", "ann"}};
  const Json joined = must(query(counting(here), "ledger_import", args));
  EXPECT_EQ(joined["trials"], from.trials);
  EXPECT_EQ(joined["trials_total"], from.trials);
  EXPECT_EQ(must(query(counting(here), "ledger_import", args))["trials"], 0);
  const Json joins = must(query(here.sources(), "ledger", Json::object()))["joins"];
  ASSERT_EQ(joins.size(), 1u);
  EXPECT_EQ(joins[0]["why"], "imported from there by ann");
  EXPECT_EQ(joins[0]["from_id"], from.birth.id);
  EXPECT_EQ(query(here.sources(), "ledger_import", args).error().code(), ErrorCode::Refused);
  const auto torn = query(counting(here), "ledger_import", {{"head", "winnow-ledger 1\n"}});
  EXPECT_EQ(torn.error().code(), ErrorCode::Corrupt);
}

TEST(LedgerImport, DaysSeenElsewhereAreSeenAndItsAccountIsAddedToTheYear) {
  Home home;
  namespace level = sweeps::level;
  const std::string hash = must(home.sources().datasets->manifest("alpha")).content_hash;
  const std::string id = "0123456789abcdef0123456789abcdef";
  const std::string account =
      R"({"parameters":{"alpha":0.05,"openings":20,"level_max":0.05,"level_min":0.0002,)"
      R"("share_max":0.5},"users":[],"events":[]})";
  Json args{{"head", store::ledger_head_text({id, {1}}, {})}, {"from", "there"}};
  args["documents"] = {{"shown", hash + "/19358-19400/broad/sweep 77", "{}"},
                       {"seal", hash + "/19400-19500/sweep 77", "{}"},
                       {"shown", "earlier-sweeps-noted", "yes"},
                       {"account", "2026/default", account}};
  EXPECT_EQ(must(query(counting(home), "ledger_import", args))["documents_new"], 3);
  EXPECT_EQ(must(query(counting(home), "ledger_import", args))["documents_new"], 0);
  EXPECT_TRUE(must(home.store().document(level::kAccountKind, "2026/default@01234567")));
  const auto days = must(
      level::DayBook::read(documents_of(counting(home)), must(market_days(counting(home), hash))));
  EXPECT_EQ(days.seen_by({19390, 19395}), "sweep 77");
  EXPECT_EQ(days.sealed(), (std::vector<level::DayRange>{{19400, 19500}}));
  args["documents"] = {{"account", "2026/default", "no account"}};
  EXPECT_FALSE(query(counting(home), "ledger_import", args).ok());
}

}  // namespace
}  // namespace winnow::serve
