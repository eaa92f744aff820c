#pragma once

#include <limits>

#include "engine/lanes/lane.hpp"

// A condition is written once, as a template over what it sees. Seen exactly, it is a mask. Seen as
// a block of bars, each column is the range of its values there, and the same expression says
// whether the condition may hold at a bar of the block, and whether it may fail.

namespace winnow::engine::lanes {

/// A truth value of many bars at once: bars at which it holds may be among them, and bars at which
/// it does not.
template <class M>
struct Maybe {
  M yes;
  M no;
};
template <class M>
Maybe<M> operator&(Maybe<M> a, Maybe<M> b) {
  return {a.yes & b.yes, a.no | b.no};
}
template <class M>
Maybe<M> operator|(Maybe<M> a, Maybe<M> b) {
  return {a.yes | b.yes, a.no & b.no};
}
template <class M>
Maybe<M> operator!(Maybe<M> a) {
  return {a.no, a.yes};
}
/// With what is the same at all of the bars.
template <class M>
Maybe<M> operator&(Maybe<M> a, M b) {
  return {a.yes & b, a.no | (!b)};
}
template <class M>
Maybe<M> operator&(M a, Maybe<M> b) {
  return b & a;
}
template <class M>
Maybe<M> operator|(Maybe<M> a, M b) {
  return {a.yes | b, a.no & (!b)};
}
template <class M>
Maybe<M> operator|(M a, Maybe<M> b) {
  return b | a;
}

/// Where a condition may hold.
template <class M>
M possible(Maybe<M> m) {
  return m.yes;
}
template <class M>
M possible(M m) {
  return m;
}

/// Values of many bars at once, all within [lo, hi]. Where nothing is known of them, or one of them
/// is no number, that is all of [-inf, inf]. Bounds are always numbers.
template <class V>
struct Range {
  V lo;
  V hi;
};
/// A range of what was computed: where a bound is no number (inf - inf, 0 * inf), nothing is known.
template <class V>
Range<V> known(V lo, V hi) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  return {select(lo == lo, lo, V(-inf)), select(hi == hi, hi, V(inf))};
}
// Rounding is monotonic: what is computed of values within their ranges lies within what is
// computed of the ranges, to the last bit.
template <class V>
Range<V> operator+(Range<V> a, Range<V> b) {
  return known(a.lo + b.lo, a.hi + b.hi);
}
template <class V>
Range<V> operator-(Range<V> a, Range<V> b) {
  return known(a.lo - b.hi, a.hi - b.lo);
}
/// The least and the greatest of four values at the corners. smaller and larger would hide one that
/// is no number.
template <class V>
Range<V> corners(V a, V b, V c, V d) {
  const V sum = (a + b) + (c + d);  // no number if one of them is none
  return known(select(sum == sum, smaller(smaller(a, b), smaller(c, d)), sum),
               select(sum == sum, larger(larger(a, b), larger(c, d)), sum));
}
template <class V>
Range<V> operator*(Range<V> a, Range<V> b) {
  return corners(a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi);
}
/// Nothing is known where the divisor may be zero.
template <class V>
Range<V> operator/(Range<V> a, Range<V> b) {
  const V zero(0.0);
  const auto apart = (b.lo > zero) | (b.hi < zero);
  const V one(1.0);
  const Range<V> divisor{select(apart, b.lo, V(0.0) - one), select(apart, b.hi, one)};
  const Range<V> r =
      corners(a.lo / divisor.lo, a.lo / divisor.hi, a.hi / divisor.lo, a.hi / divisor.hi);
  constexpr double inf = std::numeric_limits<double>::infinity();
  return {select(apart, r.lo, V(-inf)), select(apart, r.hi, V(inf))};
}
/// `r` where a and b are known, and nothing elsewhere: magnitude, larger and smaller would hide
/// that a value may be no number.
template <class V>
Range<V> where_known(Range<V> a, Range<V> b, Range<V> r) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const auto both = (a.lo > V(-inf)) & (b.lo > V(-inf)) & (a.hi < V(inf)) & (b.hi < V(inf));
  return {select(both, r.lo, V(-inf)), select(both, r.hi, V(inf))};
}
template <class V>
Range<V> magnitude(Range<V> a) {
  const V lo = magnitude(a.lo);
  const V hi = magnitude(a.hi);
  const auto crosses = (a.lo <= V(0.0)) & (a.hi >= V(0.0));
  return where_known(a, a, {select(crosses, V(0.0), smaller(lo, hi)), larger(lo, hi)});
}
template <class V>
Range<V> larger(Range<V> a, Range<V> b) {
  return where_known(a, b, {larger(a.lo, b.lo), larger(a.hi, b.hi)});
}
template <class V>
Range<V> smaller(Range<V> a, Range<V> b) {
  return where_known(a, b, {smaller(a.lo, b.lo), smaller(a.hi, b.hi)});
}
template <class V>
Range<V> operator+(Range<V> a, V b) {
  return a + Range<V>{b, b};
}
template <class V>
Range<V> operator+(V a, Range<V> b) {
  return Range<V>{a, a} + b;
}
template <class V>
Range<V> operator-(Range<V> a, V b) {
  return a - Range<V>{b, b};
}
template <class V>
Range<V> operator-(V a, Range<V> b) {
  return Range<V>{a, a} - b;
}
template <class V>
Range<V> operator*(Range<V> a, V b) {
  return a * Range<V>{b, b};
}
template <class V>
Range<V> operator*(V a, Range<V> b) {
  return Range<V>{a, a} * b;
}
template <class V>
Range<V> operator/(Range<V> a, V b) {
  return a / Range<V>{b, b};
}
template <class V>
Range<V> operator/(V a, Range<V> b) {
  return Range<V>{a, a} / b;
}

// A comparison may fail where the opposite is not certain: thresholds may be no numbers.
template <class V>
Maybe<typename V::Mask> operator<(Range<V> a, Range<V> b) {
  return {a.lo < b.hi, !(a.hi < b.lo)};
}
template <class V>
Maybe<typename V::Mask> operator<=(Range<V> a, Range<V> b) {
  return {a.lo <= b.hi, !(a.hi <= b.lo)};
}
template <class V>
Maybe<typename V::Mask> operator>(Range<V> a, Range<V> b) {
  return b < a;
}
template <class V>
Maybe<typename V::Mask> operator>=(Range<V> a, Range<V> b) {
  return b <= a;
}
template <class V>
Maybe<typename V::Mask> operator==(Range<V> a, Range<V> b) {
  return (a <= b) & (b <= a);
}
template <class V>
Maybe<typename V::Mask> operator!=(Range<V> a, Range<V> b) {
  return !(a == b);
}
template <class V>
Maybe<typename V::Mask> operator<(Range<V> a, V b) {
  return a < Range<V>{b, b};
}
template <class V>
Maybe<typename V::Mask> operator<(V a, Range<V> b) {
  return Range<V>{a, a} < b;
}
template <class V>
Maybe<typename V::Mask> operator<=(Range<V> a, V b) {
  return a <= Range<V>{b, b};
}
template <class V>
Maybe<typename V::Mask> operator<=(V a, Range<V> b) {
  return Range<V>{a, a} <= b;
}
template <class V>
Maybe<typename V::Mask> operator>(Range<V> a, V b) {
  return a > Range<V>{b, b};
}
template <class V>
Maybe<typename V::Mask> operator>(V a, Range<V> b) {
  return Range<V>{a, a} > b;
}
template <class V>
Maybe<typename V::Mask> operator>=(Range<V> a, V b) {
  return a >= Range<V>{b, b};
}
template <class V>
Maybe<typename V::Mask> operator>=(V a, Range<V> b) {
  return Range<V>{a, a} >= b;
}
template <class V>
Maybe<typename V::Mask> operator==(Range<V> a, V b) {
  return a == Range<V>{b, b};
}
template <class V>
Maybe<typename V::Mask> operator==(V a, Range<V> b) {
  return Range<V>{a, a} == b;
}
template <class V>
Maybe<typename V::Mask> operator!=(Range<V> a, V b) {
  return a != Range<V>{b, b};
}
template <class V>
Maybe<typename V::Mask> operator!=(V a, Range<V> b) {
  return Range<V>{a, a} != b;
}

}  // namespace winnow::engine::lanes
