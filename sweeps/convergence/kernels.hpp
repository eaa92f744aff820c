#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace winnow::sweeps {

// The inner loops of clone search, each built for the baseline instruction set and for AVX2 and
// chosen at run time. Lanes are variants, sums run in one fixed order and nothing is contracted, so
// both builds give the same bits.

inline constexpr std::size_t kLanes = 8;

/// Eight single-precision lanes.
struct alignas(32) Lane8 {
  float v[kLanes];
};

/// In-place unnormalised Walsh-Hadamard transform of eight columns at once.
/// Requires: x.size() is a power of two.
void hadamard8(std::span<Lane8> x);

/// Compares a query with tiles of eight candidates over consecutive coordinates; tile k is at
/// tiles + k * dims. A tile is given up once all eight squared distances exceed `limit` (tested
/// after every 8 coordinates).
struct TileScan {
  const float* query = nullptr;
  const Lane8* tiles = nullptr;
  std::size_t dims = 0;  ///< a multiple of 8
  float limit = 0;
};
/// The first tile in [first, last) with a candidate within the limit, else `last`; bit i of `mask`
/// is set if lane i of that tile is within.
std::size_t next_within(const TileScan& scan, std::size_t first, std::size_t last, unsigned& mask);

/// Squared distance, or a part of it that already exceeds `limit`. Requires: dims a multiple of 8.
float distance2(const float* a, const float* b, std::size_t dims, float limit);

/// Sum of a[i] * b[i] in double precision, in a fixed order.
double dot(const float* a, const float* b, std::size_t n);
double dot(const double* a, const double* b, std::size_t n);
double dot(const float* a, const double* b, std::size_t n);

/// Sum of (a[i] - shift), and of its square, in a fixed order. Not finite if any a[i] is not.
struct Sums {
  double sum = 0;
  double square = 0;
};
Sums sums(const float* a, std::size_t n, double shift);
Sums sums(const double* a, std::size_t n, double shift);

/// out[i] += w * a[i].
void add_scaled(const float* a, double w, std::span<double> out);
void add_scaled(const double* a, double w, std::span<double> out);

/// out[i] = a[i] - w * b[i], in double precision. Requires: b.size() numbers in `a` and `out`.
void less_scaled(const float* a, double w, std::span<const double> b, float* out);
void less_scaled(const double* a, double w, std::span<const double> b, double* out);

}  // namespace winnow::sweeps
