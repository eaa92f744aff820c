#include <algorithm>
#include <cmath>
#include <utility>

#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/change_points.hpp"
#include "sweeps/stats/long_memory.hpp"
#include "sweeps/stats/unit_root.hpp"
#include "sweeps/verify/case.hpp"

namespace winnow::sweeps::verify {
namespace {

using namespace stats;

Json fluctuation_json(const DetrendedFluctuation& d) {
  return {{"dfa_n", d.windows},
          {"dfa_log_fluct", d.log_fluctuation},
          {"dfa_alpha_nonoverlap", d.alpha},
          {"dfa_alpha_overlap", d.alpha_overlapping}};
}

DetrendedFluctuation windowed(const Case& c, std::span<const double> x) {
  const auto windows = c.counts("dfa_windows");
  if (windows.size() < 2) throw CaseFault{"inputs.dfa_windows: two windows are needed"};
  for (const std::size_t n : windows) {
    if (n < 3 || n >= x.size()) {
      throw CaseFault{
          "inputs.dfa_windows has one that is not from 3 to below the size of the data"};
    }
  }
  return detrended_fluctuation(x, windows);
}

Json hurst_case(const Case& c) {
  const auto x = c.series("csv");
  if (c.has("dfa_windows")) return fluctuation_json(windowed(c, x));
  if (x.size() < 128) throw CaseFault{"inputs.csv: 128 numbers are needed"};
  const RescaledRange r = rescaled_range(x);
  const DetrendedFluctuation d = detrended_fluctuation(x);
  const PowerLaw p = rescaled_range_power_law(x);
  Json out = fluctuation_json(d);
  out.update({{"rs_n", r.windows},
              {"rs_values", r.values},
              {"expected_rs_anis_lloyd_peters", r.expected},
              {"hurst_rs_raw", r.hurst},
              {"hurst_rs_corrected", r.hurst_corrected},
              {"mottl_H", p.h},
              {"mottl_c", p.c},
              {"mottl_windows", p.windows},
              {"mottl_rs", p.values}});
  return out;
}

/// "c_lag4", "ct_AIC": terms and lag rule of a unit root test.
struct TestName {
  Trend trend = Trend::Constant;
  LagChoice lags;
  bool known = false;
};

TestName parse_test(const std::string& key) {
  TestName t;
  const std::size_t cut = key.find('_');
  if (cut == std::string::npos) return t;
  const std::string terms = key.substr(0, cut);
  const std::string rule = key.substr(cut + 1);
  t.known = terms == "n" || terms == "c" || terms == "ct";
  t.trend = terms == "n" ? Trend::None : (terms == "c" ? Trend::Constant : Trend::ConstantTrend);
  if (rule == "AIC" || rule == "aic") {
    t.lags.rule = LagChoice::Rule::Aic;
  } else if (rule == "BIC" || rule == "bic") {
    t.lags.rule = LagChoice::Rule::Bic;
  } else if (rule.starts_with("lag")) {
    t.lags = {LagChoice::Rule::Fixed, digits(std::string_view(rule).substr(3), "expected." + key)};
  } else {
    t.known = false;
  }
  return t;
}

Json kpss_json(std::span<const double> x, const std::string& key) {
  const std::string_view rest = std::string_view(key).substr(std::string_view("kpss_").size());
  const bool trend = rest.starts_with("ct_nlags");
  if (!trend && !rest.starts_with("c_nlags")) throw CaseFault{"expected." + key + " is not known"};
  const auto lags = digits(rest.substr(trend ? 8 : 7), "expected." + key);
  const KpssTest k = kpss(x, trend ? Trend::ConstantTrend : Trend::Constant, lags);
  return {{"stat", k.statistic},
          {"pvalue", k.p},
          {"crit",
           {{"10%", k.critical[0]},
            {"5%", k.critical[1]},
            {"2.5%", k.critical[2]},
            {"1%", k.critical[3]}}}};
}

Json unit_root_case(const Case& c) {
  const auto x = c.series("csv");
  std::vector<double> change;
  for (std::size_t i = 1; i < x.size(); ++i) change.push_back(x[i] - x[i - 1]);
  if (change.size() < 24) throw CaseFault{"inputs.csv: 25 numbers are needed"};
  Json out = Json::object();
  for (const auto& [key, value] : c.expected().items()) {
    const TestName t = parse_test(key);
    if (key.starts_with("kpss_") && key.find("nlags") != std::string::npos) {
      out[key] = kpss_json(x, key);
    } else if (t.known) {
      const UnitRootTest r = dickey_fuller(x, t.trend, t.lags);
      out[key] = {{"stat", r.statistic},
                  {"pvalue", r.p},
                  {"usedlag", r.lags},
                  {"nobs", r.observations},
                  {"crit", {{"1%", r.critical[0]}, {"5%", r.critical[1]}, {"10%", r.critical[2]}}}};
    }
  }
  out["kpss_c_auto_lags"] = kpss_automatic_lags(x);
  const auto five = ljung_box(change, 5);
  const auto ten = ljung_box(change, 10);
  out["ljungbox_diff"] = {{"stat", {five.statistic, ten.statistic}}, {"p", {five.p, ten.p}}};
  const auto acf = autocorrelations(change, 5);
  out["acf_diff_1_5"] = std::vector<double>(acf.begin() + 1, acf.end());
  return out;
}

/// Eigenvectors have no sign of their own: each is turned to the side of the expected one.
Json turned(std::vector<std::vector<double>> vectors, const Json& expected) {
  for (std::size_t k = 0; k < vectors.size(); ++k) {
    double agreement = 0;
    for (std::size_t j = 0; j < vectors.size(); ++j) {
      if (!expected.is_array() || expected.size() != vectors.size() || !expected[j].is_array() ||
          expected[j].size() != vectors.size()) {
        return vectors;
      }
      agreement += vectors[j][k] * to_number(expected[j][k]);
    }
    for (std::size_t j = 0; agreement < 0 && j < vectors.size(); ++j) vectors[j][k] *= -1;
  }
  return vectors;
}

void check_series(const Columns& series, std::size_t lags) {
  constexpr std::size_t kRowsMin = 25;
  const std::size_t regressors = series.size() * (lags + 1) + 2;
  if (series.size() < 2 || series.front().size() < std::max(kRowsMin, 2 * regressors + lags)) {
    throw CaseFault{"inputs.csv: two series, and rows enough for the lags, are needed"};
  }
}

/// "johansen_det0_k1": terms and lags.
Json johansen_json(const Columns& series, const std::string& key, const Json& expected) {
  const std::string_view rest =
      std::string_view(key).substr(std::string_view("johansen_det").size());
  const std::size_t cut = rest.find("_k");
  if (cut == std::string_view::npos) throw CaseFault{"expected." + key + " is not known"};
  const double order = number_in(rest.substr(0, cut), "expected." + key);
  if (order != -1 && order != 0 && order != 1) return Json();
  const std::size_t lags = digits(rest.substr(cut + 2), "expected." + key);
  check_series(series, lags);
  const JohansenTest t = johansen(series, static_cast<int>(order), lags);
  return {{"eig", t.eigenvalues},
          {"trace", t.trace},
          {"trace_crit_90_95_99", t.trace_critical},
          {"maxeig", t.max_eigen},
          {"maxeig_crit_90_95_99", t.max_critical},
          {"evec", turned(t.vectors, expected.value("evec", Json()))}};
}

/// Every column of a file, with terms and lags as inputs.
Json johansen_case(const Case& c) {
  const double order = c.number("det_order");
  if (order != -1 && order != 0 && order != 1) {
    throw CaseFault{"inputs.det_order is not -1, 0 or 1"};
  }
  const std::size_t lags = c.count("k_ar_diff");
  const Columns series = c.csv("csv").columns;
  check_series(series, lags);
  const JohansenTest t = johansen(series, static_cast<int>(order), lags);
  const auto asked = c.expected().find("evec");
  return {{"eig", t.eigenvalues},
          {"trace", t.trace},
          {"trace_crit", t.trace_critical},
          {"maxeig", t.max_eigen},
          {"maxeig_crit", t.max_critical},
          {"evec", turned(t.vectors, asked == c.expected().end() ? Json() : *asked)}};
}

Json cointegration_case(const Case& c) {
  const CsvTable table = c.csv("csv");
  const auto column = [&](const char* input) {
    const std::string said = c.text(input);
    constexpr std::string_view kOpen = "column ";
    if (!said.starts_with(kOpen)) {
      throw CaseFault{std::string("inputs.") + input + " is '" + said +
                      "'; 'column NAME' is known"};
    }
    const std::string name = said.substr(kOpen.size());
    const auto it = std::find(table.names.begin(), table.names.end(), name);
    if (it == table.names.end()) throw CaseFault{"inputs.csv has no column " + name};
    return table.columns[static_cast<std::size_t>(it - table.names.begin())];
  };
  const auto y = column("y");
  const auto x = column("x");
  if (x.size() < 25) throw CaseFault{"inputs.csv: 25 rows are needed"};
  Json out = Json::object();
  for (const auto& [key, value] : c.expected().items()) {
    const TestName t = parse_test(key);
    if (key.starts_with("johansen_det")) {
      out[key] = johansen_json({y, x}, key, value);
    } else if (t.known) {
      const UnitRootTest r = engle_granger(y, x, t.trend, t.lags);
      out[key] = {{"stat", r.statistic}, {"pvalue", r.p}, {"crit_1_5_10", r.critical}};
    }
  }
  const HedgeRatio h = hedge_ratio(y, x);
  out["ols"] = {
      {"alpha", h.alpha}, {"beta", h.beta}, {"r2", h.r2}, {"resid_std_ddof2", h.residual_sd}};
  out["zscore_last"] = h.last_z;
  return out;
}

Json mean_reversion_case(const Case& c) {
  const auto x = c.series("csv");
  if (x.size() < 5) throw CaseFault{"inputs.csv: five numbers are needed"};
  const MeanReversion m = fit_mean_reversion(x, c.positive("dt"));
  return {{"regression_a", m.a},
          {"regression_b", m.b},
          {"t_b", m.t_b},
          {"halflife_chan", m.half_life_linear},
          {"halflife_exact", m.half_life},
          {"theta", m.theta},
          {"mu", m.mu},
          {"sigma_exact", m.sigma},
          {"stationary_sd", m.stationary_sd},
          {"resid_var_ddof2", m.residual_variance}};
}

/// R prints 1 - F(x), which is rounded at 1e-16.
double as_complement(double p) { return 1 - (1 - p); }

Json change_point_case(const Case& c) {
  const auto x = c.series("csv");
  const std::size_t segment_min = c.count("min_segment");
  const std::size_t pelt_min = c.count("pelt_min_size");
  const double penalty = c.number("penalty");
  if (segment_min == 0 || pelt_min == 0 || x.size() < std::max(segment_min, pelt_min)) {
    throw CaseFault{"inputs: segments must have 1 to n periods"};
  }
  const auto asked = c.expected().find("bai_perron_mean_shift");
  const std::size_t models = asked != c.expected().end() && asked->is_array() ? asked->size() : 5;
  if (models == 0 || models > 50) throw CaseFault{"expected.bai_perron_mean_shift: 1 to 50 models"};
  const MeanShifts shifts = mean_shifts(x, segment_min, models - 1);
  Json list = Json::array();
  for (std::size_t m = 0; m < shifts.models.size(); ++m) {
    const auto& model = shifts.models[m];
    list.push_back(
        {{"n_breaks", m}, {"breaks", model.breaks}, {"rss", model.rss}, {"bic", model.bic}});
  }
  const SupremumTest cusum = ols_cusum(x);
  const SupremumTest f = sup_f(x);
  const Segmentation by_mean = optimal_segments(x, SegmentCost::Mean, penalty, pelt_min);
  const Segmentation by_law = optimal_segments(x, SegmentCost::Normal, penalty, pelt_min);
  const PageCusum page = page_cusum(x, {});
  Json out{
      {"bai_perron_mean_shift", list},
      {"bic_selected_breaks_R_strucchange", shifts.selected().breaks},
      {"ols_cusum",
       {{"sup_stat", cusum.statistic},
        {"pvalue", cusum.p},
        {"crit",
         {{"1", ols_cusum_critical(0.01)},
          {"5", ols_cusum_critical(0.05)},
          {"10", ols_cusum_critical(0.10)}}},
        {"R_stat", cusum.statistic},
        {"R_p", as_complement(cusum.p)}}},
      {"sup_F_andrews_trim15",
       {{"stat", f.statistic},
        {"p_hansen1997", as_complement(f.p)},
        {"break_index", f.break_index}}},
      {"optimal_partition_l2", {{"breakpoints_end", by_mean.ends}, {"total_cost", by_mean.cost}}},
      {"page_cusum_k0.5_h5_first_alarm", page.first_alarm ? Json(*page.first_alarm) : Json()},
      {"page_cusum_final", {page.up, page.down}},
      {"inclan_tiao_IT", inclan_tiao(x)}};
  for (const auto& [key, value] : c.expected().items()) {
    for (const auto& [prefix, found] : {std::pair{std::string_view("pelt_l2_pen"), &by_mean},
                                        {std::string_view("pelt_normal_pen"), &by_law}}) {
      if (!key.starts_with(prefix)) continue;
      const std::string_view said = std::string_view(key).substr(prefix.size());
      if (number_in(said, "expected." + key) != penalty) {
        throw CaseFault{"expected." + key + " is not of inputs.penalty"};
      }
      out[key] = found->ends;
    }
  }
  return out;
}

}  // namespace

void add_regime_kinds(std::vector<Kind>& kinds) {
  kinds.push_back(
      {"long memory",
       [](const Case& c) {
         return c.has({"csv", "dfa_windows"}) || (c.has("csv") && c.wants("hurst_rs_raw"));
       },
       hurst_case});
  kinds.push_back({"Johansen's test",
                   [](const Case& c) {
                     return c.has({"csv", "det_order", "k_ar_diff"});
                   },
                   johansen_case});
  kinds.push_back({"mean reversion",
                   [](const Case& c) {
                     return c.has({"csv", "dt"});
                   },
                   mean_reversion_case});
  kinds.push_back({"cointegration",
                   [](const Case& c) {
                     return c.has({"csv", "y", "x"});
                   },
                   cointegration_case});
  kinds.push_back({"change points",
                   [](const Case& c) {
                     return c.has({"csv", "min_segment", "penalty"});
                   },
                   change_point_case});
  kinds.push_back({"unit roots",
                   [](const Case& c) {
                     return c.has("csv") && (c.wants_prefix("n_") || c.wants_prefix("c_") ||
                                             c.wants_prefix("ct_") || c.wants_prefix("kpss_"));
                   },
                   unit_root_case});
}

}  // namespace winnow::sweeps::verify
