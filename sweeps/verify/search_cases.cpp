#include <algorithm>
#include <cmath>

#include "sweeps/sampler.hpp"
#include "sweeps/sampler_joe_kuo.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/cma.hpp"
#include "sweeps/stats/halving.hpp"
#include "sweeps/stats/low_discrepancy.hpp"
#include "sweeps/stats/parzen.hpp"
#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {
namespace {

using namespace stats;

Points sobol_points(std::size_t dimensions, std::size_t n, std::size_t skip) {
  if (dimensions > kSobolDimensionsMax) {
    throw CaseFault{"inputs.d is beyond the " + std::to_string(kSobolDimensionsMax) +
                    " dimensions of the table"};
  }
  Points out(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < dimensions; ++k) out[i].push_back(sobol(skip + i, k));
  }
  return out;
}

Json sequence_case(const Case& c) {
  const std::size_t d = c.count("d");
  const std::size_t n = c.count("n");
  if (c.named("halton")) {
    Points out;
    for (std::size_t i = 0; i < n; ++i) out.push_back(halton(i, d));
    return {{"points", out}};
  }
  return {{"points", sobol_points(d, n, static_cast<std::size_t>(c.number_or("skip", 0)))}};
}

Json joe_kuo_case(const Case& c) {
  const Json& wanted = c.expected().at("rows");
  Json rows = Json::array();
  // As many dimensions as the case lists, from the second on: the first has no polynomial.
  for (std::size_t i = 0; i < std::min(wanted.size(), kJoeKuoRows); ++i) {
    const JoeKuoRow& row = kJoeKuo[i];
    rows.push_back({{"dim", i + 2},
                    {"s", row.degree},
                    {"a", row.interior},
                    {"m", std::vector<std::uint32_t>(row.m.begin(), row.m.begin() + row.degree)}});
  }
  return {{"rows", rows}};
}

Json discrepancy_case(const Case& c) {
  const Points x = sobol_points(c.count("d"), c.count("n"), 0);
  return {{"centered", centred_discrepancy(x)},
          {"wraparound", wraparound_discrepancy(x)},
          {"mixture", mixture_discrepancy(x)},
          {"l2star", l2_star_discrepancy(x)}};
}

Json latin_case(const Case& c) {
  const Columns given = c.rows("permutations");
  const Points uniforms = c.rows("uniforms");
  if (given.size() != uniforms.size() || given.front().size() != uniforms.front().size()) {
    throw CaseFault{"inputs.uniforms: one a permutation entry is needed"};
  }
  std::vector<std::vector<std::size_t>> permutations;
  for (const auto& row : given) {
    permutations.emplace_back();
    for (double v : row) permutations.back().push_back(static_cast<std::size_t>(v));
  }
  const Points half(uniforms.size(), std::vector<double>(uniforms.front().size(), 0.5));
  const Points x = latin_hypercube(permutations, uniforms);
  return {{"points", x},
          {"centered", latin_hypercube(permutations, half)},
          {"centered_discrepancy", centred_discrepancy(x)}};
}

Json brackets_json(const std::vector<Bracket>& brackets) {
  Json out = Json::array();
  for (const Bracket& b : brackets) {
    Json rungs = Json::array();
    for (const Rung& r : b.rungs) rungs.push_back(Json{r.configs, r.resource});
    out.push_back({{"s", b.s}, {"rungs", rungs}});
  }
  return out;
}

Json hyperband_case(const Case& c) {
  const std::size_t r = c.count("R");
  const std::size_t eta = c.count("eta");
  if (r < 1 || eta < 2) throw CaseFault{"inputs: R >= 1 and eta >= 2 are needed"};
  return {{"table_convention", brackets_json(hyperband(r, eta, HyperbandRule::Table))},
          {"algorithm1_ceil", brackets_json(hyperband(r, eta, HyperbandRule::Algorithm))}};
}

Json halving_case(const Case& c) {
  const auto q = c.numbers("q");
  const auto v = c.numbers("v");
  const HalvingOptions o{.configs = c.count("n"),
                         .resource_min = c.number("r"),
                         .resource_max = c.number("R"),
                         .eta = c.count("eta")};
  if (q.size() != o.configs || v.size() != o.configs || o.eta < 2 || !(o.resource_min > 0)) {
    throw CaseFault{"inputs: q and v for each of n, eta >= 2 and r > 0 are needed"};
  }
  const auto loss = [&](std::size_t i, double resource) {
    return q[i] + v[i] / std::sqrt(resource);
  };
  Json trace = Json::array();
  if (c.has({"jobs"})) {
    for (const AshaJob& job : asha(o, c.count("jobs"), loss)) {
      trace.push_back(Json{job.config, job.rung});
    }
  } else {
    for (const HalvingStep& s : successive_halving(o, loss)) {
      trace.push_back({{"resource", s.resource}, {"configs", s.configs}});
    }
  }
  return {{"trace", trace}};
}

// --- TPE
// ---------------------------------------------------------------------------------------------

template <class T>
std::vector<T> chosen(const std::vector<T>& x, const std::vector<std::size_t>& index) {
  std::vector<T> out;
  for (std::size_t i : index) out.push_back(x.at(i));
  return out;
}

Json split_json(const TpeSplit& s) {
  return {{"n_below", s.below.size()}, {"below", s.below}, {"above", s.above}};
}

double score(const ParzenFloat& p, double x) { return p.log_score_optuna31(x); }
double score(const ParzenCategorical& p, std::size_t choice) { return p.log_density(choice); }

template <class Estimator, class Candidates>
void add_densities(Json& out, const Estimator& l, const Estimator& g,
                   const Candidates& candidates) {
  std::vector<double> log_l;
  std::vector<double> log_g;
  std::vector<double> ratio;
  for (const auto& x : candidates) {
    log_l.push_back(score(l, x));
    log_g.push_back(score(g, x));
    ratio.push_back(log_l.back() - log_g.back());
  }
  out.update({{"l_weights", l.weights()},
              {"g_weights", g.weights()},
              {"log_l", log_l},
              {"log_g", log_g},
              {"best_index", argmax(ratio)}});
}

Json tpe_float_case(const Case& c) {
  const auto x = c.numbers("observations");
  const TpeSplit s = tpe_split(c.numbers("values"));
  const double low = c.number("low");
  const double high = c.number("high");
  const ParzenFloat l(chosen(x, s.below), low, high);
  const ParzenFloat g(chosen(x, s.above), low, high);
  Json out = split_json(s);
  add_densities(out, l, g, c.numbers("candidates"));
  out.update({{"l_mus", l.means()},
              {"l_sigmas", l.sigmas()},
              {"g_mus", g.means()},
              {"g_sigmas", g.sigmas()}});
  return out;
}

Json tpe_categorical_case(const Case& c) {
  const auto x = c.counts("observations");
  const auto candidates = c.counts("candidates");
  const std::size_t choices = c.count("choices");
  for (const auto& list : {x, candidates}) {
    for (std::size_t v : list) {
      if (v >= choices) throw CaseFault{"inputs: an observation is not one of the choices"};
    }
  }
  const TpeSplit s = tpe_split(c.numbers("values"));
  Json out = split_json(s);
  add_densities(out, ParzenCategorical(chosen(x, s.below), choices),
                ParzenCategorical(chosen(x, s.above), choices), candidates);
  return out;
}

Json tpe_defaults_case(const Case& c) {
  std::vector<std::size_t> gamma;
  std::vector<std::size_t> hyperopt;
  for (std::size_t n : c.counts("n")) {
    gamma.push_back(tpe_good_count(n));
    hyperopt.push_back(hyperopt_good_count(n));
  }
  return {{"gamma", gamma},
          {"hyperopt_gamma", hyperopt},
          {"weights_30", tpe_weights(30)},
          {"n_startup_trials", kTpeStartupTrials},
          {"n_ei_candidates", kTpeCandidates}};
}

// --- CMA-ES
// ------------------------------------------------------------------------------------------

Json cma_defaults_case(const Case& c) {
  Json rows = Json::array();
  for (std::size_t n : c.counts("n")) {
    const CmaParameters p = cma_defaults(n);
    rows.push_back({{"n", n},
                    {"lam", p.lambda},
                    {"mu", p.mu},
                    {"weights_pos", p.weights},
                    {"mueff", p.mueff},
                    {"mueff_minus", p.mueff_minus},
                    {"cc", p.cc},
                    {"cs", p.cs},
                    {"c1", p.c1},
                    {"cmu", p.cmu},
                    {"damps", p.damps},
                    {"chiN_approx", cma_chi_approx(n)},
                    {"chiN_exact", cma_chi_exact(n)}});
  }
  return {{"rows", rows}};
}

Json cma_trace_case(const Case& c) {
  const auto x0 = c.numbers("x0");
  const Json& given = c.at("params");
  CmaParameters p;
  p.dimensions = x0.size();
  p.lambda = given.at("lam").get<std::size_t>();
  p.mu = given.at("mu").get<std::size_t>();
  p.weights = given.at("weights").get<std::vector<double>>();
  p.mueff = given.at("mueff").get<double>();
  p.cc = given.at("cc").get<double>();
  p.cs = given.at("cs").get<double>();
  p.c1 = given.at("c1").get<double>();
  p.cmu = given.at("cmu").get<double>();
  p.damps = given.at("damps").get<double>();
  CmaState state(p, x0, c.number("sigma0"));
  Json states = Json::array();
  for (const Json& generation : c.at("generations")) {
    const auto x = generation.at("X").get<Columns>();
    const auto f = generation.at("F").get<std::vector<double>>();
    if (x.size() != f.size() || x.size() < p.mu || p.weights.size() < p.mu) {
      throw CaseFault{"inputs.generations: a generation does not fit the parameters"};
    }
    state.tell(x, f);
    const auto list = [](const Eigen::VectorXd& v) {
      return std::vector<double>(v.data(), v.data() + v.size());
    };
    Json rows = Json::array();
    for (Eigen::Index i = 0; i < state.covariance().rows(); ++i) {
      rows.push_back(list(state.covariance().row(i).transpose()));
    }
    states.push_back({{"mean", list(state.mean())},
                      {"sigma", state.sigma()},
                      {"ps", list(state.ps())},
                      {"pc", list(state.pc())},
                      {"C", rows}});
  }
  return {{"states", states}};
}

}  // namespace

void add_search_kinds(std::vector<Kind>& kinds) {
  kinds.push_back({"low-discrepancy points",
                   [](const Case& c) {
                     return c.has({"d", "n"}) && c.wants({"points"}) && !c.has({"permutations"});
                   },
                   sequence_case});
  kinds.push_back({"Joe and Kuo's table",
                   [](const Case& c) { return c.named("joe_kuo") && c.wants({"rows"}); },
                   joe_kuo_case});
  kinds.push_back({"discrepancies",
                   [](const Case& c) {
                     return c.has({"d", "n"}) && c.wants({"wraparound"});
                   },
                   discrepancy_case});
  kinds.push_back({"Latin hypercube",
                   [](const Case& c) {
                     return c.has({"permutations", "uniforms"});
                   },
                   latin_case});
  kinds.push_back({"Hyperband",
                   [](const Case& c) {
                     return c.has({"R", "eta"}) && c.wants({"table_convention"});
                   },
                   hyperband_case});
  kinds.push_back({"successive halving",
                   [](const Case& c) {
                     return c.has({"n", "r", "R", "eta", "q", "v"});
                   },
                   halving_case});
  kinds.push_back({"TPE, number",
                   [](const Case& c) {
                     return c.has({"low", "high", "observations", "candidates"});
                   },
                   tpe_float_case});
  kinds.push_back({"TPE, category",
                   [](const Case& c) {
                     return c.has({"choices", "observations", "candidates"});
                   },
                   tpe_categorical_case});
  kinds.push_back({"TPE defaults",
                   [](const Case& c) { return c.has({"n"}) && c.wants({"hyperopt_gamma"}); },
                   tpe_defaults_case});
  kinds.push_back(
      {"CMA-ES parameters",
       [](const Case& c) { return c.has({"n"}) && c.wants({"rows"}) && c.named("cma"); },
       cma_defaults_case});
  kinds.push_back({"CMA-ES updates",
                   [](const Case& c) {
                     return c.has({"x0", "sigma0", "generations"});
                   },
                   cma_trace_case});
}

}  // namespace winnow::sweeps::verify
