// What a node says is under way is what its workers wait for: too much and they stand still, too
// little and results stand in front of everything else.

#include "actors/node_core.hpp"

#include <gtest/gtest.h>

#include "tests/actors/sweeps_in_memory.hpp"

namespace winnow::actors {
namespace {

constexpr const char* kSpec =
    "sweep: node\ndata: [sim]\nwindow: {}\nexecution: none\nstrategies:\n"
    "  - family: mean_reversion\n    params: {entry_z: {float: [0.5, 4.0]}}\n"
    "search: {method: random, samples: 5000}\n";

class Rig final : public NodeCore::Outside {
 public:
  Rig() : core({"host:1", 1, "avx2", 0, ""}, *this) {
    const auto spec = sweeps::parse_spec(kSpec, "node.yaml", catalog_of_sim());
    EXPECT_TRUE(spec.ok()) << spec.error().text();
    sweep = sweeps::Plan::make(*spec)->id();
    core.connected();
    hear(Welcome{milliseconds(500).ns, {}});
    hear(SweepInfo{sweep, spec->to_json()});
    LeaseOrder order;
    order.lease = 7;
    order.sweep = sweep;
    order.blocks = 2;
    hear(order);
    EXPECT_EQ(pushed.size(), 1u);
  }
  template <class T>
  void hear(const T& message) {
    core.on_frame(encode(message, core.session()));
  }
  void compute(std::uint64_t block, std::size_t bytes) {
    core.computed(pushed.at(0), block, milliseconds(1), std::string(bytes, 'x'));
  }
  void send(Frame) override {}
  void push(WorkerPool::Work work) override { pushed.push_back(work.lease); }
  std::vector<LeaseId> drop_queued() override { return {}; }
  Result<std::shared_ptr<const sweeps::Plan>> plan(const std::string& spec_json) override {
    const auto spec = sweeps::ResolvedSpec::from_json(spec_json);
    if (!spec) return spec.error();
    return std::make_shared<const sweeps::Plan>(*sweeps::Plan::make(*spec));
  }
  std::uint64_t random_id() override { return ++ids; }

  std::string sweep;
  std::vector<LeaseId> pushed;
  std::uint64_t ids = 0;
  NodeCore core;
};

TEST(NodeCore, WhatIsAcknowledgedOrRefusedIsNotUnderWay) {
  Rig rig;
  rig.compute(0, 100);
  rig.compute(1, 30);
  EXPECT_EQ(rig.core.under_way_bytes(), 130u);
  rig.hear(BlocksCommitted{rig.sweep, {0}, {}, ""});
  EXPECT_EQ(rig.core.under_way_bytes(), 30u);
  rig.hear(BlocksCommitted{rig.sweep, {0}, {}, ""});  // it is said twice
  EXPECT_EQ(rig.core.under_way_bytes(), 30u);
  rig.hear(BlocksCommitted{rig.sweep, {}, {1}, "no"});
  EXPECT_EQ(rig.core.under_way_bytes(), 0u);
}

TEST(NodeCore, ABlockComputedTwiceIsUnderWayOnce) {
  Rig rig;
  rig.compute(0, 100);
  rig.compute(0, 90);
  EXPECT_EQ(rig.core.under_way_bytes(), 90u);
}

TEST(NodeCore, WhatIsKeptIsNotUnderWay) {
  Rig rig;
  rig.compute(0, 100);
  for (std::uint32_t t = 0; t < NodeCore::kTicksBeforeKeeping; ++t) {
    EXPECT_EQ(rig.core.under_way_bytes(), 100u);
    rig.core.tick();
  }
  EXPECT_EQ(rig.core.under_way_bytes(), 0u) << "a slow coordinator stops the workers for ever";
  rig.hear(BlocksCommitted{rig.sweep, {0}, {}, ""});
  EXPECT_EQ(rig.core.under_way_bytes(), 0u);
}

TEST(NodeCore, NothingIsUnderWayWithoutACoordinator) {
  Rig rig;
  rig.compute(0, 100);
  rig.core.disconnected();
  EXPECT_EQ(rig.core.under_way_bytes(), 0u);
  rig.compute(1, 30);
  EXPECT_EQ(rig.core.under_way_bytes(), 0u) << "work goes on without the coordinator";
}

}  // namespace
}  // namespace winnow::actors
