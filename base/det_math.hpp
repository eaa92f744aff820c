#pragma once

#include "base/rng.hpp"

namespace winnow {

// Transcendental functions whose every bit is the same on every machine: only IEEE additions,
// multiplications and divisions in a fixed order. The C library's may differ between machines (it
// picks an implementation by CPU), which law 1 forbids wherever a stored result depends on it.

/// e^x. Error below 2 ulp for |x| <= 708; 0 below -745, +inf above 709.79; NaN for NaN.
double det_exp(double x);

/// Natural logarithm. Error below 2 ulp; -inf at 0; NaN below 0 and for NaN; +inf at +inf.
double det_log(double x);

/// x^y for x >= 0 by det_exp(y * det_log(x)); relative error about |y log x| * 2^-52.
/// 0^y is 0 for y > 0, 1 for y == 0, +inf for y < 0; NaN for x < 0.
double det_pow(double x, double y);

/// Inverse of the standard normal distribution function for 0 < p < 1 (Acklam's rational
/// approximation, refined by nothing: relative error below 1.2e-9). For simulation only, not for
/// statistics.
double det_normal_quantile(double p);

/// A standard normal number, of one draw.
inline double det_normal(Rng& rng) {
  return det_normal_quantile((static_cast<double>(rng.next_u64() >> 11) + 0.5) * 0x1.0p-53);
}

}  // namespace winnow
