#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace winnow::sweeps::stats {

using Points = std::vector<std::vector<double>>;  ///< [point][dimension] in [0, 1)

/// Halton's sequence, point `index` from 0: radical inverses in the first primes.
std::vector<double> halton(std::uint64_t index, std::size_t dimensions);

/// Latin hypercube from given draws: x = (permutation + u) / n, one point a stratum and dimension.
Points latin_hypercube(const std::vector<std::vector<std::size_t>>& permutations,
                       const Points& uniforms);

// How evenly points fill the cube (Hickernell 1998; mixture: Zhou, Fang and Ning 2013). Quadratic
// in the points.
double centred_discrepancy(const Points& x);
double wraparound_discrepancy(const Points& x);
double mixture_discrepancy(const Points& x);
double l2_star_discrepancy(const Points& x);  ///< the root, the others are squares

}  // namespace winnow::sweeps::stats
