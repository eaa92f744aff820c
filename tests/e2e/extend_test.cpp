// Budgets with real processes: a sweep stops where they say, tells why, and is extended in place,
// also by a coordinator that was started since.

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Budgets : public ::testing::Test {
 protected:
  void SetUp() override {
    make_market(home_, 60);
    farm_ = std::make_unique<Coordinator>(home_);
    ASSERT_NE(farm_->port(), 0) << farm_->process().errors();
    endpoint_ = farm_->endpoint();
    node_ = std::make_unique<Process>(
        home_, winnow_argv(home_, {"node", "--join", endpoint_, "--workers", "1"}));
  }
  void restart() {
    farm_->process().send(SIGKILL);
    ASSERT_EQ(farm_->process().wait(10), 128 + SIGKILL);
    farm_ = std::make_unique<Coordinator>(home_, endpoint_);
    ASSERT_NE(farm_->port(), 0) << farm_->process().errors();
    ASSERT_TRUE(eventually(20, [&] { return ask_farm({"nodes"}).size() == 1; }));
  }
  json ask_farm(std::vector<std::string> args) const {
    args.insert(args.end(), {"--connect", endpoint_});
    return ask(home_, args);
  }
  json shown(const std::string& sweep) const { return ask_farm({"sweep", "show", sweep}); }
  bool becomes(const std::string& sweep, const std::string& state) const {
    return eventually(60, [&] { return shown(sweep)["state"] == state; });
  }
  static std::string joined(const json& sentences) {
    std::string out;
    for (const json& s : sentences) out += s.get<std::string>() + "\n";
    return out;
  }
  json run(const std::string& name, const std::string& budget) {
    write_text(home_ / (name + ".yaml"),
               grid_sweep(name, {"lookback_bars: {int: [12, 96], step: 2}",
                                 "entry_z: {float: [1.0, 3.0], step: 0.1}"}) +
                   "budget: " + budget + "\n");
    const Ran ran = winnow(home_, {"sweep", "run", (home_ / (name + ".yaml")).string(), "--connect",
                                   endpoint_, "--json"});
    EXPECT_EQ(ran.status, 0) << ran.errors;
    return json_of(ran);
  }
  TemporaryFolder folder_;
  fs::path home_ = folder_.path() / "home";
  std::unique_ptr<Coordinator> farm_;
  std::string endpoint_;
  std::unique_ptr<Process> node_;
};

TEST_F(Budgets, OfTrialsIsExtendedInPlaceAlsoAfterARestart) {
  const json first = run("some", "{trials: 700}");
  EXPECT_EQ(first["state"], "budget_spent");
  const json stopped = shown("some");
  const auto committed = stopped["trials_committed"].get<std::uint64_t>();
  EXPECT_LE(committed, 700u);
  EXPECT_GT(committed, 700u - 128u) << "whole blocks of the budget";
  EXPECT_NE(joined(stopped["why"]).find("budget of 700 trials"), std::string::npos);
  const json why = ask_farm({"explain", "some", "1500"});
  EXPECT_NE(joined(why["why"]).find("beyond the sweep's budget"), std::string::npos) << why;

  restart();
  EXPECT_EQ(shown("some")["state"], "budget_spent");
  const json extended = ask_farm({"sweep", "extend", "some", "--budget", "600"});
  EXPECT_EQ(extended["sweep"], stopped["sweep_id"]) << "it goes on as itself";
  ASSERT_TRUE(becomes("some", "budget_spent"));
  ASSERT_TRUE(eventually(
      60, [&] { return shown("some")["trials_committed"].get<std::uint64_t>() > 1300u - 128u; }));
  EXPECT_LE(shown("some")["trials_committed"].get<std::uint64_t>(), 1300u);
  (void)ask_farm({"sweep", "extend", "some", "--budget", "1000000"});
  ASSERT_TRUE(becomes("some", "done"));
  const json all = shown("some");
  EXPECT_EQ(all["trials_committed"], all["trials"]);
  // The first were not run again: the ledger counts executions and trials alike.
  EXPECT_EQ(ask(home_, {"ledger", "show"})["trials_total"], all["trials"]);
  EXPECT_EQ(ask_farm({"sweep", "list"})["sweeps_total"], 1);
}

TEST_F(Budgets, OfProcessorTimeIsExtendedInPlaceAlsoAfterARestart) {
  const json first = run("brief", "{cpu_hours: 0.000001}");
  EXPECT_EQ(first["state"], "budget_spent");
  const json stopped = shown("brief");
  ASSERT_LT(stopped["trials_committed"], stopped["trials"]);
  EXPECT_NE(joined(stopped["why"]).find("CPU hours"), std::string::npos);
  restart();
  EXPECT_EQ(shown("brief")["state"], "budget_spent");
  EXPECT_EQ(shown("brief")["trials_committed"], stopped["trials_committed"]);
  const json extended = ask_farm({"sweep", "extend", "brief", "--cpu-hours", "1"});
  EXPECT_EQ(extended["sweep"], stopped["sweep_id"]);
  ASSERT_TRUE(becomes("brief", "done"));
  EXPECT_EQ(shown("brief")["trials_committed"], shown("brief")["trials"]);
}

}  // namespace
}  // namespace winnow::e2e
