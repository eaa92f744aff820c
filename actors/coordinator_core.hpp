#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "actors/check_desk.hpp"
#include "actors/codec.hpp"
#include "actors/coordinator_options.hpp"
#include "actors/farm_metrics.hpp"
#include "actors/intake_group.hpp"
#include "actors/peer_role.hpp"
#include "actors/sweep_registry.hpp"
#include "actors/wish_rights.hpp"
#include "cluster/principal.hpp"

namespace winnow::actors {

/// Whoever sends frames to this process, as its shell tells them apart: one number a connection
/// and actor, never used again.
using PeerId = Id<struct PeerTag>;

/// Purpose: the coordinator as a sans-I/O state machine: frames, commit results and `now` in;
/// frames, offers for commit and questions out through `Outside`. The same code runs under CAF
/// (coordinator.cpp) and under the simulation (tests/sim).
/// Owner: its shell. Thread: one; it starts none and reads no clock.
/// Invariants: a node's frames count only in its current session; BlocksCommitted names only what
/// a commit result said is on disk. Frames may be lost, late or doubled: nodes state what they
/// have, and say it again.
/// Limits: a block of a node is on its way to the store once, however often it is sent;
/// kCommitBytesMax on that way, what comes beyond is dropped (nodes send it again).
class CoordinatorCore {
 public:
  /// Purpose: what the core does to the world. Thread: the core's.
  class Outside {
   public:
    virtual ~Outside() = default;
    /// Best effort: a peer that is gone gets nothing.
    virtual void send(PeerId to, Frame frame) = 0;
    /// committed() follows with its result.
    virtual void commit(CommitOffer offer) = 0;
    /// answered() follows with the same peer and request.
    virtual void ask(PeerId peer, std::uint64_t request, const Query& question,
                     const cluster::Principal& asker) = 0;
    /// Whoever asked does not want that answer any more.
    virtual void take_back(PeerId /*peer*/, std::uint64_t /*request*/) {}
    /// checked() follows with the same ticket.
    virtual void check(CheckOrder order) = 0;
    /// A node's DatasetAsk or ChunkAsk; whoever can answers the peer in the frame's session.
    virtual void ship(PeerId /*to*/, const Frame& /*question*/) {}
    /// Where a peer's messages go as the transport sees it; two nodes must not share one.
    virtual std::string network_of(PeerId peer) const = 0;
    /// Who is at the far end of the peer's connection; nothing: it is gone, or may ask nothing.
    virtual std::optional<cluster::Principal> principal_of(PeerId peer) const = 0;
    /// Whose a token is. Fails: Refused.
    virtual Result<cluster::Principal> principal_by_token(const std::string& /*token*/) {
      return Error(ErrorCode::Refused, "this coordinator takes no tokens");
    }
    /// Whether a token that was good still is. Fails: Refused.
    virtual Status check_token(const std::string& /*id*/) { return {}; }
    /// The same, where its holder makes use of it.
    virtual Status use_token(const std::string& id) { return check_token(id); }
    virtual TimestampNs utc_now() const = 0;
  };

  CoordinatorCore(const CoordinatorOptions& options, SweepBook& book,
                  std::function<sweeps::Catalog()> catalog, Outside& outside,
                  CoordinatorMetrics* metrics = nullptr);

  /// Takes up the store's unfinished sweeps, if the options say so. Fails: Io, Corrupt.
  Status start(MonoNs now);
  /// `role` says which messages the peer may send, by its connection; which wishes are met depends
  /// on its principal.
  void on_frame(PeerId from, const Frame& frame, MonoNs now, PeerRole role = PeerRole::Local);
  /// The connection to this peer is gone for good.
  void peer_gone(PeerId peer, MonoNs now);
  /// To be called every kTick; expiries and progress wait for it, everything else acts at once.
  void tick(MonoNs now);
  void committed(const std::vector<CommitResult>& results, MonoNs now);
  void store_refuses(const std::string& text);
  void answered(PeerId peer, std::uint64_t request, const Result<std::string>& text);
  void checked(const CheckResult& result, MonoNs now);

  static constexpr DurationNs kTick = milliseconds(200);
  /// So long after a start the unfinished sweeps wait for nodes that still run their blocks: longer
  /// than a node waits between two dials.
  static constexpr DurationNs kRejoinGrace = milliseconds(900);
  /// So long a node whose connection broke may come back before its leases are taken from it.
  static constexpr DurationNs kReconnectGrace = milliseconds(250);
  static constexpr std::size_t kCommitBytesMax = std::size_t{256} << 20;

  /// For questions and checks.
  const scheduler::Scheduler& scheduler() const { return scheduler_; }
  /// Gauges of what is now, for a reader elsewhere. Requires: metrics.
  void measure(MonoNs now);
  std::size_t nodes() const { return nodes_.size(); }
  std::size_t blocks_in_commit() const { return in_commit_.size(); }
  std::size_t sweeps_in_memory() const { return registry_.all().size(); }
  /// So many sweeps that are done or cancelled stay in memory; of older ones the store tells.
  static constexpr std::size_t kFinishedKept = 64;

 private:
  struct NodePeer {
    PeerId peer;
    std::uint64_t node = 0;
    std::string name;
    std::string network;
    std::set<std::string> knows;        ///< sweeps whose plan it has
    std::uint64_t credit_sequence = 0;  ///< of the latest statement of its places
    std::vector<Adopted> adopted;       ///< of what it held when it came
    std::optional<MonoNs> broken;       ///< since then without a connection
    std::set<std::string> said;         ///< of what it complains, what is in the log
  };
  /// A node's latest session, and which of its connections that is.
  struct Latest {
    std::uint64_t session = 0;
    std::uint64_t connection = 0;
  };
  /// A block that a node sent and the store has not answered for: (node, sweep, block).
  using InCommit = std::tuple<std::uint64_t, std::string, std::uint64_t>;
  struct Watcher {
    PeerId peer;
    std::uint64_t request = 0;
  };
  enum class LeaveReason : std::uint8_t { Goodbye, Broken, Silent, Replaced };
  static std::string_view text_of(LeaveReason why);
  /// A message with what came beside it.
  struct From {
    PeerId peer;
    std::uint64_t session = 0;  ///< of a node, or a client's request number
    MonoNs now;
    PeerRole role = PeerRole::Local;
  };

  // The messages of NodeSays and ClientSays, an on() each.
  template <class T>
  void hear(const Frame& frame, const From& from);
  template <class T>
  void hear_wish(const Frame& frame, const From& from);
  template <class T>
  void send(PeerId to, const T& message, std::uint64_t session) {
    outside_.send(to, encode(message, session));
  }
  void refuse(const From& to, const Error& error);

  // Nodes (coordinator_core.cpp).
  static std::string why_not(const Hello& m);
  void on(const Hello& m, const From& from);
  void on(const Credit& m, const From& from);
  void on(const Renew& m, const From& from);
  void on(const BlockResult& m, const From& from);
  void on(const LeaseFailed& m, const From& from);
  void on(const LeaseOverran& m, const From& from);
  void on(const TrialBegins& m, const From& from);
  void on(const DatasetState& m, const From& from);
  void on(const Goodbye& m, const From& from);
  void state_places(const Credit& m, const From& from);
  void forget_silent_nodes(MonoNs now);
  void forget_finished_sweeps();
  void node_gone(std::uint64_t session, LeaveReason why, MonoNs now);
  static void log_once(NodePeer& node, const std::string& text);
  void forget_node(std::map<std::uint64_t, NodePeer>::iterator node, LeaveReason why);
  void give_up_broken_nodes(MonoNs now);
  void adopt(NodePeer& node, const Hello& m, const From& from);

  // Decisions (coordinator_core.cpp).
  void act(MonoNs now);
  void carry_out(const scheduler::Grant& grant, MonoNs now);
  void carry_out(const scheduler::SweepFinished& done, MonoNs now);
  void carry_out(const scheduler::BudgetSpent& spent, MonoNs now);
  void carry_out(const scheduler::Quarantine& bad, MonoNs now);
  void carry_out(const scheduler::FetchData& fetch, MonoNs now);
  void record_end(const std::string& sweep, MonoNs now);
  void advance_search(ActiveSweep& sweep);

  // Submissions (coordinator_submit.cpp).
  /// Clients that wait for the detectors' word on one plan.
  struct Checks {
    CheckOrder order;
    std::string waits_for;          ///< then it is asked for again...
    std::uint64_t asked_again = 0;  ///< ...with this ticket, one at a time
    struct Waiting {
      SweepRegistry::Asker asker;
      From from;
    };
    std::vector<Waiting> waiting;
  };
  static constexpr std::size_t kChecksMax = 64;
  static constexpr std::size_t kAskersMax = 64;
  void on(const Submit& m, const From& from, const cluster::Principal& who);
  Result<std::vector<std::uint32_t>> unchecked(const sweeps::Plan& plan);
  void check_first(sweeps::Plan plan, std::vector<std::uint32_t> segments,
                   SweepRegistry::Asker asker, const From& from);
  void begin(sweeps::Plan plan, const SweepRegistry::Asker& asker, const From& from);
  void tell(const Checks& checks);
  void tell_checks();
  void forget_asker(PeerId peer);

  // Clients (coordinator_clients.cpp).
  void on(const Present& m, const From& from);
  void on(const Query& m, const From& from);
  void on(const Watch& m, const From& from, const cluster::Principal& who);
  void on(const Control& m, const From& from, const cluster::Principal& who);
  Result<cluster::Principal> asker(const From& from) const;
  Status check_owner(const Control& m, const cluster::Principal& who) const;
  void end_revoked();
  void set_running(SweepAction action, const std::string& sweep, const From& from,
                   const cluster::Principal& who);
  void extend(const Control& m, const From& from, const cluster::Principal& who);
  void remove(const Control& m, const From& from, const cluster::Principal& who);
  Status take_up(const ActiveSweep& sweep);
  std::string nodes_json(MonoNs now) const;
  Result<std::string> explain_json(const std::string& args_json, MonoNs now) const;
  void publish(const std::string& sweep, MonoNs now);

  CoordinatorOptions options_;
  Outside& outside_;
  scheduler::Scheduler scheduler_;
  SweepRegistry registry_;
  std::map<std::uint64_t, NodePeer> nodes_;    // by session
  std::map<std::uint64_t, Latest> latest_;     // by node; bounded
  std::map<InCommit, std::size_t> in_commit_;  // with the bytes of each
  std::size_t bytes_in_commit_ = 0;
  std::map<std::string, store::SweepState> unrecorded_;  // ends that are not yet in the store
  std::map<PeerId, cluster::Principal> presented_;       // by token
  std::map<std::string, std::vector<Watcher>> watchers_;
  std::map<std::string, Checks> checks_;  // by plan id
  std::set<Hash128> passed_;              // check keys known to this process
  std::uint64_t next_ticket_ = 1;
  std::string store_trouble_;
  std::uint64_t ticks_ = 0;

  // Metrics (coordinator_metrics.cpp).
  static constexpr std::size_t kGrantsRemembered = 4096;
  struct Granted {
    std::uint64_t lease = 0;
    MonoNs at;
  };
  void count_grant(const scheduler::Lease& lease, MonoNs now);
  void count_result(std::uint64_t lease, MonoNs now);
  void count_left(LeaveReason why);
  CoordinatorMetrics* metrics_;
  std::vector<Granted> granted_;  // the latest, at lease % size
  struct Counted {
    std::uint64_t retries = 0;
    std::uint64_t stragglers = 0;
  };
  std::map<std::string, Counted> counted_;  // by sweep
};

}  // namespace winnow::actors
