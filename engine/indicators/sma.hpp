#pragma once

#include <cstddef>
#include <limits>

#include "engine/indicators/rolling.hpp"

namespace winnow::engine {

/// Mean of the last `window` values; NaN before there are so many.
struct SmaFormula {
  static constexpr ColumnKind kKind = ColumnKind::Sma;
  static constexpr bool kSquares = false;
  static double empty() { return std::numeric_limits<double>::quiet_NaN(); }
  static void of(double n, double ref, const double* sums, const double*, const double*,
                 std::size_t count, double* out) {
    for (std::size_t i = 0; i < count; ++i) out[i] = ref + sums[i] / n;
  }
};
using Sma = RollingColumn<SmaFormula>;

}  // namespace winnow::engine
