#pragma once

// What the units of an instruction set's library are made of; see engine/CMakeLists.txt.

#include <array>

#include "engine/families/list.hpp"
#include "engine/lanes/job.hpp"
#include "engine/lanes/lane.hpp"
#include "engine/lanes/sweep_window.hpp"
#include "engine/lanes/tile_size.hpp"

#if WINNOW_LANES > 1
#include "engine/lanes/lane_hwy.hpp"
#endif

namespace winnow::engine::lanes {

/// For each family, in the list's order. Two units, so that neither takes long.
const KernelTable::Run* plain_kernels();
const KernelTable::Run* full_kernels();

#if WINNOW_LANES > 1
using V = LaneN<WINNOW_LANES>;
#else
using V = Lane1;
#endif

template <class Strategy, template <class, class, class> class Executor>
void run_kernel(const Job& job) {
  SweepWindow<V, Strategy, Skip::Yes, Executor> window(job, tile_bars(job));
  window.run();
}

template <template <class, class, class> class Executor>
constexpr std::array<KernelTable::Run, kFamilyCount> kernels_of_families() {
  return table_of<KernelTable::Run>(
      Families<V>(), []<class Strategy>() { return &run_kernel<Strategy, Executor>; });
}

}  // namespace winnow::engine::lanes
