#include "serve/risk.hpp"

#include <algorithm>
#include <cmath>

#include "serve/query_parts.hpp"
#include "serve/rerun.hpp"
#include "serve/scoring.hpp"
#include "sweeps/results.hpp"
#include "sweeps/risk/tail_risk.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/bootstrap.hpp"

namespace winnow::serve {
namespace {

namespace risk = sweeps::risk;
namespace stats = sweeps::stats;

constexpr std::array kTails = {0.05, 0.01};
constexpr std::array kRuinLosses = {0.1, 0.2, 0.3, 0.5};
constexpr std::array<std::size_t, 3> kRuinDays = {30, 90, 365};

Json distribution_json(const risk::Distribution& d) {
  Json out{{"mean", number_json(d.mean)}};
  constexpr std::array kNames = {"q01", "q05", "q25", "q50", "q75", "q95", "q99"};
  for (std::size_t q = 0; q < kNames.size(); ++q) out[kNames[q]] = number_json(d.quantile[q]);
  return out;
}

Json summary_json(const risk::PathSummary& s) {
  return {{"total_return_frac", distribution_json(s.total_return_frac)},
          {"drawdown_max_frac", distribution_json(s.drawdown_frac)},
          {"underwater_days_max", distribution_json(s.underwater)},
          {"sharpe_ann", distribution_json(s.sharpe_ann)},
          {"p_loss", number_json(s.p_loss)}};
}

Json history_json(const risk::PolicyHistory& h) {
  return {{"total_return_frac", number_json(h.total_return_frac)},
          {"sharpe_ann", number_json(h.sharpe_ann)},
          {"drawdown_max_frac", number_json(h.drawdown_frac)},
          {"triggers", h.triggers},
          {"days_out", h.days_out}};
}

Json refuse(Json out, std::string_view verdict, const std::string& reason) {
  out["verdict"] = verdict;
  out["reasons"] = {reason};
  return out;
}

std::vector<std::size_t> checkpoints_of(std::size_t horizon) {
  std::vector<std::size_t> out;
  for (const std::size_t days : kRuinDays) {
    if (days < horizon) out.push_back(days);
  }
  out.push_back(horizon);
  return out;
}

Json ruin_json(std::span<const risk::PathOutcome> paths, std::span<const std::size_t> days) {
  Json out = Json::array();
  for (const double loss : kRuinLosses) {
    for (std::size_t c = 0; c < days.size(); ++c) {
      const risk::Ruin found = risk::ruin(paths, loss, c);
      out.push_back(
          {{"loss_frac", loss}, {"horizon_days", days[c]}, {"p", found.p}, {"p_se", found.se}});
    }
  }
  return out;
}

Json tail_json(const std::vector<risk::TailRisk>& risks) {
  Json out = Json::array();
  for (const risk::TailRisk& r : risks) {
    out.push_back({{"tail", r.tail},
                   {"var_frac", number_json(r.var_frac)},
                   {"var_frac_low", number_json(r.var_interval.low)},
                   {"var_frac_high", number_json(r.var_interval.high)},
                   {"var_normal_frac", number_json(r.var_normal_frac)},
                   {"cvar_frac", number_json(r.cvar_frac)},
                   {"cvar_frac_low", number_json(r.cvar_interval.low)},
                   {"cvar_frac_high", number_json(r.cvar_interval.high)},
                   {"cvar_normal_frac", number_json(r.cvar_normal_frac)}});
  }
  return out;
}

// Trades drawn again: as many as the horizon would bring.
Json trades_json(const Sources& sources, const Rerun& rerun, double cash, std::size_t days,
                 const RiskOptions& options) {
  const std::vector<double> returns = trade_returns(rerun.run.backtest, cash);
  Json out{{"trades", returns.size()}};
  if (returns.size() < kRiskTradesMin || !(stats::stdev(returns) > 0)) {
    out["verdict"] = "TOO_FEW_TRADES";
    out["reasons"] = {"trades are drawn again only if there are at least " +
                      std::to_string(kRiskTradesMin) + " that differ"};
    return out;
  }
  const double per_day = static_cast<double>(returns.size()) / static_cast<double>(days);
  risk::SimulationOptions o{.paths = options.paths, .seed = options.seed};
  o.horizon = static_cast<std::size_t>(
      std::clamp(std::round(per_day * static_cast<double>(options.horizon_days)), 1.0,
                 static_cast<double>(risk::kHorizonMax)));
  o.mean_block =
      stats::usable_block(stats::optimal_block_length(returns).stationary, returns.size());
  o.checkpoints = {o.horizon};
  const risk::Policy none;
  const auto paths =
      risk::simulate(risk::days_from_returns(returns), {&none, 1}, o, sources.parallel);
  const auto s = risk::summarise(paths.front(), o.horizon);
  out["verdict"] = "MEASURED";
  out["trades_in_horizon"] = o.horizon;
  out["mean_block_trades"] = o.mean_block;
  out["total_return_frac"] = distribution_json(s.total_return_frac);
  out["drawdown_max_frac"] = distribution_json(s.drawdown_frac);
  out["underwater_trades_max"] = distribution_json(s.underwater);
  out["p_loss"] = s.p_loss;
  return out;
}

Json policies_json(const risk::DayBars& days, const RiskOptions& options, double periods_per_year,
                   const std::vector<std::vector<risk::PathOutcome>>& paths) {
  Json out = Json::array();
  for (std::size_t k = 0; k < options.policies.size(); ++k) {
    const auto s = risk::summarise(paths[k], options.horizon_days);
    Json row{{"policy", options.policies[k].name}};
    row["history"] = history_json(risk::apply_policy(days, options.policies[k], periods_per_year));
    row["simulation"] = summary_json(s);
    row["simulation"]["p_triggered"] = number_json(s.p_triggered);
    row["simulation"]["triggers_mean"] = number_json(s.triggers_mean);
    row["simulation"]["out_frac"] = number_json(s.out_frac);
    out.push_back(std::move(row));
  }
  return out;
}

Json posterior_json(const Sources& sources, const std::vector<double>& returns,
                    double luck_sharpe_ann, const risk::SimulationOptions& simulation) {
  const auto p = risk::sharpe_posterior(returns, luck_sharpe_ann, simulation.periods_per_year);
  Json out;
  out["sharpe_ann"] = {{"mean", number_json(p.mean_ann)},
                       {"sd", number_json(p.sd_ann)},
                       {"q05", number_json(p.low_ann)},
                       {"q50", number_json(p.median_ann)},
                       {"q95", number_json(p.high_ann)}};
  out["p_sharpe_above_0"] = number_json(p.p_above_zero);
  out["p_sharpe_above_luck"] = number_json(p.p_above_benchmark);
  const auto paths = risk::simulate_posterior(returns, simulation, sources.parallel);
  const auto s = risk::summarise(paths, simulation.horizon);
  out["total_return_frac"] = distribution_json(s.total_return_frac);
  out["drawdown_max_frac"] = distribution_json(s.drawdown_frac);
  out["p_loss"] = number_json(s.p_loss);
  return out;
}

// Everything of a variant whose returns can carry it.
Status measure(const Sources& sources, const SweepView& view, std::uint64_t trial,
               const std::vector<float>& stored, const RiskOptions& options, Json& out) {
  const sweeps::Segment& segment = view.plan.segment_of_trial(trial);
  const engine::ExecutionModel& execution = view.plan.execution(segment);
  const std::vector<double> returns(stored.begin(), stored.end());
  const auto rerun = rerun_variant(sources, view, trial, stored);
  const risk::DayBars days =
      rerun.ok() ? day_bars_of(*rerun, execution) : risk::days_from_returns(returns);
  out["path_within_days"] = rerun.ok();
  if (!rerun.ok()) {
    out["notes"] = {"what happened inside the days is not known (" + rerun.error().text() +
                    "): losses are seen at days' ends only"};
  }
  risk::SimulationOptions o{.horizon = options.horizon_days,
                            .paths = options.paths,
                            .seed = options.seed,
                            .mean_block = 1,
                            .periods_per_year = view.periods_per_year(segment)};
  o.mean_block =
      stats::usable_block(stats::optimal_block_length(returns).stationary, returns.size());
  o.checkpoints = checkpoints_of(options.horizon_days);
  const auto ledger = ledger_trials(sources, view.dataset(segment).content_hash);
  if (!ledger.ok()) return ledger.error();
  const double luck = noise_expectation(*ledger, returns.size(), o.periods_per_year).max_ann;

  out["mean_block_days"] = o.mean_block;
  out["history"] = history_json(risk::apply_policy(days, {}, o.periods_per_year));
  out["periods_per_year"] = o.periods_per_year;
  out["calendar"] = engine::calendar_name(o.periods_per_year);
  out["ledger_trials"] = *ledger;
  out["luck_sharpe_ann"] = number_json(luck);
  // The first path set is the variant as it is, whatever policies are asked for.
  std::vector<risk::Policy> all = {risk::Policy{}};
  all.insert(all.end(), options.policies.begin(), options.policies.end());
  auto paths = risk::simulate(days, all, o, sources.parallel);
  out["simulation"] = summary_json(risk::summarise(paths.front(), o.horizon));
  out["ruin"] = ruin_json(paths.front(), o.checkpoints);
  paths.erase(paths.begin());
  out["posterior"] = posterior_json(sources, returns, luck, o);
  out["tail"] = tail_json(risk::tail_risks(
      returns, kTails, {.mean_block = o.mean_block, .seed = options.seed}, sources.parallel));
  if (rerun.ok()) {
    out["trades"] = trades_json(sources, *rerun, execution.initial_cash, returns.size(), options);
  }
  out["policies"] = policies_json(days, options, o.periods_per_year, paths);
  return {};
}

// Such rules have nothing left to stop at a day's end.
bool only_within_days(const risk::Policy& policy) {
  return !policy.rules.empty() &&
         std::all_of(policy.rules.begin(), policy.rules.end(),
                     [](const risk::Rule& r) { return r.from == risk::LossFrom::DayStart; });
}

double median_finite(std::vector<double> v) {
  std::erase_if(v, [](double x) { return !std::isfinite(x); });
  return v.empty() ? std::nan("") : stats::median(v);
}

}  // namespace

Result<Json> assess_variant(const Sources& sources, const SweepView& view, std::uint64_t trial,
                            const RiskOptions& options) {
  const auto rows = read_trials(sources, view, {&trial, 1}, {.returns = true});
  if (!rows.ok()) return rows.error();
  const auto& row = rows->front();
  const sweeps::Segment& segment = view.plan.segment_of_trial(trial);
  Json out = parts::variant_json(view, trial);
  out["params_text"] = sweeps::params_text(view.plan, segment, view.plan.params(trial, 1));
  if (!row) return refuse(std::move(out), "NO_RESULT", "the variant has not been run yet");
  if (has_failed(row->status)) {
    return refuse(std::move(out), "FAILED", "the trial failed: " + row->error);
  }
  const std::vector<double> returns(row->returns.begin(), row->returns.end());
  out["days"] = returns.size();
  if (!std::all_of(returns.begin(), returns.end(), [](double r) { return std::isfinite(r); })) {
    return refuse(std::move(out), "FAILED", "its stored daily returns are not numbers");
  }
  if (returns.size() < kRiskDaysMin) {
    return refuse(std::move(out), "TOO_FEW_DAYS",
                  std::to_string(returns.size()) + " days; at least " +
                      std::to_string(kRiskDaysMin) + " are needed to say anything about a tail");
  }
  if (!(stats::stdev(returns) > 0)) {
    return refuse(std::move(out), "CONSTANT",
                  "its daily returns do not vary (it never traded, or was flat all the time): "
                  "there is no risk to measure");
  }
  out["verdict"] = "MEASURED";
  out["reasons"] = Json::array();
  WINNOW_TRY(measure(sources, view, trial, row->returns, options, out));
  return out;
}

Result<Json> policies_over_family(const Sources& sources, const SweepView& view,
                                  const sweeps::Segment& segment, const RiskOptions& options) {
  const auto panel = read_panel(sources, view, segment);
  if (!panel.ok()) return panel.error();
  const std::uint64_t rows = panel->trial.size();
  const double periods_per_year = view.periods_per_year(segment);
  const std::uint64_t used = std::min(rows, kPolicyVariantsMax);
  using Histories = std::vector<risk::PolicyHistory>;  // as it is, then each policy
  std::vector<Histories> all(used);
  sources.parallel(used, [&](std::size_t i) {
    const std::uint64_t r = rows * i / used;
    const auto* begin = panel->returns.data() + r * panel->periods;
    const std::vector<double> returns(begin, begin + panel->periods);
    if (returns.empty() || !std::isfinite(returns.front())) return;
    const risk::DayBars days = risk::days_from_returns(returns);
    Histories histories = {risk::apply_policy(days, {}, periods_per_year)};
    for (const auto& policy : options.policies) {
      histories.push_back(risk::apply_policy(days, policy, periods_per_year));
    }
    for (auto& h : histories) h.returns = {};
    all[i] = std::move(histories);
  });
  std::erase_if(all, [](const Histories& h) { return h.empty(); });
  Json out{{"family", view.family(segment)},
           {"data", view.dataset(segment).name},
           {"variants", all.size()},
           {"variants_committed", rows}};
  out["policies"] = Json::array();
  for (std::size_t k = 0; k < options.policies.size(); ++k) {
    if (only_within_days(options.policies[k])) {
      out["policies"].push_back({{"policy", options.policies[k].name},
                                 {"total_return_frac_median", Json()},
                                 {"sharpe_ann_median", Json()},
                                 {"drawdown_max_frac_median", Json()},
                                 {"triggered_frac", Json()},
                                 {"sharpe_better_frac", Json()},
                                 {"why",
                                  "what happens inside a day is not kept for every variant; "
                                  "name variants to see it"}});
      continue;
    }
    std::vector<double> total, sharpe, drawdown;
    double triggered = 0;
    double better = 0;
    for (const Histories& h : all) {
      total.push_back(h[k + 1].total_return_frac);
      sharpe.push_back(h[k + 1].sharpe_ann);
      drawdown.push_back(h[k + 1].drawdown_frac);
      triggered += h[k + 1].triggers > 0 ? 1 : 0;
      // Equal up to rounding is not better.
      better += h[k + 1].sharpe_ann > h[0].sharpe_ann + 1e-9 ? 1 : 0;
    }
    const double n = static_cast<double>(all.size());
    out["policies"].push_back({{"policy", options.policies[k].name},
                               {"total_return_frac_median", number_json(median_finite(total))},
                               {"sharpe_ann_median", number_json(median_finite(sharpe))},
                               {"drawdown_max_frac_median", number_json(median_finite(drawdown))},
                               {"triggered_frac", number_json(triggered / n)},
                               {"sharpe_better_frac", number_json(better / n)}});
    if (!std::isfinite(median_finite(sharpe))) {
      out["policies"].back()["why"] = "no variant has daily returns that vary";
    }
  }
  return out;
}

}  // namespace winnow::serve
