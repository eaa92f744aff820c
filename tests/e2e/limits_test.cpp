// Limits of time and memory with real processes: only the guilty trial pays, and the same trials
// pay whatever the farm.

#include <gtest/gtest.h>
#include <signal.h>

#include <set>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uint64_t kTrials = 200;

std::string spec_text(const std::string& limits) {
  return "sweep: limited\ndata: [sim-alpha]\nexecution: binance-usdm\nstrategies:\n"
         "  - family: mean_reversion\n    params:\n"
         "      lookback_bars: {int: [12, 288]}\n      entry_z: {float: [1.0, 3.0]}\n"
         "search: {method: random, samples: 200}\nseed: 3\n" +
         limits;
}

/// A home with a market, a specification, a coordinator and a node some of whose trials misbehave.
class OddFarm {
 public:
  OddFarm(const TemporaryFolder& folder, const std::string& name, const std::string& limits,
          std::uint32_t workers, const std::vector<std::string>& odd)
      : home_(folder.path() / name) {
    make_market(home_, 60);
    write_text(home_ / "sweep.yaml", spec_text(limits));
    coordinator_ = std::make_unique<Coordinator>(home_);
    std::vector<std::string> argv{WINNOW_ODD_NODE, home_.string(),
                                  std::to_string(coordinator_->port()), std::to_string(workers)};
    argv.insert(argv.end(), odd.begin(), odd.end());
    fs::create_directories(home_ / "node");
    node_ = std::make_unique<Process>(home_ / "node", argv);
  }
  ~OddFarm() {
    node_->send(SIGTERM);
    EXPECT_EQ(node_->wait(60), 0) << node_->errors();
  }

  const fs::path& home() const { return home_; }
  Process& node() { return *node_; }
  Ran run_sweep() {
    return winnow(home_, {"sweep", "run", (home_ / "sweep.yaml").string(), "--connect",
                          coordinator_->endpoint(), "--json"});
  }
  json asked(std::vector<std::string> args) {
    args.insert(args.end(), {"--connect", coordinator_->endpoint()});
    return ask(home_, args);
  }

 private:
  fs::path home_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<Process> node_;
};

/// Numbers of all trials that have a result, as exact text; their counts are checked on the way.
std::string good_results(OddFarm& farm, std::uint64_t cut) {
  const json top = farm.asked({"top", "last", "--limit", "1"});
  EXPECT_EQ(top["trials_committed"], kTrials);
  EXPECT_EQ(top["trials_failed"], cut);
  const json ledger = farm.asked({"ledger", "show"});
  EXPECT_NE(ledger.dump().find("\"trials\":200"), std::string::npos) << ledger.dump();
  const Ran csv = winnow(farm.home(), {"top", "last", "--by", "sharpe_ann", "--csv"});
  EXPECT_EQ(csv.status, 0) << csv.errors;
  EXPECT_EQ(parse_csv(csv.output).rows.size(), kTrials - cut);
  return csv.output;
}

std::string why(OddFarm& farm, std::uint64_t trial) {
  const json explained = farm.asked({"explain", "last", std::to_string(trial)});
  EXPECT_EQ(explained["status"], "failed") << explained.dump();
  return explained.value("error", "");
}

void expect_done(const Ran& ran) {
  ASSERT_EQ(ran.status, 0) << ran.errors;
  const json done = json_of(ran);
  EXPECT_EQ(done["state"], "done");
  EXPECT_EQ(done["trials_committed"], kTrials);
  EXPECT_EQ(done["blocks_quarantined"], 0);
}

constexpr const char* kShort = "limits: {trial_seconds: 0.2}\n";

TEST(Limits, SlowTrialsAreCutAndTheirNeighboursHaveResults) {
  const TemporaryFolder folder;
  std::string first;
  for (const std::uint32_t workers : {1u, 3u}) {
    OddFarm farm(folder, "w" + std::to_string(workers), kShort, workers,
                 {"slow", "40", "slow", "41", "slow", "150"});
    expect_done(farm.run_sweep());
    const std::string results = good_results(farm, 3);
    for (const std::uint64_t trial : {40u, 41u, 150u}) {
      EXPECT_NE(why(farm, trial).find("over its limit of 0.2 s of processor time"),
                std::string::npos)
          << why(farm, trial);
    }
    EXPECT_NE(farm.asked({"explain", "last"}).dump().find("3 trials failed"), std::string::npos);
    if (workers == 1) first = results;
    EXPECT_TRUE(results == first) << "the farm's size changed the results";
  }
  // The neighbours' numbers are those of a farm where nothing misbehaves and nothing is limited.
  OddFarm quiet(folder, "quiet", "", 2, {});
  expect_done(quiet.run_sweep());
  const Table all = parse_csv(good_results(quiet, 0));
  const Table cut = parse_csv(first);
  std::set<std::vector<std::string>> known;
  const std::size_t rank = all.column("rank");
  const auto plain = [&](std::vector<std::string> row) {
    if (rank < row.size()) row.erase(row.begin() + static_cast<std::ptrdiff_t>(rank));
    return row;
  };
  for (const auto& row : all.rows) known.insert(plain(row));
  for (const auto& row : cut.rows) EXPECT_TRUE(known.contains(plain(row))) << row.at(0);
}

TEST(Limits, ATrialThatDoesNotStopCostsItsNodeARestartAndNoNeighbour) {
  const TemporaryFolder folder;
  OddFarm farm(folder, "deaf", kShort, 2, {"deaf", "77"});
  expect_done(farm.run_sweep());
  (void)good_results(farm, 1);
  EXPECT_NE(why(farm, 77).find("did not stop when asked"), std::string::npos) << why(farm, 77);
  EXPECT_NE(why(farm, 77).find("trial 77"), std::string::npos) << why(farm, 77);
  EXPECT_TRUE(farm.node().running());
  // Once for its batch, once by itself.
  const std::string log = farm.node().output() + farm.node().errors();
  std::size_t lives = 0;
  for (auto at = log.find("joined the coordinator"); at != std::string::npos;
       at = log.find("joined the coordinator", at + 1)) {
    ++lives;
  }
  EXPECT_GE(lives, 3u) << log;
  EXPECT_TRUE(eventually(5, [&] { return farm.asked({"nodes"}).size() == 1; }))
      << "only its last life is a node";
}

TEST(Limits, HungryAndBrokenTrialsAreCutAlone) {
  const TemporaryFolder folder;
  OddFarm farm(folder, "hungry", "limits: {trial_memory_mb: 256}\n", 2,
               {"hungry", "5", "broken", "99"});
  expect_done(farm.run_sweep());
  (void)good_results(farm, 2);
  EXPECT_NE(why(farm, 5).find("above its limit of 256 MiB"), std::string::npos) << why(farm, 5);
  EXPECT_NE(why(farm, 99).find("a trial is broken"), std::string::npos) << why(farm, 99);
}

TEST(Limits, ATrialThatCrashesItsNodeIsQuarantinedAloneWithItsSignal) {
  const TemporaryFolder folder;
  OddFarm farm(folder, "fatal", "", 2, {"fatal", "41", "fatal", "150"});
  expect_done(farm.run_sweep());
  (void)good_results(farm, 2);
  for (const std::uint64_t trial : {41u, 150u}) {
    const std::string evidence = why(farm, trial);
    for (const std::string& part :
         {"quarantined: trial " + std::to_string(trial), std::string("3 nodes were lost"),
          std::string("its connection broke"), std::string("signal 11, SIGSEGV")}) {
      EXPECT_NE(evidence.find(part), std::string::npos) << evidence;
    }
  }
}

// The product's own trials against limits that some of them exceed: the same ones on every farm.
TEST(Limits, OfMemoryCutTheSameTrialsOfTheEngineOnEveryFarm) {
  const TemporaryFolder folder;
  std::string first;
  for (const char* nodes : {"1", "2"}) {
    const fs::path home = folder.path() / nodes;
    make_market(home, 60);
    write_text(home / "sweep.yaml",
               "sweep: hungry\ndata: [sim-alpha]\nexecution: none\nstrategies:\n"
               "  - family: mean_reversion\n    params:\n"
               "      lookback_bars: {values: [24, 48, 96, 2000, 4000]}\n"
               "      entry_z: {float: [1.0, 3.0], step: 0.1}\n"
               "limits: {trial_memory_mb: 0.075}\n");
    const Ran ran =
        winnow(home, {"sweep", "run", (home / "sweep.yaml").string(), "--nodes", nodes, "--json"});
    ASSERT_EQ(ran.status, 0) << ran.errors;
    const json top = ask(home, {"top", "last", "--where", "lookback_bars < 100"});
    EXPECT_EQ(top["trials_committed"], 105);
    EXPECT_EQ(top["trials_failed"], 42) << "the long look-backs";
    EXPECT_EQ(top["trials_matching"], 63);
    const Ran csv = winnow(home, {"top", "last", "--csv"});
    if (first.empty()) first = csv.output;
    EXPECT_TRUE(csv.output == first);
    EXPECT_EQ(winnow(home, {"store", "verify"}).status, 0);
  }
}

}  // namespace
}  // namespace winnow::e2e
