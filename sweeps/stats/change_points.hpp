#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

// Breaks in level or variance. A break is the index at which a new segment starts. A warning from
// the vectors: a penalty of 8 finds a break in pure noise, so these tests need a multiplicity
// control of their own.

/// Least squares mean shifts for every number of breaks (Bai and Perron 2003, dynamic programming),
/// each segment at least `segment_min` long.
struct MeanShifts {
  struct Model {
    std::vector<std::size_t> breaks;
    double rss = 0;
    double bic = 0;  ///< n (ln RSS + 1 - ln n + ln 2 pi) + ln n (2 m + 2) with m breaks
  };
  std::vector<Model> models;      ///< by number of breaks from 0
  const Model& selected() const;  ///< least BIC
};
/// Requires: x.size() >= segment_min >= 1.
MeanShifts mean_shifts(std::span<const double> x, std::size_t segment_min, std::size_t breaks_max);

/// sup |cumulated residuals| / (s sqrt n), s with divisor n - 1; p by Kolmogorov's series.
struct SupremumTest {
  double statistic = 0;
  double p = 1;
  std::size_t break_index = 0;
};
SupremumTest ols_cusum(std::span<const double> x);
/// Its critical value at a level, by Kolmogorov's series, to two decimals as tables print it.
double ols_cusum_critical(double level);
/// Largest Chow F of one mean shift within [trim, 1 - trim] of the sample (Andrews 1993), p by
/// Hansen's response surface (1997) for one parameter at 15% trimming.
SupremumTest sup_f(std::span<const double> x);

/// Segments that minimise cost + penalty per segment, each at least `segment_min` long, exactly.
enum class SegmentCost : std::uint8_t {
  Mean,    ///< sum of squares about the segment's mean
  Normal,  ///< n ln(variance + 1e-6), variance with divisor n
};
struct Segmentation {
  std::vector<std::size_t> ends;  ///< of the segments, the last is n
  double cost = 0;                ///< with a penalty for each break
};
Segmentation optimal_segments(std::span<const double> x, SegmentCost cost, double penalty,
                              std::size_t segment_min);

/// Page's two-sided CUSUM on x standardised by the mean and sd of the first `reference` values.
struct PageCusum {
  std::optional<std::size_t> first_alarm;  ///< first index with a sum above h
  double up = 0, down = 0;                 ///< at the end
};
struct PageOptions {
  double k = 0.5;  ///< slack, in sd
  double h = 5;    ///< threshold
  std::size_t reference = 50;
};
PageCusum page_cusum(std::span<const double> x, const PageOptions& options);

/// Inclan and Tiao (1994): sqrt(n / 2) max |cumulated squares share - k / n|, of x about its mean.
/// Above 1.358: the variance changed (5%).
double inclan_tiao(std::span<const double> x);

}  // namespace winnow::sweeps::stats
