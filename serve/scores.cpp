// Convergence as a document: stable keys, and back.
#include "serve/scores.hpp"

#include <concepts>
#include <type_traits>

namespace winnow::serve {
namespace {

// One list of the parts for both directions: const or not.
template <class Whole, class Part>
concept Is = std::same_as<std::remove_const_t<Whole>, Part>;

template <Is<SkillScore> Skill, class Visit>
void each_part(Skill& s, const Visit& visit) {
  visit("c_cash", s.c_cash);
  visit("c_ols", s.c_ols);
  visit("c_exposure", s.c_exposure);
  visit("alpha_ann_frac", s.alpha_ann_frac);
  visit("beta_mean", s.beta_mean);
  visit("exposure_mean", s.exposure_mean);
}

template <Is<GapScore> Gaps, class Visit>
void each_part(Gaps& g, const Visit& visit) {
  visit("c_gaps", g.c_gaps);
  visit("gap_frac", g.frac);
  visit("gap_rate_year", g.rate_year);
}

template <Is<ZoomedTile> Tile, class Visit>
void each_part(Tile& t, const Visit& visit) {
  visit("text", t.text);
  visit("variants", t.variants);
  visit("tiles_tried", t.tiles);
  visit("flips", t.flips);
  visit("p_ols", t.p_ols);
  visit("p_exposure", t.p_exposure);
}

/// Nothing for a document of another version: it is scored again.
template <class Whole, class Read>
std::optional<Whole> parsed(const Json& json, const Read& read) {
  if (!json.is_object()) return std::nullopt;
  Whole out;
  try {
    read(json, out);
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  return out;
}

template <Is<sweeps::Convergence> Score, class Visit>
void each_part(Score& s, const Visit& visit) {
  visit("c", s.c);
  visit("c_required", s.c_required);
  visit("evidence", s.evidence);
  visit("coverage", s.coverage);
  visit("block_sign_frac", s.block_sign_frac);
  visit("variant_sign_frac", s.variant_sign_frac);
  visit("mu_sharpe_ann", s.mu_sharpe_ann);
  visit("se", s.se);
  visit("tau", s.tau);
  visit("ms_block", s.ms_block);
  visit("ms_variant", s.ms_variant);
  visit("ms_residual", s.ms_residual);
  visit("icc", s.icc);
  visit("tau2_raw", s.tau2_raw);
  visit("tau2_jackknife_se", s.tau2_jackknife_se);
  visit("heterogeneous", s.heterogeneous);
  visit("futility", s.futility);
  visit("mean_correlation", s.mean_correlation);
  visit("recent_mean", s.recent_mean);
  visit("recent_t", s.recent_t);
  visit("recent_ok", s.recent_ok);
  visit("stress_sd", s.stress_sd);
  visit("c_stress", s.c_stress);
  visit("stress_in_sample", s.stress_in_sample);
  visit("c_gaps", s.c_gaps);
  visit("periods", s.periods);
  visit("blocks", s.blocks);
  visit("block_periods", s.block_periods);
  visit("variants", s.variants);
  visit("zero_variance", s.zero_variance);
  visit("not_finite", s.not_finite);
  visit("distinct", s.distinct);
  visit("unchecked_pairs", s.unchecked_pairs);
  visit("crowded_frac", s.crowded_frac);
  visit("coverage_frac", s.coverage_frac);
  visit("block_means", s.block_means);
  visit("scored", s.scored);
  visit("reasons", s.reasons);
}

}  // namespace

Json convergence_json(const sweeps::Convergence& score) {
  Json out;
  out["verdict"] = sweeps::verdict_name(score.verdict);
  each_part(score, [&](const char* name, const auto& value) { out[name] = value; });
  out["dedupe"] = score.dedupe == sweeps::DedupeMode::Exact ? "exact" : "hashed";
  return out;
}

Json skill_json(const SkillScore& skill) {
  const bool known = skill.missing.empty();
  Json out;
  each_part(skill,
            [&](const char* name, double value) { out[name] = known ? Json(value) : Json(); });
  out["market_text"] = known ? skill.text : skill.missing;
  return out;
}

std::optional<SkillScore> skill_from_json(const Json& json) {
  return parsed<SkillScore>(json, [](const Json& from, SkillScore& skill) {
    each_part(skill, [&](const char* name, double& value) { from.at(name).get_to(value); });
    from.at("market_text").get_to(skill.text);
  });
}

Json gap_json(const GapScore& gaps) {
  Json out;
  each_part(gaps, [&](const char* name, double value) { out[name] = value; });
  out["gap_days_of_profit"] = number_json(gaps.days_of_profit);
  out["gap_text"] = gaps.text;
  return out;
}

std::optional<GapScore> gaps_from_json(const Json& json) {
  return parsed<GapScore>(json, [](const Json& from, GapScore& gaps) {
    each_part(gaps, [&](const char* name, double& value) { from.at(name).get_to(value); });
    if (const Json& days = from.at("gap_days_of_profit"); !days.is_null()) {
      days.get_to(gaps.days_of_profit);
    }
    from.at("gap_text").get_to(gaps.text);
  });
}

Json tile_json(const std::optional<ZoomedTile>& tile) {
  if (!tile) return {};
  Json out;
  each_part(*tile, [&](const char* name, const auto& value) { out[name] = value; });
  return out;
}

std::optional<ZoomedTile> tile_from_json(const Json& json) {
  return parsed<ZoomedTile>(json, [](const Json& from, ZoomedTile& tile) {
    each_part(tile, [&](const char* name, auto& value) { from.at(name).get_to(value); });
  });
}

std::optional<sweeps::Convergence> convergence_from_json(const Json& json) {
  using sweeps::Verdict;
  sweeps::Convergence score;
  if (!json.is_object()) return std::nullopt;
  try {
    const std::string verdict = json.at("verdict");
    bool known = false;
    for (const Verdict v : {Verdict::Converged, Verdict::NotConverged, Verdict::Insufficient}) {
      if (verdict != sweeps::verdict_name(v)) continue;
      score.verdict = v;
      known = true;
    }
    if (!known) return std::nullopt;
    each_part(score, [&](const char* name, auto& value) { json.at(name).get_to(value); });
    score.dedupe =
        json.at("dedupe") == "exact" ? sweeps::DedupeMode::Exact : sweeps::DedupeMode::Hashed;
  } catch (const Json::exception&) {
    return std::nullopt;  // of another version: it is scored again
  }
  return score;
}

}  // namespace winnow::serve
