#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sweeps/stats/panel.hpp"
#include "sweeps/stats/parallel.hpp"
#include "sweeps/validation_protocol.hpp"

namespace winnow::sweeps {

// What a protocol's folds say of a family: in each fold the variant of best Sharpe over the
// training days is picked and held over the test days. docs/VALIDATION.md has the formulas.

/// The variant of best Sharpe of one training. Ties go to the lowest number.
struct Pick {
  double sharpe = -std::numeric_limits<double>::infinity();  ///< per period
  double mean = 0;                                           ///< per period
  std::uint64_t variant = 0;
  bool found = false;  ///< false: no variant moved
};

/// Purpose: finds the pick of every fold while variants pass by, one after the other, in any order.
/// A variant whose training returns do not vary has no Sharpe ratio and is never picked.
/// Time: linear in the periods for each variant, beside those few that come near the best.
/// Memory: a few numbers a fold and period. Thread: one; several are merged.
class FoldPicker {
 public:
  FoldPicker(std::vector<stats::Ranges> trainings, std::size_t periods);

  /// False, and nothing is done, if a number is not finite. Requires: as many returns as periods.
  bool add(std::uint64_t variant, std::span<const double> returns);
  void merge(const FoldPicker& other);
  const std::vector<Pick>& picks() const { return picks_; }

 private:
  /// Sharpe and mean over a training, by stats::mean and stats::stdev; no pick if it does not vary.
  Pick measure(const stats::Ranges& training, std::span<const double> returns);
  bool may_win(std::size_t fold, double s1, double s2, double n) const;

  std::shared_ptr<const std::vector<stats::Ranges>> trainings_;  // of all copies
  std::vector<Pick> picks_;
  std::vector<double> sum_, square_;  // of the returns before a period
  std::vector<double> gathered_;
};

/// The trainings of all folds, then those inside each: what a FoldPicker is asked for.
std::vector<stats::Ranges> trainings_of(const FoldPlan& plan);

/// A series of period returns out of sample. NaN where a number does not exist.
struct OosFigures {
  std::size_t days = 0;
  double sharpe_ann = std::numeric_limits<double>::quiet_NaN();
  double mean_ann_frac = std::numeric_limits<double>::quiet_NaN();
  double return_frac = std::numeric_limits<double>::quiet_NaN();
  double drawdown_max_frac = std::numeric_limits<double>::quiet_NaN();
};
OosFigures oos_figures(std::span<const double> returns, double periods_per_year);
/// The returns of some periods, one after the other.
std::vector<double> gather(std::span<const double> returns, std::span<const stats::Range> ranges);

struct FoldResult {
  bool picked = false;
  std::uint64_t pick = 0;
  double train_sharpe_ann = std::numeric_limits<double>::quiet_NaN();
  double train_mean_ann_frac = std::numeric_limits<double>::quiet_NaN();
  OosFigures test;
  /// Nested: annual Sharpe of the stitched tests of the folds inside this training.
  double inner_oos_sharpe_ann = std::numeric_limits<double>::quiet_NaN();
};

/// Purpose: a family under a protocol. In a fold without a pick nothing is held: its test days
/// count as 0. NaN where a number does not exist.
struct FamilyValidation {
  std::vector<FoldResult> folds;
  /// The stitched tests. Cpcv: Sharpe and mean over all paths together, the median of their
  /// returns, the largest of their drawdowns.
  OosFigures oos;
  double train_sharpe_ann_mean = std::numeric_limits<double>::quiet_NaN();  ///< of the picks
  double train_mean_ann_frac = std::numeric_limits<double>::quiet_NaN();    ///< of the picks
  /// 1 - oos.sharpe_ann / train_sharpe_ann_mean; exists where that mean is above 0.
  double degradation_frac = std::numeric_limits<double>::quiet_NaN();
  /// oos.mean_ann_frac / train_mean_ann_frac; exists where that is above 0.
  double efficiency = std::numeric_limits<double>::quiet_NaN();
  double folds_positive_frac = std::numeric_limits<double>::quiet_NaN();   ///< with a gain in tests
  double inner_oos_sharpe_ann = std::numeric_limits<double>::quiet_NaN();  ///< Nested: mean
  std::vector<OosFigures> paths;                                           ///< Cpcv
};

/// `picks` as FoldPicker gives them for trainings_of(plan); `returns` gives those of a picked
/// variant.
FamilyValidation conclude_validation(
    const FoldPlan& plan, std::span<const Pick> picks,
    const std::function<std::span<const double>(std::uint64_t variant)>& returns,
    double periods_per_year);

/// All of it for returns in memory; variants are rows of the panel. The same bits for any
/// ParallelFor.
FamilyValidation validate_panel(const FoldPlan& plan, const PanelView& panel,
                                double periods_per_year,
                                const ParallelFor& parallel = serial_for());
/// The picks of some trainings among rows of a panel that have finite returns.
std::vector<Pick> pick_variants(const PanelView& panel, std::vector<stats::Ranges> trainings,
                                const ParallelFor& parallel);

/// A number of a family's validation that has a name: shown, stored, and required by a
/// specification's `convergence.require`.
struct ValidationNumber {
  const char* name;
  const char* help;
  double (*of)(const FamilyValidation&);
};
std::span<const ValidationNumber> validation_numbers(ProtocolKind kind);

/// Out-of-sample numbers of a single variant, over all test days: columns of a leaderboard.
struct VariantOosNumber {
  const char* name;
  bool higher_is_better;
  double (*of)(const OosFigures&);
};
std::span<const VariantOosNumber> variant_oos_numbers();

}  // namespace winnow::sweeps
