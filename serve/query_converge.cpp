// Convergence of a sweep's families and of the neighbourhoods inside them.
#include <cmath>

#include "base/names.hpp"
#include "serve/knobs.hpp"
#include "serve/ledger_account.hpp"
#include "serve/ledger_stamp.hpp"
#include "serve/opening.hpp"
#include "serve/query_parts.hpp"
#include "serve/scoring.hpp"
#include "serve/validation.hpp"
#include "sweeps/results.hpp"

namespace winnow::serve::parts {
namespace {

constexpr std::uint64_t kNeighbourhoodsDefault = 20;

Json named_variant(const SweepView& view, std::uint64_t trial) {
  const auto& segment = view.plan.segment_of_trial(trial);
  return {{"trial", trial},
          {"params", params_json(view, trial)},
          {"params_text", sweeps::params_text(view.plan, segment, view.plan.params(trial, 1))}};
}

/// What is said of every family, also of one that is judged in words: no number of its days.
Json family_words(const SweepView& view, const FamilyScore& family) {
  const sweeps::Segment& segment = view.plan.segments()[family.segment];
  Json out;
  out["family"] = view.family(segment);
  out["data"] = view.dataset(segment).name;
  out["dataset_hash"] = view.dataset(segment).content_hash;
  out["trials"] = family.trials;
  out["trials_committed"] = family.committed;
  out["verdict"] = family.word;
  out["sentence"] = family.sentence;
  out["would_change"] = family.would_change;
  const bool judged = family.judged_days > 0;
  out["judged_from"] = judged ? Json(format_day(family.judged_from)) : Json();
  out["judged_to"] = judged ? Json(format_day(family.judged_to)) : Json();
  out["judged_days"] = family.judged_days;
  out["seen_by_trials"] = family.ledger_trials;
  out["level"] = family.opened ? Json(family.opened->in_account.level) : Json();
  out["opened"] = opened_json(family);
  out["look_awaits_record"] = family.look_recordable;
  return out;
}

bool words_only(const FamilyScore& family) {
  return family.opened && !family.opened->numbers_shown();
}

Json family_json(const SweepView& view, const FamilyScore& family) {
  const sweeps::Segment& segment = view.plan.segments()[family.segment];
  Json out = family_words(view, family);
  out["numbers"] = words_only(family) ? "hidden" : "shown";
  if (words_only(family)) {
    // The kind of a refusal, never how far off it was.
    out["reasons"] = Json::array();
    return out;
  }
  out["trials_failed"] = family.failed;
  out.update(convergence_json(family.score));
  out["verdict"] = family.word;
  out["c_skill"] = family.score.c;
  out["tile"] = tile_json(family.tile);
  out.update(skill_json(family.skill));
  out["beta"] = out["beta_mean"];
  out.update(gap_json(family.gaps));
  out["look"] = family.look ? look_json(*family.look) : Json();
  if (family.validation) {
    out["validation"] = validation_json(view, segment, family.validation.get());
  }
  out["p"] = family.p;
  out["p_holm"] = family.p_holm;
  out["p_bh"] = family.p_bh;
  out["ledger_trials"] = family.ledger_trials;
  out["noise_sharpe_ann_sd"] = family.noise.sd_ann;
  out["noise_sharpe_ann_max_expected"] = family.noise.max_ann;
  out["sharpe_ann_median"] = number_json(family.median_sharpe_ann);
  out["best"] = Json();
  if (family.best_trial) {
    out["best"] = named_variant(view, *family.best_trial);
    out["best"]["sharpe_ann"] = number_json(family.best_sharpe_ann);
  }
  out["plateau_centre"] = Json();
  if (family.plateau) {
    out["plateau_centre"] = named_variant(view, family.plateau->trial);
    out["plateau_centre"]["neighbourhood_sharpe_ann_mean"] = family.plateau->mean_sharpe_ann;
    out["plateau_centre"]["neighbourhood_members"] = family.plateau->members;
  }
  return out;
}

void add_hypotheses(const HypothesisCount& count, Json& out) {
  out["hypotheses"] = count.sum();
  out["hypotheses_families"] = count.families;
  out["hypotheses_neighbourhoods"] = count.neighbourhoods;
}

Result<Json> by_family(const Sources& sources, const SweepView& view, const ScoreOptions& options) {
  const auto scoring = score_families(sources, view, options);
  if (!scoring.ok()) return scoring.error();
  Json out = sweep_head(view);
  out["by"] = "family";
  out["hurdle_sharpe_ann"] = options.hurdle_sharpe_ann;
  add_hypotheses(scoring->hypotheses, out);
  if (!scoring->warnings.empty()) out["notes"] = scoring->warnings;
  const auto ledger = ledger_json(sources, scoring->hypotheses.sum());
  if (!ledger.ok()) return ledger.error();
  out["ledger"] = *ledger;
  out["families"] = Json::array();
  // How it is judged, and in which ledger, is said of every verdict, also of one in words.
  const auto head_of = [&](const FamilyScore& family) {
    Json row = family_json(view, family);
    row["knobs"] = knobs_json(view, options);
    row["ledger"] = *ledger;
    return row;
  };
  if (view.openings && view.openings->words_only()) {
    for (const FamilyScore& family : scoring->families) out["families"].push_back(head_of(family));
    return out;
  }
  const auto evidence = read_all_evidence(sources, view, scoring->families);
  if (!evidence.ok()) return evidence.error();
  const auto account = read_account(sources);
  if (!account.ok()) return account.error();
  for (std::size_t i = 0; i < scoring->families.size(); ++i) {
    const FamilyScore& family = scoring->families[i];
    const auto& dataset = view.dataset(view.plan.segments()[family.segment]);
    const auto luck = family_luck(sources, view, family);
    if (!luck.ok()) return luck.error();
    const auto trials = count_trials(sources, *account, dataset.content_hash);
    if (!trials.ok()) return trials.error();
    Json row = head_of(family);
    row["ledger_trials_effective"] = trials->effective;
    row["ledger_trials_effective_basis"] = trials->basis();
    row["correlation_awaits_record"] = awaits_record(view, family, *account);
    row["profit"] = evidence_json((*evidence)[i], *luck, *trials, scoring->hypotheses,
                                  dataset.periods_per_year);
    row["periods_per_year"] = dataset.periods_per_year;
    row["calendar"] = engine::calendar_name(dataset.periods_per_year);
    out["families"].push_back(std::move(row));
  }
  return out;
}

Result<Json> by_neighbourhood(const Sources& sources, const SweepView& view,
                              const ScoreOptions& options, std::uint64_t limit) {
  const auto scoring = score_neighbourhoods(sources, view, options);
  if (!scoring.ok()) return scoring.error();
  Json out = sweep_head(view);
  out["by"] = "neighbourhood";
  out["hurdle_sharpe_ann"] = options.hurdle_sharpe_ann;
  add_hypotheses(scoring->hypotheses, out);
  out["neighbourhoods_scored"] = scoring->tiles.size();
  auto ledger = ledger_json(sources, scoring->hypotheses.sum());
  if (!ledger.ok()) return ledger.error();
  out["ledger"] = std::move(*ledger);
  if (!scoring->warnings.empty()) out["notes"] = scoring->warnings;
  out["neighbourhoods"] = Json::array();
  for (const NeighbourhoodScore& tile : scoring->tiles) {
    if (out["neighbourhoods"].size() >= limit) break;
    const sweeps::Segment& segment = view.plan.segments()[tile.segment];
    Json row;
    row["family"] = view.family(segment);
    row["data"] = view.dataset(segment).name;
    row["centre"] = named_variant(view, tile.centre);
    row["members"] = tile.members;
    row["sharpe_ann_mean"] = tile.mean_sharpe_ann;
    row.update(convergence_json(tile.score));
    row["verdict"] = exploring_word(tile.score);
    row.update(skill_json(tile.skill));
    row.update(gap_json(tile.gaps));
    row["knobs"] = knobs_json(view, options);
    row["p"] = tile.score.p_value();
    row["p_holm"] = tile.p_holm;
    row["p_bh"] = tile.p_bh;
    out["neighbourhoods"].push_back(std::move(row));
  }
  return out;
}

}  // namespace

Result<Json> converge(const Sources& sources, const Json& args) {
  const auto selector = sweep_arg(args);
  if (!selector.ok()) return selector.error();
  const auto by = text_arg(args, "by", "family");
  if (!by.ok()) return by.error();
  const auto limit = count_arg(args, "limit", kNeighbourhoodsDefault);
  if (!limit.ok()) return limit.error();
  const auto hurdle = number_arg(args, "hurdle_sharpe_ann", 0);
  if (!hurdle.ok()) return hurdle.error();
  WINNOW_TRY(check_hurdle(*hurdle));
  if (*by != "family" && *by != "neighbourhood") {
    const std::vector<std::string> allowed = {"family", "neighbourhood"};
    return Error(ErrorCode::InvalidInput, "convergence is not scored by " + show_text(*by) +
                                              did_you_mean(*by, allowed) +
                                              "; allowed: family, neighbourhood");
  }
  const auto view =
      SweepView::open(sources, *selector, *by == "family" ? Answers::Words : Answers::Numbers);
  if (!view.ok()) return view.error();
  if (view->openings && *hurdle != 0) {
    return Error(ErrorCode::InvalidInput,
                 "hurdle " + show_number(*hurdle) + ": sweep " + view->meta.id +
                     " opened its hypotheses, and what they have to beat was fixed then (0 a year, "
                     "after costs)");
  }
  const ScoreOptions options{.hurdle_sharpe_ann = *hurdle, .panels = Panels::Share};
  return *by == "family" ? by_family(sources, *view, options)
                         : by_neighbourhood(sources, *view, options, *limit);
}

}  // namespace winnow::serve::parts
