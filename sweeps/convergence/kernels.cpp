#include "sweeps/convergence/kernels.hpp"

#include "base/check.hpp"

namespace winnow::sweeps {
namespace {

using F8 [[gnu::vector_size(32), gnu::may_alias]] = float;
using F8U [[gnu::vector_size(32), gnu::may_alias, gnu::aligned(4)]] = float;
using I8 [[gnu::vector_size(32), gnu::may_alias]] = int;
using L4 [[gnu::vector_size(32), gnu::may_alias]] = long long;
using D4 [[gnu::vector_size(32), gnu::may_alias]] = double;
using D4U [[gnu::vector_size(32), gnu::may_alias, gnu::aligned(8)]] = double;
using F4 [[gnu::vector_size(16), gnu::may_alias]] = float;
using F4U [[gnu::vector_size(16), gnu::may_alias, gnu::aligned(4)]] = float;

#define WINNOW_INLINE [[gnu::always_inline]] inline

WINNOW_INLINE void hadamard8_body(std::span<Lane8> x) {
  F8* p = reinterpret_cast<F8*>(x.data());
  const std::size_t n = x.size();
  for (std::size_t h = 1; h < n; h *= 2) {
    for (std::size_t i = 0; i < n; i += 2 * h) {
      for (std::size_t j = i; j < i + h; ++j) {
        const F8 a = p[j];
        const F8 b = p[j + h];
        p[j] = a + b;
        p[j + h] = a - b;
      }
    }
  }
}

/// Adds (c[k] - q[k])^2 over 8 coordinates. Written out: the compiler keeps it in registers.
WINNOW_INLINE void add_squares(const F8* c, const float* q, F8& sum) {
  const F8 d0 = c[0] - q[0];
  const F8 d1 = c[1] - q[1];
  const F8 d2 = c[2] - q[2];
  const F8 d3 = c[3] - q[3];
  const F8 d4 = c[4] - q[4];
  const F8 d5 = c[5] - q[5];
  const F8 d6 = c[6] - q[6];
  const F8 d7 = c[7] - q[7];
  const F8 low = (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
  const F8 high = (d4 * d4 + d5 * d5) + (d6 * d6 + d7 * d7);
  sum += low + high;
}

WINNOW_INLINE std::size_t next_within_body(const TileScan& s, std::size_t first, std::size_t last,
                                           unsigned& mask) {
  mask = 0;
  for (std::size_t tile = first; tile < last; ++tile) {
    const F8* c = reinterpret_cast<const F8*>(s.tiles + tile * s.dims);
    F8 sum = {};
    bool any = false;
    I8 inside = {};
    for (std::size_t k = 0; k < s.dims; k += 8) {
      add_squares(c + k, s.query + k, sum);
      inside = sum <= s.limit;
      const L4 wide = reinterpret_cast<const L4&>(inside);
      any = ((wide[0] | wide[1]) | (wide[2] | wide[3])) != 0;
      if (!any) break;
    }
    if (!any) continue;
    for (unsigned lane = 0; lane < kLanes; ++lane) mask |= (inside[lane] != 0 ? 1u : 0u) << lane;
    return tile;
  }
  return last;
}

WINNOW_INLINE float distance2_body(const float* a, const float* b, std::size_t dims, float limit) {
  const F8U* x = reinterpret_cast<const F8U*>(a);
  const F8U* y = reinterpret_cast<const F8U*>(b);
  F8 sum = {};
  float total = 0;
  for (std::size_t k = 0; k < dims / kLanes; ++k) {
    const F8 d = x[k] - y[k];
    sum += d * d;
    if (k % 2 == 0 && k + 1 < dims / kLanes) continue;
    total = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
    if (total > limit) break;
  }
  return total;
}

template <class RealA, class RealB>
WINNOW_INLINE double dot_body(const RealA* a, const RealB* b, std::size_t n) {
  D4 s0 = {};
  D4 s1 = {};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const D4 a0 = {double(a[i]), double(a[i + 1]), double(a[i + 2]), double(a[i + 3])};
    const D4 b0 = {double(b[i]), double(b[i + 1]), double(b[i + 2]), double(b[i + 3])};
    const D4 a1 = {double(a[i + 4]), double(a[i + 5]), double(a[i + 6]), double(a[i + 7])};
    const D4 b1 = {double(b[i + 4]), double(b[i + 5]), double(b[i + 6]), double(b[i + 7])};
    s0 += a0 * b0;
    s1 += a1 * b1;
  }
  s0 += s1;
  double sum = (s0[0] + s0[1]) + (s0[2] + s0[3]);
  for (; i < n; ++i) sum += double(a[i]) * double(b[i]);
  return sum;
}

template <class Real>
WINNOW_INLINE Sums sums_body(const Real* a, std::size_t n, double shift) {
  D4 s0 = {};
  D4 q0 = {};
  const D4 m = {shift, shift, shift, shift};
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const D4 d = D4{double(a[i]), double(a[i + 1]), double(a[i + 2]), double(a[i + 3])} - m;
    s0 += d;
    q0 += d * d;
  }
  Sums out{(s0[0] + s0[1]) + (s0[2] + s0[3]), (q0[0] + q0[1]) + (q0[2] + q0[3])};
  for (; i < n; ++i) {
    const double d = double(a[i]) - shift;
    out.sum += d;
    out.square += d * d;
  }
  return out;
}

// Through references: a vector that is returned would change the calling convention.
WINNOW_INLINE void get_four(const float* a, D4& out) {
  out = __builtin_convertvector(*reinterpret_cast<const F4U*>(a), D4);
}
WINNOW_INLINE void get_four(const double* a, D4& out) { out = *reinterpret_cast<const D4U*>(a); }
WINNOW_INLINE void put_four(const D4& v, float* out) {
  *reinterpret_cast<F4U*>(out) = __builtin_convertvector(v, F4);
}
WINNOW_INLINE void put_four(const D4& v, double* out) { *reinterpret_cast<D4U*>(out) = v; }

template <class Real>
WINNOW_INLINE void add_scaled_body(const Real* a, double w, std::span<double> out) {
  const D4 by = {w, w, w, w};
  std::size_t i = 0;
  for (; i + 4 <= out.size(); i += 4) {
    D4 sum, more;
    get_four(&out[i], sum);
    get_four(a + i, more);
    put_four(sum + by * more, &out[i]);
  }
  for (; i < out.size(); ++i) out[i] += w * double(a[i]);
}

template <class Real>
WINNOW_INLINE void less_scaled_body(const Real* a, double w, std::span<const double> b, Real* out) {
  const D4 by = {w, w, w, w};
  std::size_t i = 0;
  for (; i + 4 <= b.size(); i += 4) {
    D4 from, less;
    get_four(a + i, from);
    get_four(&b[i], less);
    put_four(from - by * less, out + i);
  }
  for (; i < b.size(); ++i) out[i] = static_cast<Real>(double(a[i]) - w * b[i]);
}

#if defined(__x86_64__)
#define WINNOW_AVX2 [[gnu::target("avx2")]]
WINNOW_AVX2 void hadamard8_avx2(std::span<Lane8> x) { hadamard8_body(x); }

WINNOW_AVX2 std::size_t next_within_avx2(const TileScan& s, std::size_t first, std::size_t last,
                                         unsigned& mask) {
  return next_within_body(s, first, last, mask);
}
WINNOW_AVX2 float distance2_avx2(const float* a, const float* b, std::size_t dims, float limit) {
  return distance2_body(a, b, dims, limit);
}
WINNOW_AVX2 double dot_f_avx2(const float* a, const float* b, std::size_t n) {
  return dot_body(a, b, n);
}
WINNOW_AVX2 double dot_d_avx2(const double* a, const double* b, std::size_t n) {
  return dot_body(a, b, n);
}
WINNOW_AVX2 double dot_fd_avx2(const float* a, const double* b, std::size_t n) {
  return dot_body(a, b, n);
}
WINNOW_AVX2 Sums sums_f_avx2(const float* a, std::size_t n, double shift) {
  return sums_body(a, n, shift);
}
WINNOW_AVX2 Sums sums_d_avx2(const double* a, std::size_t n, double shift) {
  return sums_body(a, n, shift);
}
WINNOW_AVX2 void add_f_avx2(const float* a, double w, std::span<double> out) {
  add_scaled_body(a, w, out);
}
WINNOW_AVX2 void add_d_avx2(const double* a, double w, std::span<double> out) {
  add_scaled_body(a, w, out);
}
WINNOW_AVX2 void less_f_avx2(const float* a, double w, std::span<const double> b, float* out) {
  less_scaled_body(a, w, b, out);
}
WINNOW_AVX2 void less_d_avx2(const double* a, double w, std::span<const double> b, double* out) {
  less_scaled_body(a, w, b, out);
}
const bool kHaveAvx2 = __builtin_cpu_supports("avx2") != 0;
#define WINNOW_DISPATCH(fast, ...) \
  if (kHaveAvx2) return fast(__VA_ARGS__)
#else
#define WINNOW_DISPATCH(fast, ...) \
  do {                             \
  } while (false)
#endif

}  // namespace

void hadamard8(std::span<Lane8> x) {
  WINNOW_REQUIRES(std::has_single_bit(x.size()));
  WINNOW_DISPATCH(hadamard8_avx2, x);
  hadamard8_body(x);
}

std::size_t next_within(const TileScan& scan, std::size_t first, std::size_t last, unsigned& mask) {
  WINNOW_DISPATCH(next_within_avx2, scan, first, last, mask);
  return next_within_body(scan, first, last, mask);
}

float distance2(const float* a, const float* b, std::size_t dims, float limit) {
  WINNOW_REQUIRES(dims % 8 == 0);
  WINNOW_DISPATCH(distance2_avx2, a, b, dims, limit);
  return distance2_body(a, b, dims, limit);
}

double dot(const float* a, const float* b, std::size_t n) {
  WINNOW_DISPATCH(dot_f_avx2, a, b, n);
  return dot_body(a, b, n);
}

double dot(const double* a, const double* b, std::size_t n) {
  WINNOW_DISPATCH(dot_d_avx2, a, b, n);
  return dot_body(a, b, n);
}

double dot(const float* a, const double* b, std::size_t n) {
  WINNOW_DISPATCH(dot_fd_avx2, a, b, n);
  return dot_body(a, b, n);
}

Sums sums(const float* a, std::size_t n, double shift) {
  WINNOW_DISPATCH(sums_f_avx2, a, n, shift);
  return sums_body(a, n, shift);
}

Sums sums(const double* a, std::size_t n, double shift) {
  WINNOW_DISPATCH(sums_d_avx2, a, n, shift);
  return sums_body(a, n, shift);
}

void add_scaled(const float* a, double w, std::span<double> out) {
  WINNOW_DISPATCH(add_f_avx2, a, w, out);
  add_scaled_body(a, w, out);
}

void add_scaled(const double* a, double w, std::span<double> out) {
  WINNOW_DISPATCH(add_d_avx2, a, w, out);
  add_scaled_body(a, w, out);
}

void less_scaled(const float* a, double w, std::span<const double> b, float* out) {
  WINNOW_DISPATCH(less_f_avx2, a, w, b, out);
  less_scaled_body(a, w, b, out);
}

void less_scaled(const double* a, double w, std::span<const double> b, double* out) {
  WINNOW_DISPATCH(less_d_avx2, a, w, b, out);
  less_scaled_body(a, w, b, out);
}

}  // namespace winnow::sweeps
