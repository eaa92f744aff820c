#include <algorithm>

#include "scheduler/scheduler.hpp"

namespace winnow::scheduler {
namespace {

std::string count(std::uint64_t n, const char* what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

std::string hours_text(double s) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", s / 3600);
  return text;
}

}  // namespace

std::string Scheduler::explain(std::string_view id, std::optional<std::uint64_t> block,
                               MonoNs now) const {
  const auto it = sweeps_.find(id);
  if (it == sweeps_.end()) return "The farm is not working on sweep " + std::string(id) + ".";
  if (!block) return explain_sweep(it->first, it->second, now);
  if (*block < it->second.blocks.size()) return explain_block(it->first, it->second, *block, now);
  return "Block " + std::to_string(*block) + " does not exist; the sweep has " +
         count(it->second.counts.blocks, "block") + ".";
}

std::string Scheduler::explain_sweep(const std::string& id, const Sweep& sweep, MonoNs now) const {
  if (sweep.finished) return "All " + count(sweep.counts.blocks, "block") + " are committed.";
  if (sweep.counts.paused) return "The sweep is paused; `winnow sweep resume` continues it.";
  const bool waits = !sweep.pending.empty() || !sweep.suspects.empty();
  if (waits) {
    if (std::string budget = explain_budget(id, sweep); !budget.empty()) return budget;
  }
  if (waits && sweep.awaited_until) {
    const std::int64_t left_ms = (*sweep.awaited_until - now).ns / 1'000'000;
    return "The coordinator has just started; for " +
           std::to_string(std::max<std::int64_t>(left_ms, 0)) +
           " ms more, nodes may say which blocks they are still running.";
  }
  if (nodes_.empty()) return "No node has joined the farm; `winnow node --join` adds one.";
  std::size_t silent = 0;
  for (const auto& [node_id, node] : nodes_) {
    silent += now - node.status.last_seen >= options_.lease_ttl;
  }
  if (silent == nodes_.size()) {
    return "No node has been heard of for " + std::to_string(options_.lease_ttl.ns / 1'000'000) +
           " ms; " + count(silent, "node") + " may come back.";
  }
  for (const Sweep* other : open_) {
    if (waits && grantable(*other) && has_pending(*other) &&
        other->work.priority > sweep.work.priority) {
      return "Sweep " + other->work.id + " has priority " + std::to_string(other->work.priority) +
             ", above this one's " + std::to_string(sweep.work.priority) + ", and still has " +
             count(other->pending.size(), "block") + " waiting.";
    }
  }
  std::string out = count(sweep.pending.size(), "block") + " waiting, " +
                    count(sweep.counts.leased, "block") + " on nodes, " +
                    count(sweep.counts.received, "block") + " being committed, " +
                    count(sweep.counts.committed, "block") + " committed, " +
                    count(sweep.counts.quarantined, "block") + " quarantined.";
  if (sweep.counts.withheld > 0) {
    out += " " + count(sweep.counts.withheld, "block") +
           " of later generations of the search, whose parameters follow from these results.";
  }
  if (!sweep.suspects.empty()) {
    out += " " + count(sweep.suspects.size(), "block") +
           " that failed before wait for a node of their own.";
  }
  if (!sweep.pending.empty() && asking_.empty()) {
    out += " Every place of " + count(workers_, "worker") + " is taken.";
  }
  if (waits && open_.size() > 1) out += explain_rank(sweep);
  return out;
}

std::string Scheduler::explain_budget(const std::string& id, const Sweep& sweep) const {
  if (exhausted(sweep) || (sweep.work.spent && has_pending(sweep))) {
    return "Its budget of " + hours_text(sweep.work.cpu_s_max) +
           " CPU hours is used up; `winnow sweep extend " + id + " --cpu-hours N` adds to it.";
  }
  if (has_pending(sweep) || !sweep.suspects.empty() || sweep.work.blocks_max == 0) return "";
  const std::uint64_t out_there = sweep.counts.leased + sweep.counts.received;
  return "Its budget of trials allows the first " + count(sweep.work.blocks_max, "block") + " of " +
         std::to_string(sweep.counts.blocks) + "; " +
         (out_there > 0 ? count(out_there, "block") + " of them are still on their way"
                        : "all of them are done") +
         "; `winnow sweep extend " + id + " --budget N` adds to it.";
}

// Whose turn it is, by what decides it.
std::string Scheduler::explain_rank(const Sweep& sweep) const {
  std::string out = " " + count(open_.size(), "sweep") + " share the farm; user " +
                    (sweep.work.user.empty() ? "(none)" : sweep.work.user) + " has had " +
                    hours_text(users_.at(sweep.work.user).virtual_time) + " CPU hours";
  std::string others;
  for (const auto& [name, user] : users_) {
    if (name == sweep.work.user || user.open_sweeps == 0) continue;
    others += (others.empty() ? "" : ", ") + (name.empty() ? "(none)" : name) + " " +
              hours_text(user.virtual_time);
  }
  if (!others.empty()) out += " (others: " + others + "); whoever had least is next";
  if (sweep.work.weight != 1) {
    char weight[32];
    std::snprintf(weight, sizeof weight, "%.3g", sweep.work.weight);
    out += "; among this user's sweeps its weight is " + std::string(weight);
  }
  return out + ".";
}

// Who holds what the block needs.
std::string Scheduler::explain_data(const Sweep& sweep, std::uint64_t block) const {
  const auto& ends = sweep.work.segment_ends;
  const auto segment = std::upper_bound(ends.begin(), ends.end(), block) - ends.begin();
  if (static_cast<std::size_t>(segment) >= sweep.work.segment_data.size()) return "";
  const std::string& data = sweep.work.segment_data[static_cast<std::size_t>(segment)];
  std::size_t told = 0, holding = 0;
  for (const auto& [id, node] : nodes_) {
    told += !node.status.facts.datasets.empty();
    holding += node.status.facts.datasets.contains(data);
  }
  if (told == 0 || holding == nodes_.size()) return "";
  return " Its dataset is on " + std::to_string(holding) + " of " + count(nodes_.size(), "node") +
         (holding == 0 ? "; it is shipped to the first that takes the block."
                       : ", which are given it first.");
}

std::string Scheduler::explain_node(NodeId id, MonoNs now) const {
  const auto it = nodes_.find(id);
  if (it == nodes_.end()) return "The farm does not know this node.";
  const Node& node = it->second;
  const std::int64_t silent_ms = (now - node.status.last_seen).ns / 1'000'000;
  std::string out = "It has " + count(node.status.facts.workers, "worker") + ", holds " +
                    count(node.leases.size(), "lease") + ", has room for " +
                    std::to_string(node.status.credit) + " more and was heard of " +
                    std::to_string(silent_ms) + " ms ago.";
  for (const LeaseId lease : node.leases) {
    const HeldLease& held = leases_.at(lease);
    out += " Lease " + std::to_string(lease.value()) + ": blocks " +
           std::to_string(held.lease.first_block) + " to " +
           std::to_string(held.lease.first_block + held.open.size() - 1) + " of sweep " +
           held.lease.sweep + ", " + std::to_string(held.open_count) + " of " +
           std::to_string(held.open.size()) + " open, for " +
           std::to_string((now - held.granted).ns / 1'000'000) + " ms (attempt " +
           std::to_string(held.lease.attempt) + ").";
  }
  if (node.exclusive) return out + " It runs a block that failed before, and nothing beside it.";
  if (reserved_ == id)
    return out +
           " It gets no more until it is idle: a block that failed before "
           "waits for a node of its own.";
  if (now - node.status.last_seen >= options_.lease_ttl) return out + " It is silent.";
  if (node.status.credit == 0) return out + " Every place is taken.";
  const bool waits = std::any_of(open_.begin(), open_.end(), [this](const Sweep* sweep) {
    return grantable(*sweep) && (has_pending(*sweep) || !sweep->suspects.empty());
  });
  return out + (waits ? " It is next in line." : " Nothing waits for it.");
}

std::string Scheduler::explain_block(const std::string& id, const Sweep& sweep, std::uint64_t block,
                                     MonoNs now) const {
  const auto evidence = sweep.evidence.find(block);
  std::string history = evidence == sweep.evidence.end() ? "" : " " + evidence->second + ".";
  if (const auto found = sweep.condemned.find(block); found != sweep.condemned.end()) {
    history += " " + count(found->second.size(), "trial") +
               " of it did not stop or took nodes down, and " +
               (found->second.size() == 1 ? "is" : "are") + " left out.";
  }
  switch (sweep.blocks[block].state) {
    case BlockState::Pending:
      if (sweep.suspects.contains(block)) {
        return "It failed before and waits for a node that runs nothing else." + history;
      }
      if (block >= block_limit(sweep) && !sweep.counts.paused) {
        return "It lies beyond the sweep's budget. " + explain_sweep(id, sweep, now) + history;
      }
      return "It waits for a worker. " + explain_sweep(id, sweep, now) +
             explain_data(sweep, block) + history;
    case BlockState::Withheld:
      return "Its parameters are not chosen yet: the search learns, and waits for the results of "
             "the blocks before it." +
             history;
    case BlockState::Received:
      return "Its result is here and is being committed." + history;
    case BlockState::Committed:
      return "It is committed." + history;
    case BlockState::Quarantined:
      return "It is quarantined after " + std::to_string(options_.block_attempts_max) +
             " attempts." + history;
    case BlockState::Leased:
      break;
  }
  std::string out;
  for (const auto& [lease_id, held] : leases_) {
    if (held.lease.sweep != id || block < held.lease.first_block ||
        block - held.lease.first_block >= held.open.size() ||
        !held.open[block - held.lease.first_block]) {
      continue;
    }
    const auto node = nodes_.find(held.node);
    out += (out.empty() ? "" : " ");
    out += "Node " + (node == nodes_.end() ? "?" : node->second.status.facts.name) +
           " has it for " + std::to_string((now - held.granted).ns / 1'000'000) + " ms (attempt " +
           std::to_string(held.lease.attempt) + (held.exclusive ? ", nothing else beside it" : "") +
           ").";
  }
  return out + history;
}

}  // namespace winnow::scheduler
