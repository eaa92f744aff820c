#include "sweeps/neighbourhood.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.hpp"

namespace winnow::sweeps {
namespace {

// Where a variant lies along a parameter that says nothing in it: beside all that say something.
constexpr double kNowhere = -0.5;
// Two numbers a point: a gigabyte at most.
constexpr std::uint64_t kDensePointsMax = std::uint64_t{1} << 26;
constexpr std::size_t kTrialsPerTask = 4096;
constexpr std::size_t kNeighboursPerTask = 512;

std::size_t tasks_for(std::uint64_t n, std::size_t per_task) {
  return static_cast<std::size_t>((n + per_task - 1) / per_task);
}

/// Replaces every number by the sum of those at most `radius` steps away along one axis.
/// `stride` is the distance of a step, `count` the number of steps.
void sum_along(std::vector<double>& numbers, std::uint64_t stride, std::uint64_t count,
               std::uint64_t radius, const ParallelFor& parallel) {
  const std::uint64_t lines = numbers.size() / (stride * count);
  parallel(lines, [&](std::size_t line) {
    double* const base = numbers.data() + line * stride * count;
    std::vector<double> before(base, base + stride * count);
    for (std::uint64_t rank = 0; rank < count; ++rank) {
      double* const to = base + rank * stride;
      const std::uint64_t low = rank - std::min(rank, radius);
      const std::uint64_t high = std::min(rank + radius + 1, count);
      std::fill(to, to + stride, 0.0);
      for (std::uint64_t r = low; r < high; ++r) {
        const double* const from = before.data() + r * stride;
        for (std::uint64_t k = 0; k < stride; ++k) to[k] += from[k];
      }
    }
  });
}

}  // namespace

// Purpose: a k-d tree over the points of a sampled design in the unit cube, split at the median of
// the widest coordinate. Invariant: order splits are total (coordinate, then point number), so the
// tree is the same everywhere.
struct Neighbourhoods::Tree {
  static constexpr std::uint32_t kLeafPoints = 16;

  struct Cell {
    std::uint32_t first = 0;  // in `order`
    std::uint32_t last = 0;
    std::uint32_t axis = 0;
    double split = 0;
    std::uint32_t left = 0;  // 0: a leaf
    std::uint32_t right = 0;
  };
  struct Near {
    double distance = 0;
    std::uint32_t point = 0;
    bool operator<(const Near& o) const {
      return distance != o.distance ? distance < o.distance : point < o.point;
    }
  };

  std::size_t width = 0;
  std::vector<double> unit;  // [point][axis]
  std::vector<std::uint32_t> order;
  std::vector<Cell> cells;
  std::vector<std::uint32_t> leaves;  // cells that are leaves, left to right

  double at(std::uint32_t point, std::size_t axis) const { return unit[point * width + axis]; }

  std::uint32_t widest(std::uint32_t first, std::uint32_t last) const {
    std::uint32_t best = 0;
    double best_span = -1;
    for (std::size_t a = 0; a < width; ++a) {
      double low = HUGE_VAL;
      double high = -HUGE_VAL;
      for (std::uint32_t k = first; k < last; ++k) {
        low = std::min(low, at(order[k], a));
        high = std::max(high, at(order[k], a));
      }
      if (high - low > best_span) {
        best_span = high - low;
        best = static_cast<std::uint32_t>(a);
      }
    }
    return best;
  }

  std::uint32_t build(std::uint32_t first, std::uint32_t last) {
    const auto cell = static_cast<std::uint32_t>(cells.size());
    Cell made;
    made.first = first;
    made.last = last;
    cells.push_back(made);
    if (last - first <= kLeafPoints || width == 0) {
      leaves.push_back(cell);
      return cell;
    }
    const std::uint32_t axis = widest(first, last);
    const std::uint32_t middle = first + (last - first) / 2;
    std::nth_element(order.begin() + first, order.begin() + middle, order.begin() + last,
                     [&](std::uint32_t a, std::uint32_t b) {
                       const double x = at(a, axis);
                       const double y = at(b, axis);
                       return x != y ? x < y : a < b;
                     });
    const double split = at(order[middle], axis);
    const std::uint32_t left = build(first, middle);
    const std::uint32_t right = build(middle, last);
    cells[cell].axis = axis;
    cells[cell].split = split;
    cells[cell].left = left;
    cells[cell].right = right;
    return cell;
  }

  void search(std::uint32_t cell, std::uint32_t from, std::size_t wanted,
              std::vector<Near>& heap) const {
    const Cell& c = cells[cell];
    if (c.left == 0) {
      for (std::uint32_t k = c.first; k < c.last; ++k) offer(order[k], from, wanted, heap);
      return;
    }
    const double gap = at(from, c.axis) - c.split;
    const bool left_first = gap < 0;
    search(left_first ? c.left : c.right, from, wanted, heap);
    // Not strictly less: an equally far point with a smaller number may lie beyond.
    if (heap.size() < wanted || gap * gap <= heap.front().distance) {
      search(left_first ? c.right : c.left, from, wanted, heap);
    }
  }

  void offer(std::uint32_t point, std::uint32_t from, std::size_t wanted,
             std::vector<Near>& heap) const {
    Near near;
    near.point = point;
    // The centre comes first even among exact copies of itself.
    near.distance = point == from ? -1 : 0;
    for (std::size_t a = 0; a < width && point != from; ++a) {
      const double d = at(point, a) - at(from, a);
      near.distance += d * d;
    }
    if (heap.size() == wanted) {
      if (!(near < heap.front())) return;
      std::pop_heap(heap.begin(), heap.end());
      heap.pop_back();
    }
    heap.push_back(near);
    std::push_heap(heap.begin(), heap.end());
  }
};

Result<Neighbourhoods> Neighbourhoods::make(const Plan& plan, const Segment& segment,
                                            const NeighbourhoodOptions& options) {
  Neighbourhoods out;
  out.options_ = options;
  out.design_ = &plan.design(segment);
  out.first_trial_ = segment.first_trial;
  out.trials_ = segment.trials;
  out.candidates_ = segment.trials;
  const Design& design = *out.design_;
  for (std::size_t p = 0; p < design.parameters(); ++p) {
    if (!design.axis(p).fixed()) out.varying_.push_back(p);
  }
  out.radius_ = out.varying_.size() <= 1 ? 2 : 1;
  if (design.grid() != nullptr) {
    if (options.cover == Cover::EveryTrial) return out;
    out.candidates_ = 1;
    for (const std::size_t p : out.varying_) {
      const std::uint64_t tiles =
          std::max<std::uint64_t>(1, design.axis(p).count() / (2 * out.radius_ + 1));
      out.tiles_.push_back(tiles);
      out.candidates_ *= tiles;
    }
    return out;
  }
  if (segment.trials > kSampledMax) {
    return Error(ErrorCode::InvalidInput, "neighbourhoods of " + std::to_string(segment.trials) +
                                              " sampled trials; at most " +
                                              std::to_string(kSampledMax));
  }
  for (std::uint64_t b = segment.first_block; b < segment.first_block + segment.blocks; ++b) {
    if (plan.known(b) && plan.whole_window(b)) continue;
    return Error(ErrorCode::InvalidInput,
                 plan.known(b) ? "a search on several windows has no neighbourhoods: its variants "
                                 "are not measured alike"
                               : "a search that still goes on has no neighbourhoods yet");
  }
  auto tree = std::make_shared<Tree>();
  tree->width = out.varying_.size();
  tree->unit.reserve(segment.trials * tree->width);
  std::vector<double> values(design.parameters());
  for (std::uint64_t i = 0; i < segment.trials; ++i) {
    design.point(i, values);
    for (const std::size_t p : out.varying_) {
      const bool says = design.rules().active(p, values);
      tree->unit.push_back(says ? design.axis(p).to_unit(values[p]) : kNowhere);
    }
  }
  tree->order.resize(segment.trials);
  std::iota(tree->order.begin(), tree->order.end(), 0u);
  tree->build(0, static_cast<std::uint32_t>(segment.trials));
  if (options.cover == Cover::Tiles) out.candidates_ = tree->leaves.size();
  out.tree_ = std::move(tree);
  return out;
}

// Valid points with low <= rank along each varying axis < high.
std::vector<std::uint64_t> Neighbourhoods::box_members(std::span<const std::uint64_t> low,
                                                       std::span<const std::uint64_t> high) const {
  std::vector<std::vector<std::uint64_t>> box(design_->parameters(), {0});
  std::size_t points = 1;
  for (std::size_t k = 0; k < varying_.size(); ++k) {
    std::vector<std::uint64_t>& digits = box[varying_[k]];
    digits.clear();
    for (std::uint64_t rank = low[k]; rank < high[k]; ++rank) {
      digits.push_back(design_->axis(varying_[k]).index_at(rank));
    }
    std::sort(digits.begin(), digits.end());
    points *= digits.size();
  }
  std::vector<std::uint64_t> members;
  members.reserve(points);
  design_->grid()->collect(box, members);
  for (std::uint64_t& member : members) member += first_trial_;
  return members;
}

std::vector<std::uint64_t> Neighbourhoods::grid_around(std::uint64_t i) const {
  std::vector<std::uint64_t> digits(design_->parameters());
  design_->grid()->unrank(i, digits);
  const std::size_t width = varying_.size();
  std::vector<std::uint64_t> low(width);
  std::vector<std::uint64_t> high(width);
  std::vector<std::uint64_t> here(width);
  for (std::size_t k = 0; k < width; ++k) {
    const Axis& axis = design_->axis(varying_[k]);
    here[k] = axis.rank_of(digits[varying_[k]]);
    low[k] = here[k] - std::min<std::uint64_t>(here[k], radius_);
    high[k] = std::min(here[k] + radius_ + 1, axis.count());
  }
  if (width <= kBoxAxesMax) return box_members(low, high);
  // A cross: along each axis in turn, the others held.
  std::vector<std::uint64_t> members{first_trial_ + i};
  for (std::size_t k = 0; k < width; ++k) {
    const std::size_t p = varying_[k];
    const std::uint64_t own = digits[p];
    for (std::uint64_t rank = low[k]; rank < high[k]; ++rank) {
      if (rank == here[k]) continue;
      digits[p] = design_->axis(p).index_at(rank);
      if (const auto j = design_->grid()->rank(digits)) members.push_back(first_trial_ + *j);
    }
    digits[p] = own;
  }
  std::sort(members.begin(), members.end());
  return members;
}

std::uint64_t Neighbourhoods::dense_points() const {
  if (design_->grid() == nullptr || varying_.size() > kBoxAxesMax) return 0;
  std::uint64_t points = 1;
  for (const std::size_t p : varying_) {
    points *= design_->axis(p).count();
    if (points > kDensePointsMax) return 0;
  }
  return points;
}

// Profile: to list the 243 neighbours of each of a million trials of five parameters took 30 s of
// processor time, half of a first `converge`; to sum along the parameters takes half a second.
Neighbourhoods::Sums Neighbourhoods::dense_sums(std::span<const double> values,
                                                std::uint64_t points,
                                                const ParallelFor& parallel) const {
  std::vector<double> sum(points, 0.0);
  std::vector<double> members(points, 0.0);
  std::vector<std::uint64_t> place(values.size());
  parallel(tasks_for(values.size(), kTrialsPerTask), [&](std::size_t task) {
    std::vector<std::uint64_t> digits(design_->parameters());
    const std::uint64_t end = std::min<std::uint64_t>(values.size(), (task + 1) * kTrialsPerTask);
    for (std::uint64_t i = task * kTrialsPerTask; i < end; ++i) {
      design_->grid()->unrank(i, digits);
      std::uint64_t at = 0;
      for (const std::size_t p : varying_) {
        at = at * design_->axis(p).count() + design_->axis(p).rank_of(digits[p]);
      }
      place[i] = at;
      sum[at] = values[i];
      members[at] = 1;
    }
  });
  std::uint64_t stride = 1;
  for (std::size_t k = varying_.size(); k-- > 0;) {
    const std::uint64_t count = design_->axis(varying_[k]).count();
    for (std::vector<double>* numbers : {&sum, &members}) {
      sum_along(*numbers, stride, count, radius_, parallel);
    }
    stride *= count;
  }
  Sums out{std::vector<double>(values.size()), std::vector<double>(values.size())};
  for (std::uint64_t i = 0; i < values.size(); ++i) {
    out.sum[i] = sum[place[i]];
    out.members[i] = members[place[i]];
  }
  return out;
}

Neighbourhoods::Sums Neighbourhoods::sums(std::span<const double> values,
                                          const ParallelFor& parallel) const {
  WINNOW_REQUIRES(values.size() == trials_);
  if (const std::uint64_t points = dense_points(); points > 0) {
    return dense_sums(values, points, parallel);
  }
  Sums out{std::vector<double>(values.size()), std::vector<double>(values.size())};
  parallel(tasks_for(values.size(), kNeighboursPerTask), [&](std::size_t task) {
    const std::uint64_t end =
        std::min<std::uint64_t>(values.size(), (task + 1) * kNeighboursPerTask);
    for (std::uint64_t i = task * kNeighboursPerTask; i < end; ++i) {
      const std::vector<std::uint64_t> members = around(first_trial_ + i);
      for (const std::uint64_t m : members) out.sum[i] += values[m - first_trial_];
      out.members[i] = static_cast<double>(members.size());
    }
  });
  return out;
}

Neighbourhood Neighbourhoods::grid_tile(std::uint64_t i) const {
  const std::size_t width = varying_.size();
  std::vector<std::uint64_t> low(width);
  std::vector<std::uint64_t> high(width);
  for (std::size_t k = width; k-- > 0;) {
    const std::uint64_t tile = i % tiles_[k];
    i /= tiles_[k];
    const std::uint64_t count = design_->axis(varying_[k]).count();
    low[k] = tile * count / tiles_[k];
    high[k] = (tile + 1) * count / tiles_[k];
  }
  Neighbourhood out;
  out.members = box_members(low, high);
  if (!out.members.empty()) out.centre = out.members[out.members.size() / 2];
  return out;
}

Neighbourhood Neighbourhoods::sampled_tile(std::uint64_t i) const {
  const Tree::Cell& cell = tree_->cells[tree_->leaves[i]];
  Neighbourhood out;
  for (std::uint32_t k = cell.first; k < cell.last; ++k) {
    out.members.push_back(first_trial_ + tree_->order[k]);
  }
  std::sort(out.members.begin(), out.members.end());
  if (!out.members.empty()) out.centre = out.members[out.members.size() / 2];
  return out;
}

std::vector<std::uint64_t> Neighbourhoods::around(std::uint64_t trial) const {
  WINNOW_REQUIRES(trial >= first_trial_ && trial - first_trial_ < trials_);
  const std::uint64_t i = trial - first_trial_;
  if (!tree_) return grid_around(i);
  std::vector<Tree::Near> heap;
  const std::size_t wanted = std::size_t{options_.nearest} + 1;
  tree_->search(0, static_cast<std::uint32_t>(i), wanted, heap);
  std::vector<std::uint64_t> members;
  members.reserve(heap.size());
  for (const Tree::Near& near : heap) members.push_back(first_trial_ + near.point);
  std::sort(members.begin(), members.end());
  return members;
}

std::optional<Neighbourhood> Neighbourhoods::at(std::uint64_t i) const {
  WINNOW_REQUIRES(i < candidates_);
  Neighbourhood out;
  if (options_.cover == Cover::EveryTrial) {
    out.centre = first_trial_ + i;
    out.members = around(out.centre);
  } else {
    out = tree_ ? sampled_tile(i) : grid_tile(i);
  }
  if (out.members.size() < options_.members_min) return std::nullopt;
  return out;
}

void Neighbourhoods::for_each(const std::function<bool(const Neighbourhood&)>& visit) const {
  for (std::uint64_t i = 0; i < candidates_; ++i) {
    const std::optional<Neighbourhood> one = at(i);
    if (one && !visit(*one)) return;
  }
}

}  // namespace winnow::sweeps
