#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace winnow::cluster {

struct LocalFarmOptions {
  std::filesystem::path binary;  ///< the winnow program
  std::filesystem::path home;
  std::uint32_t nodes = 1;
  std::uint32_t workers = 1;        ///< a node
  std::function<bool()> stop = {};  ///< asked while it is waited for a child; may be empty
};

/// Purpose: a farm of processes of its own on this machine's loopback: one coordinator, some nodes.
/// Their logs go to HOME/logs. A child that dies is started again; all of them end with the owner,
/// however that ends.
/// Thread: one, the one that started it, which must live as long as the farm.
class LocalFarm {
 public:
  /// Fails: Unavailable (the coordinator did not come up; the text has its last log lines), Io,
  /// Cancelled (`stop` said yes).
  static Result<std::unique_ptr<LocalFarm>> start(const LocalFarmOptions& options);
  ~LocalFarm();  ///< stop(2 s)

  std::uint16_t port() const { return port_; }

  /// Reaps and restarts children that died. To be called a few times a second. Fails: Unavailable
  /// if one dies faster than it can be of use.
  Status supervise();

  /// Asks all children to end, waits, then ends those that did not.
  void stop(DurationNs patience);

  struct Child {
    std::string role;  ///< `coordinator`, `node-1`
    pid_t pid = -1;
    std::uint32_t restarts = 0;
    MonoNs started;
    std::uint32_t quick_deaths = 0;
    std::uintmax_t log_from = 0;  ///< its own lines in its log begin there
    std::string end;              ///< how its last process ended; empty: none did
  };
  const std::vector<Child>& children() const { return children_; }

 private:
  explicit LocalFarm(LocalFarmOptions options) : options_(std::move(options)) {}
  std::filesystem::path log_of(const Child& child) const;
  /// `what`, how the child ended and what its log says of it.
  Error ended(const Child& child, const std::string& what) const;
  Status start_coordinator(Child& child);
  Status start_node(Child& child);

  LocalFarmOptions options_;
  std::uint16_t port_ = 0;
  std::vector<Child> children_;
};

/// Makes this process end when its parent, the process `owner`, does, however that ends: SIGTERM at
/// once, and what is still there a second later is ended by SIGALRM. Ensures: false if the owner is
/// already gone.
bool end_with_owner(pid_t owner);
/// Whether that has happened.
bool owner_is_gone();

/// This program's own file.
std::filesystem::path own_binary();

}  // namespace winnow::cluster
