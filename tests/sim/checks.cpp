#include "tests/sim/checks.hpp"

#include <algorithm>
#include <cmath>

namespace winnow::sim {
namespace {

std::string place_text(const Disk::Place& place) {
  return "block " + std::to_string(place.second) + " of sweep " + place.first;
}

}  // namespace

void Checks::sent_to_node(std::uint64_t session, const Frame& frame) {
  if (actors::is<actors::BlocksCommitted>(frame)) {
    if (const auto message = actors::decode<actors::BlocksCommitted>(frame)) acknowledged(*message);
  } else if (actors::is<actors::LeaseOrder>(frame)) {
    if (const auto order = actors::decode<actors::LeaseOrder>(frame)) ordered(session, *order);
  } else if (actors::is<actors::Welcome>(frame)) {
    const auto welcome = actors::decode<actors::Welcome>(frame);
    for (const actors::Adopted& one : welcome->adopted) orders_[session][one.lease] = 0;
  }
}

void Checks::acknowledged(const actors::BlocksCommitted& message) {
  for (const std::uint64_t block : message.blocks) {
    const Disk::Place place(message.sweep, block);
    if (!disk_.durable(place)) broken(place_text(place) + " is acknowledged but not on the disk");
    acknowledged_.insert(place);
  }
}

void Checks::ordered(std::uint64_t session, const actors::LeaseOrder& order) {
  orders_[session][order.lease] = order.blocks;
  bool open = false;
  for (std::uint32_t i = 0; i < order.blocks; ++i) {
    open = open || !acknowledged_.contains({order.sweep, order.first_block + i});
  }
  if (!open) {
    broken("lease " + std::to_string(order.lease) + " of sweep " + order.sweep +
           " is of acknowledged blocks only, from block " + std::to_string(order.first_block));
  }
}

void Checks::commit_answered(const store::BlockCommit& commit,
                             const store::CommitOutcome& outcome) {
  const auto stored = disk_.blocks().find({commit.sweep_id, commit.block->block});
  if (stored == disk_.blocks().end()) return;
  const bool differs = stored->second.content != commit.block->content_hash();
  const auto right = differs ? store::CommitKind::Mismatch : store::CommitKind::Duplicate;
  if (outcome.kind != right) {
    broken(place_text(stored->first) + " came again, " + (differs ? "different" : "the same") +
           ", and the store did not say so");
  }
}

void Checks::coordinator(const CoordinatorHost& host, std::size_t nodes) {
  if (host.core() == nullptr) return;
  const scheduler::Scheduler& scheduler = host.core()->scheduler();
  if (std::string wrong = scheduler.audit(); !wrong.empty()) broken("scheduler: " + wrong);
  for (const scheduler::NodeStatus& node : scheduler.nodes()) {
    if (node.leases > node.facts.workers * actors::kLeasesPerWorker) {
      broken(node.facts.name + " was given " + std::to_string(node.leases) + " leases, more than " +
             std::to_string(node.facts.workers * actors::kLeasesPerWorker));
    }
  }
  // Every node's blocks are on their way once; what else waits was made here.
  std::uint64_t bound = 0;
  for (const SweepDecl& sweep : workload_.sweeps) bound += sweep.blocks + 2;
  if (host.core()->blocks_in_commit() > bound * nodes * 4 ||
      host.queued() > host.core()->blocks_in_commit() + bound) {
    broken("the intake holds " + std::to_string(host.queued()) + " blocks");
  }
  ledger();
}

void Checks::node(const NodeHost& host) {
  const actors::NodeCore* core = host.core();
  if (core == nullptr) return;
  if (core->places() > std::size_t{host.workers()} * actors::kLeasesPerWorker) {
    broken(host.process.name + " holds " + std::to_string(core->places()) + " leases");
  }
  if (core->unacknowledged() > host.adopted() && core->places() == 0) {
    broken(host.process.name + " keeps results that no lease of it is for");
  }
  const auto session = orders_.find(core->session());
  for (const std::uint64_t lease : core->current_leases()) {
    if (session == orders_.end() || !session->second.contains(lease)) {
      broken(host.process.name + " works on lease " + std::to_string(lease) +
             ", which was not given to it in this session");
    }
  }
}

void Checks::after_restart() {
  for (const Disk::Place& place : acknowledged_) {
    if (!disk_.durable(place)) broken(place_text(place) + " was acknowledged and is lost");
  }
  ledger();
}

void Checks::ledger() {
  // All trials of the workloads differ, so keys and rows of blocks agree.
  std::uint64_t rows = 0;
  if (disk_.ledger_executions() != disk_.ledger_trials()) {
    broken("the ledger counts " + std::to_string(disk_.ledger_trials()) + " trials and " +
           std::to_string(disk_.ledger_executions()) + " executions");
  }
  rows = disk_.rows();
  if (disk_.ledger_trials() != rows) {
    broken("the ledger counts " + std::to_string(disk_.ledger_trials()) +
           " trials, the blocks hold " + std::to_string(rows));
  }
}

void Checks::at_end(const std::string& quiet) {
  std::set<TrialKey> keys;
  std::uint64_t rows = 0;
  for (const auto& [place, stored] : disk_.blocks()) {
    keys.insert(stored.keys.begin(), stored.keys.end());
    rows += stored.rows;
  }
  if (keys.size() != disk_.ledger_trials() || rows != disk_.ledger_executions()) {
    broken("at the end the ledger counts " + std::to_string(disk_.ledger_trials()) +
           " trials, the blocks hold " + std::to_string(keys.size()));
  }
  if (workload_.wrong_frac > 0) return only_wrong_where_undetected();
  std::string failed;
  for (const auto& [place, stored] : disk_.blocks()) {
    if (stored.failed) failed += " " + place_text(place);
  }
  if (digest(disk_) != quiet) {
    broken("results or ranking differ from a quiet run (" + quiet + "); quarantined:" + failed);
  }
}

// A node that computes wrong bytes and is first cannot be told from one that is right; the other
// blocks are as they should be.
void Checks::only_wrong_where_undetected() {
  const auto sweeps = disk_.sweeps();
  for (const store::SweepMeta& meta : *sweeps) {
    const auto plan = results().plan(meta.spec_json);
    for (std::uint64_t b = 0; b < meta.blocks; ++b) {
      const std::string& right = results().block(*plan, b);
      const auto stored = disk_.blocks().find({meta.id, b});
      if (stored == disk_.blocks().end()) {
        broken("block " + std::to_string(b) + " of sweep " + meta.id + " is missing");
        continue;
      }
      const Hash128 content = stored->second.content;
      if (content != actors::decode_block(right)->content_hash() &&
          content != actors::decode_block(Results::wrong_block(right))->content_hash()) {
        broken(place_text(stored->first) + " is neither right nor what the wrong node makes");
      }
    }
  }
}

std::string digest(const Disk& disk) {
  KeyHasher hasher("simulated-results");
  std::vector<std::pair<double, TrialKey>> ranking;
  for (const auto& [place, stored] : disk.blocks()) {
    hasher.add(place.first).add(place.second).add(std::uint64_t{stored.failed});
    if (stored.failed) {
      for (const TrialKey& key : stored.keys) hasher.add(key);
      continue;
    }
    hasher.add(stored.content);
    for (std::size_t row = 0; row < stored.keys.size(); ++row) {
      if (std::isnan(stored.scores[row])) continue;  // cut off at a limit
      ranking.emplace_back(stored.scores[row], stored.keys[row]);
    }
  }
  std::sort(ranking.rbegin(), ranking.rend());
  for (const auto& [score, key] : ranking) hasher.add(key);
  return hasher.finish().hex();
}

}  // namespace winnow::sim
