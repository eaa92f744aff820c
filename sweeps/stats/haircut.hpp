#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

// The haircut of a Sharpe ratio for multiple tests (Harvey and Liu, Backtesting, 2015). Conventions
// of the authors' program, which differ from their text: p-values by Student's t with months - 1
// degrees of freedom, a daily year of 360 days, and `tests` counts the OTHER tests: Bonferroni uses
// that number, Holm and BHY one more.

enum class Frequency : std::uint8_t {
  Daily = 1,
  Weekly = 2,
  Monthly = 3,
  Quarterly = 4,
  Annual = 5
};

struct HaircutInput {
  Frequency frequency = Frequency::Monthly;
  double observations = 0;
  double sharpe = 0;  ///< annual if `annualised`, else of the frequency
  bool annualised = true;
  bool correct_autocorrelation = false;
  double autocorrelation = 0;  ///< of lag one, at the frequency
  std::size_t tests = 0;
};

/// The single test.
struct HaircutSingle {
  double sharpe_ann = 0;  ///< annual, corrected for autocorrelation
  double months = 0;
  double t_ratio = 0;
  double p = 1;  ///< two-sided
};
HaircutSingle haircut_single(const HaircutInput& input);

/// One way to correct, and what is left of the ratio.
struct HaircutResult {
  double p = 1;
  double sharpe_ann = 0;
  double haircut_frac = 0;
};
HaircutResult haircut_from_p(const HaircutSingle& single, double adjusted_p);

struct Haircuts {
  HaircutSingle single;
  HaircutResult bonferroni, holm, bhy, average;  ///< average: of the three p-values
};
/// `t_panel` holds draws of the other tests' t-ratios, one row a draw, at least input.tests
/// columns. Holm and BHY are medians over the draws. Requires: t_panel not empty.
Haircuts haircuts(const HaircutInput& input, const std::vector<std::vector<double>>& t_panel);

/// Draws of t-ratios of `tests` strategies from the model of Harvey, Liu and Zhu (2016) for
/// strategies with average correlation `rho`: a share p0 is worthless, the others' monthly means
/// are exponential; 240 months of 15% annual volatility. Parameters are interpolated in rho between
/// their estimates.
struct HlzModel {
  double null_frac = 0;     ///< p0
  double total_tests = 0;   ///< M, their estimate of all that were tried
  double mean_monthly = 0;  ///< of the exponential law
};
HlzModel hlz_model(double rho);
std::vector<std::vector<double>> simulate_t_panel(double rho, std::size_t tests, std::size_t draws,
                                                  std::uint64_t seed);

}  // namespace winnow::sweeps::stats
