// The shape of a farm and what befalls it leave no trace in results: fewer nodes or more, one that
// is frozen.

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cmath>

#include "base/rng.hpp"
#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kFleetSweep = R"(sweep: fleet
data: [sim-alpha, sim-beta]
execution: binance-usdm
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [12, 96], step: 4}
      entry_z: {float: [1.0, 3.0], step: 0.25}
      exit_z: {values: [0, 0.5]}
      stop_bps: {values: [0, 100, 300]}
      max_hold_bars: {values: [0, 48]}
  - family: sma_cross
    params:
      fast_bars: {int: [2, 40], step: 2}
      slow_bars: {int: [20, 200], step: 20}
      short_side: {values: [0, 1]}
search: {method: grid}
seed: 5
)";

class Fleet : public ::testing::Test {
 protected:
  fs::path make_fleet_home(const std::string& name) const {
    const fs::path home = folder_.path() / name;
    make_market(home, 120);
    write_text(home / "sweep.yaml", kFleetSweep);
    return home;
  }
  static Ran sweep(const fs::path& home, const std::string& nodes, const std::string& workers) {
    return winnow(home,
                  {"sweep", "run", (home / "sweep.yaml").string(), "--nodes", nodes, "--workers",
                   workers, "--json"},
                  200);
  }
  TemporaryFolder folder_;
};

/// The numbers of one exported row against `winnow backtest` of that variant: the same doubles.
void compare_with_backtest(const fs::path& home, const Table& table, std::size_t row) {
  const auto& fields = table.rows.at(row);
  std::vector<std::string> args{"backtest",
                                "--strategy",
                                fields.at(table.column("family")),
                                "--data",
                                fields.at(table.column("data")),
                                "--execution",
                                "binance-usdm"};
  for (std::size_t c = 0; c < table.header.size(); ++c) {
    if (table.header[c].rfind("param_", 0) != 0 || fields[c].empty()) continue;
    args.insert(args.end(), {"--param", table.header[c].substr(6) + "=" + fields[c]});
  }
  const json alone = ask(home, args);
  SCOPED_TRACE("trial " + fields.at(table.column("trial")));
  ASSERT_GT(alone["metrics"].size(), 25u);
  for (const auto& [metric, value] : alone["metrics"].items()) {
    const std::size_t column = table.column(metric);
    ASSERT_LT(column, table.header.size()) << metric;
    if (value.is_null()) {
      EXPECT_TRUE(std::isnan(table.number(row, column))) << metric << ' ' << fields[column];
    } else {
      EXPECT_EQ(table.number(row, column), value.get<double>()) << metric;
    }
  }
}

TEST_F(Fleet, AnyNumberOfNodesAndWorkersGivesTheSameBytes) {
  const fs::path one = make_fleet_home("one");
  const Ran ran = sweep(one, "1", "1");
  ASSERT_EQ(ran.status, 0) << ran.errors;
  const std::string expected = leaderboard(one);
  for (const auto& [nodes, workers] : {std::pair{"2", "2"}, {"3", "1"}}) {
    const fs::path home = make_fleet_home(std::string("farm-") + nodes);
    const Ran more = sweep(home, nodes, workers);
    ASSERT_EQ(more.status, 0) << more.errors;
    EXPECT_TRUE(leaderboard(home) == expected) << nodes << " nodes, " << workers << " workers";
  }
  const Table table = parse_csv(expected);
  ASSERT_EQ(table.rows.size(), json_of(ran)["trials"].get<std::size_t>());
  ASSERT_GT(table.rows.size(), 4'000u);
  const std::uint64_t seed = 77;
  Rng rng(seed);
  for (int i = 0; i < 8; ++i) compare_with_backtest(one, table, rng.below(table.rows.size()));
}

TEST_F(Fleet, FrozenNodeHoldsNothingUpAndDoesNoHarmWhenItWakes) {
  const fs::path quiet = make_fleet_home("quiet");
  ASSERT_EQ(sweep(quiet, "1", "1").status, 0);

  const fs::path home = make_fleet_home("frozen");
  Coordinator farm(home);
  ASSERT_NE(farm.port(), 0) << farm.process().errors();
  const std::vector<std::string> join{"node", "--join", farm.endpoint(), "--workers", "1"};
  // Its worker is at the first trial until the file `thaw` is there, however fast the machine.
  Process first(home / "odd",
                {WINNOW_ODD_NODE, home.string(), std::to_string(farm.port()), "1", "frozen", "0"});
  const auto nodes = [&] { return ask(home, {"nodes", "--connect", farm.endpoint()}); };
  ASSERT_TRUE(eventually(20, [&] { return nodes().size() == 1; })) << first.errors();
  const Ran submitted = winnow(home, {"sweep", "run", (home / "sweep.yaml").string(), "--connect",
                                      farm.endpoint(), "--detach", "--quiet"});
  ASSERT_EQ(submitted.status, 0) << submitted.errors;
  ASSERT_TRUE(eventually(60, [&] { return nodes()[0]["leases"] > 0; })) << first.errors();
  // Frozen at work: what it has leased by now is nobody's until the coordinator takes it back.
  first.send(SIGSTOP);
  ASSERT_TRUE(eventually(20, [&] {
    const json all = nodes();
    return all.size() == 1 && all[0]["last_seen_ms_ago"].get<int>() > 1000;
  })) << "the node still speaks";
  const json before = ask(home, {"sweep", "show", "fleet", "--connect", farm.endpoint()});
  ASSERT_EQ(before["state"], "running");
  Process second(home, winnow_argv(home, join));
  ASSERT_TRUE(eventually(60, [&] {
    return ask(home, {"sweep", "show", "fleet", "--connect", farm.endpoint()})["state"] == "done";
  })) << second.errors();
  EXPECT_TRUE(leaderboard(home) == leaderboard(quiet));

  write_text(home / "thaw", "");
  first.send(SIGCONT);
  ASSERT_TRUE(eventually(20, [&] {
    const json all = nodes();
    return all.size() == 2 &&
           std::all_of(all.begin(), all.end(), [](const json& n) { return n["leases"] == 0; });
  })) << nodes().dump();
  EXPECT_TRUE(leaderboard(home) == leaderboard(quiet)) << "a late result changed a committed one";
  EXPECT_EQ(ledger(home), ledger(quiet)) << "counted twice";
  EXPECT_TRUE(farm.process().running());
}

}  // namespace
}  // namespace winnow::e2e
