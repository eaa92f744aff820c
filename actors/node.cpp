#include "actors/node.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "actors/codec.hpp"
#include "actors/wire.hpp"
#include "actors/worker_pool.hpp"

namespace winnow::actors {
namespace {

using namespace std::chrono_literals;

// A worker computes one lease while the next waits, so that it never idles for a round trip.
constexpr std::uint32_t kLeasesPerWorker = 2;
constexpr std::chrono::milliseconds kDialDelayMin{50};
constexpr std::chrono::milliseconds kDialDelayMax{2000};
constexpr std::chrono::seconds kDialTimeout{3};

std::uint64_t random_id() {
  std::random_device device;
  return (std::uint64_t{device()} << 32 | device()) | 1;
}

std::string own_name() {
  char host[256] = "node";
  (void)::gethostname(host, sizeof host - 1);
  return std::string(host) + ":" + std::to_string(::getpid());
}

/// A lease taken on: a place at a worker until all its blocks are acknowledged.
struct HeldLease {
  std::uint64_t session = 0;  ///< in which it was granted
  std::uint64_t lease = 0;    ///< the coordinator's number for it
  std::string sweep;
  std::set<std::uint64_t> open;  ///< blocks neither acknowledged nor failed
  bool computing = true;
};
using Places = std::map<std::uint64_t, HeldLease>;

/// Purpose: the node between its workers and its coordinator. Outlives any one connection.
/// Thread: the actor's turns.
/// Invariants: a computed block is in `unacknowledged_` until BlocksCommitted names it.
class Node {
 public:
  static inline const char* name = "node";
  using Self = caf::stateful_actor<Node>*;

  void start(Self self, const NodeOptions& options, std::unique_ptr<TrialRunner> runner,
             std::shared_ptr<std::atomic<std::size_t>> busy) {
    self_ = self;
    options_ = options;
    busy_ = std::move(busy);
    id_ = random_id();
    runner_ = std::move(runner);
    const auto me = caf::actor_cast<caf::actor>(self);
    pool_ = std::make_unique<WorkerPool>(
        options.workers, *runner_,
        WorkerPool::Callbacks{
            .block =
                [me, self](LeaseId place, ResultBlock block, DurationNs work) {
                  auto bytes = std::make_shared<std::string>(encode_block(block));
                  caf::anon_send(me, Turn{[self, place, index = block.block, work, bytes] {
                                   self->state.computed(place.value(), index, work,
                                                        std::move(*bytes));
                                 }});
                },
            .finished =
                [me, self](LeaseId place, Status status) {
                  caf::anon_send(me, Turn{[self, place, status = std::move(status)] {
                                   self->state.lease_over(place.value(), status);
                                 }});
                }});
  }

  void dial() {
    if (coordinator_) return;
    Self self = self_;
    self->request(self->system().middleman().actor_handle(), kDialTimeout, caf::connect_atom_v,
                  options_.host, options_.port)
        .then(
            [self](const caf::node_id&, caf::strong_actor_ptr& p, const std::set<std::string>&) {
              if (!p) return self->state.dial_later();
              self->state.connected(caf::actor_cast<caf::actor>(std::move(p)));
            },
            [self](caf::error&) { self->state.dial_later(); });
  }

  void connected(caf::actor coordinator) {
    coordinator_ = std::move(coordinator);
    dial_delay_ = kDialDelayMin;
    session_ = random_id();
    plans_.clear();
    self_->monitor(coordinator_);
    send(Hello{id_, own_name(), options_.workers, engine::kEngineVersion,
               std::string(engine::isa_name(engine::best_isa()))});
    // What the last coordinator did not acknowledge: a new one may have lost it, an old one will
    // find it equal.
    for (const auto& [key, result] : unacknowledged_) send(result);
    const auto places = static_cast<std::size_t>(options_.workers) * kLeasesPerWorker;
    if (!draining_ && places_.size() < places) {
      send(Credit{static_cast<std::uint32_t>(places - places_.size())});
    }
  }

  void link_down(const caf::down_msg& down) {
    if (!coordinator_ || down.source != coordinator_.address()) return;
    spdlog::warn("the coordinator is gone; work goes on and results are kept");
    dial_later();
  }

  void on_frame(const Frame& frame) {
    if (frame.session != session_) return;  // meant for an earlier session
    switch (static_cast<Kind>(frame.kind)) {
      case Kind::Welcome:
        if (auto m = take<Welcome>(frame)) welcomed(*m);
        break;
      case Kind::SweepInfo:
        if (auto m = take<SweepInfo>(frame)) learn(*m);
        break;
      case Kind::LeaseOrder:
        if (auto m = take<LeaseOrder>(frame)) begin(*m);
        break;
      case Kind::BlocksCommitted:
        if (auto m = take<BlocksCommitted>(frame)) acknowledged(*m);
        break;
      case Kind::Refusal:
        if (auto m = take<Refusal>(frame)) spdlog::error("the coordinator refuses: {}", m->text);
        break;
      default:
        break;
    }
  }

  void renew() {
    Renew message;
    for (const auto& [place, held] : places_) {
      if (held.session == session_) message.leases.push_back(held.lease);
    }
    send(message);
    self_->delayed_send(self_, renew_interval_, tick_atom_v);
  }

  void drain() {
    if (draining_) return;
    draining_ = true;
    for (const LeaseId place : pool_->drop_queued()) {
      const auto held = places_.find(place.value());
      if (held == places_.end()) continue;
      fail(held->second, "the node is draining");
      places_.erase(held);
    }
    count_busy();
  }

  void leave() {
    send(Goodbye{});
    coordinator_ = nullptr;
    pool_.reset();
    self_->quit();
  }

 private:
  template <class T>
  void send(const T& message) {
    if (coordinator_) self_->send(coordinator_, encode(message, session_));
  }

  template <class T>
  std::optional<T> take(const Frame& frame) {
    auto message = decode<T>(frame);
    if (message) return std::move(*message);
    spdlog::error("from the coordinator: {}", message.error().text());
    return std::nullopt;
  }

  void dial_later() {
    coordinator_ = nullptr;
    const std::chrono::milliseconds jitter(random_id() % 50);
    self_->delayed_send(self_, dial_delay_ + jitter, dial_atom_v);
    dial_delay_ = std::min(dial_delay_ * 2, kDialDelayMax);
  }

  void welcomed(const Welcome& welcome) {
    renew_interval_ = std::chrono::nanoseconds(welcome.renew_interval_ns);
    spdlog::info("joined the coordinator at {}:{}", options_.host, options_.port);
  }

  void learn(const SweepInfo& info) {
    if (plans_.contains(info.sweep)) return;
    auto spec = sweeps::ResolvedSpec::from_json(info.spec_json);
    if (!spec) return spdlog::error("sweep {}: {}", info.sweep, spec.error().text());
    auto plan = sweeps::Plan::make(std::move(*spec));
    if (!plan) return spdlog::error("sweep {}: {}", info.sweep, plan.error().text());
    if (plan->id() != info.sweep) {
      return spdlog::error("sweep {} plans as {} here; is this another version of winnow?",
                           info.sweep, plan->id());
    }
    if (plans_.size() >= kPlansPerSessionMax) plans_.clear();
    plans_[info.sweep] = std::make_shared<const sweeps::Plan>(std::move(*plan));
  }

  void begin(const LeaseOrder& order) {
    HeldLease held{session_, order.lease, order.sweep, {}, true};
    const auto plan = plans_.find(order.sweep);
    if (draining_) return fail(held, "the node is draining");
    if (plan == plans_.end()) return decline(held, "the node has no plan for this sweep");
    if (order.blocks == 0 || order.first_block + order.blocks > plan->second->blocks()) {
      return decline(held, "the plan has no such blocks");
    }
    for (std::uint32_t i = 0; i < order.blocks; ++i) held.open.insert(order.first_block + i);
    const std::uint64_t place = next_place_++;
    places_.emplace(place, std::move(held));
    count_busy();
    pool_->push({LeaseId(place), plan->second, order.first_block, order.blocks});
  }

  /// A lease that takes up no place here: the credit it cost goes back.
  void decline(const HeldLease& held, const std::string& reason) {
    fail(held, reason);
    send(Credit{1});
  }

  void fail(const HeldLease& held, const std::string& reason) {
    if (held.session == session_) send(LeaseFailed{held.lease, reason});
  }

  void computed(std::uint64_t place, std::uint64_t block, DurationNs work, std::string bytes) {
    const auto held = places_.find(place);
    if (held == places_.end()) return;
    BlockResult result;
    result.lease = held->second.session == session_ ? held->second.lease : 0;
    result.sweep = held->second.sweep;
    result.block = block;
    result.work_ns = work.ns;
    result.block_bytes = std::move(bytes);
    send(result);
    unacknowledged_[{result.sweep, block}] = std::move(result);
    count_busy();
  }

  void lease_over(std::uint64_t place, const Status& status) {
    const auto held = places_.find(place);
    if (held == places_.end()) return;
    held->second.computing = false;
    if (!status) {
      spdlog::error("sweep {}: {}", held->second.sweep, status.error().text());
      fail(held->second, status.error().text());
      // Blocks that did come out are still acknowledged one by one.
      std::erase_if(held->second.open, [&](std::uint64_t block) {
        return !unacknowledged_.contains({held->second.sweep, block});
      });
    }
    free_if_done(held);
  }

  void acknowledged(const BlocksCommitted& message) {
    for (const std::uint64_t block : message.blocks) settle(message.sweep, block);
    for (const std::uint64_t block : message.refused) settle(message.sweep, block);
    count_busy();
  }

  void settle(const std::string& sweep, std::uint64_t block) {
    unacknowledged_.erase({sweep, block});
    for (auto held = places_.begin(); held != places_.end();) {
      const auto next = std::next(held);
      if (held->second.sweep == sweep && held->second.open.erase(block) > 0) free_if_done(held);
      held = next;
    }
  }

  void free_if_done(Places::iterator held) {
    if (held->second.computing || !held->second.open.empty()) return;
    places_.erase(held);
    count_busy();
    if (!draining_) send(Credit{1});
  }

  void count_busy() { busy_->store(places_.size() + unacknowledged_.size()); }

  Self self_ = nullptr;
  NodeOptions options_;
  std::uint64_t id_ = 0;
  std::unique_ptr<TrialRunner> runner_;
  std::unique_ptr<WorkerPool> pool_;
  std::shared_ptr<std::atomic<std::size_t>> busy_;  // places and results not yet safe
  caf::actor coordinator_;
  std::uint64_t session_ = 0;
  std::chrono::milliseconds dial_delay_ = kDialDelayMin;
  std::chrono::nanoseconds renew_interval_ = 500ms;
  bool draining_ = false;
  std::map<std::string, std::shared_ptr<const sweeps::Plan>> plans_;
  Places places_;
  std::uint64_t next_place_ = 1;
  std::map<std::pair<std::string, std::uint64_t>, BlockResult> unacknowledged_;
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
      [self](tick_atom) { self->state.renew(); },
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
