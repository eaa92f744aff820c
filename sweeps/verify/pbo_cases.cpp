#include <algorithm>
#include <numeric>

#include "sweeps/stats/pbo.hpp"
#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {
namespace {

/// As many leading entries as the case shows: long lists are cut in the files.
Json leading(const Case& c, const char* key, const std::vector<double>& v) {
  const auto it = c.expected().find(key);
  std::size_t n = v.size();
  if (it != c.expected().end() && it->is_array()) n = std::min(n, it->size());
  if (n == 0) throw CaseFault{std::string("expected.") + key + " is empty"};
  return std::vector<double>(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(n));
}

Json pbo_case(const Case& c) {
  c.means("metric", {"mean/std(ddof=1), no annualisation"});
  c.means("combos", {"lexicographic itertools.combinations; rows taken in time order"});
  const Columns columns = c.csv("panel_csv").columns;
  std::vector<const double*> rows;
  for (const auto& x : columns) rows.push_back(x.data());
  const auto panel = PanelView::of_rows(std::move(rows), columns.front().size());
  const auto result = stats::probability_of_overfitting(
      panel, {.blocks = c.count("S"), .loss_threshold = c.number_or("threshold", 0)});
  if (!result.ok()) throw CaseFault{result.error().text()};
  const stats::PboResult& r = *result;
  const auto& d = r.dominance;
  return {{"pbo", r.pbo},
          {"prob_oos_loss", r.oos_loss_frac},
          {"slope", r.slope},
          {"intercept", r.intercept},
          {"rvalue", r.r},
          {"n_combinations", r.chosen.size()},
          {"dropped_leading_rows", r.dropped_periods},
          {"logit_sum", std::accumulate(r.logit.begin(), r.logit.end(), 0.0)},
          {"logit_min", *std::min_element(r.logit.begin(), r.logit.end())},
          {"logit_max", *std::max_element(r.logit.begin(), r.logit.end())},
          {"n_star", leading(c, "n_star", {r.chosen.begin(), r.chosen.end()})},
          {"is_best", leading(c, "is_best", r.in_sample)},
          {"oos_of_best", leading(c, "oos_of_best", r.out_sample)},
          {"oos_rank", leading(c, "oos_rank", r.rank)},
          {"logits", leading(c, "logits", r.logit)},
          {"stochastic_dominance",
           {{"grid_min", d.grid_min},
            {"grid_max", d.grid_max},
            {"fosd_optimized_over_all", d.first_order},
            {"mean_cdf_gap", d.gap_mean},
            {"max_cdf_gap", d.gap_max},
            {"min_cdf_gap", d.gap_min},
            {"sosd_integral_end", d.integral}}}};
}

}  // namespace

void add_pbo_kinds(std::vector<Kind>& kinds) {
  kinds.push_back({"probability of backtest overfitting",
                   [](const Case& c) {
                     return c.has({"panel_csv", "S"}) && c.wants("pbo");
                   },
                   pbo_case});
}

}  // namespace winnow::sweeps::verify
