#pragma once

// x86-64-v3 has no AES instructions, without which Highway would not choose AVX2; the kernels use
// none.
#define HWY_DISABLE_PCLMUL_AES
#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

namespace winnow::engine::lanes {

namespace hn = hwy::HWY_NAMESPACE;

/// The mask of a vector lane type.
template <int N>
struct MaskN {
  using D = hn::FixedTag<double, N>;
  hn::Mask<D> m;
};
template <int N>
inline MaskN<N> operator&(MaskN<N> a, MaskN<N> b) {
  return {hn::And(a.m, b.m)};
}
template <int N>
inline MaskN<N> operator|(MaskN<N> a, MaskN<N> b) {
  return {hn::Or(a.m, b.m)};
}
template <int N>
inline MaskN<N> operator^(MaskN<N> a, MaskN<N> b) {
  return {hn::Xor(a.m, b.m)};
}
template <int N>
inline MaskN<N> operator!(MaskN<N> a) {
  return {hn::Not(a.m)};
}
template <int N>
inline bool any(MaskN<N> a) {
  return !hn::AllFalse(typename MaskN<N>::D(), a.m);
}

/// N variants at a time on Highway's fixed-size vectors.
template <int N>
struct LaneN {
  using D = hn::FixedTag<double, N>;
  using Mask = MaskN<N>;
  static constexpr int kLanes = N;

  hn::Vec<D> v;

  LaneN() = default;
  explicit LaneN(double x) : v(hn::Set(D(), x)) {}
  explicit LaneN(hn::Vec<D> x) : v(x) {}
  static LaneN load(const double* from) { return LaneN(hn::LoadU(D(), from)); }
  void store(double* to) const { hn::StoreU(v, D(), to); }
  static LaneN gather(const double* const* from, std::size_t i) {
    alignas(64) double lanes[N];
    for (int k = 0; k < N; ++k) lanes[k] = from[k][i];
    return LaneN(hn::Load(D(), lanes));
  }
};
template <int N>
inline LaneN<N> operator+(LaneN<N> a, LaneN<N> b) {
  return LaneN<N>(hn::Add(a.v, b.v));
}
template <int N>
inline LaneN<N> operator-(LaneN<N> a, LaneN<N> b) {
  return LaneN<N>(hn::Sub(a.v, b.v));
}
template <int N>
inline LaneN<N> operator*(LaneN<N> a, LaneN<N> b) {
  return LaneN<N>(hn::Mul(a.v, b.v));
}
template <int N>
inline LaneN<N> operator/(LaneN<N> a, LaneN<N> b) {
  return LaneN<N>(hn::Div(a.v, b.v));
}
template <int N>
inline MaskN<N> operator<(LaneN<N> a, LaneN<N> b) {
  return {hn::Lt(a.v, b.v)};
}
template <int N>
inline MaskN<N> operator<=(LaneN<N> a, LaneN<N> b) {
  return {hn::Le(a.v, b.v)};
}
template <int N>
inline MaskN<N> operator>(LaneN<N> a, LaneN<N> b) {
  return {hn::Gt(a.v, b.v)};
}
template <int N>
inline MaskN<N> operator>=(LaneN<N> a, LaneN<N> b) {
  return {hn::Ge(a.v, b.v)};
}
template <int N>
inline MaskN<N> operator==(LaneN<N> a, LaneN<N> b) {
  return {hn::Eq(a.v, b.v)};
}
template <int N>
inline MaskN<N> operator!=(LaneN<N> a, LaneN<N> b) {
  return {hn::Ne(a.v, b.v)};
}
template <int N>
inline LaneN<N> select(MaskN<N> m, LaneN<N> yes, LaneN<N> no) {
  return LaneN<N>(hn::IfThenElse(m.m, yes.v, no.v));
}
template <int N>
inline LaneN<N> masked(MaskN<N> m, LaneN<N> x) {
  return LaneN<N>(hn::IfThenElseZero(m.m, x.v));
}
template <int N>
inline LaneN<N> root(LaneN<N> a) {
  return LaneN<N>(hn::Sqrt(a.v));
}
template <int N>
inline LaneN<N> round_down(LaneN<N> a) {
  return LaneN<N>(hn::Floor(a.v));
}
template <int N>
inline LaneN<N> magnitude(LaneN<N> a) {
  return LaneN<N>(hn::Abs(a.v));
}
template <int N>
inline double least(LaneN<N> a) {
  const typename LaneN<N>::D d;
  return hn::GetLane(hn::MinOfLanes(d, a.v));
}

template <int N>
inline double most(LaneN<N> a) {
  const typename LaneN<N>::D d;
  return hn::GetLane(hn::MaxOfLanes(d, a.v));
}
}  // namespace winnow::engine::lanes
