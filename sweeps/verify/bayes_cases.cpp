#include "sweeps/stats/bayes.hpp"

#include <cmath>

#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {
namespace {

using namespace stats;

Json conjugate_case(const Case& c) {
  const auto x = c.series("returns_csv");
  const NormalInverseGamma prior{c.number("m0"), c.positive("kappa0"), c.positive("alpha0"),
                                 c.positive("beta0")};
  const NormalInverseGamma p = prior.updated(x);
  const double root = std::sqrt(c.positive("periods"));
  Json above = Json::object();
  const auto asked = c.expected().find("p_sharpe_annual_gt");
  if (asked != c.expected().end() && asked->is_object()) {
    for (const auto& [key, value] : asked->items()) {
      above[key] = p.p_sharpe_above(number_in(key, "expected.p_sharpe_annual_gt") / root);
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
  c.means("prior", {"mu flat; log sigma flat; nu-1 ~ Exponential(mean 29) (Kruschke 2013 BEST)"});
  c.means("grid", {"mu 161 x log sigma 81 x nu 40"});
  const StudentPosterior p = student_posterior(x);
  Json out{{"p_mu_gt_0", p.p_mu_above_0},
           {"mu_mean", p.mu_mean},
           {"mu_sd", p.mu_sd},
           {"sigma_scale_mean", p.scale_mean},
           {"nu_mean", p.nu_mean}};
  const auto check = c.expected().find("loglik_check");
  if (check != c.expected().end()) {
    need_keys(*check, "expected.loglik_check", {"mu", "sigma", "nu", "loglik"});
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
  c.means("james_stein_variance", {"square of the mean se"});
  if (y.size() != se.size() || y.size() < 2) {
    throw CaseFault{"inputs.se: one an estimate is needed"};
  }
  for (const double v : se) {
    if (!(v > 0)) throw CaseFault{"inputs.se: numbers above 0 are needed"};
  }
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

Json drawdown_tail_case(const Case& c) {
  const double sigma = c.positive("sigma");
  const double horizon = c.positive("horizon");
  std::vector<double> tail;
  for (const double h : c.numbers("h")) tail.push_back(max_drawdown_tail(h, sigma, horizon));
  return {{"prob_mdd_ge_h", tail}};
}

Json drawdown_case(const Case& c) {
  const double sigma = c.positive("sigma");
  Json out = Json::object();
  for (double mu : c.numbers("mu")) {
    const char* sign = mu < 0 ? "neg" : (mu > 0 ? "pos" : "zero");
    if (out.contains(sign)) throw CaseFault{"inputs.mu has two numbers of one sign"};
    std::vector<double> expected;
    for (double horizon : c.numbers("horizon")) {
      expected.push_back(expected_max_drawdown(mu, sigma, horizon));
    }
    out[sign] = expected;
  }
  return out;
}

}  // namespace

void add_bayes_kinds(std::vector<Kind>& kinds) {
  kinds.push_back({"normal-inverse-gamma posterior",
                   [](const Case& c) {
                     return c.has({"returns_csv", "kappa0", "alpha0"});
                   },
                   conjugate_case});
  kinds.push_back({"Student-t posterior",
                   [](const Case& c) { return c.has("returns_csv") && c.wants("nu_mean"); },
                   student_case, Nature::Simulated});
  kinds.push_back({"random effects",
                   [](const Case& c) {
                     return c.has({"estimates", "se"});
                   },
                   random_effects_case});
  kinds.push_back({"tail of the maximum drawdown",
                   [](const Case& c) {
                     return c.has({"h", "sigma", "horizon"});
                   },
                   drawdown_tail_case});
  kinds.push_back({"expected maximum drawdown",
                   [](const Case& c) {
                     return c.has({"mu", "sigma", "horizon"});
                   },
                   drawdown_case});
}

}  // namespace winnow::sweeps::verify
