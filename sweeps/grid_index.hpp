#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "sweeps/axis.hpp"
#include "sweeps/space_rules.hpp"

namespace winnow::sweeps {

/// Purpose: numbers the valid points of a grid, last parameter fastest, and finds them again, both
/// in O(parameters * log(points of one)). A point that the rules refuse has no number; nor has one
/// with a parameter that says nothing there, but the one with its first digit, which stands for all
/// of them. Limits: the grid of the parameters the rules read has at most kTableMax points: it is
/// walked once and kept as one running count each. Parameters they do not read cost nothing.
/// Thread: any, const.
class GridIndex {
 public:
  static constexpr std::uint64_t kTableMax = std::uint64_t{1} << 22;

  /// Requires: axes with count() > 0, one a parameter. Fails: InvalidInput if the grid is beyond
  /// the limits or has no valid point.
  static Result<GridIndex> make(std::span<const Axis> axes, const SpaceRules& rules);

  std::uint64_t size() const { return size_; }
  /// Points that have no number.
  std::uint64_t skipped() const { return all_ - size_; }
  /// Requires: i < size(); digits has one entry a parameter.
  void unrank(std::uint64_t i, std::span<std::uint64_t> digits) const;
  /// The number of a point, if it is valid. Requires: digits[p] < count of axis p.
  std::optional<std::uint64_t> rank(std::span<const std::uint64_t> digits) const;
  /// Appends the numbers of a box's valid points, ascending. Requires: of every parameter the
  /// digits of the box, ascending. Costs little more than one step a point.
  void collect(std::span<const std::vector<std::uint64_t>> box,
               std::vector<std::uint64_t>& out) const;

 private:
  GridIndex() = default;
  Status tabulate(std::span<const Axis> axes, const SpaceRules& rules);

  struct Level {
    std::uint64_t count = 1;
    bool tabled = false;
    std::uint64_t free_after = 1;  // points of the untabled parameters behind this one
    std::uint64_t stride = 1;      // tabled: leaves below one digit
  };
  /// Where a walk down the levels is.
  struct Place {
    std::size_t level = 0;
    std::uint64_t first = 0;  // number of the first point below, if there is one
    std::uint64_t leaf = 0;
    std::uint64_t leaves = 1;
  };
  void collect_below(Place at, std::span<const std::vector<std::uint64_t>> box,
                     std::vector<std::uint64_t>& out) const;
  std::uint64_t valid_below(const Place& at) const {
    return before_.empty() ? 1 : std::uint64_t{before_[at.leaf + at.leaves]} - before_[at.leaf];
  }
  std::vector<Level> levels_;
  std::vector<std::uint32_t> before_;  // [leaf]: valid leaves before it; one more at the end
  std::uint64_t leaves_ = 1;
  std::uint64_t all_ = 1;
  std::uint64_t size_ = 0;
};

}  // namespace winnow::sweeps
