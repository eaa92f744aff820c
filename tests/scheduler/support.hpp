#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "scheduler/scheduler.hpp"

namespace winnow::scheduler::testing {

inline constexpr MonoNs kStart{1'000'000'000};
inline const NodeId kNode(1), kOther(2);

inline MonoNs at_ms(std::int64_t ms) { return kStart + milliseconds(ms); }

template <class T>
std::vector<T> only(const std::vector<Decision>& decisions) {
  std::vector<T> out;
  for (const Decision& d : decisions) {
    if (const T* t = std::get_if<T>(&d)) out.push_back(*t);
  }
  return out;
}

inline void add(Scheduler& s, const std::string& id, std::uint64_t blocks, SweepWork work = {}) {
  work.id = id;
  work.blocks = blocks;
  ASSERT_TRUE(s.add_sweep(work).ok());
}

/// The node says that it can take so many more than the scheduler thinks.
inline void credit(Scheduler& s, NodeId id, std::uint32_t leases) {
  for (const NodeStatus& node : s.nodes()) {
    if (node.id == id) s.set_credit(id, node.credit + leases, LeaseId(~std::uint64_t{0}));
  }
}

inline void join(Scheduler& s, NodeId node, std::uint32_t workers, std::uint32_t places, MonoNs now,
                 std::set<std::string> datasets = {}) {
  s.node_joined(node, {"n" + std::to_string(node.value()), workers, 8192, std::move(datasets)},
                now);
  credit(s, node, places);
}

inline void finish(Scheduler& s, const Grant& g, MonoNs now, DurationNs work = milliseconds(10)) {
  for (std::uint32_t i = 0; i < g.lease.blocks; ++i) {
    const std::uint64_t b = g.lease.first_block + i;
    s.block_received(g.node, g.lease.id, g.lease.sweep, b, work, now);
    s.block_committed(g.lease.sweep, b);
  }
  credit(s, g.node, 1);
}

}  // namespace winnow::scheduler::testing
