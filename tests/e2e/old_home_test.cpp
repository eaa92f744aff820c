// A home that an earlier engine version made, opened by this program: nothing is lost, everything
// is marked, nothing of it enters later results, and what is made again is no other trial.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kGolden = fs::path(WINNOW_SOURCE_DIR) / "tests" / "e2e" / "golden";
constexpr const char* kOldGrid = "c301d4f365ba914f";

class OldHome : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string command = "tar -xzf '" + (kGolden / "home_engine_1.tar.gz").string() +
                                "' -C '" + folder_.path().string() + "'";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    std::ifstream in(kGolden / "home_engine_1.json");
    said_ = json::parse(in, nullptr, false);
    ASSERT_TRUE(said_.is_object());
  }
  fs::path home() const { return folder_.path() / "home"; }
  json run_again(const std::string& name) const {
    return ask(home(), {"sweep", "run", (kGolden / (name + ".yaml")).string(), "--token-file",
                        token_of(home(), "ann")});
  }
  static bool has_note(const json& answer) {
    for (const json& w : answer.value("warnings", json::array())) {
      if (w.get<std::string>().find("of engine version 1") != std::string::npos) return true;
    }
    return false;
  }
  /// What a sweep's leaderboard must still be.
  void expect_leaderboard(const std::string& sweep, const std::string& name) const {
    const json top = ask(home(), {"top", sweep, "--limit", "1000", "--all"});
    EXPECT_TRUE(has_note(top)) << name;
    EXPECT_EQ(top["engine_version"], 1);
    const json& expected = said_["leaderboards"][name];
    ASSERT_EQ(top["rows"].size(), expected.size()) << name;
    for (const json& row : top["rows"]) {
      const json& kept = expected[row["trial"].dump()];
      for (const auto& [metric, value] : kept.items()) {
        EXPECT_EQ(row["metrics"][metric], value) << name << " " << row["trial"] << " " << metric;
      }
    }
  }
  TemporaryFolder folder_;
  json said_;
};

TEST_F(OldHome, IsReadWholeAndMarked) {
  EXPECT_EQ(ask(home(), {"store", "verify"})["ok"], true);
  const json list = ask(home(), {"sweep", "list"});
  ASSERT_EQ(list["sweeps"].size(), 4u);
  for (const json& sweep : list["sweeps"]) {
    EXPECT_EQ(sweep["engine_version"], 1);
    EXPECT_TRUE(sweep.contains("engine_note")) << sweep;
  }
  EXPECT_NE(winnow(home(), {"sweep", "list"}).output.find("of engine version 1"),
            std::string::npos);
  for (const char* name : {"grid", "learns", "cut"}) expect_leaderboard(name, name);
  const json scored = ask(home(), {"converge", "grid"});
  EXPECT_TRUE(has_note(scored));
  ASSERT_EQ(scored["families"].size(), said_["verdicts"].size());
  for (std::size_t f = 0; f < said_["verdicts"].size(); ++f) {
    const json& said = said_["verdicts"][f];
    const json& family = scored["families"][f];
    for (const char* name : {"family", "data"}) EXPECT_EQ(family[name], said[name]) << f;
    // Version 1 recorded no positions: whether the market explains it cannot be known.
    const bool converged = said["verdict"] == "CONVERGED";
    EXPECT_EQ(family["verdict"], converged ? json("INSUFFICIENT") : said["verdict"]) << f;
    EXPECT_NE(family["reasons"].back().get<std::string>().find("engine version 1"),
              std::string::npos)
        << family["reasons"];
    EXPECT_NEAR(scored["families"][f]["c"].get<double>(), said["c"].get<double>(), 1e-9) << f;
  }
  const json variant = ask(home(), {"explain", "grid", "3"});
  EXPECT_TRUE(has_note(variant));
  EXPECT_EQ(variant["trial_key"], "d6f64c86e6041ef54b91d3eb0d486fb8");
  EXPECT_EQ(variant["first_result"]["sweep_id"], kOldGrid);
  const json ledger = ask(home(), {"ledger", "show"});
  for (const char* name : {"trials_total", "executions_total", "hypotheses"}) {
    EXPECT_EQ(ledger[name], said_["ledger"][name]) << name;
  }
  EXPECT_EQ(ask(home(), {"ledger", "budget", "show"})["budgets"][0]["spent"], 131);
  const Ran report = winnow(home(), {"report", "grid", "--out", (home() / "old.html").string()});
  EXPECT_EQ(report.status, 0) << report.errors;
}

TEST_F(OldHome, IsNotGoneOnWith) {
  Coordinator farm(home());
  ASSERT_NE(farm.port(), 0) << farm.process().errors();
  for (const auto& args : {std::vector<std::string>{"sweep", "resume", "waiting"},
                           std::vector<std::string>{"sweep", "extend", "cut", "--budget", "48"}}) {
    auto asked = args;
    asked.insert(asked.end(), {"--connect", farm.endpoint()});
    const Ran ran = winnow(home(), asked);
    EXPECT_NE(ran.status, 0);
    EXPECT_NE(ran.errors.find("is of engine version 1"), std::string::npos) << ran.errors;
  }
  // Nothing can finish it, so it may go.
  EXPECT_EQ(
      winnow(home(), {"sweep", "delete", "waiting", "--yes", "--connect", farm.endpoint()}).status,
      0);
  EXPECT_EQ(ask(home(), {"ledger", "show", "--connect", farm.endpoint()})["trials_total"], 131);
}

// The ledger's promise over a change of the engine: the same trials, the same hypotheses, the same
// looks; nothing is charged twice, and nothing old is counted among the new.
TEST_F(OldHome, WhatIsMadeAgainIsTheSameTrial) {
  const json before = ask(home(), {"ledger", "show"});
  const json again = run_again("grid");  // 52 trials; the budget has room for 9
  ASSERT_EQ(again["state"], "done") << again;
  const std::string id = again.value("sweep_id", again.value("sweep", ""));
  EXPECT_NE(id, kOldGrid) << "results of two engines under one name";
  const json ledger = ask(home(), {"ledger", "show"});
  for (const char* same : {"trials_total", "trials_effective_total", "hypotheses"}) {
    EXPECT_EQ(ledger[same], before[same]) << same;
  }
  EXPECT_EQ(ledger["executions_total"], before["executions_total"].get<int>() + 52);
  EXPECT_EQ(ask(home(), {"ledger", "budget", "show"})["budgets"][0]["spent"], 131);

  const json scored = ask(home(), {"converge", id});
  EXPECT_EQ(scored["hypotheses"], before["hypotheses"]);
  for (const json& family : scored["families"]) {
    EXPECT_EQ(family["look"]["sweep"], kOldGrid) << "the look was taken before";
    EXPECT_EQ(family["look"]["number"], 1);
    EXPECT_EQ(family["ledger_trials"], family["data"] == "kept-alpha" ? 58 : 73);
  }
  EXPECT_EQ(ask(home(), {"ledger", "show"})["hypotheses"], before["hypotheses"]);

  const json top = ask(home(), {"top", id, "--limit", "1000", "--all"});
  EXPECT_FALSE(has_note(top));
  EXPECT_EQ(top["rows"].size(), 52u) << "and none of the old ones";
  EXPECT_TRUE(top["rows"][0]["metrics"].contains("alpha_ann"));
  const json variant = ask(home(), {"explain", id, "3"});
  EXPECT_EQ(variant["first_result"]["sweep_id"], kOldGrid);
  EXPECT_NE(variant["trial_key"], "d6f64c86e6041ef54b91d3eb0d486fb8") << "another computation";
  EXPECT_EQ(variant["ranked_in_family"], 20);

  expect_leaderboard(kOldGrid, "grid");
  EXPECT_NE(winnow(home(), {"bakeoff", kOldGrid, id}).status, 0) << "two engines compared";
  EXPECT_EQ(ask(home(), {"store", "verify"})["ok"], true);
  // A second repeat is law 1's: the same bits, no alarm, no charge.
  const json twice = run_again("grid");
  EXPECT_EQ(ask(home(), {"ledger", "show"})["trials_total"], 131);
  EXPECT_EQ(twice["state"], "done");
}

TEST_F(OldHome, WhatIsNewIsCharged) {
  write_text(
      home() / "more.yaml",
      "sweep: more\ndata: [kept-alpha]\nexecution: binance-usdm\nstrategies:\n"
      "  - family: sma_cross\n    params:\n      fast_bars: {values: [4, 8, 12, 16, 20, 22]}\n"
      "      slow_bars: {values: [24, 48]}\nsearch: {method: grid}\nseed: 7\n");
  const auto run = [&] {
    return winnow(home(), {"sweep", "run", (home() / "more.yaml").string(), "--token-file",
                           token_of(home(), "ann")});
  };
  EXPECT_EQ(run().status, 0) << "six of the twelve were made before: six fit into nine";
  EXPECT_EQ(ask(home(), {"ledger", "show"})["trials_total"], 137);
  write_text(home() / "more.yaml",
             "sweep: yet-more\ndata: [kept-alpha]\nexecution: binance-usdm\nstrategies:\n"
             "  - family: sma_cross\n    params:\n      fast_bars: {values: [4, 5, 6, 7, 9, 10]}\n"
             "      slow_bars: {values: [24]}\nsearch: {method: grid}\nseed: 7\n");
  const Ran refused = run();
  EXPECT_NE(refused.status, 0) << "five new trials, three left";
  EXPECT_NE(refused.errors.find("budget of 140 trials"), std::string::npos) << refused.errors;
}

}  // namespace
}  // namespace winnow::e2e
