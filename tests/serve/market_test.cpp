// What was tried is counted by market, in whatever form it was imported.
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "serve/ledger_account.hpp"
#include "serve/looks.hpp"
#include "serve/scoring.hpp"
#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) ADD_FAILURE() << from << " is not in the text";
  return text.replace(at, from.size(), to);
}

class OneMarket : public testing::Test {
 protected:
  /// Of `alpha`: one price moved by a tick, under names that say nothing.
  void import_again() {
    MarketColumns again = seeded_market(1, 24 * 160);
    again.close[500] = std::min(again.high[500], again.close[500] * 1.00001);
    home_.add_market("other-name", again);
  }
  std::string run_on(const std::string& data, const std::string& yaml = kSpecYaml) {
    return home_.run(
        {.name = "on-" + data, .yaml = replaced(yaml, "[alpha, beta]", "[" + data + "]")});
  }
  Json ask(std::string_view name, const Json& args) {
    return must(query(home_.sources(), name, args));
  }
  std::uint64_t trials_of(const std::string& id) {
    return ask("top", {{"sweep", id}})["noise"][0]["ledger_trials"];
  }
  Home home_;
};

TEST_F(OneMarket, NIsThatOfTheMarketWhereverItIsShown) {
  const std::string first = run_on("alpha");
  const std::uint64_t n = trials_of(first);
  ASSERT_GT(n, 10u);
  import_again();
  const std::string second = run_on("other-name");
  EXPECT_EQ(trials_of(second), 2 * n);
  EXPECT_EQ(trials_of(first), 2 * n);
  run_on("beta");
  EXPECT_EQ(trials_of(second), 2 * n) << "another market counts";

  const Json converged = ask("converge", {{"sweep", second}});
  ASSERT_FALSE(converged["families"].empty());
  for (const Json& family : converged["families"]) {
    EXPECT_EQ(family["ledger_trials"], 2 * n);
    EXPECT_EQ(family["profit"]["best"]["trials"], 2 * n);
    EXPECT_EQ(family["ledger_trials_effective"].get<double>(), 2 * static_cast<double>(n));
  }
  const Json told = ask("explain", {{"sweep", second}, {"variant", 3}});
  EXPECT_EQ(told["luck"]["trials"], 2 * n);
  EXPECT_EQ(ask("risk", {{"sweep", second}, {"paths", 100}})["variants"][0]["ledger_trials"],
            2 * n);

  // Without a book a content hash is a market of its own.
  Sources blind = home_.sources();
  blind.datasets = nullptr;
  EXPECT_EQ(must(query(blind, "top", {{"sweep", second}}))["noise"][0]["ledger_trials"], n);
}

TEST_F(OneMarket, TheLedgerGroupsByMarketAndNamesOverlaps) {
  run_on("alpha");
  import_again();
  run_on("other-name");
  run_on("beta");
  const Json ledger = ask("ledger", Json::object());
  ASSERT_EQ(ledger["lines"].size(), 4u);  // two families on two markets
  for (const Json& line : ledger["lines"]) {
    const bool alpha = line["datasets"].size() == 2;
    std::uint64_t sum = 0;
    for (const Json& d : line["datasets"]) sum += d["trials"].get<std::uint64_t>();
    EXPECT_EQ(line["trials"], sum);
    if (!alpha) {
      EXPECT_EQ(line["data"], "beta");
      EXPECT_TRUE(line["datasets"][0]["overlap"].is_null());
      continue;
    }
    const Json& later = line["datasets"][line["datasets"][0]["data"] == "alpha" ? 1 : 0];
    EXPECT_EQ(later["data"], "other-name");
    EXPECT_NE(later["overlap"].get<std::string>().find("common days moved alike"),
              std::string::npos)
        << later;
  }
  // Asked by one of its names, the whole market answers: that is the N of its results.
  const Json alpha = ask("ledger", {{"data", "alpha"}});
  EXPECT_EQ(alpha["trials_total"], ask("ledger", {{"data", "other-name"}})["trials_total"]);
  EXPECT_EQ(alpha["lines"].size(), 2u);
  EXPECT_NE(json_text(alpha["how"]).find("2 datasets of 1 market"), std::string::npos);
}

TEST_F(OneMarket, AClaimIsTheSameOnTheSameMarket) {
  run_on("alpha");
  import_again();
  run_on("other-name");
  const Json lines = ask("ledger", {{"by", "sweep"}, {"family", "sma_cross"}})["lines"];
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["market"], lines[1]["market"]);
  EXPECT_EQ(lines[0]["hypothesis"], lines[1]["hypothesis"]);
}

TEST_F(OneMarket, ADamagedRecordIsToldAndNotTakenForAMarketOfItsOwn) {
  const std::string id = run_on("alpha");
  for (const auto& file : std::filesystem::directory_iterator(home_.path() / "data/markets")) {
    if (file.path().extension() == ".json") std::ofstream(file.path()) << "winnow";
  }
  const auto answer = query(home_.sources(), "top", {{"sweep", id}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), ErrorCode::Corrupt);
  EXPECT_TRUE(query(home_.sources(), "sweep_show", {{"sweep", id}}).ok());
}

class LooksOfAMarket : public OneMarket {
 protected:
  static std::string spec(const std::string& to) {
    return replaced(kSpecYaml, "to: 2023-06-01, holdout: 10d", "to: " + to) +
           "convergence: {looks: equal}\n";
  }
  std::vector<FamilyScore> score(const std::string& id) {
    Sources sources = home_.sources();
    sources.verdicts = &home_.store();
    return must(score_families(sources, must(SweepView::open(sources, id)))).families;
  }
  std::size_t looks() { return must(home_.store().document_keys("look")).size(); }
};

TEST_F(LooksOfAMarket, E13ANewNameOrAValueMoreDoesNotTakeTheLookAgain) {
  const std::string first = run_on("alpha", spec("2023-04-20"));
  score(first);
  const std::size_t taken = looks();
  ASSERT_EQ(taken, 2u);
  import_again();
  const std::string wider = replaced(spec("2023-05-11"), "lookback_bars: {int: [12, 72]",
                                     "lookback_bars: {int: [12, 84]");
  const std::string later_start =
      replaced(spec("2023-05-11"), "from: 2023-01-05", "from: 2023-01-06");
  for (const auto& [data, yaml] :
       {std::pair{"other-name", spec("2023-05-11")}, {"alpha", wider}, {"alpha", later_start}}) {
    const auto families = score(run_on(data, yaml));
    EXPECT_EQ(looks(), taken);
    for (const FamilyScore& f : families) {
      ASSERT_TRUE(f.look);
      EXPECT_EQ(f.look->sweep, first) << data;
      EXPECT_EQ(f.look->periods, yaml == later_start ? 104u : 105u) << "other days";
      EXPECT_EQ(f.score.periods, f.look->periods);
    }
  }
  // Another market, other days and another part of the space are looked at for the first time.
  score(run_on("beta", spec("2023-04-20")));
  EXPECT_EQ(looks(), taken + 2);
  const std::string apart = replaced(spec("2023-04-20"), "lookback_bars: {int: [12, 72]",
                                     "lookback_bars: {int: [96, 156]");
  const auto families = score(run_on("alpha", apart));
  EXPECT_EQ(looks(), taken + 3) << "only mean_reversion moved";
  for (const FamilyScore& f : families) EXPECT_EQ(f.look->number, 1u);
}

TEST_F(LooksOfAMarket, LooksKeptByNameAreFoundUnderTheirMarket) {
  const std::string first = run_on("alpha", spec("2023-04-20"));
  const auto view = must(SweepView::open(home_.sources(), first));
  for (const sweeps::Segment& segment : view.plan.segments()) {
    const Json json{{"plan", "equal"}, {"look", 1}, {"periods", 105}, {"sweep", first}};
    must(home_.store().put_document("look", look_key_by_name(view, segment) + "/1",
                                    json_text(json)));
  }
  import_again();
  for (const FamilyScore& f : score(run_on("other-name", spec("2023-05-11")))) {
    EXPECT_EQ(f.look->sweep, first);
    EXPECT_EQ(f.look->periods, 105u);
  }
}

}  // namespace
}  // namespace winnow::serve
