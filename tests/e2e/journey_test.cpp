// A user's first day, with real processes: data in, sweeps run, questions asked, a report written;
// on a farm of the command's own and on a coordinator that stays.

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>

#include <cstdlib>
#include <limits>
#include <set>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Two families on two datasets; mean reversion with `entries`.
std::string sweep_yaml(const std::string& name, const std::string& entries) {
  return "sweep: " + name + R"(
data: [sim-alpha, sim-beta]
execution: binance-usdm
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [12, 96], step: 12}
      entry_z: {values: )" +
         entries + R"(}
  - family: sma_cross
    params:
      fast_bars: {int: [2, 10], step: 2}
      slow_bars: {values: [20, 40]}
search: {method: grid}
seed: 7
)";
}
constexpr int kCrossTrials = 2 * 5 * 2;  // datasets, fast, slow
constexpr int kLookbacks = 8;

void expect_keys(const json& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) EXPECT_TRUE(object.contains(key)) << key << " in " << object.dump();
}

std::int64_t sqlite_number(const fs::path& file, const std::string& sql) {
  sqlite3* db = nullptr;
  std::int64_t n = -1;
  if (sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK) {
    sqlite3_stmt* query = nullptr;
    if (sqlite3_prepare_v2(db, sql.c_str(), -1, &query, nullptr) == SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW) {
      n = sqlite3_column_int64(query, 0);
    }
    sqlite3_finalize(query);
  }
  sqlite3_close(db);
  return n;
}

/// One home, its sweep specification, and where questions go (nowhere: the store itself).
class Journey : public ::testing::Test {
 protected:
  void SetUp() override {
    make_market(home(), 60);
    write_text(spec("first"), sweep_yaml("first", "[1, 2, 3]"));
    write_text(spec("second"), sweep_yaml("second", "[2, 3, 4]"));
  }
  fs::path home() const { return folder_.path() / "home"; }
  fs::path spec(const std::string& name) const { return folder_.path() / (name + ".yaml"); }
  Ran run(std::vector<std::string> args) const {
    args.insert(args.end(), connect_.begin(), connect_.end());
    return winnow(home(), args);
  }
  json answer(std::vector<std::string> args) const {
    args.insert(args.end(), connect_.begin(), connect_.end());
    return ask(home(), args);
  }

  void ask_for_sweeps(const std::string& id) const;
  void ask_for_leaders(const std::string& id) const;
  void ask_for_exports(const std::string& id) const;
  void ask_what_it_means(const std::string& id) const;
  void ask_all(const std::string& id) const {
    ask_for_sweeps(id);
    ask_for_leaders(id);
    ask_for_exports(id);
    ask_what_it_means(id);
  }

  static constexpr int kTrials = 2 * kLookbacks * 3 + kCrossTrials;
  TemporaryFolder folder_;
  std::vector<std::string> connect_;
};

void Journey::ask_for_sweeps(const std::string& id) const {
  const json list = answer({"sweep", "list"});
  ASSERT_EQ(list["sweeps"].size(), 1u);
  expect_keys(list["sweeps"][0], {"sweep_id", "sweep_name", "state", "user", "created", "finished",
                                  "wall_s", "trials", "blocks", "blocks_committed"});
  EXPECT_EQ(list["sweeps"][0]["sweep_id"], id);
  for (const std::string& name : {id, id.substr(0, 6), std::string("first"), std::string("last")}) {
    const json shown = answer({"sweep", "show", name});
    EXPECT_EQ(shown["sweep_id"], id) << name;
    EXPECT_EQ(shown["state"], "done");
    EXPECT_EQ(shown["trials"], kTrials);
    EXPECT_EQ(shown["trials_committed"], kTrials);
    EXPECT_EQ(shown["trials_failed"], 0);
    EXPECT_EQ(shown["segments"].size(), 4u);
    EXPECT_FALSE(shown["why"].empty());
  }
}

void Journey::ask_for_leaders(const std::string& id) const {
  const json top = answer({"top", id, "--limit", "7", "--all"});
  expect_keys(top, {"sweep_id", "trials", "trials_matching", "by", "higher_is_better", "noise"});
  ASSERT_EQ(top["rows"].size(), 7u);
  double before = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < 7; ++i) {
    const json& row = top["rows"][i];
    expect_keys(row, {"rank", "trial", "family", "data", "params", "metrics"});
    EXPECT_EQ(row["rank"], i + 1);
    EXPECT_LE(row["metrics"]["sharpe_ann"].get<double>(), before);
    before = row["metrics"]["sharpe_ann"];
  }
  const json falls = answer({"top", id, "--by", "drawdown_max_frac", "--limit", "2", "--all"});
  EXPECT_EQ(falls["higher_is_better"], false);
  EXPECT_LE(falls["rows"][0]["metrics"]["drawdown_max_frac"].get<double>(),
            falls["rows"][1]["metrics"]["drawdown_max_frac"].get<double>());
  const json some =
      answer({"top", id, "--where", "lookback_bars >= 24 and lookback_bars < 48 and trades > 0",
              "--limit", "1000"});
  EXPECT_GT(some["rows"].size(), 0u);
  EXPECT_LE(some["rows"].size(), 2u * 2 * 3);
  for (const json& row : some["rows"]) {
    EXPECT_EQ(row["family"], "mean_reversion");
    EXPECT_TRUE(row["params"]["lookback_bars"] == 24 || row["params"]["lookback_bars"] == 36);
  }
}

void Journey::ask_for_exports(const std::string& id) const {
  const Ran csv = run({"top", id, "--csv"});
  ASSERT_EQ(csv.status, 0) << csv.errors;
  const Table table = parse_csv(csv.output);
  ASSERT_EQ(table.rows.size(), static_cast<std::size_t>(kTrials));
  for (const char* name : {"rank", "trial", "family", "data", "param_entry_z", "sharpe_ann",
                           "total_return_frac", "drawdown_max_frac", "trades"}) {
    EXPECT_LT(table.column(name), table.header.size()) << name;
  }
  std::set<std::string> trials;
  for (const auto& row : table.rows) trials.insert(row.at(table.column("trial")));
  EXPECT_EQ(trials.size(), table.rows.size()) << "a variant is listed twice";

  const fs::path db = folder_.path() / "top.sqlite";
  const Ran exported = run({"top", id, "--sqlite", db.string()});
  ASSERT_EQ(exported.status, 0) << exported.errors;
  ASSERT_EQ(sqlite_number(db,
                          "select count(*) from sqlite_master where type = 'table' and name = "
                          "'variants'"),
            1);
  EXPECT_EQ(sqlite_number(db, "select count(*) from variants"), kTrials);
  EXPECT_EQ(sqlite_number(db, "select count(*) from variants where family = 'sma_cross'"),
            kCrossTrials);
  EXPECT_EQ(sqlite_number(db, "select trial from variants order by sharpe_ann desc limit 1"),
            std::stoll(table.rows[0].at(table.column("trial"))));
}

void Journey::ask_what_it_means(const std::string& id) const {
  const json families = answer({"converge", id});
  ASSERT_EQ(families["families"].size(), 4u);
  for (const json& family : families["families"]) {
    expect_keys(family, {"family", "data", "trials", "verdict", "c", "c_required", "evidence",
                         "coverage", "block_means"});
    // A martingale has no edge to find.
    EXPECT_NE(family["verdict"], "CONVERGED") << family.dump();
  }
  const json around = answer({"converge", id, "--by", "neighbourhood", "--limit", "3"});
  EXPECT_EQ(around["by"], "neighbourhood");

  const json both = answer({"compare", id, "0", "5"});
  ASSERT_EQ(both["variants"].size(), 2u);
  EXPECT_EQ(both["variants"][1]["trial"], 5);
  const json why = answer({"explain", id, "5"});
  EXPECT_EQ(why["metrics"], both["variants"][1]["metrics"]);
  EXPECT_EQ(why["params"], both["variants"][1]["params"]);
  expect_keys(answer({"explain", id}), {"sweep_id", "state"});

  const fs::path out = folder_.path() / "report.html";
  const json written = answer({"report", id, "--out", out.string()});
  const std::string html = read_text(out);
  EXPECT_EQ(written["bytes"], html.size());
  EXPECT_NE(html.find("<svg"), std::string::npos);
  EXPECT_NE(html.find(id), std::string::npos);
  for (const char* outside : {"<script src", "href=\"http", "src=\"http", "@import"}) {
    EXPECT_EQ(html.find(outside), std::string::npos) << outside << ": the report is not one file";
  }
}

TEST_F(Journey, OnAFarmOfTheCommandsOwn) {
  const json done = answer({"sweep", "run", spec("first").string(), "--nodes", "2"});
  expect_keys(done, {"sweep", "state", "trials", "trials_committed", "trials_run_now", "retries",
                     "blocks_quarantined", "engine_s", "wall_s", "trials_per_s"});
  EXPECT_EQ(done["state"], "done");
  EXPECT_EQ(done["trials"], kTrials);
  EXPECT_EQ(done["trials_run_now"], kTrials);
  ask_all(done["sweep"]);
  const json ledger = answer({"ledger", "show"});
  EXPECT_EQ(ledger["trials_total"], kTrials);

  const json again = answer({"sweep", "run", spec("first").string()});
  EXPECT_EQ(again["sweep"], done["sweep"]);
  EXPECT_EQ(again["trials_run_now"], 0);
  EXPECT_EQ(again["trials_committed"], kTrials);
  EXPECT_EQ(answer({"ledger", "show"}), ledger) << "a sweep that was done counted again";

  // The second sweep has two of its three entries in common with the first.
  const json second = answer({"sweep", "run", spec("second").string()});
  EXPECT_EQ(second["state"], "done");
  EXPECT_EQ(second["trials"], kTrials);
  EXPECT_EQ(answer({"ledger", "show"})["trials_total"], kTrials + 2 * kLookbacks);
  EXPECT_EQ(answer({"sweep", "list"})["sweeps_total"], 2);
}

TEST_F(Journey, OnACoordinatorThatStays) {
  Coordinator farm(home());
  ASSERT_NE(farm.port(), 0) << farm.process().errors();
  // Nodes have the datasets of their own home.
  connect_ = {"--connect", farm.endpoint()};
  EXPECT_TRUE(answer({"nodes"}).empty());

  // Nobody computes yet: the sweep waits, and is controlled while it does.
  const json submitted = answer({"sweep", "run", spec("first").string(), "--detach"});
  const std::string id = submitted["sweep"];
  EXPECT_EQ(submitted["trials"], kTrials);
  EXPECT_EQ(answer({"sweep", "show", id})["trials_committed"], 0);
  EXPECT_EQ(answer({"sweep", "pause", id})["action"], "pause");
  EXPECT_EQ(answer({"sweep", "show", id})["state"], "paused");

  Process node(home(), winnow_argv(home(), {"node", "--join", farm.endpoint(), "--workers", "2"}));
  ASSERT_TRUE(eventually(20, [&] { return answer({"nodes"}).size() == 1; })) << node.errors();
  expect_keys(answer({"nodes"})[0],
              {"name", "workers", "leases", "blocks_done", "last_seen_ms_ago"});
  EXPECT_EQ(answer({"sweep", "show", id})["trials_committed"], 0) << "paused, and yet it ran";
  EXPECT_EQ(answer({"sweep", "resume", "first"})["sweep"], id) << "a name will do";
  const json done = answer({"sweep", "run", spec("first").string()});  // waits for the end
  EXPECT_EQ(done["sweep"], id);
  EXPECT_EQ(done["trials_committed"], kTrials);
  ask_all(id);

  // What is done cannot be cancelled: refused.
  const Ran late = run({"sweep", "cancel", id});
  EXPECT_EQ(late.status, 3) << late.errors;
  EXPECT_NE(late.errors.find("done"), std::string::npos);

  // One that is cancelled stays cancelled, and a run that waits for it ends as interrupted.
  node.send(SIGTERM);
  ASSERT_EQ(node.wait(30), 0) << node.errors();
  ASSERT_EQ(run({"sweep", "run", spec("second").string(), "--detach", "--quiet"}).status, 0);
  EXPECT_EQ(answer({"sweep", "cancel", "second"})["action"], "cancel");
  EXPECT_EQ(answer({"sweep", "show", "second"})["state"], "cancelled");

  // The same store answers without the coordinator, beside it and after it.
  const Ran beside = winnow(home(), {"top", id, "--csv"});
  EXPECT_EQ(beside.output, run({"top", id, "--csv"}).output);
  farm.process().send(SIGTERM);
  EXPECT_EQ(farm.process().wait(30), 0) << farm.process().errors();
  EXPECT_EQ(winnow(home(), {"top", id, "--csv"}).output, beside.output);
  const Ran gone = run({"sweep", "list"});
  EXPECT_EQ(gone.status, 1);
  EXPECT_NE(gone.errors.find(farm.endpoint()), std::string::npos) << gone.errors;
}

TEST_F(Journey, HomeOptionGoesBeforeTheEnvironment) {
  const fs::path other = folder_.path() / "other";
  fs::create_directories(other);
  const std::string before = std::getenv("WINNOW_HOME") ? std::getenv("WINNOW_HOME") : "";
  const auto list = [&](bool with_option) {
    std::vector<std::string> argv{WINNOW_BINARY_DIR "/winnow", "data", "list", "--json"};
    if (with_option) argv.insert(argv.end(), {"--home", other.string()});
    Process process(folder_.path(), argv);
    EXPECT_EQ(process.wait(60), 0) << process.errors();
    return json::parse(process.output())["datasets"].size();
  };
  ::setenv("WINNOW_HOME", home().c_str(), 1);
  EXPECT_EQ(list(false), 2u);
  EXPECT_EQ(list(true), 0u);
  EXPECT_TRUE(fs::is_empty(other)) << "a question made files";
  before.empty() ? ::unsetenv("WINNOW_HOME") : ::setenv("WINNOW_HOME", before.c_str(), 1);
}

}  // namespace
}  // namespace winnow::e2e
