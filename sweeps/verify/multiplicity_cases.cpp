#include <algorithm>
#include <cmath>

#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/haircut.hpp"
#include "sweeps/stats/multiplicity.hpp"
#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {
namespace {

Json correction_json(stats::Correction correction, std::span<const double> p) {
  return {{"adjusted", stats::adjust(correction, p)}, {"reject_05", stats::reject(correction, p)}};
}

Json p_values_case(const Case& c) {
  using enum stats::Correction;
  const auto p = c.probabilities("p");
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
  if (!(code >= 1 && code <= 5 && code == std::floor(code))) {
    throw CaseFault{"the frequency code is not 1, 2, 3, 4 or 5"};
  }
  return static_cast<stats::Frequency>(static_cast<int>(code));
}

/// The model that the panel was drawn from is the product's own.
void check_model(const Case& c) {
  if (!c.has("hlz_params")) return;
  const auto given = c.numbers("hlz_params");
  const double rho = c.number("RHO");
  const stats::HlzModel model = stats::hlz_model(rho);
  const std::vector<double> own = {rho, model.total_tests, model.null_frac, model.mean_monthly};
  const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-9 * std::abs(b); };
  if (!std::equal(given.begin(), given.end(), own.begin(), own.end(), near)) {
    throw CaseFault{"inputs.hlz_params is not the model of inputs.RHO"};
  }
}

Json haircut_panel_case(const Case& c) {
  check_model(c);
  const stats::HaircutInput in{.frequency = frequency_of(c.number("freq_code")),
                               .observations = c.positive("num_obs"),
                               .sharpe = c.number("SR"),
                               .annualised = c.flag("annualised"),
                               .correct_autocorrelation = c.flag("needs_ac_correction"),
                               .autocorrelation = c.number("rho"),
                               .tests = c.count("M")};
  const Columns panel = c.csv("t_panel_csv").by_row();
  if (panel.front().size() < in.tests) {
    throw CaseFault{"inputs.t_panel_csv has fewer columns than inputs.M tests"};
  }
  return haircuts_json(stats::haircuts(in, panel));
}

/// "Haircut_SR(frequency, observations, SR, annualised, correct, rho, M, RHO)", simulated.
Json haircut_call_case(const Case& c) {
  const std::string call = c.text("call");
  constexpr std::string_view kOpen = "Haircut_SR(";
  if (!call.starts_with(kOpen) || !call.ends_with(')')) {
    throw CaseFault{"inputs.call is not Haircut_SR(...)"};
  }
  const auto table =
      parse_csv(std::string_view(call).substr(kOpen.size(), call.size() - kOpen.size() - 1));
  if (!table.ok() || table->columns.size() != 8 || table->rows() != 1) {
    throw CaseFault{"inputs.call needs eight numbers"};
  }
  const auto arg = [&](std::size_t k) { return table->columns[k][0]; };
  constexpr double kTestsMax = 10'000;
  for (const std::size_t k : {std::size_t{3}, std::size_t{4}}) {
    if (arg(k) != 0 && arg(k) != 1) throw CaseFault{"inputs.call: a switch is 0 or 1"};
  }
  if (!(arg(6) >= 0 && arg(6) <= kTestsMax && arg(6) == std::floor(arg(6)))) {
    throw CaseFault{"inputs.call: the number of tests is a whole number to 10000"};
  }
  const stats::HaircutInput in{.frequency = frequency_of(arg(0)),
                               .observations = arg(1),
                               .sharpe = arg(2),
                               .annualised = arg(3) != 0,
                               .correct_autocorrelation = arg(4) != 0,
                               .autocorrelation = arg(5),
                               .tests = static_cast<std::size_t>(arg(6))};
  const std::size_t draws = std::max<std::size_t>(c.count("draws"), 10000);
  if (draws > 100'000) throw CaseFault{"inputs.draws is above 100000"};
  return haircuts_json(stats::haircuts(in, stats::simulate_t_panel(arg(7), in.tests, draws, 1)));
}

/// The text's example: normal law, years of annual ratios, `tests` includes the test itself.
Json haircut_normal_case(const Case& c) {
  c.means("law", {"normal"});
  const double sharpe = c.number("sr_annual");
  const double root = std::sqrt(c.positive("years"));
  const double tests = c.positive("tests");
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

void add_multiplicity_kinds(std::vector<Kind>& kinds) {
  kinds.push_back({"corrections of p-values",
                   [](const Case& c) {
                     return c.has("p") &&
                            (c.wants("holm") || c.wants("fdr_bh") || c.wants("bonferroni"));
                   },
                   p_values_case});
  kinds.push_back(
      {"Sharpe haircut", [](const Case& c) { return c.has("t_panel_csv"); }, haircut_panel_case});
  kinds.push_back({"Sharpe haircut, simulated",
                   [](const Case& c) {
                     return c.has({"call", "draws"});
                   },
                   haircut_call_case, Nature::Simulated});
  kinds.push_back({"Sharpe haircut, normal law",
                   [](const Case& c) {
                     return c.has({"sr_annual", "years", "tests"});
                   },
                   haircut_normal_case});
}

}  // namespace winnow::sweeps::verify
