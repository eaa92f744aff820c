#pragma once

#include <cmath>
#include <cstddef>

#include "engine/indicators/rolling.hpp"

namespace winnow::engine {

/// (value - mean) / population standard deviation of the last `window` values; 0 before there are
/// so many, and where they are all alike.
struct ZScoreFormula {
  static constexpr ColumnKind kKind = ColumnKind::ZScore;
  static constexpr bool kSquares = true;
  static double empty() { return 0; }
  static void of(double n, double ref, const double* sums, const double* squares, const double* x,
                 std::size_t count, double* out) {
    for (std::size_t i = 0; i < count; ++i) {
      const double mean = sums[i] / n;
      const double second = squares[i] / n;
      const double variance = second - mean * mean;
      // Below this the difference is rounding error: the window is flat.
      const bool flat = !(variance > second * 1e-12);
      const double z = ((x[i] - ref) - mean) / std::sqrt(flat ? 1.0 : variance);
      out[i] = flat ? 0.0 : z;
    }
  }
};
using ZScore = RollingColumn<ZScoreFormula>;

}  // namespace winnow::engine
