#include "sweeps/level/tile_search.hpp"

#include <algorithm>
#include <set>

#include "base/check.hpp"
#include "base/numbers.hpp"

namespace winnow::sweeps::level {
namespace {

/// An axis with several values.
struct Axis {
  std::size_t column = 0;
  std::string name;
  std::vector<double> values;     // distinct, ascending
  std::vector<std::uint32_t> at;  // of each variant: index in values
};

/// Distinct values [first, last) of an axis.
struct Slice {
  std::size_t first = 0, last = 0;
};

std::vector<Axis> axes_of(std::span<const double> params, const std::vector<std::string>& names) {
  std::vector<Axis> out;
  if (names.empty()) return out;
  const std::size_t rows = params.size() / names.size();
  for (std::size_t c = 0; c < names.size(); ++c) {
    Axis axis{.column = c, .name = names[c], .values = {}, .at = {}};
    for (std::size_t r = 0; r < rows; ++r) axis.values.push_back(params[r * names.size() + c]);
    std::sort(axis.values.begin(), axis.values.end());
    axis.values.erase(std::unique(axis.values.begin(), axis.values.end()), axis.values.end());
    if (axis.values.size() < 2) continue;
    for (std::size_t r = 0; r < rows; ++r) {
      const auto found =
          std::lower_bound(axis.values.begin(), axis.values.end(), params[r * names.size() + c]);
      axis.at.push_back(static_cast<std::uint32_t>(found - axis.values.begin()));
    }
    out.push_back(std::move(axis));
  }
  return out;
}

/// An axis of `size` values in parts of ceil(size / parts), half overlapping or side by side.
std::vector<Slice> slices_of(std::size_t size, std::size_t parts, bool overlapping) {
  const std::size_t width = (size + parts - 1) / parts;
  const std::size_t stride = overlapping ? std::max<std::size_t>(1, width / 2) : width;
  std::vector<Slice> out;
  for (std::size_t first = 0;; first += stride) {
    if (first + width >= size) {
      out.push_back({size - width, size});
      return out;
    }
    out.push_back({first, first + width});
  }
}

std::string box_text(const std::vector<Axis>& axes, const std::vector<Slice>& box) {
  std::string out;
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const Slice& s = box[a];
    if (s.first == 0 && s.last == axes[a].values.size()) continue;
    out += (out.empty() ? "" : ", ") + axes[a].name + " " + shortest_text(axes[a].values[s.first]);
    if (s.last > s.first + 1) out += " to " + shortest_text(axes[a].values[s.last - 1]);
  }
  return out.empty() ? "the whole space" : out;
}

/// Adds the boxes of one size. Returns false where they are too many.
bool add_boxes(const std::vector<Axis>& axes, std::size_t rows, std::size_t parts, bool overlapping,
               std::size_t room, std::set<std::vector<std::size_t>>& known,
               std::vector<SpaceTile>& out) {
  std::vector<std::vector<Slice>> slices;
  std::size_t boxes = 1;
  for (const Axis& axis : axes) {
    slices.push_back(slices_of(axis.values.size(), parts, overlapping));
    boxes *= slices.back().size();
    if (boxes > room) return false;
  }
  // Which boxes a variant lies in: the product of its slices of each axis.
  std::vector<std::vector<std::uint32_t>> members(boxes);
  for (std::size_t r = 0; r < rows; ++r) {
    std::vector<std::size_t> at{0};
    for (std::size_t a = 0; a < axes.size(); ++a) {
      std::vector<std::size_t> next;
      for (const std::size_t prefix : at) {
        for (std::size_t s = 0; s < slices[a].size(); ++s) {
          const std::uint32_t v = axes[a].at[r];
          if (v < slices[a][s].first || v >= slices[a][s].last) continue;
          next.push_back(prefix * slices[a].size() + s);
        }
      }
      at = std::move(next);
    }
    for (const std::size_t box : at) members[box].push_back(static_cast<std::uint32_t>(r));
  }
  for (std::size_t b = 0; b < boxes; ++b) {
    if (members[b].size() < kTileRowsMin) continue;
    std::vector<Slice> box(axes.size());
    std::vector<std::size_t> key;
    std::size_t rest = b;
    for (std::size_t a = axes.size(); a-- > 0;) {
      box[a] = slices[a][rest % slices[a].size()];
      rest /= slices[a].size();
      key.push_back(box[a].first);
      key.push_back(box[a].last);
    }
    if (!known.insert(std::move(key)).second) continue;
    out.push_back({std::move(members[b]), box_text(axes, box)});
  }
  return true;
}

}  // namespace

std::vector<SpaceTile> space_tiles(std::span<const double> params,
                                   const std::vector<std::string>& names) {
  const std::size_t rows = names.empty() ? 0 : params.size() / names.size();
  SpaceTile whole{.rows = {}, .text = "the whole space"};
  for (std::size_t r = 0; r < rows; ++r) whole.rows.push_back(static_cast<std::uint32_t>(r));
  std::vector<SpaceTile> out{std::move(whole)};
  const std::vector<Axis> axes = axes_of(params, names);
  if (axes.empty()) return out;
  std::set<std::vector<std::size_t>> known;
  std::vector<std::size_t> all;
  for (std::size_t a = axes.size(); a-- > 0;) {
    all.push_back(0);
    all.push_back(axes[a].values.size());
  }
  known.insert(std::move(all));
  for (const std::size_t parts : {2, 4}) {
    const std::size_t room = kTilesMax - out.size();
    if (!add_boxes(axes, rows, parts, true, room, known, out)) {
      (void)add_boxes(axes, rows, parts, false, room, known, out);
    }
  }
  return out;
}

BestTile search_space(std::span<const double> ols, std::span<const double> exposure,
                      std::size_t blocks, std::span<const SpaceTile> tiles, std::uint64_t seed,
                      const ParallelFor& parallel) {
  WINNOW_REQUIRES(blocks > 1 && ols.size() == exposure.size() && ols.size() % blocks == 0);
  const auto flipped = [&](std::span<const double> variants) {
    std::vector<double> means(tiles.size() * blocks);
    parallel(tiles.size(), [&](std::size_t i) {
      const std::vector<double> one = tile_means(variants, blocks, tiles[i].rows);
      std::copy(one.begin(), one.end(), means.begin() + static_cast<std::ptrdiff_t>(i * blocks));
    });
    return search_tiles(means, blocks, seed, parallel);
  };
  const TileSearch by_ols = flipped(ols);
  const TileSearch by_exposure = flipped(exposure);
  BestTile out;
  out.tiles = tiles.size();
  out.flips = std::min(by_ols.flips, by_exposure.flips);
  const auto smaller = [&](std::size_t i) { return std::min(by_ols.t[i], by_exposure.t[i]); };
  for (std::size_t i = 1; i < tiles.size(); ++i) {
    if (smaller(i) > smaller(out.tile)) out.tile = i;
  }
  out.p_ols = by_ols.p_each[out.tile];
  out.p_exposure = by_exposure.p_each[out.tile];
  return out;
}

}  // namespace winnow::sweeps::level
