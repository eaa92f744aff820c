#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sweeps/convergence/options.hpp"
#include "sweeps/stats/panel.hpp"
#include "sweeps/stats/parallel.hpp"

namespace winnow::sweeps {

/// Two variants with a correlation above this are one (single linkage).
inline constexpr double kCloneCorrelation = 0.99;

/// Mean over the periods and 1 / sqrt(sum of squared deviations) of a row.
struct RowMoments {
  double mean = 0;
  double inverse_norm = 0;
};

/// Work allowed for trying every pair, in compared coordinates; beyond it links come from hashing.
/// 3e10 is a few seconds on one core.
inline constexpr double kExactWorkMax = 3e10;

struct DedupeInput {
  const PanelView* rows = nullptr;  ///< no two rows of equal bytes, all finite, none constant
  std::span<const RowMoments> moments;
  double exact_work_max = kExactWorkMax;
};

struct DedupeOutput {
  /// Root of each row: the lowest index of its group.
  std::vector<std::uint32_t> root;
  DedupeMode mode = DedupeMode::Exact;
  std::uint64_t unchecked_pairs = 0;
};

/// Single linkage at correlation > .99, that is at squared distance < .02 between unit vectors.
///
/// Rows are centred on the family's mean vector, rotated by a seeded fast Hadamard transform (an
/// isometry, so the first coordinates bound the distance from below), and
///   1. linked through seeded sign hashing: rows that share a key are compared, every link is
///   proven
///      by the full correlation, so no false link exists;
///   2. compared pair by pair across the groups so far, giving up a pair once its partial distance
///      exceeds the limit. This makes the result exact. It is left out if the expected work exceeds
///      `exact_work_max`; then mode is Hashed and unchecked_pairs says how many pairs of different
///      groups were not tried. A pair at correlation r escapes step 1 with probability about
///      (1 - (1 - a/pi)^k)^L, a = the angle between the two centred rows, k = hash bits, L =
///      tables.
/// Deterministic: a function of the rows and their order; the ParallelFor has no influence.
DedupeOutput link_clones(const DedupeInput& input, const ParallelFor& parallel);

}  // namespace winnow::sweeps
