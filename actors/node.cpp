#include "actors/node.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include "actors/dataset_courier.hpp"
#include "actors/farm_metrics.hpp"
#include "actors/metered_actor.hpp"
#include "actors/node_core.hpp"
#include "actors/result_window.hpp"
#include "actors/spool_keeper.hpp"
#include "actors/trial_gate.hpp"
#include "actors/wire.hpp"
#include "actors/worker_pool.hpp"
#include "cluster/last_words.hpp"
#include "engine/engine.hpp"

namespace winnow::actors {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kDialDelayMin{50};
constexpr std::chrono::milliseconds kDialDelayMax{500};  // well below kRejoinGrace
constexpr std::chrono::seconds kJoinTimeout{3};
// Two groups of a commit: with less the committing thread waits for results, with more they leave
// the caches before it comes to them (measured with 2 to 40 MiB; bench/farm_path.cpp).
constexpr std::size_t kUnderWayBytesMax = std::size_t{16} << 20;

/// What the node's owner may see from its own thread.
struct NodeState {
  std::atomic<std::size_t> busy = 0;  ///< places and results not yet safe
  std::atomic<bool> stuck = false;
};

/// Purpose: carries frames between CAF and the core, and work to the pool; dials again whenever
/// the coordinator is away. Thread: the actor's turns; workers call back through Turn messages.
class Node : public NodeCore::Outside {
 public:
  static inline const char* name = "node";
  using Self = caf::stateful_actor<Node, MeteredActor>*;

  void start(Self self, const NodeOptions& options, std::unique_ptr<TrialRunner> runner,
             std::shared_ptr<NodeState> state) {
    self_ = self;
    options_ = options;
    state_ = std::move(state);
    runner_ = std::move(runner);
    if (options.metrics != nullptr) {
      metrics_ = std::make_unique<NodeMetrics>(*options.metrics);
      metrics_->workers.set_count(options.workers);
      self->meter(&metrics_->mailbox);
    }
    core_ = std::make_unique<NodeCore>(core_options(), *this);
    const auto me = caf::actor_cast<caf::actor>(self);
    pool_ = std::make_unique<WorkerPool>(
        options.workers, *runner_,
        WorkerPool::Callbacks{
            .block =
                [me, this](LeaseId place, const ResultBlock& block, DurationNs work) {
                  if (metrics_) {
                    metrics_->blocks_computed.add();
                    metrics_->block_work.observe(work.seconds());
                  }
                  auto bytes = std::make_shared<std::string>(encode_block(block));
                  window_.enter(bytes->size());
                  caf::anon_send(me, Turn{[this, place, index = block.block, work, bytes] {
                                   const std::size_t size = bytes->size();
                                   core_->computed(place, index, work, std::move(*bytes));
                                   window_.handed_over(size, core_->under_way_bytes());
                                   count_busy();
                                 }});
                },
            .finished =
                [me, this](LeaseId place, Status status) {
                  caf::anon_send(me, Turn{[this, place, status = std::move(status)] {
                                   core_->lease_over(place, status);
                                   gate_.forget(place);
                                   count_busy();
                                 }});
                },
            .before_trial =
                [me, this](LeaseId place, std::uint64_t trial, std::stop_token stop) {
                  caf::anon_send(me,
                                 Turn{[this, place, trial] { core_->trial_begins(place, trial); }});
                  return gate_.wait(place, trial, std::move(stop));
                }});
    open_spool(me);
    if (options_.courier) attach_courier(me);
  }

  void dial() {
    if (coordinator_) return;
    self_
        ->request(self_->system().middleman().actor_handle(), kJoinTimeout, caf::connect_atom_v,
                  options_.host, options_.port)
        .then(
            [this](const caf::node_id&, caf::strong_actor_ptr& p, const std::set<std::string>&) {
              if (!p) return dial_later();
              coordinator_ = caf::actor_cast<caf::actor>(std::move(p));
              dial_delay_ = kDialDelayMin;
              waits_ = false;
              self_->monitor(coordinator_);
              if (metrics_) metrics_->connections.add();
              core_->connected();
              cluster::say_as(core_->session());
            },
            [this](caf::error&) { dial_later(); });
  }

  void link_down(const caf::down_msg& down) {
    if (!coordinator_ || down.source != coordinator_.address()) return;
    core_->disconnected();
    window_.under_way(core_->under_way_bytes());
    dial_later();
  }

  void on_frame(const Frame& frame) {
    core_->on_frame(frame);
    window_.under_way(core_->under_way_bytes());
    count_busy();
  }

  void tick() {
    look_for_stuck_work();
    core_->tick();
    window_.under_way(core_->under_way_bytes());
    if (metrics_) measure();
    self_->delayed_send(self_, std::chrono::nanoseconds(core_->renew_interval().ns), tick_atom_v);
  }

  void drain() {
    core_->drain();
    count_busy();
  }

  void leave() {
    core_->leave();
    window_.open_for_good();
    coordinator_ = nullptr;
    // Workers that wait for a dataset must not outlive the courier's thread, nor it the core.
    self_->meter(nullptr);
    pool_.reset();
    runner_.reset();
    if (options_.courier) options_.courier->detach();
    spool_.reset();
    self_->quit();
  }

  void send(Frame frame) override {
    if (coordinator_) self_->send(coordinator_, std::move(frame));
  }
  void push(WorkerPool::Work work) override { pool_->push(std::move(work)); }
  std::vector<LeaseId> drop_queued() override { return pool_->drop_queued(); }
  Result<std::shared_ptr<const sweeps::Plan>> plan(const std::string& spec_json) override {
    auto spec = sweeps::ResolvedSpec::from_json(spec_json);
    if (!spec) return spec.error();
    auto plan = sweeps::Plan::make(std::move(*spec));
    if (!plan) return plan.error();
    return std::make_shared<const sweeps::Plan>(std::move(*plan));
  }
  std::uint64_t random_id() override {
    std::random_device device;
    return (std::uint64_t{device()} << 32 | device()) | 1;
  }

  std::optional<std::vector<std::string>> datasets() override {
    if (!options_.courier) return std::nullopt;
    return options_.courier->held();
  }
  void joined() override {
    if (options_.courier) options_.courier->joined();
  }
  void on_dataset(const Frame& frame) override {
    if (options_.courier) options_.courier->on_frame(frame);
  }
  void trial_leave(LeaseId place, std::uint64_t trial, NodeCore::Leave leave) override {
    gate_.answer(place, trial, leave);
  }
  void keep(const BlockResult& result) override {
    if (spool_) spool_->put(result);
  }
  void forget(const std::string& sweep, std::uint64_t block) override {
    if (spool_) spool_->forget({sweep, block});
  }

 private:
  NodeCoreOptions core_options() {
    NodeCoreOptions out{node_name(), options_.workers,
                        std::string(engine::isa_name(engine::best_isa())), 0, ""};
    if (options_.run_folder.empty()) return out;
    if (auto words = cluster::take_last_words(options_.run_folder)) {
      spdlog::warn("a node of this place crashed: {}", words->text);
      out.former_session = words->session;
      out.last_words = std::move(words->text);
    }
    const Status left = cluster::leave_last_words(options_.run_folder);
    if (!left) spdlog::warn("a crash will leave no word: {}", left.error().text());
    return out;
  }

  void look_for_stuck_work() {
    if (!runner_) return;
    for (const WorkWatch::Overdue& o : runner_->overdue()) {
      char spent[96];
      std::snprintf(spent, sizeof spent, "%.3g s of processor time in %.3g s", o.cpu_s, o.wall_s);
      const std::string trials =
          o.what.trials == 1 ? "trial " + std::to_string(o.what.first_trial)
                             : "one of trials " + std::to_string(o.what.first_trial) + " to " +
                                   std::to_string(o.what.first_trial + o.what.trials - 1);
      char limit[40];
      std::snprintf(limit, sizeof limit, "%.3g s", o.what.limit_s);
      core_->overran(o.what.place, o.what.first_trial, o.what.trials,
                     trials + " went over its limit of " + limit +
                         " and did not stop when asked: given up after " + spent + " on node " +
                         node_name());
      state_->stuck = true;
    }
  }

  void measure() {
    NodeMetrics& m = *metrics_;
    m.connected.set(coordinator_ ? 1 : 0);
    m.pool_leases.set_count(pool_->waiting());
    m.leases.set_count(core_->places());
    m.unacknowledged_blocks.set_count(core_->unacknowledged());
    const auto memory = runner_ ? runner_->memory_load() : TrialRunner::MemoryLoad{};
    m.batches_waiting.set_count(memory.waiting);
    m.batch_bytes.set_count(memory.held_bytes);
    if (spool_) {
      const SpoolKeeper::Load spool = spool_->load();
      m.spool_blocks.set_count(spool.blocks);
      m.spool_bytes.set_count(spool.bytes);
      m.spool_queued.set_count(spool.queued);
      m.spool_put.raise_to(spool.put_total);
      m.spool_failed.raise_to(spool.failed_total);
    }
    if (options_.courier) {
      const DatasetCourier::Load fetched = options_.courier->load();
      m.fetching_datasets.set_count(fetched.fetching);
      m.fetched_bytes.raise_to(fetched.bytes_total);
      m.fetched_datasets.raise_to(fetched.datasets_total);
      m.fetch_failures.raise_to(fetched.failed_total);
      m.dropped_datasets.raise_to(fetched.drops_total);
    }
  }

  void attach_courier(const caf::actor& me) {
    options_.courier->attach({.ask =
                                  [me, this](const DatasetAsk& ask) {
                                    caf::anon_send(me, Turn{[this, ask] { core_->ask(ask); }});
                                  },
                              .ask_chunk =
                                  [me, this](const ChunkAsk& ask) {
                                    caf::anon_send(me, Turn{[this, ask] { core_->ask(ask); }});
                                  },
                              .state =
                                  [me, this](const DatasetState& state) {
                                    caf::anon_send(me, Turn{[this, state] { core_->ask(state); }});
                                  }});
  }

  void open_spool(const caf::actor& me) {
    if (options_.spool.empty()) return;
    auto spool = Spool::open(options_.spool);
    // Results are then kept in memory only; a node that computes is worth more than one that ends.
    if (!spool) return spdlog::error("there is no spool: {}", spool.error().text());
    spool_ = std::make_unique<SpoolKeeper>(std::move(*spool), [me, this](BlockResult result) {
      auto shared = std::make_shared<BlockResult>(std::move(result));
      caf::anon_send(me, Turn{[this, shared] {
                       core_->adopted(std::move(*shared));
                       count_busy();
                     }});
    });
  }

  void dial_later() {
    coordinator_ = nullptr;
    if (!std::exchange(waits_, true)) {
      spdlog::warn("no coordinator answers at {}:{}; trying again until one does", options_.host,
                   options_.port);
    }
    // Half of the delay is random, so that the nodes of a farm do not come back as one.
    const auto half = static_cast<std::uint64_t>(dial_delay_.count()) / 2;
    const std::chrono::milliseconds delay(half + random_id() % (half + 1));
    self_->delayed_send(self_, delay, dial_atom_v);
    dial_delay_ = std::min(dial_delay_ * 2, kDialDelayMax);
  }

  void count_busy() { state_->busy = core_->busy(); }

  Self self_ = nullptr;
  NodeOptions options_;
  std::unique_ptr<NodeMetrics> metrics_;  // outlives what follows
  TrialGate gate_;
  ResultWindow window_{kUnderWayBytesMax};
  std::unique_ptr<TrialRunner> runner_;
  std::unique_ptr<NodeCore> core_;
  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<SpoolKeeper> spool_;
  std::shared_ptr<NodeState> state_;
  caf::actor coordinator_;
  std::chrono::milliseconds dial_delay_ = kDialDelayMin;
  bool waits_ = false;  // said once a spell
};

caf::behavior node_behavior(caf::stateful_actor<Node, MeteredActor>* self,
                            const NodeOptions& options,
                            const std::shared_ptr<std::unique_ptr<TrialRunner>>& runner,
                            const std::shared_ptr<NodeState>& state) {
  guard(self, "node");
  self->state.start(self, options, std::move(*runner), state);
  self->set_down_handler([self](caf::down_msg& down) { self->state.link_down(down); });
  self->send(self, dial_atom_v);
  self->delayed_send(self, 500ms, tick_atom_v);
  return {
      [self](dial_atom) { self->state.dial(); },
      [self](tick_atom) { self->state.tick(); },
      [self](const Frame& frame) { self->state.on_frame(frame); },
      [](Turn& turn) { turn.run(); },
      [self](stop_atom, bool leave) { leave ? self->state.leave() : self->state.drain(); },
  };
}

class CafNode final : public NodeProcess {
 public:
  CafNode(const NodeOptions& options, std::unique_ptr<TrialRunner> runner)
      : state_(std::make_shared<NodeState>()), system_(config_) {
    actor_ =
        system_.spawn(node_behavior, options,
                      std::make_shared<std::unique_ptr<TrialRunner>>(std::move(runner)), state_);
  }

  void drain(DurationNs patience) override {
    caf::anon_send(actor_, stop_atom_v, false);
    const MonoNs until = system_clock().mono() + patience;
    // The drain message is behind at most a few turns; then busy_ only falls.
    do {
      std::this_thread::sleep_for(20ms);
    } while (state_->busy.load() > 0 && system_clock().mono() < until);
  }

  bool wants_restart() const override { return state_->stuck; }

  ~CafNode() override {
    caf::anon_send(actor_, stop_atom_v, true);
    actor_ = nullptr;
    system_.await_all_actors_done();
  }

 private:
  SystemConfig config_;
  std::shared_ptr<NodeState> state_;
  caf::actor_system system_;
  caf::actor actor_;
};

}  // namespace

std::unique_ptr<NodeProcess> NodeProcess::start(const NodeOptions& options,
                                                std::unique_ptr<TrialRunner> runner) {
  return std::make_unique<CafNode>(options, std::move(runner));
}

}  // namespace winnow::actors
