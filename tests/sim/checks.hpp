#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/hosts.hpp"

namespace winnow::sim {

/// Purpose: what must hold after every step, seen from outside: it listens to what the coordinator
/// says and compares with what is on the disk. Keeps the first violation.
class Checks final : public Observer {
 public:
  Checks(const Disk& disk, const Workload& workload) : disk_(disk), workload_(workload) {}

  void sent_to_node(std::uint64_t session, const Frame& frame) override;
  void commit_answered(const store::BlockCommit& commit,
                       const store::CommitOutcome& outcome) override;
  void broken(const std::string& what) override {
    if (failure_.empty()) failure_ = what;
  }

  /// After a step that changed them.
  void coordinator(const CoordinatorHost& host, std::size_t nodes);
  void node(const NodeHost& host);
  /// After a restart: what was ever acknowledged is still there.
  void after_restart();
  /// When all sweeps are done.
  void at_end(const std::string& quiet);

  bool failed() const { return !failure_.empty(); }
  const std::string& failure() const { return failure_; }

 private:
  void acknowledged(const actors::BlocksCommitted& message);
  void ordered(std::uint64_t session, const actors::LeaseOrder& order);
  void ledger();
  void only_wrong_where_undetected();

  const Disk& disk_;
  const Workload& workload_;
  std::string failure_;
  std::set<Disk::Place> acknowledged_;
  std::map<std::uint64_t, std::map<std::uint64_t, std::uint32_t>> orders_;  // session: lease: size
};

/// All results and their ranking in a few bytes; for failed blocks, that they failed.
std::string digest(const Disk& disk);

}  // namespace winnow::sim
