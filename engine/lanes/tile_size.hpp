#pragma once

#include <algorithm>
#include <cstddef>

#include "engine/lanes/job.hpp"

namespace winnow::engine::lanes {

/// Bars in a tile: as many as let all columns of a tile, with their block summaries, take half of a
/// 512 KiB second-level cache. With many columns (10,000 crossovers have 250) not fewer than 1,024:
/// exact values are then looked up in few blocks, while every group's state is loaded once a tile
/// (measured: 256 bars 3.2, 1,024 bars 3.3 G bar variants a second).
inline std::size_t tile_bars(const Job& job) {
  constexpr std::size_t budget_bytes = 256 * 1024;
  constexpr std::size_t least = 1024;
  constexpr std::size_t most = 4096;
  const std::size_t bytes_a_bar = (job.spec_count + 5) * (sizeof(double) + sizeof(double) / 4);
  const std::size_t bars = budget_bytes / bytes_a_bar;
  return std::clamp(bars / 64 * 64, least, most);
}

}  // namespace winnow::engine::lanes
