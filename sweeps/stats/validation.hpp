#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

/// Half-open range of period indices.
struct Range {
  std::size_t first = 0;
  std::size_t last = 0;
  bool operator==(const Range&) const = default;
};
using Ranges = std::vector<Range>;  ///< ascending, apart, not empty

struct WalkForwardOptions {
  std::size_t periods = 0;
  std::size_t train = 0;
  std::size_t test = 0;
  std::size_t step = 0;   ///< from one test's start to the next; 0: `test`
  std::size_t purge = 0;  ///< periods between the end of training and the test
  bool anchored = false;  ///< training starts at 0 and grows; else it rolls
  bool keep_short_last_test = false;
};
struct WalkForwardSplit {
  Range train;
  Range test;
};
/// Consecutive tests, each after its training. Empty if nothing fits.
std::vector<WalkForwardSplit> walk_forward_splits(const WalkForwardOptions& options);

// --- purging ---

/// When training may lie beside a test. Observation i is labelled over [t0[i], t1[i]].
struct PurgeRule {
  double embargo = 0;            ///< in units of the labels: dropped after the end of a test
  std::size_t embargo_rows = 0;  ///< further observations dropped there
  /// Whether training whose label ends where the test starts stays, and that which starts where the
  /// labels of the test end.
  bool touching_stays = false;
  /// True reproduces a fault of the timeseriescv package, for comparison with its results: an
  /// embargo that reaches the end of the sample drops nothing behind the test.
  bool keep_all_if_embargo_reaches_end = false;
};
/// Marks the observations that may train beside these tests: every one whose label is over before a
/// test starts or that starts when the labels of the test and the embargo are over, for each test
/// by itself (what lies between two tests stays). Requires: t0 ascending, sizes equal, tests
/// within.
std::vector<std::uint8_t> purged_train(std::span<const double> t0, std::span<const double> t1,
                                       std::span<const Range> tests, const PurgeRule& rule);
/// The ranges of the indices that are set.
Ranges ranges_of(const std::vector<std::uint8_t>& keep);
/// Part `fold` of `folds` of equal size; the last takes the remainder.
Range fold_range(std::size_t fold, std::size_t folds, std::size_t periods);

// --- combinatorial purged cross-validation (Lopez de Prado 2018, chapter 12) ---

struct CombinatorialOptions {
  std::size_t periods = 0;
  std::size_t folds = 0;       ///< N; the last fold takes the remainder
  std::size_t test_folds = 0;  ///< k
  std::size_t purge = 0;       ///< training periods dropped on both sides of a test fold
  std::size_t embargo = 0;     ///< further training periods dropped after a test fold
};
struct CombinatorialSplit {
  Ranges train;
  std::vector<Range> tests;           ///< one a test fold
  std::vector<std::size_t> path_ids;  ///< for each test fold, the backtest path it belongs to
};
/// All C(N, k) splits in lexicographic order. Requires: 0 < k < N <= periods.
std::vector<CombinatorialSplit> combinatorial_splits(const CombinatorialOptions& options);
std::uint64_t combinatorial_split_count(std::size_t folds, std::size_t test_folds);  ///< C(N, k)
std::uint64_t combinatorial_path_count(std::size_t folds, std::size_t test_folds);  ///< k/N C(N, k)

/// Labels that look ahead: observation i is known at t1[i] (in index units; t0[i] is when it
/// starts).
struct PurgedFold {
  Range test;
  std::vector<std::size_t> train;
};
/// Purged k-fold with an embargo of floor(n * embargo_frac) (snippet 7.3): training observations
/// whose label ended by the start of the test stay; on the right, training resumes at the first t0
/// not below the last t1 of the test, plus the embargo. Requires: t0 ascending, sizes equal, folds
/// <= size.
std::vector<PurgedFold> purged_k_fold(std::span<const double> t0, std::span<const double> t1,
                                      std::size_t folds, double embargo_frac);

struct IntervalSplit {
  Ranges train;
  Ranges test;  ///< adjacent test folds joined
};
struct IntervalOptions {
  std::size_t folds = 0;
  std::size_t test_folds = 0;
  double embargo = 0;  ///< in units of t1
  /// True reproduces a fault of the timeseriescv package, for comparison with its results: an
  /// embargo that reaches the end of the sample drops nothing behind the test.
  bool keep_all_if_embargo_reaches_end = false;
};
/// Combinatorial splits where observation i is labelled over [i, t1[i]]: training before a test
/// fold needs t1 < its start, after it i > the fold's last t1 + embargo. In reverse lexicographic
/// order: the split that tests the last folds comes first.
std::vector<IntervalSplit> interval_splits(std::span<const double> t1,
                                           const IntervalOptions& options);

}  // namespace winnow::sweeps::stats
