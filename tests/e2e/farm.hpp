#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/e2e/process.hpp"

namespace winnow::e2e {

/// A coordinator of `winnow up`, on a free loopback port if none is given, with metrics where
/// `http` says. Its port is 0 if it did not come up.
class Coordinator {
 public:
  explicit Coordinator(const std::filesystem::path& home, const std::string& listen = "127.0.0.1:0",
                       const std::string& http = "");

  std::uint16_t port() const { return port_; }
  std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }
  Process& process() { return *process_; }

 private:
  std::unique_ptr<Process> process_;
  std::uint16_t port_ = 0;
};

/// Asks until `holds` says yes; false if it never does.
bool eventually(int seconds, const std::function<bool()>& holds);

/// Bytes of all files below a folder, now.
std::uint64_t bytes_below(const std::filesystem::path& folder);

/// The port in a log line such as `metrics on http://127.0.0.1:PORT/metrics`.
std::string metrics_port(Process& process);
/// A number of a process's metrics page, or -1.
double metric(const std::filesystem::path& folder, const std::string& port,
              const std::string& name);

/// The file of a token of that name, made at the first call; commands take it with --token-file.
std::string token_of(const std::filesystem::path& home, const std::string& name,
                     const std::string& role = "researcher");

/// What a command printed; an empty document, and a failed test, if that is not one.
nlohmann::json json_of(const Ran& ran);
nlohmann::json ask(const std::filesystem::path& home, std::vector<std::string> args);

/// The datasets `sim-alpha` and `sim-beta`: 15-minute bars of a small simulated market.
void make_market(const std::filesystem::path& home, int days);

/// A specification: the grid of `mean_reversion` over both datasets of `make_market`. `params` are
/// lines of YAML such as `entry_z: {float: [1.0, 3.0], step: 0.25}`.
std::string grid_sweep(const std::string& name, const std::vector<std::string>& params);
/// A specification: random trials of `mean_reversion` on `sim-alpha`.
std::string random_sweep(const std::string& name, int samples, int seed);
/// A specification: a search that learns, of `mean_reversion` on `sim-alpha`. `more` are lines of
/// YAML: `search: {...}` and the like.
std::string learning_sweep(const std::string& name, const std::string& more);

/// Every variant of a sweep as exact text, by rank: parameters and metrics; without the deflated
/// ratio, which depends on all trials of a home.
std::string leaderboard(const std::filesystem::path& home, const std::string& sweep = "last");
/// What the ledger counts, as text.
std::string ledger(const std::filesystem::path& home);

}  // namespace winnow::e2e
