#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

// Unit roots and cointegration. A warning from the vectors: a plain random walk can have an ADF p
// of .012, so these tests need a multiplicity correction of their own when many pairs are tried.

/// Deterministic terms of a regression.
enum class Trend : std::uint8_t { None, Constant, ConstantTrend };

/// How many lagged differences: a fixed number, or the one with the least information criterion.
struct LagChoice {
  enum class Rule : std::uint8_t { Fixed, Aic, Bic } rule = Rule::Aic;
  std::size_t lags = 0;  ///< for Fixed
};

/// Augmented Dickey-Fuller: t of the lagged level; p by MacKinnon (1994), critical values by
/// MacKinnon (2010) at 1%, 5% and 10%. The search over lags goes up to ceil(12 (n / 100)^(1/4)).
struct UnitRootTest {
  double statistic = 0;
  double p = 1;
  std::size_t lags = 0;
  std::size_t observations = 0;
  std::array<double, 3> critical{};
};
/// Too few numbers for the regression (x.size() < 2 lags + 8), or all equal: p = 1 and the
/// statistic is 0.
UnitRootTest dickey_fuller(std::span<const double> x, Trend trend, const LagChoice& lags);

/// Engle and Granger (1987): regress y on x (with the trend terms), then Dickey-Fuller on the
/// residuals without terms, with the p-values for two series.
UnitRootTest engle_granger(std::span<const double> y, std::span<const double> x, Trend trend,
                           const LagChoice& lags);

/// KPSS (1992): null of (trend) stationarity, Bartlett window of `lags`. p is interpolated in the
/// paper's table and cut to [.01, .10].
struct KpssTest {
  double statistic = 0;
  double p = 0.1;
  std::array<double, 4> critical{};  ///< at 10%, 5%, 2.5%, 1%
};
KpssTest kpss(std::span<const double> x, Trend trend, std::size_t lags);
/// Window by Hobijn, Franses and Ooms (1998), for a constant.
std::size_t kpss_automatic_lags(std::span<const double> x);

/// Autocorrelations of lags 0 .. lags, divisor n.
std::vector<double> autocorrelations(std::span<const double> x, std::size_t lags);
struct PortmanteauTest {
  double statistic = 0;
  double p = 1;
};
PortmanteauTest ljung_box(std::span<const double> x, std::size_t lags);

/// y = alpha + beta x + residual; z of the last residual (standard deviation with divisor n - 1).
struct HedgeRatio {
  double alpha = 0, beta = 0, r2 = 0;
  double residual_sd = 0;  ///< divisor n - 2
  double last_z = 0;
};
HedgeRatio hedge_ratio(std::span<const double> y, std::span<const double> x);

/// Johansen (1991) for a set of series [series][time], `lags` lagged differences; det_order -1 no
/// terms, 0 constant, 1 linear trend. Critical values (MacKinnon, Haug and Michelis 1996) at 90%,
/// 95% and 99%, for at most twelve series; NaN beyond.
struct JohansenTest {
  std::vector<double> eigenvalues;  ///< descending
  std::vector<double> trace, max_eigen;
  std::vector<std::array<double, 3>> trace_critical, max_critical;
  /// [series][vector], normalised to v' S v = 1; the sign of each is arbitrary, here its first
  /// component is not negative.
  std::vector<std::vector<double>> vectors;
};
JohansenTest johansen(const std::vector<std::vector<double>>& series, int det_order,
                      std::size_t lags);

/// Ornstein-Uhlenbeck by dx = a + b x + e over steps of dt.
struct MeanReversion {
  double a = 0, b = 0;
  double t_b = 0;
  double residual_variance = 0;  ///< divisor n - 2
  double half_life_linear = 0;   ///< -ln 2 / b (Chan 2013)
  double half_life = 0;          ///< ln 2 / -ln(1 + b), exact; +inf without mean reversion
  double theta = 0, mu = 0, sigma = 0, stationary_sd = 0;
};
MeanReversion fit_mean_reversion(std::span<const double> x, double dt);

}  // namespace winnow::sweeps::stats
