// A real Prometheus scrapes a real farm: the rules are valid and do fire, the numbers are right.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"

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
                   (kConfigs / "alerts.yml").string() +
                   ", test.yml]\n"
                   "scrape_configs:\n"
                   "  - job_name: winnow\n    static_configs:\n"
                   "      - targets: ['127.0.0.1:" +
                   coordinator + "', '127.0.0.1:" + node + "']\n");
    // The shipped rules wait for minutes; the test's own has the same condition without the wait.
    write_text(folder_.path() / "test.yml",
               "groups:\n  - name: test\n    rules:\n      - alert: TestNoNodes\n"
               "        expr: winnow_scheduler_sweeps{state=\"running\"} > 0 and on(instance) "
               "winnow_actors_nodes == 0\n");
    prometheus_ = std::make_unique<Process>(
        folder_.path(),
        std::vector<std::string>{
            kPrometheus, "--config.file=" + (folder_.path() / "prometheus.yml").string(),
            "--storage.tsdb.path=" + (folder_.path() / "tsdb").string(),
            "--web.listen-address=127.0.0.1:" + prometheus_port_, "--log.level=warn"});
    ASSERT_TRUE(eventually(30, [&] { return asked("vector(1)") == 1; })) << prometheus_->errors();
  }
  TemporaryFolder folder_;
  std::string prometheus_port_ = std::to_string(20'000 + ::getpid() % 20'000);
  std::unique_ptr<Process> prometheus_;
};

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
  EXPECT_TRUE(eventually(30, [&] {
    return asked("count(ALERTS{alertname=\"TestNoNodes\",alertstate=\"firing\"})") == 1;
  }));
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
  EXPECT_GT(asked("winnow_actors_mailbox_handled_total{actor=\"coordinator\"}"), blocks);
  EXPECT_GT(asked("winnow_store_disk_free_bytes"), 0);
  EXPECT_GT(asked("process_resident_memory_bytes"), 1e6);
  EXPECT_TRUE(eventually(20, [&] {
    return std::isnan(asked("count(ALERTS{alertname=\"TestNoNodes\"})"));
  })) << "the alert did not end with its cause";

  node.send(SIGTERM);
  EXPECT_EQ(node.wait(30), 0);
  EXPECT_TRUE(eventually(
      20, [&] { return asked("winnow_actors_node_leaves_total{reason=\"goodbye\"}") == 1; }));
}

}  // namespace
}  // namespace winnow::e2e
