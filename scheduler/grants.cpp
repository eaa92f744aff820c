// Who gets what: the decisions of step().

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.hpp"
#include "scheduler/scheduler.hpp"

namespace winnow::scheduler {

void Scheduler::expire(MonoNs now) {
  while (!due_.empty() && due_.top().first <= now) {
    const LeaseId id = due_.top().second;
    due_.pop();
    const auto lease = leases_.find(id);
    if (lease == leases_.end()) continue;
    if (lease->second.deadline > now) {
      due_.emplace(lease->second.deadline, id);
    } else {
      ++leases_expired_;
      return_lease(id, Blame::Loss, "the node fell silent");
    }
  }
}

bool Scheduler::may_receive(const Node& node, MonoNs now) const {
  return node.status.credit > 0 && !node.exclusive &&
         now - node.status.last_seen < options_.lease_ttl;
}

// What was committed before this coordinator's time is taken to have cost the average.
bool Scheduler::exhausted(const Sweep& sweep) const {
  if (sweep.work.cpu_s_max <= 0) return false;
  const double block_s = sweep.block_cost_ns * 1e-9;
  const double spent_s =
      sweep.counts.work_s + static_cast<double>(sweep.committed_before) * block_s;
  return spent_s + static_cast<double>(sweep.counts.leased) * block_s >= sweep.work.cpu_s_max;
}

bool Scheduler::grantable(const Sweep& sweep) const {
  return !sweep.finished && !sweep.counts.paused && !sweep.awaited_until && !sweep.work.spent &&
         !exhausted(sweep);
}

std::uint64_t Scheduler::block_limit(const Sweep& sweep) {
  return sweep.work.blocks_max == 0 ? sweep.blocks.size() : sweep.work.blocks_max;
}

bool Scheduler::has_pending(const Sweep& sweep) {
  return !sweep.pending.empty() && sweep.pending.front().first < block_limit(sweep);
}

void Scheduler::notice_spent_budgets() {
  for (Sweep* sweep : open_) {
    const bool limited = sweep->work.blocks_max > 0 || sweep->work.cpu_s_max > 0;
    if (!limited || sweep->work.spent || sweep->counts.leased + sweep->counts.received > 0)
      continue;
    const bool waits =
        has_pending(*sweep) || !sweep->suspects.empty() || sweep->counts.withheld > 0;
    if (waits && !exhausted(*sweep)) continue;
    sweep->work.spent = true;
    decisions_.push_back(BudgetSpent{sweep->work.id});
  }
}

void Scheduler::stop_awaiting(MonoNs now) {
  if (awaiting_ == 0) return;
  awaiting_ = 0;
  for (auto& [id, sweep] : sweeps_) {
    if (sweep.awaited_until && *sweep.awaited_until <= now) {
      sweep.awaited_until.reset();
      ++news_;
    }
    awaiting_ += sweep.awaited_until.has_value();
  }
}

bool Scheduler::waits(const Sweep& sweep, Wants wants) const {
  return (wants == Wants::Pending ? has_pending(sweep) : !sweep.suspects.empty()) &&
         grantable(sweep);
}

bool Scheduler::any_waits(Wants wants) const {
  return std::any_of(open_.begin(), open_.end(),
                     [&](const Sweep* sweep) { return waits(*sweep, wants); });
}

// Highest priority; then the user who had least, then that user's sweep that had least, each with
// what is out there for it counted as had.
std::vector<Scheduler::Sweep*> Scheduler::by_turn(Wants wants) {
  const auto out_s = [](const Sweep& sweep) {
    const double cost_s = sweep.block_cost_ns > 0 ? sweep.block_cost_ns * 1e-9 : 1e-3;
    return static_cast<double>(sweep.counts.leased) * cost_s;
  };
  std::map<std::string_view, double> user_out_s;
  for (const Sweep* sweep : open_) user_out_s[sweep->work.user] += out_s(*sweep);
  using Turn = std::tuple<std::int64_t, double, std::string_view, double>;
  std::vector<std::pair<Turn, Sweep*>> turns;
  for (Sweep* sweep : open_) {
    if (!waits(*sweep, wants)) continue;
    const std::string& user = sweep->work.user;
    turns.emplace_back(
        Turn(-std::int64_t{sweep->work.priority}, users_.at(user).virtual_time + user_out_s[user],
             user, sweep->virtual_time + out_s(*sweep) / sweep->work.weight),
        sweep);
  }
  std::stable_sort(turns.begin(), turns.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Sweep*> out;
  for (const auto& [turn, sweep] : turns) out.push_back(sweep);
  return out;
}

std::uint32_t Scheduler::lease_size(const Sweep& sweep, const Node& node) const {
  if (sweep.block_cost_ns == 0) return 1;  // measure first
  const double by_cost =
      static_cast<double>(options_.lease_work.ns) / sweep.block_cost_ns * node.speed;
  // Towards the end leases shrink, so that all workers finish together (guided self-scheduling,
  // Polychronopoulos and Kuck 1987).
  const double by_rest =
      static_cast<double>(sweep.pending.size()) / (4.0 * std::max(1u, workers_)) * node.speed;
  const double n = std::min({by_cost, by_rest, static_cast<double>(options_.lease_blocks_max)});
  return static_cast<std::uint32_t>(std::max(1.0, std::floor(n)));
}

void Scheduler::grant_pending(Node& node, Sweep& sweep, BlockRange range, MonoNs now) {
  range.last = std::min(range.last, range.first + lease_size(sweep, node));
  hand_out(node, sweep, range, next_attempt(sweep, range), now);
  // That was the last of it for this node: what comes next is fetched while it runs.
  if (has_pending(sweep) && pick_range(sweep, node).size() == 0) want_next(node, sweep, now);
}

std::uint32_t Scheduler::next_attempt(const Sweep& sweep, BlockRange range) const {
  std::uint32_t attempt = 1;
  if (sweep.attempts.empty()) return attempt;
  for (std::uint64_t b = range.first; b < range.last; ++b) {
    const auto found = sweep.attempts.find(b);
    if (found != sweep.attempts.end()) attempt = std::max(attempt, found->second + 1);
  }
  return attempt;
}

void Scheduler::grant_suspect(Node& node, Sweep& sweep, MonoNs now) {
  const std::uint64_t block = *sweep.suspects.begin();
  HeldLease& held = hand_out(node, sweep, {block, block + 1}, sweep.attempts[block] + 1, now);
  held.exclusive = true;
  held.lease.alone = true;
  if (const auto found = sweep.condemned.find(block); found != sweep.condemned.end()) {
    held.lease.condemned = found->second;
  }
  std::get<Grant>(decisions_.back()).lease = held.lease;
  WINNOW_INVARIANT(node.leases.size() == 1);
  node.exclusive = true;
  if (reserved_ == node.status.id) reserved_.reset();
}

bool Scheduler::grant_one(Node& node, MonoNs now) {
  const std::vector<Sweep*> sweeps = by_turn(Wants::Pending);
  const std::vector<Sweep*> suspects = by_turn(Wants::Suspects);
  forget_failures(node, now);
  const bool suspect_first =
      !suspects.empty() &&
      (sweeps.empty() || suspects.front()->work.priority >= sweeps.front()->work.priority);
  if (suspect_first && node.leases.empty()) {
    Sweep& sweep = *suspects.front();
    const std::uint64_t block = *sweep.suspects.begin();
    if (may_run(node, sweep, block)) {
      grant_suspect(node, sweep, now);
      return true;
    }
    want(node, *data_of(sweep, block), now);
  }
  if (suspect_first && reserved_ == node.status.id) return false;  // it runs dry
  // Whoever's data is not here does not hold up the others, and has its turn when it is.
  for (Sweep* sweep : sweeps) {
    const BlockRange range = pick_range(*sweep, node);
    if (range.size() == 0) {
      want_next(node, *sweep, now);
      continue;
    }
    grant_pending(node, *sweep, range, now);
    return true;
  }
  node.vain_at = news_;
  node.look_again = now + kLookAgain;
  return false;
}

// While a suspect waits and no node is idle, one node gets no more until it is.
void Scheduler::reserve_for_suspects(MonoNs now) {
  if (!any_waits(Wants::Suspects)) return reserved_.reset();
  if (reserved_) {
    const auto node = nodes_.find(*reserved_);
    if (node != nodes_.end() && now - node->second.status.last_seen < options_.lease_ttl) return;
    reserved_.reset();
  }
  std::size_t fewest = ~std::size_t{0};
  for (const NodeId id : asking_) {
    const Node& node = nodes_.at(id);
    if (!may_receive(node, now) || node.leases.size() >= fewest) continue;
    fewest = node.leases.size();
    reserved_ = id;
  }
}

Scheduler::HeldLease Scheduler::begin_lease(const Node& node, const Sweep& sweep, BlockRange range,
                                            std::uint32_t attempt, MonoNs now) {
  HeldLease held;
  held.lease = {LeaseId(next_lease_++),
                sweep.work.id,
                range.first,
                static_cast<std::uint32_t>(range.size()),
                attempt,
                false,
                {}};
  held.node = node.status.id;
  held.open.assign(range.size(), false);
  held.granted = now;
  held.deadline = now + options_.lease_ttl;
  return held;
}

Scheduler::HeldLease& Scheduler::record(Node& node, HeldLease held) {
  node.leases.insert(held.lease.id);
  ++node.status.leases;
  due_.emplace(held.deadline, held.lease.id);
  const auto [it, is_new] = leases_.emplace(held.lease.id, std::move(held));
  WINNOW_INVARIANT(is_new && node.leases.size() == node.status.leases);
  return it->second;
}

Scheduler::HeldLease& Scheduler::hand_out(Node& node, Sweep& sweep, BlockRange range,
                                          std::uint32_t attempt, MonoNs now) {
  HeldLease held = begin_lease(node, sweep, range, attempt, now);
  for (std::uint64_t b = range.first; b < range.last; ++b) {
    Block& block = sweep.blocks[b];
    if (block.state != BlockState::Pending && block.state != BlockState::Leased) continue;
    if (block.state == BlockState::Pending) {
      stop_waiting(sweep, b);
      ++sweep.counts.leased;
    } else {
      ++sweep.counts.stragglers;
    }
    block.state = BlockState::Leased;
    WINNOW_INVARIANT(block.holders < 255);
    ++block.holders;
    held.open[b - range.first] = true;
    ++held.open_count;
  }
  WINNOW_INVARIANT(held.open_count > 0 && node.status.credit > 0);
  set_node_credit(node, node.status.credit - 1);
  decisions_.push_back(Grant{node.status.id, held.lease});
  return record(node, std::move(held));
}

std::optional<LeaseId> Scheduler::adopt(NodeId id, const HeldBlocks& blocks, MonoNs now) {
  const Audited audited(*this);
  const auto node = nodes_.find(id);
  const auto found = sweeps_.find(blocks.sweep);
  if (node == nodes_.end() || found == sweeps_.end() || node->second.exclusive) return {};
  if (node->second.leases.size() >= node->second.status.facts.leases_max) return {};
  Sweep& sweep = found->second;
  if (blocks.blocks == 0 || blocks.blocks > options_.lease_blocks_max ||
      blocks.first_block >= sweep.blocks.size() ||
      blocks.blocks > sweep.blocks.size() - blocks.first_block) {
    return {};
  }
  const BlockRange range{blocks.first_block, blocks.first_block + blocks.blocks};
  const bool alone = blocks.blocks == 1 && node->second.leases.empty();
  HeldLease held = begin_lease(node->second, sweep, range, next_attempt(sweep, range), now);
  const std::set<std::uint64_t> settled(blocks.settled.begin(), blocks.settled.end());
  for (std::uint64_t b = range.first; b < range.last; ++b) {
    Block& block = sweep.blocks[b];
    const bool suspect = sweep.suspects.contains(b);
    if (block.state != BlockState::Pending || settled.contains(b) || (suspect && !alone)) continue;
    stop_waiting(sweep, b);
    block.state = BlockState::Leased;
    WINNOW_INVARIANT(block.holders < 255);
    ++block.holders;
    ++sweep.counts.leased;
    ++sweep.counts.adopted;
    held.open[b - range.first] = true;
    ++held.open_count;
    held.exclusive = suspect;
  }
  if (held.open_count == 0) return {};
  node->second.exclusive = held.exclusive;
  return record(node->second, std::move(held)).lease.id;
}

// Idle workers take over what is left of the leases that are most overdue.
void Scheduler::grant_stragglers(MonoNs now) {
  if (asking_.empty() || leases_.empty() || now < next_straggler_scan_) return;
  next_straggler_scan_ = now + options_.straggler_scan;
  std::vector<NodeId> idle;
  for (const NodeId id : asking_) {
    const Node& node = nodes_.at(id);
    if (may_receive(node, now) && node.status.leases < node.status.facts.workers) {
      idle.push_back(id);
    }
  }
  if (idle.empty()) return;
  std::vector<std::pair<double, LeaseId>> overdue;
  for (const auto& [id, held] : leases_) {
    if (held.doubled || held.exclusive) continue;
    const Sweep& sweep = sweeps_.at(held.lease.sweep);
    if (!grantable(sweep) || sweep.block_cost_ns == 0) continue;
    const double expected = std::max(sweep.block_cost_ns * held.lease.blocks, 50e6);
    const double ratio = static_cast<double>((now - held.granted).ns) / expected;
    if (ratio > options_.straggler_factor) overdue.emplace_back(-ratio, id);
  }
  std::sort(overdue.begin(), overdue.end());
  for (const NodeId id : idle) {
    Node& node = nodes_.at(id);
    for (auto worst = overdue.begin(); worst != overdue.end(); ++worst) {
      HeldLease& held = leases_.at(worst->second);
      if (held.node == id) continue;
      const Sweep& sweep = sweeps_.at(held.lease.sweep);
      if (!may_run(node, sweep, held.lease.first_block)) {
        want(node, *data_of(sweep, held.lease.first_block), now);
        continue;
      }
      grant_copy(node, held, now);
      overdue.erase(worst);
      break;
    }
  }
}

void Scheduler::grant_copy(Node& node, HeldLease& of, MonoNs now) {
  Sweep& sweep = sweeps_.at(of.lease.sweep);
  BlockRange range{of.lease.first_block, of.lease.first_block + of.open.size()};
  const auto gone = [&](std::uint64_t block) {
    return !of.open[block - of.lease.first_block] ||
           sweep.blocks[block].state != BlockState::Leased;
  };
  while (range.first < range.last && gone(range.first)) ++range.first;
  while (range.last > range.first && gone(range.last - 1)) --range.last;
  of.doubled = true;
  if (range.size() == 0) return;  // all of it came from elsewhere
  hand_out(node, sweep, range, of.lease.attempt + 1, now).doubled = true;
}

std::vector<Decision> Scheduler::step(MonoNs now) {
  const Audited audited(*this);
  expire(now);
  stop_awaiting(now);
  if (!asking_.empty()) reserve_for_suspects(now);
  // One lease a node and round, so that a newcomer does not starve behind a greedy node.
  const auto nothing_waits = [this] {
    return !any_waits(Wants::Pending) && !any_waits(Wants::Suspects);
  };
  for (bool granted = true; granted;) {
    granted = false;
    if (asking_.empty() || nothing_waits()) break;
    const std::vector<NodeId> asking(asking_.begin(), asking_.end());
    for (const NodeId id : asking) {
      if (nothing_waits()) break;
      Node& node = nodes_.at(id);
      if (!may_receive(node, now) || asked_in_vain(node, now)) continue;
      if (grant_one(node, now)) granted = true;
    }
  }
  grant_stragglers(now);
  notice_spent_budgets();
  return std::exchange(decisions_, {});
}

}  // namespace winnow::scheduler
