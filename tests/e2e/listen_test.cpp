// Which ports the programs open: on loopback and nowhere else, unless told otherwise.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <set>
#include <sstream>

#include "tests/e2e/door_farm.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;

std::set<std::string> sockets_of(pid_t pid) {
  std::set<std::string> inodes;
  std::error_code ec;
  for (const auto& fd : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", ec)) {
    const std::string target = fs::read_symlink(fd.path(), ec).string();
    if (target.starts_with("socket:[")) inodes.insert(target.substr(8, target.size() - 9));
  }
  return inodes;
}

/// Local addresses, as the kernel writes them, of the sockets on which `pid` listens (TCP) or
/// receives (UDP).
std::vector<std::string> open_to(pid_t pid) {
  constexpr const char* kListens = "0A";
  const auto own = sockets_of(pid);
  std::vector<std::string> found;
  for (const std::string table : {"tcp", "tcp6", "udp", "udp6"}) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/net/" + table);
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
      std::istringstream fields(line);
      std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
          timeout >> inode;
      const bool waits = state == kListens || table.starts_with("udp");
      if (waits && own.contains(inode)) found.push_back(local);
    }
  }
  return found;
}

bool is_loopback(const std::string& local) {
  const std::string address = local.substr(0, local.find(':'));
  // 127.x.x.x, its last byte first; ::1.
  return (address.size() == 8 && address.ends_with("7F")) ||
         address == "00000000000000000000000001000000";
}

void expect_loopback_only(pid_t pid, std::size_t at_least, const std::string& what) {
  std::vector<std::string> open;
  EXPECT_TRUE(eventually(20,
                         [&] {
                           open = open_to(pid);
                           return open.size() >= at_least;
                         }))
      << what << " listens on " << open.size() << " ports";
  for (const std::string& local : open) EXPECT_TRUE(is_loopback(local)) << what << ": " << local;
}

TEST(Listen, CoordinatorAndNodeStayOnLoopback) {
  const TemporaryFolder folder;
  Coordinator farm(folder.path());
  ASSERT_NE(farm.port(), 0);
  expect_loopback_only(farm.process().pid(), 1, "winnow up");
  Process node(folder.path(),
               winnow_argv(folder.path() / "node", {"node", "--join", farm.endpoint(), "--http",
                                                    "127.0.0.1:0", "--workers", "1"}));
  expect_loopback_only(node.pid(), 1, "winnow node");
}

TEST_F(DoorFarm, TheDoorOpensNoOtherPortToTheNetwork) {
  expect_loopback_only(up->pid(), 2, "winnow up --secure");
  const auto node = start_node("node-1");
  expect_loopback_only(node->pid(), 1, "winnow node --identity");
  // Told otherwise, it is the door alone that others reach.
  const fs::path other = folder.path() / "other";
  ASSERT_EQ(winnow(other, {"cluster", "init"}).status, 0);
  Coordinator open(other, "0.0.0.0:0");
  ASSERT_NE(open.port(), 0);
  std::size_t outside = 0;
  for (const std::string& local : open_to(open.process().pid())) {
    outside += is_loopback(local) ? 0 : 1;
  }
  EXPECT_EQ(outside, 1u);
}

TEST(Listen, TheDemoStaysOnLoopback) {
  const TemporaryFolder folder;
  Process demo(folder.path(), winnow_argv(folder.path() / "home", {"demo", "--quick"}));
  std::size_t seen = 0;
  eventually(60, [&] {
    std::vector<pid_t> all = descendants(demo.pid());
    all.push_back(demo.pid());
    for (const pid_t pid : all) {
      for (const std::string& local : open_to(pid)) {
        EXPECT_TRUE(is_loopback(local)) << local;
        ++seen;
      }
    }
    return seen >= 3 || !demo.running();
  });
  EXPECT_GT(seen, 0u) << "the demo's coordinator was never seen";
  demo.send(SIGINT);
  demo.wait(30);
}

}  // namespace
}  // namespace winnow::e2e
