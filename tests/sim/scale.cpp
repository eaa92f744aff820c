#include "tests/sim/scale.hpp"

#include <malloc.h>

#include <algorithm>

#include "tests/sim/hosts.hpp"

namespace winnow::sim {
namespace {

/// Only counts; what must hold is checked elsewhere.
class Onlooker final : public Observer {
 public:
  explicit Onlooker(World& world) : world_(world) {}
  void sent_to_node(std::uint64_t, const Frame& frame) override {
    if (!actors::is<actors::LeaseOrder>(frame)) return;
    if (first_lease_ns < 0) first_lease_ns = world_.now_ns();
  }
  void commit_answered(const store::BlockCommit&, const store::CommitOutcome&) override {}
  void broken(const std::string&) override { fine = false; }

  std::int64_t first_lease_ns = -1;
  bool fine = true;

 private:
  World& world_;
};

Workload workload_of(const ScaleSetup& setup) {
  Workload w;
  w.name = "scale";
  w.nodes = setup.nodes;
  w.workers = {static_cast<double>(setup.workers), static_cast<double>(setup.workers)};
  w.block_ms = {0.8 * setup.block_ms, 1.2 * setup.block_ms};
  w.latency_ms = {0.2, 1};
  w.sync_ms = {1, 5};
  SweepDecl sweep;
  sweep.name = "scale";
  sweep.data = "sim-long";  // its blocks have 16 rows, however many there are
  sweep.blocks = setup.nodes * setup.workers * setup.blocks_per_worker;
  w.sweeps.push_back(sweep);
  return w;
}

}  // namespace

ScaleReport measure_scale(const ScaleSetup& setup) {
  const Workload workload = workload_of(setup);
  World world(setup.seed, false);
  Disk disk({});
  Onlooker onlooker(world);
  CoordinatorHost coordinator(world, workload, disk, onlooker, Canary::None);
  Net net(world, workload, coordinator);
  net.set_faults(false);
  coordinator.process.name = "coordinator";
  coordinator.set_net(net);
  std::vector<std::unique_ptr<NodeHost>> nodes;
  coordinator.start();
  for (std::uint32_t i = 0; i < setup.nodes; ++i) {
    nodes.push_back(std::make_unique<NodeHost>(world, workload, net, Canary::None, i));
    nodes.back()->set_faults(false);
    nodes.back()->start();
  }
  // All nodes are there when the sweep comes.
  const std::int64_t second = 1'000'000'000;
  while (coordinator.core()->nodes() < setup.nodes && world.step(60 * second)) {
  }
  ClientHost client(world, workload, net);
  client.start();
  client.insist();
  ScaleReport report;
  report.blocks = workload.sweeps[0].blocks;
  const std::int64_t end = world.now_ns() + 3600 * second;
  while (world.step(end)) {
    if (report.core_bytes == 0 && disk.blocks().size() * 2 >= report.blocks) {
      report.core_bytes = coordinator.core_bytes();
    }
    if (disk.blocks().size() == report.blocks) break;
  }
  report.finished = onlooker.fine && disk.blocks().size() == report.blocks;
  const std::int64_t took = world.now_ns() - std::max<std::int64_t>(0, onlooker.first_lease_ns);
  report.virtual_s = static_cast<double>(took) * 1e-9;
  const double workers = static_cast<double>(setup.nodes) * setup.workers;
  report.efficiency_frac =
      static_cast<double>(report.blocks) * setup.block_ms * 1e-3 / (workers * report.virtual_s);
  report.core_cpu_s = static_cast<double>(coordinator.core_ns) * 1e-9;
  report.intake_cpu_s = static_cast<double>(coordinator.intake_ns) * 1e-9;
  report.frames_in = net.traffic().frames_in;
  report.frames_out = net.traffic().frames_out;
  report.bytes_in = net.traffic().bytes_in;
  report.bytes_out = net.traffic().bytes_out;
  report.result_bytes = net.traffic().result_bytes;
  return report;
}

}  // namespace winnow::sim
