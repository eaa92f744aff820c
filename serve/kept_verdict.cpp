#include "serve/kept_verdict.hpp"

#include "base/text.hpp"
#include "sweeps/stops.hpp"

namespace winnow::serve {
namespace {

constexpr const char* kScoreDocument = "convergence";
// Grows with every change of what a verdict means: kept ones are then scored again.
constexpr int kScoreRules = 6;

/// Everything that a kept verdict depends on beside the trials themselves.
Json options_json(const SweepView& view, const sweeps::Segment& segment,
                  const ScoreOptions& options, const FamilyScore& family,
                  const std::optional<Look>& look) {
  Json judged;
  if (family.opened) {
    const sweeps::level::Claim& claim = family.opened->claim;
    judged = {claim.id, sweeps::level::days_text(claim.judged)};
    if (!claim.seen_later.empty()) judged.push_back(sweeps::level::days_text(claim.seen_later));
  }
  const sweeps::level::Gap segment_gap = view.dataset(segment).gap_or_unrecorded();
  return {{"rules", kScoreRules},
          {"engine_version", view.meta.engine_version},
          {"hurdle_sharpe_ann", options.hurdle_sharpe_ann},
          {"gap_years", segment_gap.years},
          {"gap_frac", segment_gap.frac},
          {"gap_seen", segment_gap.seen},
          {"declared", view.plan.spec().convergence_json},
          {"judged", std::move(judged)},
          {"look", look ? Json(look->number) : Json()},
          {"look_periods", look ? Json(look->periods) : Json()}};
}

}  // namespace

std::string verdict_key(const SweepView& view, std::uint32_t segment) {
  return view.meta.id + "/" + std::to_string(segment);
}

Result<bool> read_verdict(const Sources& sources, const SweepView& view,
                          const sweeps::Segment& segment, const ScoreOptions& options,
                          FamilyScore& out) {
  const auto text = sources.store->document(kScoreDocument, verdict_key(view, segment.index));
  if (!text.ok() || !*text || out.committed != out.trials) return false;
  const Json json = parse_ordered_json(**text);
  if (json.is_discarded() || !json.is_object()) return false;
  if (!json.value("panel_periods", Json()).is_number_unsigned()) return false;
  // A search that was extended since has other variants. Verdicts of old have no such number.
  if (json.value("trials", segment.trials) != segment.trials) return false;
  const auto look = take_look(sources, view, segment, json["panel_periods"], FamilyState::Complete);
  if (!look.ok()) return look.error();
  if (json.value("options", Json()) != options_json(view, segment, options, out, *look))
    return false;
  auto score = convergence_from_json(json.value("score", Json()));
  auto skill = skill_from_json(json.value("skill", Json()));
  auto gaps = gaps_from_json(json.value("gaps", Json()));
  if (!score || !skill || !gaps) return false;
  out.score = std::move(*score);
  out.skill = std::move(*skill);
  out.tile = tile_from_json(json.value("tile", Json()));
  out.gaps = std::move(*gaps);
  out.look = *look;
  out.cached = true;
  return true;
}

void keep_verdict(const Sources& sources, const SweepView& view, const FamilyScore& family,
                  const ScoreOptions& options, std::uint64_t panel_periods) {
  // What is not known today may be tomorrow: a dataset comes back.
  if (family.committed != family.trials || !family.skill.missing.empty()) return;
  const Json json{{"options", options_json(view, view.plan.segments()[family.segment], options,
                                           family, family.look)},
                  {"panel_periods", panel_periods},
                  {"trials", family.trials},
                  {"score", convergence_json(family.score)},
                  {"skill", skill_json(family.skill)},
                  {"gaps", gap_json(family.gaps)},
                  {"tile", tile_json(family.tile)}};
  keep(sources, {kScoreDocument, verdict_key(view, family.segment), json_text(json)});
}

}  // namespace winnow::serve
