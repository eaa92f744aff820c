#pragma once

#include <cstdint>
#include <string>

#include "tests/sim/hosts.hpp"
#include "tests/sim/workload.hpp"

namespace winnow::sim {

struct RunOptions {
  Canary canary = Canary::None;
  bool print = false;  ///< the trace, readably, to standard output
};

struct RunReport {
  std::string failure;  ///< empty: every check held and every sweep finished
  std::uint64_t trace = 0;
  std::uint64_t steps = 0;
  std::uint64_t frames = 0;
  std::uint64_t kills = 0;
  std::uint64_t held = 0;        ///< blocks at work on nodes when the coordinator was killed
  std::uint64_t recomputed = 0;  ///< of them, begun by another though their node lived
  double virtual_s = 0;
  std::string digest;  ///< of all results and their ranking
};

/// Runs a workload's farm from a seed to its end. The same arguments give the same report.
RunReport simulate(const Workload& workload, std::uint64_t seed, const RunOptions& options = {});

/// What a run without faults ends with. Made once a workload.
const std::string& quiet_digest(const Workload& workload);

}  // namespace winnow::sim
