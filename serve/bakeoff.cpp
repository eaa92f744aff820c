#include "serve/bakeoff.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>

#include "base/names.hpp"
#include "engine/liquidity.hpp"
#include "serve/holding.hpp"
#include "serve/judged_panel.hpp"
#include "serve/query_parts.hpp"
#include "serve/rerun.hpp"
#include "serve/scoring.hpp"
#include "sweeps/bakeoff.hpp"
#include "sweeps/results.hpp"
#include "sweeps/stats/basic.hpp"

namespace winnow::serve {
namespace {

/// One family of one sweep, as it stands in a comparison.
struct Place {
  const SweepView* view = nullptr;
  FamilyScore score;
  std::string name;
};

Error unfair(const SweepView& a, const SweepView& b, const std::string& what) {
  return Error(ErrorCode::InvalidInput, "sweeps " + a.meta.id + " (" + a.meta.name + ") and " +
                                            b.meta.id + " (" + b.meta.name +
                                            ") cannot be compared: " + what);
}

std::map<std::string, std::size_t> datasets_by_hash(const SweepView& view) {
  std::map<std::string, std::size_t> out;
  for (std::size_t d = 0; d < view.plan.spec().data.size(); ++d) {
    out[view.plan.spec().data[d].content_hash] = d;
  }
  return out;
}

std::string window_text(const SweepView& view) {
  return format_timestamp(view.plan.spec().from) + " to " + format_timestamp(view.plan.spec().to);
}

/// The same bars, days and costs, or a refusal that says what differs.
Status check_fair(const SweepView& a, const SweepView& b) {
  const auto in_a = datasets_by_hash(a);
  const auto in_b = datasets_by_hash(b);
  const auto missing = [](const SweepView& view, const auto& own, const auto& other) {
    for (const auto& [hash, index] : own) {
      if (other.contains(hash)) continue;
      return view.plan.spec().data[index].name + " (content " + hash + ")";
    }
    return std::string();
  };
  if (const auto name = missing(a, in_a, in_b); !name.empty()) {
    return unfair(a, b, "only the first has the data " + name);
  }
  if (const auto name = missing(b, in_b, in_a); !name.empty()) {
    return unfair(a, b, "only the second has the data " + name);
  }
  if (a.plan.spec().from != b.plan.spec().from || a.plan.spec().to != b.plan.spec().to) {
    return unfair(a, b, "their windows differ: " + window_text(a) + " against " + window_text(b));
  }
  if (a.meta.engine_version != b.meta.engine_version) {
    return unfair(a, b, "they were run by different engine versions");
  }
  for (const auto& [hash, index] : in_a) {
    const auto& x = a.plan.spec().execution_by_data[index];
    const auto& y = b.plan.spec().execution_by_data[in_b.at(hash)];
    if (x.key() != y.key()) {
      return unfair(a, b, "their execution models differ (" + x.name + " against " + y.name + ")");
    }
  }
  return {};
}

Status check_families(const std::vector<SweepView>& views,
                      const std::vector<std::string>& families) {
  std::vector<std::string> known;
  for (const SweepView& view : views) {
    for (const auto& strategy : view.plan.spec().strategies) known.push_back(strategy.family);
  }
  for (const std::string& family : families) {
    if (std::find(known.begin(), known.end(), family) != known.end()) continue;
    return Error(ErrorCode::InvalidInput, "families: no sweep here has the family " +
                                              show_text(family) + did_you_mean(family, known) +
                                              "; there are: " + join_names(known));
  }
  return {};
}

Json series_json(const sweeps::SeriesFigures& s) {
  return {{"days", s.returns.size()},
          {"sharpe_ann", number_json(s.sharpe_ann)},
          {"sharpe_ann_low", number_json(s.sharpe_interval.low)},
          {"sharpe_ann_high", number_json(s.sharpe_interval.high)},
          {"cagr_frac", number_json(s.cagr_frac)},
          {"drawdown_max_frac", number_json(s.drawdown_frac)},
          {"mar", number_json(s.mar)}};
}

Json no_capacity(const std::string& why) {
  return {{"notional", Json()},
          {"limited_by", Json()},
          {"notional_participation", Json()},
          {"notional_half_edge", Json()},
          {"notional_optimum", Json()},
          {"notional_breakeven", Json()},
          {"why", why}};
}

// See sweeps::impact_capacity; targets are resting orders and pay no impact. A position is no
// larger either than the part of a bar's volume that the execution model lets an entry take: what
// impact alone would allow may be most of the market.
Json capacity_json(const Sources& sources, const Place& place, std::uint64_t trial,
                   std::span<const float> stored) {
  const SweepView& view = *place.view;
  const auto& execution = view.plan.execution(view.plan.segment_of_trial(trial));
  if (!(execution.impact_bps > 0) && !(execution.impact_y > 0)) {
    return no_capacity("the execution model has no market impact, so size costs nothing");
  }
  const auto rerun = rerun_variant(sources, view, trial, stored);
  if (!rerun.ok()) return no_capacity(rerun.error().text());
  const MarketView& market = rerun->dataset.view();
  const auto liquidity = engine::find_liquidity(market, {0, market.size()}, execution);
  double impact = 0;
  double entered = 0;
  std::size_t entries = 0;
  std::vector<double> shares;
  for (const engine::Fill& fill : rerun->run.fills) {
    const double qty = std::fabs(fill.qty);
    const double volume = market.volume[fill.bar];
    if (fill.kind == engine::lanes::FillKind::Entry) {
      entered += qty * fill.px;
      ++entries;
      if (volume > 0) shares.push_back(qty / volume);
    }
    if (fill.kind == engine::lanes::FillKind::Target || !(volume > 0)) continue;
    impact += qty * fill.px * liquidity.impact_scale[fill.bar] * std::sqrt(qty);
  }
  double pnl = 0;
  for (const engine::Trade& trade : rerun->run.backtest.trades) pnl += trade.pnl;
  if (entries == 0 || !(impact > 0)) return no_capacity("the plateau centre made no trades");
  const double size = entered / static_cast<double>(entries);
  const auto k = sweeps::impact_capacity(pnl + impact, impact);
  Json out{{"notional_half_edge", number_json(k.half_edge * size)},
           {"notional_optimum", number_json(k.optimum * size)},
           {"notional_breakeven", number_json(k.breakeven * size)},
           {"notional_run", number_json(size)},
           {"pnl_before_impact", number_json(pnl + impact)},
           {"impact_paid", number_json(impact)}};
  const double share = shares.empty() ? std::nan("") : sweeps::stats::median(shares);
  out["participation_half_edge_frac"] = number_json(share * k.half_edge);
  const double cap = execution.participation_max_frac;
  const bool capped = cap > 0 && share > 0;
  const double most = capped ? size * cap / share : k.half_edge * size;
  out["notional_participation"] = capped ? number_json(most) : Json();
  out["notional"] = number_json(std::min(most, k.half_edge * size));
  out["limited_by"] = most < k.half_edge * size ? "participation" : "impact";
  if (k.half_edge == 0) out["why"] = "there is no edge before impact";
  return out;
}

struct Turnover {
  std::vector<double> by_trial;  // NaN where there is none
};
Result<Turnover> read_turnover(const Sources& sources, const SweepView& view) {
  const auto index = sweeps::metric_index("turnover_ann", view.meta.metric_names);
  if (!index.ok()) return index.error();
  const std::uint32_t metric = *index;
  const auto table = sources.store->read_metrics(view.meta.id, {&metric, 1});
  if (!table.ok()) return table.error();
  Turnover out;
  out.by_trial.assign(view.plan.trials(), std::nan(""));
  for (std::size_t r = 0; r < table->trial.size(); ++r) {
    if (table->trial[r] < out.by_trial.size()) {
      out.by_trial[table->trial[r]] = table->columns[0][r];
    }
  }
  return out;
}

Result<Json> entrant_json(const Sources& sources, const Place& place,
                          const sweeps::EntrantFigures& e, std::span<const float> centre) {
  const SweepView& view = *place.view;
  const auto& segment = view.plan.segments()[place.score.segment];
  const auto turnover = read_turnover(sources, view);
  if (!turnover.ok()) return turnover.error();
  std::vector<double> all(
      turnover->by_trial.begin() + static_cast<long>(segment.first_trial),
      turnover->by_trial.begin() + static_cast<long>(segment.first_trial + segment.trials));
  std::erase_if(all, [](double v) { return !std::isfinite(v); });
  Json out{{"name", e.name},
           {"sweep_id", view.meta.id},
           {"family", view.family(segment)},
           {"trials", segment.trials},
           {"trials_committed", place.score.committed},
           {"variants", e.variants}};
  out["portfolio"] = series_json(e.portfolio);
  out["walk_forward"] = series_json(e.walk_forward);
  out["walk_forward"]["windows"] = e.windows;
  out["walk_forward"]["efficiency"] = number_json(e.efficiency);
  out["walk_forward"]["windows_positive_frac"] = number_json(e.windows_positive_frac);
  out["turnover_ann_median"] = all.empty() ? Json() : number_json(sweeps::stats::median(all));
  out["crowding_mean"] = number_json(e.crowding_mean);
  out["crowding_max"] = number_json(e.crowding_max);
  out["p_beats_cash"] = number_json(e.p_beats_cash);
  out["p_in_best_set"] = number_json(e.p_in_best_set);
  out["plateau_centre"] = Json();
  out["capacity"] = no_capacity("there is no plateau centre");
  if (!place.score.plateau) return out;
  const std::uint64_t trial = place.score.plateau->trial;
  out["plateau_centre"] = series_json(e.centre);
  out["plateau_centre"]["trial"] = trial;
  out["plateau_centre"]["params_text"] =
      sweeps::params_text(view.plan, segment, view.plan.params(trial, 1));
  out["plateau_centre"]["turnover_ann"] = number_json(turnover->by_trial[trial]);
  out["capacity"] = capacity_json(sources, place, trial, centre);
  return out;
}

Json pairs_json(const sweeps::Bakeoff& b, const std::vector<sweeps::PairFigures>& pairs) {
  Json out = Json::array();
  for (const sweeps::PairFigures& pair : pairs) {
    out.push_back({{"first", b.entrants[pair.first].name},
                   {"second", b.entrants[pair.second].name},
                   {"sharpe_ann_difference", number_json(pair.difference_sharpe_ann)},
                   {"low", number_json(pair.interval.low)},
                   {"high", number_json(pair.interval.high)},
                   {"p", number_json(pair.p)},
                   {"p_holm", number_json(pair.p_holm)}});
  }
  return out;
}

Json correlation_json(const sweeps::Bakeoff& b) {
  Json out = Json::array();
  for (const auto& row : b.correlation) {
    Json line = Json::array();
    for (const double v : row) line.push_back(number_json(v));
    out.push_back(std::move(line));
  }
  return out;
}

/// Period returns of the places of one dataset; memory is theirs together.
struct Field {
  std::vector<std::shared_ptr<const FamilyPanel>> panels;
  std::vector<std::vector<std::uint32_t>> rows;  ///< of each panel, those that count
  std::vector<std::vector<float>> centres;
  std::uint32_t periods = 0;
  std::vector<std::string> notes;
};

Result<Field> read_field(const Sources& sources, const std::vector<Place>& places) {
  Field out;
  std::uint64_t bytes = 0;
  for (const Place& place : places) {
    const auto& segment = place.view->plan.segments()[place.score.segment];
    bytes += segment.trials * segment.periods * sizeof(float);
  }
  if (bytes > kPanelBytesMax) {
    return Error(ErrorCode::Refused, std::to_string(bytes >> 20) +
                                         " MiB of period returns; at most " +
                                         std::to_string(kPanelBytesMax >> 20) +
                                         " MiB are compared at once; name fewer "
                                         "families");
  }
  for (const Place& place : places) {
    const auto& segment = place.view->plan.segments()[place.score.segment];
    std::shared_ptr<const FamilyPanel> panel = place.score.panel;
    if (!panel) {
      auto read = read_panel(sources, *place.view, segment);
      if (!read.ok()) return read.error();
      panel = std::make_shared<const FamilyPanel>(std::move(*read));
    }
    if (panel->periods != 0 && out.periods != 0 && panel->periods != out.periods) {
      return Error(ErrorCode::InvalidInput,
                   place.name + " has " + std::to_string(panel->periods) + " days, others have " +
                       std::to_string(out.periods) + ": they cannot be compared");
    }
    out.periods = std::max(out.periods, panel->periods);
    if (place.score.committed < place.score.trials) {
      out.notes.push_back(place.name +
                          " is not complete: " + std::to_string(place.score.committed) + " of " +
                          std::to_string(place.score.trials) + " variants have results");
    }
    const sweeps::Judged judged = sweeps::judged_variants(place.view->plan, segment);
    if (!judged.note.empty()) out.notes.push_back(place.name + ": " + judged.note);
    // The calendar is everybody's, so days that chose the variants stay, with the note above.
    out.rows.push_back(judged_rows(*place.view, segment, judged, *panel));
    std::vector<float> centre;
    if (place.score.plateau) {
      const auto at =
          std::lower_bound(panel->trial.begin(), panel->trial.end(), place.score.plateau->trial);
      if (at != panel->trial.end() && *at == place.score.plateau->trial) {
        const auto row = static_cast<std::size_t>(at - panel->trial.begin());
        const float* begin = panel->returns.data() + row * panel->periods;
        centre.assign(begin, begin + panel->periods);
      }
    }
    out.centres.push_back(std::move(centre));
    out.panels.push_back(std::move(panel));
  }
  return out;
}

Result<Json> compare_places(const Sources& sources, const std::vector<Place>& places,
                            const BakeoffRequest& request) {
  const auto field = read_field(sources, places);
  if (!field.ok()) return field.error();
  auto options = sweeps::bakeoff_windows(field->periods);
  options.seed = request.seed;
  // One dataset and one window: check_fair.
  const sweeps::Plan& plan = places.front().view->plan;
  const sweeps::Segment& first = plan.segments()[places.front().score.segment];
  options.periods_per_year = plan.periods_per_year(first);
  options.years = plan.years(first);
  if (request.train_days) options.train = *request.train_days;
  if (request.test_days) options.test = *request.test_days;
  std::vector<sweeps::Entrant> entrants;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const FamilyPanel& panel = *field->panels[i];
    sweeps::Entrant one{.name = places[i].name, .panel = {}, .centre = {}};
    one.panel = sweeps::PanelView::of(panel.returns, panel.periods == 0 ? 0 : panel.trial.size(),
                                      field->periods);
    if (panel.periods != 0) one.panel = one.panel.subset(field->rows[i]);
    one.centre.assign(field->centres[i].begin(), field->centres[i].end());
    entrants.push_back(std::move(one));
  }
  const sweeps::Bakeoff b = sweeps::bake_off(entrants, options, sources.parallel);
  const auto& data = places.front().view->dataset(
      places.front().view->plan.segments()[places.front().score.segment]);
  Json out{{"data", data.name},
           {"dataset_hash", data.content_hash},
           {"verdict", sweeps::bakeoff_verdict_name(b.verdict)},
           {"reasons", b.reasons}};
  out["periods_per_year"] = options.periods_per_year;
  out["calendar"] = engine::calendar_name(options.periods_per_year);
  out["winner"] = Json();
  if (b.verdict == sweeps::BakeoffVerdict::Better) out["winner"] = b.entrants[b.winner].name;
  out["tested"] = b.tested_walk_forward ? "walk_forward" : "portfolio";
  out["days"] = b.periods;
  out["train_days"] = options.train;
  out["test_days"] = options.test;
  out["mean_block_days"] = b.mean_block;
  out["p_spa_beats_cash"] = number_json(b.p_spa);
  if (!field->notes.empty()) out["notes"] = field->notes;
  out["holding"] = to_json(holding_of(sources, *places.front().view, first.dataset));
  out["entrants"] = Json::array();
  for (std::size_t i = 0; i < places.size(); ++i) {
    auto entrant = entrant_json(sources, places[i], b.entrants[i], field->centres[i]);
    if (!entrant.ok()) return entrant.error();
    out["entrants"].push_back(std::move(*entrant));
  }
  out["walk_forward_pairs"] = pairs_json(b, b.walk_forward_pairs);
  out["portfolio_pairs"] = pairs_json(b, b.portfolio_pairs);
  out["portfolio_correlation"] = correlation_json(b);
  return out;
}

/// A sweep with its families scored. The first has everything that the others share.
struct Scored {
  const SweepView* view = nullptr;
  const Scoring* scoring = nullptr;
};

Result<Json> bake_off(const Sources& sources, const std::vector<Scored>& scored,
                      const BakeoffRequest& request) {
  std::vector<std::string> order;  // of datasets, as the first sweep names them
  std::map<std::string, std::vector<Place>> by_data;
  for (const Scored& sweep : scored) {
    const SweepView& view = *sweep.view;
    for (const FamilyScore& score : sweep.scoring->families) {
      const auto& segment = view.plan.segments()[score.segment];
      const std::string& family = view.family(segment);
      const auto& wanted = request.families;
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), family) == wanted.end()) {
        continue;
      }
      const std::string& hash = view.dataset(segment).content_hash;
      if (!by_data.contains(hash)) order.push_back(hash);
      const std::string name = scored.size() == 1 ? family : family + "@" + view.meta.id;
      by_data[hash].push_back({&view, score, name});
    }
  }
  Json out = Json::array();
  for (const std::string& hash : order) {
    if (by_data[hash].size() > sweeps::kBakeoffEntrantsMax) {
      return Error(ErrorCode::InvalidInput, "at most " +
                                                std::to_string(sweeps::kBakeoffEntrantsMax) +
                                                " families are compared at once");
    }
    auto one = compare_places(sources, by_data[hash], request);
    if (!one.ok()) return one.error();
    out.push_back(std::move(*one));
  }
  return out;
}

}  // namespace

Result<Json> bake_off_scored(const Sources& sources, const SweepView& view, const Scoring& scoring,
                             const BakeoffRequest& request) {
  return bake_off(sources, {{&view, &scoring}}, request);
}

Result<Json> bake_off_sweeps(const Sources& sources, const std::vector<SweepView>& views,
                             const BakeoffRequest& request) {
  std::set<std::string> ids;
  for (const SweepView& view : views) {
    WINNOW_TRY(check_fair(views.front(), view));
    if (!ids.insert(view.meta.id).second) {
      return Error(ErrorCode::InvalidInput, "sweep " + view.meta.id + " is named twice");
    }
  }
  WINNOW_TRY(check_families(views, request.families));
  std::vector<Scoring> scorings;
  for (const SweepView& view : views) {
    auto scoring = score_families(sources, view, {.panels = Panels::Share});
    if (!scoring.ok()) return scoring.error();
    scorings.push_back(std::move(*scoring));
  }
  std::vector<Scored> scored;
  for (std::size_t i = 0; i < views.size(); ++i) scored.push_back({&views[i], &scorings[i]});
  return bake_off(sources, scored, request);
}

}  // namespace winnow::serve
