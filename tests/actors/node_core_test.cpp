// What a node says is under way is what its workers wait for: too much and they stand still, too
// little and results stand in front of everything else.

#include "actors/node_core.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "engine/source_hash.hpp"
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
  void send(Frame frame) override { sent.push_back(std::move(frame)); }
  void forget(const std::string&, std::uint64_t block) override { forgotten.push_back(block); }
  /// The last message of a type that left.
  template <class T>
  std::optional<T> last() const {
    for (auto frame = sent.rbegin(); frame != sent.rend(); ++frame) {
      if (frame->kind != actors::kind_of<T>()) continue;
      const auto message = decode<T>(*frame);
      if (message) return *message;
    }
    return std::nullopt;
  }
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
  std::vector<Frame> sent;
  std::vector<std::uint64_t> forgotten;
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

TEST(NodeCore, F3WhatThePlaceLacksIsNoAttempt) {
  for (const auto& [code, end] : {std::pair{ErrorCode::Unavailable, LeaseEnd::NoData},
                                  std::pair{ErrorCode::Cancelled, LeaseEnd::NotBegun},
                                  std::pair{ErrorCode::Internal, LeaseEnd::Failed},
                                  std::pair{ErrorCode::InvalidInput, LeaseEnd::Failed}}) {
    Rig rig;
    rig.core.lease_over(rig.pushed.at(0), Error(code, "why"));
    const auto said = rig.last<LeaseFailed>();
    ASSERT_TRUE(said);
    EXPECT_EQ(said->end, static_cast<std::uint8_t>(end)) << static_cast<int>(code);
    EXPECT_EQ(said->reason, "why");
  }
}

TEST(NodeCore, F13HelloNamesTheSourcesOfTheEngine) {
  Rig rig;
  const auto hello = rig.last<Hello>();
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->engine_sources, engine::source_hash());
  EXPECT_EQ(hello->engine_sources.size(), 32u);
}

TEST(NodeCore, F13ASpooledBlockOfAnotherBuildIsDropped) {
  Rig rig;
  rig.compute(0, 100);
  BlockResult spooled = *rig.last<BlockResult>();
  EXPECT_EQ(spooled.computed_by, engine::source_hash());
  rig.sent.clear();
  spooled.block = 5;
  spooled.computed_by = "another";
  rig.core.adopted(spooled);
  EXPECT_FALSE(rig.last<BlockResult>());
  EXPECT_EQ(rig.forgotten, std::vector<std::uint64_t>{5});
  spooled.computed_by = engine::source_hash();
  rig.core.adopted(spooled);
  ASSERT_TRUE(rig.last<BlockResult>());
  EXPECT_EQ(rig.last<BlockResult>()->block, 5u);
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
