#include <algorithm>
#include <cmath>

#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/haircut.hpp"
#include "sweeps/stats/multiplicity.hpp"
#include "sweeps/stats/sharpe.hpp"
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

TrackRecord record_of(const Case& c) {
  TrackRecord r;
  r.sharpe = c.number("sr");
  r.periods = c.number_or("T", 0);
  r.skew = c.number_or("skew", 0);
  r.kurtosis = c.number_or("kurt", 3);
  r.autocorrelation = c.number_or("rho", 0);
  return r;
}

TrackRecord as_normal(TrackRecord r) {
  r.skew = 0;
  r.kurtosis = 3;
  return r;
}

Json psr_case(const Case& c) {
  const TrackRecord r = record_of(c);
  std::vector<double> psr;
  std::vector<double> psr_2025;
  for (double benchmark : list_or_number(c, "sr_star")) {
    psr.push_back(stats::probabilistic_sharpe(r, benchmark));
    psr_2025.push_back(stats::probabilistic_sharpe(r, benchmark, SharpeConvention::Null2025));
  }
  return {{"psr_nonnormal", as_given(c, "sr_star", psr)},
          {"psr", as_given(c, "sr_star", psr)},
          {"psr_2025", as_given(c, "sr_star", psr_2025)},
          {"psr_normal_sr0", stats::probabilistic_sharpe(as_normal(r), 0)},
          {"sr_annual", r.sharpe * std::sqrt(c.number_or("periods_per_year", 12))},
          {"sr_std", stats::sharpe_stdev(r, SharpeConvention::Observed2012, 0)}};
}

Json min_trl_case(const Case& c) {
  const TrackRecord r = record_of(c);
  const double benchmark = c.number("sr_star");
  const double confidence = c.number("confidence");
  return {{"min_trl_nonnormal", stats::min_track_record(r, benchmark, confidence)},
          {"min_trl", stats::min_track_record(r, benchmark, confidence)},
          {"min_trl_2025",
           stats::min_track_record(r, benchmark, confidence, SharpeConvention::Null2025)},
          {"min_trl_normal", stats::min_track_record(as_normal(r), benchmark, confidence)}};
}

Json min_trl_grid_case(const Case& c) {
  const auto sharpe = c.numbers("sr_annual");
  const auto benchmark = c.numbers("benchmark_annual");
  const auto periods = c.numbers("periods_per_year");
  const auto skew = c.numbers("skew");
  const auto kurtosis = c.numbers("kurt");
  std::vector<double> years;
  for (std::size_t i = 0; i < sharpe.size(); ++i) {
    const double root = std::sqrt(periods.at(i));
    const TrackRecord r{.sharpe = sharpe[i] / root, .skew = skew.at(i), .kurtosis = kurtosis.at(i)};
    years.push_back(stats::min_track_record(r, benchmark.at(i) / root, c.number("confidence")) /
                    periods[i]);
  }
  return {{"min_trl_years", years}};
}

Json deflated_case(const Case& c) {
  const double periods = c.number("periods_per_year");
  const double variance = c.number("var_sr_annual") / periods;
  const auto trials = list_or_number(c, "trials");
  const auto skew = list_or_number(c, "skew");
  const auto kurtosis = list_or_number(c, "kurt");
  std::vector<double> sr0;
  std::vector<double> dsr;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const TrackRecord r{.sharpe = c.number("sr_annual") / std::sqrt(periods),
                        .periods = c.number("T"),
                        .skew = skew.size() > 1 ? skew.at(i) : skew.front(),
                        .kurtosis = kurtosis.size() > 1 ? kurtosis.at(i) : kurtosis.front()};
    sr0.push_back(stats::expected_max_sharpe(trials[i], 0, variance));
    dsr.push_back(stats::deflated_sharpe(r, trials[i], variance));
  }
  return {{"sr0_daily", as_given(c, "trials", sr0)},
          {"sr0", as_given(c, "trials", sr0)},
          {"dsr", as_given(c, "trials", dsr)}};
}

Json expected_max_case(const Case& c) {
  std::vector<double> approx;
  std::vector<double> exact;
  const double sd = std::sqrt(c.number_or("var", 1));
  for (double n : c.numbers("trials")) {
    approx.push_back(stats::expected_max_sharpe(n, c.number_or("mean", 0), sd * sd));
    exact.push_back(c.number_or("mean", 0) + sd * stats::expected_max_exact(n));
  }
  return {{"approx", approx}, {"exact_quadrature", exact}};
}

Json min_btl_case(const Case& c) {
  const double target = c.number("expected_max_sr_annual");
  std::vector<double> years;
  std::vector<double> bound;
  for (double n : c.numbers("trials")) {
    years.push_back(stats::min_backtest_years(n, target));
    bound.push_back(stats::min_backtest_years_bound(n, target));
  }
  return {{"min_btl_years", years}, {"upper_bound_years", bound}};
}

// --- multiplicity
// ----------------------------------------------------------------------------------

Json correction_json(stats::Correction correction, std::span<const double> p) {
  return {{"adjusted", stats::adjust(correction, p)}, {"reject_05", stats::reject(correction, p)}};
}

Json p_values_case(const Case& c) {
  using enum stats::Correction;
  const auto p = c.numbers("p");
  for (double v : p) {
    if (!(v >= 0 && v <= 1)) throw CaseFault{"inputs.p has a value outside [0, 1]"};
  }
  auto sorted = p;
  std::sort(sorted.begin(), sorted.end());
  return {{"bonferroni", correction_json(Bonferroni, p)},
          {"sidak", correction_json(Sidak, p)},
          {"holm", correction_json(Holm, p)},
          {"holm-sidak", correction_json(HolmSidak, p)},
          {"simes-hochberg", correction_json(Hochberg, p)},
          {"hommel", correction_json(Hommel, p)},
          {"fdr_bh", correction_json(BenjaminiHochberg, p)},
          {"fdr_by", correction_json(BenjaminiYekutieli, p)},
          {"fdr_tsbh", correction_json(TwoStageBh, p)},
          {"hl_bhy_sorted", stats::adjust(HarveyLiuBhy, sorted)}};
}

Json haircuts_json(const stats::Haircuts& h) {
  const auto field = [&](auto member) -> Json {
    return {{"bonferroni", h.bonferroni.*member},
            {"holm", h.holm.*member},
            {"bhy", h.bhy.*member},
            {"average", h.average.*member}};
  };
  return {{"sr_annual_corrected", h.single.sharpe_ann},
          {"months", h.single.months},
          {"t_ratio", h.single.t_ratio},
          {"p_single", h.single.p},
          {"p_adjusted", field(&stats::HaircutResult::p)},
          {"haircut_sr", field(&stats::HaircutResult::sharpe_ann)},
          {"haircut_pct", field(&stats::HaircutResult::haircut_frac)}};
}

stats::Frequency frequency_of(double code) {
  if (!(code >= 1 && code <= 5)) throw CaseFault{"the frequency code is not 1 to 5"};
  return static_cast<stats::Frequency>(static_cast<int>(code));
}

Json haircut_panel_case(const Case& c) {
  const stats::HaircutInput in{.frequency = frequency_of(c.number("freq_code")),
                               .observations = c.number("num_obs"),
                               .sharpe = c.number("SR"),
                               .annualised = c.flag("annualised"),
                               .correct_autocorrelation = c.flag("needs_ac_correction"),
                               .autocorrelation = c.number("rho"),
                               .tests = c.count("M")};
  return haircuts_json(stats::haircuts(in, c.csv("t_panel_csv").by_row()));
}

/// "Haircut_SR(frequency, observations, SR, annualised, correct, rho, M, RHO)", simulated.
Json haircut_call_case(const Case& c) {
  const std::string call = c.text("call");
  const std::size_t open = call.find('(');
  const std::size_t close = call.rfind(')');
  if (open == std::string::npos || close == std::string::npos) {
    throw CaseFault{"inputs.call has no arguments"};
  }
  const auto table = parse_csv(call.substr(open + 1, close - open - 1));
  if (!table.ok() || table->columns.size() != 8 || table->rows() != 1) {
    throw CaseFault{"inputs.call needs eight numbers"};
  }
  const auto arg = [&](std::size_t k) { return table->columns[k][0]; };
  const stats::HaircutInput in{.frequency = frequency_of(arg(0)),
                               .observations = arg(1),
                               .sharpe = arg(2),
                               .annualised = arg(3) != 0,
                               .correct_autocorrelation = arg(4) != 0,
                               .autocorrelation = arg(5),
                               .tests = static_cast<std::size_t>(arg(6))};
  const std::size_t draws = std::max<std::size_t>(c.count("draws"), 10000);
  return haircuts_json(stats::haircuts(in, stats::simulate_t_panel(arg(7), in.tests, draws, 1)));
}

/// The text's example: normal law, years of annual ratios, `tests` includes the test itself.
Json haircut_normal_case(const Case& c) {
  const double sharpe = c.number("sr_annual");
  const double root = std::sqrt(c.number("years"));
  const double tests = c.number("tests");
  const double p = 2 * stats::normal_cdf(-std::abs(sharpe * root));
  const double bonferroni = std::min(1.0, p * tests);
  const double sidak = -std::expm1(tests * std::log1p(-p));
  return {{"t_ratio", sharpe * root},
          {"p_single", p},
          {"p_bonferroni", bonferroni},
          {"haircut_sr", -stats::normal_quantile(bonferroni / 2) / root},
          {"p_sidak", sidak},
          {"haircut_sr_sidak", -stats::normal_quantile(sidak / 2) / root}};
}

}  // namespace

void add_sharpe_kinds(std::vector<Kind>& kinds) {
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
                   [](const Case& c) { return c.has({"trials"}) && c.wants({"approx"}); },
                   expected_max_case});
  kinds.push_back({"corrections of p-values",
                   [](const Case& c) {
                     return c.has({"p"}) &&
                            (c.wants({"holm"}) || c.wants({"fdr_bh"}) || c.wants({"bonferroni"}));
                   },
                   p_values_case});
  kinds.push_back(
      {"Sharpe haircut", [](const Case& c) { return c.has({"t_panel_csv"}); }, haircut_panel_case});
  kinds.push_back({"Sharpe haircut, simulated",
                   [](const Case& c) {
                     return c.has({"call", "draws"});
                   },
                   haircut_call_case});
  kinds.push_back({"Sharpe haircut, normal law",
                   [](const Case& c) {
                     return c.has({"sr_annual", "years", "tests"});
                   },
                   haircut_normal_case});
}

}  // namespace winnow::sweeps::verify
