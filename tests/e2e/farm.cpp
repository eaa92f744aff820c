#include "tests/e2e/farm.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <sstream>

#include "tests/support/eventually.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;

std::uint16_t read_port(int fd) {
  std::string text;
  pollfd ready{fd, POLLIN, 0};
  char c = 0;
  while (::poll(&ready, 1, 30'000) == 1 && ::read(fd, &c, 1) == 1 && c != '\n') text += c;
  return static_cast<std::uint16_t>(std::atoi(text.c_str()));
}

}  // namespace

Coordinator::Coordinator(const fs::path& home, const std::string& listen, const std::string& http) {
  int fds[2];
  if (::pipe(fds) != 0) return;
  std::vector<std::string> args{"up", "--listen", listen, "--ready-fd", std::to_string(fds[1])};
  if (!http.empty()) args.insert(args.end(), {"--http", http});
  process_ = std::make_unique<Process>(home, winnow_argv(home, args));
  ::close(fds[1]);
  port_ = read_port(fds[0]);
  ::close(fds[0]);
}

bool eventually(int seconds, const std::function<bool()>& holds) {
  return tests::eventually(std::chrono::seconds(seconds), holds);
}

std::uint64_t bytes_below(const fs::path& folder) {
  std::uint64_t sum = 0;
  std::error_code ec;
  for (fs::recursive_directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    std::error_code gone;
    if (it->is_regular_file(gone)) sum += it->file_size(gone);
  }
  return sum;
}

std::string metrics_port(Process& process) {
  const std::string words = "metrics on http://127.0.0.1:";
  std::string port;
  EXPECT_TRUE(eventually(20, [&] {
    const std::string log = process.errors();
    const auto at = log.find(words);
    if (at == std::string::npos) return false;
    const auto end = log.find("/metrics", at);
    if (end == std::string::npos) return false;
    port = log.substr(at + words.size(), end - at - words.size());
    return true;
  })) << process.errors();
  return port;
}

double metric(const fs::path& folder, const std::string& port, const std::string& name) {
  Process get(folder, {"/bin/bash", "-c",
                       "exec 3<>/dev/tcp/127.0.0.1/" + port +
                           "; printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3; timeout 5 cat <&3"});
  (void)get.wait(10);
  const std::string page = get.output();
  const auto at = page.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stod(page.substr(at + name.size() + 2));
}

nlohmann::json json_of(const Ran& ran) {
  auto document = nlohmann::json::parse(ran.output, nullptr, false);
  if (!document.is_discarded()) return document;
  ADD_FAILURE() << "not one JSON document: " << ran.output << "\n" << ran.errors;
  return nlohmann::json::object();
}

nlohmann::json ask(const fs::path& home, std::vector<std::string> args) {
  args.push_back("--json");
  const Ran ran = winnow(home, args);
  EXPECT_EQ(ran.status, 0) << ran.errors;
  return json_of(ran);
}

std::string token_of(const fs::path& home, const std::string& name, const std::string& role) {
  const fs::path file = home / "tokens-of-tests" / (role + "-" + name);
  if (fs::exists(file)) return file.string();
  fs::create_directories(file.parent_path());
  const Ran made = winnow(
      home, {"token", "create", "--role", role, "--name", name, "--out", file.string(), "--quiet"});
  EXPECT_EQ(made.status, 0) << made.errors;
  return file.string();
}

void make_market(const fs::path& home, int days) {
  fs::create_directories(home);
  std::string spec =
      "market: small\nstart: 2023-01-01\ninterval: 15m\nduration: " + std::to_string(days) +
      "d\nsteps_per_bar: 4\ninstruments:\n";
  for (const auto& [name, px] : {std::pair{"alpha", "20000"}, {"beta", "1500"}}) {
    spec += "  - name: " + std::string(name) + "\n    start_px: " + px +
            "\n    tick_px: 0.01\n    lot_qty: 0.001\n    volume_per_bar: 4000\n"
            "    regimes: [{name: only, volatility_ann_frac: 0.6, mean_duration: 30d}]\n";
  }
  write_text(home / "market.yaml", spec);
  const Ran made = winnow(
      home, {"data", "synth", (home / "market.yaml").string(), "--seed", "11", "--name", "sim"});
  ASSERT_EQ(made.status, 0) << made.errors;
}

std::string grid_sweep(const std::string& name, const std::vector<std::string>& params) {
  std::string yaml = "sweep: " + name +
                     "\ndata: [sim-alpha, sim-beta]\nexecution: binance-usdm\nstrategies:\n"
                     "  - family: mean_reversion\n    params:\n";
  for (const std::string& param : params) yaml += "      " + param + "\n";
  return yaml + "search: {method: grid}\nseed: 5\n";
}

std::string random_sweep(const std::string& name, int samples, int seed) {
  const std::string count = std::to_string(samples);
  return "sweep: " + name + R"(
data: [sim-alpha]
execution: binance-usdm
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [12, 60]}
      entry_z: {float: [1.0, 3.0]}
      stop_bps: {float: [50, 400]}
search: {method: random, samples: )" +
         count + "}\nbudget: {trials: " + count + "}\nseed: " + std::to_string(seed) + "\n";
}

std::string learning_sweep(const std::string& name, const std::string& more) {
  return "sweep: " + name + R"(
data: [sim-alpha]
execution: binance-usdm
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [12, 96]}
      entry_z: {float: [1.0, 3.0]}
      exit_z: {values: [0, 0.25, 0.5]}
      stop_bps: {log: [50, 800]}
seed: 5
)" + more;
}

std::string leaderboard(const fs::path& home, const std::string& sweep) {
  const Ran ran = winnow(home, {"top", sweep, "--csv"}, 200);
  EXPECT_EQ(ran.status, 0) << ran.errors;
  std::istringstream lines(ran.output);
  std::string out;
  std::string line;
  while (std::getline(lines, line)) {
    if (out.empty()) {
      EXPECT_TRUE(line.ends_with(",dsr")) << line;
    }
    out += line.substr(0, line.rfind(',')) + '\n';
  }
  EXPECT_NE(out, "");
  return out;
}

std::string ledger(const fs::path& home) {
  nlohmann::json said = ask(home, {"ledger", "show"});
  said.erase("ledger");  // which ledger it is, and when it was born
  return said.dump(1);
}

}  // namespace winnow::e2e
