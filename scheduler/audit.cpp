#include <algorithm>
#include <map>

#include "base/check.hpp"
#include "scheduler/scheduler.hpp"

namespace winnow::scheduler {

std::string Scheduler::audit_blocks(const std::string& id, const Sweep& sweep) const {
  std::vector<std::uint32_t> holders(sweep.blocks.size(), 0);
  for (const auto& [lease_id, held] : leases_) {
    if (held.lease.sweep != id) continue;
    for (std::size_t i = 0; i < held.open.size(); ++i) {
      if (held.open[i]) ++holders[held.lease.first_block + i];
    }
  }
  std::uint64_t leased = 0, received = 0, committed = 0, quarantined = 0, pending = 0;
  std::uint64_t withheld = 0;
  for (std::uint64_t b = 0; b < sweep.blocks.size(); ++b) {
    const Block& block = sweep.blocks[b];
    const auto place = [&] { return "block " + std::to_string(b) + " of sweep " + id; };
    if (block.holders != holders[b]) return place() + " counts its holders wrongly";
    const int waits = int{sweep.pending.contains(b)} + int{sweep.suspects.contains(b)};
    if (waits != int{block.state == BlockState::Pending}) {
      return place() + " waits in " + std::to_string(waits) + " places";
    }
    if (block.state == BlockState::Leased && holders[b] == 0)
      return place() + " is leased to nobody";
    if (block.state == BlockState::Pending && holders[b] > 0)
      return place() + " waits and is leased";
    leased += block.state == BlockState::Leased;
    received += block.state == BlockState::Received;
    committed += block.state == BlockState::Committed;
    quarantined += block.state == BlockState::Quarantined;
    pending += block.state == BlockState::Pending;
    withheld += block.state == BlockState::Withheld;
  }
  const SweepProgress& counts = sweep.counts;
  if (leased != counts.leased || received != counts.received || committed != counts.committed ||
      quarantined != counts.quarantined || withheld != counts.withheld ||
      pending != sweep.pending.size() + sweep.suspects.size()) {
    return "the counts of sweep " + id + " are not its blocks";
  }
  if (sweep.finished != (committed == sweep.blocks.size())) {
    return "sweep " + id + " is finished and is not";
  }
  return "";
}

std::string Scheduler::audit_leases() const {
  std::map<NodeId, std::uint32_t> held_by;
  std::map<std::tuple<std::string, std::uint64_t, std::uint32_t>, LeaseId> holder;
  for (const auto& [id, held] : leases_) {
    const std::string place = "lease " + std::to_string(id.value());
    const auto node = nodes_.find(held.node);
    if (node == nodes_.end()) return place + " is held by a node that is not there";
    if (!node->second.leases.contains(id)) return place + " is unknown to its node";
    ++held_by[held.node];
    std::uint32_t open = 0;
    for (std::size_t i = 0; i < held.open.size(); ++i) {
      if (!held.open[i]) continue;
      ++open;
      const auto key = std::tuple(held.lease.sweep, held.lease.first_block + i, held.lease.attempt);
      if (!holder.emplace(key, id).second) {
        return place + " runs block " + std::to_string(held.lease.first_block + i) + " of sweep " +
               held.lease.sweep + " at attempt " + std::to_string(held.lease.attempt) +
               " as another live lease does";
      }
    }
    if (open != held.open_count || open == 0) return place + " counts its blocks wrongly";
  }
  for (const auto& [id, node] : nodes_) {
    const auto held = held_by.find(id);
    const std::uint32_t leases = held == held_by.end() ? 0 : held->second;
    const std::string place = "node " + node.status.facts.name;
    if (node.leases.size() != leases || node.status.leases != leases) {
      return place + " counts its leases wrongly";
    }
    const bool exclusive = std::any_of(node.leases.begin(), node.leases.end(),
                                       [&](LeaseId l) { return leases_.at(l).exclusive; });
    if (node.exclusive != exclusive || (exclusive && leases != 1)) {
      return place + " runs others beside a suspect";
    }
  }
  return "";
}

// What needs no walk over the blocks.
std::string Scheduler::audit_sums(const std::string& id, const Sweep& sweep) {
  const SweepProgress& c = sweep.counts;
  const std::uint64_t waiting = sweep.pending.size() + sweep.suspects.size();
  if (c.leased + c.received + c.committed + c.quarantined + c.withheld + waiting !=
      sweep.blocks.size()) {
    return "the counts of sweep " + id + " do not add up to its blocks";
  }
  if (sweep.finished != (c.committed == sweep.blocks.size())) {
    return "sweep " + id + " is finished and is not";
  }
  return "";
}

namespace {
// Steps of an audit that an event pays for. What is paid for is walked through: a sweep of a few
// blocks by each event that touches it, one of a million blocks by every thirty thousandth.
constexpr std::uint64_t kAuditSteps = 32;
}  // namespace

std::string Scheduler::audit_event_on(const std::string& id, Sweep& sweep) {
  if (std::string wrong = audit_sums(id, sweep); !wrong.empty()) return wrong;
  sweep.audit_paid += kAuditSteps;
  if (sweep.audit_paid < sweep.blocks.size() + sweep.counts.leased + leases_.size()) return "";
  sweep.audit_paid = 0;
  return audit_blocks(id, sweep);
}

void Scheduler::audit_event(std::string_view id) {
  std::string wrong;
  if (const auto it = sweeps_.find(id); it != sweeps_.end()) {
    wrong = audit_event_on(it->first, it->second);
  } else {
    for (Sweep* sweep : open_) {
      if (wrong.empty()) wrong = audit_event_on(sweep->work.id, *sweep);
    }
  }
  // A lease costs a few steps for each of its blocks.
  std::uint64_t steps = 8 * leases_.size() + nodes_.size() + sweeps_.size() + copies_.size();
  for (const Sweep* sweep : open_) steps += 8 * sweep->counts.leased;
  audit_paid_ += kAuditSteps;
  if (wrong.empty() && audit_paid_ >= steps) {
    audit_paid_ = 0;
    wrong = audit_leases();
    if (wrong.empty()) wrong = audit_totals();
  }
  if (!wrong.empty()) contract_broken("invariant", wrong.c_str());
}

std::string Scheduler::audit() const {
  for (const auto& [id, sweep] : sweeps_) {
    if (std::string wrong = audit_blocks(id, sweep); !wrong.empty()) return wrong;
  }
  if (std::string wrong = audit_leases(); !wrong.empty()) return wrong;
  return audit_totals();
}

std::string Scheduler::audit_totals() const {
  std::uint32_t workers = 0;
  for (const auto& [id, node] : nodes_) {
    workers += node.status.facts.workers;
    if (asking_.contains(id) != (node.status.credit > 0)) return "who asks is not who has credit";
  }
  if (workers != workers_) return "the workers are miscounted";
  if (losses_.size() != losses_order_.size()) return "the lost nodes are miscounted";
  if (due_.size() < leases_.size()) return "a lease has no deadline";
  if (reserved_ && !nodes_.contains(*reserved_)) return "a node that is gone is reserved";
  std::map<std::string, std::uint32_t> open;
  std::size_t grantable_sweeps = 0;
  for (const auto& [id, sweep] : sweeps_) {
    if (!sweep.finished) ++open[sweep.work.user];
    grantable_sweeps += !sweep.finished && !sweep.counts.paused;
  }
  for (const auto& [name, user] : users_) {
    if (user.open_sweeps != open[name]) return "the sweeps of user " + name + " are miscounted";
  }
  if (grantable_sweeps != open_.size()) return "the list of open sweeps is stale";
  return audit_data();
}

std::string Scheduler::audit_data() const {
  std::map<std::string, std::uint32_t> copies;
  for (const auto& [id, node] : nodes_) {
    std::set<std::string> all = node.status.facts.datasets;
    for (const auto& [data, want] : node.wants) all.insert(data);
    for (const std::string& data : all) ++copies[data];
    if (node.wants.size() > kWantsMax) {
      return "too much is remembered of node " + node.status.facts.name;
    }
  }
  return copies == copies_ ? "" : "the copies of datasets are miscounted";
}

std::vector<Scheduler::LiveLease> Scheduler::live_leases() const {
  std::vector<LiveLease> out;
  for (const auto& [id, held] : leases_) out.push_back({held.node, held.lease, held.open});
  return out;
}

}  // namespace winnow::scheduler
