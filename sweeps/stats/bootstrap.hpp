#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

/// Automatic block length (Politis and White 2004, corrected by Patton, Politis and White 2009)
/// with the flat-top lag window. Estimates may be below 1 (0.19 on white noise): clamp with
/// usable_block.
struct BlockLength {
  double stationary = 1;
  double circular = 1;
};
/// Fewer than 10 numbers, or all equal: both are 1.
BlockLength optimal_block_length(std::span<const double> x);
double usable_block(double estimate, std::size_t n);  ///< into [1, n]

/// Indices of one stationary bootstrap sample (Politis and Romano 1994) from given draws:
/// i[0] = start[0]; i[t] = start[t] if u[t] <= 1 / mean_block, else i[t-1] + 1 modulo n.
std::vector<std::size_t> stationary_indices(std::span<const std::size_t> starts,
                                            std::span<const double> uniforms, double mean_block);
/// The same with seeded draws: sample `replication` under `seed`.
std::vector<std::size_t> stationary_indices(std::size_t n, double mean_block, std::uint64_t seed,
                                            std::uint64_t replication);
/// Blocks of `block` from the given starts, wrapping, cut to n.
std::vector<std::size_t> circular_indices(std::size_t n, std::size_t block,
                                          std::span<const std::size_t> starts);

/// Confidence intervals of a statistic from resamples: percentile, basic, and BCa (Efron 1987, with
/// jackknife acceleration). Quantiles by linear interpolation.
struct Interval {
  double low = 0;
  double high = 0;
};
struct BootstrapSummary {
  double estimate = 0;
  double mean = 0;
  double stderr_ = 0;  ///< divisor B - 1
  Interval percentile, basic, bca;
  double z0 = 0;            ///< bias correction
  double acceleration = 0;  ///< of the jackknife
  double share_not_positive = 0;
};
using Statistic = std::function<double(std::span<const double>)>;
/// Requires: at least two resamples, indices in range.
BootstrapSummary bootstrap(std::span<const double> x, const Statistic& statistic,
                           const std::vector<std::vector<std::size_t>>& resamples, double level);

}  // namespace winnow::sweeps::stats
