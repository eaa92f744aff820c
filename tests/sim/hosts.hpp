#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/coordinator_core.hpp"
#include "actors/node_core.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/net.hpp"
#include "tests/sim/results.hpp"

namespace winnow::sim {

/// A deliberately broken part, to prove that the checks see it. All are faults of the simulation's
/// own wrappers; the product has none of these switches.
enum class Canary {
  None,
  AcksBeforeSync,    ///< the intake reports a commit when it is written, not when it is synced
  NoFencing,         ///< frames of an earlier connection count as this one's
  LeasesTwice,       ///< a lease order reaches two nodes
  ComparesNothing,   ///< a duplicate that differs passes as equal
  ForgetsCommitted,  ///< after a restart nothing is known to be committed
  CountsRepeats,     ///< a duplicate is counted in the ledger again
  LosesResults,      ///< a node forgets a result once it is sent
  HidesLeases,       ///< a node does not say what it is still running
  HidesData,         ///< a node says that it holds whatever is asked for
};

/// What the checks want to hear. All functions return at once.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void sent_to_node(std::uint64_t session, const Frame& frame) = 0;
  virtual void commit_answered(const store::BlockCommit& commit,
                               const store::CommitOutcome& outcome) = 0;
  virtual void broken(const std::string& what) = 0;
};

/// Purpose: a coordinator process: the real core, an intake with the real group and a simulated
/// disk. Survives its own deaths.
class CoordinatorHost final : public Server, public actors::CoordinatorCore::Outside {
 public:
  CoordinatorHost(World& world, const Workload& workload, Disk& disk, Observer& observer,
                  Canary canary)
      : world_(world), workload_(workload), disk_(disk), observer_(observer), canary_(canary) {}

  void set_net(Net& net) { net_ = &net; }
  void start();
  void kill();
  void on_frame(const LinkPtr& link, const Frame& frame) override;
  void on_disconnected(const LinkPtr& link) override;

  const actors::CoordinatorCore* core() const { return core_.get(); }
  std::size_t queued() const { return queue_.size(); }
  double slowness = 1;  ///< of the disk
  // Processor time spent in the product's code.
  std::int64_t core_ns = 0;
  std::int64_t intake_ns = 0;
  /// The core's memory: takes a second core the same way and sees what its end gives back.
  std::uint64_t core_bytes();
  bool touched = false;

 private:
  void send(PeerId to, Frame frame) override;
  void commit(actors::CommitOffer offer) override;
  void ask(PeerId peer, std::uint64_t request, const actors::Query& question,
           const cluster::Principal& asker) override;
  /// The simulated network knows for whom the one client speaks in each message.
  std::optional<cluster::Principal> principal_of(PeerId) const override {
    return cluster::Principal{.name = speaker_, .rights = cluster::Rights::Operator};
  }
  void check(actors::CheckOrder order) override;
  void order_twice(PeerId first, const Frame& frame);
  void deliver();
  void post(PeerId to, Frame frame);
  std::string network_of(PeerId peer) const override;
  TimestampNs utc_now() const override { return {world_.clock_of(process).ns}; }

  MonoNs now() const { return world_.clock_of(process); }
  void tick();
  void pump();
  void write(const std::shared_ptr<actors::IntakeGroup>& group);
  void report(const std::shared_ptr<actors::IntakeGroup>& group);
  std::int64_t sync_ns();

  World& world_;
  const Workload& workload_;
  Disk& disk_;
  Observer& observer_;
  Canary canary_;
  Net* net_ = nullptr;
  std::unique_ptr<actors::CoordinatorCore> core_;
  std::string speaker_;
  std::map<PeerId, LinkPtr> peers_;
  std::deque<actors::CommitOffer> queue_;
  /// What the core sends in a call leaves when the call is over: the simulated network's work is
  /// not the core's.
  std::vector<std::pair<PeerId, Frame>> outbox_;
  bool busy_ = false;
  std::map<std::uint64_t, std::pair<PeerId, std::uint64_t>> stale_;  // canary NoFencing
  std::map<PeerId, std::uint64_t> sessions_;                         // canary LeasesTwice
};

/// Purpose: a node process: the real core, simulated workers, CAF's dialling. Survives its deaths.
class NodeHost final : public Remote, public actors::NodeCore::Outside {
 public:
  NodeHost(World& world, const Workload& workload, Net& net, Canary canary, std::uint32_t index);

  void start();
  void kill();
  /// Leaves in good order; another process takes its place.
  void drain();
  void on_connected(const LinkPtr& link) override;
  void on_dial_failed() override;
  void on_disconnected(const LinkPtr& link) override;
  void on_frame(const Frame& frame) override;

  const actors::NodeCore* core() const { return core_.get(); }
  std::uint32_t workers() const { return workers_; }
  /// Results of an earlier process that this one took over.
  std::size_t adopted() const { return adopted_; }
  void set_faults(bool on) { faults_ = on; }
  bool touched = false;
  std::uint64_t wrong_blocks = 0;
  /// Leases whose worker had to wait for a dataset, of all lives.
  std::uint64_t data_waits = 0;
  /// Called when a worker begins a block.
  std::function<void(const NodeHost&, const Disk::Place&)> begins;

 private:
  struct Worker {
    std::optional<actors::WorkerPool::Work> work;
    std::uint64_t block = 0;
    std::uint64_t trial = 0;  // that runs or waits for leave, if it runs alone
    std::int64_t trial_ns = 0;
    std::int64_t spent_ns = 0;
    bool waits = false;  // for its dataset
  };
  void trial_leave(LeaseId place, std::uint64_t trial, actors::NodeCore::Leave leave) override;
  void next_trial(std::size_t worker);
  void crash();
  bool is_fatal(const actors::WorkerPool::Work& work, std::uint64_t first,
                std::uint64_t rows) const;
  void send(Frame frame) override;
  void push(actors::WorkerPool::Work work) override;
  std::vector<LeaseId> drop_queued() override;
  Result<std::shared_ptr<const sweeps::Plan>> plan(const std::string& spec_json) override {
    return results().plan(spec_json);
  }
  std::uint64_t random_id() override { return world_.rng.next_u64() | 1; }
  void keep(const actors::BlockResult& result) override;
  void forget(const std::string& sweep, std::uint64_t block) override;
  std::optional<std::vector<std::string>> datasets() override;
  void on_dataset(const Frame& frame) override;

  bool ships() const { return workload_.ship_ms.high > 0; }
  void fetch(const std::string& data);
  void arrived(const std::string& data);
  void tell(const std::string& data, actors::DatasetState::Is is);
  bool has_data(const actors::WorkerPool::Work& work);
  void dial();
  void dial_later();
  void tick();
  void wait_for_drained(int patience);
  void feed();
  void compute(std::size_t worker);
  void computed(std::size_t worker, std::int64_t spent_ns);
  std::optional<std::uint64_t> stuck_trial(const actors::WorkerPool::Work& work,
                                           std::uint64_t block) const;
  void give_up(std::size_t worker, std::uint64_t trial);

  World& world_;
  const Workload& workload_;
  Net& net_;
  Canary canary_;
  std::uint32_t index_;
  std::uint32_t workers_ = 1;
  double speed_ = 1;
  bool faults_ = true;
  std::unique_ptr<actors::NodeCore> core_;
  LinkPtr link_;
  std::int64_t dial_delay_ns_ = 0;
  std::map<Disk::Place, actors::BlockResult> spool_;  // survives the process
  std::size_t adopted_ = 0;                           // from it, by this process
  std::deque<actors::WorkerPool::Work> queue_;
  std::vector<Worker> pool_;
  std::set<std::string> data_;      // survives the process
  std::set<std::string> fetching_;  // does not
};

/// Purpose: a person at a terminal: submits, watches, changes their mind.
class ClientHost final : public Remote {
 public:
  ClientHost(World& world, const Workload& workload, Net& net)
      : world_(world), workload_(workload), net_(net) {}

  void start();
  /// From now on only: everything shall run to its end.
  void insist();
  void on_connected(const LinkPtr& link) override;
  void on_dial_failed() override;
  void on_disconnected(const LinkPtr& link) override;
  void on_frame(const Frame& frame) override;

 private:
  void dial();
  void tick();
  void submit(std::size_t sweep);
  void extend(std::size_t sweep, std::uint64_t committed);
  void control();

  World& world_;
  const Workload& workload_;
  Net& net_;
  LinkPtr link_;
  bool insists_ = false;
  std::vector<std::string> ids_;  ///< of the sweeps, as they are answered
  std::vector<bool> answered_;
  std::map<std::size_t, std::uint64_t> extended_at_;  ///< trials committed at the last extension
  std::map<std::size_t, std::int64_t> extend_again_ns_;
  std::set<std::size_t> watch_again_;
};

}  // namespace winnow::sim
