#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

/// Rescaled range of increments x over windows of n, 2n, ...: mean of R / S over the windows (S
/// with divisor n - 1), Hurst by the slope of ln(R/S) on ln n. `corrected` takes off the
/// expectation under independence (Anis and Lloyd 1976, Peters 1994) and adds .5.
struct RescaledRange {
  std::vector<std::size_t> windows;  ///< N/2, N/4, ... down to 8
  std::vector<double> values;
  std::vector<double> expected;
  double hurst = 0;
  double hurst_corrected = 0;
};
/// Requires: at least 32 numbers.
RescaledRange rescaled_range(std::span<const double> x);
double expected_rescaled_range(std::size_t n);

/// Detrended fluctuation analysis with straight lines (Peng 1994): windows from 8 to N/8 by sqrt 2.
/// F(n) is the root mean square residual.
struct DetrendedFluctuation {
  std::vector<std::size_t> windows;
  std::vector<double> log_fluctuation;  ///< windows side by side
  double alpha = 0;
  double alpha_overlapping = 0;  ///< windows shifted by n / 2
};
/// Requires: at least 128 numbers.
DetrendedFluctuation detrended_fluctuation(std::span<const double> x);
/// The same with windows of one's own. Requires: at least two, each from 3 to less than x.size().
DetrendedFluctuation detrended_fluctuation(std::span<const double> x,
                                           std::vector<std::size_t> windows);

/// Rescaled range over windows of 10^1, 10^1.25, ... and N (as in the package `hurst`): R/S ~ c
/// n^H.
struct PowerLaw {
  std::vector<std::size_t> windows;
  std::vector<double> values;
  double h = 0;
  double c = 0;
};
PowerLaw rescaled_range_power_law(std::span<const double> x);

}  // namespace winnow::sweeps::stats
