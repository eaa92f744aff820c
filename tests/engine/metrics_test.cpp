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

/// Periods of one length whose calendar time is n / `periods_per_year` years, so that few of them
/// make up a month, too.
MetricInput input_of(std::size_t periods, double periods_per_year = 12) {
  MetricInput out{
      .initial_cash = 1, .bars = 100, .taker_fee = 0.001, .elapsed_days = {}, .market_returns = {}};
  out.periods_per_year = periods_per_year;
  for (std::size_t p = 1; p <= periods; ++p) {
    out.elapsed_days.push_back(static_cast<double>(p) / periods_per_year * kDaysPerYear);
    out.market_returns.push_back(0);
  }
  return out;
}

Row from_equity(const Row& equity, const Row& tallies = Row(lanes::kTallies),
                double periods_per_year = 12) {
  Row out(metric_decls().size());
  MetricRow(input_of(equity.size(), periods_per_year)).compute(equity, tallies, out, {});
  return out;
}

Row from_returns(const Row& returns, double periods_per_year = 12) {
  Row equity;
  double e = 1;
  for (const double r : returns) equity.push_back(e *= 1 + r);
  return from_equity(equity, Row(lanes::kTallies), periods_per_year);
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
  const Row row = from_returns(returns, kPeriodsPerYearOpen);
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
  const double year = std::sqrt(12.0 / 252.0);  // the oracle has 252 periods a year
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

// Least squares as a textbook writes it, two passes over deviations, against the row.
TEST(MarketColumns, AreLeastSquaresOnHoldingTheMarket) {
  const std::size_t n = 200;
  MetricInput input = input_of(n, 252);
  Row returns(n), equity;
  double level = 1, growth = 1;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = static_cast<double>((i * 37) % 101) / 101 - 0.45;
    const double noise = static_cast<double>((i * 53) % 97) / 97 - 0.5;
    input.market_returns[i] = 0.03 * x;
    returns[i] = 0.0004 + 0.7 * input.market_returns[i] + 0.004 * noise;
    growth *= 1 + input.market_returns[i];
    equity.push_back(level *= 1 + returns[i]);
  }
  Row row(metric_decls().size());
  MetricRow(input).compute(equity, Row(lanes::kTallies), row, {});
  double mean_x = 0, mean_y = 0;
  for (std::size_t i = 0; i < n; ++i) {
    mean_x += input.market_returns[i] / n;
    mean_y += returns[i] / n;
  }
  double xx = 0, xy = 0, yy = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double dx = input.market_returns[i] - mean_x;
    const double dy = returns[i] - mean_y;
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  EXPECT_NEAR(at(row, "market_return_frac"), growth - 1, 1e-12);
  EXPECT_NEAR(at(row, "beta"), xy / xx, 1e-10);
  EXPECT_NEAR(at(row, "market_corr"), xy / std::sqrt(xx * yy), 1e-10);
  EXPECT_NEAR(at(row, "alpha_ann"), (mean_y - xy / xx * mean_x) * 252, 1e-10);
}

TEST(MarketColumns, AHolderHasBetaOneAndWhoNeverTradedNone) {
  MetricInput input = input_of(60);
  Row equity;
  double level = 1;
  for (std::size_t i = 0; i < 60; ++i) {
    input.market_returns[i] = 0.01 * (static_cast<double>(i % 7) - 2.9);
    equity.push_back(level *= 1 + input.market_returns[i]);
  }
  Row row(metric_decls().size());
  MetricRow(input).compute(equity, Row(lanes::kTallies), row, {});
  EXPECT_NEAR(at(row, "beta"), 1, 1e-10);
  EXPECT_NEAR(at(row, "market_corr"), 1, 1e-10);
  EXPECT_NEAR(at(row, "alpha_ann"), 0, 1e-10);
  EXPECT_NEAR(at(row, "market_return_frac"), at(row, "total_return_frac"), 1e-12);
  MetricRow(input).compute(Row(60, 1.0), Row(lanes::kTallies), row, {});
  for (const char* name : {"beta", "market_corr", "alpha_ann"}) EXPECT_EQ(at(row, name), 0) << name;
  // A market that stands still explains nothing either.
  input.market_returns.assign(60, 0.0);
  MetricRow(input).compute(equity, Row(lanes::kTallies), row, {});
  EXPECT_EQ(at(row, "beta"), 0);
  EXPECT_EQ(at(row, "market_corr"), 0);
  EXPECT_TRUE(std::isfinite(at(row, "alpha_ann")));
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
