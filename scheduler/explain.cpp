#include "scheduler/scheduler.hpp"

namespace winnow::scheduler {
namespace {

std::string count(std::uint64_t n, const char* what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

}  // namespace

std::string Scheduler::explain(std::string_view id, std::optional<std::uint64_t> block,
                               MonoNs now) const {
  const auto it = sweeps_.find(id);
  if (it == sweeps_.end()) return "The farm is not working on sweep " + std::string(id) + ".";
  const Sweep& sweep = it->second;
  if (!block) {
    if (sweep.finished) return "All " + count(sweep.counts.blocks, "block") + " are committed.";
    if (sweep.counts.paused) return "The sweep is paused; `winnow sweep resume` continues it.";
    if (nodes_.empty()) return "No node has joined the farm; `winnow node --join` adds one.";
    for (const auto& [other_id, other] : sweeps_) {
      if (!other.finished && !other.counts.paused && !other.pending.empty() &&
          other.work.priority > sweep.work.priority && !sweep.pending.empty()) {
        return "Sweep " + other_id + " has priority " + std::to_string(other.work.priority) +
               ", above this one's " + std::to_string(sweep.work.priority) + ", and still has " +
               count(other.pending.size(), "block") + " waiting.";
      }
    }
    return count(sweep.pending.size(), "block") + " waiting, " +
           count(sweep.counts.leased, "block") + " on nodes, " +
           count(sweep.counts.received, "block") + " being committed, " +
           count(sweep.counts.committed, "block") + " committed, " +
           count(sweep.counts.quarantined, "block") + " quarantined.";
  }
  if (*block >= sweep.blocks.size()) {
    return "Block " + std::to_string(*block) + " does not exist; the sweep has " +
           count(sweep.counts.blocks, "block") + ".";
  }
  const auto evidence = sweep.evidence.find(*block);
  const std::string history = evidence == sweep.evidence.end() ? "" : " " + evidence->second + ".";
  switch (sweep.blocks[*block].state) {
    case BlockState::Pending:
      return "It waits for a worker." + history;
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
    if (held.lease.sweep != id || *block < held.lease.first_block ||
        *block - held.lease.first_block >= held.open.size() ||
        !held.open[*block - held.lease.first_block]) {
      continue;
    }
    const auto node = nodes_.find(held.node);
    out += (out.empty() ? "" : " ");
    out += "Node " + (node == nodes_.end() ? "?" : node->second.status.facts.name) +
           " has it for " + std::to_string((now - held.granted).ns / 1'000'000) + " ms (attempt " +
           std::to_string(held.lease.attempt) + ").";
  }
  return out + history;
}

}  // namespace winnow::scheduler
