#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sweeps/stats/panel.hpp"
#include "sweeps/stats/parallel.hpp"

namespace winnow::sweeps::level {

// The declared search: which part of a grid has an edge, judged on the days that chose it. The
// greatest t over all tiles is compared with what sign flips of the tiles' blocks reach: one sign a
// block for all tiles at once, so their correlation counts for what it is (Westfall and Young 1993;
// White 2000). What is not symmetric in a block's mean is what the test cannot see.

/// Random flips, beside the one that is: p is at least one in twenty thousand.
inline constexpr std::uint64_t kFlips = 19'999;
/// So many blocks and fewer are flipped in all ways.
inline constexpr std::size_t kExactBlocksMax = 14;
inline constexpr std::size_t kBlocksMax = 20;

/// min(20, floor(T / 10)).
std::size_t tile_blocks(std::size_t periods);

/// Mean of each equal block of each variant's returns, scaled to unit standard deviation (ddof 1).
/// The oldest T - B floor(T / B) periods are left out. A variant that does not vary, or has no
/// finite returns, has NaN. Shape: [variant][block]. Deterministic for any ParallelFor.
/// Requires: blocks > 0, periods >= blocks.
std::vector<double> scaled_block_means(const PanelView& panel, std::size_t blocks,
                                       const ParallelFor& parallel = serial_for());

/// What a tile earned in each block: the average of its members' rows; of those that vary, and
/// zeros where none does. Shape: [block].
std::vector<double> tile_means(std::span<const double> variants, std::size_t blocks,
                               std::span<const std::uint32_t> members);

struct TileSearch {
  std::vector<double> t;  ///< of each tile: mean over sd (ddof 1) over root of B; 0 / 0 is 0
  std::size_t best = 0;   ///< the largest t, ties to the first
  double p_best = 1;      ///< one-sided, over all tiles
  /// Of each tile against the maximum over all: what it would have got in the best one's place.
  std::vector<double> p_each;
  std::uint64_t flips = 0;  ///< that were tried, the one that is included
  bool exact = false;       ///< all of them
};

/// `means` is [tile][block], tiles one after the other. Deterministic: the same bits for any
/// ParallelFor. Requires: blocks > 1, means.size() a multiple of it and not 0.
TileSearch search_tiles(std::span<const double> means, std::size_t blocks, std::uint64_t seed,
                        const ParallelFor& parallel = serial_for());

}  // namespace winnow::sweeps::level
