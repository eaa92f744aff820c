#include "sweeps/stats/sizing.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/bayes.hpp"
#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {
namespace {

using namespace stats;

Json binary_case(const Case& c) {
  const auto p = c.numbers("p");
  const auto b = c.numbers("b");
  Json out = Json::array();
  for (std::size_t i = 0; i < p.size(); ++i) {
    const BinaryKelly k = kelly_binary(p[i], b.at(i));
    out.push_back({{"f", k.fraction}, {"growth", k.growth}, {"half_growth", k.growth_half}});
  }
  return {{"results", out}};
}

/// Keys like k0.5_x0.7: share of Kelly and level.
Json ever_below_json(const Case& c) {
  Json out = Json::object();
  const auto asked = c.expected().find("prob_ever_below_x");
  if (asked == c.expected().end() || !asked->is_object()) return out;
  for (const auto& [key, value] : asked->items()) {
    char* end = nullptr;
    const double share = std::strtod(key.c_str() + 1, &end);
    if (key[0] != 'k' || end == nullptr || std::string_view(end).substr(0, 2) != "_x") continue;
    out[key] = probability_ever_below(share, std::strtod(end + 2, nullptr));
  }
  return out;
}

Json normal_case(const Case& c) {
  const NormalKelly k = kelly_normal(c.number("m"), c.number("s"), c.number_or("r", 0));
  return {{"f", k.fraction},
          {"growth", k.growth},
          {"growth_half", k.growth_half},
          {"sharpe", k.sharpe},
          {"prob_ever_below_x", ever_below_json(c)}};
}

Json scenario_case(const Case& c) {
  const auto outcomes = c.numbers("outcomes");
  const auto probabilities = c.numbers("probs");
  if (outcomes.empty() || outcomes.size() != probabilities.size()) {
    throw CaseFault{"inputs.probs: one an outcome is needed"};
  }
  const Scenarios s{outcomes, probabilities};
  const double f = kelly_scenarios(s);
  Json out{{"f", f}, {"growth", log_growth(s, f)}};
  if (!c.has({"alpha", "beta"})) return out;
  const auto k = kelly_risk_constrained(s, c.number("alpha"), c.number("beta"));
  out.update({{"lambda_", k.lambda},
              {"f_kelly", k.kelly},
              {"f_rck", k.fraction},
              {"growth_rck", k.growth},
              {"constraint", k.constraint},
              {"f_qrck", k.quadratic},
              {"bound_prob_wmin_below_alpha", c.number("beta")}});
  return out;
}

Json multi_case(const Case& c) {
  const auto mu = c.numbers("mu");
  const auto covariance = c.rows("cov");
  if (covariance.size() != mu.size() || covariance.front().size() != mu.size()) {
    throw CaseFault{"inputs.cov is not square of the size of mu"};
  }
  const MultiKelly k = kelly_multi(mu, covariance);
  return {{"w", k.weights}, {"growth", k.growth}, {"sharpe", k.sharpe}};
}

Json volatility_case(const Case& c) {
  const auto r = c.series("csv");
  VolatilityTarget o{.target_ann = c.number("target_annual"),
                     .decay = c.number("ewma_lambda"),
                     .cap = c.number_or("cap", 1e300),
                     .periods_per_year = c.number_or("periods", 365)};
  const auto w = volatility_target_weights(r, o);
  std::vector<double> managed;
  for (std::size_t i = 0; i < r.size(); ++i) managed.push_back(w[i] * r[i]);
  const std::size_t shown = std::min<std::size_t>(5, w.size());
  return {
      {"w_first", std::vector<double>(w.begin(), w.begin() + static_cast<std::ptrdiff_t>(shown))},
      {"w_last", std::vector<double>(w.end() - static_cast<std::ptrdiff_t>(shown), w.end())},
      {"realised_vol", std::sqrt(o.periods_per_year) * stdev(managed)},
      {"mean_w", mean(w)}};
}

// --- Bayes
// -----------------------------------------------------------------------------------------

Json conjugate_case(const Case& c) {
  const auto x = c.series("returns_csv");
  const NormalInverseGamma prior{c.number("m0"), c.number("kappa0"), c.number("alpha0"),
                                 c.number("beta0")};
  const NormalInverseGamma p = prior.updated(x);
  const double root = std::sqrt(c.number_or("periods", 365));
  Json above = Json::object();
  const auto asked = c.expected().find("p_sharpe_annual_gt");
  if (asked != c.expected().end() && asked->is_object()) {
    for (const auto& [key, value] : asked->items()) {
      above[key] = p.p_sharpe_above(std::strtod(key.c_str(), nullptr) / root);
    }
  }
  const auto next = p.predictive();
  return {{"m_n", p.m},
          {"kappa_n", p.kappa},
          {"alpha_n", p.alpha},
          {"beta_n", p.beta},
          {"mu_ci95", {p.mean_quantile(0.025), p.mean_quantile(0.975)}},
          {"p_mu_gt_0", p.p_mean_above(0)},
          {"sharpe_post_mean", p.sharpe_mean()},
          {"sharpe_post_sd", p.sharpe_sd()},
          {"sharpe_post_mean_annual", p.sharpe_mean() * root},
          {"p_sharpe_annual_gt", above},
          {"sigma2_post_mean", p.variance_mean()},
          {"log_marginal_likelihood", prior.log_evidence(x)},
          {"predictive_next", {{"df", next.dof}, {"loc", next.location}, {"scale", next.scale}}},
          {"p_next_gt_0", p.p_next_above(0)}};
}

Json student_case(const Case& c) {
  const auto x = c.series("returns_csv");
  const StudentPosterior p = student_posterior(x);
  Json out{{"p_mu_gt_0", p.p_mu_above_0},
           {"mu_mean", p.mu_mean},
           {"mu_sd", p.mu_sd},
           {"sigma_scale_mean", p.scale_mean},
           {"nu_mean", p.nu_mean}};
  const auto check = c.expected().find("loglik_check");
  if (check != c.expected().end() && check->contains("mu") && check->contains("sigma") &&
      check->contains("nu")) {
    const double mu = to_number((*check)["mu"]);
    const double sigma = to_number((*check)["sigma"]);
    const double nu = to_number((*check)["nu"]);
    out["loglik_check"] = {{"mu", mu},
                           {"sigma", sigma},
                           {"nu", nu},
                           {"loglik", student_log_likelihood(x, mu, sigma, nu)}};
  }
  return out;
}

Json random_effects_case(const Case& c) {
  const auto y = c.numbers("estimates");
  const auto se = c.numbers("se");
  if (y.size() != se.size() || y.size() < 2)
    throw CaseFault{"inputs.se: one an estimate is needed"};
  const RandomEffects r = random_effects(y, se);
  return {{"fixed_mean", r.fixed_mean},
          {"cochran_Q", r.q},
          {"p_Q", r.p_q},
          {"I2", r.i2},
          {"tau2_DL", r.tau2},
          {"random_mean", r.mean},
          {"random_se", r.se},
          {"p_family_gt_0", r.p_mean_above_0},
          {"predictive_sd", r.predictive_sd},
          {"p_new_variant_gt_0", r.p_new_above_0},
          {"p_new_variant_gt_0_t_kminus2", r.p_new_above_0_student},
          {"shrunk", r.shrunk},
          {"james_stein_positive_part", r.james_stein}};
}

Json drawdown_case(const Case& c) {
  const double sigma = c.number("sigma");
  Json out = Json::object();
  for (double mu : c.numbers("mu")) {
    std::vector<double> expected;
    for (double horizon : c.numbers("horizon")) {
      expected.push_back(expected_max_drawdown(mu, sigma, horizon));
    }
    out[mu < 0 ? "neg" : (mu > 0 ? "pos" : "zero")] = expected;
  }
  return out;
}

}  // namespace

void add_sizing_kinds(std::vector<Kind>& kinds) {
  kinds.push_back({"binary Kelly", [](const Case& c) { return c.has({"p", "b"}); }, binary_case});
  kinds.push_back({"normal Kelly", [](const Case& c) { return c.has({"m", "s"}); }, normal_case});
  kinds.push_back({"scenario Kelly",
                   [](const Case& c) {
                     return c.has({"outcomes", "probs"});
                   },
                   scenario_case});
  kinds.push_back({"multivariate Kelly",
                   [](const Case& c) {
                     return c.has({"mu", "cov"});
                   },
                   multi_case});
  kinds.push_back({"volatility target",
                   [](const Case& c) {
                     return c.has({"csv", "target_annual", "ewma_lambda"});
                   },
                   volatility_case});
  kinds.push_back({"normal-inverse-gamma posterior",
                   [](const Case& c) {
                     return c.has({"returns_csv", "kappa0", "alpha0"});
                   },
                   conjugate_case});
  kinds.push_back({"Student-t posterior",
                   [](const Case& c) { return c.has({"returns_csv"}) && c.wants({"nu_mean"}); },
                   student_case});
  kinds.push_back({"random effects",
                   [](const Case& c) {
                     return c.has({"estimates", "se"});
                   },
                   random_effects_case});
  kinds.push_back({"expected maximum drawdown",
                   [](const Case& c) {
                     return c.has({"mu", "sigma", "horizon"});
                   },
                   drawdown_case});
}

}  // namespace winnow::sweeps::verify
