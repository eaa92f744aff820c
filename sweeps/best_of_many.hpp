#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sweeps/stats/panel.hpp"
#include "sweeps/stats/parallel.hpp"
#include "sweeps/stats/snooping.hpp"

namespace winnow::sweeps {

/// Purpose: is the best variant of a family better than earning nothing, seen that it is the best
/// of all of them? One bootstrap of days for all variants keeps their correlation. Returns count in
/// units of each variant's own standard deviation. p-values are (1 + #) / (1 + resamples), never 0;
/// where no variant's ratio is above 0, SPA is at its floor and p is 1.
struct BestOfMany {
  std::uint64_t variants = 0;  ///< tested
  std::uint64_t resamples = 0;
  double mean_block = 1;       ///< periods, of the stationary bootstrap
  double p_reality_check = 1;  ///< White 2000
  /// Hansen 2005, studentised by the long-run sd; `consistent` is the one to read, the others are
  /// its bounds.
  double p_spa_lower = 1, p_spa_consistent = 1, p_spa_upper = 1;
  /// Variants better than nothing at 5%, all of them at once (Romano and Wolf 2005, StepM).
  std::uint64_t superior = 0;
};

/// What there is, or why there is nothing.
struct BestOfManyResult {
  std::optional<BestOfMany> tests;
  std::string reason;
};

/// So many variants are tested at most, and with so many resamples: time grows with their product.
inline constexpr std::uint64_t kBestOfManyVariantsMax = 200'000;
inline constexpr std::uint64_t kBestOfManyResamples = 1000;
/// Beyond so many variants, fewer.
inline constexpr std::uint64_t kBestOfManyFewVariants = 20'000;
inline constexpr std::uint64_t kBestOfManyResamplesFew = 200;
inline constexpr std::size_t kBestOfManyPeriodsMin = 20;

/// `rows` are variants of the panel whose returns are finite and vary; `mean_block` as
/// stats::usable_block gives it. The same bits for any ParallelFor.
BestOfManyResult best_of_many(const PanelView& panel, std::span<const std::uint32_t> rows,
                              double mean_block, const ParallelFor& parallel);

/// The same code on given resamples, so that vectors can drive it. Requires: at least one row, and
/// one resample, of indices below the panel's periods; rows as above.
BestOfMany best_of_many_given(const PanelView& panel, std::span<const std::uint32_t> rows,
                              double mean_block, const stats::IndexRows& resamples);

/// A few series against one another and against earning nothing.
struct Contest {
  /// The best is no better than nothing (Hansen, consistent): (1 + #) / (1 + resamples).
  double p_spa = 1;
  std::vector<double> p_beats_cash;  ///< of each, all at once (StepM, adjusted)
  /// Of each, in the model confidence set (range statistic): below 5%, another one is better.
  std::vector<double> p_in_best_set;
};
/// Series count in units of their sd. Requires: at least one, of one length, that vary; resamples
/// of that length. Time: cubic in the number of series.
Contest contest(const std::vector<std::vector<double>>& returns, const stats::IndexRows& resamples,
                double mean_block, double alpha = 0.05);

}  // namespace winnow::sweeps
