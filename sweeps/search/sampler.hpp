#pragma once

#include <cstddef>
#include <cstdint>

namespace winnow::sweeps {

// Points of the unit cube by index: nothing to ship, nothing to replay. Every function here is
// pure.

/// Dimensions that sobol() has direction numbers for.
inline constexpr std::size_t kSobolDimensionsMax = 64;
/// Points before the sequence repeats.
inline constexpr std::uint64_t kSobolPointsMax = std::uint64_t{1} << 32;

/// Coordinate `dimension` of point `index` of the Sobol sequence in Gray-code order, not scrambled;
/// point 0 is 0. Direction numbers: Joe and Kuo 2008, set D6.
/// Requires: dimension < kSobolDimensionsMax, index < kSobolPointsMax.
double sobol(std::uint64_t index, std::size_t dimension);

/// Purpose: a seeded permutation of 0..n-1 by a Feistel network with cycle walking (Black and
/// Rogaway 2002): no memory, about two evaluations a call.
class Permutation {
 public:
  /// Requires: n > 0.
  Permutation(std::uint64_t n, std::uint64_t key);
  /// Requires: i < n.
  std::uint64_t operator()(std::uint64_t i) const;

 private:
  std::uint64_t n_;
  std::uint64_t key_;
  unsigned half_bits_;
};

/// Draw `draw` for trial `trial` of segment `segment`: uniform in [0, 1).
double uniform_at(std::uint64_t seed, std::uint64_t segment, std::uint64_t trial,
                  std::uint64_t draw);

/// Coordinate `dimension` of row `row` of a Latin hypercube of `rows` rows: exactly one row in each
/// of the `rows` equal strata, at a random place in it. Requires: row < rows.
double latin_hypercube(std::uint64_t seed, std::uint64_t segment, std::uint64_t rows,
                       std::uint64_t row, std::uint64_t dimension);

}  // namespace winnow::sweeps
