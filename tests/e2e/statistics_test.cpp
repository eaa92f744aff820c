// The ledger with real processes: N is exact, over people and agents, over sweeps that were
// cancelled, deleted, repeated and cut by a killed node; it deflates what is shown; budgets hold.

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/e2e/door_farm.hpp"
#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kRefused = 3;

class Statistics : public ::testing::Test {
 protected:
  void SetUp() override { make_market(home_, 60); }
  void start_farm() {
    farm_ = std::make_unique<Coordinator>(home_);
    ASSERT_NE(farm_->port(), 0) << farm_->process().errors();
    start_node();
  }
  void start_node() {
    node_ = std::make_unique<Process>(
        home_, winnow_argv(home_, {"node", "--join", farm_->endpoint(), "--workers", "1"}));
  }
  Ran run(const std::string& yaml, const std::string& name, std::vector<std::string> more) {
    const fs::path file = home_ / (name + ".yaml");
    write_text(file, yaml);
    std::vector<std::string> args{"sweep", "run", file.string(), "--json"};
    args.insert(args.end(), more.begin(), more.end());
    if (farm_) args.insert(args.end(), {"--connect", farm_->endpoint()});
    return winnow(home_, args);
  }
  Ran tell(std::vector<std::string> args) const {
    if (farm_) args.insert(args.end(), {"--connect", farm_->endpoint()});
    return winnow(home_, args);
  }
  json asked(std::vector<std::string> args) const {
    args.push_back("--json");
    const Ran ran = tell(args);
    EXPECT_EQ(ran.status, 0) << ran.errors;
    return json_of(ran);
  }
  std::uint64_t trials() const { return asked({"ledger", "show"})["trials_total"]; }
  std::uint64_t trials_of(const std::string& user) const {
    const json shown = asked({"ledger", "show", "--by", "user"});
    for (const json& line : shown["lines"]) {
      if (line["user"] == user) return line["trials"];
    }
    return 0;
  }
  std::uint64_t committed(const std::string& sweep) const {
    return asked({"sweep", "show", sweep})["trials_committed"];
  }
  bool becomes(const std::string& sweep, const std::string& state) const {
    return eventually(90, [&] { return asked({"sweep", "show", sweep})["state"] == state; });
  }
  double best_dsr(const std::string& sweep) const {
    return asked({"top", sweep, "--by", "dsr", "--limit", "1"})["rows"][0]["metrics"]["dsr"];
  }

  TemporaryFolder folder_;
  fs::path home_ = folder_.path() / "home";
  std::unique_ptr<Coordinator> farm_;
  std::unique_ptr<Process> node_;
};

TEST_F(Statistics, NIsExactWhateverBecameOfTheSweeps) {
  start_farm();
  ASSERT_EQ(run(random_sweep("person", 300, 1), "person", {"--token-file", token_of(home_, "ann")})
                .status,
            0);
  EXPECT_EQ(trials(), 300u);
  const double alone = best_dsr("person");

  // An agent on the same dataset, whose node is killed in the middle.
  const std::string agents = random_sweep("agent", 12'000, 2);
  ASSERT_EQ(run(agents, "agent", {"--token-file", token_of(home_, "agent-7"), "--detach"}).status,
            0);
  ASSERT_TRUE(eventually(60, [&] { return committed("agent") > 0; }));
  node_->send(SIGKILL);
  ASSERT_EQ(node_->wait(10), 128 + SIGKILL);
  EXPECT_LT(committed("agent"), 12'000u) << "killed too late to mean anything";
  start_node();
  ASSERT_TRUE(becomes("agent", "done"));
  EXPECT_EQ(trials(), 12'300u);
  EXPECT_EQ(trials_of("ann"), 300u);
  EXPECT_EQ(trials_of("agent-7"), 12'000u);
  const double among_many = best_dsr("person");
  EXPECT_GT(alone, 0.0);
  EXPECT_LT(among_many, alone) << "N grew and the same variant looks no luckier";

  // Repeats under another name and by another user are no new trials.
  ASSERT_EQ(
      run(random_sweep("again", 300, 1), "again", {"--token-file", token_of(home_, "agent-7")})
          .status,
      0);
  EXPECT_EQ(trials(), 12'300u);

  // A cancelled sweep is charged what was evaluated.
  ASSERT_EQ(run(random_sweep("cut", 400'000, 3), "cut",
                {"--token-file", token_of(home_, "ann"), "--detach"})
                .status,
            0);
  ASSERT_TRUE(eventually(60, [&] { return committed("cut") > 0; }));
  const Ran busy = tell({"sweep", "delete", "cut", "--yes"});
  EXPECT_EQ(busy.status, kRefused) << busy.errors;
  EXPECT_NE(busy.errors.find("winnow sweep cancel"), std::string::npos) << busy.errors;
  ASSERT_EQ(tell({"sweep", "cancel", "cut"}).status, 0);
  ASSERT_TRUE(becomes("cut", "cancelled"));
  // What the node had begun is finished and kept before it ends.
  node_->send(SIGTERM);
  ASSERT_EQ(node_->wait(60), 0) << node_->errors();
  start_node();
  const std::uint64_t cut = committed("cut");
  EXPECT_GT(cut, 0u);
  EXPECT_LT(cut, 400'000u);
  EXPECT_EQ(trials(), 12'300u + cut);
  EXPECT_EQ(trials_of("ann"), 300u + cut);

  // Deleted ones take nothing out of the ledger, and come back without adding to it.
  const Ran careless = tell({"sweep", "delete", "agent"});
  EXPECT_EQ(careless.status, 2);
  EXPECT_NE(careless.errors.find("--yes"), std::string::npos) << careless.errors;
  EXPECT_EQ(committed("agent"), 12'000u);
  ASSERT_EQ(tell({"sweep", "delete", "agent", "--yes"}).status, 0);
  ASSERT_EQ(tell({"sweep", "delete", "cut", "--yes"}).status, 0);
  EXPECT_EQ(trials(), 12'300u + cut);
  const Ran gone = tell({"top", "agent"});
  EXPECT_NE(gone.status, 0);
  EXPECT_NE(gone.errors.find("was deleted at"), std::string::npos) << gone.errors;
  EXPECT_LE(best_dsr("person"), among_many) << "the luck that was had does not go away";
  ASSERT_EQ(run(agents, "agent", {"--token-file", token_of(home_, "agent-7")}).status, 0);
  EXPECT_EQ(committed("agent"), 12'000u);
  EXPECT_EQ(trials(), 12'300u + cut);
  EXPECT_EQ(trials_of("agent-7"), 12'000u);

  farm_->process().send(SIGTERM);
  EXPECT_EQ(farm_->process().wait(30), 0);
  farm_.reset();
  const Ran verified = winnow(home_, {"store", "verify"});
  EXPECT_EQ(verified.status, 0) << verified.output << verified.errors;
  EXPECT_EQ(trials(), 12'300u + cut);
}

TEST_F(Statistics, ABudgetRefusesWhatIsTooBigBeforeItStarts) {
  start_farm();
  const auto budget = asked({"ledger", "budget", "set", "--user", "agent-7", "--trials", "500"});
  ASSERT_EQ(budget["budgets"].size(), 1u);
  EXPECT_EQ(budget["budgets"][0]["left"], 500);
  ASSERT_EQ(run(random_sweep("fits", 300, 1), "fits", {"--token-file", token_of(home_, "agent-7")})
                .status,
            0);
  const Ran big =
      run(random_sweep("big", 400, 2), "big", {"--token-file", token_of(home_, "agent-7")});
  EXPECT_EQ(big.status, kRefused) << big.output;
  for (const char* part : {"'agent-7'", "500 trials", "300 are spent", "400 are asked for"}) {
    EXPECT_NE(big.errors.find(part), std::string::npos) << part << " in: " << big.errors;
  }
  EXPECT_EQ(trials(), 300u);
  EXPECT_EQ(asked({"sweep", "list"})["sweeps_total"], 1) << "it was never on record";
  EXPECT_EQ(asked({"ledger", "budget", "show"})["budgets"][0]["spent"], 300);

  // Deleting gives nothing back; repeats cost nothing; others are free; an operator raises it.
  ASSERT_EQ(tell({"sweep", "delete", "fits", "--yes"}).status, 0);
  EXPECT_EQ(
      run(random_sweep("big", 400, 2), "big", {"--token-file", token_of(home_, "agent-7")}).status,
      kRefused);
  EXPECT_EQ(
      run(random_sweep("repeat", 300, 1), "repeat", {"--token-file", token_of(home_, "agent-7")})
          .status,
      0);
  EXPECT_EQ(trials_of("agent-7"), 300u);
  EXPECT_EQ(
      run(random_sweep("other", 400, 4), "other", {"--token-file", token_of(home_, "ann")}).status,
      0);
  (void)asked({"ledger", "budget", "set", "--user", "agent-7", "--trials", "700"});
  EXPECT_EQ(
      run(random_sweep("big", 400, 2), "big", {"--token-file", token_of(home_, "agent-7")}).status,
      0);
  EXPECT_EQ(trials_of("agent-7"), 700u);
}

TEST_F(Statistics, ABudgetHoldsForTheFarmThatACommandBringsWithIt) {
  (void)asked({"ledger", "budget", "set", "--user", "ann", "--trials", "100"});
  (void)asked(
      {"ledger", "budget", "set", "--user", "ann", "--trials", "90", "--dataset", "sim-beta"});
  EXPECT_EQ(asked({"ledger", "budget", "show", "--user", "ann"})["budgets"].size(), 2u);
  const Ran big = run(random_sweep("big", 101, 1), "big", {"--token-file", token_of(home_, "ann")});
  EXPECT_EQ(big.status, kRefused) << big.output;
  EXPECT_NE(big.errors.find("101 are asked for"), std::string::npos) << big.errors;
  EXPECT_EQ(
      run(random_sweep("fits", 100, 1), "fits", {"--token-file", token_of(home_, "ann")}).status,
      0);
  EXPECT_EQ(trials_of("ann"), 100u);
  const Ran more = run(random_sweep("one", 1, 9), "one", {"--token-file", token_of(home_, "ann")});
  EXPECT_EQ(more.status, kRefused) << more.output;
  (void)asked({"ledger", "budget", "set", "--user", "ann", "--unlimited"});
  EXPECT_EQ(asked({"ledger", "budget", "show"})["budgets"].size(), 1u);
  EXPECT_EQ(run(random_sweep("one", 1, 9), "one", {"--token-file", token_of(home_, "ann")}).status,
            0);
  ASSERT_EQ(tell({"sweep", "delete", "fits", "--yes"}).status, 0);
  EXPECT_EQ(trials_of("ann"), 101u);
}

// Without a farm: `converge` measures the correlation, and puts it on record for the others.
TEST_F(Statistics, B2B7EveryCommandHasTheSameNumbersOfOneSweep) {
  ASSERT_EQ(run(random_sweep("one", 60, 1), "one", {}).status, 0);
  const json family = asked({"converge", "one"})["families"][0];
  const std::string best = std::to_string(family["best"]["trial"].get<std::uint64_t>());
  const json told = asked({"explain", "one", best})["luck"];
  const json side = asked({"compare", "one", best, best == "0" ? "1" : "0"})["variants"][0]["luck"];
  const json row = asked({"top", "one", "--by", "dsr", "--limit", "60"})["rows"][0];
  for (const char* key : {"psr", "dsr", "dsr_effective", "trials_effective", "ratio_sd_ann"}) {
    EXPECT_EQ(told[key], family["profit"]["best"][key]) << key;
    EXPECT_EQ(told[key], side[key]) << key;
  }
  if (std::to_string(row["trial"].get<std::uint64_t>()) == best) {
    EXPECT_EQ(row["metrics"]["dsr"], told["dsr"]);
  }
  const json ledger = asked({"ledger", "show"});
  EXPECT_EQ(ledger["trials_effective_total"], told["trials_effective"]);
  EXPECT_LT(told["trials_effective"].get<double>(), told["trials"].get<double>());
}

TEST_F(DoorFarm, BudgetsGoByTheCertificateAndAreSetOnTheCoordinatorsMachine) {
  make_market(home, 10);
  const auto node = start_node("node-1");
  ASSERT_TRUE(eventually(20, [&] { return nodes() == 1; }));
  ASSERT_EQ(winnow(home, {"ledger", "budget", "set", "--user", "user", "--trials", "50"}).status,
            0);
  const Ran cheat = ask_as("user", {"ledger", "budget", "set", "--user", "user", "--unlimited"});
  EXPECT_EQ(cheat.status, kRefused) << cheat.output;
  const fs::path spec = folder.path() / "s.yaml";
  write_text(spec, random_sweep("named", 51, 1));
  const Ran named = ask_as("user", {"sweep", "run", spec.string(), "--user", "somebody-else"});
  EXPECT_EQ(named.status, kRefused) << named.output;
  EXPECT_NE(named.errors.find("'somebody-else' is not who asks: this is certificate 'user'"),
            std::string::npos)
      << named.errors;
  const Ran own = ask_as("user", {"sweep", "run", spec.string(), "--user", "user"});
  EXPECT_EQ(own.status, kRefused) << own.output;
  EXPECT_NE(own.errors.find("user 'user' has a budget of 50 trials"), std::string::npos)
      << own.errors;
  write_text(spec, random_sweep("named", 50, 1));
  const Ran fits = ask_as("user", {"sweep", "run", spec.string()});
  ASSERT_EQ(fits.status, 0) << fits.errors;
  const Ran shown = ask_as("user", {"ledger", "show", "--by", "user", "--json"});
  const json lines = json_of(shown)["lines"];
  ASSERT_EQ(lines.size(), 1u) << shown.output;
  EXPECT_EQ(lines[0]["user"], "user");
  EXPECT_EQ(lines[0]["trials"], 50);
}

}  // namespace
}  // namespace winnow::e2e
