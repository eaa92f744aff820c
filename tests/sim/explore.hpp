#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tests/sim/simulation.hpp"

namespace winnow::sim {

struct Exploration {
  std::string workload;  ///< empty: all of tests/sim/workloads in turn
  std::uint64_t first = 1;
  std::uint64_t seeds = 2000;
  std::size_t failures_max = 5;  ///< then it stops
  RunOptions options;
};

struct Explored {
  std::uint64_t seeds = 0;
  std::uint64_t steps = 0;
  std::uint64_t frames = 0;
  std::uint64_t kills = 0;
  std::uint64_t held = 0;        ///< as RunReport
  std::uint64_t recomputed = 0;  ///< as RunReport
  double virtual_s = 0;
  std::uint64_t trace = 0;            ///< of all traces
  std::vector<std::string> failures;  ///< each with seed, workload, commit and how to replay it

  std::string summary() const;
};

/// Runs many seeds. Seed n runs workload n modulo their number, unless one is named.
/// Fails: InvalidInput, NotFound (workloads).
Result<Explored> explore(const Exploration& what);

}  // namespace winnow::sim
