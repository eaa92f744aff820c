#include "actors/coordinator.hpp"

#include <chrono>
#include <future>
#include <map>

#include "actors/coordinator_core.hpp"
#include "actors/dataset_desk.hpp"
#include "actors/farm_port.hpp"
#include "actors/intake.hpp"
#include "actors/metered_actor.hpp"
#include "actors/query_desk.hpp"
#include "actors/wire.hpp"
#include "base/address.hpp"
#include "cluster/token.hpp"

namespace winnow::actors {
namespace {

constexpr std::chrono::nanoseconds kTick{CoordinatorCore::kTick.ns};
constexpr std::uint64_t kTicksAMeasurement = 5;  // a second

/// Purpose: carries frames between CAF and the core, and the core's wishes to the intake and the
/// query desk. Thread: the actor's turns; intake and desk call back through Turn messages.
class Coordinator : public CoordinatorCore::Outside {
 public:
  static inline const char* name = "coordinator";
  using Self = caf::stateful_actor<Coordinator, MeteredActor>*;

  Status start(Self self, const CoordinatorOptions& options, const CoordinatorContext& context) {
    self_ = self;
    if (context.metrics != nullptr) {
      metrics_ = std::make_unique<CoordinatorMetrics>(*context.metrics);
      self->meter(&metrics_->mailbox);
    }
    book_ = std::make_unique<StoreSweepBook>(*context.store);
    if (!options.home.empty()) tokens_.emplace(options.home);
    core_ =
        std::make_unique<CoordinatorCore>(options, *book_, context.catalog, *this, metrics_.get());
    intake_ = std::make_unique<Intake>(
        *context.store,
        Intake::Callbacks{
            .report =
                [this, me = handle()](std::vector<CommitResult> results) {
                  auto shared = std::make_shared<std::vector<CommitResult>>(std::move(results));
                  caf::anon_send(me, Turn{[this, shared] {
                                   ++commits_;
                                   core_->committed(*shared, mono());
                                 }});
                },
            .stalled =
                [this, me = handle()](const Error& error) {
                  caf::anon_send(me,
                                 Turn{[this, text = error.text()] { core_->store_refuses(text); }});
                }},
        metrics_.get());
    QueryDesk::Kinds kinds = context.question_kind;
    if (!kinds) kinds = [](std::string_view) { return QuestionKind(); };
    desk_ = std::make_unique<QueryDesk>(std::move(kinds), context.query);
    datasets_ = std::make_unique<DatasetDesk>(context.data_dir);
    checks_ = std::make_unique<CheckDesk>(context.data_dir);
    return core_->start(mono());
  }

  void serve(std::shared_ptr<FarmPort> port) { port_ = std::move(port); }
  FarmPortMetrics* port_metrics() { return metrics_ ? &metrics_->port : nullptr; }

  void on_frame(Frame& frame) {
    if (port_) port_->handled(frame.body.size());
    const PeerRole role = stamp_of(frame.kind);
    frame.kind = without_stamp(frame.kind);
    const auto sender = caf::actor_cast<caf::actor>(self_->current_sender());
    if (!sender) return;  // nobody to answer
    core_->on_frame(id_of(sender), frame, mono(), role);
  }

  void link_down(const caf::down_msg& down) {
    const auto found = ids_.find(down.source);
    if (found == ids_.end()) return;
    const PeerId gone = found->second;
    ids_.erase(found);
    peers_.erase(gone);
    if (desk_) desk_->forget(gone.value());
    core_->peer_gone(gone, mono());
  }

  void tick() {
    if (port_) port_->tick(mono());
    core_->tick(mono());
    if (desk_) desk_->expire(mono());
    if (tokens_) tokens_->keep_uses(utc_now());
    if (metrics_ && ++ticks_ % kTicksAMeasurement == 0) {
      measure();
    }
    self_->delayed_send(self_, kTick, tick_atom_v);
  }

  void stop() {
    if (port_) port_->close();
    self_->meter(nullptr);
    desk_.reset();
    datasets_.reset();
    checks_.reset();
    intake_.reset();
    self_->quit();
  }

  void send(PeerId to, Frame frame) override {
    if (const auto peer = peers_.find(to); peer != peers_.end()) {
      self_->send(peer->second, std::move(frame));
    }
  }
  void commit(CommitOffer offer) override { intake_->offer(std::move(offer)); }
  void ask(PeerId peer, std::uint64_t request, const Query& question,
           const cluster::Principal& asker) override {
    const MonoNs asked = mono();
    desk_->ask({.name = question.name,
                .args_json = question.args_json,
                .asker = asker,
                .peer = peer.value(),
                .request = request,
                .store_state = commits_ + book_->changes(),
                .asked = asked},
               [this, me = handle(), peer, request, asked](Result<std::string> text) {
                 if (metrics_) metrics_->query_latency.observe((mono() - asked).seconds());
                 auto shared = std::make_shared<Result<std::string>>(std::move(text));
                 caf::anon_send(me, Turn{[this, peer, request, shared] {
                                  core_->answered(peer, request, *shared);
                                }});
               });
  }
  void take_back(PeerId peer, std::uint64_t request) override {
    desk_->forget(peer.value(), request);
  }
  void ship(PeerId to, const Frame& question) override {
    datasets_->ask(question, [this, me = handle(), to](Frame answer) {
      if (metrics_) {
        metrics_->shipped_bytes.add(answer.body.size());
        metrics_->shipped_answers.add();
      }
      auto shared = std::make_shared<Frame>(std::move(answer));
      caf::anon_send(me, Turn{[this, to, shared] { send(to, std::move(*shared)); }});
    });
  }
  void check(CheckOrder order) override {
    checks_->ask(std::move(order), [this, me = handle()](CheckResult result) {
      auto shared = std::make_shared<CheckResult>(std::move(result));
      caf::anon_send(me, Turn{[this, shared] { core_->checked(*shared, mono()); }});
    });
  }
  std::string network_of(PeerId peer) const override {
    const auto found = peers_.find(peer);
    return found == peers_.end() ? "" : caf::to_string(found->second.node());
  }
  std::optional<cluster::Principal> principal_of(PeerId peer) const override {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return std::nullopt;
    if (found->second.node() == self_->node()) return cluster::own_account();
    return port_ ? port_->who(found->second.node()) : std::nullopt;
  }
  Result<cluster::Principal> principal_by_token(const std::string& token) override {
    return tokens_ ? tokens_->find(token, utc_now()) : Outside::principal_by_token(token);
  }
  Status check_token(const std::string& id) override {
    return tokens_ ? tokens_->check(id, utc_now()) : Outside::check_token(id);
  }
  Status use_token(const std::string& id) override {
    return tokens_ ? tokens_->use(id, utc_now()) : Outside::use_token(id);
  }
  TimestampNs utc_now() const override { return system_clock().now(); }

 private:
  static MonoNs mono() { return system_clock().mono(); }

  void measure() {
    const MonoNs start = mono();
    core_->measure(start);
    metrics_->intake_oldest.set(intake_->oldest(start).seconds());
    measure_questions(desk_->counts());
    metrics_->shipping_questions.set_count(datasets_->waiting());
    metrics_->shipping_turned_away.raise_to(datasets_->turned_away());
    metrics_->measuring.observe((mono() - start).seconds());
  }

  void measure_questions(const QueryDesk::Counts& now) {
    metrics_->query_questions.set_count(now.waiting());
    metrics_->query_turned_away.raise_to(now.turned_away());
    for (std::size_t i = 0; i < now.lanes.size(); ++i) {
      metrics_->lane_questions[i]->set_count(now.lanes[i].waiting);
      metrics_->lane_turned_away[i]->raise_to(now.lanes[i].turned_away);
    }
    metrics_->query_shared.raise_to(now.shared);
    metrics_->query_forgotten.raise_to(now.forgotten);
    metrics_->query_late.raise_to(now.late);
  }

  caf::actor handle() const { return caf::actor_cast<caf::actor>(self_); }

  PeerId id_of(const caf::actor& sender) {
    const auto [found, is_new] = ids_.try_emplace(sender.address(), next_peer_);
    if (is_new) {
      peers_.emplace(next_peer_, sender);
      next_peer_ = PeerId(next_peer_.value() + 1);
      self_->monitor(sender);
    }
    return found->second;
  }

  Self self_ = nullptr;
  std::optional<cluster::TokenReader> tokens_;
  std::unique_ptr<CoordinatorMetrics> metrics_;  // outlives what follows
  std::uint64_t ticks_ = 0;
  std::uint64_t commits_ = 0;  // groups that were reported
  std::shared_ptr<FarmPort> port_;
  std::unique_ptr<StoreSweepBook> book_;
  std::unique_ptr<CoordinatorCore> core_;
  std::unique_ptr<Intake> intake_;
  std::unique_ptr<QueryDesk> desk_;
  std::unique_ptr<DatasetDesk> datasets_;
  std::unique_ptr<CheckDesk> checks_;
  std::map<caf::actor_addr, PeerId> ids_;
  std::map<PeerId, caf::actor> peers_;
  PeerId next_peer_{1};
};

using StartResult = std::shared_ptr<std::promise<Status>>;

caf::behavior coordinator_behavior(caf::stateful_actor<Coordinator, MeteredActor>* self,
                                   const CoordinatorOptions& options,
                                   const CoordinatorContext& context, const StartResult& started) {
  guard(self, "coordinator");
  self->set_down_handler([self](caf::down_msg& down) { self->state.link_down(down); });
  started->set_value(self->state.start(self, options, context));
  self->delayed_send(self, kTick, tick_atom_v);
  return {
      [self](Frame& frame) { self->state.on_frame(frame); },
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
    auto state = caf::actor_cast<caf::stateful_actor<Coordinator, MeteredActor>*>(actor_);
    auto port = FarmPort::open(system_, actor_,
                               {.host = options.host,
                                .port = options.port,
                                .peers = options.peers,
                                .metrics = state->state.port_metrics(),
                                .limits = {}});
    if (!port) return port.error();
    port_ = (*port)->port();
    caf::anon_send(actor_, Turn{[state, served = *port] { state->state.serve(served); }});
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
  if (!is_loopback(options.host)) {
    return Error(ErrorCode::InvalidInput,
                 "'" + options.host +
                     "' is not a loopback address; the farm port accepts whoever "
                     "reaches it, so it listens on 127.0.0.0/8 or ::1 only");
  }
  auto process = std::make_unique<CafCoordinator>();
  WINNOW_TRY(process->open(options, context));
  return std::unique_ptr<CoordinatorProcess>(std::move(process));
}

}  // namespace winnow::actors
