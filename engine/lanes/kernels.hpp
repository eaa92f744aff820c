#pragma once

// What both units of an instruction set's library are made of; see engine/CMakeLists.txt.

#include "engine/lanes/job.hpp"
#include "engine/lanes/lane.hpp"
#include "engine/lanes/sweep_window.hpp"
#include "engine/lanes/tile_size.hpp"
#include "engine/strategies/mean_reversion.hpp"
#include "engine/strategies/sma_cross.hpp"

#if WINNOW_LANES > 1
#include "engine/lanes/lane_hwy.hpp"
#endif

namespace winnow::engine::lanes {

#if WINNOW_LANES > 1
using V = LaneN<WINNOW_LANES>;
#else
using V = Lane1;
#endif

void run_full_mean_reversion(const Job& job);
void run_full_sma_cross(const Job& job);

}  // namespace winnow::engine::lanes
