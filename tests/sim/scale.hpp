#pragma once

#include <cstdint>

namespace winnow::sim {

struct ScaleSetup {
  std::uint32_t nodes = 16;
  std::uint32_t workers = 4;  ///< of each
  std::uint32_t blocks_per_worker = 40;
  double block_ms = 100;  ///< half of them a fifth less, half a fifth more
  std::uint64_t seed = 1;
};

/// What a farm without faults does in virtual time, and what the coordinator's real code costs.
struct ScaleReport {
  bool finished = false;
  double virtual_s = 0;        ///< from the first lease to the last block's commit
  double efficiency_frac = 0;  ///< useful work over workers times that
  double core_cpu_s = 0;       ///< real seconds in the coordinator's core
  double intake_cpu_s = 0;     ///< and in decoding and checking results, a thread of its own
  std::uint64_t blocks = 0;
  std::uint64_t frames_in = 0;
  std::uint64_t frames_out = 0;
  std::uint64_t bytes_in = 0;  ///< bodies of frames; results as small as a simulation's are
  std::uint64_t bytes_out = 0;
  std::uint64_t result_bytes = 0;  ///< of bytes_in, the results' columns
  std::uint64_t core_bytes = 0;    ///< the core's memory while all nodes work
};

ScaleReport measure_scale(const ScaleSetup& setup);

}  // namespace winnow::sim
