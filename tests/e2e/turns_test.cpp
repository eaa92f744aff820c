// Who has his turn: paused sweeps, copies for idle workers, priorities and shares, with real
// processes. What is said here is the order of things; how long they take is not looked at.

#include <gtest/gtest.h>
#include <signal.h>

#include <map>

#include "tests/e2e/farm.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Turns : public ::testing::Test {
 protected:
  void SetUp() override {
    make_market(home_, 200);
    farm_ = std::make_unique<Coordinator>(home_);
    ASSERT_NE(farm_->port(), 0) << farm_->process().errors();
  }
  void TearDown() override {
    for (const auto& node : nodes_) {
      node->send(SIGTERM);
      EXPECT_EQ(node->wait(60), 0) << node->errors();
    }
    farm_->process().send(SIGTERM);
    EXPECT_EQ(farm_->process().wait(30), 0);
  }
  Process& add_node() {
    nodes_.push_back(std::make_unique<Process>(
        home_, winnow_argv(home_, {"node", "--join", farm_->endpoint(), "--workers", "1"})));
    return *nodes_.back();
  }
  /// Whose trials `odd` names behave as they say (tests/odd_node).
  Process& add_odd_node(const std::vector<std::string>& odd) {
    std::vector<std::string> argv{WINNOW_ODD_NODE, home_.string(), std::to_string(farm_->port()),
                                  "1"};
    argv.insert(argv.end(), odd.begin(), odd.end());
    nodes_.push_back(std::make_unique<Process>(home_ / "odd", argv));
    return *nodes_.back();
  }
  /// Random trials, as `user`; `more` are lines of YAML.
  void submit(const std::string& name, int samples, const std::string& user = "ada",
              const std::string& more = "") {
    const fs::path spec = home_ / (name + ".yaml");
    write_text(spec, random_sweep(name, samples, seed_of(name)) + more);
    const Ran ran = winnow(home_, {"sweep", "run", spec.string(), "--connect", farm_->endpoint(),
                                   "--token-file", token_of(home_, user), "--detach", "--quiet"});
    ASSERT_EQ(ran.status, 0) << ran.errors;
  }
  json asked(std::vector<std::string> args) const {
    args.insert(args.end(), {"--connect", farm_->endpoint()});
    return ask(home_, args);
  }
  std::uint64_t committed(const std::string& name) const {
    return asked({"sweep", "show", name})["trials_committed"];
  }
  bool is_done(const std::string& name) const {
    return asked({"sweep", "show", name})["state"] == "done";
  }
  std::string why(const std::string& name) const { return asked({"explain", name}).dump(); }
  std::uint64_t leases() const {
    std::uint64_t sum = 0;
    for (const json& node : asked({"nodes"})) sum += node["leases"].get<std::uint64_t>();
    return sum;
  }
  /// Lets frozen trials go on.
  void thaw() const { write_text(home_ / "thaw", ""); }
  /// The sweeps in the order in which they ended, by the coordinator's log.
  std::vector<std::string> order_of_ends(const std::vector<std::string>& names) const {
    std::map<std::size_t, std::string> ends;
    for (const std::string& name : names) {
      EXPECT_TRUE(eventually(120, [&] { return is_done(name); })) << why(name);
      const std::string id = asked({"sweep", "show", name})["sweep_id"];
      const auto at = farm_->process().errors().find("sweep " + id + " is done");
      EXPECT_NE(at, std::string::npos) << farm_->process().errors();
      ends[at] = name;
    }
    std::vector<std::string> out;
    for (const auto& [at, name] : ends) out.push_back(name);
    return out;
  }
  std::uint64_t counted() const { return asked({"ledger", "show"})["trials_total"]; }
  /// The same sweep on a farm to which nothing happened has the same results.
  void expect_as_undisturbed(const std::string& name, int samples) const {
    const fs::path quiet = folder_.path() / ("quiet-" + name);
    make_market(quiet, 200);
    write_text(quiet / "sweep.yaml", random_sweep(name, samples, seed_of(name)));
    const Ran ran = winnow(
        quiet,
        {"sweep", "run", (quiet / "sweep.yaml").string(), "--token-file", token_of(quiet, "ada")},
        300);
    ASSERT_EQ(ran.status, 0) << ran.errors;
    EXPECT_TRUE(leaderboard(home_, name) == leaderboard(quiet, name));
  }
  // Sweeps of their own trials, so that the ledger counts each.
  static int seed_of(const std::string& name) {
    int seed = 0;
    for (const char c : name) seed = (31 * seed + c) % 9973;
    return seed;
  }

  TemporaryFolder folder_;
  fs::path home_ = folder_.path() / "home";
  std::unique_ptr<Coordinator> farm_;
  std::vector<std::unique_ptr<Process>> nodes_;
};

TEST_F(Turns, APausedSweepStandsStillAndEndsAsIfNothingHadBeen) {
  constexpr int kTrials = 12'000, kOther = 2'000;
  Process& node = add_odd_node({"frozen", "0"});
  submit("long", kTrials);
  ASSERT_TRUE(eventually(60, [&] { return leases() > 0; })) << node.errors();
  EXPECT_EQ(asked({"sweep", "pause", "long"})["action"], "pause");
  EXPECT_NE(why("long").find("The sweep is paused; `winnow sweep resume`"), std::string::npos)
      << why("long");
  // What runs is finished and committed; nothing is added.
  thaw();
  ASSERT_TRUE(eventually(60, [&] { return leases() == 0; }));
  const std::uint64_t stands = committed("long");
  EXPECT_GT(stands, 0u);
  EXPECT_LT(stands, std::uint64_t{kTrials});
  // The node is free for others: another sweep comes and goes meanwhile.
  submit("other", kOther);
  ASSERT_TRUE(eventually(60, [&] { return is_done("other"); }));
  EXPECT_EQ(committed("long"), stands) << "paused, and yet it ran";
  EXPECT_EQ(asked({"sweep", "show", "long"})["state"], "paused");

  EXPECT_EQ(asked({"sweep", "resume", "long"})["action"], "resume");
  ASSERT_TRUE(eventually(120, [&] { return is_done("long"); })) << why("long");
  EXPECT_EQ(counted(), std::uint64_t{kTrials + kOther});
  expect_as_undisturbed("long", kTrials);
}

TEST_F(Turns, AnIdleWorkerComputesAgainWhatAFrozenOneHolds) {
  constexpr int kTrials = 6'000;
  Process& frozen = add_odd_node({"frozen", "0"});
  submit("work", kTrials);
  ASSERT_TRUE(eventually(60, [&] { return leases() > 0; })) << frozen.errors();
  // It holds the first block, says that it lives, and does not go on.
  add_node();
  ASSERT_TRUE(eventually(120, [&] { return is_done("work"); })) << why("work");
  EXPECT_EQ(committed("work"), std::uint64_t{kTrials});
  EXPECT_EQ(counted(), std::uint64_t{kTrials});
  EXPECT_GT(leases(), 0u) << "the frozen one is at it still";
  EXPECT_TRUE(frozen.running());

  // It thaws; what it brings is what is there already.
  thaw();
  ASSERT_TRUE(eventually(60, [&] { return leases() == 0; }));
  EXPECT_EQ(committed("work"), std::uint64_t{kTrials});
  EXPECT_EQ(counted(), std::uint64_t{kTrials}) << "a trial was counted twice";
  EXPECT_EQ(farm_->process().errors().find("differ"), std::string::npos)
      << farm_->process().errors();
  expect_as_undisturbed("work", kTrials);
}

TEST_F(Turns, TheHigherPriorityIsDoneFirstThoughItCameLast) {
  Process& node = add_odd_node({"frozen", "0"});
  submit("low", 8'000);
  ASSERT_TRUE(eventually(60, [&] { return leases() > 0; })) << node.errors();
  submit("high", 8'000, "bob", "priority: 5\n");
  EXPECT_NE(why("low").find("has priority 5, above this one's 0"), std::string::npos) << why("low");
  thaw();
  EXPECT_EQ(order_of_ends({"low", "high"}), (std::vector<std::string>{"high", "low"}));
}

// Ada has one sweep, Bob two of the same size, of which one weighs three times the other. When
// Ada's is done, Bob's two have had as much together: three quarters of the one, a quarter of the
// other.
TEST_F(Turns, UsersShareEquallyAndAUsersSweepsByWeight) {
  constexpr int kTrials = 12'000;
  submit("bob-light", kTrials, "bob", "weight: 1\n");
  submit("bob-heavy", kTrials, "bob", "weight: 3\n");
  submit("ada-only", kTrials, "ada");
  EXPECT_NE(why("bob-heavy").find("No node has joined"), std::string::npos) << why("bob-heavy");
  add_node();
  EXPECT_EQ(order_of_ends({"bob-light", "bob-heavy", "ada-only"}),
            (std::vector<std::string>{"ada-only", "bob-heavy", "bob-light"}));
  EXPECT_EQ(counted(), std::uint64_t{3 * kTrials});
}

}  // namespace
}  // namespace winnow::e2e
