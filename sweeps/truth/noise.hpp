#pragma once

#include "base/rng.hpp"

namespace winnow::sweeps {

/// Sum of twelve uniforms less six: near enough to normal, bounded, and the same everywhere.
inline double nearly_normal(Rng& rng) {
  double z = -6;
  for (int k = 0; k < 12; ++k) z += rng.uniform();
  return z;
}

}  // namespace winnow::sweeps
