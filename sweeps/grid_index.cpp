#include "sweeps/grid_index.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::uint64_t kGridPointsMax = 10'000'000'000;

}  // namespace

Result<GridIndex> GridIndex::make(std::span<const Axis> axes, const SpaceRules& rules) {
  WINNOW_REQUIRES(
      std::all_of(axes.begin(), axes.end(), [](const Axis& axis) { return axis.count() > 0; }));
  GridIndex index;
  index.levels_.resize(axes.size());
  std::uint64_t free_after = 1;
  for (std::size_t p = axes.size(); p-- > 0;) {
    Level& level = index.levels_[p];
    level.count = axes[p].count();
    if (level.count > kGridPointsMax / index.all_) {
      return bad_input("the grid has more than " + std::to_string(kGridPointsMax) + " points");
    }
    index.all_ *= level.count;
    level.tabled = level.count > 1 && rules.reads(p);
    level.free_after = free_after;
    level.stride = index.leaves_;
    if (level.tabled) {
      index.leaves_ *= level.count;
    } else {
      free_after *= level.count;
    }
  }
  if (!rules.refuses() && !rules.conditional()) {
    index.leaves_ = 1;
    index.size_ = index.all_;
    return index;
  }
  WINNOW_TRY(index.tabulate(axes, rules));
  return index;
}

Status GridIndex::tabulate(std::span<const Axis> axes, const SpaceRules& rules) {
  if (leaves_ > kTableMax) {
    return bad_input("the grid has " + std::to_string(leaves_) +
                     " points of parameters that are checked against each other; at most " +
                     std::to_string(kTableMax) +
                     " can be planned. Take longer steps or search at random");
  }
  std::vector<double> values(axes.size());
  std::vector<double> settled(axes.size());
  std::vector<std::uint64_t> digits(axes.size(), 0);
  for (std::size_t p = 0; p < axes.size(); ++p) values[p] = axes[p].value(0);
  before_.reserve(leaves_ + 1);
  std::uint32_t valid = 0;
  std::string last_refusal;
  for (std::uint64_t leaf = 0; leaf < leaves_; ++leaf) {
    before_.push_back(valid);
    bool stands_for_itself = true;
    for (std::size_t p = 0; p < axes.size(); ++p) {
      stands_for_itself &= digits[p] == 0 || rules.active(p, values);
    }
    if (stands_for_itself) {
      settled = values;
      rules.settle(settled);
      const Status status = rules.check(settled);
      if (status.ok()) {
        ++valid;
      } else if (valid == 0) {
        last_refusal = status.error().text();
      }
    }
    // Count on by one, last tabled parameter fastest.
    for (std::size_t p = axes.size(); p-- > 0;) {
      if (!levels_[p].tabled) continue;
      digits[p] = digits[p] + 1 < levels_[p].count ? digits[p] + 1 : 0;
      values[p] = axes[p].value(digits[p]);
      if (digits[p] != 0) break;
    }
  }
  before_.push_back(valid);
  if (valid == 0) return bad_input("no point of the grid is valid: " + last_refusal);
  size_ = all_ / leaves_ * valid;
  return {};
}

void GridIndex::unrank(std::uint64_t i, std::span<std::uint64_t> digits) const {
  WINNOW_REQUIRES(i < size_ && digits.size() == levels_.size());
  std::uint64_t leaf = 0;          // first leaf below the tabled digits fixed so far
  std::uint64_t leaves = leaves_;  // how many lie there
  for (std::size_t p = 0; p < levels_.size(); ++p) {
    const Level& level = levels_[p];
    if (level.count == 1) {
      digits[p] = 0;
      continue;
    }
    if (!level.tabled) {
      const std::uint64_t valid =
          before_.empty() ? 1 : std::uint64_t{before_[leaf + leaves]} - before_[leaf];
      const std::uint64_t below = level.free_after * valid;
      digits[p] = i / below;
      i %= below;
      continue;
    }
    // The last digit whose valid leaves before it, times the free points behind, do not exceed i.
    const std::uint64_t start = before_[leaf];
    std::uint64_t low = 0;
    std::uint64_t high = level.count - 1;
    while (low < high) {
      const std::uint64_t middle = (low + high + 1) / 2;
      if ((before_[leaf + middle * level.stride] - start) * level.free_after <= i) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    digits[p] = low;
    i -= (before_[leaf + low * level.stride] - start) * level.free_after;
    leaf += low * level.stride;
    leaves = level.stride;
  }
}

std::optional<std::uint64_t> GridIndex::rank(std::span<const std::uint64_t> digits) const {
  WINNOW_REQUIRES(digits.size() == levels_.size());
  std::uint64_t i = 0;
  std::uint64_t leaf = 0;
  std::uint64_t leaves = leaves_;
  for (std::size_t p = 0; p < levels_.size(); ++p) {
    const Level& level = levels_[p];
    if (level.count == 1) continue;
    if (!level.tabled) {
      const std::uint64_t valid =
          before_.empty() ? 1 : std::uint64_t{before_[leaf + leaves]} - before_[leaf];
      i += digits[p] * level.free_after * valid;
      continue;
    }
    const std::uint64_t next = leaf + digits[p] * level.stride;
    i += (std::uint64_t{before_[next]} - before_[leaf]) * level.free_after;
    leaf = next;
    leaves = level.stride;
  }
  if (!before_.empty() && before_[leaf] == before_[leaf + 1]) return std::nullopt;
  return i;
}

void GridIndex::collect(std::span<const std::vector<std::uint64_t>> box,
                        std::vector<std::uint64_t>& out) const {
  WINNOW_REQUIRES(box.size() == levels_.size());
  collect_below({.leaves = leaves_}, box, out);
}

void GridIndex::collect_below(Place at, std::span<const std::vector<std::uint64_t>> box,
                              std::vector<std::uint64_t>& out) const {
  while (at.level < levels_.size() && levels_[at.level].count == 1) ++at.level;
  const std::uint64_t valid = valid_below(at);
  if (valid == 0) return;
  if (at.level == levels_.size()) {
    out.push_back(at.first);
    return;
  }
  const Level& level = levels_[at.level];
  for (const std::uint64_t digit : box[at.level]) {
    Place below = at;
    ++below.level;
    if (level.tabled) {
      below.leaf = at.leaf + digit * level.stride;
      below.leaves = level.stride;
      below.first += (std::uint64_t{before_[below.leaf]} - before_[at.leaf]) * level.free_after;
    } else {
      below.first += digit * level.free_after * valid;
    }
    collect_below(below, box, out);
  }
}

}  // namespace winnow::sweeps
