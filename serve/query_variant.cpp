// Single variants: side by side, and why one is what it is.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/names.hpp"
#include "serve/holding.hpp"
#include "serve/ledger_account.hpp"
#include "serve/ledger_stamp.hpp"
#include "serve/luck.hpp"
#include "serve/query_parts.hpp"
#include "serve/regime_part.hpp"
#include "serve/validation.hpp"
#include "sweeps/best_of_many.hpp"
#include "sweeps/neighbourhood.hpp"
#include "sweeps/results.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/bootstrap.hpp"
#include "sweeps/stops.hpp"

namespace winnow::serve::parts {
namespace {

constexpr std::size_t kComparedMax = 50;
constexpr const char* kNoTrackRecord =
    "its daily returns do not vary or are too few: there is no track record to judge";
constexpr const char* kShorterWindow =
    "it did not see the whole window: its track record is of another time than the others'";

double correlation(std::span<const float> a, std::span<const float> b) {
  const std::size_t n = std::min(a.size(), b.size());
  double ma = 0;
  double mb = 0;
  for (std::size_t i = 0; i < n; ++i) {
    ma += a[i];
    mb += b[i];
  }
  ma /= static_cast<double>(n);
  mb /= static_cast<double>(n);
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < n; ++i) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) * (a[i] - ma);
    bb += (b[i] - mb) * (b[i] - mb);
  }
  return ab / std::sqrt(aa * bb);
}

Result<std::vector<std::uint64_t>> variants_arg(const SweepView& view, const Json& args) {
  const auto found = args.find("variants");
  if (found == args.end() || !found->is_array() || found->size() < 2 ||
      found->size() > kComparedMax) {
    return Error(ErrorCode::InvalidInput, "variants must be a list of 2 to " +
                                              std::to_string(kComparedMax) + " trial numbers");
  }
  std::vector<std::uint64_t> trials;
  for (const Json& v : *found) {
    const Json one{{"variants", v}};
    const auto trial = count_arg(one, "variants", 0);
    if (!trial.ok()) return trial.error();
    const auto known = view.check_trial(*trial);
    if (!known.ok()) return known.error();
    trials.push_back(*trial);
  }
  return trials;
}

// Daily returns of each pair; null where the variants trade different datasets.
Json correlations_json(const SweepView& view, std::span<const std::uint64_t> trials,
                       const std::vector<std::optional<TrialRow>>& rows) {
  Json matrix = Json::array();
  for (std::size_t i = 0; i < trials.size(); ++i) {
    Json line = Json::array();
    for (std::size_t j = 0; j < trials.size(); ++j) {
      const bool same = view.plan.segment_of_trial(trials[i]).dataset ==
                        view.plan.segment_of_trial(trials[j]).dataset;
      if (!same || !rows[i] || !rows[j]) {
        line.push_back(Json());
        continue;
      }
      const double rho = correlation(rows[i]->returns, rows[j]->returns);
      line.push_back(std::isfinite(rho) ? Json(rho) : Json());
    }
    matrix.push_back(std::move(line));
  }
  return matrix;
}

// Which variants have no correlation with some other, and why; empty: all have.
std::string no_correlation(const SweepView& view, std::span<const std::uint64_t> trials,
                           const std::vector<std::optional<TrialRow>>& rows) {
  std::string out;
  const auto say = [&](const std::string& sentence) {
    out += (out.empty() ? "" : "; ") + sentence;
  };
  bool several = false;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const std::string name = "variant " + std::to_string(trials[i]);
    several = several || view.plan.segment_of_trial(trials[i]).dataset !=
                             view.plan.segment_of_trial(trials[0]).dataset;
    if (!rows[i] || rows[i]->status != TrialStatus::Ok) {
      say(name + " has no result");
    } else if (!std::isfinite(correlation(rows[i]->returns, rows[i]->returns))) {
      say(name + " has daily returns that do not vary");
    } else if (rows[0] && rows[i]->returns.size() != rows[0]->returns.size()) {
      say(name + " has other days than variant " + std::to_string(trials[0]));
    }
  }
  if (several) say("some trade different datasets");
  return out;
}

struct Standing {
  std::uint64_t rank = 0;  // from 1, by Sharpe, in the family on the dataset
  std::uint64_t of = 0;
  double neighbours_mean = std::nan("");
  std::uint64_t neighbours = 0;
};

Result<Standing> standing_of(const Sources& sources, const SweepView& view, std::uint64_t trial) {
  const auto metric = sweeps::metric_index("sharpe_ann", view.meta.metric_names);
  if (!metric.ok()) return metric.error();
  const std::uint32_t index = *metric;
  const auto table = sources.store->read_metrics(view.meta.id, {&index, 1});
  if (!table.ok()) return table.error();
  const sweeps::Segment& segment = view.plan.segment_of_trial(trial);
  std::vector<double> sharpe(segment.trials, std::nan(""));
  for (std::size_t r = 0; r < table->trial.size(); ++r) {
    const std::uint64_t t = table->trial[r] - segment.first_trial;
    if (table->trial[r] < segment.first_trial || t >= segment.trials) continue;
    // Ranked, counted and averaged with those that saw the whole window only.
    if (sweeps::ranked_alike(view.plan, table->trial[r])) sharpe[t] = table->columns[0][r];
  }
  Standing out;
  const double own = sharpe[trial - segment.first_trial];
  for (const double v : sharpe) {
    if (!std::isfinite(v)) continue;
    ++out.of;
    if (v > own) ++out.rank;
  }
  ++out.rank;
  const auto near = sweeps::Neighbourhoods::make(view.plan, segment);
  if (!near.ok()) return out;  // beyond its limits: no neighbours are told
  double sum = 0;
  for (const std::uint64_t n : near->around(trial)) {
    const double v = sharpe[n - segment.first_trial];
    if (n == trial || !std::isfinite(v)) continue;
    sum += v;
    ++out.neighbours;
  }
  if (out.neighbours > 0) out.neighbours_mean = sum / static_cast<double>(out.neighbours);
  return out;
}

// How much of a variant's track record is luck, by the ledger; null without one.
Result<Json> luck_json(const Sources& sources, const SweepView& view, std::uint64_t trial,
                       const TrialRow& row) {
  const sweeps::Segment& segment = view.plan.segment_of_trial(trial);
  const auto columns = record_columns(view);
  if (!columns) return Json();
  const auto record = track_record_of(view, trial, moments_of(*columns, row.metrics));
  if (!record) return Json();
  const auto variance = stored_ratio_variance(sources, view, segment);
  if (!variance.ok()) return variance.error();
  const auto account = read_account(sources);
  if (!account.ok()) return account.error();
  const auto trials = count_trials(sources, *account, view.dataset(segment).content_hash);
  if (!trials.ok()) return trials.error();
  return deflation_json(*record, *trials, *variance, view.periods_per_year(segment));
}

// Why it has none.
const char* no_luck(const SweepView& view, std::uint64_t trial) {
  return sweeps::ranked_alike(view.plan, trial) ? kNoTrackRecord : kShorterWindow;
}

// Sentences: what became of the trial and how it stands.
std::vector<std::string> why(const SweepView& view, const std::optional<TrialRow>& row,
                             std::uint64_t block) {
  std::vector<std::string> out;
  if (!row) {
    out.push_back("no result is committed: block " + std::to_string(block) +
                  " of the plan has not been run yet (the sweep is " +
                  std::string(store::sweep_state_name(view.meta.state)) + ")");
    return out;
  }
  if (has_failed(row->status)) {
    out.push_back("the trial failed: " + row->error);
    return out;
  }
  const auto value = [&](std::string_view name) {
    const auto at = sweeps::metric_index(name, view.meta.metric_names);
    return at.ok() ? row->metrics[*at] : std::nan("");
  };
  if (value("ruined") == 1) out.push_back("the variant used up its equity (ruined = 1)");
  if (value("trades") == 0) {
    out.push_back("it never traded: no entry condition was met, or every entry was refused (" +
                  show_number(value("rejected_orders")) + " rejected orders)");
  }
  if (std::isnan(value("vol_ann"))) {
    out.push_back("its annual figures are not measurable: shorter than " +
                  show_number(engine::kAnnualDaysMin) + " days");
  } else if (std::isnan(value("sharpe_ann"))) {
    out.push_back("its Sharpe is not measurable: daily returns do not vary");
  }
  return out;
}

// How a variant did on the test days of the sweep's protocol, and which folds picked it.
Result<Json> validation_of(const Sources& sources, const SweepView& view, std::uint64_t trial) {
  const sweeps::Segment& segment = view.plan.segment_of_trial(trial);
  const auto family = validate_family(sources, view, segment);
  if (!family.ok()) return family.error();
  auto own = VariantOos::make(sources, view);
  if (!own.ok()) return own.error();
  const auto rows = own->of({&trial, 1});
  if (!rows.ok()) return rows.error();
  Json out{{"protocol_text", sweeps::protocol_words((*family)->protocol)}};
  std::size_t at = 0;
  for (const auto& n : sweeps::variant_oos_numbers()) {
    const double v = rows->front()[at++];
    out[n.name] = std::isfinite(v) ? Json(v) : Json();
  }
  out["test_days"] = sweeps::size_of((*family)->plan.tested);
  out["picked_by_folds"] = Json::array();
  out["folds"] = 0;
  if ((*family)->result) {
    const auto& folds = (*family)->result->folds;
    out["folds"] = folds.size();
    for (std::size_t k = 0; k < folds.size(); ++k) {
      if (folds[k].picked && folds[k].pick == trial) out["picked_by_folds"].push_back(k + 1);
    }
  }
  out["reason"] = (*family)->reason.empty() ? Json() : Json((*family)->reason);
  return out;
}

/// What a gap would cost the variant that was not seen; nothing where its largest position is not
/// known.
void add_gap(const SweepView& view, std::uint64_t trial, Json& out,
             std::vector<std::string>& sentences) {
  const Json& metrics = out["metrics"];
  const auto most = metrics.find("exposure_max_frac");
  if (most == metrics.end() || !most->is_number()) return;
  const sweeps::Segment& segment = view.plan.segment_of_trial(trial);
  const sweeps::level::Gap gap = view.dataset(segment).gap_or_unrecorded();
  const double loss = sweeps::level::gap_loss(
      gap, {.notional_max = *most, .stop_frac = sweeps::stop_frac_of(view.plan, segment, trial)});
  out["gap_frac"] = gap.frac;
  out["gap_rate_year"] = gap.rate_year();
  out["gap_loss_frac"] = loss;
  sentences.push_back(
      "a gap of " + show_number(gap.frac) + " of the price, which no order stops, would cost it " +
      show_number(std::round(loss * 1e4) / 1e4) + " of its equity; its family is charged " +
      show_number(std::round(gap.rate_year() * 100) / 100) + " of them a year" +
      (gap.record.empty() ? ", for there is no record" : " (" + gap.record + ")"));
}

/// Where the ledger knows its trial from, if that is elsewhere.
Status add_first_result(const Sources& sources, const SweepView& view, std::uint64_t trial,
                        std::uint64_t block, Json& out, std::vector<std::string>& sentences) {
  const LedgerKey counted = view.plan.ledger_key(block, view.plan.params(trial, 1));
  const auto places = sources.store->find({&counted, 1});
  if (!places.ok()) return places.error();
  const auto& place = places->front();
  if (!place) return {};
  out["first_result"] = {{"sweep_id", place->sweep_id}, {"trial", place->trial}};
  if (place->sweep_id == view.meta.id && place->trial == trial) return {};
  sentences.push_back("the same trial was first run as variant " + std::to_string(place->trial) +
                      " of sweep " + place->sweep_id + "; the ledger counts it once");
  return {};
}

Status add_standing(const Sources& sources, const SweepView& view, std::uint64_t trial,
                    std::uint64_t block, Json& out, std::vector<std::string>& sentences) {
  const auto standing = standing_of(sources, view, trial);
  if (!standing.ok()) return standing.error();
  if (view.plan.whole_window(block)) {
    out["rank_in_family_by_sharpe_ann"] = standing->rank;
    out["ranked_in_family"] = standing->of;
  } else {
    sentences.push_back("it saw the data until " + format_timestamp(view.plan.window_to(block)) +
                        " only; none but variants that saw the whole window are ranked");
  }
  out["neighbours"] = standing->neighbours;
  out["neighbours_sharpe_ann_mean"] =
      std::isfinite(standing->neighbours_mean) ? Json(standing->neighbours_mean) : Json();
  return {};
}

Status add_curve(const Sources& sources, const SweepView& view, std::uint64_t trial, Json& out) {
  const auto curve = points_of(sources, view, trial, 1);
  if (!curve.ok()) return curve.error();
  out["point_columns"] = Json::array({"trial", "step", "until"});
  for (const std::string& name : view.plan.spec().points.metrics) {
    out["point_columns"].push_back(name);
  }
  out["points"] = *curve;
  return {};
}

/// What only a result can tell.
Status add_result(const Sources& sources, const SweepView& view, std::uint64_t trial,
                  std::uint64_t block, const TrialRow& row, Json& out,
                  std::vector<std::string>& sentences) {
  WINNOW_TRY(add_standing(sources, view, trial, block, out, sentences));
  out["metrics"] = metrics_json(view, row.metrics);
  if (auto missing = missing_numbers_reason(out["metrics"]); !missing.empty()) {
    sentences.push_back(std::move(missing));
  }
  add_gap(view, trial, out, sentences);
  std::string no_regimes;
  out["regimes"] = regimes_json(sources, view, trial, row.returns, no_regimes);
  if (!no_regimes.empty()) sentences.push_back(std::move(no_regimes));
  auto luck = luck_json(sources, view, trial, row);
  if (!luck.ok()) return luck.error();
  out["luck"] = std::move(*luck);
  if (out["luck"].is_null()) sentences.push_back(no_luck(view, trial));
  if (!view.plan.spec().validation_json.empty()) {
    auto validation = validation_of(sources, view, trial);
    if (!validation.ok()) return validation.error();
    out["validation"] = std::move(*validation);
  }
  if (out["neighbours"] == 0) sentences.push_back("no neighbour of it has a Sharpe ratio");
  return view.plan.spec().points.metrics.empty() ? Status() : add_curve(sources, view, trial, out);
}

Result<Json> explain_variant(const Sources& sources, const SweepView& view, std::uint64_t trial) {
  const auto rows =
      read_trials(sources, view, {&trial, 1}, {.keys = true, .metrics = true, .returns = true});
  if (!rows.ok()) return rows.error();
  const auto& row = rows->front();
  const std::uint64_t block = sweeps::block_of_trial(view.plan, trial);
  const sweeps::Segment& segment = view.plan.segment_of_trial(trial);
  const TrialKey key = view.plan.trial_key(block, view.plan.params(trial, 1));
  Json out = sweep_head(view);
  out.update(variant_json(view, trial));
  out["dataset_hash"] = view.dataset(segment).content_hash;
  out["block"] = block;
  out["trial_key"] = (row ? row->key : key).hex();
  out["engine_version"] = view.meta.engine_version;
  out["periods_per_year"] = view.periods_per_year(segment);
  out["calendar"] = engine::calendar_name(view.periods_per_year(segment));
  out["committed"] = row.has_value();
  if (row) out["status"] = status_name(row->status);
  if (row && !row->error.empty()) out["error"] = row->error;
  std::vector<std::string> sentences = why(view, row, block);
  WINNOW_TRY(add_first_result(sources, view, trial, block, out, sentences));
  if (row && row->status == TrialStatus::Ok) {
    WINNOW_TRY(add_result(sources, view, trial, block, *row, out, sentences));
  }
  out["why"] = sentences;
  auto ledger = ledger_json(sources);
  if (!ledger.ok()) return ledger.error();
  out["ledger"] = std::move(*ledger);
  return out;
}

/// What `converge` says of each family in words; of a sweep that still runs, nothing.
Status add_verdicts(const Sources& sources, const SweepView& view, Json& out) {
  if (view.meta.state != store::SweepState::Done) return {};
  const auto scored = converge(sources, Json{{"sweep", view.meta.id}});
  if (!scored.ok()) return scored.error();
  out["look_awaits_record"] = false;
  out["verdicts"] = Json::array();
  for (const Json& family : (*scored)["families"]) {
    Json row;
    for (const char* key : {"family", "data", "verdict", "sentence", "reasons", "would_change",
                            "judged_from", "judged_to", "judged_days", "seen_by_trials", "level"}) {
      row[key] = family[key];
    }
    out["verdicts"].push_back(std::move(row));
    if (family["look_awaits_record"] == true) out["look_awaits_record"] = true;
  }
  return {};
}

Result<Json> explain_sweep(const Sources& sources, const SweepView& view, const Json& args) {
  auto out = sweep_show(sources, args);
  if (!out.ok()) return out;
  WINNOW_TRY(add_verdicts(sources, view, *out));
  auto ledger = ledger_json(sources);
  if (!ledger.ok()) return ledger.error();
  (*out)["ledger"] = std::move(*ledger);
  if (view.plan.spec().validation_json.empty()) return out;
  for (const sweeps::Segment& segment : view.plan.segments()) {
    const auto family = validate_family(sources, view, segment);
    if (!family.ok()) return family.error();
    (*out)["segments"][segment.index]["validation"] = validation_json(view, segment, family->get());
  }
  return out;
}

// Why variants cannot be held against one another; empty: they can.
std::string no_contest(const SweepView& view, std::span<const std::uint64_t> trials,
                       const std::vector<std::optional<TrialRow>>& rows) {
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const std::string name = "variant " + std::to_string(trials[i]);
    if (view.plan.segment_of_trial(trials[i]).dataset !=
        view.plan.segment_of_trial(trials[0]).dataset) {
      return "the variants trade different datasets";
    }
    if (!rows[i] || rows[i]->status != TrialStatus::Ok) return name + " has no result";
    if (rows[i]->returns.size() != rows[0]->returns.size()) {
      return name + " has other days than variant " + std::to_string(trials[0]);
    }
    if (rows[i]->returns.size() < sweeps::kBestOfManyPeriodsMin) {
      return std::to_string(rows[i]->returns.size()) + " days; a test needs at least " +
             std::to_string(sweeps::kBestOfManyPeriodsMin);
    }
    if (!sweeps::track_record_of({rows[i]->returns.begin(), rows[i]->returns.end()})) {
      return name + " has daily returns that do not vary";
    }
  }
  return "";
}

// The variants that were named against cash and one another. Their choice is not corrected for:
// that is what the deflated ratios beside them are for.
void add_contest(const SweepView& view, std::span<const std::uint64_t> trials,
                 const std::vector<std::optional<TrialRow>>& rows, Json& out) {
  out["contest"] = {{"p_spa_beats_cash", Json()}, {"reason", Json()}};
  for (Json& variant : out["variants"]) {
    variant["p_beats_cash"] = Json();
    variant["p_in_best_set"] = Json();
  }
  if (const std::string reason = no_contest(view, trials, rows); !reason.empty()) {
    out["contest"]["reason"] = reason;
    for (Json& variant : out["variants"]) {
      if (!variant.contains("reason")) variant["reason"] = "not tested: " + reason;
    }
    return;
  }
  constexpr std::size_t kResamples = 1000;
  std::vector<std::vector<double>> returns;
  double block = 1;
  for (const auto& row : rows) {
    returns.emplace_back(row->returns.begin(), row->returns.end());
    block = std::max(block, sweeps::stats::optimal_block_length(returns.back()).stationary);
  }
  const std::size_t days = returns.front().size();
  block = sweeps::stats::usable_block(block, days);
  sweeps::stats::IndexRows resamples;
  for (std::size_t b = 0; b < kResamples; ++b) {
    resamples.push_back(sweeps::stats::stationary_indices(days, block, 1, b));
  }
  const sweeps::Contest found = sweeps::contest(returns, resamples, block);
  out["contest"]["p_spa_beats_cash"] = found.p_spa;
  out["contest"]["mean_block_days"] = block;
  out["contest"]["resamples"] = kResamples;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    out["variants"][i]["p_beats_cash"] = found.p_beats_cash[i];
    out["variants"][i]["p_in_best_set"] = found.p_in_best_set[i];
  }
}

}  // namespace

Result<Json> compare(const Sources& sources, const Json& args) {
  const auto selector = sweep_arg(args);
  if (!selector.ok()) return selector.error();
  const auto view = SweepView::open(sources, *selector);
  if (!view.ok()) return view.error();
  const auto trials = variants_arg(*view, args);
  if (!trials.ok()) return trials.error();
  const auto rows = read_trials(sources, *view, *trials, {.metrics = true, .returns = true});
  if (!rows.ok()) return rows.error();
  Json out = sweep_head(*view);
  out["variants"] = Json::array();
  for (std::size_t i = 0; i < trials->size(); ++i) {
    Json variant = variant_json(*view, (*trials)[i]);
    const auto& row = (*rows)[i];
    variant["committed"] = row.has_value();
    if (row) {
      variant["status"] = status_name(row->status);
      if (!row->error.empty()) variant["error"] = row->error;
      variant["metrics"] = metrics_json(*view, row->metrics);
      if (row->status == TrialStatus::Ok) {
        if (auto why = missing_numbers_reason(variant["metrics"]); !why.empty()) {
          variant["reason"] = why;
        }
      }
    }
    if (!row) variant["reason"] = "the variant has not been run yet";
    if (row && row->status == TrialStatus::Ok) {
      auto luck = luck_json(sources, *view, (*trials)[i], *row);
      if (!luck.ok()) return luck.error();
      variant["luck"] = std::move(*luck);
      if (variant["luck"].is_null()) variant["reason"] = no_luck(*view, (*trials)[i]);
    }
    out["variants"].push_back(std::move(variant));
  }
  std::set<std::size_t> datasets;
  for (const std::uint64_t trial : *trials) {
    datasets.insert(view->plan.segment_of_trial(trial).dataset);
  }
  out["holding"] = Json::array();
  for (const std::size_t d : datasets)
    out["holding"].push_back(to_json(holding_of(sources, *view, d)));
  add_contest(*view, *trials, *rows, out);
  out["daily_return_correlation"] = correlations_json(*view, *trials, *rows);
  const std::string missing = no_correlation(*view, *trials, *rows);
  if (!missing.empty()) out["daily_return_correlation_reason"] = missing;
  return out;
}

Result<Json> explain(const Sources& sources, const Json& args) {
  const auto selector = sweep_arg(args);
  if (!selector.ok()) return selector.error();
  const auto view = SweepView::open(sources, *selector);
  if (!view.ok()) return view.error();
  if (!args.contains("variant") || args["variant"].is_null()) {
    return explain_sweep(sources, *view, args);
  }
  const auto trial = count_arg(args, "variant", 0);
  if (!trial.ok()) return trial.error();
  const auto known = view->check_trial(*trial);
  if (!known.ok()) return known.error();
  return explain_variant(sources, *view, *known);
}

}  // namespace winnow::serve::parts
