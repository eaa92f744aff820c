#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/id.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "scheduler/interval_set.hpp"

namespace winnow::scheduler {

/// Limits and aims. Every one has a unit and a reason.
struct Options {
  DurationNs lease_ttl = milliseconds(2000);  ///< a silent node's leases are returned after it
  DurationNs lease_work = milliseconds(500);  ///< aimed work in a lease: long against a message (1
                                              ///< ms), short against a kill
  std::uint32_t lease_blocks_max = 256;
  std::uint32_t block_attempts_max = 8;  ///< then the block is quarantined
  std::uint32_t isolate_after = 2;       ///< from this attempt on a block travels alone
  double straggler_factor = 3.0;         ///< a lease this many times over its expected time is also
                                         ///< given to an idle worker
};

/// A sweep as the farm sees it: a number of blocks, some of them already committed.
struct SweepWork {
  std::string id;
  std::uint64_t blocks = 0;
  std::vector<bool> committed;              ///< one a block; empty: none
  std::vector<std::uint64_t> segment_ends;  ///< leases do not cross these block indices
  std::int32_t priority = 0;                ///< higher first, strictly
  double weight = 1;                        ///< share against others of the same priority, > 0
};

struct NodeFacts {
  std::string name;
  std::uint32_t workers = 1;
};

/// Permission to run blocks [first_block, first_block + blocks) of a sweep.
struct Lease {
  LeaseId id;
  std::string sweep;
  std::uint64_t first_block = 0;
  std::uint32_t blocks = 0;
  std::uint32_t attempt = 1;  ///< highest attempt number of its blocks
};

// Decisions: what the shell must now do.
struct Grant {
  NodeId node;
  Lease lease;
};
/// Every block of the sweep is committed or quarantined.
struct SweepFinished {
  std::string sweep;
};
/// A block failed too often; it is not tried again. Its trials become Failed with this evidence.
struct Quarantine {
  std::string sweep;
  std::uint64_t block = 0;
  std::string evidence;
};
using Decision = std::variant<Grant, SweepFinished, Quarantine>;

/// What the farm is doing for a sweep.
struct SweepProgress {
  std::uint64_t blocks = 0;
  std::uint64_t committed = 0;
  std::uint64_t pending = 0;
  std::uint64_t leased = 0;    ///< on some node
  std::uint64_t received = 0;  ///< results here, commit not yet acknowledged
  std::uint64_t quarantined = 0;
  std::uint64_t retries = 0;     ///< blocks given back by expiry, loss or failure
  std::uint64_t stragglers = 0;  ///< blocks given to a second worker
  double work_s = 0;             ///< engine seconds reported by workers
  bool paused = false;
};

struct NodeStatus {
  NodeId id;
  NodeFacts facts;
  std::uint32_t credit = 0;
  std::uint32_t leases = 0;
  MonoNs last_seen;
  std::uint64_t blocks_done = 0;
  double work_s = 0;
};

/// Purpose: the farm's decisions as a sans-I/O state machine: who runs which blocks next. Events go
/// in as calls with `now`; step() gives decisions.
/// Thread: one.
/// Invariants: a block is in exactly one of {pending, held by >= 1 leases, received, committed,
/// quarantined}; a committed block is never granted again; the same calls give the same decisions.
class Scheduler {
 public:
  explicit Scheduler(const Options& options = {}) : options_(options) {}

  /// Adding a known sweep again changes nothing but un-pauses it. Fails: InvalidInput (weight).
  Status add_sweep(const SweepWork& work);
  void pause(std::string_view sweep, MonoNs now);
  void resume(std::string_view sweep);
  /// Forgets a sweep; results that still arrive are committed but lead nowhere.
  void remove(std::string_view sweep);
  bool knows(std::string_view sweep) const { return sweeps_.contains(std::string(sweep)); }

  void node_joined(NodeId node, const NodeFacts& facts, MonoNs now);
  /// All its leases are returned; `reason` becomes evidence of the blocks it was running.
  void node_left(NodeId node, std::string_view reason, MonoNs now);
  /// The node can take `leases` more.
  void credit(NodeId node, std::uint32_t leases);
  /// The node is alive and still works on these; leases it does not name have been lost on the way
  /// and are returned.
  void renew(NodeId node, const std::vector<LeaseId>& held, MonoNs now);

  /// A result of this block has arrived (its commit is not yet safe). `work` is the engine's time
  /// for it.
  void block_received(NodeId node, LeaseId lease, std::string_view sweep, std::uint64_t block,
                      DurationNs work, MonoNs now);
  /// The commit of this block is on disk.
  void block_committed(std::string_view sweep, std::uint64_t block);
  /// What arrived for this block was not its result; it is run again. Counts as a failed attempt.
  void block_refused(std::string_view sweep, std::uint64_t block, std::string_view reason);
  /// The node could not run the lease and gives it back. A lease it no longer holds is ignored.
  void lease_failed(NodeId node, LeaseId lease, std::string_view reason, MonoNs now);

  /// What to do now: expiries, grants, finished sweeps.
  std::vector<Decision> step(MonoNs now);
  /// When step() must be called at the latest even if nothing happens.
  std::optional<MonoNs> next_deadline() const;

  std::optional<SweepProgress> progress(std::string_view sweep) const;
  std::vector<NodeStatus> nodes() const;
  std::uint32_t workers() const;
  /// Why this sweep or block waits or what became of it, one sentence a line (law 7).
  std::string explain(std::string_view sweep, std::optional<std::uint64_t> block, MonoNs now) const;

 private:
  enum class BlockState : std::uint8_t { Pending, Leased, Received, Committed, Quarantined };
  struct Block {
    BlockState state = BlockState::Pending;
    std::uint8_t holders = 0;
  };
  struct Sweep {
    SweepWork work;
    std::vector<Block> blocks;
    IntervalSet pending;
    std::unordered_map<std::uint64_t, std::uint32_t> attempts;  // blocks given back at least once
    std::unordered_map<std::uint64_t, std::string> evidence;
    SweepProgress counts;
    double block_cost_ns = 0;  // moving average; 0 while unknown
    double virtual_time = 0;   // work / weight, for fair share
    bool finished = false;
  };
  struct HeldLease {
    Lease lease;
    NodeId node;
    std::vector<bool> open;  // one a block: result not yet here
    std::uint32_t open_count = 0;
    MonoNs granted;
    MonoNs deadline;
    bool doubled = false;
  };
  struct Node {
    NodeStatus status;
    std::set<LeaseId> leases;
  };

  void return_lease(LeaseId id, std::string_view reason, MonoNs now);
  void release_holder(Sweep& sweep, std::uint64_t block, bool failed, std::string_view reason);
  void quarantine(Sweep& sweep, std::uint64_t block);
  void finish_if_done(Sweep& sweep);
  void expire(MonoNs now);
  Sweep* pick_sweep();
  std::uint32_t lease_size(const Sweep& sweep) const;
  /// It asks for work and is not silent.
  bool may_receive(const Node& node, MonoNs now) const;
  bool grant_pending(Node& node, MonoNs now);
  bool grant_straggler(Node& node, MonoNs now);
  void hand_out(Node& node, Sweep& sweep, BlockRange range, std::uint32_t attempt, MonoNs now);

  Options options_;
  std::map<std::string, Sweep, std::less<>> sweeps_;
  std::map<NodeId, Node> nodes_;
  std::map<LeaseId, HeldLease> leases_;
  std::vector<Decision> decisions_;
  std::uint64_t next_lease_ = 1;
};

}  // namespace winnow::scheduler
