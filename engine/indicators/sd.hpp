#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include "engine/indicators/rolling.hpp"

namespace winnow::engine {

/// Population standard deviation of the last `window` values; 0 where they are all alike, NaN
/// before there are so many.
struct SdFormula {
  static constexpr ColumnKind kKind = ColumnKind::Sd;
  static constexpr bool kSquares = true;
  static double empty() { return std::numeric_limits<double>::quiet_NaN(); }
  static void of(double n, double, const double* sums, const double* squares, const double*,
                 std::size_t count, double* out) {
    for (std::size_t i = 0; i < count; ++i) {
      const double mean = sums[i] / n;
      const double second = squares[i] / n;
      const double variance = second - mean * mean;
      // Below this the difference is rounding error: the window is flat.
      const bool flat = !(variance > second * 1e-12);
      out[i] = flat ? 0.0 : std::sqrt(variance);
    }
  }
};
using Sd = RollingColumn<SdFormula>;

}  // namespace winnow::engine
