#include "sweeps/stats/pbo.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/numbers.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/pbo_kernel.hpp"

namespace winnow::sweeps::stats {
namespace {

constexpr std::size_t kBlocksMax = 20;
constexpr std::size_t kSlots = 32;
constexpr std::size_t kGridPoints = 1000;
// s |s| / q of these is -infinity.
constexpr double kEmptySum = -1e150;
constexpr double kEmptySquare = 1e-300;

SplitMasks split_masks(std::size_t blocks) {
  SplitMasks m{blocks, {}};
  // Lexicographic order of the sets is descending order of the masks with block 0 as the top bit.
  for (std::uint32_t reversed = 1u << blocks; reversed-- > 0;) {
    if (std::popcount(reversed) != static_cast<int>(blocks / 2)) continue;
    if ((reversed >> (blocks - 1)) == 0) break;
    std::uint32_t mask = 0;
    for (std::size_t b = 0; b < blocks; ++b) {
      if (reversed >> (blocks - 1 - b) & 1u) mask |= 1u << b;
    }
    m.with_first.push_back(mask);
  }
  return m;
}

struct Moments {
  double sum = 0;
  double square = 0;
};

/// Purpose: the panel as sums by block, and everything that follows from them.
class Cscv {
 public:
  Cscv(const PanelView& panel, const PboOptions& options, const ParallelFor& parallel)
      : options_(options),
        parallel_(parallel),
        blocks_(options.blocks),
        length_(panel.periods() / options.blocks),
        masks_(split_masks(options.blocks)),
        splits_(2 * masks_.with_first.size()) {
    sum_by_block(panel);
  }

  Result<PboResult> run() {
    PboResult r;
    r.not_ranked = not_ranked_;
    if (n_ == 0) {
      return Error(ErrorCode::InvalidInput,
                   "none of the " + std::to_string(not_ranked_) +
                       " variants can be ranked: their returns are all zero or not finite");
    }
    if (n_ == 1) {
      return Error(ErrorCode::InvalidInput, "PBO needs two variants that move; there is 1");
    }
    choose(r);
    rank(r);
    double not_positive = 0;
    double loss = 0;
    for (std::size_t i = 0; i < splits_; ++i) {
      // A chosen variant that did nothing out of sample, with as many above it as below, says
      // neither: half a split. Counted in full, families that seldom trade would seem overfitted.
      const bool says_nothing =
          r.logit[i] == 0 && !(sums_of(row_of(r.chosen[i]), out_sample_mask(i)).square > 0);
      not_positive += says_nothing ? 0.5 : r.logit[i] <= 0 ? 1 : 0;
      loss += r.out_sample[i] < options_.loss_threshold ? 1 : 0;
    }
    r.pbo = not_positive / static_cast<double>(splits_);
    r.oos_loss_frac = loss / static_cast<double>(splits_);
    const Line line = fit_line(r.in_sample, r.out_sample);
    if (std::isfinite(line.slope)) {
      r.slope = line.slope;
      r.intercept = line.intercept;
      r.r = std::isfinite(line.r) ? line.r : 0;
    }
    if (options_.dominance && n_ * splits_ <= kDominanceValuesMax) compare_distributions(r);
    return r;
  }

 private:
  std::size_t tiles() const { return (n_ + kTile - 1) / kTile; }
  /// Where a variant of the panel is among those that count.
  std::size_t row_of(std::uint32_t variant) const {
    return static_cast<std::size_t>(std::lower_bound(counted_.begin(), counted_.end(), variant) -
                                    counted_.begin());
  }

  /// Variants that never move, or have a return that is no number, are not of the family: they are
  /// left out of the choice and of the ranks.
  void sum_by_block(const PanelView& panel) {
    const std::size_t all = panel.variants();
    const std::size_t from = panel.periods() - blocks_ * length_;
    moments_.resize(all * blocks_);
    std::vector<std::uint8_t> bad(all, 0);
    parallel_((all + kTile - 1) / kTile, [&](std::size_t tile) {
      for (std::size_t i = tile * kTile; i < std::min(all, (tile + 1) * kTile); ++i) {
        double total = 0;
        for (std::size_t b = 0; b < blocks_; ++b) {
          Moments& m = moments_[i * blocks_ + b];
          for (std::size_t t = from + b * length_; t < from + (b + 1) * length_; ++t) {
            const double r = panel.at(i, t);
            m.sum += r;
            m.square += r * r;
          }
          total += m.square;
        }
        bad[i] = std::isfinite(total) && total > 0 ? 0 : 1;
      }
    });
    for (std::size_t i = 0; i < all; ++i) {
      if (bad[i] != 0) continue;
      std::copy_n(moments_.begin() + static_cast<std::ptrdiff_t>(i * blocks_), blocks_,
                  moments_.begin() + static_cast<std::ptrdiff_t>(n_ * blocks_));
      counted_.push_back(static_cast<std::uint32_t>(i));
      ++n_;
    }
    not_ranked_ = all - n_;
  }

  /// The sums of a variant over a mask, added in the order of the tables.
  Moments sums_of(std::size_t variant, std::uint32_t mask) const {
    const std::size_t half = blocks_ / 2;
    Moments part[2];
    for (std::size_t side = 0; side < 2; ++side) {
      for (std::size_t b = half; b-- > 0;) {
        const std::size_t block = side * half + b;
        if ((mask >> block & 1u) == 0) continue;
        part[side].sum += moments_[variant * blocks_ + block].sum;
        part[side].square += moments_[variant * blocks_ + block].square;
      }
    }
    return {part[0].sum + part[1].sum, part[0].square + part[1].square};
  }

  static double u_of(const Moments& m) {
    return m.square > 0 ? m.sum * std::abs(m.sum) / m.square : 0;
  }

  /// Mean over sd; +-infinity for a variant that rose or fell evenly, 0 for one that did not move.
  double sharpe_of(const Moments& m) const {
    const double n = static_cast<double>(length_ * blocks_ / 2);
    const double variance = (m.square - m.sum * m.sum / n) / (n - 1);
    if (variance > 0) return m.sum / n / std::sqrt(variance);
    return m.sum > 0 ? kInf : (m.sum < 0 ? -kInf : 0);
  }

  std::uint32_t in_sample_mask(std::size_t split) const {
    const std::uint32_t all = (1u << blocks_) - 1;
    return split < masks_.with_first.size() ? masks_.with_first[split]
                                            : all & ~masks_.with_first[splits_ - 1 - split];
  }
  std::uint32_t out_sample_mask(std::size_t split) const {
    return in_sample_mask(splits_ - 1 - split);
  }

  void fill_subset_sums(std::size_t tile, SubsetSums& t) const {
    const std::size_t half = blocks_ / 2;
    const std::size_t subsets = std::size_t{1} << half;
    t.half_blocks = half;
    // A lane without a variant has u = -infinity: never chosen, and taken off the counts of those
    // below.
    const auto empty_from = static_cast<std::size_t>(std::min(kTile, n_ - tile * kTile));
    for (auto* v : {&t.low_sum, &t.low_square, &t.high_sum, &t.high_square}) {
      const bool square = v == &t.low_square || v == &t.high_square;
      v->assign(subsets * kTile, 0.0);
      for (std::size_t m = 0; m < subsets; ++m) {
        for (std::size_t lane = empty_from; lane < kTile; ++lane) {
          (*v)[m * kTile + lane] = square ? kEmptySquare : kEmptySum;
        }
      }
    }
    for (std::size_t m = 1; m < subsets; ++m) {
      const auto block = static_cast<std::size_t>(std::countr_zero(m));
      const std::size_t rest = m & (m - 1);
      for (std::size_t lane = 0; lane < kTile; ++lane) {
        const std::size_t i = tile * kTile + lane;
        if (lane >= empty_from) break;
        const Moments& low = moments_[i * blocks_ + block];
        const Moments& high = moments_[i * blocks_ + half + block];
        t.low_sum[m * kTile + lane] = t.low_sum[rest * kTile + lane] + low.sum;
        t.low_square[m * kTile + lane] = t.low_square[rest * kTile + lane] + low.square;
        t.high_sum[m * kTile + lane] = t.high_sum[rest * kTile + lane] + high.sum;
        t.high_square[m * kTile + lane] = t.high_square[rest * kTile + lane] + high.square;
      }
    }
  }

  template <class F>
  void for_tiles(std::size_t slot, F f) const {
    SubsetSums sums;
    for (std::size_t tile = tiles() * slot / kSlots; tile < tiles() * (slot + 1) / kSlots; ++tile) {
      fill_subset_sums(tile, sums);
      f(tile, sums);
    }
  }

  void choose(PboResult& r) const {
    const Lane4 lowest{{-kInf, -kInf, -kInf, -kInf}};
    std::vector<std::vector<BestOfSplit>> best(kSlots);
    parallel_(kSlots, [&](std::size_t slot) {
      best[slot].assign(splits_, BestOfSplit{lowest, Lane4{}});
      for_tiles(slot, [&](std::size_t tile, const SubsetSums& sums) {
        scan_best(sums, masks_, static_cast<double>(tile * kTile), best[slot]);
      });
    });
    for (std::size_t split = 0; split < splits_; ++split) {
      double u = -kInf;
      double variant = 0;
      for (const auto& slot : best) {
        for (std::size_t lane = 0; lane < 4; ++lane) {
          const double lane_u = slot[split].u.v[lane];
          const double lane_variant = slot[split].variant.v[lane];
          if (lane_u > u || (lane_u == u && lane_u > -kInf && lane_variant < variant)) {
            u = lane_u;
            variant = lane_variant;
          }
        }
      }
      const auto chosen = static_cast<std::size_t>(variant);
      r.chosen.push_back(counted_[chosen]);
      r.in_sample.push_back(sharpe_of(sums_of(chosen, in_sample_mask(split))));
      r.out_sample.push_back(sharpe_of(sums_of(chosen, out_sample_mask(split))));
    }
  }

  void rank(PboResult& r) const {
    std::vector<double> threshold;
    for (std::size_t split = 0; split < splits_; ++split) {
      threshold.push_back(u_of(sums_of(row_of(r.chosen[split]), out_sample_mask(split))));
    }
    std::vector<std::vector<CountOfSplit>> counts(kSlots);
    parallel_(kSlots, [&](std::size_t slot) {
      counts[slot].assign(splits_, CountOfSplit{});
      for_tiles(slot, [&](std::size_t, const SubsetSums& sums) {
        scan_counts(sums, masks_, threshold, counts[slot]);
      });
    });
    const double padding = static_cast<double>(tiles() * kTile - n_);  // lanes with u = -infinity
    for (std::size_t split = 0; split < splits_; ++split) {
      double less = 0;
      double equal = 0;
      for (const auto& slot : counts) {
        for (std::size_t lane = 0; lane < 4; ++lane) {
          less += slot[split].less.v[lane];
          equal += slot[split].equal.v[lane];
        }
      }
      less -= padding;
      const double rank = less + (equal + 1) / 2;
      const double w = rank / (static_cast<double>(n_) + 1);
      r.rank.push_back(rank);
      r.logit.push_back(std::log(w / (1 - w)));
    }
  }

  void compare_distributions(PboResult& r) const {
    std::vector<double> chosen = r.out_sample;
    std::sort(chosen.begin(), chosen.end());
    StochasticDominance& d = r.dominance;
    d.grid_min = chosen.front();
    d.grid_max = chosen.back();
    if (!std::isfinite(d.grid_max - d.grid_min)) return;
    std::vector<double> all;
    all.reserve(n_ * splits_);
    for (std::size_t split = 0; split < splits_; ++split) {
      for (std::size_t i = 0; i < n_; ++i) {
        all.push_back(sharpe_of(sums_of(i, out_sample_mask(split))));
      }
    }
    std::sort(all.begin(), all.end());
    const auto share_below = [](const std::vector<double>& v, double x) {
      return static_cast<double>(std::upper_bound(v.begin(), v.end(), x) - v.begin()) /
             static_cast<double>(v.size());
    };
    const double step = (d.grid_max - d.grid_min) / (kGridPoints - 1);
    d.computed = true;
    d.gap_min = kInf;
    d.gap_max = -kInf;
    double last_gap = 0;
    for (std::size_t k = 0; k < kGridPoints; ++k) {
      const double x =
          k + 1 == kGridPoints ? d.grid_max : d.grid_min + step * static_cast<double>(k);
      const double gap = share_below(all, x) - share_below(chosen, x);
      d.gap_mean += gap / kGridPoints;
      d.gap_max = std::max(d.gap_max, gap);
      d.gap_min = std::min(d.gap_min, gap);
      if (k > 0) d.integral += step * (gap + last_gap) / 2;
      last_gap = gap;
    }
    d.first_order = d.gap_min >= 0 && d.gap_max > 0;
  }

  const PboOptions& options_;
  const ParallelFor& parallel_;
  std::size_t n_ = 0;  ///< variants that count
  std::size_t blocks_;
  std::size_t length_;
  SplitMasks masks_;
  std::size_t splits_;
  std::uint64_t not_ranked_ = 0;
  std::vector<std::uint32_t> counted_;  ///< their indices in the panel
  std::vector<Moments> moments_;        ///< [variant that counts][block]
};

}  // namespace

Result<PboResult> probability_of_overfitting(const PanelView& panel, const PboOptions& options,
                                             const ParallelFor& parallel) {
  const auto refuse = [](std::string text) {
    return Error(ErrorCode::InvalidInput, std::move(text));
  };
  if (panel.variants() < 2) {
    return refuse("PBO needs two variants; there are " + std::to_string(panel.variants()));
  }
  if (options.blocks < 2 || options.blocks > kBlocksMax || options.blocks % 2 != 0) {
    return refuse("PBO blocks: " + std::to_string(options.blocks) + "; even, 2 to 20 allowed");
  }
  if (panel.periods() / options.blocks * options.blocks / 2 < 2) {
    return refuse("PBO: " + std::to_string(panel.periods()) + " periods cannot fill " +
                  std::to_string(options.blocks) + " blocks");
  }
  Result<PboResult> r = Cscv(panel, options, parallel).run();
  if (r.ok()) r->dropped_periods = panel.periods() % options.blocks;
  return r;
}

}  // namespace winnow::sweeps::stats
