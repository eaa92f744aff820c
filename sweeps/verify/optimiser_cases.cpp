// The models of searches that learn: the code that a search runs.
#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "sweeps/search/space.hpp"
#include "sweeps/search/tpe.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/cma.hpp"
#include "sweeps/stats/parzen.hpp"
#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {
namespace {

using namespace stats;
using search::Kernels;
using search::Space;

// --- TPE ---

template <class T>
std::vector<T> chosen(const std::vector<T>& x, const std::vector<std::size_t>& index) {
  std::vector<T> out;
  for (std::size_t i : index) out.push_back(x[i]);
  return out;
}

/// Good trials and others; the values must be one for each observation.
TpeSplit split_of(const Case& c, std::size_t observations) {
  const auto values = c.numbers("values");
  if (values.size() != observations) {
    throw CaseFault{"inputs.values: one for each of observations is needed"};
  }
  return tpe_split(values);
}

Json split_json(const TpeSplit& s) {
  return {{"n_below", s.below.size()}, {"below", s.below}, {"above", s.above}};
}

void add_scores(Json& out, const std::vector<double>& log_l, const std::vector<double>& log_g) {
  std::vector<double> ratio;
  for (std::size_t i = 0; i < log_l.size(); ++i) ratio.push_back(log_l[i] - log_g[i]);
  out.update({{"log_l", log_l}, {"log_g", log_g}, {"best_index", argmax(ratio)}});
}

/// Purpose: a number's dimension as a search has it, and its laws on the unit interval read in the
/// units of the parameter (of its logarithm, where that is what is searched).
class NumberAxis {
 public:
  explicit NumberAxis(const Case& c)
      : low_(c.number("low")),
        high_(c.number("high")),
        step_(c.number_or("step", 0)),
        log_(c.has("log") && c.flag("log")),
        space_(make()) {}

  /// Requires: the case's values lie on the axis, else CaseFault.
  std::vector<double> units(const std::vector<double>& values, const char* key) const {
    std::vector<double> out;
    for (const double v : values) {
      const double steps = step_ > 0 ? (v - low_) / step_ : 0;
      if (!(v >= low_ && v <= high_) || std::abs(steps - std::round(steps)) > 1e-9) {
        throw CaseFault{std::string("inputs.") + key + " has a value that is not on the axis"};
      }
      out.push_back(space_.to_unit(0, v));
    }
    return out;
  }

  Kernels law(const std::vector<double>& units) const {
    Kernels k;
    k.fit(units, tpe_weights(units.size()), space_.count(0));
    return k;
  }

  std::vector<double> in_units_of_axis(std::span<const double> unit, bool with_offset) const {
    const double from = log_ ? std::log(low_) : low_ - step_ / 2;
    const double to = log_ ? std::log(high_) : high_ + step_ / 2;
    std::vector<double> out;
    for (const double u : unit) out.push_back((with_offset ? from : 0) + u * (to - from));
    return out;
  }

 private:
  Space make() const {
    if (!(low_ < high_) || !(step_ >= 0) || (log_ && (step_ > 0 || !(low_ > 0)))) {
      throw CaseFault{
          "inputs: low < high, step >= 0, and log without a step and above 0 are needed"};
    }
    const double steps = step_ > 0 ? (high_ - low_) / step_ : 0;
    if (std::abs(steps - std::round(steps)) > 1e-9) {
      throw CaseFault{"inputs.high is not whole steps above inputs.low"};
    }
    auto space = Space::make({{.name = "x",
                               .low = low_,
                               .high = high_,
                               .step = step_,
                               .scale = log_ ? search::Scale::Log : search::Scale::Linear}});
    if (!space.ok()) throw CaseFault{space.error().text()};
    return *std::move(space);
  }

  double low_, high_, step_;
  bool log_;
  Space space_;
};

Json tpe_number_case(const Case& c) {
  const NumberAxis axis(c);
  const auto x = axis.units(c.numbers("observations"), "observations");
  const TpeSplit s = split_of(c, x.size());
  const Kernels l = axis.law(chosen(x, s.below));
  const Kernels g = axis.law(chosen(x, s.above));
  std::vector<double> log_l;
  std::vector<double> log_g;
  for (const double u : axis.units(c.numbers("candidates"), "candidates")) {
    log_l.push_back(std::log(l(u)));
    log_g.push_back(std::log(g(u)));
  }
  Json out = split_json(s);
  add_scores(out, log_l, log_g);
  out.update({{"l_weights", l.shares()},
              {"g_weights", g.shares()},
              {"l_mus", axis.in_units_of_axis(l.centres(), true)},
              {"l_sigmas", axis.in_units_of_axis(l.sigmas(), false)},
              {"g_mus", axis.in_units_of_axis(g.centres(), true)},
              {"g_sigmas", axis.in_units_of_axis(g.sigmas(), false)}});
  return out;
}

/// Weights of observations by age and of the prior, with sum 1.
std::vector<double> shares_by_age(std::size_t n) {
  std::vector<double> w = tpe_weights(n);
  w.push_back(1);
  double sum = 0;
  for (const double v : w) sum += v;
  for (double& v : w) v /= sum;
  return w;
}

/// The law over choices from observations weighted by age.
std::vector<double> law_of(const std::vector<std::size_t>& observed, std::size_t choices) {
  const std::vector<double> weights = tpe_weights(observed.size());
  std::vector<double> by_choice(choices, 0.0);
  for (std::size_t i = 0; i < observed.size(); ++i) by_choice[observed[i]] += weights[i];
  return tpe_choice_shares(by_choice, static_cast<double>(observed.size()));
}

Json tpe_category_case(const Case& c) {
  const auto x = c.counts("observations");
  const auto candidates = c.counts("candidates");
  const std::size_t choices = c.count("choices");
  for (const auto* list : {&x, &candidates}) {
    for (std::size_t v : *list) {
      if (v >= choices) throw CaseFault{"inputs: an observation is not one of the choices"};
    }
  }
  const TpeSplit s = split_of(c, x.size());
  const auto l = law_of(chosen(x, s.below), choices);
  const auto g = law_of(chosen(x, s.above), choices);
  std::vector<double> log_l;
  std::vector<double> log_g;
  for (const std::size_t k : candidates) {
    log_l.push_back(std::log(l[k]));
    log_g.push_back(std::log(g[k]));
  }
  Json out = split_json(s);
  add_scores(out, log_l, log_g);
  out.update(
      {{"l_weights", shares_by_age(s.below.size())}, {"g_weights", shares_by_age(s.above.size())}});
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

// --- CMA-ES ---

std::size_t dimensions_of(double n) {
  if (!(n >= 1 && n <= 10'000)) throw CaseFault{"inputs.n is not from 1 to 10000"};
  return static_cast<std::size_t>(n);
}

Json cma_defaults_case(const Case& c) {
  Json rows = Json::array();
  for (std::size_t n : c.counts("n")) {
    const CmaParameters p = cma_defaults(dimensions_of(static_cast<double>(n)));
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

/// With the negative weights.
Json cma_active_case(const Case& c) {
  const CmaParameters p = cma_defaults(dimensions_of(c.number("n")));
  std::vector<double> weights = p.weights;
  for (const double w : p.negative) weights.push_back(-w);
  return {{"popsize", p.lambda}, {"weights", weights}, {"mueff", p.mueff}, {"cc", p.cc},
          {"cs", p.cs},          {"c1", p.c1},         {"cmu", p.cmu},     {"damps", p.damps}};
}

double finite(const Json& j, const std::string& place) {
  if (!j.is_number() || !std::isfinite(j.get<double>())) {
    throw CaseFault{place + " holds " + json_text(j) + "; a number is needed"};
  }
  return j.get<double>();
}

std::vector<double> finite_list(const Json& j, const std::string& place) {
  if (!j.is_array()) throw CaseFault{place + " is not a list"};
  std::vector<double> out;
  for (const Json& v : j) out.push_back(finite(v, place));
  return out;
}

CmaParameters parameters_of(const Json& given, std::size_t dimensions) {
  const std::string place = "inputs.params";
  need_keys(given, place, {"lam", "mu", "weights", "mueff", "cc", "cs", "c1", "cmu", "damps"});
  CmaParameters p;
  p.dimensions = dimensions;
  const double lambda = finite(given["lam"], place);
  const double mu = finite(given["mu"], place);
  const auto weights = finite_list(given["weights"], place);
  if (!(mu >= 1 && mu <= lambda && lambda <= 1e6 && mu == std::floor(mu)) ||
      lambda != static_cast<double>(weights.size())) {
    throw CaseFault{place + ": lam weights, and mu from 1 to lam, are needed"};
  }
  p.lambda = weights.size();
  p.mu = static_cast<std::size_t>(mu);
  p.weights.assign(weights.begin(), weights.begin() + static_cast<std::ptrdiff_t>(p.mu));
  for (std::size_t k = p.mu; k < weights.size(); ++k) p.negative.push_back(-weights[k]);
  p.mueff = finite(given["mueff"], place);
  p.cc = finite(given["cc"], place);
  p.cs = finite(given["cs"], place);
  p.c1 = finite(given["c1"], place);
  p.cmu = finite(given["cmu"], place);
  p.damps = finite(given["damps"], place);
  return p;
}

/// Purpose: the moments of one run, updated by the code of a search under the law of the trace.
class CmaRun {
 public:
  CmaRun(const CmaParameters& p, std::vector<double> mean, double sigma)
      : p_(p), mean_(std::move(mean)), sigma_(sigma) {
    ps_.assign(mean_.size(), 0.0);
    pc_ = ps_;
    covariance_.assign(mean_.size() * mean_.size(), 0.0);
    for (std::size_t k = 0; k < mean_.size(); ++k) covariance_[k * mean_.size() + k] = 1;
  }

  void tell(const Columns& candidates, const std::vector<double>& losses) {
    std::vector<std::size_t> order(candidates.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return losses[a] < losses[b]; });
    std::vector<const double*> ranked;
    for (const std::size_t k : order) ranked.push_back(candidates[k].data());
    cma_adapt(p_, CmaLaw::Compact, ++updates_, cma_basis(covariance_, mean_.size()), ranked,
              {mean_, ps_, pc_, covariance_, sigma_});
  }

  Json state() const {
    Json rows = Json::array();
    const std::size_t n = mean_.size();
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<double> row;
      for (std::size_t j = 0; j < n; ++j) row.push_back(covariance_[j * n + i]);
      rows.push_back(row);
    }
    return {{"mean", mean_}, {"sigma", sigma_}, {"ps", ps_}, {"pc", pc_}, {"C", rows}};
  }

 private:
  CmaParameters p_;
  std::vector<double> mean_, ps_, pc_, covariance_;
  double sigma_;
  std::uint64_t updates_ = 0;
};

Json cma_trace_case(const Case& c) {
  const auto x0 = c.numbers("x0");
  const CmaParameters p = parameters_of(c.at("params"), x0.size());
  CmaRun run(p, x0, c.positive("sigma0"));
  Json states = Json::array();
  if (!c.at("generations").is_array()) throw CaseFault{"inputs.generations is not a list"};
  for (const Json& generation : c.at("generations")) {
    const std::string place = "inputs.generations";
    need_keys(generation, place, {"X", "F"});
    const auto losses = finite_list(generation["F"], place + ".F");
    Columns candidates;
    if (!generation["X"].is_array()) throw CaseFault{place + ".X is not a list"};
    for (const Json& row : generation["X"]) candidates.push_back(finite_list(row, place + ".X"));
    const bool fits = candidates.size() == p.lambda && losses.size() == p.lambda &&
                      std::all_of(candidates.begin(), candidates.end(),
                                  [&](const auto& row) { return row.size() == x0.size(); });
    if (!fits) throw CaseFault{place + ": one does not fit the parameters"};
    run.tell(candidates, losses);
    states.push_back(run.state());
  }
  return {{"states", states}};
}

}  // namespace

void add_optimiser_kinds(std::vector<Kind>& kinds) {
  kinds.push_back({"TPE, number",
                   [](const Case& c) {
                     return c.has({"low", "high", "observations", "candidates"});
                   },
                   tpe_number_case});
  kinds.push_back({"TPE, category",
                   [](const Case& c) {
                     return c.has({"choices", "observations", "candidates"});
                   },
                   tpe_category_case});
  kinds.push_back({"TPE defaults",
                   [](const Case& c) { return c.has("n") && c.wants("hyperopt_gamma"); },
                   tpe_defaults_case});
  kinds.push_back({"CMA-ES parameters",
                   [](const Case& c) { return c.has("n") && c.wants("rows") && c.named("cma"); },
                   cma_defaults_case});
  kinds.push_back({"CMA-ES weights",
                   [](const Case& c) {
                     return c.has("n") && c.wants({"popsize", "weights"});
                   },
                   cma_active_case});
  kinds.push_back({"CMA-ES updates",
                   [](const Case& c) {
                     return c.has({"x0", "sigma0", "generations"});
                   },
                   cma_trace_case});
}

}  // namespace winnow::sweeps::verify
