#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/farm.hpp"

namespace winnow::e2e {

/// A coordinator behind a door on loopback, and identities of its farm: `node-1`, and the client
/// `user`.
struct DoorFarm : testing::Test {
  void SetUp() override;
  void invite(const std::string& name, std::vector<std::string> more = {});
  std::string file(const std::string& name) const { return folder.path() / (name + ".identity"); }
  std::string where() const { return "127.0.0.1:" + std::to_string(port); }
  std::unique_ptr<Process> start_node(const std::string& identity);
  /// Nodes that were heard of within three seconds, as the user is told; `kNoAnswer` if he is not.
  std::size_t nodes();
  static constexpr std::size_t kNoAnswer = ~std::size_t{0};
  Ran ask_as(const std::string& identity, std::vector<std::string> args);
  /// The port that is the coordinator's own, behind the door.
  int inner_port() const;

  TemporaryFolder folder;
  std::filesystem::path home;
  std::unique_ptr<Process> up;
  int port = 0;
};

/// A plain connection to a port of this machine; -1 if there is none.
int connect_to(int port);
std::ptrdiff_t descriptors(pid_t pid);
/// Seconds of processor time that a process has used.
double cpu_s(pid_t pid);
/// Resident memory of a process.
std::uint64_t resident_bytes(pid_t pid);

}  // namespace winnow::e2e
