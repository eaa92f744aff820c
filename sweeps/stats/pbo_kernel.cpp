#include "sweeps/stats/pbo_kernel.hpp"

namespace winnow::sweeps::stats {
namespace {

using D4 [[gnu::vector_size(32), gnu::may_alias]] = double;
using D4U [[gnu::vector_size(32), gnu::may_alias, gnu::aligned(8)]] = double;

#define WINNOW_INLINE [[gnu::always_inline]] inline

/// u of four lanes over the blocks of `mask`. A variant that did not move there has q = 0 and u =
/// 0: it earned nothing and lost nothing.
WINNOW_INLINE void ratio(const SubsetSums& t, std::uint32_t mask, std::size_t lane, D4& u) {
  const std::uint32_t low = mask & ((1u << t.half_blocks) - 1);
  const std::uint32_t high = mask >> t.half_blocks;
  // Heap blocks are aligned to 16 bytes only, so these are unaligned loads.
  const D4 s = *reinterpret_cast<const D4U*>(&t.low_sum[low * kTile + lane]) +
               *reinterpret_cast<const D4U*>(&t.high_sum[high * kTile + lane]);
  const D4 q = *reinterpret_cast<const D4U*>(&t.low_square[low * kTile + lane]) +
               *reinterpret_cast<const D4U*>(&t.high_square[high * kTile + lane]);
  const D4 zero = {};
  const D4 magnitude = s < zero ? -s : s;
  u = q > zero ? s * magnitude / q : zero;
}

WINNOW_INLINE void keep_best(const D4& u, const D4& variant, BestOfSplit& best) {
  D4& best_u = reinterpret_cast<D4&>(best.u);
  D4& best_variant = reinterpret_cast<D4&>(best.variant);
  best_variant = u > best_u ? variant : best_variant;
  best_u = u > best_u ? u : best_u;
}

WINNOW_INLINE void count(const D4& u, double threshold, CountOfSplit& c) {
  const D4 zero = {};
  const D4 one = zero + 1.0;
  D4& less = reinterpret_cast<D4&>(c.less);
  D4& equal = reinterpret_cast<D4&>(c.equal);
  less += u < threshold ? one : zero;
  equal += u == threshold ? one : zero;
}

WINNOW_INLINE void scan_best_body(const SubsetSums& sums, const SplitMasks& masks,
                                  double first_variant, std::span<BestOfSplit> best) {
  const std::uint32_t all = (1u << masks.blocks) - 1;
  const std::size_t last = best.size() - 1;
  for (std::size_t i = 0; i < masks.with_first.size(); ++i) {
    const std::uint32_t mask = masks.with_first[i];
    for (std::size_t lane = 0; lane < kTile; lane += 4) {
      const double v = first_variant + static_cast<double>(lane);
      const D4 variant = {v, v + 1, v + 2, v + 3};
      D4 u;
      ratio(sums, mask, lane, u);
      keep_best(u, variant, best[i]);
      ratio(sums, all & ~mask, lane, u);
      keep_best(u, variant, best[last - i]);
    }
  }
}

WINNOW_INLINE void scan_counts_body(const SubsetSums& sums, const SplitMasks& masks,
                                    std::span<const double> threshold,
                                    std::span<CountOfSplit> counts) {
  const std::uint32_t all = (1u << masks.blocks) - 1;
  const std::size_t last = counts.size() - 1;
  for (std::size_t i = 0; i < masks.with_first.size(); ++i) {
    const std::uint32_t mask = masks.with_first[i];
    for (std::size_t lane = 0; lane < kTile; lane += 4) {
      D4 u;
      ratio(sums, all & ~mask, lane, u);
      count(u, threshold[i], counts[i]);
      ratio(sums, mask, lane, u);
      count(u, threshold[last - i], counts[last - i]);
    }
  }
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void scan_best_avx2(const SubsetSums& s, const SplitMasks& m, double first,
                                            std::span<BestOfSplit> best) {
  scan_best_body(s, m, first, best);
}
[[gnu::target("avx2")]] void scan_counts_avx2(const SubsetSums& s, const SplitMasks& m,
                                              std::span<const double> threshold,
                                              std::span<CountOfSplit> counts) {
  scan_counts_body(s, m, threshold, counts);
}
const bool kHaveAvx2 = __builtin_cpu_supports("avx2") != 0;
#endif

}  // namespace

void scan_best(const SubsetSums& sums, const SplitMasks& masks, double first_variant,
               std::span<BestOfSplit> best) {
#if defined(__x86_64__)
  if (kHaveAvx2) return scan_best_avx2(sums, masks, first_variant, best);
#endif
  scan_best_body(sums, masks, first_variant, best);
}

void scan_counts(const SubsetSums& sums, const SplitMasks& masks, std::span<const double> threshold,
                 std::span<CountOfSplit> counts) {
#if defined(__x86_64__)
  if (kHaveAvx2) return scan_counts_avx2(sums, masks, threshold, counts);
#endif
  scan_counts_body(sums, masks, threshold, counts);
}

}  // namespace winnow::sweeps::stats
