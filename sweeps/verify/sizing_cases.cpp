#include "sweeps/stats/sizing.hpp"

#include <algorithm>
#include <cmath>

#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/kelly_portfolio.hpp"
#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {
namespace {

using namespace stats;

Json binary_case(const Case& c) {
  const auto p = c.probabilities("p");
  const auto b = c.numbers("b");
  if (b.size() != p.size()) throw CaseFault{"inputs.b: one for each of p is needed"};
  for (const double odds : b) {
    if (!(odds > 0)) throw CaseFault{"inputs.b: numbers above 0 are needed"};
  }
  Json out = Json::array();
  for (std::size_t i = 0; i < p.size(); ++i) {
    const BinaryKelly k = kelly_binary(p[i], b[i]);
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
    const std::size_t cut = key.find("_x");
    if (!key.starts_with('k') || cut == std::string::npos) {
      throw CaseFault{"expected.prob_ever_below_x." + key + " is not known"};
    }
    const std::string_view said = key;
    const std::string place = "expected.prob_ever_below_x." + key;
    out[key] = probability_ever_below(number_in(said.substr(1, cut - 1), place),
                                      number_in(said.substr(cut + 2), place));
  }
  return out;
}

Json normal_case(const Case& c) {
  const NormalKelly k = kelly_normal(c.number("m"), c.positive("s"), c.number_or("r", 0));
  return {{"f", k.fraction},
          {"growth", k.growth},
          {"growth_half", k.growth_half},
          {"sharpe", k.sharpe},
          {"prob_ever_below_x", ever_below_json(c)}};
}

/// Probabilities of so many scenarios.
std::vector<double> law_of(const Case& c, std::size_t scenarios) {
  auto p = c.probabilities("probs");
  double sum = 0;
  for (const double v : p) sum += v;
  if (p.size() != scenarios || !(std::abs(sum - 1) < 1e-9)) {
    throw CaseFault{"inputs.probs: one a scenario, with sum 1, are needed"};
  }
  return p;
}

/// Gross returns of several assets by scenario.
Json portfolio_case(const Case& c) {
  const Columns returns = c.rows("returns");
  const auto p = law_of(c, returns.front().size());
  for (std::size_t s = 0; s < p.size(); ++s) {
    double best = 0;
    for (const auto& asset : returns) {
      if (!(asset[s] >= 0)) throw CaseFault{"inputs.returns: gross returns are not below 0"};
      best = std::max(best, asset[s]);
    }
    if (!(best > 0) || !(p[s] > 0)) {
      throw CaseFault{"inputs: a scenario is impossible, or leaves nothing of any asset"};
    }
  }
  const PortfolioKelly k =
      kelly_portfolio(returns, p, c.probability("alpha"), c.probability("beta"));
  return {{"lambda_", k.lambda},
          {"b_kelly", k.kelly},
          {"growth_kelly", k.growth_kelly},
          {"b_rck", k.constrained},
          {"growth_rck", k.growth_constrained},
          {"constraint", k.constraint}};
}

Json scenario_case(const Case& c) {
  const auto outcomes = c.numbers("outcomes");
  const auto probabilities = law_of(c, outcomes.size());
  const Scenarios s{outcomes, probabilities};
  const double f = kelly_scenarios(s);
  Json out{{"f", f}, {"growth", log_growth(s, f)}};
  if (!c.has({"alpha", "beta"})) return out;
  const double alpha = c.probability("alpha");
  const double beta = c.probability("beta");
  const auto k = kelly_risk_constrained(s, alpha, beta);
  out.update({{"lambda_", k.lambda},
              {"f_kelly", k.kelly},
              {"f_rck", k.fraction},
              {"growth_rck", k.growth},
              {"constraint", k.constraint},
              {"f_qrck", k.quadratic},
              {"bound_prob_wmin_below_alpha", std::pow(alpha, k.lambda)}});
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
  VolatilityTarget o{.target_ann = c.positive("target_annual"),
                     .decay = c.probability("ewma_lambda"),
                     .cap = c.number_or("cap", 1e300),
                     .periods_per_year = c.number_or("periods", 365)};
  if (c.has("init")) {
    const std::string said = c.text("init");
    constexpr std::string_view kOpen = "var(ddof=1) of the first ";
    if (!said.starts_with(kOpen)) {
      throw CaseFault{"inputs.init is '" + said + "'; 'var(ddof=1) of the first N' is known"};
    }
    o.warm_up = digits(std::string_view(said).substr(kOpen.size()), "inputs.init");
  }
  if (o.warm_up < 2 || r.size() < o.warm_up) throw CaseFault{"inputs.csv is too short"};
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

}  // namespace

void add_sizing_kinds(std::vector<Kind>& kinds) {
  kinds.push_back({"binary Kelly", [](const Case& c) { return c.has({"p", "b"}); }, binary_case});
  kinds.push_back({"normal Kelly", [](const Case& c) { return c.has({"m", "s"}); }, normal_case});
  kinds.push_back({"risk-constrained Kelly over assets",
                   [](const Case& c) {
                     return c.has({"returns", "probs", "alpha", "beta"});
                   },
                   portfolio_case});
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
}

}  // namespace winnow::sweeps::verify
