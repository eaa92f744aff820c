#include "actors/coordinator.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "actors/codec.hpp"
#include "actors/intake.hpp"
#include "actors/query_desk.hpp"
#include "actors/runner.hpp"
#include "actors/sweep_registry.hpp"
#include "actors/wire.hpp"

namespace winnow::actors {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kTick{200};  // expiries and progress; events act at once
constexpr std::int64_t kRenewsPerTtl = 5;
constexpr std::size_t kNodesMax = 4096;
constexpr std::size_t kWatchersMax = 4096;

struct Peer {
  caf::actor handle;
  std::uint64_t session = 0;
  std::uint64_t node = 0;
  std::string name;
  std::set<std::string> knows;  ///< sweeps whose plan it has
};

struct Watcher {
  caf::actor handle;
  std::uint64_t request = 0;
};

/// Purpose: the shell around the scheduler: messages in, decisions out.
/// Thread: the actor's turns; the intake and the query desk call back through Turn messages.
class Coordinator {
 public:
  static inline const char* name = "coordinator";
  using Self = caf::stateful_actor<Coordinator>*;

  Status start(Self self, const CoordinatorOptions& options, const CoordinatorContext& context) {
    self_ = self;
    options_ = options;
    scheduler_ = scheduler::Scheduler(options.scheduling);
    registry_ = std::make_unique<SweepRegistry>(*context.store, context.catalog);
    const auto me = caf::actor_cast<caf::actor>(self);
    intake_ = std::make_unique<Intake>(
        *context.store,
        Intake::Callbacks{
            .report =
                [me, self](std::vector<Intake::Outcome> outcomes) {
                  auto shared = std::make_shared<std::vector<Intake::Outcome>>(std::move(outcomes));
                  caf::anon_send(me, Turn{[self, shared] { self->state.committed(*shared); }});
                },
            .stalled =
                [me, self](const Error& error) {
                  caf::anon_send(
                      me, Turn{[self, text = error.text()] { self->state.store_refuses(text); }});
                }});
    desk_ = std::make_unique<QueryDesk>(context.query);
    if (options.resume_all) {
      auto unfinished = registry_->load_unfinished();
      if (!unfinished) return unfinished.error();
      for (ActiveSweep* sweep : *unfinished) {
        WINNOW_TRY(scheduler_.add_sweep(SweepRegistry::work_of(*sweep)));
        if (sweep->meta.state == store::SweepState::Paused) scheduler_.pause(sweep->meta.id, now());
      }
      act();
    }
    return {};
  }

  void on_frame(const Frame& frame) {
    const auto sender = caf::actor_cast<caf::actor>(self_->current_sender());
    if (!sender) return;  // nobody to answer
    switch (static_cast<Kind>(frame.kind)) {
      case Kind::Hello:
        return with<Hello>(frame, sender, &Coordinator::hello);
      case Kind::Submit:
        return with<Submit>(frame, sender, &Coordinator::submit);
      case Kind::Watch:
        return with<Watch>(frame, sender, &Coordinator::watch);
      case Kind::Control:
        return with<Control>(frame, sender, &Coordinator::control);
      case Kind::Query:
        return with<Query>(frame, sender, &Coordinator::query);
      default:
        break;
    }
    // The rest is only for nodes, in their current session.
    const auto peer = peers_.find(frame.session);
    if (peer == peers_.end() || peer->second.handle != sender) return;
    switch (static_cast<Kind>(frame.kind)) {
      case Kind::Credit:
        return with<Credit>(frame, sender, &Coordinator::credit);
      case Kind::Renew:
        return with<Renew>(frame, sender, &Coordinator::renew);
      case Kind::BlockResult:
        return with<BlockResult>(frame, sender, &Coordinator::block_result);
      case Kind::LeaseFailed:
        return with<LeaseFailed>(frame, sender, &Coordinator::lease_failed);
      case Kind::Goodbye:
        return node_gone(frame.session, "it said goodbye");
      default:
        break;
    }
  }

  void link_down(const caf::down_msg& down) {
    std::vector<std::uint64_t> gone;
    for (const auto& [session, peer] : peers_) {
      if (peer.handle.address() == down.source) gone.push_back(session);
    }
    for (const std::uint64_t session : gone) node_gone(session, "its connection broke");
    for (auto& [sweep, watchers] : watchers_) {
      std::erase_if(watchers, [&](const Watcher& w) { return w.handle.address() == down.source; });
    }
  }

  void tick() {
    act();
    for (const auto& [sweep, watchers] : watchers_) publish(sweep);
    self_->delayed_send(self_, kTick, tick_atom_v);
  }

  void stop() {
    desk_.reset();
    intake_.reset();
    self_->quit();
  }

 private:
  static MonoNs now() { return system_clock().mono(); }

  template <class T>
  void with(const Frame& frame, const caf::actor& sender,
            void (Coordinator::*handler)(const T&, std::uint64_t, const caf::actor&)) {
    auto message = decode<T>(frame);
    if (message) return (this->*handler)(*message, frame.session, sender);
    refuse(sender, frame.session, message.error());
  }

  void refuse(const caf::actor& to, std::uint64_t session, const Error& error) {
    self_->send(to,
                encode(Refusal{static_cast<std::uint32_t>(error.code()), error.text()}, session));
  }

  // ---- nodes

  void hello(const Hello& m, std::uint64_t session, const caf::actor& sender) {
    if (m.engine_version != engine::kEngineVersion) {
      return refuse(sender, session,
                    Error(ErrorCode::Refused, "engine version " + std::to_string(m.engine_version) +
                                                  " cannot join a farm of version " +
                                                  std::to_string(engine::kEngineVersion)));
    }
    for (const auto& [other, peer] : peers_) {
      // CAF derives its node ids from addresses and process ids; two containers can share one, and
      // messages would reach the wrong node.
      if (peer.handle.node() == sender.node() && peer.node != m.node) {
        return refuse(sender, session,
                      Error(ErrorCode::Refused,
                            "node " + peer.name + " has the same network identity as " + m.name));
      }
    }
    if (peers_.size() >= kNodesMax || m.workers == 0 || m.workers > 4096) {
      return refuse(sender, session,
                    Error(ErrorCode::Refused, "at most " + std::to_string(kNodesMax) +
                                                  " nodes of 1 to 4096 workers can join"));
    }
    spdlog::info("node {} joined with {} workers ({})", m.name, m.workers, m.isa);
    peers_[session] = Peer{sender, session, m.node, m.name, {}};
    self_->monitor(sender);
    scheduler_.node_joined(NodeId(session), {m.name, m.workers}, now());
    self_->send(sender, encode(Welcome{options_.scheduling.lease_ttl.ns / kRenewsPerTtl}, session));
  }

  void credit(const Credit& m, std::uint64_t session, const caf::actor&) {
    scheduler_.credit(NodeId(session), m.leases);
    act();
  }

  void renew(const Renew& m, std::uint64_t session, const caf::actor&) {
    std::vector<LeaseId> held;
    for (const std::uint64_t id : m.leases) held.emplace_back(id);
    scheduler_.renew(NodeId(session), held, now());
  }

  void block_result(const BlockResult& m, std::uint64_t session, const caf::actor& sender) {
    const ActiveSweep* sweep = registry_->find(m.sweep);
    if (sweep == nullptr || m.block >= sweep->plan->blocks()) {
      // A sweep this coordinator does not run; its node need not keep the result for it.
      self_->send(sender, encode(BlocksCommitted{m.sweep, {}, {m.block}}, session));
      return;
    }
    scheduler_.block_received(NodeId(session), LeaseId(m.lease), m.sweep, m.block,
                              DurationNs{m.work_ns}, now());
    Intake::Offer offer;
    offer.plan = sweep->plan;
    offer.user = sweep->meta.user;
    offer.block_bytes = m.block_bytes;
    offer.block_index = m.block;
    offer.sender = session;
    offer.lease = m.lease;
    intake_->offer(std::move(offer));
  }

  void lease_failed(const LeaseFailed& m, std::uint64_t session, const caf::actor&) {
    spdlog::warn("node {}: {}", peers_[session].name, m.reason);
    scheduler_.lease_failed(NodeId(session), LeaseId(m.lease), m.reason, now());
    act();
  }

  void node_gone(std::uint64_t session, const std::string& why) {
    const auto peer = peers_.find(session);
    if (peer == peers_.end()) return;
    spdlog::info("node {} left: {}", peer->second.name, why);
    peers_.erase(peer);
    scheduler_.node_left(NodeId(session), why, now());
    act();
  }

  // ---- results

  void committed(const std::vector<Intake::Outcome>& outcomes) {
    std::map<std::pair<std::uint64_t, std::string>, BlocksCommitted> answers;
    store_trouble_.clear();
    for (const Intake::Outcome& outcome : outcomes) {
      BlocksCommitted& answer = answers[{outcome.sender, outcome.sweep}];
      if (!outcome.status) {
        spdlog::error("{}", outcome.status.error().text());
        answer.refused.push_back(outcome.block);
        scheduler_.block_refused(outcome.sweep, outcome.block, outcome.status.error().text());
        continue;
      }
      if (outcome.kind == store::CommitKind::Mismatch) {
        spdlog::critical("sweep {} block {}: two executions of the same trials differ",
                         outcome.sweep, outcome.block);
      }
      answer.blocks.push_back(outcome.block);
      scheduler_.block_committed(outcome.sweep, outcome.block);
      if (ActiveSweep* sweep = registry_->find(outcome.sweep)) {
        registry_->count_committed(*sweep, outcome.block);
      }
    }
    for (auto& [key, answer] : answers) {
      answer.sweep = key.second;
      if (auto peer = peers_.find(key.first); peer != peers_.end()) {
        self_->send(peer->second.handle, encode(answer, peer->second.session));
      }
    }
    act();
  }

  void store_refuses(const std::string& text) {
    if (store_trouble_ != text) spdlog::error("the store refuses commits: {}", text);
    store_trouble_ = text;
  }

  // ---- decisions

  void act() {
    for (const scheduler::Decision& decision : scheduler_.step(now())) {
      if (const auto* grant = std::get_if<scheduler::Grant>(&decision)) carry_out(*grant);
      if (const auto* done = std::get_if<scheduler::SweepFinished>(&decision)) carry_out(*done);
      if (const auto* bad = std::get_if<scheduler::Quarantine>(&decision)) carry_out(*bad);
    }
  }

  void carry_out(const scheduler::Grant& grant) {
    const auto found = peers_.find(grant.node.value());
    const ActiveSweep* sweep = registry_->find(grant.lease.sweep);
    if (found == peers_.end() || sweep == nullptr) return;
    Peer& peer = found->second;
    if (!peer.knows.contains(grant.lease.sweep)) {
      if (peer.knows.size() >= kPlansPerSessionMax) peer.knows.clear();
      peer.knows.insert(grant.lease.sweep);
      self_->send(peer.handle,
                  encode(SweepInfo{grant.lease.sweep, sweep->meta.spec_json}, peer.session));
    }
    self_->send(peer.handle,
                encode(LeaseOrder{grant.lease.id.value(), grant.lease.sweep,
                                  grant.lease.first_block, grant.lease.blocks, grant.lease.attempt},
                       peer.session));
  }

  void carry_out(const scheduler::SweepFinished& done) {
    ActiveSweep* sweep = registry_->find(done.sweep);
    if (sweep == nullptr) return;
    const Status stored =
        registry_->set_state(*sweep, store::SweepState::Done, system_clock().now());
    if (!stored) spdlog::error("sweep {}: {}", done.sweep, stored.error().text());
    spdlog::info("sweep {} is done: {} trials", done.sweep, sweep->trials_committed);
    publish(done.sweep);
  }

  void carry_out(const scheduler::Quarantine& bad) {
    const ActiveSweep* sweep = registry_->find(bad.sweep);
    if (sweep == nullptr) return;
    spdlog::error("sweep {}: block {} is quarantined; {}", bad.sweep, bad.block, bad.evidence);
    Intake::Offer offer;
    offer.plan = sweep->plan;
    offer.user = sweep->meta.user;
    offer.block_index = bad.block;
    offer.block = std::make_shared<ResultBlock>(
        failed_block(*sweep->plan, bad.block, "quarantined: " + bad.evidence));
    intake_->offer(std::move(offer));
  }

  // ---- clients

  void submit(const Submit& m, std::uint64_t request, const caf::actor& sender) {
    auto sweep = registry_->submit(m, system_clock().now());
    if (!sweep) return refuse(sender, request, sweep.error());
    ActiveSweep& active = **sweep;
    if (active.meta.state == store::SweepState::Cancelled ||
        active.meta.state == store::SweepState::Paused) {
      const Status running =
          registry_->set_state(active, store::SweepState::Running, system_clock().now());
      if (!running) return refuse(sender, request, running.error());
    }
    const Status added = scheduler_.add_sweep(SweepRegistry::work_of(active));
    if (!added) return refuse(sender, request, added.error());
    self_->send(
        sender,
        encode(Submitted{active.meta.id, active.plan->trials(), active.trials_committed}, request));
    act();
  }

  void watch(const Watch& m, std::uint64_t request, const caf::actor& sender) {
    if (registry_->find(m.sweep) == nullptr) {
      return refuse(sender, request,
                    Error(ErrorCode::NotFound, "this coordinator does not run sweep " + m.sweep));
    }
    auto& watchers = watchers_[m.sweep];
    if (watchers.size() >= kWatchersMax) {
      return refuse(sender, request, Error(ErrorCode::Refused, "too many watchers"));
    }
    self_->monitor(sender);
    watchers.push_back({sender, request});
    publish(m.sweep);
  }

  void control(const Control& m, std::uint64_t request, const caf::actor& sender) {
    ActiveSweep* sweep = registry_->find(m.sweep);
    if (sweep == nullptr) {
      return refuse(sender, request,
                    Error(ErrorCode::NotFound, "this coordinator does not run sweep " + m.sweep));
    }
    if (sweep->meta.state == store::SweepState::Done) {
      return refuse(sender, request,
                    Error(ErrorCode::Refused, "sweep " + m.sweep + " is already done"));
    }
    store::SweepState state = store::SweepState::Running;
    if (m.action == "pause") state = store::SweepState::Paused;
    if (m.action == "cancel") state = store::SweepState::Cancelled;
    const Status stored = registry_->set_state(*sweep, state, system_clock().now());
    if (!stored) return refuse(sender, request, stored.error());
    if (m.action == "pause") scheduler_.pause(m.sweep, now());
    if (m.action == "cancel") scheduler_.remove(m.sweep);
    if (m.action == "resume") (void)scheduler_.add_sweep(SweepRegistry::work_of(*sweep)).ok();
    spdlog::info("sweep {}: {} by {}", m.sweep, m.action, m.user);
    self_->send(sender, encode(Reply{0, 1, "{}"}, request));
    publish(m.sweep);
    act();
  }

  void query(const Query& m, std::uint64_t request, const caf::actor& sender) {
    if (m.name == "nodes") return answer(sender, request, nodes_json());
    desk_->ask(m.name, m.args_json, [sender, request](Result<std::string> text) {
      if (text) return answer(sender, request, *text);
      const Refusal refusal{static_cast<std::uint32_t>(text.error().code()), text.error().text()};
      caf::anon_send(sender, encode(refusal, request));
    });
  }

  static void answer(const caf::actor& to, std::uint64_t request, const std::string& text) {
    constexpr std::size_t kChunk = kFrameBytesMax / 2;
    const auto count =
        static_cast<std::uint32_t>(std::max<std::size_t>(1, (text.size() + kChunk - 1) / kChunk));
    for (std::uint32_t i = 0; i < count; ++i) {
      caf::anon_send(to, encode(Reply{i, count, text.substr(i * kChunk, kChunk)}, request));
    }
  }

  std::string nodes_json() const {
    std::string out = "[";
    for (const scheduler::NodeStatus& node : scheduler_.nodes()) {
      if (out.size() > 1) out += ',';
      out += "{\"name\":\"" + node.facts.name +
             "\",\"workers\":" + std::to_string(node.facts.workers) +
             ",\"leases\":" + std::to_string(node.leases) +
             ",\"blocks_done\":" + std::to_string(node.blocks_done) +
             ",\"work_s\":" + std::to_string(node.work_s) +
             ",\"last_seen_ms_ago\":" + std::to_string((now() - node.last_seen).ns / 1'000'000) +
             "}";
    }
    return out + "]";
  }

  void publish(const std::string& id) {
    const auto watchers = watchers_.find(id);
    if (watchers == watchers_.end() || watchers->second.empty()) return;
    const ActiveSweep* sweep = registry_->find(id);
    if (sweep == nullptr) return;
    Progress p;
    p.sweep = id;
    p.state = std::string(store::sweep_state_name(sweep->meta.state));
    p.trials = sweep->plan->trials();
    p.trials_committed = sweep->trials_committed;
    p.nodes = static_cast<std::uint32_t>(peers_.size());
    p.workers = scheduler_.workers();
    if (const auto counts = scheduler_.progress(id)) {
      p.blocks = counts->blocks;
      p.blocks_committed = counts->committed;
      p.blocks_quarantined = counts->quarantined;
      p.retries = counts->retries;
      p.work_ns = static_cast<std::uint64_t>(counts->work_s * 1e9);
    }
    if (!store_trouble_.empty()) {
      p.note = "the store refuses commits: " + store_trouble_;
    } else if (sweep->meta.state == store::SweepState::Running && p.workers == 0) {
      p.note = scheduler_.explain(id, {}, now());
    }
    for (const Watcher& w : watchers->second) self_->send(w.handle, encode(p, w.request));
    if (sweep->meta.state == store::SweepState::Done ||
        sweep->meta.state == store::SweepState::Cancelled) {
      watchers->second.clear();  // that was the last word
    }
  }

  Self self_ = nullptr;
  CoordinatorOptions options_;
  scheduler::Scheduler scheduler_;
  std::unique_ptr<SweepRegistry> registry_;
  std::unique_ptr<Intake> intake_;
  std::unique_ptr<QueryDesk> desk_;
  std::map<std::uint64_t, Peer> peers_;  // by session
  std::map<std::string, std::vector<Watcher>> watchers_;
  std::string store_trouble_;
};

using StartResult = std::shared_ptr<std::promise<Status>>;

caf::behavior coordinator_behavior(caf::stateful_actor<Coordinator>* self,
                                   const CoordinatorOptions& options,
                                   const CoordinatorContext& context, const StartResult& started) {
  guard(self, "coordinator");
  self->set_down_handler([self](caf::down_msg& down) { self->state.link_down(down); });
  started->set_value(self->state.start(self, options, context));
  self->delayed_send(self, kTick, tick_atom_v);
  return {
      [self](const Frame& frame) { self->state.on_frame(frame); },
      [self](tick_atom) { self->state.tick(); },
      [](Turn& turn) { turn.run(); },
      [self](stop_atom) { self->state.stop(); },
  };
}

class CafCoordinator final : public CoordinatorProcess {
 public:
  CafCoordinator() : system_(config_) {}

  Status open(const CoordinatorOptions& options, const CoordinatorContext& context) {
    // The store is read before the port opens: whoever connects finds all sweeps there.
    auto started = std::make_shared<std::promise<Status>>();
    actor_ = system_.spawn(coordinator_behavior, options, context, started);
    WINNOW_TRY(started->get_future().get());
    auto port = system_.middleman().publish(actor_, options.port, options.host.c_str(), true);
    if (!port) {
      return Error(ErrorCode::Unavailable, "cannot listen on " + options.host + ":" +
                                               std::to_string(options.port) + ": " +
                                               system_.render(port.error()));
    }
    port_ = *port;
    return {};
  }

  std::uint16_t port() const override { return port_; }

  ~CafCoordinator() override {
    if (port_ != 0) (void)system_.middleman().close(port_);
    caf::anon_send(actor_, stop_atom_v);
    actor_ = nullptr;
    system_.await_all_actors_done();
  }

 private:
  SystemConfig config_;
  caf::actor_system system_;
  caf::actor actor_;
  std::uint16_t port_ = 0;
};

}  // namespace

Result<std::unique_ptr<CoordinatorProcess>> CoordinatorProcess::start(
    const CoordinatorOptions& options, const CoordinatorContext& context) {
  if (options.host != "127.0.0.1" && options.host != "::1" && options.host != "localhost") {
    return Error(ErrorCode::InvalidInput,
                 "'" + options.host +
                     "' is not a loopback address; the farm port accepts whoever "
                     "reaches it, so it listens on 127.0.0.1 only");
  }
  auto process = std::make_unique<CafCoordinator>();
  WINNOW_TRY(process->open(options, context));
  return std::unique_ptr<CoordinatorProcess>(std::move(process));
}

}  // namespace winnow::actors
