#include "sweeps/stats/metrics.hpp"

#include <charconv>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "engine/engine.hpp"
#include "engine/metrics.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/sharpe.hpp"
#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {
namespace {

using namespace stats;

double calmar(std::span<const double> r, double p) {
  const double down = drawdowns(r).maximum;
  return down < 0 ? cagr(r, p) / std::abs(down) : std::nan("");
}

Json empyrical_json(std::span<const double> r, double p) {
  return {{"cum_return", cumulative_return(r)},
          {"annual_return_cagr", cagr(r, p)},
          {"annual_return", cagr(r, p)},
          {"annual_volatility", volatility_ann(r, p)},
          {"sharpe", sharpe_ann(r, p)},
          {"sharpe_rf_1e_4", sharpe_ann(r, p, 1e-4)},
          {"sortino", sortino_ann(r, p)},
          {"sortino_req_5e_4", sortino_ann(r, p, 5e-4)},
          {"downside_risk", downside_risk_ann(r, p)},
          {"max_drawdown", drawdowns(r).maximum},
          {"calmar", calmar(r, p)},
          {"omega", omega(r, 0)},
          {"omega_0", omega(r, 0)},
          {"omega_req_annual_10pct", omega(r, per_period(0.10, p))},
          {"tail_ratio", tail_ratio(r)},
          {"var_05", value_at_risk(r, 0.05)},
          {"cvar_05", expected_shortfall(r, 0.05)},
          {"var_01", value_at_risk(r, 0.01)},
          {"cvar_01", expected_shortfall(r, 0.01)},
          {"stability_r2", stability(r)}};
}

Json quantstats_json(std::span<const double> r, double p) {
  const Drawdowns d = drawdowns(r);
  const WinLoss w = win_loss(r);
  const double n = static_cast<double>(r.size());
  const double ulcer = d.ulcer * std::sqrt(n / (n - 1));
  const double penalty = autocorrelation_penalty(r);
  return {{"ulcer_index_nminus1", ulcer},
          {"upi", cumulative_return(r) / ulcer},
          {"profit_factor", w.profit_factor()},
          {"win_rate_nonzero", w.win_frac_of_decided()},
          {"payoff_ratio", w.payoff()},
          {"gain_to_pain", (w.gain - w.loss) / w.loss},
          {"parametric_var_95", parametric_var(r, 0.05)},
          {"parametric_cvar_95", parametric_shortfall(r, 0.05)},
          {"kelly_criterion", w.kelly_frac()},
          {"sortino", sortino_ann(r, p)},
          {"sharpe", sharpe_ann(r, p)},
          {"max_drawdown", d.maximum},
          {"recovery_factor", std::abs(mean(r) * n) / std::abs(d.maximum)},
          {"tail_ratio", tail_ratio(r)},
          {"autocorr_penalty", penalty},
          {"smart_sharpe", sharpe_ann(r, p) / penalty}};
}

Json own_json(std::span<const double> r, double p) {
  const Drawdowns d = drawdowns(r);
  double log_sum = 0;
  for (double v : r) log_sum += std::log1p(v);
  const double rho = autocorrelation_lag1(r);
  return {
      {"max_drawdown", d.maximum},
      {"peak_index", d.peak},
      {"trough_index", d.trough},
      {"recovery_index", d.recovery ? Json(*d.recovery) : Json()},
      {"longest_underwater_periods", d.longest_underwater},
      {"avg_drawdown", d.average},
      {"ulcer_index_martin", d.ulcer},
      {"pain_index", -d.average},
      {"current_drawdown", d.current},
      {"sharpe_lo2002_annual_AR1", sharpe(r) * lo_annualisation(rho, static_cast<std::size_t>(p))},
      {"acf1_corrcoef", rho},
      {"mar_ratio", calmar(r, p)},
      {"martin_ratio", cagr(r, p) / d.ulcer},
      {"mean_log_growth", log_sum / static_cast<double>(r.size())}};
}

/// The returns of a case; the text NaN is a period without a return.
std::vector<double> returns_of(const Case& c) {
  std::vector<double> r =
      c.has("returns_csv") ? c.series("returns_csv") : c.numbers_with_gaps("returns");
  if (r.size() < 2) throw CaseFault{"inputs: two returns are needed"};
  for (const double v : r) {
    if (!(v > -1)) throw CaseFault{"inputs: a return of -1 or below leaves nothing"};
  }
  return r;
}

/// Metrics that the engine gives every trial, where a series alone makes them, by their names.
std::map<std::string, double> by_engine(std::span<const double> r) {
  std::vector<double> equity;
  double now = 1;
  for (const double v : r) equity.push_back(now *= 1 + v);
  const std::vector<double> tallies(engine::lanes::kTallies, 0.0);
  const auto decls = engine::metric_decls();
  std::vector<double> values(decls.size());
  engine::MetricInput input;
  input.initial_cash = 1;
  input.bars = static_cast<double>(r.size());
  input.market_returns.assign(r.size(), 0.0);  // a market that stands still: no part of these
  for (std::size_t i = 0; i < r.size(); ++i) {
    input.elapsed_days.push_back(static_cast<double>(i + 1));
  }
  engine::MetricRow row(std::move(input));
  row.compute(equity, tallies, values, {});
  std::map<std::string, double> out;
  for (std::size_t i = 0; i < decls.size(); ++i) out[std::string(decls[i].name)] = values[i];
  return out;
}

/// Holds the engine's metrics, which users see, to the ones that the vectors verify. Its periods a
/// year are its own to choose: they are read off its volatility. Fails: CaseFault naming a metric.
void hold_engine(std::span<const double> r) {
  const auto found = by_engine(r);
  const auto same = [&](const char* name, double reference) {
    const double value = found.at(name);
    if (!std::isfinite(value) || !std::isfinite(reference)) return;  // each has its own word there
    if (std::abs(value - reference) <= 1e-9 * std::abs(reference) + 1e-11) return;
    throw CaseFault{std::string("the engine's ") + name + " is " + std::to_string(value) +
                    ", the reference " + std::to_string(reference)};
  };
  const Drawdowns d = drawdowns(r);
  same("total_return_frac", cumulative_return(r));
  same("drawdown_max_frac", -d.maximum);
  same("ulcer_frac", d.ulcer);
  same("omega", omega(r, 0));
  same("tail_ratio", tail_ratio(r));
  same("var_95_frac", value_at_risk(r, 0.05));
  same("cvar_95_frac", expected_shortfall(r, 0.05));
  same("skew", skewness(r));
  same("kurtosis", kurtosis(r));
  const double root = found.at("vol_ann") / stdev(r);
  same("sharpe_ann", sharpe(r) * root);
  same("sortino_ann", sortino_ann(r, root * root));
}

Json single_series_case(const Case& c) {
  const auto r = returns_of(c);
  hold_engine(r);
  const double p = c.positive("periods_per_year");
  Json out = own_json(r, p);
  out.update(empyrical_json(r, p));
  return {{"empyrical", empyrical_json(r, p)},
          {"quantstats", quantstats_json(r, p)},
          {"own", own_json(r, p)},
          {"metrics", std::move(out)}};
}

/// Flat metric names, with the periods a year as a suffix where one is (sharpe_252).
Json named_metrics_case(const Case& c) {
  const auto r = returns_of(c);
  hold_engine(r);
  const double p = c.positive("periods_per_year");
  Json all = own_json(r, p);
  all.update(quantstats_json(r, p));
  all.update(empyrical_json(r, p));
  Json out = all;
  for (const auto& [key, value] : c.expected().items()) {
    const std::size_t underscore = key.rfind('_');
    if (underscore == std::string::npos || out.contains(key)) continue;
    double suffix = 0;
    const char* end = key.data() + key.size();
    const auto parsed = std::from_chars(key.data() + underscore + 1, end, suffix);
    if (parsed.ptr != end || parsed.ec != std::errc{} || !(suffix > 0)) continue;
    const Json by_suffix = empyrical_json(r, suffix);
    const std::string base = key.substr(0, underscore);
    if (by_suffix.contains(base)) out[key] = by_suffix[base];
  }
  return out;
}

Json target_case(const Case& c) {
  const auto r = returns_of(c);
  const double target = c.number("target");
  Json out{{"sortino_unannualised", sortino_ann(r, 1, target)}};
  if (c.wants("sortino")) out["sortino"] = sortino_ann(r, c.positive("periods_per_year"), target);
  return out;
}

Json threshold_case(const Case& c) {
  return {{"omega", omega(returns_of(c), c.number("threshold"))}};
}

Json trades_case(const Case& c) {
  const auto pnl = c.numbers("pnl");
  const auto notional = c.numbers("notional");
  if (pnl.size() != notional.size()) throw CaseFault{"inputs.notional: one a pnl is needed"};
  for (const double v : notional) {
    if (!(v > 0)) throw CaseFault{"inputs.notional: numbers above 0 are needed"};
  }
  const TradeStats t = trade_stats(pnl, notional);
  return {{"n", t.n},
          {"win_rate", t.win_frac},
          {"profit_factor", t.profit_factor},
          {"expectancy", t.expectancy},
          {"payoff", t.payoff},
          {"expectancy_per_notional_bps", t.expectancy_bps},
          {"turnover_notional", t.turnover},
          {"max_consecutive_losses", t.losses_in_a_row_max},
          {"sqn", t.sqn}};
}

Json capacity_case(const Case& c) {
  const Capacity q = square_root_capacity({.edge_frac = c.number("edge"),
                                           .fee_frac = c.number("fee"),
                                           .impact_coefficient = c.positive("Y"),
                                           .volatility_daily = c.positive("sigma_daily"),
                                           .volume_daily = c.positive("adv")});
  return {{"q_star", q.optimum_notional},
          {"max_net_pnl", q.net_pnl_max},
          {"breakeven_q", q.breakeven_notional}};
}

}  // namespace

void add_metrics_kinds(std::vector<Kind>& kinds) {
  const auto has_returns = [](const Case& c) { return c.has("returns") || c.has("returns_csv"); };
  kinds.push_back({"metrics of a series",
                   [=](const Case& c) {
                     return has_returns(c) && c.has("periods_per_year") &&
                            (c.wants("empyrical") || c.wants("own") || c.wants("quantstats"));
                   },
                   single_series_case});
  kinds.push_back({"Sortino about a target",
                   [=](const Case& c) { return has_returns(c) && c.has("target"); }, target_case});
  kinds.push_back({"Omega about a threshold",
                   [=](const Case& c) { return has_returns(c) && c.has("threshold"); },
                   threshold_case});
  kinds.push_back({"named metrics",
                   [=](const Case& c) { return has_returns(c) && c.has("periods_per_year"); },
                   named_metrics_case});
  kinds.push_back({"trade statistics",
                   [](const Case& c) {
                     return c.has({"pnl", "notional"});
                   },
                   trades_case});
  kinds.push_back({"square-root capacity",
                   [](const Case& c) {
                     return c.has({"edge", "sigma_daily", "adv"});
                   },
                   capacity_case});
}

}  // namespace winnow::sweeps::verify
