// Blocks and trials that take their nodes down, and nodes that turn out to live.

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "scheduler/scheduler.hpp"

namespace winnow::scheduler {

void Scheduler::forgive(NodeId lost) {
  const Audited audited(*this);
  const auto loss = losses_.find(lost);
  if (loss == losses_.end()) return;
  for (const Suspect& suspect : loss->second) {
    const auto found = sweeps_.find(suspect.sweep);
    if (found == sweeps_.end()) continue;
    Sweep& sweep = found->second;
    if (suspect.trial) forgive_trial(sweep, suspect.block, *suspect.trial);
    const auto attempts = sweep.attempts.find(suspect.block);
    if (attempts == sweep.attempts.end()) continue;
    WINNOW_INVARIANT(attempts->second > 0);
    if (--attempts->second == 0) sweep.attempts.erase(attempts);
    const auto now_left = sweep.attempts.find(suspect.block);
    const std::uint32_t left = now_left == sweep.attempts.end() ? 0 : now_left->second;
    if (left < options_.isolate_after && !sweep.condemned.contains(suspect.block) &&
        sweep.suspects.erase(suspect.block) > 0) {
      sweep.pending.insert({suspect.block, suspect.block + 1});
    }
  }
  losses_.erase(loss);
  std::erase(losses_order_, lost);
  WINNOW_INVARIANT(losses_.size() == losses_order_.size());
}

void Scheduler::remember_loss(NodeId node, Suspect suspect) {
  const auto [loss, is_new] = losses_.try_emplace(node);
  loss->second.push_back(std::move(suspect));
  if (!is_new) return;
  losses_order_.push_back(node);
  if (losses_order_.size() <= kLossesMax) return;
  losses_.erase(losses_order_.front());
  losses_order_.pop_front();
}

void Scheduler::lease_overran(NodeId node, LeaseId id, const Overrun& what, MonoNs) {
  const Audited audited(*this);
  const auto it = leases_.find(id);
  if (it == leases_.end() || it->second.node != node) return;
  const HeldLease& held = it->second;
  Sweep& sweep = sweeps_.at(held.lease.sweep);
  for (std::size_t i = 0; i < held.open.size(); ++i) {
    const std::uint64_t block = held.lease.first_block + i;
    const bool running = block >= what.running.first && block < what.running.last;
    if (!held.open[i] || !running || sweep.blocks[block].state != BlockState::Leased) continue;
    std::uint32_t& attempts = sweep.attempts[block];
    attempts = std::max(attempts, options_.isolate_after);
    sweep.evidence[block] = what.evidence;
    if (what.trial && what.running.size() == 1) {
      sweep.condemned[block].emplace(*what.trial, what.evidence);
    }
  }
  return_lease(id, Blame::Nobody, what.evidence);
}

bool Scheduler::trial_begins(NodeId node, LeaseId id, std::uint64_t trial) {
  const Audited audited(*this);
  const auto it = leases_.find(id);
  if (it == leases_.end() || it->second.node != node) return false;
  if (it->second.exclusive) it->second.running = trial;
  return true;
}

void Scheduler::blame_trial(Sweep& sweep, std::uint64_t block, std::uint64_t trial,
                            std::string_view reason) {
  Fatal& fatal = sweep.fatal[block][trial];
  ++fatal.losses;
  fatal.evidence += (fatal.evidence.empty() ? "" : "; ") + std::string(reason);
  if (fatal.losses < options_.trial_losses_max) return;
  sweep.condemned[block].emplace(
      trial, "quarantined: trial " + std::to_string(trial) + " was running, alone, when " +
                 std::to_string(fatal.losses) + " nodes were lost: " + fatal.evidence);
  // One is found; the others of the block have all their attempts again.
  std::uint32_t& attempts = sweep.attempts[block];
  attempts = std::min(attempts, options_.isolate_after);
}

void Scheduler::forgive_trial(Sweep& sweep, std::uint64_t block, std::uint64_t trial) {
  const auto trials = sweep.fatal.find(block);
  if (trials == sweep.fatal.end()) return;
  const auto fatal = trials->second.find(trial);
  if (fatal == trials->second.end()) return;
  WINNOW_INVARIANT(fatal->second.losses > 0);
  if (fatal->second.losses-- == options_.trial_losses_max) {
    if (const auto condemned = sweep.condemned.find(block); condemned != sweep.condemned.end()) {
      condemned->second.erase(trial);
      if (condemned->second.empty()) sweep.condemned.erase(condemned);
    }
  }
  if (fatal->second.losses == 0) trials->second.erase(fatal);
  if (trials->second.empty()) sweep.fatal.erase(trials);
}

void Scheduler::last_words(NodeId lost, std::string_view text) {
  const Audited audited(*this);
  const auto loss = losses_.find(lost);
  if (loss == losses_.end()) return;
  const std::string said = " (" + std::string(text) + ")";
  for (Suspect& suspect : loss->second) {
    if (std::exchange(suspect.heard, true)) continue;
    const auto found = sweeps_.find(suspect.sweep);
    if (found == sweeps_.end() || suspect.block >= found->second.blocks.size()) continue;
    Sweep& sweep = found->second;
    if (sweep.blocks[suspect.block].state == BlockState::Committed) continue;
    sweep.evidence[suspect.block] += said;
    if (!suspect.trial) continue;
    const auto fatal = sweep.fatal.find(suspect.block);
    if (fatal == sweep.fatal.end() || !fatal->second.contains(*suspect.trial)) continue;
    fatal->second.at(*suspect.trial).evidence += said;
    const auto condemned = sweep.condemned.find(suspect.block);
    if (condemned == sweep.condemned.end()) continue;
    const auto one = condemned->second.find(*suspect.trial);
    if (one != condemned->second.end()) one->second += said;
  }
}

}  // namespace winnow::scheduler
