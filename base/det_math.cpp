#include "base/det_math.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace winnow {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// ln 2 split so that k * kLn2High is exact for |k| < 2^20 (Cody and Waite 1980).
constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;

double scale_by_power_of_two(double x, int k) {
  const auto power = [](int e) {
    return std::bit_cast<double>(static_cast<std::uint64_t>(e + 1023) << 52);
  };
  if (k > 1023) return x * power(1023) * power(k - 1023);
  if (k < -1022) return x * power(k + 100) * power(-100);
  return x * power(k);
}

}  // namespace

double det_exp(double x) {
  if (x != x) return x;
  if (x > 709.782712893384) return kInf;
  if (x < -745.14) return 0.0;
  // x = k ln 2 + r, |r| <= ln 2 / 2; e^r by its Taylor polynomial, degree 13 (remainder 4e-18).
  const double k = std::floor(x * 1.44269504088896338700 + 0.5);
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double p = 1.0 / 6227020800.0;
  constexpr double kInverseFactorials[] = {1.0 / 479001600.0,
                                           1.0 / 39916800.0,
                                           1.0 / 3628800.0,
                                           1.0 / 362880.0,
                                           1.0 / 40320.0,
                                           1.0 / 5040.0,
                                           1.0 / 720.0,
                                           1.0 / 120.0,
                                           1.0 / 24.0,
                                           1.0 / 6.0,
                                           0.5};
  for (const double c : kInverseFactorials) p = p * r + c;
  // 1 + (r + r^2 p): the small terms are added first.
  return scale_by_power_of_two(1.0 + (r + r * r * p), static_cast<int>(k));
}

double det_log(double x) {
  if (x != x || x == kInf) return x;
  if (x < 0) return kNan;
  if (x == 0) return -kInf;
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // exact
  if (m < 0.70710678118654752440) {
    m *= 2;
    --exponent;
  }
  // log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| <= 0.1716; odd series to s^21 (remainder 1e-18).
  const double f = m - 1;
  const double s = f / (2 + f);
  const double z = s * s;
  double p = 1.0 / 23;
  for (int n = 21; n >= 3; n -= 2) p = p * z + 1.0 / n;
  const double k = exponent;
  // log(1+f) = f - f^2/2 + s (f^2/2 + 2 z p ...), arranged as in FDLIBM to keep the leading f
  // exact.
  const double half = 0.5 * f * f;
  return k * kLn2High - ((half - (s * (half + 2 * z * p) + k * kLn2Low)) - f);
}

double det_pow(double x, double y) {
  if (y == 0) return 1.0;
  if (x == 0) return y > 0 ? 0.0 : kInf;
  return det_exp(y * det_log(x));
}

double det_normal_quantile(double p) {
  constexpr double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                          1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                          6.680131188771972e+01, -1.328068155288572e+01};
  constexpr double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                          -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  constexpr double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                          3.754408661907416e+00};
  if (!(p > 0)) return -kInf;
  if (p >= 1) return kInf;
  if (p < 0.02425 || p > 1 - 0.02425) {
    const double tail = p < 0.5 ? p : 1 - p;
    const double q = std::sqrt(-2 * det_log(tail));
    const double x = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
                     ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
    return p < 0.5 ? x : -x;
  }
  const double q = p - 0.5;
  const double r = q * q;
  return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
         (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

}  // namespace winnow
