// Searches that learn, with real processes: the same trials on any farm and through any crash.

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <set>
#include <sstream>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/killing.hpp"
#include "tests/e2e/process.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string kTpe =
    learning_sweep("learns", "search: {method: tpe, trials: 768, generation: 32}\n");

fs::path make_search_home(const TemporaryFolder& folder, const std::string& name) {
  const fs::path home = folder.path() / name;
  make_market(home, 200);
  return home;
}

Ran run(const fs::path& home, const std::string& spec, const std::string& nodes) {
  write_text(home / "sweep.yaml", spec);
  return winnow(home,
                {"sweep", "run", (home / "sweep.yaml").string(), "--nodes", nodes, "--workers", "1",
                 "--json"},
                300);
}

class Searches : public testing::TestWithParam<std::string> {};

TEST_P(Searches, OneNodeAndThreeMakeTheSameTrials) {
  const TemporaryFolder folder;
  const fs::path one = make_search_home(folder, "one");
  const fs::path three = make_search_home(folder, "three");
  const std::string spec = learning_sweep("same", GetParam());
  const Ran first = run(one, spec, "1");
  ASSERT_EQ(first.status, 0) << first.errors;
  const Ran second = run(three, spec, "3");
  ASSERT_EQ(second.status, 0) << second.errors;
  const std::string expected = leaderboard(one);
  ASSERT_GT(expected.size(), 1000u);
  EXPECT_TRUE(leaderboard(three) == expected);
  EXPECT_EQ(ledger(three), ledger(one));
  const json shown = ask(three, {"sweep", "show", "last"});
  EXPECT_EQ(shown["trials_committed"], shown["trials"]);
  EXPECT_EQ(shown["state"], "done");
}

INSTANTIATE_TEST_SUITE_P(Methods, Searches,
                         testing::Values("search: {method: tpe, trials: 192, generation: 32}\n",
                                         "search: {method: nsga2, trials: 192, generation: 32, "
                                         "objectives: [sharpe_ann, drawdown_max_frac]}\n",
                                         "search: {method: random, trials: 192, generation: 32}\n"
                                         "fidelity: {method: asha, shortest: 40d, eta: 2}\n",
                                         "search: {method: tpe, trials: 100, generation: 8}\n"
                                         "fidelity: {method: halving, shortest: 40d, eta: 2}\n"));

TEST(KilledSearch, MakesTheSameTrials) {
  const TemporaryFolder folder;
  const fs::path quiet = make_search_home(folder, "quiet");
  const Ran peace = run(quiet, kTpe, "1");
  ASSERT_EQ(peace.status, 0) << peace.errors;
  const std::string expected = leaderboard(quiet);

  const fs::path home = make_search_home(folder, "killed");
  write_text(home / "sweep.yaml", kTpe);
  const int kills =
      run_under_kills(home, {.lives = 5, .kills_a_life = 5, .written_bytes_max = 20'000});
  EXPECT_GT(kills, 3);
  EXPECT_TRUE(leaderboard(home) == expected) << "results differ after " << kills << " kills";
  EXPECT_EQ(ledger(home), ledger(quiet));
}

TEST(Search, GoesOnInPlaceAsIfItHadBeenLongerAtFirst) {
  const TemporaryFolder folder;
  const fs::path whole = make_search_home(folder, "whole");
  const fs::path parts = make_search_home(folder, "parts");
  const auto spec = [](int trials) {
    return learning_sweep("longer", "search: {method: tpe, generation: 32, trials: " +
                                        std::to_string(trials) + "}\n");
  };
  const Ran all = run(whole, spec(192), "1");
  ASSERT_EQ(all.status, 0) << all.errors;
  const Ran half = run(parts, spec(96), "1");
  ASSERT_EQ(half.status, 0) << half.errors;
  const Ran rest = run(parts, spec(192), "2");
  ASSERT_EQ(rest.status, 0) << rest.errors;
  EXPECT_EQ(json_of(half)["sweep"], json_of(rest)["sweep"]);
  EXPECT_EQ(json_of(all)["sweep"], json_of(rest)["sweep"]);
  EXPECT_TRUE(leaderboard(parts) == leaderboard(whole));
}

TEST(Search, LearnsFromAnEarlierSweepOfTheSameSpace) {
  const TemporaryFolder folder;
  const fs::path home = make_search_home(folder, "warm");
  const Ran first =
      run(home, learning_sweep("first", "search: {method: random, samples: 64}\n"), "1");
  ASSERT_EQ(first.status, 0) << first.errors;
  const std::string id = json_of(first)["sweep"];
  const Ran second = run(home,
                         learning_sweep("second",
                                        "search: {method: tpe, trials: 64, generation: 32, "
                                        "warm_start: " +
                                            id + "}\n"),
                         "1");
  ASSERT_EQ(second.status, 0) << second.errors;
  // All of its variants were chosen by results on the days that would judge them.
  const json family = ask(home, {"converge", json_of(second)["sweep"]})["families"][0];
  EXPECT_EQ(family["verdict"], "INSUFFICIENT");
  EXPECT_NE(family["reasons"].dump().find("selection"), std::string::npos) << family.dump();
  const Ran unknown = run(home,
                          learning_sweep("third",
                                         "search: {method: tpe, trials: 64, "
                                         "warm_start: 0123456789abcdef}\n"),
                          "1");
  EXPECT_NE(unknown.status, 0);
  EXPECT_NE(unknown.errors.find("search.warm_start: sweep 0123456789abcdef is not in this farm's "
                                "store"),
            std::string::npos)
      << unknown.errors;
}

TEST(Search, IsJudgedByTheVariantsItTriedBeforeItLearned) {
  const TemporaryFolder folder;
  const fs::path home = make_search_home(folder, "judged");
  const Ran ran = run(
      home, learning_sweep("judged", "search: {method: tpe, trials: 96, generation: 32}\n"), "2");
  ASSERT_EQ(ran.status, 0) << ran.errors;
  const std::string id = json_of(ran)["sweep"];
  const json answer = ask(home, {"converge", id});
  const json& family = answer["families"][0];
  EXPECT_EQ(family["variants"], 32) << family.dump();
  EXPECT_NE(answer.dump().find("first 32 of 96 variants"), std::string::npos) << answer.dump();
  // What else speaks for the family reads the same variants.
  EXPECT_LE(family["profit"]["variants"], 32) << family["profit"].dump();
  EXPECT_GE(family["profit"]["variants"], 5) << family["profit"].dump();
  EXPECT_LE(family["profit"]["best_of_many"]["variants_tested"], 32) << family["profit"].dump();
  const json duel = ask(home, {"bakeoff", id});
  EXPECT_LE(duel["comparisons"][0]["entrants"][0]["variants"], 32) << duel.dump();
  EXPECT_NE(duel.dump().find("first 32 of 96 variants"), std::string::npos) << duel.dump();
  const json tiles = ask(home, {"converge", id, "--by", "neighbourhood"});
  EXPECT_NE(tiles.dump().find("first 32 of 96 variants"), std::string::npos);
}

// A slow mean that is not above the fast one is no crossover: the family refuses it, and no search
// may spend a trial on it.
TEST(Search, KeepsToWhatTheFamilyAllows) {
  const TemporaryFolder folder;
  const fs::path home = make_search_home(folder, "allowed");
  for (const std::string method :
       {"tpe", "cmaes", "nsga2, objectives: [sharpe_ann, drawdown_max_frac]"}) {
    SCOPED_TRACE(method);
    const Ran ran = run(home,
                        "sweep: crossover\ndata: [sim-alpha]\nexecution: binance-usdm\n"
                        "strategies:\n  - family: sma_cross\n    params:\n"
                        "      fast_bars: {int: [4, 60]}\n      slow_bars: {int: [8, 80]}\n"
                        "seed: 5\nsearch: {generation: 16, trials: 64, method: " +
                            method + "}\n",
                        "2");
    ASSERT_EQ(ran.status, 0) << ran.errors;
    const json shown = ask(home, {"sweep", "show", json_of(ran)["sweep"]});
    EXPECT_EQ(shown["trials_committed"], 64) << shown.dump();
    EXPECT_EQ(shown["trials_failed"], 0) << shown.dump();
    const Ran csv = winnow(home, {"top", json_of(ran)["sweep"], "--csv"});
    std::istringstream lines(csv.output);
    std::string line;
    std::getline(lines, line);
    ASSERT_TRUE(line.starts_with("rank,trial,family,data,param_fast_bars,param_slow_bars,"))
        << line;
    int rows = 0;
    std::set<std::pair<int, int>> points;
    while (std::getline(lines, line)) {
      int rank = 0, trial = 0, fast = 0, slow = 0;
      ASSERT_EQ(std::sscanf(line.c_str(), "%d,%d,sma_cross,sim-alpha,%d,%d,", &rank, &trial, &fast,
                            &slow),
                4)
          << line;
      EXPECT_LT(fast, slow) << line;
      EXPECT_TRUE(fast >= 4 && slow <= 80) << line;
      points.insert({fast, slow});
      ++rows;
    }
    EXPECT_EQ(rows, 64);
    EXPECT_GT(points.size(), 20u) << "the search has nothing left to try";
  }
}

TEST(Search, CheckSaysThatTheFirstGenerationIsTooSmall) {
  const TemporaryFolder folder;
  const fs::path home = make_search_home(folder, "small");
  const fs::path spec = home / "small.yaml";
  write_text(spec,
             "sweep: small\ndata: [sim-alpha]\nexecution: none\nstrategies:\n"
             "  - family: mean_reversion\n    params: {entry_z: {float: [1, 3]}}\nseed: 1\n"
             "search: {method: tpe, trials: 64, generation: 8}\n");
  const Ran checked = winnow(home, {"config", "check", spec.string()});
  EXPECT_EQ(checked.status, 0) << checked.errors;
  EXPECT_NE(checked.errors.find("the first generation of 8 is what the family is judged by"),
            std::string::npos)
      << checked.errors;
  EXPECT_NE(checked.errors.find("search.generation needs 16"), std::string::npos) << checked.errors;
}

TEST(Search, RefusesWhatIsNotOne) {
  const TemporaryFolder folder;
  const fs::path home = make_search_home(folder, "bad");
  const Ran metric = run(home,
                         learning_sweep("bad",
                                        "search: {method: tpe, trials: 64, "
                                        "objective: sharp_ann}\n"),
                         "1");
  EXPECT_EQ(metric.status, 2);
  EXPECT_NE(metric.errors.find("did you mean 'sharpe_ann'"), std::string::npos) << metric.errors;
}

}  // namespace
}  // namespace winnow::e2e
