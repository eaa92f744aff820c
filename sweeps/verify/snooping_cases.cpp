#include "sweeps/stats/snooping.hpp"

#include <algorithm>
#include <cmath>

#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/bootstrap.hpp"
#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {
namespace {

using namespace stats;

IndexRows indices_of(const Case& c, std::size_t periods) {
  IndexRows out;
  for (const auto& row : c.csv("indices_csv").by_row()) {
    std::vector<std::size_t> r;
    for (double v : row) {
      if (!(v >= 0 && v < static_cast<double>(periods))) {
        throw CaseFault{"inputs.indices_csv has an index outside the sample"};
      }
      r.push_back(static_cast<std::size_t>(v));
    }
    out.push_back(std::move(r));
  }
  return out;
}

template <class F>
Json by_recentring(F f) {
  return {{"lower", f(Recentring::Lower)},
          {"consistent", f(Recentring::Consistent)},
          {"upper", f(Recentring::Upper)}};
}

Json mcs_json(const ModelConfidenceSet& m) {
  Json p = Json::object();
  for (std::size_t k = 0; k < m.p.size(); ++k) p[std::to_string(k)] = m.p[k];
  return {{"pvalues", p},
          {"elimination_order", m.elimination_order},
          {"included", m.included()},
          {"excluded", m.excluded()}};
}

Json arch_json(const ResampledMeans& m) {
  std::vector<double> variance;
  for (double w : m.omega) variance.push_back(w * w);
  const std::vector<double> centre = recentre(m, Recentring::Consistent);
  std::vector<bool> valid;
  for (std::size_t k = 0; k < centre.size(); ++k) valid.push_back(centre[k] == m.mean[k]);
  return {{"pvalues", by_recentring([&](Recentring r) { return plain_spa(m, r).p; })},
          {"crit_05", by_recentring([&](Recentring r) { return plain_spa(m, r).critical_05; })},
          {"crit_10", by_recentring([&](Recentring r) { return plain_spa(m, r).critical_10; })},
          {"better_models_consistent_05", plain_better(m, Recentring::Consistent)},
          {"loss_diff_var", variance},
          {"valid_columns", valid},
          {"max_mean_loss_diff", *std::max_element(m.mean.begin(), m.mean.end())},
          {"stepm_superior", plain_step_down(m, Recentring::Consistent)}};
}

Json snooping_case(const Case& c) {
  SnoopingInput in;
  in.advantage = c.csv("panel_csv").columns;
  const std::size_t periods = in.advantage.front().size();
  in.resamples = indices_of(c, periods);
  in.mean_block = c.number("block_size");
  const ResampledMeans m = resampled_means(in);
  Columns losses = in.advantage;
  for (auto& x : losses) {
    for (double& v : x) v = -v;
  }
  Json steps = Json::array();
  const StepM s = step_m(m);
  for (const auto& step : s.steps) {
    steps.push_back({{"crit", step.critical}, {"rejected", step.rejected}});
  }
  const MaxTest check = reality_check(m);
  return {{"arch", arch_json(m)},
          {"paper",
           {{"spa_stat", superior_ability(m, Recentring::Consistent).statistic},
            {"omega", m.omega},
            {"spa_p", by_recentring([&](Recentring r) { return superior_ability(m, r).p; })},
            {"rc_stat", check.statistic},
            {"rc_p", check.p}}},
          {"paper_stepm", {{"steps", steps}, {"superior", s.superior}, {"adj_p", s.adjusted_p}}},
          {"mcs_R", mcs_json(model_confidence_set(losses, in.resamples, McsStatistic::Range))},
          {"mcs_max", mcs_json(model_confidence_set(losses, in.resamples, McsStatistic::Max))}};
}

// --- bootstrap
// -------------------------------------------------------------------------------------

Json block_length_case(const Case& c) {
  std::vector<double> stationary;
  std::vector<double> circular;
  for (const auto& column : c.csv("csv").columns) {
    const BlockLength b = optimal_block_length(column);
    stationary.push_back(b.stationary);
    circular.push_back(b.circular);
  }
  return {{"stationary", stationary}, {"circular", circular}};
}

Json stationary_case(const Case& c) {
  const auto starts = c.counts("start_integers");
  const auto uniforms = c.numbers("uniforms");
  if (starts.size() != uniforms.size()) throw CaseFault{"inputs.uniforms: one a start is needed"};
  return {{"indices", stationary_indices(starts, uniforms, c.number("mean_block"))}};
}

Json circular_case(const Case& c) {
  return {{"indices", circular_indices(c.count("n"), c.count("block"), c.counts("starts"))}};
}

Json interval_case(const Case& c) {
  const auto x = c.series("returns_csv");
  const double periods = c.number_or("periods", 365);
  const auto statistic = [&](std::span<const double> r) { return std::sqrt(periods) * sharpe(r); };
  const auto s = bootstrap(x, statistic, indices_of(c, x.size()), c.number_or("level", 0.95));
  const auto pair = [](const Interval& i) { return Json{i.low, i.high}; };
  return {{"theta", s.estimate},
          {"boot_mean", s.mean},
          {"boot_se_ddof1", s.stderr_},
          {"percentile_ci", pair(s.percentile)},
          {"basic_ci", pair(s.basic)},
          {"bca_ci", pair(s.bca)},
          {"z0", s.z0},
          {"acceleration", s.acceleration},
          {"p_sr_le_0", s.share_not_positive}};
}

}  // namespace

void add_snooping_kinds(std::vector<Kind>& kinds) {
  kinds.push_back({"data snooping",
                   [](const Case& c) {
                     return c.has({"panel_csv", "indices_csv", "block_size"});
                   },
                   snooping_case});
  kinds.push_back({"optimal block length",
                   [](const Case& c) { return c.has({"csv"}) && c.wants({"stationary"}); },
                   block_length_case});
  kinds.push_back({"stationary bootstrap",
                   [](const Case& c) {
                     return c.has({"start_integers", "uniforms"});
                   },
                   stationary_case});
  kinds.push_back({"circular bootstrap",
                   [](const Case& c) {
                     return c.has({"n", "block", "starts"});
                   },
                   circular_case});
  kinds.push_back({"bootstrap intervals",
                   [](const Case& c) {
                     return c.has({"returns_csv", "indices_csv"}) && c.wants({"bca_ci"});
                   },
                   interval_case});
}

}  // namespace winnow::sweeps::verify
