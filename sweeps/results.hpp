#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/result_block.hpp"
#include "sweeps/filter.hpp"
#include "sweeps/plan.hpp"

namespace winnow::sweeps {

/// What a leaderboard is asked for.
struct RankRequest {
  std::string by = "sharpe_ann";
  std::string where;  ///< see Filter; empty: all
  std::size_t limit = 20;
};

/// Committed results of a sweep as columns; the owner outlives it.
struct ResultColumns {
  std::span<const std::uint64_t> trial;  ///< index in the plan, ascending
  std::span<const TrialStatus> status;
  std::vector<std::span<const double>> metrics;  ///< one a metric of Ranking::metrics_needed()
};

/// Purpose: a leaderboard's question, checked before anything is read: which metrics to fetch, then
/// which rows come first. Best first: a metric that is better low ranks ascending. A number that is
/// missing because nothing was lost (missing_is_best) counts as +infinity, in the order as in the
/// filter; others rank last, ties by trial number. Failed trials, and those of a shorter window,
/// have no rank. Limits: those of Filter. Thread: any, const.
class Ranking {
 public:
  /// Requires: the plan outlives it. Fails: InvalidInput, an unknown name with the nearest ones.
  static Result<Ranking> make(const Plan& plan, std::span<const std::string> metric_names,
                              const RankRequest& request);

  /// Indices into metric_names; the first is what is ranked by.
  std::span<const std::uint32_t> metrics_needed() const { return metrics_; }
  bool higher_is_better() const { return higher_is_better_; }

  struct Ranked {
    std::vector<std::uint32_t> rows;  ///< indices into the columns, best first, at most the limit
    std::uint64_t matching = 0;       ///< rows that the filter selects and that did not fail
    /// Rows that might be ranked but that the filter can say nothing of, as a number that it needs
    /// is missing: neither it nor its negation selects them.
    std::uint64_t undecided = 0;
  };
  /// Requires: columns as metrics_needed() says.
  Ranked rank(const ResultColumns& columns) const;

 private:
  Ranking() = default;
  /// As it compares: what is missing because it is perfect is +infinity.
  std::vector<double> metric_column(std::uint32_t metric, const ResultColumns& columns) const;
  std::vector<double> param_column(std::string_view name, const ResultColumns& columns) const;

  const Plan* plan_ = nullptr;
  Filter filter_;
  std::size_t limit_ = 0;
  bool higher_is_better_ = true;
  std::size_t metric_count_ = 0;        // names below this are metrics, the others parameters
  std::vector<std::string> names_;      // metrics, then parameters
  std::vector<std::uint32_t> metrics_;  // to be read
};

/// Names of all parameters of a plan's strategies, each once, in order of declaration.
std::vector<std::string> parameter_names(const Plan& plan);

/// Whether a trial saw the whole window: only such trials are compared, counted, ranked or drawn
/// together. Requires: trial < plan.trials(); its block is known.
bool ranked_alike(const Plan& plan, std::uint64_t trial);

/// Whether a missing value of this metric, in a trial that did not fail, is the best there is: a
/// ratio whose divisor is nothing because the variant never lost (profit_factor, omega,
/// sortino_ann, calmar, tail_ratio). Such a value ranks first and compares as +infinity.
bool missing_is_best(std::string_view metric);

/// Whether larger values of a metric are better; true for one this version does not know.
bool metric_higher_is_better(std::string_view name);

/// The index of a metric. Fails: InvalidInput naming the nearest.
Result<std::uint32_t> metric_index(std::string_view name,
                                   std::span<const std::string> metric_names);

/// `lookback_bars=96 entry_z=2`; parameters that the sweep does not vary are left out unless none
/// varies.
std::string params_text(const Plan& plan, const Segment& segment, std::span<const double> params);

/// The block a trial belongs to. Requires: trial < plan.trials().
std::uint64_t block_of_trial(const Plan& plan, std::uint64_t trial);

}  // namespace winnow::sweeps
