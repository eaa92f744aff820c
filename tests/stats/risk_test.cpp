// Monte Carlo, policies and tail risk against closed forms, invariants and by hand.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>

#include "base/det_math.hpp"
#include "base/rng.hpp"
#include "sweeps/risk/monte_carlo.hpp"
#include "sweeps/risk/tail_risk.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/bayes.hpp"
#include "sweeps/stats/metrics.hpp"

namespace winnow::sweeps::risk {
namespace {

/// Log returns at the normal law's own quantiles, in a seeded order: a sample whose mean and sd are
/// those asked for, so that the closed forms hold for what is drawn from it.
std::vector<double> normal_days(std::size_t n, double mean, double sd) {
  std::vector<double> x(n);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = det_normal_quantile((static_cast<double>(i) + 0.5) / static_cast<double>(n));
  }
  const double scale = sd / stats::stdev(x, 0);
  for (double& v : x) v = std::exp(mean + v * scale) - 1;
  Rng rng(5);
  for (std::size_t i = n; i > 1; --i) std::swap(x[i - 1], x[rng.below(i)]);
  return x;
}

Policy policy(const char* text) {
  auto read = parse_policy(text);
  EXPECT_TRUE(read.ok()) << text;
  return read.ok() ? *read : Policy{};
}

std::vector<PathOutcome> paths_of(const DayBars& days, const SimulationOptions& options,
                                  const char* text = "none") {
  const Policy one = policy(text);
  return simulate(days, {&one, 1}, options, serial_for()).front();
}

TEST(RiskMonteCarlo, RuinMatchesDriftedBrownianMotion) {
  constexpr double kMean = 0.0004;
  constexpr double kSd = 0.02;
  const DayBars days = days_from_returns(normal_days(4001, kMean, kSd));
  const SimulationOptions options{
      .horizon = 365, .paths = 20'000, .seed = 11, .checkpoints = {90, 365}};
  const auto paths = paths_of(days, options);
  for (std::size_t c = 0; c < 2; ++c) {
    for (const double loss : {0.1, 0.2, 0.4}) {
      const double t = static_cast<double>(options.checkpoints[c]);
      // A walk seen at days' ends crosses a barrier as if it were .5826 sd further away
      // (Broadie, Glasserman and Kou 1997).
      const double a = -std::log(1 - loss) + 0.5826 * kSd;
      const double s = kSd * std::sqrt(t);
      const double exact =
          stats::normal_cdf((-a - kMean * t) / s) +
          std::exp(-2 * kMean * a / (kSd * kSd)) * stats::normal_cdf((-a + kMean * t) / s);
      const Ruin found = ruin(paths, loss, c);
      EXPECT_NEAR(found.p, exact, 3.5 * found.se + 0.004) << loss << " by " << t;
    }
  }
}

TEST(RiskMonteCarlo, MeanDrawdownMatchesBrownianMotion) {
  constexpr double kMean = 0.0005;
  constexpr double kSd = 0.015;
  const DayBars days = days_from_returns(normal_days(4001, kMean, kSd));
  const auto paths = paths_of(days, {.horizon = 1000, .paths = 10'000, .seed = 12});
  double sum = 0;
  for (const PathOutcome& p : paths) sum += -std::log(1 - p.drawdown_frac);
  const double exact = stats::expected_max_drawdown(kMean, kSd, 1000);
  // Seen at days' ends both peak and trough miss about .58 sd.
  EXPECT_NEAR(sum / 10'000 + 2 * 0.5826 * kSd, exact, 0.02 * exact);
}

TEST(RiskMonteCarlo, FinalValueMatchesLognormalLaw) {
  constexpr double kSd = 0.02;
  const DayBars days = days_from_returns(normal_days(4001, 0.001, kSd));
  const auto paths = paths_of(days, {.horizon = 250, .paths = 20'000, .seed = 13});
  std::vector<double> logs;
  for (const PathOutcome& p : paths) logs.push_back(std::log(p.final_multiple));
  EXPECT_NEAR(stats::mean(logs), 0.25, 4 * kSd * std::sqrt(250.0 / 20'000));
  EXPECT_NEAR(stats::stdev(logs), kSd * std::sqrt(250.0), 0.006);
  const double p_loss = summarise(paths, 250).p_loss;
  EXPECT_NEAR(p_loss, stats::normal_cdf(-0.25 / (kSd * std::sqrt(250.0))), 0.012);
}

TEST(RiskMonteCarlo, DoesNotDependOnThreadsOrOnTheNumberOfPaths) {
  const DayBars days = days_from_returns(normal_days(365, 0.001, 0.02));
  const SimulationOptions options{
      .horizon = 100, .paths = 1000, .seed = 3, .mean_block = 5, .checkpoints = {100}};
  const auto policies = default_policies();
  const ParallelFor backwards = [](std::size_t n, const std::function<void(std::size_t)>& body) {
    std::jthread other([&] {
      for (std::size_t i = n; i-- > 0;) {
        if (i % 2 == 0) body(i);
      }
    });
    for (std::size_t i = n; i-- > 0;) {
      if (i % 2 == 1) body(i);
    }
  };
  const auto a = simulate(days, policies, options, serial_for());
  const auto b = simulate(days, policies, options, backwards);
  ASSERT_EQ(a.size(), policies.size());
  for (std::size_t k = 0; k < a.size(); ++k) {
    for (std::size_t p = 0; p < a[k].size(); ++p) {
      ASSERT_EQ(a[k][p].final_multiple, b[k][p].final_multiple);
      ASSERT_EQ(a[k][p].drawdown_frac, b[k][p].drawdown_frac);
      ASSERT_EQ(a[k][p].lowest, b[k][p].lowest);
    }
  }
  // More paths go on where fewer ended.
  auto fewer = options;
  fewer.paths = 300;
  const auto some = simulate(days, policies, fewer, serial_for());
  for (std::size_t p = 0; p < 300; ++p) {
    ASSERT_EQ(some[1][p].final_multiple, a[1][p].final_multiple);
  }
  auto reseeded = options;
  reseeded.seed = 4;
  const auto other = simulate(days, policies, reseeded, serial_for());
  EXPECT_NE(other[0][0].final_multiple, a[0][0].final_multiple);
}

TEST(RiskMonteCarlo, ConstantDaysAreAClosedForm) {
  const std::vector<double> up(40, 0.01);
  const auto paths = paths_of(days_from_returns(up), {.horizon = 50, .paths = 64});
  for (const PathOutcome& p : paths) {
    EXPECT_NEAR(p.final_multiple, std::pow(1.01, 50), 1e-9);
    EXPECT_EQ(p.drawdown_frac, 0);
    EXPECT_EQ(p.underwater, 0u);
  }
  const std::vector<double> down(40, -0.01);
  const auto falling =
      paths_of(days_from_returns(down), {.horizon = 50, .paths = 64, .checkpoints = {10, 50}});
  for (const PathOutcome& p : falling) {
    EXPECT_NEAR(p.drawdown_frac, 1 - std::pow(0.99, 50), 1e-9);
    EXPECT_EQ(p.underwater, 50u);
  }
  EXPECT_EQ(ruin(falling, 0.2, 0).p, 0);
  EXPECT_EQ(ruin(falling, 0.2, 1).p, 1);
}

TEST(RiskMonteCarlo, PosteriorIsWiderThanThePlugIn) {
  const auto returns = normal_days(120, 0.001, 0.02);
  const SimulationOptions options{.horizon = 365, .paths = 4000, .seed = 8};
  const auto plain = summarise(paths_of(days_from_returns(returns), options), 365);
  const auto unsure = summarise(simulate_posterior(returns, options, serial_for()), 365);
  const auto spread = [](const Distribution& d) { return d.quantile[5] - d.quantile[1]; };
  EXPECT_GT(spread(unsure.total_return_frac), 1.3 * spread(plain.total_return_frac));
  EXPECT_GT(unsure.drawdown_frac.quantile[5], plain.drawdown_frac.quantile[5]);
}

TEST(RiskMonteCarlo, PosteriorOfTheMeanIsStudent) {
  // One-day paths of a symmetric sample: mean of the path is the posterior mean of mu.
  const auto returns = normal_days(60, 0.002, 0.02);
  const SimulationOptions options{.horizon = 1, .paths = 40'000, .seed = 9};
  const auto paths = simulate_posterior(returns, options, serial_for());
  std::vector<double> day;
  for (const PathOutcome& p : paths) day.push_back(p.final_multiple - 1);
  const double sd = stats::stdev(returns);
  EXPECT_NEAR(stats::mean(day), stats::mean(returns), 4 * sd / std::sqrt(40'000.0));
  // Variance of the next day: E sigma^2 (59 / 60 of a draw, 1 / 60 of the mean), E sigma^2 = s^2
  // 59 / 57.
  const double expected = sd * sd * (59.0 / 57) * (59.0 / 60 + 1.0 / 60);
  EXPECT_NEAR(stats::variance(day) / expected, 1, 0.03);
}

TEST(RiskDays, FallInsideADayCountsAsDrawdown) {
  const std::vector<double> equity = {110, 99, 105, 105, 100, 120};
  const std::vector<double> cost(6, 0.0);
  const std::vector<std::size_t> ends = {3, 6};
  const DayBars days = days_from_bars(
      {.equity = equity, .exit_cost = cost, .day_end = ends, .month = {}, .initial = 100});
  ASSERT_EQ(days.days(), 2u);
  EXPECT_NEAR(days.growth[0], 1.05, 1e-12);
  EXPECT_NEAR(days.growth[1], 120.0 / 105, 1e-12);
  EXPECT_NEAR(days.fall[0], 0.1, 1e-12);
  const PolicyHistory none = apply_policy(days, policy("none"), 365);
  EXPECT_NEAR(none.total_return_frac, 0.2, 1e-12);
  EXPECT_NEAR(none.drawdown_frac, 0.1, 1e-12);
}

TEST(RiskPolicy, DayStopLeavesAtTheBarAndComesBackTheNextDay) {
  const std::vector<double> equity = {98, 96, 104, 104, 106};
  const std::vector<double> cost = {0, 0.001, 0, 0, 0};
  const std::vector<std::size_t> ends = {3, 5};
  const DayBars days = days_from_bars(
      {.equity = equity, .exit_cost = cost, .day_end = ends, .month = {}, .initial = 100});
  const PolicyHistory stopped = apply_policy(days, policy("day_stop=0.03"), 365);
  EXPECT_NEAR(stopped.returns[0], 0.96 * 0.999 - 1, 1e-12);
  EXPECT_NEAR(stopped.returns[1], 106.0 / 104 - 1, 1e-12);
  EXPECT_EQ(stopped.triggers, 1u);
  EXPECT_EQ(stopped.days_out, 0u);
  const PolicyHistory loose = apply_policy(days, policy("day_stop=0.05"), 365);
  EXPECT_EQ(loose.triggers, 0u);
  EXPECT_NEAR(loose.total_return_frac, 0.06, 1e-12);
}

TEST(RiskPolicy, KillsAreForGoodAndMonthStopsAreNot) {
  std::vector<double> returns(90, 0.001);
  for (std::size_t d = 35; d < 41; ++d) returns[d] = -0.02;
  const DayBars days = days_from_returns(returns);
  const PolicyHistory killed = apply_policy(days, policy("drawdown_kill=0.05"), 365);
  EXPECT_EQ(killed.triggers, 1u);
  EXPECT_EQ(killed.days_out, 90u - 38);  // .98^3 is the first below .95
  EXPECT_NEAR(killed.drawdown_frac, 1 - std::pow(0.98, 3), 1e-12);
  const PolicyHistory stopped = apply_policy(days, policy("month_stop=0.05"), 365);
  EXPECT_EQ(stopped.triggers, 1u);
  EXPECT_LT(stopped.days_out, 30u);
  EXPECT_NEAR(stopped.returns[60], 0.001, 1e-12);  // the next month trades again
  EXPECT_EQ(apply_policy(days, policy("month_kill=0.05"), 365).returns[60], 0);
}

TEST(RiskPolicy, FlatDaysEarnNothingAndAPolicyNeverDeepensItsOwnLimitByMoreThanABar) {
  Rng rng(21);
  for (int round = 0; round < 50; ++round) {
    std::vector<double> equity(24 * 60);
    double at = 100;
    for (double& e : equity) {
      at *= 1 + 0.006 * (rng.uniform() - 0.5);
      e = at;
    }
    const std::vector<double> cost(equity.size(), 0.0);
    std::vector<std::size_t> ends;
    for (std::size_t d = 1; d <= 60; ++d) ends.push_back(d * 24);
    const DayBars days = days_from_bars(
        {.equity = equity, .exit_cost = cost, .day_end = ends, .month = {}, .initial = 100});
    const PolicyHistory none = apply_policy(days, policy("none"), 365);
    EXPECT_NEAR(none.total_return_frac, at / 100 - 1, 1e-9);
    const PolicyHistory kill = apply_policy(days, policy("drawdown_kill=0.02"), 365);
    EXPECT_LE(kill.drawdown_frac, 0.02 + 0.003 + 1e-9) << "round " << round;
    EXPECT_LE(kill.triggers, 1u);
    const PolicyHistory stop = apply_policy(days, policy("day_stop=0.01"), 365);
    EXPECT_GE(*std::min_element(stop.returns.begin(), stop.returns.end()), -0.01 - 0.003 - 1e-9);
  }
}

TEST(RiskPolicy, ARuinedAccountStaysRuined) {
  std::vector<double> returns(40, 0.01);
  returns[10] = -1.5;
  const PolicyHistory out = apply_policy(days_from_returns(returns), policy("day_stop=0.03"), 365);
  EXPECT_EQ(out.total_return_frac, -1);
  EXPECT_EQ(out.drawdown_frac, 1);
  EXPECT_EQ(out.triggers, 1u);
}

TEST(RiskPolicy, TextIsReadOrRefusedByName) {
  const Policy both = policy("day_stop=0.03+drawdown_kill=0.15");
  ASSERT_EQ(both.rules.size(), 2u);
  EXPECT_EQ(both.rules[1].until, FlatUntil::Never);
  for (const char* bad : {"", "day_stop", "day_stop=", "day_stop=3", "day_stop=0", "day_stop=-0.1",
                          "day_stop=nan", "day_stop=0.1x", "stop=0.1", "day_stop=0.1+", "+"}) {
    const auto read = parse_policy(bad);
    ASSERT_FALSE(read.ok()) << bad;
    EXPECT_EQ(read.error().code(), ErrorCode::InvalidInput);
  }
  EXPECT_NE(parse_policy("dai_stop=0.1").error().text().find("day_stop"), std::string::npos);
}

TEST(RiskTail, NormalSampleGivesTheNormalTail) {
  const auto returns = normal_days(20'001, 0, 0.01);
  const std::vector<double> tails = {0.05, 0.01};
  const auto risks = tail_risks(returns, tails, {.resamples = 200, .seed = 4}, serial_for());
  ASSERT_EQ(risks.size(), 2u);
  EXPECT_NEAR(risks[0].var_frac, 1 - std::exp(-0.01 * 1.6448536), 2e-5);
  EXPECT_NEAR(risks[0].var_normal_frac, 0.01 * 1.6448536, 2e-4);
  EXPECT_NEAR(risks[0].cvar_normal_frac, 0.01 * 2.0627, 2e-4);
  for (const TailRisk& r : risks) {
    EXPECT_GT(r.cvar_frac, r.var_frac);
    EXPECT_LE(r.var_interval.low, r.var_frac);
    EXPECT_GE(r.var_interval.high, r.var_frac);
    EXPECT_LE(r.cvar_interval.low, r.cvar_frac);
    EXPECT_GE(r.cvar_interval.high, r.cvar_frac);
    // As the metrics of STATISTICS define them, with the sign turned.
    EXPECT_NEAR(r.var_frac, -stats::value_at_risk(returns, r.tail), 1e-15);
    EXPECT_NEAR(r.cvar_frac, -stats::expected_shortfall(returns, r.tail), 1e-15);
  }
}

TEST(RiskTail, IntervalCoversTheTruthAsOftenAsItSays) {
  const std::vector<double> tail = {0.05};
  int covered = 0;
  constexpr int kRounds = 120;
  for (int round = 0; round < kRounds; ++round) {
    Rng rng(77, static_cast<std::uint64_t>(round));
    std::vector<double> x(300);
    for (double& v : x) v = 0.01 * det_normal_quantile(std::max(rng.uniform(), 1e-16));
    const auto r = tail_risks(x, tail, {.resamples = 200, .seed = 1}, serial_for()).front();
    covered += r.var_interval.low <= 0.0164485 && 0.0164485 <= r.var_interval.high ? 1 : 0;
  }
  EXPECT_GE(covered, 106) << "of 120, for a 95% interval";
}

TEST(RiskTail, SharpePosteriorAgreesWithLongSampleTheory) {
  const auto returns = normal_days(1001, 0.0008, 0.01);
  const auto p = sharpe_posterior(returns, 1.0, 365);
  const double observed = stats::sharpe(returns) * std::sqrt(365.0);
  EXPECT_NEAR(p.median_ann, observed, 0.01);
  // sd of an estimated Sharpe: sqrt((1 + S^2 / 2) / T) per period.
  const double s = stats::sharpe(returns);
  EXPECT_NEAR(p.sd_ann, std::sqrt((1 + s * s / 2) / 1001 * 365), 0.01);
  EXPECT_NEAR(p.low_ann, p.median_ann - 1.6449 * p.sd_ann, 0.02);
  EXPECT_NEAR(p.high_ann, p.median_ann + 1.6449 * p.sd_ann, 0.02);
  EXPECT_NEAR(p.p_above_zero, stats::normal_cdf(observed / p.sd_ann), 0.005);
  EXPECT_GT(p.p_above_zero, p.p_above_benchmark);
}

}  // namespace
}  // namespace winnow::sweeps::risk
