// A real Prometheus scrapes a real farm: the rules are valid and do fire, the numbers are right.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <regex>
#include <set>

#include "tests/e2e/door_farm.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/small_disk.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kPrometheus = "/usr/bin/prometheus";
constexpr const char* kPromtool = "/usr/bin/promtool";
const fs::path kConfigs = fs::path(WINNOW_SOURCE_DIR) / "configs" / "prometheus";

Ran run(const fs::path& folder, std::vector<std::string> argv) {
  Process process(folder, std::move(argv));
  const int status = process.wait(60);
  return {status, process.output(), process.errors()};
}

TEST(Observe, RulesConfigurationAndDashboardAreValid) {
  if (!fs::exists(kPromtool)) GTEST_SKIP() << "no promtool (Debian package prometheus)";
  const TemporaryFolder folder;
  for (const auto& args : {std::vector<std::string>{"check", "rules", kConfigs / "alerts.yml"},
                           {"check", "config", kConfigs / "scrape.yml"},
                           {"test", "rules", kConfigs / "alerts_test.yml"}}) {
    std::vector<std::string> argv{kPromtool};
    argv.insert(argv.end(), args.begin(), args.end());
    const Ran ran = run(folder.path(), argv);
    EXPECT_EQ(ran.status, 0) << args[1] << ": " << ran.output << ran.errors;
  }
  std::ifstream in(kConfigs / "grafana_dashboard.json");
  const json dashboard = json::parse(in, nullptr, false);
  ASSERT_TRUE(dashboard.is_object());
  EXPECT_GE(dashboard["panels"].size(), 10u);
}

/// Every alert is tested, and an operator finds it in the guide.
TEST(Observe, EveryAlertIsTestedAndInTheOperatorsGuide) {
  const std::string rules = read_text(kConfigs / "alerts.yml");
  const std::string tests = read_text(kConfigs / "alerts_test.yml");
  const std::string guide = read_text(fs::path(WINNOW_SOURCE_DIR) / "docs" / "OPERATING.md");
  static const std::regex alert("- alert: (\\w+)");
  int alerts = 0;
  for (std::sregex_iterator it(rules.begin(), rules.end(), alert), end; it != end; ++it, ++alerts) {
    const std::string name = (*it)[1];
    EXPECT_NE(tests.find(name), std::string::npos) << "no test of " << name;
    EXPECT_NE(guide.find("`" + name + "`"), std::string::npos) << "no runbook of " << name;
  }
  EXPECT_GT(alerts, 30);
}

/// What a process answers to GET /metrics; empty if nothing.
std::string scrape(const std::string& port) {
  const int fd = connect_to(std::stoi(port));
  if (fd < 0) return "";
  const std::string question = "GET /metrics HTTP/1.0\r\n\r\n";
  ::send(fd, question.data(), question.size(), MSG_NOSIGNAL);
  std::string text(1 << 16, '\0');
  std::string all;
  for (ssize_t n = 0; (n = ::recv(fd, text.data(), text.size(), 0)) > 0;) {
    all.append(text.data(), static_cast<std::size_t>(n));
  }
  ::close(fd);
  return all;
}

/// The shipped rules with a second's patience in place of minutes.
std::string impatient_rules() {
  return std::regex_replace(read_text(kConfigs / "alerts.yml"), std::regex("for: [0-9]+m"),
                            "for: 1s");
}

/// Every `winnow_...` name in a text.
std::set<std::string> names_in(const std::string& text) {
  static const std::regex name("winnow_[a-z_]+");
  return {std::sregex_token_iterator(text.begin(), text.end(), name), {}};
}

class Scraped : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kPrometheus)) GTEST_SKIP() << "no prometheus (Debian package prometheus)";
  }
  /// The port in a log line such as `metrics on http://127.0.0.1:PORT/metrics`.
  static std::string port_after(Process& process, const std::string& words) {
    std::string port;
    EXPECT_TRUE(eventually(20, [&] {
      const std::string log = process.errors();
      const auto at = log.find(words);
      if (at == std::string::npos) return false;
      const auto start = at + words.size();
      port = log.substr(start, log.find_first_not_of("0123456789", start) - start);
      return !port.empty() && log.size() > start + port.size();
    })) << process.errors();
    return port;
  }
  /// The value of an instant query through the HTTP API; NaN if there is none.
  double asked(const std::string& query) const {
    const Ran ran = run(folder_.path(), {kPromtool, "query", "instant", "-o", "json",
                                         "http://127.0.0.1:" + prometheus_port_, query});
    const json result = json::parse(ran.output, nullptr, false);
    if (!result.is_array() || result.empty()) return std::nan("");
    return std::stod(result[0]["value"][1].get<std::string>());
  }
  void start_prometheus(const std::string& coordinator, const std::string& node) {
    write_text(folder_.path() / "prometheus.yml",
               "global: {scrape_interval: 500ms, evaluation_interval: 500ms}\n"
               "rule_files: [" +
                   (folder_.path() / "alerts.yml").string() +
                   "]\n"
                   "scrape_configs:\n"
                   "  - job_name: winnow\n    static_configs:\n"
                   "      - targets: ['127.0.0.1:" +
                   coordinator + "', '127.0.0.1:" + node + "']\n");
    write_text(folder_.path() / "alerts.yml", impatient_rules());
    prometheus_ = std::make_unique<Process>(
        folder_.path(),
        std::vector<std::string>{
            kPrometheus, "--config.file=" + (folder_.path() / "prometheus.yml").string(),
            "--storage.tsdb.path=" + (folder_.path() / "tsdb").string(),
            "--web.listen-address=127.0.0.1:" + prometheus_port_, "--log.level=warn"});
    ASSERT_TRUE(eventually(30, [&] { return asked("vector(1)") == 1; })) << prometheus_->errors();
  }
  /// Alerts of this name that fire now.
  double firing(const std::string& alert) const {
    const double count = asked("count(ALERTS{alertname=\"" + alert + "\",alertstate=\"firing\"})");
    return std::isnan(count) ? 0 : count;
  }
  TemporaryFolder folder_;
  std::string prometheus_port_ = std::to_string(free_port());
  std::unique_ptr<Process> prometheus_;
};

TEST_F(Scraped, RulesAndPanelsSpeakOfMetricsThatThereAre) {
  const fs::path home = folder_.path() / "home";
  Process farm(home, winnow_argv(home, {"up", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"}));
  Process node(home, winnow_argv(home, {"node", "--join", "127.0.0.1:1", "--http", "127.0.0.1:0",
                                        "--workers", "1"}));
  const std::string words = "metrics on http://127.0.0.1:";
  const std::string all = scrape(port_after(farm, words)) + scrape(port_after(node, words));
  const std::set<std::string> there = names_in(all);
  EXPECT_GT(there.size(), 60u) << all;
  const fs::path guide = fs::path(WINNOW_SOURCE_DIR) / "docs" / "OPERATING.md";
  for (const fs::path& file : {kConfigs / "alerts.yml", kConfigs / "alerts_test.yml",
                               kConfigs / "grafana_dashboard.json", guide}) {
    const auto used = names_in(read_text(file));
    EXPECT_GT(used.size(), 10u) << file;
    for (const std::string& name : used) {
      EXPECT_TRUE(there.contains(name)) << file << " speaks of " << name << ", which nothing has";
    }
  }
  // An operator finds every metric explained.
  const auto explained = names_in(read_text(guide));
  const std::regex part("_(bucket|sum|count)$");
  for (const std::string& name : there) {
    const std::string family = std::regex_replace(name, part, "");
    EXPECT_TRUE(explained.contains(name) || (there.contains(family) && explained.contains(family)))
        << "docs/OPERATING.md does not speak of " << name;
  }
  // What is promised for every queue, lease, latency, commit, node and mailbox.
  for (const char* name :
       {"winnow_actors_mailbox_depth_messages", "winnow_actors_intake_blocks",
        "winnow_actors_query_questions", "winnow_actors_query_seconds_bucket",
        "winnow_actors_shipping_questions", "winnow_actors_shipped_answers_total",
        "winnow_scheduler_leases_expired_total", "winnow_scheduler_leases_refused_total",
        "winnow_scheduler_blocks_quarantined_total", "winnow_store_commit_duration_seconds_bucket",
        "winnow_node_spool_bytes", "winnow_door_refused_total", "winnow_port_cut_total"}) {
    EXPECT_TRUE(there.contains(name)) << name;
  }
  for (const char* reason : {"goodbye", "connection_broke", "silent", "replaced"}) {
    EXPECT_NE(all.find("winnow_actors_node_leaves_total{reason=\"" + std::string(reason)),
              std::string::npos)
        << reason;
  }
}

/// The listening port holds out against whoever connects and says nothing, or too much.
TEST_F(Scraped, SilentAndLoudConnectionsDoNotKeepPrometheusOut) {
  const fs::path home = folder_.path() / "home";
  Process farm(home, winnow_argv(home, {"up", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"}));
  const std::string port = port_after(farm, "metrics on http://127.0.0.1:");
  std::vector<int> silent;
  for (int i = 0; i < 60; ++i) silent.push_back(connect_to(std::stoi(port)));
  const std::string much(1 << 20, 'x');
  for (int i = 0; i < 20; ++i) {
    const int fd = connect_to(std::stoi(port));
    if (fd < 0) continue;
    static_cast<void>(::send(fd, much.data(), much.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    ::close(fd);
  }
  EXPECT_TRUE(
      eventually(60, [&] { return names_in(scrape(port)).contains("winnow_actors_nodes"); }));
  for (const int fd : silent) ::close(fd);
  EXPECT_TRUE(farm.running());
}

TEST_F(Scraped, PrometheusReadsTheFarmAndFiresAnAlert) {
  const fs::path home = folder_.path() / "home";
  make_market(home, 60);
  constexpr int kTrials = 2'000;
  write_text(home / "work.yaml", random_sweep("work", kTrials, 9));
  Process farm(home, winnow_argv(home, {"up", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"}));
  const std::string metrics = port_after(farm, "metrics on http://127.0.0.1:");
  const std::string endpoint = "127.0.0.1:" + port_after(farm, "coordinator on 127.0.0.1:");
  const Ran submitted = winnow(home, {"sweep", "run", (home / "work.yaml").string(), "--connect",
                                      endpoint, "--detach", "--quiet"});
  ASSERT_EQ(submitted.status, 0) << submitted.errors;

  // A sweep without a node: the alert fires. The node's port is asked for before it exists.
  Process waiting(home, winnow_argv(home, {"node", "--join", "127.0.0.1:1", "--http", "127.0.0.1:0",
                                           "--workers", "1"}));
  start_prometheus(metrics, port_after(waiting, "metrics on http://127.0.0.1:"));
  EXPECT_TRUE(eventually(30, [&] { return firing("WinnowNoNodes") == 1; }));
  EXPECT_TRUE(eventually(20, [&] { return asked("winnow_node_connected") == 0; }));
  EXPECT_EQ(asked("winnow_node_workers"), 1);

  Process node(home, winnow_argv(home, {"node", "--join", endpoint, "--workers", "2"}));
  EXPECT_TRUE(eventually(60, [&] { return asked("winnow_store_commit_trials_total") == kTrials; }))
      << node.errors();
  EXPECT_TRUE(
      eventually(20, [&] { return asked("winnow_scheduler_sweeps{state=\"running\"}") == 0; }));
  EXPECT_TRUE(eventually(20, [&] { return asked("winnow_actors_workers") == 2; }));
  EXPECT_EQ(asked("winnow_actors_nodes"), 1);
  EXPECT_EQ(asked("winnow_actors_node_joins_total"), 1);
  const double blocks = asked("winnow_store_commit_blocks_total{kind=\"fresh\"}");
  EXPECT_GT(blocks, 0);
  EXPECT_EQ(asked("winnow_store_commit_blocks_total{kind=\"mismatch\"}"), 0);
  EXPECT_EQ(asked("winnow_actors_result_to_acknowledgement_seconds_count"), blocks);
  EXPECT_EQ(asked("winnow_scheduler_grant_to_result_seconds_count"), blocks);
  EXPECT_GT(asked("winnow_store_commit_duration_seconds_sum"), 0);
  const double sync_s = asked("winnow_store_sync_duration_seconds_sum");
  EXPECT_GT(sync_s, 0);
  EXPECT_LT(sync_s, asked("winnow_store_write_duration_seconds_sum"));
  EXPECT_GE(asked("winnow_store_sync_duration_seconds_count"),
            asked("winnow_store_commit_duration_seconds_count"));
  EXPECT_EQ(asked("sum(winnow_store_writes_refused_total)"), 0);
  EXPECT_GT(asked("winnow_store_family_memtable_bytes{family=\"metrics\"}"), 0);
  EXPECT_EQ(asked("winnow_store_pending_keys"), kTrials);
  EXPECT_EQ(asked("winnow_actors_intake_oldest_seconds"), 0);
  EXPECT_GT(asked("winnow_actors_measuring_seconds_count"), 0);
  EXPECT_GT(asked("winnow_actors_mailbox_handled_total{actor=\"coordinator\"}"), blocks);
  EXPECT_GT(asked("winnow_store_disk_free_bytes"), 0);
  EXPECT_GT(asked("process_resident_memory_bytes"), 1e6);
  EXPECT_TRUE(eventually(20, [&] { return firing("WinnowNoNodes") == 0; }))
      << "the alert did not end with its cause";

  node.send(SIGTERM);
  EXPECT_EQ(node.wait(30), 0);
  EXPECT_TRUE(eventually(
      20, [&] { return asked("winnow_actors_node_leaves_total{reason=\"goodbye\"}") == 1; }));
}

// A disk that is really full, then a node that is really killed: the shipped rules say so, and stop
// when it is over.
TEST_F(Scraped, FullDiskAndKilledNodeFireTheShippedRules) {
  const fs::path home = folder_.path() / "home";
  make_market(home, 60);
  write_text(home / "work.yaml", grid_sweep("work", {"lookback_bars: {int: [12, 96], step: 2}",
                                                     "entry_z: {float: [1.0, 3.0], step: 0.1}",
                                                     "exit_z: {values: [0, 0.25, 0.5]}",
                                                     "stop_bps: {values: [0, 100, 200, 300]}"}));
  SmallDisk disk(home / "store", 12);
  if (disk.error() == EPERM || disk.error() == EACCES) {
    GTEST_SKIP() << "mounting a file system is not permitted here";
  }
  ASSERT_EQ(disk.error(), 0);
  Process farm(home, winnow_argv(home, {"up", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"}));
  const std::string words = "metrics on http://127.0.0.1:";
  const std::string metrics = port_after(farm, words);
  const std::string endpoint = "127.0.0.1:" + port_after(farm, "coordinator on 127.0.0.1:");
  Process node(home, winnow_argv(home, {"node", "--join", endpoint, "--http", "127.0.0.1:0",
                                        "--workers", "2"}));
  start_prometheus(metrics, port_after(node, words));
  const Ran submitted = winnow(home, {"sweep", "run", (home / "work.yaml").string(), "--connect",
                                      endpoint, "--detach", "--quiet"});
  ASSERT_EQ(submitted.status, 0) << submitted.errors;

  EXPECT_TRUE(eventually(90, [&] { return firing("WinnowWritesRefused") >= 1; })) << farm.errors();
  EXPECT_TRUE(eventually(30, [&] { return firing("WinnowCommitStalls") >= 1; }));
  EXPECT_GT(asked("winnow_store_writes_refused_total{kind=\"results\"}"), 0);
  EXPECT_TRUE(eventually(30, [&] { return asked("winnow_actors_intake_oldest_seconds") > 2; }));
  EXPECT_GT(asked("winnow_actors_intake_blocks"), 0);
  EXPECT_GT(asked("winnow_actors_in_commit_bytes"), 0);
  EXPECT_EQ(firing("WinnowNoNodes"), 0);
  EXPECT_EQ(firing("WinnowProcessDown"), 0);

  node.send(SIGKILL);
  EXPECT_TRUE(eventually(30, [&] { return firing("WinnowNoNodes") == 1; }));
  EXPECT_TRUE(eventually(30, [&] { return firing("WinnowProcessDown") == 1; }));
  EXPECT_EQ(asked("winnow_actors_node_leaves_total{reason=\"connection_broke\"}"), 1);

  ASSERT_TRUE(disk.resize(400));
  Process second(home, winnow_argv(home, {"node", "--join", endpoint, "--workers", "2"}));
  EXPECT_TRUE(eventually(30, [&] { return firing("WinnowNoNodes") == 0; }));
  EXPECT_TRUE(eventually(200, [&] {
    return asked("winnow_scheduler_sweeps{state=\"running\"}") == 0;
  })) << farm.errors();
  EXPECT_TRUE(eventually(20, [&] { return asked("winnow_store_stopped") == 0; }));
  EXPECT_TRUE(eventually(20, [&] { return asked("winnow_actors_intake_oldest_seconds") == 0; }));
  EXPECT_EQ(asked("winnow_actors_in_commit_bytes"), 0);
}

}  // namespace
}  // namespace winnow::e2e
