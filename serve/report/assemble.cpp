#include "serve/report/assemble.hpp"
#include "base/numbers.hpp"
#include "base/text.hpp"
#include "serve/ledger_account.hpp"
#include "serve/period_days.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/names.hpp"
#include "engine/engine.hpp"
#include "serve/holding.hpp"
#include "serve/knobs.hpp"
#include "serve/report/html.hpp"
#include "serve/report/risk_tables.hpp"
#include "serve/report/validation_tables.hpp"
#include "sweeps/design.hpp"
#include "sweeps/results.hpp"

namespace winnow::serve::report {
namespace {

constexpr std::size_t kHeadShown = 16;
constexpr std::array kLeaderMetrics = {
    "sharpe_ann",    "cagr_frac",     "drawdown_max_frac", "calmar", "sortino_ann",
    "alpha_ann",     "beta",          "market_corr",       "trades", "win_rate_frac",
    "profit_factor", "exposure_frac", "turnover_ann"};

/// What is read of every variant: columns by trial of the plan, NaN where there is none.
struct Columns {
  std::vector<double> sharpe, ruined, trades;
  std::vector<std::uint64_t> failed;
  std::uint64_t committed = 0;
  std::uint64_t not_measurable = 0;
};

Result<Columns> read_columns(const Sources& sources, const SweepView& view) {
  std::vector<std::uint32_t> indices;
  for (const char* name : {"sharpe_ann", "ruined", "trades"}) {
    const auto index = sweeps::metric_index(name, view.meta.metric_names);
    if (!index.ok()) return index.error();
    indices.push_back(*index);
  }
  const auto table = sources.store->read_metrics(view.meta.id, indices);
  if (!table.ok()) return table.error();
  Columns out;
  const std::uint64_t trials = view.plan.trials();
  for (auto* column : {&out.sharpe, &out.ruined, &out.trades}) column->assign(trials, kNaN);
  for (std::size_t r = 0; r < table->trial.size(); ++r) {
    const std::uint64_t t = table->trial[r];
    if (t >= trials) continue;
    ++out.committed;
    if (table->status[r] != TrialStatus::Ok) {
      out.failed.push_back(t);
      continue;
    }
    out.ruined[t] = table->columns[1][r];
    out.trades[t] = table->columns[2][r];
    // Nothing of a shorter window is drawn beside what saw the whole.
    if (!sweeps::ranked_alike(view.plan, t)) continue;
    out.sharpe[t] = table->columns[0][r];
    if (std::isnan(out.sharpe[t])) ++out.not_measurable;
  }
  return out;
}

std::vector<double> part(const std::vector<double>& all, const sweeps::Segment& segment) {
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(segment.first_trial);
  return {first, first + static_cast<std::ptrdiff_t>(segment.trials)};
}

ParamTable param_table(const SweepView& view, const sweeps::Segment& segment) {
  ParamTable table;
  const auto& decls = view.plan.family(segment).params;
  const std::vector<double> all = view.plan.params(segment.first_trial, segment.trials);
  for (std::size_t p = 0; p < decls.size(); ++p) {
    if (view.plan.design(segment).axis(p).fixed()) continue;
    table.names.emplace_back(decls[p].name);
    table.units.emplace_back(decls[p].unit);
    std::vector<double> column(segment.trials);
    for (std::uint64_t t = 0; t < segment.trials; ++t) column[t] = all[t * decls.size() + p];
    table.columns.push_back(std::move(column));
  }
  return table;
}

// Starts of the results' days, if they are known.
std::vector<std::int64_t> calendar(const Sources& sources, const SweepView& view,
                                   const sweeps::Segment& segment, std::uint32_t periods) {
  const PeriodDays known = period_days(sources, view, segment, periods);
  if (!known.known) return {};
  std::vector<std::int64_t> starts;
  for (const std::int64_t day : known.days) starts.push_back(day * days(1).ns);
  return starts;
}

std::string params_of(const SweepView& view, std::uint64_t trial) {
  return sweeps::params_text(view.plan, view.plan.segment_of_trial(trial),
                             view.plan.params(trial, 1));
}

Status add_figures(const Sources& sources, const SweepView& view, const Columns& columns,
                   Family& family) {
  const sweeps::Segment& segment = view.plan.segments()[family.score.segment];
  const std::vector<double> sharpe = part(columns.sharpe, segment);
  family.sharpe = make_histogram(sharpe, family.score.noise.max_ann);
  auto panel = read_panel(sources, view, segment);
  if (!panel.ok()) return panel.error();
  const std::uint32_t periods = panel->periods;
  std::optional<std::uint64_t> centre;
  if (family.score.plateau) centre = family.score.plateau->trial;
  family.curves = make_curves(sources, std::move(*panel), family.score.best_trial, centre);
  family.curves.period_start_ns = calendar(sources, view, segment, periods);
  const ParamTable table = param_table(view, segment);
  family.influence = make_influence(table, sharpe);
  if (family.influence.size() < 2) return {};
  std::optional<std::size_t> place;
  if (centre) place = *centre - segment.first_trial;
  family.maps.push_back(
      make_heat_map(table, sharpe, family.influence[0].param, family.influence[1].param, place));
  return {};
}

// Holding the market stands beside the leaders, as far as a holder has such a figure: no trades, no
// costs, and nothing against itself.
void add_holding(const Sources& sources, const SweepView& view,
                 const std::vector<std::uint32_t>& shown, ReportInput& out) {
  constexpr std::array kNotOfAHolder = {"alpha_ann",     "beta",          "market_corr",
                                        "trades",        "win_rate_frac", "profit_factor",
                                        "exposure_frac", "turnover_ann"};
  for (std::size_t d = 0; d < view.plan.spec().data.size(); ++d) {
    const sweeps::DatasetInfo& info = view.plan.spec().data[d];
    const auto held = hold_dataset(sources, view, d);
    if (!held.ok()) continue;
    LeaderRow row{
        .family = "holding", .data = info.name, .params = "buy and hold, no costs", .metrics = {}};
    for (const std::uint32_t m : shown) {
      const std::string& name = view.meta.metric_names[m];
      const bool says =
          std::find(kNotOfAHolder.begin(), kNotOfAHolder.end(), name) == kNotOfAHolder.end();
      const int index = engine::find_metric(name);
      row.metrics.push_back(says && index >= 0 ? (*held)->metrics[static_cast<std::size_t>(index)]
                                               : kNaN);
    }
    out.holding.push_back(std::move(row));
  }
}

Status add_leaders(const Sources& sources, const SweepView& view, std::size_t limit,
                   ReportInput& out) {
  const auto ranking =
      sweeps::Ranking::make(view.plan, view.meta.metric_names, {.where = "", .limit = limit});
  if (!ranking.ok()) return ranking.error();
  const auto table = sources.store->read_metrics(view.meta.id, ranking->metrics_needed());
  if (!table.ok()) return table.error();
  sweeps::ResultColumns columns{table->trial, table->status, {}};
  for (const auto& column : table->columns) columns.metrics.emplace_back(column);
  std::vector<std::uint64_t> trials;
  for (const std::uint32_t r : ranking->rank(columns).rows) trials.push_back(table->trial[r]);
  const auto rows = read_trials(sources, view, trials, {.metrics = true});
  if (!rows.ok()) return rows.error();
  std::vector<std::uint32_t> shown;
  for (const char* name : kLeaderMetrics) {
    const auto index = sweeps::metric_index(name, view.meta.metric_names);
    if (!index.ok()) continue;  // of another version
    shown.push_back(*index);
    const int decl = engine::find_metric(name);
    const auto& d = engine::metric_decls()[static_cast<std::size_t>(std::max(decl, 0))];
    out.leader_metrics.push_back({name, std::string(d.unit), std::string(d.help)});
  }
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const sweeps::Segment& segment = view.plan.segment_of_trial(trials[i]);
    LeaderRow leader{trials[i],
                     view.family(segment),
                     view.dataset(segment).name,
                     params_of(view, trials[i]),
                     {}};
    for (const std::uint32_t m : shown) {
      leader.metrics.push_back((*rows)[i] ? (*rows)[i]->metrics[m] : kNaN);
    }
    out.leaders.push_back(std::move(leader));
  }
  add_holding(sources, view, shown, out);
  return {};
}

std::string seconds_words(double s) {
  if (s < 120) return fixed(s, 1) + " s";
  if (s < 7200) return fixed(s / 60, 1) + " min";
  return fixed(s / 3600, 1) + " h";
}

std::string search_words(const sweeps::ResolvedSpec& spec) {
  const sweeps::SamplerDecl& sampler = spec.method.decl();
  const std::string seed = sampler.seeded ? ", seed " + std::to_string(spec.seed) : "";
  return std::string(sampler.words) + seed;
}

void add_facts(const SweepView& view, const Columns& columns, ReportInput& out) {
  const auto& meta = view.meta;
  const auto& spec = view.plan.spec();
  out.facts.push_back({"Variants", grouped(columns.committed) + " of " + grouped(meta.trials),
                       "every one is kept, with its metrics and its daily returns"});
  if (meta.finished.ns > meta.created.ns) {
    const double wall_s = (meta.finished - meta.created).seconds();
    out.facts.push_back(
        {"Wall time", seconds_words(wall_s), "from the request to the last commit"});
    out.facts.push_back({"Rate",
                         fixed(static_cast<double>(meta.trials) / wall_s, 1) + " variants/s",
                         "variants over wall time, interruptions included"});
  }
  out.facts.push_back({"Asked for", (meta.user.empty() ? "" : "by " + meta.user + ", ") +
                                        format_timestamp(meta.created)});
  out.facts.push_back({"Window",
                       format_timestamp(spec.from).substr(0, 16) + " to " +
                           format_timestamp(spec.to).substr(0, 16) + " UTC",
                       spec.holdout.ns > 0 ? "the last " + format_duration(spec.holdout) +
                                                 " of the window are held out and were not read"
                                           : "end exclusive; nothing is held out"});
  out.facts.push_back({"Search", search_words(spec)});
  out.facts.push_back({"Seed", std::to_string(spec.seed), "chooses parameters, nothing else"});
  for (const auto& d : spec.data) {
    out.facts.push_back({"Data: " + d.name,
                         d.instrument + ", " + grouped(d.bars) + " bars of " +
                             format_duration(d.interval) + ", calendar " +
                             engine::calendar_name(d.periods_per_year) + " (" +
                             exact(d.periods_per_year) + " periods a year)",
                         "content hash " + d.content_hash});
  }
  for (std::size_t s = 0; s < spec.strategies.size(); ++s) {
    const engine::FamilyDecl* family = engine::find_family(spec.strategies[s].family);
    if (family == nullptr) continue;
    out.facts.push_back({"Strategy: " + spec.strategies[s].family,
                         "code version " + std::to_string(family->code_version)});
  }
  out.facts.push_back(
      {"Execution: " + spec.execution.name +
           (spec.execution_hash.empty() ? "" : " (" + spec.execution_hash + ")"),
       execution_words(spec.execution_by_data.empty() ? spec.execution
                                                      : spec.execution_by_data.front()),
       "signal at a bar's close, fill at the next bar's open"});
  out.facts.push_back({"Engine", "version " + std::to_string(meta.engine_version),
                       meta.engine_version == engine::kEngineVersion
                           ? "results are bit-identical on every machine of this version"
                           : old_engine_note(meta.engine_version)});
  out.facts.push_back({"Code", meta.code_version.empty() ? "not told" : meta.code_version,
                       "of the program that planned the sweep"});
  if (!spec.validation_json.empty())
    out.facts.push_back({"Validation", validation_words(spec.validation_json)});
}

Status add_failures(const Sources& sources, const SweepView& view, const Columns& columns,
                    ReportInput& out) {
  if (columns.failed.empty()) return {};
  constexpr std::size_t kShown = 3;
  const std::size_t shown = std::min(kShown, columns.failed.size());
  const auto rows = read_trials(sources, view, std::span(columns.failed).first(shown), {});
  if (!rows.ok()) return rows.error();
  std::string detail;
  for (std::size_t i = 0; i < shown; ++i) {
    if (!(*rows)[i]) continue;
    detail += (detail.empty() ? "" : "; ") + ("variant " + std::to_string(columns.failed[i])) +
              ": " + (*rows)[i]->error;
  }
  if (columns.failed.size() > shown) detail += "; and more";
  out.concerns.push_back({"Failed trials: " + grouped(columns.failed.size()), detail});
  return {};
}

void add_data_faults(const Sources& sources, const SweepView& view, ReportInput& out) {
  if (sources.datasets == nullptr) return;
  for (const auto& d : view.plan.spec().data) {
    const auto manifest = sources.datasets->manifest(d.content_hash);
    if (!manifest.ok()) {
      out.concerns.push_back(
          {"The dataset " + d.name + " is not here any more",
           "its faults and calendar could not be read: " + manifest.error().text()});
      continue;
    }
    if (manifest->faults.total() == 0) continue;
    std::string detail;
    for (std::size_t k = 0; k < store::kFaultKinds; ++k) {
      const auto kind = static_cast<store::FaultKind>(k);
      const auto count = manifest->faults[kind].count;
      if (count == 0) continue;
      detail += (detail.empty() ? "" : ", ") + grouped(count) + " " +
                std::string(store::fault_name(kind));
    }
    out.concerns.push_back({"The files of " + d.name + " had faults (" +
                                grouped(manifest->faults.total()) + " in " +
                                grouped(manifest->faults.rows_read) + " rows)",
                            detail});
  }
}

Status add_concerns(const Sources& sources, const SweepView& view, const Columns& columns,
                    ReportInput& out) {
  if (columns.committed < view.meta.trials) {
    out.concerns.push_back(
        {"Variants without a result yet: " + grouped(view.meta.trials - columns.committed),
         "the sweep is " + std::string(store::sweep_state_name(view.meta.state)) +
             "; a family that is not complete never counts as converged"});
  }
  WINNOW_TRY(add_failures(sources, view, columns, out));
  const auto ruined = std::count(columns.ruined.begin(), columns.ruined.end(), 1.0);
  if (ruined > 0) {
    out.concerns.push_back({"Ruined variants: " + grouped(static_cast<std::uint64_t>(ruined)),
                            "their equity was used up; they count in every statistic"});
  }
  const auto idle = std::count(columns.trades.begin(), columns.trades.end(), 0.0);
  if (idle > 0) {
    out.concerns.push_back(
        {"Variants that never traded: " + grouped(static_cast<std::uint64_t>(idle)),
         "constant returns carry no evidence: they are left out of the score"});
  }
  if (columns.not_measurable > 0) {
    out.concerns.push_back(
        {"Variants without a measurable Sharpe: " + grouped(columns.not_measurable),
         "they rank last"});
  }
  add_data_faults(sources, view, out);
  const auto alarms = sources.store->alarms();
  if (!alarms.ok()) return alarms.error();
  for (const store::Alarm& alarm : *alarms) {
    out.concerns.push_back({"Alarm at " + format_timestamp(alarm.time), alarm.text});
  }
  for (const std::string& warning : view.warnings) out.concerns.push_back({"Note", warning});
  return {};
}

// Which ledger counted what the verdicts are corrected for, and how large it was.
Status add_ledger(const Sources& sources, ReportInput& out) {
  const auto stamp = sources.store->ledger_stamp();
  if (!stamp.ok()) return stamp.error();
  out.facts.push_back({"Ledger",
                       "born " + format_timestamp(stamp->birth.born).substr(0, 16) + " UTC, " +
                           grouped(stamp->trials) + " trials, " + grouped(out.hypotheses) +
                           " hypotheses, head " + stamp->head.substr(0, kHeadShown),
                       "every trial on any data, backtests included, counted before it was seen; "
                       "the head is a hash over all entries"});
  return {};
}

std::string sizing_words(const engine::ExecutionModel& m) {
  using engine::Sizing;
  std::string out;
  switch (m.sizing) {
    case Sizing::AllIn:
      out = ", all cash in each position";
      break;
    case Sizing::FixedQty:
      out = ", fixed quantity " + exact(m.fixed_qty);
      break;
    case Sizing::Exposure:
      out = ", exposure " + exact(m.exposure_frac) + " of equity";
      break;
    case Sizing::VolatilityTarget:
      out = ", volatility target " + exact(m.volatility_target_ann_frac * 100) +
            " % a year, exposure at most " + exact(m.exposure_max_frac);
      break;
    case Sizing::Kelly:
      out = ", " + exact(m.kelly_frac) + " of the Kelly fraction of its own trades after " +
            exact(m.kelly_trades_min) + ", exposure at most " + exact(m.exposure_max_frac);
      break;
  }
  if (m.kelly_wealth_min_frac > 0) {
    out += ", wealth below " + exact(m.kelly_wealth_min_frac) + " of the start with at most " +
           exact(m.kelly_wealth_min_prob) + " probability";
  }
  if (m.rebalance) out += ", rebalanced when off by " + exact(m.rebalance_band_frac * 100) + " %";
  if (m.drawdown_scale_frac > 0) {
    out += ", nothing at a drawdown of " + exact(m.drawdown_scale_frac * 100) + " %";
  }
  if (m.performance_scale > 0) {
    out += ", scaled by the last trades (" + exact(m.performance_scale) + ")";
  }
  return out;
}

}  // namespace

std::string execution_words(const engine::ExecutionModel& m) {
  std::string out = "taker " + exact(m.taker_fee_bps) + " bps, maker " + exact(m.maker_fee_bps) +
                    " bps, half-spread " + exact(m.half_spread_bps) + " bps";
  if (m.half_spread_range_frac > 0) {
    out += " plus " + exact(m.half_spread_range_frac) + " of the bar's range";
  }
  if (m.impact_y > 0) {
    out += ", impact " + exact(m.impact_y) + " × the day's volatility × √(quantity / day's volume)";
  } else {
    out += m.impact_bps > 0 ? ", impact " + exact(m.impact_bps) + " bps × √(quantity / bar volume)"
                            : ", no market impact";
  }
  if (m.stop_range_frac > 0) {
    out += ", stops fill " + exact(m.stop_range_frac) + " of the bar's range beyond their level";
  }
  if (m.participation_max_frac > 0) {
    out += (m.work_exits ? ", fills at most " : ", entries at most ") +
           exact(m.participation_max_frac * 100) + " % of a bar's volume";
  }
  if (!m.shorts) out += ", no shorts";
  if (m.leverage_max > 0) out += ", leverage at most " + exact(m.leverage_max);
  out += m.funding ? ", funding paid" : ", no funding";
  out += sizing_words(m);
  out += ", initial cash " + grouped(static_cast<std::uint64_t>(m.initial_cash));
  return out + (m.rules.empty() ? ", no rounding" : ", tick, lot and minimum rules");
}

Result<ReportInput> assemble_report(const Sources& sources, const SweepView& view,
                                    const AssembleOptions& options) {
  ReportInput out;
  out.sweep_name = view.meta.name;
  out.sweep_id = view.meta.id;
  out.state = store::sweep_state_name(view.meta.state);
  out.generated = options.generated;
  out.hurdle_sharpe_ann = options.score.hurdle_sharpe_ann;
  out.knobs = knobs_text(knobs_json(view, options.score));
  const Json spec = parse_ordered_json(view.meta.spec_json);
  out.spec_json = spec.is_discarded() ? view.meta.spec_json : json_text(spec, 2);
  const auto columns = read_columns(sources, view);
  if (!columns.ok()) return columns.error();
  add_facts(view, *columns, out);
  ScoreOptions how = options.score;
  how.panels = Panels::Share;
  auto scoring = score_families(sources, view, how);
  if (!scoring.ok()) return scoring.error();
  out.hypotheses = scoring->hypotheses.sum();
  WINNOW_TRY(add_ledger(sources, out));
  WINNOW_TRY(add_risk(sources, view, *scoring, options.families_with_figures, out));
  const auto evidence = read_all_evidence(sources, view, scoring->families);
  if (!evidence.ok()) return evidence.error();
  const auto account = read_account(sources);
  if (!account.ok()) return account.error();
  for (std::size_t i = 0; i < scoring->families.size(); ++i) {
    FamilyScore& score = scoring->families[i];
    const sweeps::Segment& segment = view.plan.segments()[score.segment];
    Family family;
    family.name = view.family(segment);
    family.summary = view.plan.family(segment).summary;
    family.data = view.dataset(segment).name;
    if (score.best_trial) family.best_params = params_of(view, *score.best_trial);
    if (score.plateau) family.centre_params = params_of(view, score.plateau->trial);
    const auto luck = family_luck(sources, view, score);
    if (!luck.ok()) return luck.error();
    const auto trials = count_trials(sources, *account, view.dataset(segment).content_hash);
    if (!trials.ok()) return trials.error();
    family.profit = evidence_json((*evidence)[i], *luck, *trials, scoring->hypotheses,
                                  view.periods_per_year(segment));
    family.score = std::move(score);
    family.score.panel.reset();  // the figures turn a copy of their own into equity
    if (family.score.validation) {
      out.validation.push_back(validation_table(view, segment, *family.score.validation));
    }
    family.with_figures = out.families.size() < options.families_with_figures;
    if (family.with_figures) WINNOW_TRY(add_figures(sources, view, *columns, family));
    out.families.push_back(std::move(family));
  }
  WINNOW_TRY(add_leaders(sources, view, options.leaders, out));
  WINNOW_TRY(add_concerns(sources, view, *columns, out));
  for (const std::string& warning : scoring->warnings) out.concerns.push_back({"Note", warning});
  return out;
}

}  // namespace winnow::serve::report
