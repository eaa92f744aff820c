#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <queue>
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
  std::uint32_t isolate_after = 2;       ///< failed attempts that make a block a suspect
  std::uint32_t trial_losses_max = 3;    ///< nodes that a trial takes down, running alone on them,
                                         ///< before it is condemned
  double straggler_factor = 3.0;         ///< a lease this many times over its expected time is also
                                         ///< given to an idle worker
  DurationNs straggler_scan = milliseconds(50);  ///< looked for so often at most
};

/// A sweep as the farm sees it: a number of blocks, some of them already committed.
struct SweepWork {
  std::string id;
  std::uint64_t blocks = 0;
  std::vector<bool> committed;              ///< one a block; empty: none
  std::vector<bool> withheld;               ///< one a block: not before release(); empty: none
  std::vector<std::uint64_t> segment_ends;  ///< leases do not cross these block indices
  std::vector<std::string> segment_data;    ///< content hash of each segment's dataset, or empty
  std::int32_t priority = 0;                ///< higher first, strictly
  std::string user;                         ///< of the same priority, users share first...
  double weight = 1;                        ///< ...then a user's sweeps, by weight > 0
  double cpu_s_max = 0;                     ///< budget of engine time; 0: none
  std::uint64_t blocks_max = 0;  ///< budget of trials: only the first so many blocks; 0: all
  bool spent = false;            ///< its budget was used up when it was last heard of
};

struct NodeFacts {
  std::string name;
  std::uint32_t workers = 1;
  std::uint32_t leases_max = 8192;  ///< it never holds more, lost ones counted
  std::set<std::string> datasets;   ///< content hashes of what it holds; empty: not known, but...
  bool tells_data = false;  ///< ...of one that tells: it fetches, and gets blocks of what it holds
};

/// What a node says of a dataset.
struct DataState {
  enum class Is : std::uint8_t {
    Coming,  ///< it fetches it, or will
    Here,
    Failed,  ///< it cannot be had there now, for `reason`
    Gone,    ///< it made room for another
  };
  Is is = Is::Coming;
  std::uint64_t bytes_here = 0;
  std::uint64_t bytes_total = 0;  ///< 0: not known yet
  std::string reason;             ///< of a failure; kept while it is tried again
};

/// Blocks that a node had been given in an earlier session and still works on.
struct HeldBlocks {
  std::string sweep;
  std::uint64_t first_block = 0;
  std::uint32_t blocks = 0;
  std::vector<std::uint64_t> settled;  ///< of them, those it no longer has
};

/// Permission to run blocks [first_block, first_block + blocks) of a sweep.
struct Lease {
  LeaseId id;
  std::string sweep;
  std::uint64_t first_block = 0;
  std::uint32_t blocks = 0;
  std::uint32_t attempt = 1;  ///< highest attempt number of its blocks
  bool alone = false;         ///< one trial at a time, on a node that runs nothing else
  /// Trials of its one block that are not to be run any more, each with the evidence.
  std::map<std::uint64_t, std::string> condemned;
};

// Decisions: what the shell must now do.
struct Grant {
  NodeId node;
  Lease lease;
};
/// Every block of the sweep is committed, a quarantined one with rows that say so.
struct SweepFinished {
  std::string sweep;
};
/// Its budget is used up and nothing of it is on a node any more.
struct BudgetSpent {
  std::string sweep;
};
/// A block failed too often; it is not tried again. Its trials become Failed with this evidence.
struct Quarantine {
  std::string sweep;
  std::uint64_t block = 0;
  std::string evidence;
};
/// Blocks wait for this dataset, which the node has not: it is to fetch it.
struct FetchData {
  NodeId node;
  std::string dataset;  ///< content hash
};
using Decision = std::variant<Grant, SweepFinished, BudgetSpent, Quarantine, FetchData>;

/// What the farm is doing for a sweep.
struct SweepProgress {
  std::uint64_t blocks = 0;
  std::uint64_t committed = 0;
  std::uint64_t pending = 0;
  std::uint64_t withheld = 0;  ///< what they are is not decided yet
  std::uint64_t leased = 0;    ///< on some node
  std::uint64_t received = 0;  ///< results here, commit not yet acknowledged
  std::uint64_t quarantined = 0;
  std::uint64_t retries = 0;     ///< blocks given back by expiry, loss or failure
  std::uint64_t stragglers = 0;  ///< blocks given to a second worker
  std::uint64_t adopted = 0;     ///< blocks that a node went on with from an earlier session
  double work_s = 0;             ///< engine seconds reported by workers
  bool paused = false;
  bool exhausted = false;  ///< its budget is used up: no more leases
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

/// The nodes of a farm, counted.
struct NodeCensus {
  std::size_t nodes = 0;
  std::size_t silent = 0;  ///< nothing was heard of them for too long
  std::size_t busy = 0;    ///< hold a lease
  std::size_t leases = 0;
};

/// Whose fault it is that a lease comes back.
enum class Blame : std::uint8_t {
  Block,   ///< its first open block was tried and failed: an attempt
  Loss,    ///< the node was lost with it: an attempt, unless the node turns out to live
  Nobody,  ///< it was not tried
};

/// Purpose: the farm's decisions as a sans-I/O state machine: who runs which blocks next. Events go
/// in as calls with `now`; step() gives decisions.
/// Thread: one.
/// A block that was tried too often is a suspect: it runs alone on a node that runs nothing else,
/// so that it can neither take others down with it nor be blamed for what a neighbour does.
/// Invariants: a block is in exactly one of {withheld, pending, held by >= 1 leases, received,
/// committed, quarantined}; a committed block is never granted again; the same calls give the same
/// decisions.
class Scheduler {
 public:
  explicit Scheduler(const Options& options = {}) : options_(options) {}

  /// Adding a known sweep again changes nothing but un-pauses it. Fails: InvalidInput (weight).
  Status add_sweep(const SweepWork& work);
  void pause(std::string_view sweep, MonoNs now);
  void resume(std::string_view sweep);
  /// Forgets a sweep; results that still arrive are committed but lead nowhere.
  void remove(std::string_view sweep);
  bool knows(std::string_view sweep) const { return sweeps_.contains(sweep); }
  /// The new budget of engine seconds; 0: none.
  void set_budget(std::string_view sweep, double cpu_s_max);
  /// The new budget of trials, as SweepWork::blocks_max.
  void set_block_budget(std::string_view sweep, std::uint64_t blocks_max);
  /// Nodes may still be running blocks of this sweep that nobody here knows of: none is given out
  /// before `until`, so that they can say so.
  void await_holders(std::string_view sweep, MonoNs until);
  /// What these blocks are is decided now: they wait for workers. Others than withheld ones stay.
  void release(std::string_view sweep, BlockRange blocks);

  void node_joined(NodeId node, const NodeFacts& facts, MonoNs now);
  /// All its leases are returned; `reason` becomes evidence of the blocks it was running.
  void node_left(NodeId node, std::string_view reason, MonoNs now);
  /// It lives and begins a new session: its leases are returned, and nothing is held against them.
  void node_returned(NodeId node);
  /// A node that was thought lost with its blocks is back, its process alive: its loss was no
  /// attempt at them.
  void forgive(NodeId lost);
  /// A lease of what the node holds and waits to be given out: work that goes on. It takes a place
  /// of the node's as any lease, and no credit. What was committed, received or given to another
  /// meanwhile is no part of it; nothing: all of it was, or the node is full. Suspects are adopted
  /// only alone.
  std::optional<LeaseId> adopt(NodeId node, const HeldBlocks& held, MonoNs now);
  /// The node has `free_places` for leases beyond those up to `seen`; leases granted after `seen`
  /// are on their way and will take their places.
  void set_credit(NodeId node, std::uint32_t free_places, LeaseId seen);
  /// What the node says of a dataset, asked for or not; a repeat or a late one does no harm.
  void data_state(NodeId node, const std::string& dataset, const DataState& state, MonoNs now);
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
  /// The node gives the lease back. Blame::Block: its first open block was tried and failed.
  /// A lease it no longer holds is ignored.
  void lease_failed(NodeId node, LeaseId lease, Blame blame, std::string_view reason, MonoNs now);

  /// The node gives the lease back since it could not get what its blocks need: their dataset. That
  /// is nobody's attempt: the blocks wait until a node has it, and this one is asked to fetch it
  /// anew after a while.
  void lease_lacks_data(NodeId node, LeaseId lease, std::string_view reason, MonoNs now);

  /// The node gives the lease back since a computation on blocks [first, last) went over its limit
  /// of time and did not stop when asked, which costs the node. Those blocks become suspects at
  /// once. If it was a single trial, that one is condemned: its block is run again without it.
  struct Overrun {
    BlockRange running;
    std::optional<std::uint64_t> trial;
    std::string evidence;
  };
  void lease_overran(NodeId node, LeaseId lease, const Overrun& what, MonoNs now);

  /// The node is about to begin this trial of a lease that runs alone, and waits for leave: if it
  /// is lost, that is what it was running. A trial that takes down Options::trial_losses_max nodes
  /// is condemned. False: it no longer holds the lease and is not to begin.
  bool trial_begins(NodeId node, LeaseId lease, std::uint64_t trial);
  /// What a lost node had to say, as its next life found it: becomes evidence of what it ran.
  void last_words(NodeId lost, std::string_view text);

  /// What to do now: expiries, grants, finished sweeps.
  std::vector<Decision> step(MonoNs now);
  /// When step() must be called at the latest even if nothing happens.
  std::optional<MonoNs> next_deadline() const;

  std::optional<SweepProgress> progress(std::string_view sweep) const;
  std::vector<NodeStatus> nodes() const;
  /// Without copying what each of them holds; silent after `silence`.
  NodeCensus census(MonoNs now, DurationNs silence) const;
  std::vector<NodeId> silent_nodes(MonoNs now, DurationNs silence) const;
  std::uint32_t workers() const { return workers_; }
  /// Leases that ran out, as nothing was heard of them in time.
  std::uint64_t leases_expired() const { return leases_expired_; }
  /// Why this sweep or block waits or what became of it, one sentence a line (law 7).
  std::string explain(std::string_view sweep, std::optional<std::uint64_t> block, MonoNs now) const;
  /// The dataset that blocks of this sweep wait for and that some node could not get, with the
  /// reason; empty if there is none. The same text for as long as that lasts.
  std::string data_trouble(std::string_view sweep) const;
  /// The same of a node: what it runs, and why it gets no more.
  std::string explain_node(NodeId node, MonoNs now) const;

  /// The first invariant that does not hold, or nothing. Costs a pass over everything; for tests
  /// and the simulation. Where contracts are checked, each event audits what it touched.
  std::string audit() const;
  /// A lease out there, for the same.
  struct LiveLease {
    NodeId node;
    Lease lease;
    std::vector<bool> open;
  };
  std::vector<LiveLease> live_leases() const;

 private:
  enum class BlockState : std::uint8_t {
    Withheld,
    Pending,
    Leased,
    Received,
    Committed,
    Quarantined
  };
  struct Block {
    BlockState state = BlockState::Pending;
    std::uint8_t holders = 0;
  };
  struct Fatal {
    std::uint32_t losses = 0;
    std::string evidence;
  };
  struct Sweep {
    SweepWork work;
    std::vector<Block> blocks;
    IntervalSet pending;               // waits, but for...
    std::set<std::uint64_t> suspects;  // ...blocks that wait for a node of their own
    std::unordered_map<std::uint64_t, std::uint32_t> attempts;  // blocks given back at least once
    std::unordered_map<std::uint64_t, std::string> evidence;
    /// By block: trials that did not stop when asked. Such a block is a suspect until it is done.
    std::map<std::uint64_t, std::map<std::uint64_t, std::string>> condemned;
    /// By block: trials that were running, alone, when nodes were lost.
    std::map<std::uint64_t, std::map<std::uint64_t, Fatal>> fatal;
    SweepProgress counts;
    std::uint64_t committed_before = 0;   // before this coordinator's time
    double block_cost_ns = 0;             // moving average; 0 while unknown
    double virtual_time = 0;              // work / weight, for fair share
    std::optional<MonoNs> awaited_until;  // see await_holders
    bool finished = false;
    std::uint64_t audit_paid = 0;  // see audit_event
  };
  struct User {
    double virtual_time = 0;
    std::uint32_t open_sweeps = 0;
  };
  struct HeldLease {
    Lease lease;
    NodeId node;
    std::vector<bool> open;  // one a block: result not yet here
    std::uint32_t open_count = 0;
    MonoNs granted;
    MonoNs deadline;
    bool doubled = false;
    bool exclusive = false;                // its node runs nothing else
    std::optional<std::uint64_t> running;  // of its trials, if exclusive and known
  };
  /// A dataset that a node fetches or could not get.
  struct Want {
    DataState state;
    MonoNs heard;  // or asked for
  };
  struct Node {
    NodeStatus status;
    std::set<LeaseId> leases;
    bool exclusive = false;  // it holds an exclusive lease
    double speed = 1;        // against the average of those who run the same sweeps
    std::map<std::string, Want> wants;
    // It asked in vain, since the data of what waits is not there: not looked at again before...
    std::uint64_t vain_at = 0;  // ...news_ is another, or...
    MonoNs look_again;
  };
  struct Suspect {
    std::string sweep;
    std::uint64_t block = 0;
    std::optional<std::uint64_t> trial;  // which of it, if it is known
    bool heard = false;                  // its node's last words
  };
  static constexpr std::size_t kLossesMax = 4096;

  // Blocks and leases on their way (scheduler.cpp).
  void return_lease(LeaseId id, Blame blame, std::string_view reason);
  void remove_node(NodeId id, Blame blame, std::string_view reason);
  void drop_lease(std::map<LeaseId, HeldLease>::iterator lease);
  void release_holder(Sweep& sweep, std::uint64_t block);
  void count_attempt(Sweep& sweep, std::uint64_t block, std::uint32_t most,
                     std::string_view reason);
  void blame_trial(Sweep& sweep, std::uint64_t block, std::uint64_t trial, std::string_view reason);
  void forgive_trial(Sweep& sweep, std::uint64_t block, std::uint64_t trial);
  void remember_loss(NodeId node, Suspect suspect);
  void stop_waiting(Sweep& sweep, std::uint64_t block);
  void finish_if_done(Sweep& sweep);
  void close(Sweep& sweep);
  void reindex();
  void set_node_credit(Node& node, std::uint32_t credit);
  LeaseId holder_of(NodeId node, std::string_view sweep, std::uint64_t block) const;
  void learn_cost(Sweep& sweep, NodeId node, DurationNs work);

  // Who gets what (grants.cpp).
  void expire(MonoNs now);
  bool may_receive(const Node& node, MonoNs now) const;
  bool exhausted(const Sweep& sweep) const;
  static std::uint64_t block_limit(const Sweep& sweep);
  static bool has_pending(const Sweep& sweep);
  void notice_spent_budgets();
  bool grantable(const Sweep& sweep) const;
  enum class Wants { Pending, Suspects };
  bool waits(const Sweep& sweep, Wants wants) const;
  bool any_waits(Wants wants) const;
  std::vector<Sweep*> by_turn(Wants wants);
  std::uint32_t lease_size(const Sweep& sweep, const Node& node) const;
  bool grant_one(Node& node, MonoNs now);
  void grant_pending(Node& node, Sweep& sweep, BlockRange range, MonoNs now);
  void grant_suspect(Node& node, Sweep& sweep, MonoNs now);
  void reserve_for_suspects(MonoNs now);
  void grant_stragglers(MonoNs now);
  void grant_copy(Node& node, HeldLease& of, MonoNs now);
  HeldLease& hand_out(Node& node, Sweep& sweep, BlockRange range, std::uint32_t attempt,
                      MonoNs now);
  std::uint32_t next_attempt(const Sweep& sweep, BlockRange range) const;
  HeldLease begin_lease(const Node& node, const Sweep& sweep, BlockRange range,
                        std::uint32_t attempt, MonoNs now);
  HeldLease& record(Node& node, HeldLease held);
  void stop_awaiting(MonoNs now);

  // Who has the data (data.cpp).
  static constexpr std::size_t kFetchesMax = 2;         // of a node at a time
  static constexpr std::size_t kWantsMax = 64;          // remembered of a node, failures among them
  static constexpr std::size_t kDatasetsMax = 4096;     // known of a node
  static constexpr DurationNs kFailedFor = seconds(5);  // then it may try again
  static constexpr DurationNs kLookAgain = milliseconds(250);
  static const std::string* data_of(const Sweep& sweep, std::uint64_t block);
  static bool has(const Node& node, const std::string& data);
  static bool has_failed(const Node& node, const std::string& data);
  void forget_failures(Node& node, MonoNs now);
  bool may_run(const Node& node, const Sweep& sweep, std::uint64_t block) const;
  bool may_run(const Node& node, const std::string& data) const;
  BlockRange pick_range(const Sweep& sweep, const Node& node) const;
  void want(Node& node, const std::string& data, MonoNs now);
  void want_next(Node& node, const Sweep& sweep, MonoNs now);
  bool asked_in_vain(const Node& node, MonoNs now) const;
  void forget_some(Node& node, const std::string& but);
  void count_copy(const std::string& data, int by);
  void count_copies(const Node& node, int by);
  template <class Change>
  void change_data(Node& node, const std::string& data, Change change);

  // Checks (audit.cpp).
  /// An event: at its end what it touched is audited, a sweep or all open ones.
  class Audited;
  void audit_event(std::string_view sweep);
  std::string audit_event_on(const std::string& id, Sweep& sweep);
  static std::string audit_sums(const std::string& id, const Sweep& sweep);
  std::string audit_blocks(const std::string& id, const Sweep& sweep) const;
  std::string audit_leases() const;
  std::string audit_totals() const;
  std::string audit_data() const;

  // Sentences (explain.cpp).
  std::string explain_sweep(const std::string& id, const Sweep& sweep, MonoNs now) const;
  std::string explain_budget(const std::string& id, const Sweep& sweep) const;
  std::string explain_rank(const Sweep& sweep) const;
  std::string explain_waiting(const std::string& id, const Sweep& sweep, std::uint64_t block,
                              MonoNs now) const;
  std::string explain_data(const std::string& data) const;
  std::string explain_missing(const Sweep& sweep) const;
  std::string explain_fetches(const std::string& data) const;
  static std::string explain_fetch(const Node& node, const std::string& data);
  std::string explain_block(const std::string& id, const Sweep& sweep, std::uint64_t block,
                            MonoNs now) const;

  Options options_;
  std::map<std::string, Sweep, std::less<>> sweeps_;
  std::vector<Sweep*> open_;  // of them, those that are not finished and not paused
  std::map<std::string, User> users_;
  std::map<NodeId, Node> nodes_;
  std::set<NodeId> asking_;  // of them, those with credit
  std::uint32_t workers_ = 0;
  std::uint64_t news_ = 1;  // counts up when something more may be given to who asked in vain
  std::map<std::string, std::uint32_t> copies_;  // nodes that hold or fetch a dataset
  std::uint64_t leases_expired_ = 0;
  std::optional<NodeId> reserved_;  // runs dry, so that a suspect can have it to itself
  std::map<LeaseId, HeldLease> leases_;
  // Deadlines as they were when noted, the earliest on top; a renewed lease is noted again when its
  // old one comes up.
  using Due = std::pair<MonoNs, LeaseId>;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  MonoNs next_straggler_scan_;
  std::size_t awaiting_ = 0;  // sweeps whose holders are awaited
  /// What nodes that were lost were running, for forgive(); the oldest are forgotten.
  std::map<NodeId, std::vector<Suspect>> losses_;
  std::deque<NodeId> losses_order_;
  std::vector<Decision> decisions_;
  std::uint64_t next_lease_ = 1;
  std::uint64_t audit_paid_ = 0;  // of leases and totals; see audit_event
};

class [[maybe_unused]] Scheduler::Audited {
 public:
#ifdef NDEBUG
  explicit Audited(Scheduler& /*of*/, std::string_view /*sweep*/ = {}) {}
#else
  explicit Audited(Scheduler& of, std::string_view sweep = {}) : of_(of), sweep_(sweep) {}
  ~Audited() { of_.audit_event(sweep_); }
  Audited(const Audited&) = delete;
  Audited& operator=(const Audited&) = delete;

 private:
  Scheduler& of_;
  std::string_view sweep_;  // outlives the event; empty: it may touch any
#endif
};

}  // namespace winnow::scheduler
