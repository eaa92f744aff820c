#pragma once

#include <cstddef>

// The functions that samplers are compared on, in one library for this program and for the peer's
// script, so that both search the same. Optima lie off the middle of their ranges.

extern "C" {
/// Loss of function `name` at x. Fails: NaN for an unknown name.
double winnow_bench_loss(const char* name, const double* x, std::size_t n);
/// Both losses of a ZDT function (Zitzler, Deb, Thiele 2000), x in [0, 1].
void winnow_bench_zdt(int number, const double* x, std::size_t n, double* losses);
}
