#include <algorithm>
#include <cmath>

#include "sweeps/search/sampler.hpp"
#include "sweeps/search/sampler_joe_kuo.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/halving.hpp"
#include "sweeps/stats/low_discrepancy.hpp"
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
  const std::size_t skip = c.count_or("skip", 0);
  if (d == 0 || n == 0) throw CaseFault{"inputs: d and n are above 0"};
  if (!c.named("halton")) return {{"points", sobol_points(d, n, skip)}};
  Points out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(halton(skip + i, d));
  return {{"points", out}};
}

Json joe_kuo_case(const Case& c) {
  c.means("file", {"new-joe-kuo-6.21201"});
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
  const auto sized = [&](const char* key, std::size_t size) {
    return !c.has(key) || c.count(key) == size;
  };
  if (!sized("n", given.size()) || !sized("d", given.front().size())) {
    throw CaseFault{"inputs.permutations is not n by d"};
  }
  const Points uniforms = c.rows("uniforms");
  if (given.size() != uniforms.size() || given.front().size() != uniforms.front().size()) {
    throw CaseFault{"inputs.uniforms: one a permutation entry is needed"};
  }
  std::vector<std::vector<std::size_t>> permutations;
  for (const auto& row : given) {
    permutations.emplace_back();
    for (double v : row) {
      if (!(v >= 0 && v < static_cast<double>(given.size()) && v == std::floor(v))) {
        throw CaseFault{"inputs.permutations has a number that is no stratum"};
      }
      permutations.back().push_back(static_cast<std::size_t>(v));
    }
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
  const auto table = hyperband(r, eta, HyperbandRule::Table);
  std::vector<double> total;
  for (const Bracket& b : table) {
    total.push_back(0);
    for (const Rung& rung : b.rungs) {
      total.back() += static_cast<double>(rung.configs) * rung.resource;
    }
  }
  return {{"table_convention", brackets_json(table)},
          {"algorithm1_ceil", brackets_json(hyperband(r, eta, HyperbandRule::Algorithm))},
          {"table_total_resource", total}};
}

Json halving_case(const Case& c) {
  c.means("loss", {"q[c]+v[c]/sqrt(resource)"});
  c.means("keep", {"floor(n/eta) best, ties by lower id"});
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

}  // namespace

void add_search_kinds(std::vector<Kind>& kinds) {
  kinds.push_back({"low-discrepancy points",
                   [](const Case& c) {
                     return c.has({"d", "n"}) && c.wants("points") && !c.has("permutations");
                   },
                   sequence_case});
  kinds.push_back({"Joe and Kuo's table",
                   [](const Case& c) { return c.named("joe_kuo") && c.wants("rows"); },
                   joe_kuo_case});
  kinds.push_back({"discrepancies",
                   [](const Case& c) {
                     return c.has({"d", "n"}) && c.wants("wraparound");
                   },
                   discrepancy_case});
  kinds.push_back({"Latin hypercube",
                   [](const Case& c) {
                     return c.has({"permutations", "uniforms"});
                   },
                   latin_case});
  kinds.push_back({"Hyperband",
                   [](const Case& c) {
                     return c.has({"R", "eta"}) && c.wants("table_convention");
                   },
                   hyperband_case});
  kinds.push_back({"successive halving",
                   [](const Case& c) {
                     return c.has({"n", "r", "R", "eta", "q", "v"});
                   },
                   halving_case});
}

}  // namespace winnow::sweeps::verify
