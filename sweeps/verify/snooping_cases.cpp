#include "sweeps/stats/snooping.hpp"

#include <algorithm>
#include <cmath>

#include "sweeps/best_of_many.hpp"
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
      if (v != std::floor(v)) throw CaseFault{"inputs.indices_csv has an index that is no index"};
      r.push_back(static_cast<std::size_t>(v));
    }
    if (r.size() != periods)
      throw CaseFault{"inputs.indices_csv: a row has not one index a period"};
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

/// The p-value of the code that users run (best_of_many.hpp), which sums in another order: as many
/// counts may differ as the reference has ties. Fails: CaseFault if they differ by more.
void same_p(const char* name, double live, const MaxTest& reference, std::size_t resamples) {
  const double b = static_cast<double>(resamples);
  const double counted = (1 + reference.p * b) / (1 + b);
  const double room = static_cast<double>(reference.near_ties) / (1 + b) + 1e-12;
  if (std::abs(live - counted) <= room) return;
  throw CaseFault{std::string("the live ") + name + " gives p = " + std::to_string(live) +
                  ", the reference " + std::to_string(counted)};
}

/// Holds the live tests to the reference, on the same returns in units of their sd.
void hold_live(const SnoopingInput& in, const StepM& steps) {
  SnoopingInput scaled = in;
  std::vector<const double*> rows;
  std::vector<std::uint32_t> all;
  for (auto& x : scaled.advantage) {
    const double sd = stdev(x);
    if (!(sd > 0)) return;  // the live tests are given variants that vary
    for (double& v : x) v /= sd;
    all.push_back(static_cast<std::uint32_t>(rows.size()));
    rows.push_back(x.data());
  }
  const auto panel = PanelView::of_rows(std::move(rows), scaled.advantage.front().size());
  const BestOfMany live = best_of_many_given(panel, all, in.mean_block, in.resamples);
  const ResampledMeans m = resampled_means(scaled);
  const std::size_t b = in.resamples.size();
  same_p("Reality Check", live.p_reality_check, reality_check(m), b);
  same_p("SPA, lower", live.p_spa_lower, superior_ability(m, Recentring::Lower), b);
  same_p("SPA", live.p_spa_consistent, superior_ability(m, Recentring::Consistent), b);
  same_p("SPA, upper", live.p_spa_upper, superior_ability(m, Recentring::Upper), b);
  if (live.superior != steps.superior.size()) {
    throw CaseFault{"the live StepM finds " + std::to_string(live.superior) +
                    " variants, the reference " + std::to_string(steps.superior.size())};
  }
}

Json snooping_case(const Case& c) {
  c.means("losses", {"-returns"});
  c.means("benchmark", {"zero loss"});
  c.means("kind", {"sb"});
  SnoopingInput in;
  in.advantage = c.csv("panel_csv").columns;
  const std::size_t periods = in.advantage.front().size();
  in.resamples = indices_of(c, periods);
  in.mean_block = c.number("block_size");
  if (!(in.mean_block >= 1)) throw CaseFault{"inputs.block_size is below 1"};
  if (c.has("reps") && c.count("reps") != in.resamples.size()) {
    throw CaseFault{"inputs.reps is not the number of rows of inputs.indices_csv"};
  }
  const ResampledMeans m = resampled_means(in);
  Columns losses = in.advantage;
  for (auto& x : losses) {
    for (double& v : x) v = -v;
  }
  Json steps = Json::array();
  const StepM s = step_m(m);
  hold_live(in, s);
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

// --- bootstrap ---

Json block_length_case(const Case& c) {
  c.means("transform", {"none", "square", "abs"});
  const std::string transform = c.has("transform") ? c.text("transform") : "none";
  std::vector<double> stationary;
  std::vector<double> circular;
  for (auto column : c.csv("csv").columns) {
    for (double& v : column) {
      if (transform == "square") v *= v;
      if (transform == "abs") v = std::abs(v);
    }
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
  c.means("rule",
          {"idx[0]=start[0]; idx[i] = start[i] if u[i] <= 1/block else (idx[i-1]+1) mod n"});
  if (c.has("n") && c.count("n") != starts.size()) {
    throw CaseFault{"inputs.n is not the number of starts"};
  }
  return {{"indices", stationary_indices(starts, uniforms, c.positive("mean_block"))}};
}

Json circular_case(const Case& c) {
  c.means("kind", {"circular"});
  const std::size_t n = c.count("n");
  const std::size_t block = c.count("block");
  const auto starts = c.counts("starts");
  if (n == 0 || block == 0 || starts.size() != (n + block - 1) / block) {
    throw CaseFault{"inputs.starts: one for each block of n is needed"};
  }
  for (const std::size_t s : starts) {
    if (s >= n) throw CaseFault{"inputs.starts has one outside the sample"};
  }
  return {{"indices", circular_indices(n, block, starts)}};
}

/// P of "sqrt(P)*mean/std(ddof=1)".
double annual_periods(const Case& c) {
  if (!c.has("statistic")) return c.positive("periods");
  const std::string said = c.text("statistic");
  constexpr std::string_view kOpen = "sqrt(";
  constexpr std::string_view kClose = ")*mean/std(ddof=1)";
  if (!said.starts_with(kOpen) || !said.ends_with(kClose)) {
    throw CaseFault{"inputs.statistic is '" + said + "'; sqrt(P)*mean/std(ddof=1) is known"};
  }
  const std::string_view inner =
      std::string_view(said).substr(kOpen.size(), said.size() - kOpen.size() - kClose.size());
  const double periods = number_in(inner, "inputs.statistic");
  if (!(periods > 0)) throw CaseFault{"inputs.statistic: P is not above 0"};
  return periods;
}

Json interval_case(const Case& c) {
  const auto x = c.series("returns_csv");
  const double periods = annual_periods(c);
  if (c.has("mean_block")) c.positive("mean_block");  // of the given indices
  const auto statistic = [&](std::span<const double> r) { return std::sqrt(periods) * sharpe(r); };
  const auto s = bootstrap(x, statistic, indices_of(c, x.size()), c.probability("level"));
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
                   [](const Case& c) { return c.has("csv") && c.wants("stationary"); },
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
                     return c.has({"returns_csv", "indices_csv"}) && c.wants("bca_ci");
                   },
                   interval_case});
}

}  // namespace winnow::sweeps::verify
