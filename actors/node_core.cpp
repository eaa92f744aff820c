#include "actors/node_core.hpp"

#include <spdlog/spdlog.h>

#include "engine/engine.hpp"

namespace winnow::actors {

NodeCore::NodeCore(NodeCoreOptions options, Outside& outside)
    : options_(std::move(options)), outside_(outside), id_(outside.random_id()) {}

void NodeCore::connected() {
  session_ = outside_.random_id();
  plans_.clear();
  send(Hello{id_, options_.name, options_.workers, engine::kEngineVersion, options_.isa,
             outside_.datasets()});
  // What the last coordinator did not acknowledge: a new one may have lost it, an old one will
  // find it equal.
  for (const auto& [key, waiting] : unacknowledged_) send(waiting.result);
  if (!draining_ && places_.size() < places_max()) {
    send(Credit{static_cast<std::uint32_t>(places_max() - places_.size())});
  }
}

void NodeCore::disconnected() {
  if (session_ != 0) {
    spdlog::warn("the coordinator is gone; work goes on and results are kept");
  }
  session_ = 0;
  for (auto& [key, waiting] : unacknowledged_) keep(waiting);
}

template <class T>
std::optional<T> NodeCore::take(const Frame& frame) {
  auto message = decode<T>(frame);
  if (message) return std::move(*message);
  spdlog::error("from the coordinator: {}", message.error().text());
  return std::nullopt;
}

void NodeCore::on_frame(const Frame& frame) {
  if (session_ == 0 || frame.session != session_) return;  // meant for an earlier session
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
    case Kind::DatasetOffer:
    case Kind::DatasetChunk:
    case Kind::DatasetDenied:
      outside_.on_dataset(frame);
      break;
    case Kind::Refusal:
      if (auto m = take<Refusal>(frame)) spdlog::error("the coordinator refuses: {}", m->text);
      break;
    default:
      break;
  }
}

void NodeCore::tick() {
  Renew message;
  for (const auto& [place, held] : places_) {
    if (held.session == session_) message.leases.push_back(held.lease);
  }
  send(message);
  for (auto& [key, waiting] : unacknowledged_) {
    if (waiting.kept) continue;
    if (++waiting.ticks >= kTicksBeforeKeeping || session_ == 0) keep(waiting);
  }
}

void NodeCore::drain() {
  if (draining_) return;
  draining_ = true;
  for (const LeaseId place : outside_.drop_queued()) {
    const auto held = places_.find(place);
    if (held == places_.end()) continue;
    fail(held->second, "the node is draining");
    places_.erase(held);
  }
}

void NodeCore::leave() {
  for (auto& [key, waiting] : unacknowledged_) keep(waiting);
  send(Goodbye{});
  session_ = 0;
}

void NodeCore::welcomed(const Welcome& welcome) {
  renew_interval_ = DurationNs{welcome.renew_interval_ns};
  spdlog::info("joined the coordinator");
  outside_.joined();
}

void NodeCore::learn(const SweepInfo& info) {
  if (plans_.contains(info.sweep)) return;
  auto plan = outside_.plan(info.spec_json);
  if (!plan) return spdlog::error("sweep {}: {}", info.sweep, plan.error().text());
  if ((*plan)->id() != info.sweep) {
    return spdlog::error("sweep {} plans as {} here; is this another version of winnow?",
                         info.sweep, (*plan)->id());
  }
  if (plans_.size() >= kPlansPerSessionMax) plans_.clear();
  plans_[info.sweep] = std::move(*plan);
}

void NodeCore::begin(const LeaseOrder& order) {
  HeldLease held{session_, order.lease, order.sweep, {}, true};
  const auto plan = plans_.find(order.sweep);
  if (draining_) return fail(held, "the node is draining");
  if (plan == plans_.end()) return decline(held, "the node has no plan for this sweep");
  if (order.blocks == 0 || order.first_block + order.blocks > plan->second->blocks()) {
    return decline(held, "the plan has no such blocks");
  }
  for (std::uint32_t i = 0; i < order.blocks; ++i) held.open.insert(order.first_block + i);
  const LeaseId place(next_place_++);
  places_.emplace(place, std::move(held));
  outside_.push({place, plan->second, order.first_block, order.blocks});
}

/// A lease that takes up no place here: the credit it cost goes back.
void NodeCore::decline(const HeldLease& held, const std::string& reason) {
  fail(held, reason);
  send(Credit{1});
}

void NodeCore::fail(const HeldLease& held, const std::string& reason) {
  if (held.session == session_) send(LeaseFailed{held.lease, reason});
}

void NodeCore::computed(LeaseId place, std::uint64_t block, DurationNs work,
                        std::string block_bytes) {
  const auto held = places_.find(place);
  if (held == places_.end()) return;
  BlockResult result;
  result.lease = held->second.session == session_ ? held->second.lease : 0;
  result.sweep = held->second.sweep;
  result.block = block;
  result.work_ns = work.ns;
  result.block_bytes = std::move(block_bytes);
  send(result);
  // Computed twice: what is kept of the first is equal and will be forgotten with this one.
  Waiting& waiting = unacknowledged_[{held->second.sweep, block}];
  waiting.result = std::move(result);
  waiting.ticks = 0;
  if (session_ == 0) keep(waiting);
}

void NodeCore::adopted(BlockResult result) {
  result.lease = 0;
  const auto [waiting, is_new] = unacknowledged_.try_emplace({result.sweep, result.block});
  waiting->second.kept = true;
  if (!is_new) return;
  send(result);
  waiting->second.result = std::move(result);
}

void NodeCore::keep(Waiting& waiting) {
  if (waiting.kept) return;
  waiting.kept = true;
  outside_.keep(waiting.result);
}

void NodeCore::lease_over(LeaseId place, const Status& status) {
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

void NodeCore::acknowledged(const BlocksCommitted& message) {
  for (const std::uint64_t block : message.blocks) settle(message.sweep, block);
  for (const std::uint64_t block : message.refused) settle(message.sweep, block);
}

void NodeCore::settle(const std::string& sweep, std::uint64_t block) {
  if (const auto found = unacknowledged_.find({sweep, block}); found != unacknowledged_.end()) {
    if (found->second.kept) outside_.forget(sweep, block);
    unacknowledged_.erase(found);
  }
  for (auto held = places_.begin(); held != places_.end();) {
    const auto next = std::next(held);
    if (held->second.sweep == sweep && held->second.open.erase(block) > 0) free_if_done(held);
    held = next;
  }
}

void NodeCore::free_if_done(Places::iterator held) {
  if (held->second.computing || !held->second.open.empty()) return;
  places_.erase(held);
  if (!draining_) send(Credit{1});
}

}  // namespace winnow::actors
