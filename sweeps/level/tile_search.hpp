#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sweeps/level/tiles.hpp"

namespace winnow::sweeps::level {

// `open: search`: the program zooms for the person, over boxes of parameter space that were fixed
// before a result was known, and pays for all of them at once (tiles.hpp).

/// One box: the whole space, or a half or a quarter of every axis.
struct SpaceTile {
  std::vector<std::uint32_t> rows;  ///< of the parameters it was cut from
  std::string text;                 ///< `lookback_bars 96 to 192, entry_z 1.5 to 2`
};

inline constexpr std::size_t kTilesMax = 4096;
/// Fewer variants are no family.
inline constexpr std::size_t kTileRowsMin = 8;

/// Boxes of the whole space, of halves and of quarters of each axis that has several values, half
/// overlapping; side by side, or none of that size, where they would be more than kTilesMax. Halves
/// and quarters count distinct values, so that a log axis is cut in its own scale. Those with fewer
/// than kTileRowsMin variants are left out, but for the whole. `params` is row-major [variant]
/// [parameter] in the order of `names`. The first is the whole.
std::vector<SpaceTile> space_tiles(std::span<const double> params,
                                   const std::vector<std::string>& names);

/// What sign flips say of the best tile, on two panels of the same variants.
struct BestTile {
  std::size_t tile = 0;  ///< the largest of each tile's smaller t
  double p_ols = 1;      ///< of that tile, against the greatest t of all tiles
  double p_exposure = 1;
  std::size_t tiles = 0;
  std::uint64_t flips = 0;
};
/// `ols` and `exposure` are scaled_block_means() of the two panels, [variant][block]. Requires: the
/// same variants and blocks, blocks > 1, tiles of their rows.
BestTile search_space(std::span<const double> ols, std::span<const double> exposure,
                      std::size_t blocks, std::span<const SpaceTile> tiles, std::uint64_t seed,
                      const ParallelFor& parallel = serial_for());

}  // namespace winnow::sweeps::level
