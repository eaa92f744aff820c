#include "sweeps/level/tiles.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/numbers.hpp"
#include "base/rng.hpp"

namespace winnow::sweeps::level {
namespace {

// Flips that a body of the ParallelFor tries.
constexpr std::uint64_t kFlipsPerTask = 512;
constexpr std::size_t kVariantsScaled = 1024;

/// Tiles as the flips see them: a flipped t grows with the flipped mean over the root of the sum of
/// squares, which no flip changes. Shape [block][tile].
struct Scaled {
  std::vector<double> x;
  std::size_t tiles = 0;
  std::size_t blocks = 0;
};

Scaled scale(std::span<const double> means, std::size_t blocks) {
  Scaled out;
  out.blocks = blocks;
  out.tiles = means.size() / blocks;
  out.x.assign(means.size(), 0);
  for (std::size_t k = 0; k < out.tiles; ++k) {
    const auto tile = means.subspan(k * blocks, blocks);
    double squares = 0;
    for (const double v : tile) squares += v * v;
    if (!(squares > 0)) continue;
    const double root = std::sqrt(squares * static_cast<double>(blocks));
    for (std::size_t b = 0; b < blocks; ++b) out.x[b * out.tiles + k] = tile[b] / root;
  }
  return out;
}

/// The greatest of all tiles under one pattern of signs. `sums` is room for one number a tile.
double greatest(const Scaled& tiles, std::uint32_t signs, std::vector<double>& sums) {
  std::fill(sums.begin(), sums.end(), 0.0);
  for (std::size_t b = 0; b < tiles.blocks; ++b) {
    const double* row = tiles.x.data() + b * tiles.tiles;
    if ((signs >> b & 1u) != 0) {
      for (std::size_t k = 0; k < tiles.tiles; ++k) sums[k] -= row[k];
    } else {
      for (std::size_t k = 0; k < tiles.tiles; ++k) sums[k] += row[k];
    }
  }
  return *std::max_element(sums.begin(), sums.end());
}

double t_of(double scaled, std::size_t blocks) {
  const double rest = 1 - scaled * scaled;
  if (scaled == 0) return 0;
  if (rest <= 0) return scaled > 0 ? kInf : -kInf;
  return scaled * std::sqrt(static_cast<double>(blocks - 1) / rest);
}

}  // namespace

std::size_t tile_blocks(std::size_t periods) { return std::min(kBlocksMax, periods / 10); }

std::vector<double> scaled_block_means(const PanelView& panel, std::size_t blocks,
                                       const ParallelFor& parallel) {
  WINNOW_REQUIRES(blocks > 0 && panel.periods() >= blocks);
  const std::size_t length = panel.periods() / blocks;
  const std::size_t first = panel.periods() - length * blocks;
  const double n = static_cast<double>(length * blocks);
  std::vector<double> out(panel.variants() * blocks);
  const std::size_t tasks = (panel.variants() + kVariantsScaled - 1) / kVariantsScaled;
  parallel(tasks, [&](std::size_t task) {
    const std::size_t last = std::min(panel.variants(), (task + 1) * kVariantsScaled);
    for (std::size_t v = task * kVariantsScaled; v < last; ++v) {
      const std::span<double> own = std::span(out).subspan(v * blocks, blocks);
      double sum = 0;
      for (std::size_t b = 0; b < blocks; ++b) {
        double block = 0;
        for (std::size_t t = 0; t < length; ++t) block += panel.at(v, first + b * length + t);
        own[b] = block;
        sum += block;
      }
      const double mean = sum / n;
      double squares = 0;
      for (std::size_t t = first; t < panel.periods(); ++t) {
        const double d = panel.at(v, t) - mean;
        squares += d * d;
      }
      // What rounding leaves of constant returns is no deviation.
      const bool varies = std::isfinite(squares) && squares > n * mean * mean * 1e-24;
      const double sd = varies ? std::sqrt(squares / (n - 1)) : kNaN;
      for (double& block : own) block /= static_cast<double>(length) * sd;
    }
  });
  return out;
}

std::vector<double> tile_means(std::span<const double> variants, std::size_t blocks,
                               std::span<const std::uint32_t> members) {
  std::vector<double> out(blocks, 0);
  double used = 0;
  for (const std::uint32_t v : members) {
    const std::span<const double> own = variants.subspan(v * blocks, blocks);
    if (std::isnan(own[0])) continue;
    for (std::size_t b = 0; b < blocks; ++b) out[b] += own[b];
    used += 1;
  }
  if (used > 0) {
    for (double& m : out) m /= used;
  }
  return out;
}

TileSearch search_tiles(std::span<const double> means, std::size_t blocks, std::uint64_t seed,
                        const ParallelFor& parallel) {
  WINNOW_REQUIRES(blocks > 1 && !means.empty() && means.size() % blocks == 0);
  const Scaled tiles = scale(means, blocks);
  TileSearch out;
  // What is, by the same sums as what flips make of it.
  std::vector<double> now(tiles.tiles);
  (void)greatest(tiles, 0, now);
  for (const double scaled : now) out.t.push_back(t_of(scaled, blocks));
  out.best = static_cast<std::size_t>(std::max_element(now.begin(), now.end()) - now.begin());
  out.exact = blocks <= kExactBlocksMax;
  const std::uint64_t patterns = out.exact ? std::uint64_t{1} << blocks : kFlips + 1;
  std::vector<double> reached(patterns);
  const std::uint64_t tasks = (patterns + kFlipsPerTask - 1) / kFlipsPerTask;
  parallel(tasks, [&](std::size_t task) {
    std::vector<double> sums(tiles.tiles);
    const std::uint64_t last = std::min(patterns, (task + 1) * kFlipsPerTask);
    for (std::uint64_t i = task * kFlipsPerTask; i < last; ++i) {
      // The first pattern is what is.
      const std::uint64_t signs = out.exact || i == 0 ? i : Rng(seed, i).next_u64() >> 32;
      reached[i] = greatest(tiles, static_cast<std::uint32_t>(signs), sums);
    }
  });
  std::sort(reached.begin(), reached.end());
  out.flips = patterns;
  for (const double scaled : now) {
    const auto at = std::lower_bound(reached.begin(), reached.end(), scaled);
    out.p_each.push_back(static_cast<double>(reached.end() - at) / static_cast<double>(patterns));
  }
  out.p_best = out.p_each[out.best];
  return out;
}

}  // namespace winnow::sweeps::level
