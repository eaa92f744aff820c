#include "actors/node.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <random>
#include <set>
#include <thread>

#include "actors/node_core.hpp"
#include "actors/wire.hpp"
#include "actors/worker_pool.hpp"
#include "engine/engine.hpp"

namespace winnow::actors {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kDialDelayMin{50};
constexpr std::chrono::milliseconds kDialDelayMax{2000};
constexpr std::chrono::seconds kDialTimeout{3};

std::string own_name() {
  char host[256] = "node";
  (void)::gethostname(host, sizeof host - 1);
  return std::string(host) + ":" + std::to_string(::getpid());
}

/// Purpose: carries frames between CAF and the core, and work to the pool; dials again whenever
/// the coordinator is away. Thread: the actor's turns; workers call back through Turn messages.
class Node : public NodeCore::Outside {
 public:
  static inline const char* name = "node";
  using Self = caf::stateful_actor<Node>*;

  void start(Self self, const NodeOptions& options, std::unique_ptr<TrialRunner> runner,
             std::shared_ptr<std::atomic<std::size_t>> busy) {
    self_ = self;
    options_ = options;
    busy_ = std::move(busy);
    runner_ = std::move(runner);
    core_ = std::make_unique<NodeCore>(
        NodeCoreOptions{own_name(), options.workers,
                        std::string(engine::isa_name(engine::best_isa()))},
        *this);
    const auto me = caf::actor_cast<caf::actor>(self);
    pool_ = std::make_unique<WorkerPool>(
        options.workers, *runner_,
        WorkerPool::Callbacks{
            .block =
                [me, this](LeaseId place, ResultBlock block, DurationNs work) {
                  auto bytes = std::make_shared<std::string>(encode_block(block));
                  caf::anon_send(me, Turn{[this, place, index = block.block, work, bytes] {
                                   core_->computed(place, index, work, std::move(*bytes));
                                   count_busy();
                                 }});
                },
            .finished =
                [me, this](LeaseId place, Status status) {
                  caf::anon_send(me, Turn{[this, place, status = std::move(status)] {
                                   core_->lease_over(place, status);
                                   count_busy();
                                 }});
                }});
  }

  void dial() {
    if (coordinator_) return;
    self_
        ->request(self_->system().middleman().actor_handle(), kDialTimeout, caf::connect_atom_v,
                  options_.host, options_.port)
        .then(
            [this](const caf::node_id&, caf::strong_actor_ptr& p, const std::set<std::string>&) {
              if (!p) return dial_later();
              coordinator_ = caf::actor_cast<caf::actor>(std::move(p));
              dial_delay_ = kDialDelayMin;
              self_->monitor(coordinator_);
              core_->connected();
            },
            [this](caf::error&) { dial_later(); });
  }

  void link_down(const caf::down_msg& down) {
    if (!coordinator_ || down.source != coordinator_.address()) return;
    core_->disconnected();
    dial_later();
  }

  void on_frame(const Frame& frame) {
    core_->on_frame(frame);
    count_busy();
  }

  void tick() {
    core_->tick();
    self_->delayed_send(self_, std::chrono::nanoseconds(core_->renew_interval().ns), tick_atom_v);
  }

  void drain() {
    core_->drain();
    count_busy();
  }

  void leave() {
    core_->leave();
    coordinator_ = nullptr;
    pool_.reset();
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

 private:
  void dial_later() {
    coordinator_ = nullptr;
    const std::chrono::milliseconds jitter(random_id() % 50);
    self_->delayed_send(self_, dial_delay_ + jitter, dial_atom_v);
    dial_delay_ = std::min(dial_delay_ * 2, kDialDelayMax);
  }

  void count_busy() { busy_->store(core_->busy()); }

  Self self_ = nullptr;
  NodeOptions options_;
  std::unique_ptr<TrialRunner> runner_;
  std::unique_ptr<NodeCore> core_;
  std::unique_ptr<WorkerPool> pool_;
  std::shared_ptr<std::atomic<std::size_t>> busy_;  // places and results not yet safe
  caf::actor coordinator_;
  std::chrono::milliseconds dial_delay_ = kDialDelayMin;
};

caf::behavior node_behavior(caf::stateful_actor<Node>* self, const NodeOptions& options,
                            const std::shared_ptr<std::unique_ptr<TrialRunner>>& runner,
                            const std::shared_ptr<std::atomic<std::size_t>>& busy) {
  guard(self, "node");
  self->state.start(self, options, std::move(*runner), busy);
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
      : busy_(std::make_shared<std::atomic<std::size_t>>(0)), system_(config_) {
    actor_ =
        system_.spawn(node_behavior, options,
                      std::make_shared<std::unique_ptr<TrialRunner>>(std::move(runner)), busy_);
  }

  void drain(DurationNs patience) override {
    caf::anon_send(actor_, stop_atom_v, false);
    const MonoNs until = system_clock().mono() + patience;
    // The drain message is behind at most a few turns; then busy_ only falls.
    do {
      std::this_thread::sleep_for(20ms);
    } while (busy_->load() > 0 && system_clock().mono() < until);
  }

  ~CafNode() override {
    caf::anon_send(actor_, stop_atom_v, true);
    actor_ = nullptr;
    system_.await_all_actors_done();
  }

 private:
  SystemConfig config_;
  std::shared_ptr<std::atomic<std::size_t>> busy_;
  caf::actor_system system_;
  caf::actor actor_;
};

}  // namespace

std::unique_ptr<NodeProcess> NodeProcess::start(const NodeOptions& options,
                                                std::unique_ptr<TrialRunner> runner) {
  return std::make_unique<CafNode>(options, std::move(runner));
}

}  // namespace winnow::actors
