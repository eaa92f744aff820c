#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "sweeps/design.hpp"
#include "sweeps/plan.hpp"
#include "sweeps/stats/parallel.hpp"

namespace winnow::sweeps {

enum class Cover {
  EveryTrial,  ///< one neighbourhood around each trial; they overlap
  Tiles,       ///< disjoint boxes of the grid (cells of a k-d tree for samples): each trial in one
};

struct NeighbourhoodOptions {
  Cover cover = Cover::EveryTrial;
  std::uint32_t members_min = 5;  ///< smaller ones are passed over
  std::uint32_t nearest = 8;      ///< of a sampled design: neighbours besides the centre
};

/// Trials of one segment that are close in parameters.
struct Neighbourhood {
  std::uint64_t centre = 0;            ///< a trial of the plan; of a tile its middle one
  std::vector<std::uint64_t> members;  ///< trials of the plan, ascending, centre included
};

/// Purpose: the neighbourhoods of a segment, one at a time: families for `converge --by
/// neighbourhood` and plateaus.
/// On a grid a neighbour is at most `radius()` steps away in every parameter that varies (values of
/// a list are steps in order of size): one step, or two where a single parameter varies, since
/// three trials are no family. Beyond kBoxAxesMax varying parameters, where boxes would hold
/// thousands, it is at most one step away in one parameter. In a sampled design the neighbours are
/// the `nearest` trials by Euclidean distance in the unit cube of the varying parameters, ties by
/// trial number. Owner: keeps no reference but the plan's design, which it shares. Thread: any,
/// const. Limits: a sampled segment has at most kSampledMax trials (24 bytes and 8 a parameter
/// each).
class Neighbourhoods {
 public:
  static constexpr std::size_t kBoxAxesMax = 6;
  static constexpr std::uint64_t kSampledMax = std::uint64_t{1} << 22;

  /// Requires: the plan outlives it. Fails: InvalidInput beyond the limits.
  static Result<Neighbourhoods> make(const Plan& plan, const Segment& segment,
                                     const NeighbourhoodOptions& options = {});

  /// Candidates, including those with too few members: trials or tiles.
  std::uint64_t candidates() const { return candidates_; }
  std::uint32_t radius() const { return radius_; }

  /// Neighbours of a trial of the segment, itself included, ascending. Requires: it is in the
  /// segment.
  std::vector<std::uint64_t> around(std::uint64_t trial) const;

  /// Of every trial of the segment, in order: the sum of its neighbours' values, itself included,
  /// and how many they are. As around() lists them, for all at once: on a grid along one parameter
  /// after the other, a few steps a trial. Requires: one value a trial.
  struct Sums {
    std::vector<double> sum;
    std::vector<double> members;
  };
  Sums sums(std::span<const double> values, const ParallelFor& parallel = serial_for()) const;

  /// Candidate i, or nothing if it has fewer than members_min. Requires: i < candidates().
  std::optional<Neighbourhood> at(std::uint64_t i) const;

  /// Calls `visit` for each neighbourhood in order until it returns false.
  void for_each(const std::function<bool(const Neighbourhood&)>& visit) const;

 private:
  Neighbourhoods() = default;
  struct Tree;
  /// Points of the whole grid, valid or not, if boxes of it can be summed densely; else 0.
  std::uint64_t dense_points() const;
  Sums dense_sums(std::span<const double> values, std::uint64_t points,
                  const ParallelFor& parallel) const;
  std::vector<std::uint64_t> grid_around(std::uint64_t i) const;
  Neighbourhood grid_tile(std::uint64_t i) const;
  Neighbourhood sampled_tile(std::uint64_t i) const;
  std::vector<std::uint64_t> box_members(std::span<const std::uint64_t> low,
                                         std::span<const std::uint64_t> high) const;

  NeighbourhoodOptions options_;
  const Design* design_ = nullptr;
  std::uint64_t first_trial_ = 0;
  std::uint64_t trials_ = 0;  // of the segment
  std::uint64_t candidates_ = 0;
  std::uint32_t radius_ = 1;
  std::vector<std::size_t> varying_;  // parameters with more than one value
  std::vector<std::uint64_t> tiles_;  // tiles along each varying parameter
  std::shared_ptr<const Tree> tree_;  // sampled designs
};

}  // namespace winnow::sweeps
