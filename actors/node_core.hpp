#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/codec.hpp"
#include "actors/worker_pool.hpp"
#include "base/id.hpp"
#include "sweeps/plan.hpp"

namespace winnow::actors {

struct NodeCoreOptions {
  std::string name;  ///< host:pid, for people
  std::uint32_t workers = 1;
  std::string isa;  ///< what the engine will use
  /// Of an earlier process of this place that crashed: its session and its last words.
  std::uint64_t former_session = 0;
  std::string last_words;
};

/// Purpose: the node between its workers and its coordinator as a sans-I/O state machine: frames,
/// finished work and connections in; frames and work out through `Outside`. Outlives any one
/// connection. The same code runs under CAF (node.cpp) and under the simulation (tests/sim).
/// Owner: its shell. Thread: one; it starts none and reads no clock.
/// Invariants: a computed block is kept until BlocksCommitted names it; at most
/// workers * kLeasesPerWorker leases are asked for at a time, which bounds what is kept.
class NodeCore {
 public:
  enum class Leave : std::uint8_t { Begin, Stop };
  /// Purpose: what the core does to the world. Thread: the core's.
  class Outside {
   public:
    virtual ~Outside() = default;
    /// To the coordinator, best effort: without a connection it gets nothing.
    virtual void send(Frame frame) = 0;
    /// computed() follows for every block, then lease_over().
    virtual void push(WorkerPool::Work work) = 0;
    /// Forgets pushed work that no worker has begun; nothing follows for it.
    virtual std::vector<LeaseId> drop_queued() = 0;
    /// The plan that a resolved specification makes. Fails: as Plan::make.
    virtual Result<std::shared_ptr<const sweeps::Plan>> plan(const std::string& spec_json) = 0;
    /// Never 0, never the same again.
    virtual std::uint64_t random_id() = 0;
    /// Puts a result where a later process of this place finds it and calls adopted(); best
    /// effort. A surrounding without a disk keeps nothing.
    virtual void keep(const BlockResult&) {}
    /// Content hashes of the datasets that are here, from one that fetches others when they are
    /// wanted and tells of them with ask(DatasetState); nothing: the coordinator need not know.
    virtual std::optional<std::vector<std::string>> datasets() { return std::nullopt; }
    /// The coordinator took this node on: what was asked of the last one is to be asked again.
    virtual void joined() {}
    /// An answer about a dataset, or DatasetWanted.
    virtual void on_dataset(const Frame&) {}
    /// The answer to trial_begins().
    virtual void trial_leave(LeaseId /*place*/, std::uint64_t /*trial*/, Leave) {}
    /// What keep() or adopted() named is settled.
    virtual void forget(const std::string& /*sweep*/, std::uint64_t /*block*/) {}
  };

  // An acknowledgement takes milliseconds. What waits for so many ticks (of half a second) waits
  // for trouble and is kept on disk; when all is well nothing is.
  static constexpr std::uint32_t kTicksBeforeKeeping = 2;

  NodeCore(NodeCoreOptions options, Outside& outside);

  /// There is a connection; a session begins.
  void connected();
  /// The connection is gone. Work goes on.
  void disconnected();
  void on_frame(const Frame& frame);
  /// To be called every renew_interval(): says that it lives, and repeats what had no answer.
  void tick();
  DurationNs renew_interval() const { return renew_interval_; }

  void computed(LeaseId place, std::uint64_t block, DurationNs work, std::string block_bytes);
  void lease_over(LeaseId place, const Status& status);
  /// A computation of `place` on trials [first_trial, first_trial + trials) went over its limit and
  /// does not stop. Reports it, gives the place up and takes no more leases: the process is to
  /// start anew. Repeats are ignored.
  void overran(LeaseId place, std::uint64_t first_trial, std::uint64_t trials,
               const std::string& evidence);
  /// A worker of a lease that runs alone comes to this trial; trial_leave() follows when the
  /// coordinator knows, which waits for a connection.
  void trial_begins(LeaseId place, std::uint64_t trial);
  /// A result that an earlier process kept and nobody acknowledged.
  void adopted(BlockResult result);

  /// Takes no more leases and gives back what has not started.
  void drain();
  /// A question or a word about a dataset; lost without a connection.
  template <class T>
  void ask(const T& question) {
    send(question);
  }
  /// The last word to the coordinator.
  void leave();

  /// Leases held and results not yet safe: 0 means that leaving loses no work.
  std::size_t busy() const { return places_.size() + unacknowledged_.size(); }
  std::size_t places() const { return places_.size(); }
  std::size_t unacknowledged() const { return unacknowledged_.size(); }
  /// Bytes of results that were sent and are neither acknowledged nor kept on disk.
  std::size_t under_way_bytes() const { return under_way_bytes_; }
  /// The coordinator's numbers of the leases of this connection, and its session; for checks.
  std::vector<std::uint64_t> current_leases() const;
  std::uint64_t session() const { return session_; }
  /// What it has begun and not finished, but for leases of `session`; at most kHeldMax.
  std::vector<Held> held_except(std::uint64_t session) const;

 private:
  /// A lease taken on: a place at a worker until all its blocks are acknowledged.
  struct HeldLease {
    std::uint64_t session = 0;  ///< in which it was granted
    std::uint64_t lease = 0;    ///< the coordinator's number for it
    std::string sweep;
    std::shared_ptr<const sweeps::Plan> plan;
    std::set<std::uint64_t> open;  ///< blocks neither acknowledged nor failed
    bool computing = true;
    std::optional<std::uint64_t> trial;  ///< that runs or is to begin, of a lease that runs alone
    bool trial_known = false;            ///< to the coordinator of this session
  };
  using Places = std::map<LeaseId, HeldLease>;
  /// A result that waits for its acknowledgement. It is sent again, ever more rarely.
  struct Waiting {
    BlockResult result;
    std::uint32_t ticks = 0;       ///< since it was computed
    std::uint32_t ticks_sent = 0;  ///< since it was last sent
    std::uint32_t ticks_patience = kResendTicks;
    bool kept = false;
  };
  static constexpr std::uint32_t kHelloPauseMax = 64;
  static constexpr std::uint32_t kResendTicks = 10;
  static constexpr std::uint32_t kResendTicksMax = 160;

  template <class T>
  void send(const T& message) {
    if (session_ != 0) outside_.send(encode(message, session_));
  }
  template <class T>
  void hear(const Frame& frame);

  std::size_t places_max() const { return std::size_t{options_.workers} * kLeasesPerWorker; }
  void on(const Welcome& welcome);
  void on(const Refusal& refusal);
  void on(const SweepInfo& info);
  void on(const LeaseOrder& order);
  void introduce();
  Credit state_of_places();
  void fail(const HeldLease& held, LeaseEnd end, const std::string& reason);
  void resend();
  void announce(const HeldLease& held);
  void on(const TrialLeave& leave);
  void on(const BlocksCommitted& message);
  void keep(Waiting& waiting);
  void settle(const std::string& sweep, std::uint64_t block);
  void free_if_done(Places::iterator held);

  NodeCoreOptions options_;
  Outside& outside_;
  std::uint64_t id_ = 0;
  std::uint64_t session_ = 0;  // 0: no connection
  std::uint64_t connection_ = 0;
  DurationNs renew_interval_ = milliseconds(500);
  bool draining_ = false;
  std::map<std::string, std::shared_ptr<const sweeps::Plan>> plans_;
  Places places_;
  std::uint64_t next_place_ = 1;
  std::map<std::pair<std::string, std::uint64_t>, Waiting> unacknowledged_;
  std::size_t under_way_bytes_ = 0;  ///< of those in unacknowledged_ that are not kept
  // In this session.
  bool welcome_ = false;
  std::string refusal_;            // the last one, which is logged once
  std::uint32_t hello_pause_ = 0;  // ticks between two tries while it is refused...
  std::uint32_t hello_wait_ = 0;   // ...and left of them
  std::uint64_t sequence_ = 0;
  std::uint64_t lease_seen_ = 0;
};

}  // namespace winnow::actors
