#include "actors/node_core.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "engine/engine.hpp"
#include "engine/source_hash.hpp"
#include "sweeps/generation.hpp"
#include "sweeps/results.hpp"

namespace winnow::actors {
namespace {

// The plan with the rows that came along with a lease of a search that learns.
Result<sweeps::Plan> plan_with(const sweeps::Plan& plan, const LeaseOrder& order) {
  auto rows = sweeps::decode_generation(order.rows);
  if (!rows) return rows.error();
  auto with = plan.with_rows({&*rows, 1});
  if (!with) return with;
  for (std::uint32_t i = 0; i < order.blocks; ++i) {
    if (with->known(order.first_block + i)) continue;
    return Error(
        ErrorCode::InvalidInput,
        "the parameters of block " + std::to_string(order.first_block + i) + " did not come along");
  }
  return with;
}

// What the farm, the wire or the disk did is no attempt at a trial (runner.hpp).
LeaseEnd end_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::Unavailable:
      return LeaseEnd::NoData;
    case ErrorCode::Cancelled:
      return LeaseEnd::NotBegun;
    default:
      return LeaseEnd::Failed;
  }
}

}  // namespace

NodeCore::NodeCore(NodeCoreOptions options, Outside& outside)
    : options_(std::move(options)), outside_(outside), id_(outside.random_id()) {}

void NodeCore::connected() {
  session_ = outside_.random_id();
  ++connection_;
  plans_.clear();
  welcome_ = false;
  sequence_ = 0;
  lease_seen_ = 0;
  introduce();
  // What the last coordinator did not acknowledge: a new one may have lost it, an old one will
  // find it equal.
  for (auto& [key, waiting] : unacknowledged_) {
    waiting.ticks_sent = 0;
    waiting.ticks_patience = kResendTicks;
    waiting.result.lease = 0;  // that number may be another's now
    send(waiting.result);
  }
}

void NodeCore::introduce() {
  const auto datasets = outside_.datasets();
  Hello hello;
  hello.node = id_;
  hello.name = options_.name;
  hello.workers = options_.workers;
  hello.engine_version = engine::kEngineVersion;
  hello.isa = options_.isa;
  hello.engine_sources = engine::source_hash();
  hello.connection = connection_;
  if (datasets) hello.datasets = *datasets;
  hello.tells_data = datasets ? 1 : 0;
  hello.held = held_except(session_);
  hello.former_session = options_.former_session;
  hello.last_words = options_.last_words;
  send(hello);
  send(state_of_places());
}

std::vector<Held> NodeCore::held_except(std::uint64_t session) const {
  std::vector<Held> out;
  std::size_t said = 0;
  for (const auto& [place, held] : places_) {
    if (held.open.empty() || held.session == session) continue;
    const std::uint64_t first = *held.open.begin();
    const std::uint64_t end = *held.open.rbegin() + 1;
    Held one{place.value(), held.sweep, first, static_cast<std::uint32_t>(end - first), {}};
    for (std::uint64_t block = first; block < end; ++block) {
      if (!held.open.contains(block)) one.settled.push_back(block);
    }
    said += 1 + one.settled.size();
    if (said > kHeldMax) break;
    out.push_back(std::move(one));
  }
  return out;
}

Credit NodeCore::state_of_places() {
  const std::size_t free = draining_ ? 0 : places_max() - std::min(places_max(), places_.size());
  return Credit{++sequence_, static_cast<std::uint32_t>(free), lease_seen_};
}

void NodeCore::disconnected() {
  if (session_ != 0) {
    spdlog::warn("the coordinator is gone; work goes on and results are kept");
  }
  session_ = 0;
  for (auto& [key, waiting] : unacknowledged_) keep(waiting);
}

template <class T>
void NodeCore::hear(const Frame& frame) {
  auto message = decode<T>(frame);
  if (message) return on(*message);
  spdlog::error("from the coordinator: {}", message.error().text());
}

void NodeCore::on_frame(const Frame& frame) {
  if (session_ == 0 || frame.session != session_) return;  // meant for an earlier session
  const auto kind = static_cast<Kind>(frame.kind);
  if (contains(CourierHears{}, kind)) return outside_.on_dataset(frame);
  const bool known =
      dispatch(NodeHears{}, kind, [&]<class T>(std::type_identity<T>) { hear<T>(frame); });
  if (!known) spdlog::error("from the coordinator: a message of kind {}", frame.kind);
}

void NodeCore::tick() {
  for (auto& [key, waiting] : unacknowledged_) {
    if (!waiting.kept && (++waiting.ticks >= kTicksBeforeKeeping || session_ == 0)) keep(waiting);
  }
  if (session_ == 0) return;
  if (!welcome_) {
    if (hello_wait_ > 0 && --hello_wait_ > 0) return;
    return introduce();
  }
  Renew message{state_of_places(), current_leases()};
  send(message);
  resend();
}

std::vector<std::uint64_t> NodeCore::current_leases() const {
  std::vector<std::uint64_t> out;
  if (session_ == 0) return out;
  for (const auto& [place, held] : places_) {
    if (held.session == session_) out.push_back(held.lease);
  }
  return out;
}

// A result or its acknowledgement may have been lost on a connection that lives on.
void NodeCore::resend() {
  for (auto& [key, waiting] : unacknowledged_) {
    if (++waiting.ticks_sent < waiting.ticks_patience) continue;
    waiting.ticks_sent = 0;
    waiting.ticks_patience = std::min(2 * waiting.ticks_patience, kResendTicksMax);
    send(waiting.result);
  }
  for (const auto& [place, held] : places_) announce(held);
}

void NodeCore::trial_begins(LeaseId place, std::uint64_t trial) {
  const auto held = places_.find(place);
  if (held == places_.end() || !held->second.computing) {
    return outside_.trial_leave(place, trial, Leave::Stop);
  }
  held->second.trial = trial;
  held->second.trial_known = false;
  if (session_ != 0 && welcome_ && held->second.session != session_) {  // others have it now
    return outside_.trial_leave(place, trial, Leave::Stop);
  }
  announce(held->second);
}

void NodeCore::announce(const HeldLease& held) {
  if (!held.computing || !held.trial || held.trial_known || held.session != session_) return;
  send(TrialBegins{held.lease, *held.trial});
}

void NodeCore::on(const TrialLeave& leave) {
  for (auto& [place, held] : places_) {
    if (held.session != session_ || held.lease != leave.lease || held.trial != leave.trial)
      continue;
    if (held.trial_known) return;  // this came twice
    held.trial_known = true;
    return outside_.trial_leave(place, leave.trial, leave.begin != 0 ? Leave::Begin : Leave::Stop);
  }
}

void NodeCore::drain() {
  if (draining_) return;
  draining_ = true;
  for (const LeaseId place : outside_.drop_queued()) {
    const auto held = places_.find(place);
    if (held == places_.end()) continue;
    fail(held->second, LeaseEnd::NotBegun, "the node is draining");
    places_.erase(held);
  }
  send(state_of_places());
}

void NodeCore::leave() {
  for (auto& [key, waiting] : unacknowledged_) keep(waiting);
  send(Goodbye{});
  session_ = 0;
}

void NodeCore::on(const Welcome& welcome) {
  welcome_ = true;
  refusal_.clear();
  hello_pause_ = hello_wait_ = 0;
  renew_interval_ = DurationNs{welcome.renew_interval_ns};
  spdlog::info("joined the coordinator");
  for (const Adopted& adopted : welcome.adopted) {
    lease_seen_ = std::max(lease_seen_, adopted.lease);
    const auto place = places_.find(LeaseId(adopted.place));
    if (place == places_.end()) {  // it was over before this came
      send(LeaseFailed{adopted.lease, static_cast<std::uint8_t>(LeaseEnd::NotBegun),
                       "the lease was over before it was adopted"});
      continue;
    }
    if (place->second.session == session_) continue;  // this came twice
    place->second.session = session_;
    place->second.lease = adopted.lease;
    place->second.trial_known = false;
    announce(place->second);
  }
  for (auto& [place, held] : places_) {
    if (held.session != session_ && held.trial) {
      outside_.trial_leave(place, *held.trial, Leave::Stop);
    }
  }
  if (!welcome.adopted.empty()) send(state_of_places());
  outside_.joined();
}

void NodeCore::on(const Refusal& refusal) {
  if (refusal.text != refusal_) spdlog::error("the coordinator refuses: {}", refusal.text);
  refusal_ = refusal.text;
  if (!welcome_) {  // it may change its mind, but not at every tick
    hello_pause_ = std::clamp(2 * hello_pause_, 1u, kHelloPauseMax);
    hello_wait_ = hello_pause_;
  }
  // It has forgotten this session: the next tick introduces the node again.
  if (refusal.code != static_cast<std::uint32_t>(ErrorCode::NotFound)) return;
  welcome_ = false;
  for (auto& [place, held] : places_) held.session = 0;  // it has forgotten these, too
}

void NodeCore::on(const SweepInfo& info) {
  const auto known = plans_.find(info.sweep);
  if (known != plans_.end() && known->second->spec().to_json() == info.spec_json) return;
  auto plan = outside_.plan(info.spec_json);
  if (!plan) return spdlog::error("sweep {}: {}", info.sweep, plan.error().text());
  if ((*plan)->id() != info.sweep) {
    return spdlog::error("sweep {} plans as {} here; is this another version of winnow?",
                         info.sweep, (*plan)->id());
  }
  if (plans_.size() >= kPlansPerSessionMax) plans_.clear();
  plans_[info.sweep] = std::move(*plan);
}

void NodeCore::on(const LeaseOrder& order) {
  for (const auto& [place, known] : places_) {
    if (known.session == session_ && known.lease == order.lease) return;  // it came twice
  }
  lease_seen_ = std::max(lease_seen_, order.lease);
  HeldLease held{session_, order.lease, order.sweep, nullptr, {}, true, {}, false};
  const auto decline = [&](LeaseEnd end, const std::string& reason) {
    fail(held, end, reason);
    send(state_of_places());
  };
  const auto plan = plans_.find(order.sweep);
  if (draining_) return decline(LeaseEnd::NotBegun, "the node is draining");
  if (places_.size() >= places_max()) return decline(LeaseEnd::NotBegun, "no place is free");
  if (plan == plans_.end()) return decline(LeaseEnd::NoPlan, "no plan of this sweep came");
  if (order.blocks == 0 || order.first_block >= plan->second->blocks() ||
      order.blocks > plan->second->blocks() - order.first_block) {
    return decline(LeaseEnd::NotBegun, "the plan has no such blocks");
  }
  auto lease_plan = plan->second;
  if (lease_plan->spec().learns()) {
    auto with = plan_with(*lease_plan, order);
    if (!with) return decline(LeaseEnd::NotBegun, with.error().text());
    lease_plan = std::make_shared<const sweeps::Plan>(*std::move(with));
  }
  for (std::uint32_t i = 0; i < order.blocks; ++i) held.open.insert(order.first_block + i);
  held.plan = lease_plan;
  WorkerPool::Work work{LeaseId(next_place_++), std::move(lease_plan), order.first_block,
                        order.blocks,           order.alone != 0,      {}};
  for (std::size_t i = 0; i < std::min(order.condemned.size(), order.condemned_by.size()); ++i) {
    work.condemned.emplace(order.condemned[i], order.condemned_by[i]);
  }
  places_.emplace(work.lease, std::move(held));
  outside_.push(std::move(work));
}

void NodeCore::fail(const HeldLease& held, LeaseEnd end, const std::string& reason) {
  if (held.session != session_) return;
  send(LeaseFailed{held.lease, static_cast<std::uint8_t>(end), reason});
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
  result.computed_by = engine::source_hash();
  send(result);
  // A block that another lease of this node brought in meanwhile: the coordinator compares the two,
  // but nothing is lost if it never sees this one.
  if (!held->second.open.contains(block)) return;
  // Computed twice: what is kept of the first is equal and will be forgotten with this one.
  Waiting& waiting = unacknowledged_[{held->second.sweep, block}];
  if (!waiting.kept) {
    under_way_bytes_ += result.block_bytes.size() - waiting.result.block_bytes.size();
  }
  waiting.result = std::move(result);
  waiting.ticks = waiting.ticks_sent = 0;
  if (session_ == 0) keep(waiting);
}

void NodeCore::adopted(BlockResult result) {
  if (result.computed_by != engine::source_hash()) {
    spdlog::warn("sweep {}: block {} was computed by a program of other sources and is dropped",
                 result.sweep, result.block);
    return outside_.forget(result.sweep, result.block);
  }
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
  under_way_bytes_ -= waiting.result.block_bytes.size();
  outside_.keep(waiting.result);
}

void NodeCore::lease_over(LeaseId place, const Status& status) {
  const auto held = places_.find(place);
  if (held == places_.end()) return;
  held->second.computing = false;
  if (!status) {
    spdlog::error("sweep {}: {}", held->second.sweep, status.error().text());
    fail(held->second, end_of(status.error()), status.error().text());
    // Blocks that did come out are still acknowledged one by one.
    std::erase_if(held->second.open, [&](std::uint64_t block) {
      return !unacknowledged_.contains({held->second.sweep, block});
    });
  }
  free_if_done(held);
}

void NodeCore::overran(LeaseId place, std::uint64_t first_trial, std::uint64_t trials,
                       const std::string& evidence) {
  const auto held = places_.find(place);
  if (held == places_.end() || !held->second.computing || trials == 0) return;
  const sweeps::Plan& plan = *held->second.plan;
  spdlog::error("sweep {}: {}", held->second.sweep, evidence);
  if (held->second.session == session_) {
    const std::uint64_t first = sweeps::block_of_trial(plan, first_trial);
    const std::uint64_t last = sweeps::block_of_trial(plan, first_trial + trials - 1);
    send(LeaseOverran{held->second.lease, first, static_cast<std::uint32_t>(last - first + 1),
                      first_trial, trials, evidence});
  }
  held->second.computing = false;
  std::erase_if(held->second.open, [&](std::uint64_t block) {
    return !unacknowledged_.contains({held->second.sweep, block});
  });
  drain();
  free_if_done(held);
}

void NodeCore::on(const BlocksCommitted& message) {
  for (const std::uint64_t block : message.blocks) settle(message.sweep, block);
  for (const std::uint64_t block : message.refused) settle(message.sweep, block);
  if (!message.refused.empty()) {
    spdlog::warn("sweep {}: the coordinator refuses {} result blocks from block {}: {}",
                 message.sweep, message.refused.size(), message.refused.front(), message.reason);
  }
}

void NodeCore::settle(const std::string& sweep, std::uint64_t block) {
  if (const auto found = unacknowledged_.find({sweep, block}); found != unacknowledged_.end()) {
    if (found->second.kept) {
      outside_.forget(sweep, block);
    } else {
      under_way_bytes_ -= found->second.result.block_bytes.size();
    }
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
  send(state_of_places());
}

}  // namespace winnow::actors
