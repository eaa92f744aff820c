#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace winnow::sweeps::stats {

// Tests of "the best of many" on one sample, with the bootstrap indices given (so p-values are
// exact counts). d[k][t] = how much model k beats the benchmark in period t.

using Columns = std::vector<std::vector<double>>;         ///< [model][period]
using IndexRows = std::vector<std::vector<std::size_t>>;  ///< [replication][period], each < periods

struct SnoopingInput {
  Columns advantage;    ///< d
  IndexRows resamples;  ///< of a stationary bootstrap
  double mean_block = 1;
};

/// Weights of the autocovariances in the variance of sqrt(n) times a mean under the stationary
/// bootstrap, by lag (Politis and Romano 1994).
std::vector<double> long_run_kernel(std::size_t periods, double mean_block);
/// The standard deviation of sqrt(n) xbar. Requires: a kernel of x's length.
double long_run_sd(const std::vector<double>& x, const std::vector<double>& kernel);

/// What the tests need of the sample and its resamples.
struct ResampledMeans {
  std::vector<double> mean;   ///< [model]
  Columns resampled;          ///< [replication][model]
  std::vector<double> omega;  ///< [model] long-run sd of sqrt(n) dbar, stationary-bootstrap kernel
  double periods = 0;
};
/// Requires: at least one model, one resample, two periods, indices in range.
ResampledMeans resampled_means(const SnoopingInput& input);

/// The three recentrings of Hansen (2005); Upper is White's.
enum class Recentring : std::uint8_t { Lower, Consistent, Upper };
std::vector<double> recentre(const ResampledMeans& m, Recentring how);

/// White's Reality Check (2000): V = max sqrt(n) dbar against V* = max sqrt(n) (d*bar - dbar).
struct MaxTest {
  double statistic = 0;
  double p = 1;
  /// Resampled maxima that equal the statistic but for rounding: so many counts may go either way
  /// between two ways of summing up.
  std::size_t near_ties = 0;
};
/// The p-value of a maximum: the share of resampled maxima above it. For a statistic that is not
/// above 0, of those that reach it: at its floor a test has p = 1.
double tail_share(const std::vector<double>& maxima, double statistic);
MaxTest reality_check(const ResampledMeans& m);

/// Hansen's test of superior predictive ability, studentised: T = max(0, max sqrt(n) dbar / omega).
MaxTest superior_ability(const ResampledMeans& m, Recentring how);

/// As the arch package runs it: the same without dividing by omega (its upper p is White's), with
/// critical values of the mean difference by linear percentiles. Kept to compare with published
/// runs.
struct PlainSpa {
  double p = 1;
  double critical_05 = 0, critical_10 = 0;
};
PlainSpa plain_spa(const ResampledMeans& m, Recentring how);
/// Models whose mean exceeds the 5% critical value, once, and stepping down (arch's StepM).
std::vector<std::size_t> plain_better(const ResampledMeans& m, Recentring how);
std::vector<std::size_t> plain_step_down(const ResampledMeans& m, Recentring how);

/// Romano and Wolf's StepM (2005) on studentised maxima at 5%, with the adjusted p-values of their
/// 2016 paper, (1 + #) / (1 + B).
struct StepM {
  struct Step {
    double critical = 0;  ///< the ceil(.95 B)-th smallest resampled maximum
    std::vector<std::size_t> rejected;
  };
  std::vector<Step> steps;  ///< the last rejects nothing
  std::vector<std::size_t> superior;
  std::vector<double> adjusted_p;
};
StepM step_m(const ResampledMeans& m, double alpha = 0.05);

/// Model confidence set (Hansen, Lunde and Nason 2011) over losses. Range uses the largest absolute
/// pairwise t, Max the largest t against the mean of the set. (Max looks for bad models: it may
/// keep everything beside one true spike.)
enum class McsStatistic : std::uint8_t { Range, Max };
struct ModelConfidenceSet {
  std::vector<std::size_t> elimination_order;  ///< the last survives
  std::vector<double> p;                       ///< [model], the survivor has 1
  std::vector<std::size_t> included(double alpha = 0.05) const;
  std::vector<std::size_t> excluded(double alpha = 0.05) const;
};
/// `losses` is [model][period].
ModelConfidenceSet model_confidence_set(const Columns& losses, const IndexRows& resamples,
                                        McsStatistic statistic);

}  // namespace winnow::sweeps::stats
