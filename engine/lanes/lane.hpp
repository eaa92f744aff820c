#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

// A lane type V is a SIMD vector of doubles whose lanes are variants, or one double. Strategies and
// the simulator are templates over it and use only what this file defines for Lane1 (and
// lane_hwy.hpp for vectors): + - * / sqrt, comparisons, select, floor. All of them are correctly
// rounded, so a lane's bits do not depend on the width.

namespace winnow::engine::lanes {

/// The mask of the scalar lane.
struct Mask1 {
  bool on = false;
};
inline Mask1 operator&(Mask1 a, Mask1 b) { return {a.on && b.on}; }
inline Mask1 operator|(Mask1 a, Mask1 b) { return {a.on || b.on}; }
inline Mask1 operator^(Mask1 a, Mask1 b) { return {a.on != b.on}; }
inline Mask1 operator!(Mask1 a) { return {!a.on}; }
inline bool any(Mask1 a) { return a.on; }

/// One variant at a time: the definition that every other width must reproduce.
struct Lane1 {
  using Mask = Mask1;
  static constexpr int kLanes = 1;

  double v = 0;

  Lane1() = default;
  explicit Lane1(double x) : v(x) {}
  static Lane1 load(const double* from) { return Lane1(*from); }
  void store(double* to) const { *to = v; }
  /// The values at the lanes' own addresses.
  static Lane1 gather(const double* const* from, std::size_t i) { return Lane1(from[0][i]); }
};
inline Lane1 operator+(Lane1 a, Lane1 b) { return Lane1(a.v + b.v); }
inline Lane1 operator-(Lane1 a, Lane1 b) { return Lane1(a.v - b.v); }
inline Lane1 operator*(Lane1 a, Lane1 b) { return Lane1(a.v * b.v); }
inline Lane1 operator/(Lane1 a, Lane1 b) { return Lane1(a.v / b.v); }
inline Mask1 operator<(Lane1 a, Lane1 b) { return {a.v < b.v}; }
inline Mask1 operator<=(Lane1 a, Lane1 b) { return {a.v <= b.v}; }
inline Mask1 operator>(Lane1 a, Lane1 b) { return {a.v > b.v}; }
inline Mask1 operator>=(Lane1 a, Lane1 b) { return {a.v >= b.v}; }
inline Mask1 operator==(Lane1 a, Lane1 b) { return {a.v == b.v}; }
inline Mask1 operator!=(Lane1 a, Lane1 b) { return {a.v != b.v}; }
inline Lane1 select(Mask1 m, Lane1 yes, Lane1 no) { return m.on ? yes : no; }
inline Lane1 masked(Mask1 m, Lane1 x) { return m.on ? x : Lane1(0.0); }
inline Lane1 root(Lane1 a) { return Lane1(std::sqrt(a.v)); }
inline Lane1 round_down(Lane1 a) { return Lane1(std::floor(a.v)); }
inline Lane1 magnitude(Lane1 a) { return Lane1(std::fabs(a.v)); }
// Across lanes: for control (where a segment ends, what a block covers), never for a variant's
// value.
inline double least(Lane1 a) { return a.v; }
inline double most(Lane1 a) { return a.v; }

/// The smaller; b where they are equal.
template <class V>
V smaller(V a, V b) {
  return select(a < b, a, b);
}
/// The larger; b where they are equal.
template <class V>
V larger(V a, V b) {
  return select(a > b, a, b);
}

/// A limit of which 0 says that there is none.
template <class V>
V off_at_zero(V x) {
  return select(x > V(0.0), x, V(std::numeric_limits<double>::infinity()));
}

}  // namespace winnow::engine::lanes
