// A farm over three machines: namespaces of their own, a real wire between them that is cut and
// slowed. Nodes have homes of their own, so datasets travel, and results that meet a dead line
// wait.

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/network.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string wide_sweep(const std::string& entry_step) {
  return grid_sweep("wide",
                    {"lookback_bars: {int: [12, 288], step: 4}",
                     "entry_z: {float: [1.0, 3.0], step: " + entry_step + "}",
                     "exit_z: {values: [0, 0.25, 0.5]}", "stop_bps: {values: [0, 50, 100, 200]}"});
}
const std::string kNetworkSweep = wide_sweep("0.25");
// Long enough that what a test does meanwhile falls into it, on a busy machine, too.
const std::string kLongSweep = wide_sweep("0.05");

/// Host 0 has the coordinator and the user, the others a node each.
class ThreeHosts : public ::testing::Test {
 protected:
  static constexpr int kNodes = 2;

  void SetUp() override {
    if (!network_.problem().empty()) GTEST_SKIP() << network_.problem();
    make_market(home(), 365);
    ASSERT_EQ(winnow(home(), {"cluster", "init", "--name", "wide"}).status, 0);
    invite("user", {"--role", "client"});
    for (int i = 1; i <= kNodes; ++i) invite(node_name(i), {});
    up_ = start(0, home(), {"up", "--listen", where()});
    ASSERT_TRUE(eventually(20, [&] {
      return up_->output().find("coordinator on") != std::string::npos;
    })) << up_->errors();
    for (int i = 1; i <= kNodes; ++i) {
      nodes_.push_back(start(
          i, folder_.path() / node_name(i),
          {"node", "--join", where(), "--identity", identity(node_name(i)), "--workers", "1"}));
    }
  }

  fs::path home() const { return folder_.path() / "coordinator"; }
  std::string where() const { return network_.address(0) + ":7700"; }
  static std::string node_name(int i) { return "node-" + std::to_string(i); }
  std::string identity(const std::string& name) const {
    return (folder_.path() / (name + ".identity")).string();
  }
  void invite(const std::string& name, std::vector<std::string> more) {
    std::vector<std::string> args{"cluster", "invite", name, "--out", identity(name)};
    args.insert(args.end(), more.begin(), more.end());
    const Ran ran = winnow(home(), args);
    ASSERT_EQ(ran.status, 0) << ran.errors;
  }
  std::unique_ptr<Process> start(int host, const fs::path& home, std::vector<std::string> args) {
    fs::create_directories(home);
    return std::make_unique<Process>(home, network_.on(host, winnow_argv(home, std::move(args))));
  }
  void submit(const std::string& sweep) {
    sweep_ = sweep;
    write_text(home() / "sweep.yaml", sweep);
    auto run = start(0, home(),
                     {"sweep", "run", (home() / "sweep.yaml").string(), "--connect", where(),
                      "--identity", identity("user"), "--detach"});
    ASSERT_EQ(run->wait(60), 0) << run->errors();
  }
  json shown() const { return ask(home(), {"sweep", "show", "wide"}); }
  std::uint64_t committed() const { return shown()["trials_committed"].get<std::uint64_t>(); }
  /// How often a node left, by the coordinator's log.
  std::size_t left() const {
    const std::string log = up_->errors();
    std::size_t n = 0;
    for (auto at = log.find(" left: "); at != std::string::npos; at = log.find(" left: ", at + 1)) {
      ++n;
    }
    return n;
  }
  bool done_within(int seconds) const {
    return eventually(seconds, [&] { return shown()["state"] == "done"; });
  }
  void expect_as_quiet() const {
    const fs::path quiet = folder_.path() / "quiet";
    make_market(quiet, 365);
    const std::string sweep = (quiet / "sweep.yaml").string();
    write_text(sweep, sweep_);
    ASSERT_EQ(
        winnow(quiet, {"sweep", "run", sweep, "--token-file", token_of(quiet, "user")}, 200).status,
        0);
    EXPECT_EQ(shown()["trials_failed"], 0);
    EXPECT_TRUE(leaderboard(home()) == leaderboard(quiet))
        << "the wire left a trace in the results";
    EXPECT_EQ(ledger(home()), ledger(quiet)) << "counted twice, or not at all";
  }
  std::string logs() const {
    std::string text = "coordinator:\n" + up_->errors();
    for (const auto& node : nodes_) text += "\nnode:\n" + node->errors();
    return text;
  }

  TemporaryFolder folder_;
  Network network_{1 + kNodes};
  std::string sweep_;
  std::unique_ptr<Process> up_;
  std::vector<std::unique_ptr<Process>> nodes_;
};

TEST_F(ThreeHosts, CutCablesLoseNothing) {
  submit(kLongSweep);
  ASSERT_TRUE(eventually(60, [&] { return committed() > 0; })) << logs();
  const std::uint64_t first = committed();
  network_.cut(1);
  // The other one goes on, also with what the first had.
  ASSERT_TRUE(eventually(60, [&] { return committed() > first; })) << logs();
  network_.cut(2);
  ASSERT_TRUE(eventually(60, [&] { return left() == 2; })) << "they are counted still\n" << logs();
  ASSERT_NE(shown()["state"], "done") << "the sweep was over before the cables were cut";
  network_.heal(1);
  network_.heal(2);
  ASSERT_TRUE(done_within(180)) << logs();
  for (const auto& node : nodes_) EXPECT_TRUE(node->running());
  EXPECT_TRUE(up_->running());
  expect_as_quiet();
  for (const auto& node : nodes_) node->send(SIGTERM);
  for (const auto& node : nodes_) EXPECT_EQ(node->wait(60), 0) << node->errors();
}

TEST_F(ThreeHosts, SlowWireIsOnlySlow) {
  for (int host = 0; host <= kNodes; ++host) {
    if (!network_.slow(host, 20'000)) GTEST_SKIP() << "this kernel cannot slow a wire";
  }
  submit(kNetworkSweep);
  ASSERT_TRUE(done_within(300)) << logs();
  expect_as_quiet();
}

TEST_F(ThreeHosts, CoordinatorThatIsKilledBehindTheWireIsFoundAgain) {
  submit(kLongSweep);
  ASSERT_TRUE(eventually(60, [&] { return committed() > 0; })) << logs();
  up_->send(SIGKILL);
  ASSERT_EQ(up_->wait(10), 128 + SIGKILL);
  ASSERT_NE(shown()["state"], "done") << "the sweep was over before the kill";
  up_ = start(0, home(), {"up", "--listen", where()});
  ASSERT_TRUE(done_within(180)) << logs();
  expect_as_quiet();
}

}  // namespace
}  // namespace winnow::e2e
