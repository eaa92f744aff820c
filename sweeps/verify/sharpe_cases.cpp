#include "sweeps/stats/sharpe.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "sweeps/family_evidence.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/metrics.hpp"
#include "sweeps/stats/symmetric_eigen.hpp"
#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {
namespace {

using stats::SharpeConvention;
using stats::TrackRecord;

std::vector<double> list_or_number(const Case& c, std::string_view key) {
  return c.at(key).is_array() ? c.numbers(key) : std::vector<double>{c.number(key)};
}

/// Gives a list if the input was one, else its single element.
Json as_given(const Case& c, std::string_view key, const std::vector<double>& v) {
  return c.at(key).is_array() ? Json(v) : Json(v.front());
}

std::vector<double> track_returns(const Case& c) {
  std::vector<double> r = c.has("returns_csv") ? c.series("returns_csv") : c.numbers("returns");
  if (r.size() < 4) throw CaseFault{"inputs: four returns are needed"};
  return r;
}

void check_periods(const TrackRecord& r) {
  if (!(r.periods > 1)) throw CaseFault{"inputs.T is not above 1"};
  if (!(std::abs(r.autocorrelation) < 1)) throw CaseFault{"inputs.rho is not inside (-1, 1)"};
}

/// Moments by name; a record without any is normal.
TrackRecord record_of(const Case& c) {
  TrackRecord r;
  r.sharpe = c.number("sr");
  r.skew = c.number_or("skew", 0);
  r.kurtosis = c.number_or("kurt", 3);
  return r;
}

TrackRecord as_normal(TrackRecord r) {
  r.skew = 0;
  r.kurtosis = 3;
  return r;
}

std::vector<double> psr_of(const TrackRecord& r, const std::vector<double>& benchmarks,
                           SharpeConvention convention) {
  std::vector<double> out;
  for (const double b : benchmarks) out.push_back(stats::probabilistic_sharpe(r, b, convention));
  return out;
}

/// The 2012 convention knows no autocorrelation: with one, there are its numbers of 2025 only.
Json psr_case(const Case& c) {
  TrackRecord r = record_of(c);
  r.periods = c.number("T");
  r.autocorrelation = c.number_or("rho", 0);
  check_periods(r);
  const auto benchmarks = list_or_number(c, "sr_star");
  const auto shown = [&](SharpeConvention convention) {
    return as_given(c, "sr_star", psr_of(r, benchmarks, convention));
  };
  Json out{{"psr_2025", shown(SharpeConvention::Null2025)}};
  if (c.has("rho")) return out;
  out.update({{"psr_nonnormal", shown(SharpeConvention::Observed2012)},
              {"psr", shown(SharpeConvention::Observed2012)},
              {"psr_normal_sr0", stats::probabilistic_sharpe(as_normal(r), 0)},
              {"sr_std", stats::sharpe_stdev(r, SharpeConvention::Observed2012, 0)}});
  if (c.wants("sr_annual")) {
    out["sr_annual"] = r.sharpe * std::sqrt(c.number_or("periods_per_year", 12));
  }
  return out;
}

Json min_trl_case(const Case& c) {
  const TrackRecord r = record_of(c);
  const double benchmark = c.number("sr_star");
  const double confidence = c.probability("confidence");
  return {{"min_trl_nonnormal", stats::min_track_record(r, benchmark, confidence)},
          {"min_trl", stats::min_track_record(r, benchmark, confidence)},
          {"min_trl_2025",
           stats::min_track_record(r, benchmark, confidence, SharpeConvention::Null2025)},
          {"min_trl_normal", stats::min_track_record(as_normal(r), benchmark, confidence)}};
}

/// All that is inferred from one series of returns, autocorrelation included.
Json inference_case(const Case& c) {
  const auto returns = track_returns(c);
  const TrackRecord r = stats::track_record(returns);
  TrackRecord iid = r;
  iid.autocorrelation = 0;
  const auto benchmarks = list_or_number(c, "sr_star");
  const double confidence = c.probability("confidence");
  std::vector<double> needed;
  for (const double b : benchmarks) needed.push_back(stats::min_track_record(r, b, confidence));
  const auto psr = [&](const TrackRecord& record, SharpeConvention convention) {
    return as_given(c, "sr_star", psr_of(record, benchmarks, convention));
  };
  Json out{{"sharpe_per_obs", r.sharpe},
           {"skew_biased", r.skew},
           {"kurt_biased_nonexcess", r.kurtosis},
           {"autocorrelation", r.autocorrelation},
           {"sr_std", stats::sharpe_stdev(r, SharpeConvention::Observed2012, 0)},
           {"psr", psr(r, SharpeConvention::Observed2012)},
           {"psr_2025_iid", psr(iid, SharpeConvention::Null2025)},
           {"psr_2025_ar1", psr(r, SharpeConvention::Null2025)},
           {"min_trl", as_given(c, "sr_star", needed)}};
  if (c.wants("sharpe_annual")) {
    out["sharpe_annual"] = stats::sharpe_ann(returns, c.positive("periods"));
  }
  return out;
}

Json risk_free_case(const Case& c) {
  return {{"sharpe_unannualised", stats::sharpe_ann(track_returns(c), 1, c.number("rf"))}};
}

Json min_trl_grid_case(const Case& c) {
  const auto sharpe = c.numbers("sr_annual");
  const auto benchmark = c.numbers("benchmark_annual");
  const auto periods = c.numbers("periods_per_year");
  const auto skew = c.numbers("skew");
  const auto kurtosis = c.numbers("kurt");
  for (const auto* list : {&benchmark, &periods, &skew, &kurtosis}) {
    if (list->size() != sharpe.size()) throw CaseFault{"inputs: the lists differ in length"};
  }
  std::vector<double> years;
  for (std::size_t i = 0; i < sharpe.size(); ++i) {
    const double root = std::sqrt(periods[i]);
    const TrackRecord r{.sharpe = sharpe[i] / root, .skew = skew[i], .kurtosis = kurtosis[i]};
    years.push_back(stats::min_track_record(r, benchmark[i] / root, c.probability("confidence")) /
                    periods[i]);
  }
  return {{"min_trl_years", years}};
}

Json deflated_case(const Case& c) {
  const double periods = c.positive("periods_per_year");
  const double variance = c.number("var_sr_annual") / periods;
  const auto trials = list_or_number(c, "trials");
  const auto skew = list_or_number(c, "skew");
  const auto kurtosis = list_or_number(c, "kurt");
  for (const auto* list : {&skew, &kurtosis}) {
    if (list->size() != 1 && list->size() != trials.size()) {
      throw CaseFault{"inputs: skew and kurt are one number, or one for each of trials"};
    }
  }
  std::vector<double> sr0;
  std::vector<double> dsr;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const TrackRecord r{.sharpe = c.number("sr_annual") / std::sqrt(periods),
                        .periods = c.number("T"),
                        .skew = skew.size() > 1 ? skew[i] : skew.front(),
                        .kurtosis = kurtosis.size() > 1 ? kurtosis[i] : kurtosis.front()};
    check_periods(r);
    sr0.push_back(stats::expected_max_sharpe(trials[i], 0, variance));
    dsr.push_back(stats::deflated_sharpe(r, trials[i], variance));
  }
  return {{"sr0_daily", as_given(c, "trials", sr0)},
          {"sr0", as_given(c, "trials", sr0)},
          {"dsr", as_given(c, "trials", dsr)}};
}

double rounded(double trials, const std::string& rule) {
  if (rule == "floor") return std::floor(trials);
  if (rule == "ceil") return std::ceil(trials);
  return rule == "round" ? std::round(trials) : trials;
}

std::vector<double> eigenvalues_of(const Columns& columns) {
  const std::size_t n = columns.size();
  std::vector<double> correlation(n * n, 1.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      correlation[j * n + i] = correlation[i * n + j] = stats::correlation(columns[i], columns[j]);
    }
  }
  return stats::symmetric_eigen(correlation, n).values;
}

/// The deflated ratio of the best variant of a panel. Mean correlation and moments are those of a
/// family's evidence, which every command shows.
Json deflated_panel_case(const Case& c) {
  c.means("effective_trials", {"average_correlation", "participation_ratio",
                               "effective_rank_entropy", "galwey", "none"});
  c.means("rounding", {"none", "floor", "ceil", "round"});
  const Columns columns = c.csv("panel_csv").columns;
  if (columns.size() < 2) throw CaseFault{"inputs.panel_csv has one column"};
  std::vector<const double*> rows;
  std::vector<double> ratios;
  for (const auto& x : columns) {
    rows.push_back(x.data());
    ratios.push_back(stats::sharpe(x));
  }
  const auto view = PanelView::of_rows(std::move(rows), columns.front().size());
  const std::size_t best = stats::argmax(ratios);
  const FamilyEvidence evidence = family_evidence(view, best, std::nullopt, serial_for());
  if (!evidence.best) throw CaseFault{"inputs.panel_csv: the best column is no track record"};
  const auto eigenvalues = eigenvalues_of(columns);
  const double m = static_cast<double>(columns.size());
  const std::map<std::string, double> measures = {
      {"average_correlation",
       stats::effective_trials_mean_correlation(evidence.mean_correlation, m)},
      {"participation_ratio", stats::effective_trials_participation(eigenvalues)},
      {"effective_rank_entropy", stats::effective_trials_entropy(eigenvalues)},
      {"galwey", stats::effective_trials_galwey(eigenvalues)},
      {"none", m}};
  const double trials =
      rounded(measures.at(c.text("effective_trials")), c.has("rounding") ? c.text("rounding") : "");
  const double variance = stats::variance(ratios);
  return {{"best_index", best},
          {"sr_per_obs", ratios},
          {"sr_std_ddof1", std::sqrt(variance)},
          {"avg_corr", evidence.mean_correlation},
          {"n_eff_avgcorr", measures.at("average_correlation")},
          {"n_eff_participation_ratio", measures.at("participation_ratio")},
          {"n_eff_effective_rank_entropy", measures.at("effective_rank_entropy")},
          {"n_eff_galwey", measures.at("galwey")},
          {"expected_max_sr", stats::expected_max_sharpe(trials, 0, variance)},
          {"dsr_best", stats::deflated_sharpe(*evidence.best, trials, variance)}};
}

/// Critical ratio, power and false discoveries (2025).
Json planning_case(const Case& c) {
  TrackRecord r = record_of(c);
  r.periods = c.number("T");
  r.autocorrelation = c.number_or("rho", 0);
  check_periods(r);
  const double null = c.number("sr0");
  const double alternative = c.number("sr1");
  const auto levels = list_or_number(c, "alpha");
  const auto shares = list_or_number(c, "p_h1");
  std::vector<double> critical;
  std::vector<double> power;
  std::vector<double> observed;
  Columns planned;
  for (const double alpha : levels) {
    critical.push_back(stats::critical_sharpe(r, null, alpha));
    power.push_back(stats::sharpe_power(r, null, alternative, alpha));
    planned.emplace_back();
    for (const double share : shares) {
      planned.back().push_back(stats::false_discovery_rate(alpha, power.back(), share));
    }
  }
  for (const double share : shares) {
    observed.push_back(stats::observed_false_discovery_rate(r, null, alternative, share));
  }
  Json out{{"sr_std_at_null", stats::sharpe_stdev(r, SharpeConvention::Null2025, null)},
           {"psr", stats::probabilistic_sharpe(r, null, SharpeConvention::Null2025)},
           {"critical_sr", as_given(c, "alpha", critical)},
           {"power", as_given(c, "alpha", power)},
           {"observed_fdr", as_given(c, "p_h1", observed)},
           {"planned_fdr", planned}};
  if (!c.has({"K", "var_trials"})) return out;
  const double trials = c.number("K");
  const double variance = c.number("var_trials");
  const stats::NormalMaximum maximum = stats::normal_maximum(trials);
  out.update(
      {{"mean_max_std_normals", maximum.mean},
       {"var_max_std_normals", maximum.variance},
       {"expected_max_sr", stats::expected_max_sharpe(trials, 0, variance)},
       {"dsr_single", stats::deflated_sharpe(r, trials, variance, SharpeConvention::Null2025)},
       {"dsr_K", stats::deflated_sharpe_of_best(r, trials, variance)}});
  return out;
}

Json expected_max_case(const Case& c) {
  std::vector<double> approx;
  std::vector<double> exact;
  const double variance = c.number_or("var", 1);
  const double mean = c.number_or("mean", 0);
  if (!(variance >= 0)) throw CaseFault{"inputs.var is below 0"};
  for (double n : c.numbers("trials")) {
    approx.push_back(stats::expected_max_sharpe(n, mean, variance));
    exact.push_back(mean + std::sqrt(variance) * stats::expected_max_exact(n));
  }
  return {{"approx", approx}, {"exact_quadrature", exact}};
}

Json min_btl_case(const Case& c) {
  const double target = c.positive("expected_max_sr_annual");
  std::vector<double> years;
  std::vector<double> bound;
  for (double n : c.numbers("trials")) {
    years.push_back(stats::min_backtest_years(n, target));
    bound.push_back(stats::min_backtest_years_bound(n, target));
  }
  return {{"min_btl_years", years}, {"upper_bound_years", bound}};
}

}  // namespace

void add_sharpe_kinds(std::vector<Kind>& kinds) {
  const auto has_returns = [](const Case& c) { return c.has("returns") || c.has("returns_csv"); };
  kinds.push_back({"Sharpe inference of returns",
                   [=](const Case& c) {
                     return has_returns(c) && c.has({"sr_star", "confidence"});
                   },
                   inference_case});
  kinds.push_back({"Sharpe ratio above a riskless rate",
                   [=](const Case& c) {
                     return has_returns(c) && c.has("rf") && c.wants("sharpe_unannualised");
                   },
                   risk_free_case});
  kinds.push_back({"planning of a Sharpe test",
                   [](const Case& c) {
                     return c.has({"sr", "T", "sr0", "sr1", "alpha", "p_h1"});
                   },
                   planning_case});
  kinds.push_back({"deflated Sharpe ratio of a panel",
                   [](const Case& c) {
                     return c.has({"panel_csv", "effective_trials"});
                   },
                   deflated_panel_case});
  kinds.push_back({"probabilistic Sharpe ratio",
                   [](const Case& c) {
                     return c.has({"sr", "T", "sr_star"});
                   },
                   psr_case});
  kinds.push_back({"minimum track record",
                   [](const Case& c) {
                     return c.has({"sr", "sr_star", "confidence"});
                   },
                   min_trl_case});
  kinds.push_back({"minimum track record in years",
                   [](const Case& c) {
                     return c.has({"sr_annual", "benchmark_annual"});
                   },
                   min_trl_grid_case});
  kinds.push_back({"deflated Sharpe ratio",
                   [](const Case& c) {
                     return c.has({"sr_annual", "var_sr_annual", "trials"});
                   },
                   deflated_case});
  kinds.push_back({"minimum backtest length",
                   [](const Case& c) {
                     return c.has({"trials", "expected_max_sr_annual"});
                   },
                   min_btl_case});
  kinds.push_back({"expected maximum",
                   [](const Case& c) { return c.has("trials") && c.wants("approx"); },
                   expected_max_case});
}

}  // namespace winnow::sweeps::verify
