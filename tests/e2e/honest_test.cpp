// Habits of HONESTY.md through the real program: what happens, and what is said.

#include <gtest/gtest.h>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kGrid = R"(
execution: none
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [12, 60], step: 6}
      entry_z: {float: [1.0, 2.5], step: 0.5}
search: {method: grid}
)";

/// A home with one simulated market of 400 days, the last 60% of them sealed.
class Honest : public ::testing::Test {
 protected:
  void SetUp() override {
    make_market(home(), 400);
    const Ran sealed = winnow(home(), {"data", "synth", (home() / "market.yaml").string(), "--seed",
                                       "12", "--name", "kept", "--seal", "0.6"});
    ASSERT_EQ(sealed.status, 0) << sealed.errors;
    EXPECT_NE(sealed.output.find("seal"), std::string::npos) << sealed.output;
  }
  const fs::path& home() const { return folder_.path(); }

  fs::path spec(const std::string& name, const std::string& data, const std::string& more = "") {
    const fs::path file = home() / (name + ".yaml");
    write_text(file, "sweep: " + name + "\ndata: [" + data + "]\n" + more + kGrid);
    return file;
  }
  Ran run(const fs::path& file, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"sweep", "run", file.string()};
    words.insert(words.end(), more.begin(), more.end());
    return winnow(home(), words, 120);
  }
  json family(const std::string& sweep = "last") {
    return ask(home(), {"converge", sweep})["families"][0];
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(Honest, E12AnExploringSweepTakesTheDaysBeforeTheSealAndIsRefusedOnIt) {
  const Ran explored = run(spec("explores", "kept-alpha"));
  ASSERT_EQ(explored.status, 0) << explored.errors;
  EXPECT_NE(explored.errors.find("sealed"), std::string::npos) << explored.errors;
  EXPECT_EQ(family()["judged_days"], 160);
  const Ran refused =
      run(spec("reaches", "kept-alpha", "window: {from: 2023-01-01, to: 2024-01-01}\n"));
  EXPECT_EQ(refused.status, 2) << refused.errors;
  for (const char* part : {"reaches.yaml:3:", "sealed", "--unseal", "open: confirm"}) {
    EXPECT_NE(refused.errors.find(part), std::string::npos) << refused.errors;
  }
  const Ran shown = run(
      spec("reaches", "kept-alpha", "window: {from: 2023-01-01, to: 2024-01-01}\n"), {"--unseal"});
  ASSERT_EQ(shown.status, 0) << shown.errors;
  // What was shown judges nothing any more.
  const Ran late = winnow(home(),
                          {"open", spec("late", "kept-alpha",
                                        "window: {from: 2023-07-01, "
                                        "to: 2024-01-01}\n")
                                       .string()},
                          120);
  ASSERT_EQ(late.status, 0) << late.errors;
  const json verdict = family();
  EXPECT_EQ(verdict["verdict"], "INSUFFICIENT");
  EXPECT_NE(verdict["sentence"].get<std::string>().find("these days were seen by"),
            std::string::npos)
      << verdict["sentence"];
}

TEST_F(Honest, E6E12ABacktestStopsAtTheSealToo) {
  std::vector<std::string> words{
      "backtest", "--strategy", "mean_reversion", "--data", "kept-alpha", "--execution", "none"};
  const Ran before = winnow(home(), words);
  ASSERT_EQ(before.status, 0) << before.errors;
  EXPECT_NE(before.errors.find("sealed"), std::string::npos) << before.errors;
  words.insert(words.end(), {"--from", "2023-01-01", "--to", "2024-01-01"});
  const Ran refused = winnow(home(), words);
  EXPECT_EQ(refused.status, 3) << refused.output;
  EXPECT_NE(refused.errors.find("--unseal"), std::string::npos) << refused.errors;
  words.emplace_back("--unseal");
  EXPECT_EQ(winnow(home(), words).status, 0);
}

TEST_F(Honest, E7ExploringNeverSaysConvergedAndTheZoomIsPaidFor) {
  ASSERT_EQ(run(spec("zooms", "sim-alpha", "open: search\n")).status, 0);
  const json judged = family();
  EXPECT_EQ(judged["verdict"], "NOT_PROMOTED") << judged["reasons"];
  EXPECT_GT(judged["tile"]["tiles_tried"], 1);
  EXPECT_NEAR(judged["level"].get<double>(), 0.0025 / 1.0025, 1e-9);
  EXPECT_EQ(judged["judged_days"], 400);
  EXPECT_EQ(winnow(home(), {"converge", "last", "--require"}).status, 3);
  // A second sweep on days that were shown explores, whatever it finds.
  ASSERT_EQ(run(spec("again", "sim-alpha")).status, 0);
  EXPECT_NE(family()["verdict"], "CONVERGED");
  EXPECT_TRUE(family()["opened"].is_null());
  const json account = ask(home(), {"account", "show"})["accounts"][0];
  EXPECT_EQ(account["opened"], 1);
  EXPECT_NEAR(account["left"].get<double>(), 0.0475, 1e-12);
  // The very same again is free.
  ASSERT_EQ(run(home() / "zooms.yaml").status, 0);
  EXPECT_EQ(ask(home(), {"account", "show"})["accounts"][0]["opened"], 1);
}

TEST_F(Honest, ConfirmSaysWordsUntilItIsRevealed) {
  const std::string file = spec("idea", "kept-alpha", "looks: one\n").string();
  const Ran opened = winnow(home(), {"open", file}, 120);
  ASSERT_EQ(opened.status, 0) << opened.errors;
  const json verdict = family();
  EXPECT_EQ(verdict["numbers"], "hidden");
  EXPECT_EQ(verdict["verdict"], "NOT_PROMOTED");
  EXPECT_EQ(verdict["judged_days"], 240);
  for (const char* number : {"c", "p", "mu_sharpe_ann", "best", "profit", "c_cash"}) {
    EXPECT_FALSE(verdict.contains(number)) << number;
  }
  for (const std::vector<std::string>& asked :
       {std::vector<std::string>{"top", "last"},
        {"explain", "last", "0"},
        {"compare", "last", "0", "1"},
        {"risk", "last"},
        {"bakeoff", "last"},
        {"points", "last"},
        {"converge", "last", "--by", "neighbourhood"},
        {"report", "last", "--out", (home() / "r.html").string()}}) {
    const Ran refused = winnow(home(), asked);
    EXPECT_EQ(refused.status, 3) << asked[0] << refused.output;
    EXPECT_NE(refused.errors.find("judged in words"), std::string::npos) << refused.errors;
  }
  const json list = ask(home(), {"open", "list"})["hypotheses"];
  ASSERT_EQ(list.size(), 1u);
  EXPECT_TRUE(list[0]["looks"][0]["p"].is_null());
  const std::string id = list[0]["hypothesis"];
  ASSERT_EQ(winnow(home(),
                   {"reveal", id.substr(0, 6), "--token-file", token_of(home(), "ann", "operator")})
                .status,
            0);
  EXPECT_EQ(ask(home(), {"open", "show", id})["revealed_by"], "ann");
  EXPECT_TRUE(family().contains("c"));
  EXPECT_EQ(winnow(home(), {"top", "last"}).status, 0);
  // Its days judge nothing like it again.
  const Ran kin =
      winnow(home(), {"open", spec("kin", "kept-alpha", "looks: one\nseed: 3\n").string()}, 120);
  ASSERT_EQ(kin.status, 0) << kin.errors;
  EXPECT_EQ(family()["verdict"], "INSUFFICIENT");
}

TEST_F(Honest, E6AnOlderCopyOfTheStoreGivesNoStakeBackAndAnotherHomeBringsItsDays) {
  ASSERT_EQ(run(spec("explores", "sim-alpha")).status, 0);
  ASSERT_EQ(winnow(home(), {"store", "backup", "before"}).status, 0);
  ASSERT_EQ(winnow(home(), {"open", spec("idea", "kept-alpha", "looks: one\n").string()}).status,
            0);
  ASSERT_EQ(family()["numbers"], "hidden");
  const auto left = [](const fs::path& at) {
    return ask(at, {"account", "show"})["accounts"][0]["left"].get<double>();
  };
  EXPECT_NEAR(left(home()), 0.0475, 1e-12);
  ASSERT_EQ(winnow(home(), {"store", "restore", "before"}).status, 0);
  EXPECT_NEAR(left(home()), 0.0475, 1e-12) << "who only reads is told so";
  // The same again is a repeat, though the store that it was in is gone.
  const Ran again = winnow(home(), {"open", (home() / "idea.yaml").string()});
  ASSERT_EQ(again.status, 0) << again.errors;
  EXPECT_EQ(ask(home(), {"account", "show"})["accounts"][0]["opened"], 1);
  EXPECT_EQ(family()["verdict"], "NOT_PROMOTED") << "the word that it had";
  EXPECT_NEAR(left(home()), 0.0475, 1e-12);
  EXPECT_EQ(winnow(home(), {"store", "verify"}).status, 0);

  // Another home of the same market knows nothing of it, until it is told.
  const fs::path other = home() / "other";
  make_market(other, 400);
  const auto seen = [&] {
    return winnow(other, {"data", "seal", "show", "sim-alpha"}).output.find("shown") !=
           std::string::npos;
  };
  EXPECT_FALSE(seen());
  const json joined = ask(other, {"ledger", "import", home().string()});
  EXPECT_GE(joined["documents_new"], 2) << joined;
  EXPECT_EQ(ask(other, {"account", "show"})["accounts"].size(), 2u);
  EXPECT_TRUE(seen());
}

TEST_F(Honest, ASpentAccountSaysSoAndADeclaredOneIsItsUsers) {
  write_text(home() / "agents.yaml",
             "account: agents\nusers: [scout]\nalpha: 0.02\nopenings: 40\n");
  ASSERT_EQ(winnow(home(), {"account", "declare", (home() / "agents.yaml").string()}).status, 0);
  const json accounts = ask(home(), {"account", "show", "--user", "scout"})["accounts"];
  ASSERT_EQ(accounts.size(), 1u);
  EXPECT_NEAR(accounts[0]["next"]["level"].get<double>(), 0.0005 / 1.0005, 1e-9);
  write_text(home() / "bad.yaml", "alpha: 0.5\n");
  const Ran bad = winnow(home(), {"account", "declare", (home() / "bad.yaml").string()});
  EXPECT_EQ(bad.status, 2);
  EXPECT_NE(bad.errors.find("bad.yaml:1:8"), std::string::npos) << bad.errors;
}

}  // namespace
}  // namespace winnow::e2e
