// Convergence as a document: stable keys, and back.
#include "serve/scoring.hpp"

namespace winnow::serve {
namespace {

// One list of the numeric parts for both directions.
template <class Score, class Visit>
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
  if (!skill.missing.empty()) {
    return {{"c_cash", Json()},
            {"c_ols", Json()},
            {"c_exposure", Json()},
            {"alpha_ann_frac", Json()},
            {"beta_mean", Json()},
            {"exposure_mean", Json()},
            {"market_text", skill.missing}};
  }
  return {{"c_cash", skill.c_cash},         {"c_ols", skill.c_ols},
          {"c_exposure", skill.c_exposure}, {"alpha_ann_frac", skill.alpha_ann_frac},
          {"beta_mean", skill.beta_mean},   {"exposure_mean", skill.exposure_mean},
          {"market_text", skill.text}};
}

Json gap_json(const GapScore& gaps) {
  return {{"c_gaps", gaps.c_gaps},
          {"gap_frac", gaps.frac},
          {"gap_rate_year", gaps.rate_year},
          {"gap_days_of_profit", number_json(gaps.days_of_profit)},
          {"gap_text", gaps.text}};
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
