#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace winnow::sweeps::stats {

// Performance metrics of period returns (fractions of equity per period, oldest first). P is the
// number of periods a year: 365 for daily crypto returns.
//
// Degenerate denominators, chosen once: a ratio whose denominator is 0 is +-infinity by the sign of
// its numerator and NaN for 0 / 0 (Sharpe, Sortino); Calmar and MAR without any drawdown, and Omega
// without any loss, are NaN ("not defined"), as in empyrical. Fewer than two returns give NaN.

double cumulative_return(std::span<const double> r);         ///< prod(1 + r) - 1
double cagr(std::span<const double> r, double p);            ///< prod(1 + r)^(P / n) - 1
double volatility_ann(std::span<const double> r, double p);  ///< sd (divisor n - 1) * sqrt(P)
double sharpe_ann(std::span<const double> r, double p, double risk_free = 0);  ///< rf per period
/// sqrt(P) * root of the mean over ALL n of min(r - required, 0)^2.
double downside_risk_ann(std::span<const double> r, double p, double required = 0);
/// P * mean(r - required) / downside_risk_ann; required is per period.
double sortino_ann(std::span<const double> r, double p, double required = 0);
/// sum of gains / sum of losses about a threshold per period.
double omega(std::span<const double> r, double threshold);
/// The threshold per period of an annual one: (1 + a)^(1 / P) - 1.
double per_period(double annual, double p);
double tail_ratio(std::span<const double> r);  ///< |95th percentile / 5th percentile|
/// Percentile `q` of the returns (linear interpolation): a loss is negative.
double value_at_risk(std::span<const double> r, double q);
/// Mean of the int((n - 1) q) + 1 smallest.
double expected_shortfall(std::span<const double> r, double q);
/// Normal law with the sample's mean and sd: the quantile, and the mean of the returns below it
/// (NaN if there is none).
double parametric_var(std::span<const double> r, double q);
double parametric_shortfall(std::span<const double> r, double q);
/// r^2 of a line through the cumulated log returns.
double stability(std::span<const double> r);
double autocorrelation_lag1(std::span<const double> r);

/// The path of equity below its peak; the starting capital counts as the first peak. Fractions, at
/// most 0. Positions are on the equity path: 0 is the start, i + 1 is after return i.
struct Drawdowns {
  std::vector<double> series;  ///< after each return
  double maximum = 0;
  std::size_t peak = 0;                 ///< last position at the peak before the trough
  std::size_t trough = 0;               ///< first position of the lowest point
  std::optional<std::size_t> recovery;  ///< first position at that peak again, if it came
  std::size_t longest_underwater = 0;   ///< periods
  double average = 0;                   ///< mean over all n
  double current = 0;
  double ulcer = 0;  ///< root of the mean square, divisor n (Martin)
};
Drawdowns drawdowns(std::span<const double> r);

/// Adjustment of a ratio for autocorrelation as quantstats has it: sqrt(1 + 2 sum (n - k)/n
/// |rho|^k).
double autocorrelation_penalty(std::span<const double> r);

/// Wins, losses and their sizes among numbers that may be 0 (0 is neither).
struct WinLoss {
  std::size_t wins = 0, losses = 0;
  double gain = 0, loss = 0;           ///< sums; loss >= 0
  double profit_factor() const;        ///< gain / loss
  double payoff() const;               ///< mean win / mean loss
  double win_frac_of_decided() const;  ///< wins / (wins + losses)
  double kelly_frac() const;           ///< (payoff * win - loss rate) / payoff
};
WinLoss win_loss(std::span<const double> x);

/// Statistics of closed trades. A trade of 0 counts in n, is neither win nor loss, and breaks a
/// losing streak. Turnover counts entry and exit.
struct TradeStats {
  std::size_t n = 0;
  double win_frac = 0;
  double profit_factor = 0;
  double expectancy = 0;  ///< mean pnl
  double payoff = 0;
  double expectancy_bps = 0;  ///< of the notional traded in
  double turnover = 0;
  std::size_t losses_in_a_row_max = 0;
  double sqn = 0;  ///< sqrt(n) mean / sd (Tharp)
};
/// Requires: one notional a pnl.
TradeStats trade_stats(std::span<const double> pnl, std::span<const double> notional);

/// Capacity under square-root impact: cost = Y sigma sqrt(Q / V) of the notional Q traded in a day
/// of volume V.
struct Capacity {
  double optimum_notional = 0;    ///< V (2 (edge - fee) / (3 Y sigma))^2
  double net_pnl_max = 0;         ///< at the optimum, a day
  double breakeven_notional = 0;  ///< V ((edge - fee) / (Y sigma))^2
};
struct CapacityInput {
  double edge_frac = 0;
  double fee_frac = 0;
  double impact_coefficient = 1;  ///< Y
  double volatility_daily = 0;    ///< sigma
  double volume_daily = 0;        ///< V, notional
};
/// 0 throughout if the edge does not exceed the fee.
Capacity square_root_capacity(const CapacityInput& input);

}  // namespace winnow::sweeps::stats
