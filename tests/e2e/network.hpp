#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/e2e/process.hpp"

namespace winnow::e2e {

/// Purpose: machines on one wire: a network namespace each, joined by a bridge in another. Nothing
/// of it touches the machine's own network, and all of it goes away with the test.
/// Host i has the address 10.231.0.(i + 1) on its `wire`.
class Network {
 public:
  explicit Network(int hosts);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Empty, or why the machine does not let us have one.
  const std::string& problem() const { return problem_; }
  std::string address(int host) const;
  /// `argv` to be run on a host.
  std::vector<std::string> on(int host, std::vector<std::string> argv) const;
  /// Pulls the host's cable, or puts it in again.
  void cut(int host) const;
  void heal(int host) const;
  /// Limits what the host sends. False if the kernel cannot.
  bool slow(int host, int kbit_per_s) const;

 private:
  std::string space(int host) const;
  bool ip(std::vector<std::string> args);
  int tell(std::vector<std::string> argv) const;

  TemporaryFolder folder_;
  std::string stem_;
  int hosts_ = 0;
  std::string problem_;
};

}  // namespace winnow::e2e
