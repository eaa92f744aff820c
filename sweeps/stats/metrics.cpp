#include "sweeps/stats/metrics.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/numbers.hpp"
#include "sweeps/stats/basic.hpp"

namespace winnow::sweeps::stats {
namespace {

double growth(std::span<const double> r) {
  double g = 1;
  for (double v : r) g *= 1 + v;
  return g;
}

double root_mean_square(std::span<const double> x) {
  double ss = 0;
  for (double v : x) ss += v * v;
  return std::sqrt(ss / static_cast<double>(x.size()));
}

}  // namespace

double cumulative_return(std::span<const double> r) { return growth(r) - 1; }

double cagr(std::span<const double> r, double p) {
  if (r.empty()) return kNaN;
  return std::pow(growth(r), p / static_cast<double>(r.size())) - 1;
}

double volatility_ann(std::span<const double> r, double p) { return stdev(r) * std::sqrt(p); }

double sharpe_ann(std::span<const double> r, double p, double risk_free) {
  return (mean(r) - risk_free) / stdev(r) * std::sqrt(p);
}

double downside_risk_ann(std::span<const double> r, double p, double required) {
  if (r.empty()) return kNaN;
  std::vector<double> below;
  for (double v : r) below.push_back(std::min(v - required, 0.0));
  return root_mean_square(below) * std::sqrt(p);
}

double sortino_ann(std::span<const double> r, double p, double required) {
  if (r.size() < 2) return kNaN;
  return (mean(r) - required) * p / downside_risk_ann(r, p, required);
}

double omega(std::span<const double> r, double threshold) {
  if (r.size() < 2) return kNaN;
  double gain = 0;
  double loss = 0;
  for (double v : r) (v > threshold ? gain : loss) += std::abs(v - threshold);
  return loss > 0 ? gain / loss : kNaN;
}

double per_period(double annual, double p) { return std::pow(1 + annual, 1 / p) - 1; }

double tail_ratio(std::span<const double> r) {
  return std::abs(quantile(r, 0.95)) / std::abs(quantile(r, 0.05));
}

double value_at_risk(std::span<const double> r, double q) { return quantile(r, q); }

double expected_shortfall(std::span<const double> r, double q) {
  if (r.empty()) return kNaN;
  std::vector<double> sorted(r.begin(), r.end());
  std::sort(sorted.begin(), sorted.end());
  const auto last = static_cast<std::size_t>(static_cast<double>(r.size() - 1) * q);
  return mean(std::span(sorted).first(last + 1));
}

double parametric_var(std::span<const double> r, double q) {
  return mean(r) + stdev(r) * normal_quantile(q);
}

double parametric_shortfall(std::span<const double> r, double q) {
  const double var = parametric_var(r, q);
  std::vector<double> below;
  for (double v : r) {
    if (v < var) below.push_back(v);
  }
  return mean(below);
}

double stability(std::span<const double> r) {
  std::vector<double> t;
  std::vector<double> cumulated;
  double sum = 0;
  for (double v : r) {
    sum += std::log1p(v);
    t.push_back(static_cast<double>(t.size()));
    cumulated.push_back(sum);
  }
  const double c = correlation(t, cumulated);
  return c * c;
}

double autocorrelation_lag1(std::span<const double> r) {
  if (r.size() < 3) return kNaN;
  return correlation(r.first(r.size() - 1), r.subspan(1));
}

Drawdowns drawdowns(std::span<const double> r) {
  Drawdowns d;
  double equity = 1;
  double peak = 1;
  std::size_t peak_at = 0;
  std::size_t underwater = 0;
  double peak_before_trough = 1;
  for (std::size_t i = 0; i < r.size(); ++i) {
    const std::size_t at = i + 1;
    equity *= 1 + r[i];
    if (equity >= peak) {
      peak = equity;
      peak_at = at;
    }
    if (d.trough > 0 && !d.recovery && equity >= peak_before_trough) d.recovery = at;
    const double down = equity / peak - 1;
    underwater = down < 0 ? underwater + 1 : 0;
    d.longest_underwater = std::max(d.longest_underwater, underwater);
    if (down < d.maximum) {
      d.maximum = down;
      d.peak = peak_at;
      d.trough = at;
      d.recovery.reset();
      peak_before_trough = peak;
    }
    d.series.push_back(down);
  }
  if (r.empty()) return d;
  d.average = mean(d.series);
  d.current = d.series.back();
  d.ulcer = root_mean_square(d.series);
  return d;
}

double autocorrelation_penalty(std::span<const double> r) {
  const double n = static_cast<double>(r.size());
  const double rho = std::abs(autocorrelation_lag1(r));
  double sum = 0;
  for (std::size_t k = 1; k < r.size(); ++k) {
    sum += (n - static_cast<double>(k)) / n * std::pow(rho, static_cast<double>(k));
  }
  return std::sqrt(1 + 2 * sum);
}

double WinLoss::profit_factor() const { return gain / loss; }

double WinLoss::payoff() const {
  return gain / static_cast<double>(wins) / (loss / static_cast<double>(losses));
}

double WinLoss::win_frac_of_decided() const {
  return static_cast<double>(wins) / static_cast<double>(wins + losses);
}

double WinLoss::kelly_frac() const {
  const double win = win_frac_of_decided();
  return (payoff() * win - (1 - win)) / payoff();
}

WinLoss win_loss(std::span<const double> x) {
  WinLoss w;
  for (double v : x) {
    if (v > 0) {
      ++w.wins;
      w.gain += v;
    } else if (v < 0) {
      ++w.losses;
      w.loss -= v;
    }
  }
  return w;
}

TradeStats trade_stats(std::span<const double> pnl, std::span<const double> notional) {
  WINNOW_REQUIRES(pnl.size() == notional.size());
  const WinLoss w = win_loss(pnl);
  TradeStats t;
  t.n = pnl.size();
  if (pnl.empty()) return t;
  double traded = 0;
  for (double v : notional) traded += v;
  double sum = 0;
  std::size_t streak = 0;
  for (double v : pnl) {
    sum += v;
    streak = v < 0 ? streak + 1 : 0;
    t.losses_in_a_row_max = std::max(t.losses_in_a_row_max, streak);
  }
  const double n = static_cast<double>(pnl.size());
  t.win_frac = static_cast<double>(w.wins) / n;
  t.profit_factor = w.profit_factor();
  t.expectancy = sum / n;
  t.payoff = w.payoff();
  t.expectancy_bps = sum / traded * 1e4;
  t.turnover = 2 * traded;
  t.sqn = std::sqrt(n) * t.expectancy / stdev(pnl);
  return t;
}

Capacity square_root_capacity(const CapacityInput& in) {
  Capacity c;
  const double net = in.edge_frac - in.fee_frac;
  const double impact = in.impact_coefficient * in.volatility_daily;
  if (!(net > 0)) return c;
  const double ratio = 2 * net / (3 * impact);
  c.optimum_notional = in.volume_daily * ratio * ratio;
  c.net_pnl_max =
      c.optimum_notional * (net - impact * std::sqrt(c.optimum_notional / in.volume_daily));
  c.breakeven_notional = in.volume_daily * (net / impact) * (net / impact);
  return c;
}

}  // namespace winnow::sweeps::stats
