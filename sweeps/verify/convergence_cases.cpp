#include <algorithm>
#include <cmath>
#include <numeric>

#include "sweeps/convergence/anova.hpp"
#include "sweeps/convergence/convergence.hpp"
#include "sweeps/convergence/prepare.hpp"
#include "sweeps/stats/agreement.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/shape.hpp"
#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {
namespace {

PanelView panel_of(const Columns& columns) {
  std::vector<const double*> rows;
  for (const auto& c : columns) rows.push_back(c.data());
  return PanelView::of_rows(std::move(rows), columns.front().size());
}

/// First block of the table that the score is made from: distinct variants in the order of their
/// first member.
std::vector<double> first_block(const PanelView& panel, const ConvergenceOptions& options) {
  const FamilyTable table = prepare_family(panel, options, serial_for());
  std::vector<std::size_t> order(table.distinct);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return table.first_row[a] < table.first_row[b]; });
  std::vector<double> out;
  for (const std::size_t v : order) out.push_back(table.block_means[v * table.cut.blocks]);
  return out;
}

/// The declared number of blocks, or the rule by which the score takes one (then 0).
std::size_t blocks_of(const Case& c) {
  if (!c.has("B")) return 0;
  if (!c.at("B").is_string()) return c.count("B");
  c.means("B", {"min(20,max(6,T//10))"});
  return 0;
}

Json score_case(const Case& c) {
  const Columns columns = c.csv("panel_csv").columns;
  ConvergenceOptions options;
  options.hurdle_sharpe_ann = c.number("h_annual");
  options.periods_per_year = c.has("periods") ? c.positive("periods") : 365;
  options.target_sharpe_ann = c.number_or("target_annual", 1);
  if (c.has("alpha")) options.alpha = c.probability("alpha");
  if (c.has("stress_K") && c.has("K")) throw CaseFault{"inputs: stress_K and K are one"};
  options.stress_sd = c.number_or("stress_K", c.number_or("K", options.stress_sd));
  options.blocks = blocks_of(c);
  const Convergence s = score_convergence(panel_of(columns), options);
  return {{"C", s.c},
          {"p", s.p_value()},
          {"evidence", s.evidence},
          {"coverage", s.coverage},
          {"block_sign", s.block_sign_frac},
          {"variant_sign", s.variant_sign_frac},
          {"mu", s.mu_sharpe_ann},
          {"se", s.se},
          {"tau", s.tau},
          {"tau2", s.tau * s.tau},
          {"se2", s.se * s.se},
          {"ms_block", s.ms_block},
          {"ms_variant", s.ms_variant},
          {"ms_resid", s.ms_residual},
          {"futility", s.futility},
          {"tau2_raw", s.tau2_raw},
          {"tau2_jack_se", s.tau2_jackknife_se},
          {"heterogeneous", s.heterogeneous},
          {"mean_corr", s.mean_correlation},
          {"N", s.distinct},
          {"B", s.blocks},
          {"L", s.block_periods},
          {"icc_between", s.icc},
          {"verdict", verdict_name(s.verdict)},
          {"recent_mean", s.recent_mean},
          {"recent_t", s.recent_t},
          {"recent_ok", s.recent_ok},
          {"stress_K", s.stress_sd},
          {"C_stress", s.c_stress},
          {"zero_variance", s.zero_variance},
          {"block_means_first_row", first_block(panel_of(columns), options)}};
}

Json block_table_case(const Case& c) {
  const Columns rows = c.rows("block_means");  // [block][variant]
  const std::size_t blocks = rows.size();
  const std::size_t n = rows.front().size();
  const double h = c.number_or("h_annual", 0);
  std::vector<double> table(blocks * n);
  for (std::size_t b = 0; b < blocks; ++b) {
    for (std::size_t i = 0; i < n; ++i) table[i * blocks + b] = rows[b][i];
  }
  if (blocks < 2) throw CaseFault{"inputs.block_means has one block; two are needed"};
  const BlockAnova a = block_anova({.table = table, .variants = n, .blocks = blocks, .hurdle = h});
  const double nd = static_cast<double>(n);
  const double spread = std::sqrt(a.tau2() * (1 + 1 / nd) + a.se2);
  return {{"mu", a.mu},
          {"ms_block", a.ms_block},
          {"ms_variant", a.ms_variant},
          {"ms_resid", a.ms_residual},
          {"tau2", a.tau2()},
          {"tau2_raw", a.tau2_raw},
          {"tau", std::sqrt(a.tau2())},
          {"tau2_jack_se", a.tau2_jackknife_se},
          {"se2", a.se2},
          {"se", std::sqrt(a.se2)},
          {"z", (a.mu - h) / spread},
          {"C", convergence_c(a, n, blocks, h)},
          {"evidence", student_ratio(a.mu - h, std::sqrt(a.se2), static_cast<double>(blocks) - 1)},
          {"coverage", normal_ratio(a.mu - h, std::sqrt(a.tau2()))}};
}

Json icc_case(const Case& c) {
  const auto r = stats::intraclass_correlation(c.rows("ratings"));
  return {{"BMS", r.ms_targets}, {"JMS", r.ms_raters}, {"WMS", r.ms_within}, {"EMS", r.ms_error},
          {"icc11", r.icc11},    {"icc21", r.icc21},   {"icc31", r.icc31},   {"icc1k", r.icc1k},
          {"icc2k", r.icc2k},    {"icc3k", r.icc3k}};
}

/// Sharpe of each variant in each of `splits` consecutive parts; the first T mod splits parts are
/// one longer (numpy.array_split).
Columns split_sharpes(const Columns& columns, std::size_t splits) {
  Columns out(splits);
  const std::size_t t = columns.front().size();
  std::size_t from = 0;
  for (std::size_t s = 0; s < splits; ++s) {
    const std::size_t length = t / splits + (s < t % splits ? 1 : 0);
    for (const auto& x : columns) {
      out[s].push_back(stats::sharpe(std::span(x).subspan(from, length)));
    }
    from += length;
  }
  return out;
}

/// Rankings given as scores, or as Sharpe ratios by part of a panel.
Columns rankings_of(const Case& c) {
  if (c.has("scores")) return c.rows("scores");
  c.means("split_rule", {"numpy.array_split"});
  const std::size_t splits = c.count("splits");
  const Columns columns = c.csv("panel_csv").columns;
  if (columns.front().size() < 2 * splits) throw CaseFault{"inputs.splits: a part has no spread"};
  return split_sharpes(columns, splits);
}

Json kendall_case(const Case& c) {
  const Columns scores = rankings_of(c);
  if (scores.size() < 2 || scores.front().size() < 2) {
    throw CaseFault{"inputs: two rankings of two things are needed"};
  }
  const auto r = stats::kendall_w(scores);
  const double k = static_cast<double>(scores.size());
  return {{"W", r.w},
          {"chi2", r.chi2},
          {"p", r.p},
          {"friedman", r.chi2},
          {"mean_spearman", r.mean_spearman},
          {"W_from_mean_spearman", (r.mean_spearman * (k - 1) + 1) / k}};
}

Json persistence_case(const Case& c) {
  const auto r = stats::rank_persistence(c.csv("panel_csv").columns);
  return {{"spearman", r.spearman},
          {"spearman_p", r.spearman_p},
          {"kendall_tau_b", r.kendall_tau_b},
          {"pearson", r.pearson},
          {"sign_agreement", r.sign_agreement_frac}};
}

Json dispersion_case(const Case& c) {
  const auto v = c.numbers("v");
  const auto d = stats::dispersion(v);
  return {{"cv_ddof1", d.cv},
          {"gini", d.gini},
          {"mad", d.mad},
          {"hhi", d.hhi},
          {"top1_share", d.top_share_frac}};
}

Json rhat_case(const Case& c) {
  c.means("chains", {"columns standardised to unit sd"});
  Columns chains = c.csv("panel_csv").columns;
  for (auto& x : chains) {
    const double sd = stats::stdev(x);
    for (double& v : x) v /= sd;
  }
  const auto r = stats::rhat(chains);
  return {{"rhat", r.rhat},
          {"B", r.between},
          {"W", r.within},
          {"split_rhat", stats::split_rhat(chains).rhat}};
}

Json grid_case(const Case& c) {
  const auto g = stats::grid_shape(c.rows("sharpe_grid"));
  return {{"morans_I", g.morans_i},
          {"expected_I", g.expected_i},
          {"max_local_lipschitz", g.max_local_lipschitz},
          {"mean_abs_neighbour_diff", g.mean_abs_neighbour_diff},
          {"variance_ratio_neighbour", g.neighbour_variance_ratio},
          {"best", g.best},
          {"best_value", g.best_value},
          {"best_neighbour_mean", g.best_neighbour_mean},
          {"best_neighbour_frac_within_30pct", g.best_neighbour_frac},
          {"plateau_centre", g.plateau_centre},
          {"plateau_centre_smoothed", g.plateau_centre_mean}};
}

Json silhouette_case(const Case& c) {
  c.means("features", {"rows of D = sqrt((1-corr)/2), Euclidean distance between rows"});
  const Columns columns = c.csv("panel_csv").columns;
  std::vector<int> labels;
  for (const std::size_t v : c.counts("labels")) labels.push_back(static_cast<int>(v));
  if (labels.size() != columns.size()) throw CaseFault{"inputs.labels: one a column is needed"};
  const auto s = stats::correlation_silhouette(columns, labels);
  return {{"silhouette", s.score}, {"quality_t", s.quality_t}, {"mean", s.mean}};
}

}  // namespace

void add_convergence_kinds(std::vector<Kind>& kinds) {
  kinds.push_back(
      {"convergence score",
       [](const Case& c) { return c.has("panel_csv") && (c.wants("C") || c.wants("C_stress")); },
       score_case});
  kinds.push_back({"analysis of variance of block means",
                   [](const Case& c) { return c.has("block_means") && !c.has("flips"); },
                   block_table_case});
  kinds.push_back(
      {"intraclass correlation", [](const Case& c) { return c.has("ratings"); }, icc_case});
  kinds.push_back({"Kendall's W",
                   [](const Case& c) {
                     return c.has("scores") || c.has({"panel_csv", "splits"});
                   },
                   kendall_case});
  kinds.push_back({"rank persistence",
                   [](const Case& c) { return c.has("panel_csv") && c.wants("kendall_tau_b"); },
                   persistence_case});
  kinds.push_back(
      {"dispersion", [](const Case& c) { return c.has("v") && c.wants("gini"); }, dispersion_case});
  kinds.push_back({"potential scale reduction",
                   [](const Case& c) { return c.has("panel_csv") && c.wants("rhat"); }, rhat_case});
  kinds.push_back({"grid shape", [](const Case& c) { return c.has("sharpe_grid"); }, grid_case});
  kinds.push_back({"silhouette",
                   [](const Case& c) {
                     return c.has({"panel_csv", "labels"});
                   },
                   silhouette_case});
}

}  // namespace winnow::sweeps::verify
