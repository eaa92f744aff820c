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
  if (waits) out += explain_missing(sweep);
  if (waits && open_.size() > 1) out += explain_rank(sweep);
  return out;
}

// The datasets that its waiting blocks need and that are on their way to some node.
std::string Scheduler::explain_missing(const Sweep& sweep) const {
  std::set<std::string> said;
  std::string out;
  const auto say = [&](std::uint64_t block) {
    constexpr std::size_t kNamed = 2;
    const std::string* data = data_of(sweep, block);
    if (data == nullptr || said.size() >= kNamed || said.contains(*data)) return;
    const std::string fetches = explain_fetches(*data);
    if (fetches.empty()) return;
    said.insert(*data);
    out += fetches;
  };
  for (std::size_t s = 0; s < sweep.work.segment_data.size(); ++s) {
    const std::uint64_t first = s == 0 ? 0 : sweep.work.segment_ends[s - 1];
    const BlockRange here = sweep.pending.first_within({first, sweep.work.segment_ends[s]});
    if (here.size() > 0) say(here.first);
  }
  if (!sweep.suspects.empty()) say(*sweep.suspects.begin());
  return out;
}

std::string Scheduler::data_trouble(std::string_view id) const {
  const auto it = sweeps_.find(id);
  if (it == sweeps_.end()) return "";
  const Sweep& sweep = it->second;
  for (std::size_t s = 0; s < sweep.work.segment_data.size(); ++s) {
    const std::uint64_t first = s == 0 ? 0 : sweep.work.segment_ends[s - 1];
    const BlockRange segment{first, sweep.work.segment_ends[s]};
    const auto suspect = sweep.suspects.lower_bound(segment.first);
    const bool waits = sweep.pending.first_within(segment).size() > 0 ||
                       (suspect != sweep.suspects.end() && *suspect < segment.last);
    if (!waits) continue;
    const std::string& data = sweep.work.segment_data[s];
    for (const auto& [node_id, node] : nodes_) {
      const auto want = node.wants.find(data);
      if (want == node.wants.end() || want->second.state.reason.empty()) continue;
      return "node " + node.status.facts.name + " cannot get dataset " + data + ": " +
             want->second.state.reason;
    }
  }
  return "";
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

std::string Scheduler::explain_waiting(const std::string& id, const Sweep& sweep,
                                       std::uint64_t block, MonoNs now) const {
  std::string out = explain_sweep(id, sweep, now);
  const std::string* data = data_of(sweep, block);
  if (data == nullptr) return out;
  const std::string fetches = explain_fetches(*data);
  if (out.find(fetches) == std::string::npos) out += fetches;
  return out + explain_data(*data);
}

// Who holds what the block needs.
std::string Scheduler::explain_data(const std::string& data) const {
  std::size_t told = 0, holding = 0;
  for (const auto& [id, node] : nodes_) {
    told += node.status.facts.tells_data || !node.status.facts.datasets.empty();
    holding += has(node, data);
  }
  if (told == 0 || holding == nodes_.size()) return "";
  return " Its dataset is on " + std::to_string(holding) + " of " + count(nodes_.size(), "node") +
         (holding == 0 ? "." : ", which are given it first.");
}

// Who fetches a dataset or could not get it; a few of them.
std::string Scheduler::explain_fetches(const std::string& data) const {
  constexpr std::size_t kNamed = 3;
  std::string out;
  std::size_t named = 0, others = 0;
  for (const auto& [id, node] : nodes_) {
    const std::string one = explain_fetch(node, data);
    if (one.empty()) continue;
    if (named == kNamed) {
      ++others;
      continue;
    }
    out += (named++ == 0 ? " Waits for dataset " + data + ": " : "; ") + "node " +
           node.status.facts.name + " " + one;
  }
  if (others > 0) out += "; " + count(others, "other node");
  return out.empty() ? "" : out + ".";
}

std::string Scheduler::explain_fetch(const Node& node, const std::string& data) {
  const auto want = node.wants.find(data);
  if (want == node.wants.end()) return "";
  const DataState& state = want->second.state;
  if (state.is == DataState::Is::Failed) return "cannot get it: " + state.reason;
  if (!state.reason.empty()) return "tries again to get it: " + state.reason;
  return state.bytes_total == 0 ? "is told to fetch it"
                                : "has " + std::to_string(state.bytes_here) + " of " +
                                      std::to_string(state.bytes_total) + " bytes";
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
  for (const auto& [data, want] : node.wants) {
    out += want.state.is == DataState::Is::Failed ? " Of" : " It fetches";
    out += " dataset " + data + ": it " + explain_fetch(node, data) + ".";
  }
  if (node.exclusive) return out + " It runs a block that failed before, and nothing beside it.";
  if (reserved_ == id)
    return out +
           " It gets no more until it is idle: a block that failed before "
           "waits for a node of its own.";
  if (now - node.status.last_seen >= options_.lease_ttl) return out + " It is silent.";
  if (node.status.credit == 0) return out + " Every place is taken.";
  const bool something_waits = any_waits(Wants::Pending) || any_waits(Wants::Suspects);
  if (something_waits && asked_in_vain(node, now)) {
    return out + " The data of what waits is not there yet.";
  }
  return out + (something_waits ? " It is next in line." : " Nothing waits for it.");
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
  const std::string* data = data_of(sweep, block);
  switch (sweep.blocks[block].state) {
    case BlockState::Pending:
      if (sweep.suspects.contains(block)) {
        return "It failed before and waits for a node that runs nothing else." +
               (data == nullptr ? "" : explain_fetches(*data)) + history;
      }
      if (block >= block_limit(sweep) && !sweep.counts.paused) {
        return "It lies beyond the sweep's budget. " + explain_sweep(id, sweep, now) + history;
      }
      return "It waits for a worker. " + explain_waiting(id, sweep, block, now) + history;
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
    if (data != nullptr && node != nodes_.end()) {
      const std::string fetch = explain_fetch(node->second, *data);
      if (!fetch.empty()) out += " It waits for dataset " + *data + " there: it " + fetch + ".";
    }
  }
  return out + history;
}

}  // namespace winnow::scheduler
