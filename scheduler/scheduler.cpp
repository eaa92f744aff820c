#include "scheduler/scheduler.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace winnow::scheduler {

Status Scheduler::add_sweep(const SweepWork& work) {
  if (auto it = sweeps_.find(work.id); it != sweeps_.end()) {
    it->second.counts.paused = false;
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
  for (std::uint64_t b = 0; b < work.blocks && b < work.committed.size(); ++b) {
    if (!work.committed[b]) continue;
    sweep.blocks[b].state = BlockState::Committed;
    sweep.pending.erase({b, b + 1});
    ++sweep.counts.committed;
  }
  // A newcomer starts level with the least served, not with a debt of everyone's past.
  std::optional<double> least;
  for (const auto& [id, other] : sweeps_) {
    if (!other.finished) least = std::min(least.value_or(other.virtual_time), other.virtual_time);
  }
  sweep.virtual_time = least.value_or(0);
  finish_if_done(sweeps_.emplace(work.id, std::move(sweep)).first->second);
  return {};
}

void Scheduler::pause(std::string_view id, MonoNs) {
  if (auto it = sweeps_.find(id); it != sweeps_.end()) it->second.counts.paused = true;
}

void Scheduler::resume(std::string_view id) {
  if (auto it = sweeps_.find(id); it != sweeps_.end()) it->second.counts.paused = false;
}

void Scheduler::remove(std::string_view id) {
  const auto it = sweeps_.find(id);
  if (it == sweeps_.end()) return;
  for (auto lease = leases_.begin(); lease != leases_.end();) {
    if (lease->second.lease.sweep != id) {
      ++lease;
      continue;
    }
    if (auto node = nodes_.find(lease->second.node); node != nodes_.end()) {
      node->second.leases.erase(lease->first);
    }
    lease = leases_.erase(lease);
  }
  sweeps_.erase(it);
}

void Scheduler::node_joined(NodeId id, const NodeFacts& facts, MonoNs now) {
  node_left(id, "it joined again", now);
  Node node;
  node.status.id = id;
  node.status.facts = facts;
  node.status.last_seen = now;
  nodes_.emplace(id, std::move(node));
}

void Scheduler::node_left(NodeId id, std::string_view reason, MonoNs now) {
  const auto it = nodes_.find(id);
  if (it == nodes_.end()) return;
  const std::string text = "node " + it->second.status.facts.name + " left: " + std::string(reason);
  const std::set<LeaseId> held = it->second.leases;
  for (const LeaseId lease : held) return_lease(lease, text, now);
  nodes_.erase(it);
}

void Scheduler::credit(NodeId id, std::uint32_t leases) {
  if (auto it = nodes_.find(id); it != nodes_.end()) {
    constexpr std::uint32_t kCreditMax = 4096;
    it->second.status.credit = std::min(kCreditMax, it->second.status.credit + leases);
  }
}

void Scheduler::renew(NodeId id, const std::vector<LeaseId>& held, MonoNs now) {
  const auto it = nodes_.find(id);
  if (it == nodes_.end()) return;
  it->second.status.last_seen = now;
  const std::set<LeaseId> named(held.begin(), held.end());
  const std::set<LeaseId> ours = it->second.leases;
  for (const LeaseId lease : ours) {
    HeldLease& mine = leases_.at(lease);
    if (named.contains(lease)) {
      mine.deadline = now + options_.lease_ttl;
    } else if (mine.granted + options_.lease_ttl < now) {
      return_lease(lease, "the node does not know of the lease", now);
    }
  }
}

void Scheduler::block_received(NodeId node_id, LeaseId lease_id, std::string_view sweep_id,
                               std::uint64_t block, DurationNs work, MonoNs now) {
  if (auto node = nodes_.find(node_id); node != nodes_.end()) {
    node->second.status.last_seen = now;
    ++node->second.status.blocks_done;
    node->second.status.work_s += work.seconds();
  }
  const auto it = sweeps_.find(sweep_id);
  if (it == sweeps_.end() || block >= it->second.blocks.size()) return;
  Sweep& sweep = it->second;
  const double cost = static_cast<double>(std::max<std::int64_t>(work.ns, 1));
  sweep.block_cost_ns = sweep.block_cost_ns == 0 ? cost : 0.8 * sweep.block_cost_ns + 0.2 * cost;
  sweep.counts.work_s += work.seconds();
  sweep.virtual_time += work.seconds() / sweep.work.weight;

  if (auto held = leases_.find(lease_id);
      held != leases_.end() && held->second.lease.sweep == sweep_id &&
      block >= held->second.lease.first_block &&
      block - held->second.lease.first_block < held->second.open.size() &&
      held->second.open[block - held->second.lease.first_block]) {
    HeldLease& lease = held->second;
    lease.open[block - lease.lease.first_block] = false;
    lease.deadline = now + options_.lease_ttl;
    assert(sweep.blocks[block].holders > 0);
    --sweep.blocks[block].holders;
    if (--lease.open_count == 0) {
      if (auto node = nodes_.find(lease.node); node != nodes_.end()) {
        node->second.leases.erase(lease_id);
        --node->second.status.leases;
      }
      leases_.erase(held);
    }
  }
  Block& state = sweep.blocks[block];
  switch (state.state) {
    case BlockState::Pending:  // a late result of a lease that was given up
      sweep.pending.erase({block, block + 1});
      break;
    case BlockState::Leased:
      --sweep.counts.leased;
      break;
    case BlockState::Received:
    case BlockState::Committed:
    case BlockState::Quarantined:
      return;
  }
  state.state = BlockState::Received;
  ++sweep.counts.received;
}

void Scheduler::block_committed(std::string_view sweep_id, std::uint64_t block) {
  const auto it = sweeps_.find(sweep_id);
  if (it == sweeps_.end() || block >= it->second.blocks.size()) return;
  Sweep& sweep = it->second;
  Block& state = sweep.blocks[block];
  switch (state.state) {
    case BlockState::Committed:
      return;
    case BlockState::Received:
      --sweep.counts.received;
      break;
    case BlockState::Leased:
      --sweep.counts.leased;
      break;
    case BlockState::Pending:
      sweep.pending.erase({block, block + 1});
      break;
    case BlockState::Quarantined:
      --sweep.counts.quarantined;
      break;
  }
  state.state = BlockState::Committed;
  ++sweep.counts.committed;
  sweep.attempts.erase(block);
  finish_if_done(sweep);
}

void Scheduler::block_refused(std::string_view sweep_id, std::uint64_t block,
                              std::string_view reason) {
  const auto it = sweeps_.find(sweep_id);
  if (it == sweeps_.end() || block >= it->second.blocks.size()) return;
  Sweep& sweep = it->second;
  Block& state = sweep.blocks[block];
  if (state.state != BlockState::Received) return;
  // Back to the state it had under a lease; release_holder decides where it goes from there.
  state.state = BlockState::Leased;
  --sweep.counts.received;
  ++sweep.counts.leased;
  ++state.holders;
  release_holder(sweep, block, true, reason);
}

void Scheduler::lease_failed(NodeId node, LeaseId id, std::string_view reason, MonoNs now) {
  const auto it = leases_.find(id);
  if (it == leases_.end() || it->second.node != node) return;
  return_lease(id, reason, now);
}

void Scheduler::return_lease(LeaseId id, std::string_view reason, MonoNs) {
  const auto it = leases_.find(id);
  if (it == leases_.end()) return;
  const HeldLease held = std::move(it->second);
  leases_.erase(it);
  if (auto node = nodes_.find(held.node); node != nodes_.end()) {
    node->second.leases.erase(id);
    --node->second.status.leases;
  }
  Sweep& sweep = sweeps_.at(held.lease.sweep);
  // Only the first open block can have been running; those behind it were waiting their turn.
  bool suspect = true;
  for (std::size_t i = 0; i < held.open.size(); ++i) {
    if (!held.open[i]) continue;
    release_holder(sweep, held.lease.first_block + i, suspect, reason);
    suspect = false;
  }
}

void Scheduler::release_holder(Sweep& sweep, std::uint64_t block, bool failed,
                               std::string_view reason) {
  Block& state = sweep.blocks[block];
  assert(state.holders > 0);
  --state.holders;
  if (state.state != BlockState::Leased) return;
  if (failed) {
    const std::uint32_t attempts = ++sweep.attempts[block];
    sweep.evidence[block] = "attempt " + std::to_string(attempts) + ": " + std::string(reason);
    if (attempts >= options_.block_attempts_max) {
      if (state.holders == 0) quarantine(sweep, block);
      return;
    }
  }
  if (state.holders > 0) return;  // another worker still has it
  state.state = BlockState::Pending;
  --sweep.counts.leased;
  ++sweep.counts.retries;
  sweep.pending.insert({block, block + 1});
}

void Scheduler::quarantine(Sweep& sweep, std::uint64_t block) {
  sweep.blocks[block].state = BlockState::Quarantined;
  --sweep.counts.leased;
  ++sweep.counts.quarantined;
  decisions_.push_back(Quarantine{sweep.work.id, block, sweep.evidence[block]});
}

void Scheduler::finish_if_done(Sweep& sweep) {
  if (sweep.finished || sweep.counts.committed < sweep.counts.blocks) return;
  sweep.finished = true;
  decisions_.push_back(SweepFinished{sweep.work.id});
}

void Scheduler::expire(MonoNs now) {
  std::vector<LeaseId> late;
  for (const auto& [id, held] : leases_) {
    if (held.deadline <= now) late.push_back(id);
  }
  for (const LeaseId id : late) return_lease(id, "the node fell silent", now);
}

Scheduler::Sweep* Scheduler::pick_sweep() {
  Sweep* best = nullptr;
  for (auto& [id, sweep] : sweeps_) {
    if (sweep.finished || sweep.counts.paused || sweep.pending.empty()) continue;
    if (best == nullptr || sweep.work.priority > best->work.priority ||
        (sweep.work.priority == best->work.priority && sweep.virtual_time < best->virtual_time)) {
      best = &sweep;
    }
  }
  return best;
}

std::uint32_t Scheduler::workers() const {
  std::uint32_t n = 0;
  for (const auto& [id, node] : nodes_) n += node.status.facts.workers;
  return n;
}

std::uint32_t Scheduler::lease_size(const Sweep& sweep) const {
  if (sweep.block_cost_ns == 0) return 1;  // measure first
  const double by_cost = static_cast<double>(options_.lease_work.ns) / sweep.block_cost_ns;
  // Towards the end leases shrink, so that all workers finish together (guided self-scheduling,
  // Polychronopoulos and Kuck 1987).
  const double by_rest =
      static_cast<double>(sweep.pending.size()) / (2.0 * std::max(1u, workers()));
  const double n = std::min({by_cost, by_rest, static_cast<double>(options_.lease_blocks_max)});
  return static_cast<std::uint32_t>(std::max(1.0, std::floor(n)));
}

bool Scheduler::grant_pending(Node& node, MonoNs now) {
  Sweep* sweep = pick_sweep();
  if (sweep == nullptr) return false;
  const BlockRange front = sweep->pending.front();
  std::uint64_t last = std::min(front.last, front.first + lease_size(*sweep));
  const auto& ends = sweep->work.segment_ends;
  if (auto end = std::upper_bound(ends.begin(), ends.end(), front.first); end != ends.end()) {
    last = std::min(last, *end);
  }
  std::uint32_t attempt = 1;
  if (!sweep->attempts.empty()) {
    for (std::uint64_t b = front.first; b < last; ++b) {
      const auto found = sweep->attempts.find(b);
      if (found == sweep->attempts.end()) continue;
      // A block that failed before travels alone, so that it cannot take others down with it.
      if (found->second >= options_.isolate_after) {
        last = b == front.first ? b + 1 : b;
        if (b == front.first) attempt = found->second + 1;
        break;
      }
      attempt = std::max(attempt, found->second + 1);
    }
  }
  hand_out(node, *sweep, {front.first, last}, attempt, now);
  return true;
}

void Scheduler::hand_out(Node& node, Sweep& sweep, BlockRange range, std::uint32_t attempt,
                         MonoNs now) {
  HeldLease held;
  held.lease = {LeaseId(next_lease_++), sweep.work.id, range.first,
                static_cast<std::uint32_t>(range.size()), attempt};
  held.node = node.status.id;
  held.open.assign(range.size(), false);
  held.granted = now;
  held.deadline = now + options_.lease_ttl;
  for (std::uint64_t b = range.first; b < range.last; ++b) {
    Block& block = sweep.blocks[b];
    if (block.state != BlockState::Pending && block.state != BlockState::Leased) continue;
    if (block.state == BlockState::Pending) {
      sweep.pending.erase({b, b + 1});
      ++sweep.counts.leased;
    } else {
      ++sweep.counts.stragglers;
    }
    block.state = BlockState::Leased;
    ++block.holders;
    held.open[b - range.first] = true;
    ++held.open_count;
  }
  node.leases.insert(held.lease.id);
  ++node.status.leases;
  --node.status.credit;
  decisions_.push_back(Grant{node.status.id, held.lease});
  leases_.emplace(held.lease.id, std::move(held));
}

bool Scheduler::grant_straggler(Node& node, MonoNs now) {
  // An idle worker takes over what is left of the lease that is most overdue.
  HeldLease* worst = nullptr;
  double worst_ratio = options_.straggler_factor;
  for (auto& [id, held] : leases_) {
    if (held.doubled || held.node == node.status.id) continue;
    const Sweep& sweep = sweeps_.at(held.lease.sweep);
    if (sweep.counts.paused || sweep.block_cost_ns == 0) continue;
    const double expected = std::max(sweep.block_cost_ns * held.lease.blocks, 50e6);
    const double ratio = static_cast<double>((now - held.granted).ns) / expected;
    if (ratio > worst_ratio) {
      worst_ratio = ratio;
      worst = &held;
    }
  }
  if (worst == nullptr) return false;
  worst->doubled = true;
  std::uint64_t first = worst->lease.first_block;
  std::uint64_t last = first + worst->open.size();
  while (first < last && !worst->open[first - worst->lease.first_block]) ++first;
  while (last > first && !worst->open[last - 1 - worst->lease.first_block]) --last;
  Sweep& sweep = sweeps_.at(worst->lease.sweep);
  const std::uint32_t attempt = worst->lease.attempt + 1;
  hand_out(node, sweep, {first, last}, attempt, now);
  auto& copy = leases_.rbegin()->second;
  copy.doubled = true;
  if (copy.open_count == 0) {  // everything in it arrived meanwhile
    node.leases.erase(copy.lease.id);
    --node.status.leases;
    ++node.status.credit;
    decisions_.pop_back();
    leases_.erase(copy.lease.id);
    return false;
  }
  return true;
}

bool Scheduler::may_receive(const Node& node, MonoNs now) const {
  return node.status.credit > 0 && now - node.status.last_seen < options_.lease_ttl;
}

std::vector<Decision> Scheduler::step(MonoNs now) {
  expire(now);
  // One lease a node and round, so that a newcomer does not starve behind a greedy node.
  for (bool granted = true; granted;) {
    granted = false;
    for (auto& [id, node] : nodes_) {
      if (may_receive(node, now) && grant_pending(node, now)) granted = true;
    }
  }
  for (auto& [id, node] : nodes_) {
    if (may_receive(node, now) && node.status.leases < node.status.facts.workers) {
      grant_straggler(node, now);
    }
  }
  return std::exchange(decisions_, {});
}

std::optional<MonoNs> Scheduler::next_deadline() const {
  std::optional<MonoNs> next;
  for (const auto& [id, held] : leases_)
    next = std::min(next.value_or(held.deadline), held.deadline);
  return next;
}

std::optional<SweepProgress> Scheduler::progress(std::string_view id) const {
  const auto it = sweeps_.find(id);
  if (it == sweeps_.end()) return std::nullopt;
  SweepProgress out = it->second.counts;
  out.pending = it->second.pending.size();
  return out;
}

std::vector<NodeStatus> Scheduler::nodes() const {
  std::vector<NodeStatus> out;
  for (const auto& [id, node] : nodes_) out.push_back(node.status);
  return out;
}

}  // namespace winnow::scheduler
