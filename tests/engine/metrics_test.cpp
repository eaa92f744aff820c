#include "engine/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/engine.hpp"

namespace winnow::engine {
namespace {

using Row = std::vector<double>;

double at(const Row& row, std::string_view name) {
  const int i = find_metric(name);
  EXPECT_GE(i, 0) << name;
  return row[static_cast<std::size_t>(i)];
}

Row from_equity(const Row& equity, const Row& tallies = Row(lanes::kTallies)) {
  Row out(metric_decls().size());
  MetricRow({1.0, 100.0, 0.001, 0.0}).compute(equity, tallies, out, {});
  return out;
}

Row from_returns(const Row& returns) {
  Row equity;
  double e = 1;
  for (const double r : returns) equity.push_back(e *= 1 + r);
  return from_equity(equity);
}

const std::filesystem::path kOracles =
    std::filesystem::path(WINNOW_SOURCE_DIR) / "tests" / "oracles";

nlohmann::json oracle(const std::string& name) {
  std::ifstream in(kOracles / "06_metrics_a.json");
  const auto all = nlohmann::json::parse(in);
  for (const auto& c : all["cases"]) {
    if (c["name"] == name) return c;
  }
  return nullptr;
}

TEST(Metrics, AgreeWithIndependentImplementations) {
  const auto c = oracle("ret_single_a");
  ASSERT_FALSE(c.is_null());
  std::ifstream in(kOracles / c["inputs"]["returns_csv"].get<std::string>());
  Row returns;
  for (std::string line; std::getline(in, line);) {
    const auto comma = line.rfind(',');
    const std::string field = comma == std::string::npos ? line : line.substr(comma + 1);
    char* end = nullptr;
    const double v = std::strtod(field.c_str(), &end);
    if (end != field.c_str()) returns.push_back(v);
  }
  ASSERT_GT(returns.size(), 100u);
  const Row row = from_returns(returns);
  const auto& e = c["expected"]["empyrical"];
  const auto near = [&](std::string_view name, double want) {
    EXPECT_NEAR(at(row, name), want, 1e-9 * std::fabs(want) + 1e-11) << name;
  };
  near("total_return_frac", e["cum_return"]);
  near("cagr_frac", e["annual_return_cagr"]);
  near("vol_ann", e["annual_volatility"]);
  near("sharpe_ann", e["sharpe"]);
  near("sortino_ann", e["sortino"]);
  near("drawdown_max_frac", -e["max_drawdown"].get<double>());
  near("calmar", e["calmar"]);
  near("omega", e["omega_0"]);
  near("tail_ratio", e["tail_ratio"]);
  near("var_95_frac", e["var_05"]);
  near("cvar_95_frac", e["cvar_05"]);
  const auto& own = c["expected"]["own"];
  near("ulcer_frac", own["ulcer_index_martin"]);
  near("drawdown_days_max", own["longest_underwater_periods"]);
}

TEST(Metrics, AgreeOnShortSeries) {
  const auto c = oracle("empyrical_test_mixed");
  ASSERT_FALSE(c.is_null());
  const Row row = from_returns(c["inputs"]["returns"].get<Row>());
  const auto& e = c["expected"];
  const double year = std::sqrt(365.0 / 252.0);  // the oracle has 252 periods a year
  EXPECT_NEAR(at(row, "sharpe_ann"), e["sharpe_252"].get<double>() * year, 1e-9);
  EXPECT_NEAR(at(row, "sortino_ann"), e["sortino_252"].get<double>() * year, 1e-9);
  EXPECT_NEAR(at(row, "omega"), e["omega"].get<double>(), 1e-9);
  EXPECT_NEAR(at(row, "tail_ratio"), e["tail_ratio"].get<double>(), 1e-9);
  EXPECT_NEAR(at(row, "var_95_frac"), e["var_05"].get<double>(), 1e-11);
  EXPECT_NEAR(at(row, "cvar_95_frac"), e["cvar_05"].get<double>(), 1e-11);
  EXPECT_NEAR(at(row, "drawdown_max_frac"), 0.1, 1e-11);
}

TEST(Metrics, TradeMetricsFollowTheirTallies) {
  const auto c = oracle("trades_a");
  ASSERT_FALSE(c.is_null());
  Row tallies(lanes::kTallies);
  for (const double pnl : c["inputs"]["pnl"].get<Row>()) {
    tallies[lanes::kTrades] += 1;
    tallies[lanes::kWins] += pnl > 0;
    (pnl > 0 ? tallies[lanes::kGrossProfit] : tallies[lanes::kGrossLoss]) += std::fabs(pnl);
    tallies[lanes::kTradeNotional] += 1000;
  }
  const Row row = from_equity({1, 1}, tallies);
  const auto& e = c["expected"];
  EXPECT_NEAR(at(row, "win_rate_frac"), e["win_rate"].get<double>(), 1e-12);
  EXPECT_NEAR(at(row, "profit_factor"), e["profit_factor"].get<double>(), 1e-12);
  EXPECT_NEAR(at(row, "avg_trade_bps"), e["expectancy_per_notional_bps"].get<double>(), 1e-10);
}

TEST(Metrics, NothingOverNothingIsZeroAndOverZeroIsNaN) {
  const Row idle = from_equity({1, 1, 1, 1});
  for (const MetricDecl& m : metric_decls()) {
    EXPECT_EQ(at(idle, m.name), m.name == "final_equity" ? 1 : 0) << m.name;
  }
  // Steady gains: no deviation, no loss, no drawdown to divide by.
  const Row steady = from_returns({0.01, 0.01, 0.01, 0.01, 0.01});
  for (const auto* name : {"sharpe_ann", "sortino_ann", "calmar", "omega"}) {
    EXPECT_TRUE(std::isnan(at(steady, name))) << name;
  }
  EXPECT_EQ(at(steady, "vol_ann"), 0);
  EXPECT_EQ(at(steady, "skew"), 0);
}

TEST(Metrics, OnePeriodIsEnough) {
  const Row row = from_equity({1.5});
  EXPECT_EQ(at(row, "total_return_frac"), 0.5);
  EXPECT_EQ(at(row, "best_day_frac"), 0.5);
  EXPECT_EQ(at(row, "worst_day_frac"), 0.5);
  EXPECT_EQ(at(row, "vol_ann"), 0);
}

TEST(Metrics, TailsAreThoseOfAFullSort) {
  for (const std::size_t n : {2u, 3u, 7u, 20u, 21u, 41u, 100u, 365u, 1000u}) {
    Row returns;
    for (std::size_t i = 0; i < n; ++i) {
      returns.push_back(0.02 * std::sin(static_cast<double>(i * i + 3 * n)));
    }
    const Row row = from_returns(returns);
    std::sort(returns.begin(), returns.end());
    const double k = 0.05 * static_cast<double>(n - 1);
    const auto i = static_cast<std::size_t>(k);
    const double var =
        returns[i] + (k - static_cast<double>(i)) * (returns[std::min(i + 1, n - 1)] - returns[i]);
    EXPECT_NEAR(at(row, "var_95_frac"), var, 1e-12) << n;
    EXPECT_NEAR(at(row, "worst_day_frac"), returns.front(), 1e-12) << n;
    EXPECT_NEAR(at(row, "best_day_frac"), returns.back(), 1e-12) << n;
  }
}

TEST(Metrics, NamesAreUniqueAndFound) {
  EXPECT_GE(metric_decls().size(), 30u);
  for (std::size_t i = 0; i < metric_decls().size(); ++i) {
    EXPECT_EQ(find_metric(metric_decls()[i].name), static_cast<int>(i));
  }
  EXPECT_EQ(find_metric("sharp"), -1);
}

}  // namespace
}  // namespace winnow::engine
