#include "scheduler/scheduler.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace winnow::scheduler {

namespace {

/// One less of what is counted by hand.
template <class Count>
void take_one(Count& count) {
  WINNOW_INVARIANT(count > 0);
  --count;
}

}  // namespace

// ---- sweeps

Status Scheduler::add_sweep(const SweepWork& work) {
  const Audited audited(*this, work.id);
  if (auto it = sweeps_.find(work.id); it != sweeps_.end()) {
    resume(work.id);
    return {};
  }
  if (!(work.weight > 0)) {
    return Error(ErrorCode::InvalidInput, "sweep " + work.id + ": weight " +
                                              std::to_string(work.weight) + " must be above 0");
  }
  Sweep sweep;
  sweep.work = work;
  sweep.work.committed.clear();
  sweep.blocks.resize(work.blocks);
  sweep.counts.blocks = work.blocks;
  sweep.pending.insert({0, work.blocks});
  sweep.work.withheld.clear();
  for (std::uint64_t b = 0; b < work.blocks; ++b) {
    const bool committed = b < work.committed.size() && work.committed[b];
    if (!committed && !(b < work.withheld.size() && work.withheld[b])) continue;
    sweep.blocks[b].state = committed ? BlockState::Committed : BlockState::Withheld;
    sweep.pending.erase({b, b + 1});
    ++(committed ? sweep.counts.committed : sweep.counts.withheld);
  }
  sweep.committed_before = sweep.counts.committed;
  // Newcomers start level with the least served, not with a debt of everyone's past.
  std::optional<double> least;
  for (const auto& [id, other] : sweeps_) {
    if (other.finished || other.work.user != work.user) continue;
    least = std::min(least.value_or(other.virtual_time), other.virtual_time);
  }
  sweep.virtual_time = least.value_or(0);
  User& user = users_[work.user];
  if (user.open_sweeps == 0) {
    std::optional<double> least_user;
    for (const auto& [name, other] : users_) {
      if (other.open_sweeps == 0) continue;
      least_user = std::min(least_user.value_or(other.virtual_time), other.virtual_time);
    }
    user.virtual_time = std::max(user.virtual_time, least_user.value_or(0));
  }
  ++user.open_sweeps;
  finish_if_done(sweeps_.emplace(work.id, std::move(sweep)).first->second);
  reindex();
  return {};
}

void Scheduler::pause(std::string_view id, MonoNs) {
  const Audited audited(*this, id);
  if (auto it = sweeps_.find(id); it != sweeps_.end()) it->second.counts.paused = true;
  reindex();
}

void Scheduler::resume(std::string_view id) {
  const Audited audited(*this, id);
  const auto it = sweeps_.find(id);
  if (it == sweeps_.end() || !it->second.counts.paused) return;
  it->second.counts.paused = false;
  it->second.work.spent = false;  // looked at anew
  reindex();
}

void Scheduler::set_budget(std::string_view id, double cpu_s_max) {
  const Audited audited(*this, id);
  const auto it = sweeps_.find(id);
  if (it == sweeps_.end() || it->second.work.cpu_s_max == cpu_s_max) return;
  it->second.work.cpu_s_max = cpu_s_max;
  it->second.work.spent = false;
  ++news_;
}

void Scheduler::set_block_budget(std::string_view id, std::uint64_t blocks_max) {
  const Audited audited(*this, id);
  const auto it = sweeps_.find(id);
  if (it == sweeps_.end() || it->second.work.blocks_max == blocks_max) return;
  it->second.work.blocks_max = blocks_max;
  it->second.work.spent = false;
  ++news_;
}

void Scheduler::await_holders(std::string_view id, MonoNs until) {
  const Audited audited(*this, id);
  const auto it = sweeps_.find(id);
  if (it == sweeps_.end()) return;
  it->second.awaited_until = until;
  ++awaiting_;  // counted anew at the next step
}

void Scheduler::release(std::string_view id, BlockRange blocks) {
  const Audited audited(*this, id);
  const auto it = sweeps_.find(id);
  if (it == sweeps_.end()) return;
  Sweep& sweep = it->second;
  for (std::uint64_t b = blocks.first; b < blocks.last && b < sweep.blocks.size(); ++b) {
    if (sweep.blocks[b].state != BlockState::Withheld) continue;
    sweep.blocks[b].state = BlockState::Pending;
    sweep.pending.insert({b, b + 1});
    take_one(sweep.counts.withheld);
  }
  ++news_;
}

void Scheduler::remove(std::string_view id) {
  const Audited audited(*this);
  const auto it = sweeps_.find(id);
  if (it == sweeps_.end()) return;
  for (auto lease = leases_.begin(); lease != leases_.end();) {
    const auto next = std::next(lease);
    if (lease->second.lease.sweep == id) drop_lease(lease);
    lease = next;
  }
  if (!it->second.finished) close(it->second);
  sweeps_.erase(it);
  reindex();
}

void Scheduler::close(Sweep& sweep) {
  const auto user = users_.find(sweep.work.user);
  WINNOW_INVARIANT(user != users_.end());
  take_one(user->second.open_sweeps);
}

void Scheduler::finish_if_done(Sweep& sweep) {
  if (sweep.finished || sweep.counts.committed < sweep.counts.blocks) return;
  sweep.finished = true;
  close(sweep);
  reindex();
  decisions_.push_back(SweepFinished{sweep.work.id});
}

void Scheduler::reindex() {
  ++news_;
  open_.clear();
  for (auto& [id, sweep] : sweeps_) {
    if (!sweep.finished && !sweep.counts.paused) open_.push_back(&sweep);
  }
}

// ---- nodes

void Scheduler::node_joined(NodeId id, const NodeFacts& facts, MonoNs now) {
  const Audited audited(*this);
  node_left(id, "it joined again", now);
  Node node;
  node.status.id = id;
  node.status.facts = facts;
  node.status.last_seen = now;
  workers_ += facts.workers;
  count_copies(nodes_.emplace(id, std::move(node)).first->second, 1);
}

void Scheduler::node_left(NodeId id, std::string_view reason, MonoNs) {
  const Audited audited(*this);
  remove_node(id, Blame::Loss, reason);
}

void Scheduler::node_returned(NodeId id) {
  const Audited audited(*this);
  remove_node(id, Blame::Nobody, "it came back");
  forgive(id);
}

void Scheduler::remove_node(NodeId id, Blame blame, std::string_view reason) {
  const auto it = nodes_.find(id);
  if (it == nodes_.end()) return;
  const std::string text = "node " + it->second.status.facts.name + " left: " + std::string(reason);
  const std::set<LeaseId> held = it->second.leases;
  for (const LeaseId lease : held) return_lease(lease, blame, text);
  WINNOW_INVARIANT(it->second.leases.empty() && workers_ >= it->second.status.facts.workers);
  workers_ -= it->second.status.facts.workers;
  asking_.erase(id);
  if (reserved_ == id) reserved_.reset();
  count_copies(it->second, -1);
  nodes_.erase(it);
  ++news_;  // it may have been the last hope of getting some data
}

void Scheduler::set_node_credit(Node& node, std::uint32_t credit) {
  node.status.credit = credit;
  if (credit > 0) {
    asking_.insert(node.status.id);
  } else {
    asking_.erase(node.status.id);
  }
}

void Scheduler::set_credit(NodeId id, std::uint32_t free_places, LeaseId seen) {
  const Audited audited(*this);
  const auto it = nodes_.find(id);
  if (it == nodes_.end()) return;
  const auto& leases = it->second.leases;
  const auto coming =
      static_cast<std::uint32_t>(std::distance(leases.upper_bound(seen), leases.end()));
  const auto held = static_cast<std::uint32_t>(leases.size());
  const std::uint32_t most = it->second.status.facts.leases_max;
  set_node_credit(it->second, std::min(free_places - std::min(free_places, coming),
                                       most - std::min(most, held)));
}

void Scheduler::renew(NodeId id, const std::vector<LeaseId>& held, MonoNs now) {
  const Audited audited(*this);
  const auto it = nodes_.find(id);
  if (it == nodes_.end()) return;
  it->second.status.last_seen = now;
  forgive(id);  // it had only been silent
  const std::set<LeaseId> named(held.begin(), held.end());
  const std::set<LeaseId> ours = it->second.leases;
  for (const LeaseId lease : ours) {
    HeldLease& mine = leases_.at(lease);
    if (named.contains(lease)) {
      mine.deadline = now + options_.lease_ttl;
    } else if (mine.granted + options_.lease_ttl < now) {
      return_lease(lease, Blame::Nobody, "the node does not know of the lease");
    }
  }
}

// ---- results

void Scheduler::learn_cost(Sweep& sweep, NodeId id, DurationNs work) {
  const double cost = static_cast<double>(std::max<std::int64_t>(work.ns, 1));
  if (auto node = nodes_.find(id); node != nodes_.end() && sweep.block_cost_ns > 0) {
    constexpr double kSlowest = 0.05, kFastest = 20;
    const double speed = std::clamp(sweep.block_cost_ns / cost, kSlowest, kFastest);
    node->second.speed = 0.8 * node->second.speed + 0.2 * speed;
  }
  sweep.block_cost_ns = sweep.block_cost_ns == 0 ? cost : 0.8 * sweep.block_cost_ns + 0.2 * cost;
  sweep.counts.work_s += work.seconds();
  sweep.virtual_time += work.seconds() / sweep.work.weight;
  users_[sweep.work.user].virtual_time += work.seconds();
}

LeaseId Scheduler::holder_of(NodeId id, std::string_view sweep, std::uint64_t block) const {
  const auto node = nodes_.find(id);
  if (node == nodes_.end()) return LeaseId(0);
  for (const LeaseId lease : node->second.leases) {
    const HeldLease& held = leases_.at(lease);
    if (held.lease.sweep != sweep || block < held.lease.first_block) continue;
    const std::uint64_t at = block - held.lease.first_block;
    if (at < held.open.size() && held.open[at]) return lease;
  }
  return LeaseId(0);
}

void Scheduler::block_received(NodeId node_id, LeaseId lease_id, std::string_view sweep_id,
                               std::uint64_t block, DurationNs work, MonoNs now) {
  const Audited audited(*this, sweep_id);
  if (auto node = nodes_.find(node_id); node != nodes_.end()) {
    node->second.status.last_seen = now;
    ++node->second.status.blocks_done;
    node->second.status.work_s += work.seconds();
  }
  const auto it = sweeps_.find(sweep_id);
  if (it == sweeps_.end() || block >= it->second.blocks.size()) return;
  Sweep& sweep = it->second;
  learn_cost(sweep, node_id, work);
  // Computed before the node heard that its lease had been adopted.
  if (lease_id == LeaseId(0)) lease_id = holder_of(node_id, sweep_id, block);
  if (auto held = leases_.find(lease_id);
      held != leases_.end() && held->second.node == node_id &&
      held->second.lease.sweep == sweep_id && block >= held->second.lease.first_block &&
      block - held->second.lease.first_block < held->second.open.size() &&
      held->second.open[block - held->second.lease.first_block]) {
    HeldLease& lease = held->second;
    lease.open[block - lease.lease.first_block] = false;
    lease.deadline = now + options_.lease_ttl;
    take_one(sweep.blocks[block].holders);
    take_one(lease.open_count);
    if (lease.open_count == 0) drop_lease(held);
  }
  Block& state = sweep.blocks[block];
  switch (state.state) {
    case BlockState::Pending:  // a late result of a lease that was given up
      stop_waiting(sweep, block);
      break;
    case BlockState::Leased:
      take_one(sweep.counts.leased);
      break;
    case BlockState::Withheld:  // the shell lets none through
    case BlockState::Received:
    case BlockState::Committed:
    case BlockState::Quarantined:
      return;
  }
  state.state = BlockState::Received;
  ++sweep.counts.received;
}

void Scheduler::stop_waiting(Sweep& sweep, std::uint64_t block) {
  sweep.pending.erase({block, block + 1});
  sweep.suspects.erase(block);
}

void Scheduler::block_committed(std::string_view sweep_id, std::uint64_t block) {
  const Audited audited(*this, sweep_id);
  const auto it = sweeps_.find(sweep_id);
  if (it == sweeps_.end() || block >= it->second.blocks.size()) return;
  Sweep& sweep = it->second;
  Block& state = sweep.blocks[block];
  switch (state.state) {
    case BlockState::Committed:
      return;
    case BlockState::Received:
      take_one(sweep.counts.received);
      break;
    case BlockState::Leased:
      take_one(sweep.counts.leased);
      break;
    case BlockState::Pending:
      stop_waiting(sweep, block);
      break;
    case BlockState::Quarantined:
      take_one(sweep.counts.quarantined);
      break;
    case BlockState::Withheld:
      take_one(sweep.counts.withheld);
      break;
  }
  state.state = BlockState::Committed;
  ++sweep.counts.committed;
  sweep.attempts.erase(block);
  sweep.condemned.erase(block);
  sweep.fatal.erase(block);
  finish_if_done(sweep);
}

void Scheduler::block_refused(std::string_view sweep_id, std::uint64_t block,
                              std::string_view reason) {
  const Audited audited(*this, sweep_id);
  const auto it = sweeps_.find(sweep_id);
  if (it == sweeps_.end() || block >= it->second.blocks.size()) return;
  Sweep& sweep = it->second;
  Block& state = sweep.blocks[block];
  if (state.state != BlockState::Received) return;
  // Back to the state it had under a lease; release_holder decides where it goes from there.
  state.state = BlockState::Leased;
  take_one(sweep.counts.received);
  ++sweep.counts.leased;
  ++state.holders;
  count_attempt(sweep, block, options_.block_attempts_max, reason);
  release_holder(sweep, block);
}

// ---- leases that come back

void Scheduler::lease_failed(NodeId node, LeaseId id, Blame blame, std::string_view reason,
                             MonoNs) {
  const Audited audited(*this);
  const auto it = leases_.find(id);
  if (it == leases_.end() || it->second.node != node) return;
  return_lease(id, blame, reason);
}

void Scheduler::drop_lease(std::map<LeaseId, HeldLease>::iterator lease) {
  if (auto node = nodes_.find(lease->second.node); node != nodes_.end()) {
    node->second.leases.erase(lease->first);
    take_one(node->second.status.leases);
    WINNOW_INVARIANT(node->second.leases.size() == node->second.status.leases);
    if (lease->second.exclusive) node->second.exclusive = false;
  }
  leases_.erase(lease);
}

void Scheduler::return_lease(LeaseId id, Blame blame, std::string_view reason) {
  const auto it = leases_.find(id);
  if (it == leases_.end()) return;
  const HeldLease held = it->second;
  drop_lease(it);
  Sweep& sweep = sweeps_.at(held.lease.sweep);
  // Only the first open block can have been running; those behind it were waiting their turn.
  bool suspect = blame != Blame::Nobody;
  for (std::size_t i = 0; i < held.open.size(); ++i) {
    if (!held.open[i]) continue;
    const std::uint64_t block = held.lease.first_block + i;
    if (suspect && sweep.blocks[block].state == BlockState::Leased) {
      // Who was lost beside others may be innocent: enough to be run alone, not to be condemned.
      const bool certain = blame == Blame::Block || held.exclusive;
      count_attempt(sweep, block, certain ? options_.block_attempts_max : options_.isolate_after,
                    reason);
      if (blame == Blame::Loss) {
        if (held.running) blame_trial(sweep, block, *held.running, reason);
        remember_loss(held.node, {held.lease.sweep, block, held.running, false});
      }
    }
    suspect = false;
    release_holder(sweep, block);
  }
}

void Scheduler::count_attempt(Sweep& sweep, std::uint64_t block, std::uint32_t most,
                              std::string_view reason) {
  std::uint32_t& attempts = sweep.attempts[block];
  attempts = std::max(attempts, std::min(attempts + 1, most));
  sweep.evidence[block] = "attempt " + std::to_string(attempts) + ": " + std::string(reason);
}

void Scheduler::release_holder(Sweep& sweep, std::uint64_t block) {
  Block& state = sweep.blocks[block];
  take_one(state.holders);
  if (state.state != BlockState::Leased || state.holders > 0) return;
  take_one(sweep.counts.leased);
  const auto attempts = sweep.attempts.find(block);
  const std::uint32_t tried = attempts == sweep.attempts.end() ? 0 : attempts->second;
  if (tried >= options_.block_attempts_max) {
    state.state = BlockState::Quarantined;
    ++sweep.counts.quarantined;
    decisions_.push_back(Quarantine{sweep.work.id, block, sweep.evidence[block]});
    return;
  }
  state.state = BlockState::Pending;
  ++news_;
  sweep.work.spent = false;  // looked at anew
  ++sweep.counts.retries;
  if (tried >= options_.isolate_after || sweep.condemned.contains(block)) {
    sweep.suspects.insert(block);
  } else {
    sweep.pending.insert({block, block + 1});
  }
}

// ---- questions

std::optional<MonoNs> Scheduler::next_deadline() const {
  if (leases_.empty() || due_.empty()) return std::nullopt;
  return due_.top().first;
}

std::optional<SweepProgress> Scheduler::progress(std::string_view id) const {
  const auto it = sweeps_.find(id);
  if (it == sweeps_.end()) return std::nullopt;
  SweepProgress out = it->second.counts;
  out.pending = it->second.pending.size() + it->second.suspects.size();
  out.exhausted = out.pending > 0 && (it->second.work.spent || exhausted(it->second) ||
                                      (!has_pending(it->second) && it->second.suspects.empty()));
  return out;
}

std::vector<NodeStatus> Scheduler::nodes() const {
  std::vector<NodeStatus> out;
  for (const auto& [id, node] : nodes_) out.push_back(node.status);
  return out;
}

std::vector<NodeId> Scheduler::silent_nodes(MonoNs now, DurationNs silence) const {
  std::vector<NodeId> out;
  for (const auto& [id, node] : nodes_) {
    if (now - node.status.last_seen > silence) out.push_back(node.status.id);
  }
  return out;
}

NodeCensus Scheduler::census(MonoNs now, DurationNs silence) const {
  NodeCensus out;
  for (const auto& [id, node] : nodes_) {
    ++out.nodes;
    if (now - node.status.last_seen > silence) ++out.silent;
    if (node.status.leases > 0) ++out.busy;
    out.leases += node.status.leases;
  }
  return out;
}

}  // namespace winnow::scheduler
