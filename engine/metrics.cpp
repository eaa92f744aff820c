#include "engine/metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

#include "base/check.hpp"
#include "base/det_math.hpp"
#include "base/numbers.hpp"
#include "base/time.hpp"
#include "engine/engine.hpp"
#include "engine/lanes/job.hpp"

namespace winnow::engine {
namespace {

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
  kMarketReturn,
  kAlpha,
  kBeta,
  kMarketCorrelation,
  kMeanExposure,
  kMostExposureFrac,
  kMetrics
};

constexpr std::array<MetricDecl, kMetrics> kDecls = {{
    {"sharpe_ann", "ratio", "mean over sd (ddof 1) of daily returns, times sqrt(periods a year)",
     true, true},
    {"sortino_ann", "ratio",
     "mean over root mean square of min(return, 0), times sqrt(periods a year)", true, true},
    {"calmar", "ratio", "cagr_frac over drawdown_max_frac", true, true},
    {"total_return_frac", "frac", "final over initial equity, less one", true},
    {"cagr_frac", "frac",
     "(final / initial)^(365 days / calendar time from first open to last close) less one", true,
     true},
    {"vol_ann", "frac", "sd (ddof 1) of daily returns times sqrt(periods a year)", false, true},
    {"drawdown_max_frac", "frac",
     "largest fall of equity from its peak (initial included): bars' closes, or days' where the "
     "profile says drawdown_bars: false",
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
    {"turnover_ann", "ratio", "notional of all fills over mean daily equity, a calendar year",
     false, true},
    {"fees_frac", "frac", "fees paid over initial cash", false},
    {"slippage_frac", "frac", "spread, impact and rounding paid over initial cash", false},
    {"funding_frac", "frac", "funding paid over initial cash (negative: received)", false},
    {"long_share_frac", "frac", "share of closed trades that were long", true},
    {"rejected_orders", "count", "entries refused by minimum, lot or volume rules", false},
    {"ruined", "flag", "1 if equity was used up at the end of a day", false},
    {"market_return_frac", "frac", "what holding the market earned, first open to last close",
     true},
    {"alpha_ann", "frac",
     "mean daily return less beta times the market's (least squares), times periods a year", true,
     true},
    {"beta", "ratio", "slope of daily returns on the market's daily returns (least squares)", true},
    {"market_corr", "ratio", "correlation of daily returns with the market's", false},
    {"mean_exposure", "ratio",
     "mean over days of the position held, signed notional over equity, weighted by bars", false},
    {"exposure_max_frac", "frac",
     "largest notional held over equity: after an entry, or at a day's close", false},
}};

// What rounding leaves of a constant series is not variance.
bool constant(double squares, double n, double mean) { return squares <= n * mean * mean * 1e-24; }

double ratio(double a, double b) { return b != 0 ? a / b : a == 0 ? 0.0 : kNaN; }

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

MetricInput metric_input(const lanes::Job& job, const MarketView& market) {
  WINNOW_REQUIRES(market.open.data() == job.open && market.size() == job.market.size);
  constexpr double kDayNs = static_cast<double>(days(1).ns);
  MetricInput out{.initial_cash = job.costs.initial_cash,
                  .bars = static_cast<double>(job.last - job.first),
                  .taker_fee = job.costs.taker_fee,
                  .maker_fee = job.costs.maker_fee,
                  .elapsed_days = {},
                  .market_returns = {}};
  out.periods_per_year = calendar_of(market.time_ns, market.interval_ns).periods_per_year;
  double before = job.open[job.first];
  for (std::size_t p = 0; p < job.periods; ++p) {
    const std::size_t bar = job.period_last[p];
    const std::int64_t end = market.time_ns[bar] + std::max<std::int64_t>(market.interval_ns, 0);
    out.elapsed_days.push_back(static_cast<double>(end - market.time_ns[job.first]) / kDayNs);
    out.market_returns.push_back(job.close[bar] / before - 1.0);
    before = job.close[bar];
  }
  return out;
}

MetricRow::MetricRow(MetricInput input) : input_(std::move(input)), market_(input_.market_returns) {
  if (market_.empty()) return;
  for (const double r : market_) {
    market_mean_ += r;
    market_growth_ *= 1.0 + r;
  }
  const double n = static_cast<double>(market_.size());
  market_mean_ /= n;
  for (double& r : market_) {
    r -= market_mean_;
    market_squares_ += r * r;
  }
  if (constant(market_squares_, n, market_mean_)) market_squares_ = 0;
}

double MetricRow::years(std::size_t periods) const {
  return input_.elapsed_days[periods - 1] / kDaysPerYear;
}

void MetricRow::drop_annual(std::size_t periods, std::span<double> out) const {
  if (input_.elapsed_days[periods - 1] >= kAnnualDaysMin) return;
  for (std::size_t m = 0; m < kDecls.size(); ++m) {
    if (kDecls[m].annual) out[m] = kNaN;
  }
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
  market_metrics(r_, out);
  drop_annual(equity.size(), out);
}

void MetricRow::compute_prefix(std::span<const double> equity, std::span<double> out) {
  WINNOW_REQUIRES(equity.size() <= r_.size());
  if (equity.empty()) return std::fill(out.begin(), out.end(), kNaN);
  const std::span<const double> returns = std::span<const double>(r_).first(equity.size());
  curve_metrics(equity, out);
  return_metrics(returns, out);
  tail_metrics(returns, out);
  drop_annual(equity.size(), out);
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
  out[kCagr] = det_pow(growth, 1.0 / years(equity.size())) - 1.0;
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
  const bool flat = constant(m2, n, mean);
  return_mean_ = mean;
  return_squares_ = flat ? 0.0 : m2;
  const double sd = flat || n < 2 ? 0.0 : std::sqrt(m2 / (n - 1));
  const double year = std::sqrt(input_.periods_per_year);
  const double variance = flat ? 0.0 : m2 / n;
  out[kVolatility] = sd * year;
  out[kSharpe] = ratio(mean, sd) * year;
  out[kSortino] = ratio(mean, std::sqrt(downside / n)) * year;
  out[kOmega] = ratio(gains, losses);
  out[kSkew] = flat ? 0.0 : m3 / n / (variance * std::sqrt(variance));
  out[kKurtosis] = flat ? 0.0 : m4 / n / (variance * variance);
  out[kPositiveDays] = positive / n;
}

// Least squares of the variant's daily returns on those of holding the market over the same days. A
// side that does not vary explains nothing: beta and correlation are 0, alpha is the mean.
void MetricRow::market_metrics(std::span<const double> returns, std::span<double> out) const {
  double products = 0;
  for (std::size_t i = 0; i < returns.size(); ++i) products += returns[i] * market_[i];
  const bool related = return_squares_ > 0 && market_squares_ > 0;
  const double beta = related ? products / market_squares_ : 0.0;
  out[kMarketReturn] = market_growth_ - 1.0;
  out[kAlpha] = (return_mean_ - beta * market_mean_) * input_.periods_per_year;
  out[kBeta] = beta;
  out[kMarketCorrelation] =
      related ? std::clamp(products / std::sqrt(return_squares_ * market_squares_), -1.0, 1.0)
              : 0.0;
  double held = 0;
  for (const double e : exposure_) held += e;
  out[kMeanExposure] = exposure_.empty() ? 0.0 : held / static_cast<double>(exposure_.size());
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
  out[kTurnover] = ratio((taker + maker) / years(equity.size()), mean_equity);
  out[kFeesFrac] = (taker * input_.taker_fee + maker * input_.maker_fee) / input_.initial_cash;
  out[kSlippageFrac] = tallies[kSlippage] / input_.initial_cash;
  out[kFundingFrac] = tallies[kFundingPaid] / input_.initial_cash;
  out[kLongShare] = ratio(tallies[kLongs], trades);
  out[kRejectedOrders] = tallies[kRejected];
  out[kRuinedFlag] = tallies[kRuined];
  out[kMostExposureFrac] = tallies[kMostExposure];
}

}  // namespace winnow::engine
