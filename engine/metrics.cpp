#include "engine/metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "base/det_math.hpp"
#include "engine/engine.hpp"
#include "engine/lanes/job.hpp"

namespace winnow::engine {
namespace {

constexpr double kPeriodsPerYear = 365;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Order of the metric row. kDecls below follows it.
enum Metric : int {
  kSharpe,
  kSortino,
  kCalmar,
  kTotalReturn,
  kCagr,
  kVolatility,
  kDrawdown,
  kDrawdownDays,
  kUlcer,
  kOmega,
  kTailRatio,
  kVar,
  kCvar,
  kSkew,
  kKurtosis,
  kBestDay,
  kWorstDay,
  kPositiveDays,
  kFinalEquity,
  kTradeCount,
  kWinRate,
  kProfitFactor,
  kAvgTrade,
  kWorstTradeFrac,
  kAvgHold,
  kExposure,
  kTurnover,
  kFeesFrac,
  kSlippageFrac,
  kFundingFrac,
  kLongShare,
  kRejectedOrders,
  kRuinedFlag,
  kMetrics
};

constexpr std::array<MetricDecl, kMetrics> kDecls = {{
    {"sharpe_ann", "ratio", "mean over sd (ddof 1) of daily returns, times sqrt(365)", true},
    {"sortino_ann", "ratio", "mean over root mean square of min(return, 0), times sqrt(365)", true},
    {"calmar", "ratio", "cagr_frac over drawdown_max_frac", true},
    {"total_return_frac", "frac", "final over initial equity, less one", true},
    {"cagr_frac", "frac", "(final / initial)^(365 / days) less one", true},
    {"vol_ann", "frac", "sd (ddof 1) of daily returns times sqrt(365)", false},
    {"drawdown_max_frac", "frac", "largest fall of daily equity from its peak (initial included)",
     false},
    {"drawdown_days_max", "days", "longest run of days below an earlier peak", false},
    {"ulcer_frac", "frac", "root mean square of the daily drawdown", false},
    {"omega", "ratio", "sum of positive over sum of negative daily returns", true},
    {"tail_ratio", "ratio", "|95th percentile| over |5th percentile| of daily returns", true},
    {"var_95_frac", "frac", "5th percentile of daily returns (linear); a loss is negative", true},
    {"cvar_95_frac", "frac", "mean of the worst int((n-1) 0.05) + 1 daily returns", true},
    {"skew", "", "third standardised moment (biased) of daily returns", true},
    {"kurtosis", "", "fourth standardised moment (biased, normal: 3) of daily returns", false},
    {"best_day_frac", "frac", "largest daily return", true},
    {"worst_day_frac", "frac", "smallest daily return", true},
    {"positive_days_frac", "frac", "share of days with a positive return", true},
    {"final_equity", "quote", "cash and position at the last close", true},
    {"trades", "count", "closed trades", true},
    {"win_rate_frac", "frac", "share of closed trades with pnl > 0 after costs", true},
    {"profit_factor", "ratio", "sum of winning over sum of losing pnl", true},
    {"avg_trade_bps", "bps", "pnl of closed trades over their entry notional", true},
    {"worst_trade_frac", "frac", "worst pnl of a trade over the equity before it (at most 0)",
     true},
    {"hold_bars_avg", "bars", "mean bars from entry fill to exit fill", true},
    {"exposure_frac", "frac", "share of bars in a position", true},
    {"turnover_ann", "ratio", "notional of all fills over mean daily equity, a year", false},
    {"fees_frac", "frac", "fees paid over initial cash", false},
    {"slippage_frac", "frac", "spread, impact and rounding paid over initial cash", false},
    {"funding_frac", "frac", "funding paid over initial cash (negative: received)", false},
    {"long_share_frac", "frac", "share of closed trades that were long", true},
    {"rejected_orders", "count", "entries refused by minimum, lot or volume rules", false},
    {"ruined", "flag", "1 if equity was used up at the end of a day", false},
}};

double ratio(double a, double b) { return b != 0 ? a / b : a == 0 ? 0.0 : kNan; }

// Linear interpolation between order statistics k and k+1 of sorted values.
double percentile(std::span<const double> sorted, double p) {
  const double at = p * static_cast<double>(sorted.size() - 1);
  const auto k = static_cast<std::size_t>(at);
  const double next = sorted[std::min(k + 1, sorted.size() - 1)];
  return sorted[k] + (at - static_cast<double>(k)) * (next - sorted[k]);
}

}  // namespace

std::span<const MetricDecl> metric_decls() { return kDecls; }

int find_metric(std::string_view name) {
  for (std::size_t i = 0; i < kDecls.size(); ++i) {
    if (kDecls[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

bool metric_from_equity(int metric) { return metric >= kSharpe && metric <= kFinalEquity; }

MetricInput metric_input(const lanes::Job& job) {
  return {job.costs.initial_cash, static_cast<double>(job.last - job.first), job.costs.taker_fee,
          job.costs.maker_fee};
}

void MetricRow::compute(std::span<const double> equity, std::span<const double> tallies,
                        std::span<double> out, std::span<float> returns) {
  r_.resize(equity.size());
  double before = input_.initial_cash;
  for (std::size_t i = 0; i < equity.size(); ++i) {
    r_[i] = before > 0 ? equity[i] / before - 1.0 : 0.0;
    before = equity[i];
  }
  for (std::size_t i = 0; i < returns.size(); ++i) returns[i] = static_cast<float>(r_[i]);
  curve_metrics(equity, out);
  return_metrics(r_, out);
  tail_metrics(r_, out);
  trade_metrics(equity, tallies, out);
}

void MetricRow::compute_prefix(std::span<const double> equity, std::span<double> out) {
  if (equity.empty()) return std::fill(out.begin(), out.end(), kNan);
  const std::span<const double> returns = std::span<const double>(r_).first(equity.size());
  curve_metrics(equity, out);
  return_metrics(returns, out);
  tail_metrics(returns, out);
}

void MetricRow::curve_metrics(std::span<const double> equity, std::span<double> out) {
  const double initial = input_.initial_cash;
  double peak = initial;
  double worst = 0;
  double squares = 0;
  double under = 0;
  double under_max = 0;
  for (const double e : equity) {
    peak = std::max(peak, e);
    const double drawdown = 1.0 - e / peak;
    worst = std::max(worst, drawdown);
    squares += drawdown * drawdown;
    under = drawdown > 0 ? under + 1 : 0;
    under_max = std::max(under_max, under);
  }
  if (!drawdown_.empty()) worst = std::max(worst, drawdown_[equity.size() - 1]);
  const double n = static_cast<double>(equity.size());
  const double growth = equity.back() / initial;
  out[kFinalEquity] = equity.back();
  out[kTotalReturn] = growth - 1.0;
  out[kCagr] = det_pow(growth, kPeriodsPerYear / n) - 1.0;
  out[kDrawdown] = worst;
  out[kDrawdownDays] = under_max;
  out[kUlcer] = std::sqrt(squares / n);
  out[kCalmar] = ratio(out[kCagr], worst);
}

void MetricRow::return_metrics(std::span<const double> returns, std::span<double> out) {
  const double n = static_cast<double>(returns.size());
  double sum = 0;
  double gains = 0;
  double losses = 0;
  double downside = 0;
  double positive = 0;
  for (const double r : returns) {
    sum += r;
    gains += std::max(r, 0.0);
    losses -= std::min(r, 0.0);
    downside += r < 0 ? r * r : 0.0;
    positive += r > 0 ? 1.0 : 0.0;
  }
  const double mean = sum / n;
  double m2 = 0;
  double m3 = 0;
  double m4 = 0;
  for (const double r : returns) {
    const double d = r - mean;
    m2 += d * d;
    m3 += d * d * d;
    m4 += d * d * d * d;
  }
  // What rounding leaves of a constant series is not variance.
  const bool constant = m2 <= n * mean * mean * 1e-24;
  const double sd = constant || n < 2 ? 0.0 : std::sqrt(m2 / (n - 1));
  const double year = std::sqrt(kPeriodsPerYear);
  const double variance = constant ? 0.0 : m2 / n;
  out[kVolatility] = sd * year;
  out[kSharpe] = ratio(mean, sd) * year;
  out[kSortino] = ratio(mean, std::sqrt(downside / n)) * year;
  out[kOmega] = ratio(gains, losses);
  out[kSkew] = constant ? 0.0 : m3 / n / (variance * std::sqrt(variance));
  out[kKurtosis] = constant ? 0.0 : m4 / n / (variance * variance);
  out[kPositiveDays] = positive / n;
}

// The ends are looked for among the values a standard deviation away from the mean, an eighth of
// the rest: three times as fast as selecting from all (a sixth of a whole trial of two years of
// hours).
bool MetricRow::sort_ends(std::span<const double> returns, std::size_t ends) {
  const double n = static_cast<double>(returns.size());
  double sum = 0;
  double squares = 0;
  for (const double r : returns) {
    sum += r;
    squares += r * r;
  }
  const double mean = sum / n;
  const double sd = std::sqrt(std::max(squares / n - mean * mean, 0.0));
  far_.resize(2 * returns.size());
  double* const low = far_.data();
  double* const high = low + returns.size();
  std::size_t lows = 0;
  std::size_t highs = 0;
  for (const double r : returns) {  // without a branch: written always, kept if far
    low[lows] = r;
    high[highs] = r;
    lows += r < mean - sd ? 1 : 0;
    highs += r > mean + sd ? 1 : 0;
  }
  if (lows < ends || highs < ends) return false;  // also where a number is none
  std::partial_sort_copy(low, low + lows, sorted_.begin(),
                         sorted_.begin() + static_cast<std::ptrdiff_t>(ends));
  const auto last = sorted_.end() - static_cast<std::ptrdiff_t>(ends);
  std::partial_sort_copy(high, high + highs, last, sorted_.end(), std::greater<>());
  std::reverse(last, sorted_.end());
  return true;
}

void MetricRow::tail_metrics(std::span<const double> returns, std::span<double> out) {
  const std::size_t n = returns.size();
  // Only the ends are looked at: order statistics up to the one after 5%, and as many above.
  const std::size_t ends = std::min(n, static_cast<std::size_t>(0.05 * static_cast<double>(n)) + 3);
  sorted_.assign(returns.begin(), returns.end());
  const auto first = sorted_.begin();
  if (2 * ends >= n) {
    std::sort(first, sorted_.end());
  } else if (!sort_ends(returns, ends)) {
    std::nth_element(first, first + ends, sorted_.end());
    std::sort(first, first + ends);
    std::nth_element(first + ends, sorted_.end() - ends, sorted_.end());
    std::sort(sorted_.end() - ends, sorted_.end());
  }
  const double low = percentile(sorted_, 0.05);
  const std::size_t worst = static_cast<std::size_t>(static_cast<double>(n - 1) * 0.05) + 1;
  double sum = 0;
  for (std::size_t i = 0; i < worst; ++i) sum += sorted_[i];
  out[kVar] = low;
  out[kCvar] = sum / static_cast<double>(worst);
  out[kTailRatio] = ratio(std::fabs(percentile(sorted_, 0.95)), std::fabs(low));
  out[kWorstDay] = sorted_.front();
  out[kBestDay] = sorted_.back();
}

void MetricRow::trade_metrics(std::span<const double> equity, std::span<const double> tallies,
                              std::span<double> out) const {
  using namespace lanes;
  const double trades = tallies[kTrades];
  const double taker = tallies[kEntryNotional] + tallies[kTakerExitNotional];
  const double maker = tallies[kMakerExitNotional];
  double mean_equity = 0;
  for (const double e : equity) mean_equity += e;
  const double n = static_cast<double>(equity.size());
  mean_equity /= n;
  out[kTradeCount] = trades;
  out[kWinRate] = ratio(tallies[kWins], trades);
  out[kProfitFactor] = ratio(tallies[kGrossProfit], tallies[kGrossLoss]);
  out[kAvgTrade] =
      ratio(tallies[kGrossProfit] - tallies[kGrossLoss], tallies[kTradeNotional]) * 1e4;
  out[kWorstTradeFrac] = tallies[kWorstTrade];
  out[kAvgHold] = ratio(tallies[kTradeHoldBars], trades);
  out[kExposure] = tallies[kHoldBars] / input_.bars;
  out[kTurnover] = ratio((taker + maker) / n * kPeriodsPerYear, mean_equity);
  out[kFeesFrac] = (taker * input_.taker_fee + maker * input_.maker_fee) / input_.initial_cash;
  out[kSlippageFrac] = tallies[kSlippage] / input_.initial_cash;
  out[kFundingFrac] = tallies[kFundingPaid] / input_.initial_cash;
  out[kLongShare] = ratio(tallies[kLongs], trades);
  out[kRejectedOrders] = tallies[kRejected];
  out[kRuinedFlag] = tallies[kRuined];
}

}  // namespace winnow::engine
