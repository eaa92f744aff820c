// Who has the data: a node that tells is given blocks of what it holds, and fetches what waits.

#include <algorithm>

#include "base/check.hpp"
#include "scheduler/scheduler.hpp"

namespace winnow::scheduler {

template <class Change>
void Scheduler::change_data(Node& node, const std::string& data, Change change) {
  const auto counts = [&] { return has(node, data) || node.wants.contains(data) ? 1 : 0; };
  const int before = counts();
  change();
  if (const int by = counts() - before; by != 0) count_copy(data, by);
}

const std::string* Scheduler::data_of(const Sweep& sweep, std::uint64_t block) {
  const auto& ends = sweep.work.segment_ends;
  const auto segment =
      static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), block) - ends.begin());
  const auto& data = sweep.work.segment_data;
  return data.size() == ends.size() && segment < data.size() ? &data[segment] : nullptr;
}

bool Scheduler::has(const Node& node, const std::string& data) {
  return node.status.facts.datasets.contains(data);
}

bool Scheduler::may_run(const Node& node, const Sweep& sweep, std::uint64_t block) const {
  const std::string* data = data_of(sweep, block);
  return data == nullptr || may_run(node, *data);
}

bool Scheduler::has_failed(const Node& node, const std::string& data) {
  const auto want = node.wants.find(data);
  return want != node.wants.end() && want->second.state.is == DataState::Is::Failed;
}

// What no node can get waits: that is no fault of the trials, so no attempt at them is made.
bool Scheduler::may_run(const Node& node, const std::string& data) const {
  return has(node, data) || (!node.status.facts.tells_data && !has_failed(node, data));
}

void Scheduler::lease_lacks_data(NodeId id, LeaseId lease, std::string_view reason, MonoNs now) {
  const Audited audited(*this);
  const auto held = leases_.find(lease);
  if (held == leases_.end() || held->second.node != id) return;
  const Sweep& sweep = sweeps_.at(held->second.lease.sweep);
  const std::string* const data = data_of(sweep, held->second.lease.first_block);
  Node& node = nodes_.at(id);
  if (data != nullptr) {
    change_data(node, *data, [&] {
      node.status.facts.datasets.erase(*data);
      node.wants[*data] = {{DataState::Is::Failed, 0, 0, std::string(reason)}, now};
    });
    forget_some(node, *data);
  }
  // What nobody could wait for would be given out again at once, for ever.
  return_lease(lease, data == nullptr ? Blame::Block : Blame::Nobody, reason);
}

// A node that fetches nothing may only try again.
void Scheduler::forget_failures(Node& node, MonoNs now) {
  if (node.status.facts.tells_data || node.wants.empty()) return;
  std::vector<std::string> old;
  for (const auto& [data, want] : node.wants) {
    if (now - want.heard >= kFailedFor) old.push_back(data);
  }
  for (const std::string& data : old) change_data(node, data, [&] { node.wants.erase(data); });
}

// The first range of a segment whose data the node holds. If it holds none: the first of all, or
// nothing for one that tells.
BlockRange Scheduler::pick_range(const Sweep& sweep, const Node& node) const {
  const auto& facts = node.status.facts;
  const auto& ends = sweep.work.segment_ends;
  const bool known = sweep.work.segment_data.size() == ends.size() && !ends.empty();
  BlockRange range = sweep.pending.front();
  const bool picky = facts.tells_data || !node.wants.empty();
  if (known && (picky || !facts.datasets.empty())) {
    bool found = false;
    for (std::size_t s = 0; s < ends.size() && !found; ++s) {
      const std::string& data = sweep.work.segment_data[s];
      if (!(picky ? may_run(node, data) : has(node, data))) continue;
      const std::uint64_t first = s == 0 ? 0 : ends[s - 1];
      const std::uint64_t last = std::min(ends[s], block_limit(sweep));
      if (first >= last) break;
      const BlockRange here = sweep.pending.first_within({first, last});
      if (here.size() == 0) continue;
      range = here;
      found = true;
    }
    if (!found && picky) return {0, 0};
  }
  if (auto end = std::upper_bound(ends.begin(), ends.end(), range.first); end != ends.end()) {
    range.last = std::min(range.last, *end);
  }
  range.last = std::min(range.last, block_limit(sweep));
  return range;
}

// Announcements may be lost: what nothing is heard of is said again.
void Scheduler::want(Node& node, const std::string& data, MonoNs now) {
  const auto known = node.wants.find(data);
  if (known != node.wants.end()) {
    Want& want = known->second;
    const bool failed = want.state.is == DataState::Is::Failed;
    if (now - want.heard < (failed ? kFailedFor : options_.lease_ttl)) return;
  }
  const auto stale = [&](const Want& want) { return now - want.heard > options_.lease_ttl * 3; };
  std::size_t coming = 0;
  for (const auto& [hash, want] : node.wants) {
    coming += want.state.is == DataState::Is::Coming && !stale(want) && hash != data;
  }
  if (coming >= kFetchesMax) return;
  if (!node.status.facts.tells_data) return;
  const std::string failure = known == node.wants.end() ? "" : known->second.state.reason;
  change_data(node, data, [&] {
    node.wants[data] = {{DataState::Is::Coming, 0, 0, failure}, now};
  });
  decisions_.push_back(FetchData{node.status.id, data});
}

// Of the datasets that this sweep's waiting blocks need, the one that fewest nodes hold or fetch.
void Scheduler::want_next(Node& node, const Sweep& sweep, MonoNs now) {
  const auto& ends = sweep.work.segment_ends;
  const std::string* best = nullptr;
  std::uint32_t fewest = 0;
  for (std::size_t s = 0; s < ends.size(); ++s) {
    const std::string& data = sweep.work.segment_data[s];
    const std::uint64_t first = s == 0 ? 0 : ends[s - 1];
    const std::uint64_t last = std::min(ends[s], block_limit(sweep));
    if (first >= last) break;
    if (has(node, data) || sweep.pending.first_within({first, last}).size() == 0) continue;
    const auto want = node.wants.find(data);
    if (want != node.wants.end()) {
      if (want->second.state.is == DataState::Is::Failed && now - want->second.heard < kFailedFor) {
        continue;
      }
      best = &data;  // on its way: one of a sweep is enough
      break;
    }
    const auto found = copies_.find(data);
    const std::uint32_t copies = found == copies_.end() ? 0 : found->second;
    if (best != nullptr && copies >= fewest) continue;
    best = &data;
    fewest = copies;
  }
  if (best != nullptr) want(node, *best, now);
}

void Scheduler::data_state(NodeId id, const std::string& data, const DataState& state, MonoNs now) {
  const Audited audited(*this);
  const auto it = nodes_.find(id);
  if (it == nodes_.end() || !it->second.status.facts.tells_data) return;
  Node& node = it->second;
  auto& held = node.status.facts.datasets;
  change_data(node, data, [&] {
    switch (state.is) {
      case DataState::Is::Here:
        node.wants.erase(data);
        held.insert(data);
        break;
      case DataState::Is::Gone:
        held.erase(data);
        break;
      case DataState::Is::Coming:
      case DataState::Is::Failed:
        held.erase(data);
        if (DataState& known = node.wants[data].state; state.is == DataState::Is::Coming) {
          const std::string failure = state.bytes_total == 0 ? known.reason : "";
          known = state;
          if (known.reason.empty()) known.reason = failure;
        } else {
          known = state;
        }
        node.wants[data].heard = now;
        break;
    }
  });
  forget_some(node, data);
  if (state.is == DataState::Is::Failed) ++news_;  // it may have been the last hope
  if (state.is != DataState::Is::Coming) node.vain_at = 0;
}

// A node's word has no end of its own: what is forgotten is asked for again when it is needed.
void Scheduler::forget_some(Node& node, const std::string& but) {
  auto& held = node.status.facts.datasets;
  if (held.size() > kDatasetsMax) {
    const std::string one = *held.begin() == but ? *std::next(held.begin()) : *held.begin();
    change_data(node, one, [&] { held.erase(one); });
  }
  if (node.wants.size() > kWantsMax) {
    const auto oldest = std::min_element(
        node.wants.begin(), node.wants.end(),
        [](const auto& a, const auto& b) { return a.second.heard < b.second.heard; });
    const std::string one = oldest->first;
    change_data(node, one, [&] { node.wants.erase(one); });
  }
}

bool Scheduler::asked_in_vain(const Node& node, MonoNs now) const {
  return node.vain_at == news_ && now < node.look_again;
}

// ---- how many nodes hold or fetch a dataset

void Scheduler::count_copy(const std::string& data, int by) {
  std::uint32_t& copies = copies_[data];
  WINNOW_INVARIANT(by > 0 || copies >= static_cast<std::uint32_t>(-by));
  copies = static_cast<std::uint32_t>(static_cast<std::int64_t>(copies) + by);
  if (copies == 0) copies_.erase(data);
}

void Scheduler::count_copies(const Node& node, int by) {
  for (const std::string& data : node.status.facts.datasets) count_copy(data, by);
  for (const auto& [data, want] : node.wants) {
    if (!has(node, data)) count_copy(data, by);
  }
}

}  // namespace winnow::scheduler
