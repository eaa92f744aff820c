#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

// The inner loops of CSCV. A variant's Sharpe over a set of blocks is a growing function of
// u = s |s| / q with s = sum and q = sum of squares of its returns there, so variants are compared
// by u, without a root. Lanes are variants; both builds (baseline, AVX2) give the same bits.

inline constexpr std::size_t kTile = 16;

/// Sums of one tile of variants over every subset of the low and of the high half of the blocks.
struct SubsetSums {
  std::size_t half_blocks = 0;
  std::vector<double> low_sum, low_square, high_sum, high_square;  ///< [subset][lane of kTile]
};

/// In-sample sets, as bit masks of blocks, containing block 0 in lexicographic order; the other
/// half of all splits are their complements in reverse order.
struct SplitMasks {
  std::size_t blocks = 0;
  std::vector<std::uint32_t> with_first;
};

/// Four lanes side by side for each split.
struct alignas(32) Lane4 {
  double v[4];
};

/// Best u and its variant by split and lane.
struct BestOfSplit {
  Lane4 u;
  Lane4 variant;
};

/// `best` has an entry for every split. `first_variant` is that of lane 0 of the tile.
void scan_best(const SubsetSums& sums, const SplitMasks& masks, double first_variant,
               std::span<BestOfSplit> best);

struct CountOfSplit {
  Lane4 less;
  Lane4 equal;
};
/// Counts variants whose out-of-sample u is below, and equal to, `threshold[split]`.
void scan_counts(const SubsetSums& sums, const SplitMasks& masks, std::span<const double> threshold,
                 std::span<CountOfSplit> counts);

}  // namespace winnow::sweeps::stats
