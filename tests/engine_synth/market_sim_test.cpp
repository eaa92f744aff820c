#include "engine/synth/market_sim.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/hash.hpp"
#include "engine/engine.hpp"

namespace winnow::engine::synth {
namespace {

using Series = std::vector<double>;

InstrumentSpec instrument(const std::string& name = "a") {
  InstrumentSpec s;
  s.name = name;
  s.start_px = 20'000;
  s.tick_px = 0.1;
  s.volume_per_bar = 500;
  return s;
}

MarketSpec market_of(std::vector<InstrumentSpec> instruments, std::uint64_t bars) {
  MarketSpec m;
  m.name = "test";
  m.bars = bars;
  m.steps_per_bar = 4;
  m.instruments = std::move(instruments);
  return m;
}

std::vector<SimulatedInstrument> simulate(const MarketSpec& spec, std::uint64_t seed) {
  auto out = simulate_market(spec, seed);
  if (!out.ok()) {
    ADD_FAILURE() << out.error().text();
    std::abort();
  }
  return std::move(out).value();
}
SimulatedInstrument simulate_one(const InstrumentSpec& spec, std::uint64_t bars,
                                 std::uint64_t seed) {
  return std::move(simulate(market_of({spec}, bars), seed)[0]);
}

Series returns_of(const Series& close) {
  Series out;
  for (std::size_t i = 1; i < close.size(); ++i) out.push_back(close[i] / close[i - 1] - 1);
  return out;
}
double mean(const Series& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}
double variance(const Series& x) {
  const double m = mean(x);
  double sum = 0;
  for (const double v : x) sum += (v - m) * (v - m);
  return sum / static_cast<double>(x.size());
}
double autocorrelation(const Series& x, std::size_t lag) {
  const double m = mean(x);
  double sum = 0;
  for (std::size_t i = lag; i < x.size(); ++i) sum += (x[i] - m) * (x[i - lag] - m);
  return sum / static_cast<double>(x.size()) / variance(x);
}
/// Signs are free of the fat tails that make a correlation of returns noisy.
Series signs(Series x) {
  for (double& v : x) v = v > 0 ? 1 : v < 0 ? -1 : 0;
  return x;
}
double kurtosis(const Series& x) {
  const double m = mean(x);
  double fourth = 0;
  for (const double v : x) fourth += (v - m) * (v - m) * (v - m) * (v - m);
  return fourth / static_cast<double>(x.size()) / (variance(x) * variance(x));
}
/// Hill's estimator of the tail index from the largest `count` absolute values.
double tail_index(Series x, std::size_t count) {
  for (double& v : x) v = std::abs(v);
  std::sort(x.rbegin(), x.rend());
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += std::log(x[i] / x[count]);
  return static_cast<double>(count) / sum;
}

InstrumentSpec plain_noise() {
  InstrumentSpec s = instrument();
  s.volatility_curve = flat_curve();
  s.tail_dof = 0;
  return s;
}

std::string hash_of(const MarketColumns& c) {
  Sha256 hasher;
  const auto add = [&](const auto& v) {
    hasher.add({reinterpret_cast<const char*>(v.data()), v.size() * sizeof v[0]});
  };
  add(c.time_ns);
  for (const auto* column : {&c.open, &c.high, &c.low, &c.close, &c.volume}) add(*column);
  add(c.funding);
  return hasher.finish_hex();
}

MarketSpec everything() {
  InstrumentSpec a = instrument("a");
  a.regimes = {{"calm", 0.4, 0.1, days(3)}, {"busy", 0.9, -0.1, days(1)}};
  a.jumps = {50, 0.02};
  a.edge = {EdgeKind::MeanReversion, hours(12), 3};
  a.funding = {hours(8), 0.5, 1};
  InstrumentSpec b = instrument("b");
  b.pair = PairSpec{"a", 0.7, hours(6), 0.004};
  InstrumentSpec c = instrument("c");
  c.edge = {EdgeKind::Trend, days(2), 3};
  return market_of({a, b, c}, 3000);
}

// The bytes are part of every demo's dataset hash: they may change only on purpose, with
// kSimulatorVersion. From version 1 to 2 only highs and lows did.
TEST(MarketSim, SameSeedSameBytesOnEveryMachine) {
  const auto market = simulate(everything(), 42);
  EXPECT_EQ(hash_of(market[0].columns),
            "a8f28f157159cd62e98560a8a73e495369313d5ff71d4703e45d8c086bcfdf29");
  EXPECT_EQ(hash_of(market[1].columns),
            "000ed750db202ecc0e4292fd0a8b4c3fa24919a8cef958daae10d924c2aa3a02");
  EXPECT_EQ(hash_of(market[2].columns),
            "54ca4cf3577fb2cbd300e512a3159073265a22a5c69fcb93cd76c5d253b76b03");
  EXPECT_NE(hash_of(simulate(everything(), 43)[0].columns), hash_of(market[0].columns));
}

TEST(MarketSim, ALongerMarketBeginsWithTheShorterOne) {
  MarketSpec spec = everything();
  const auto short_market = simulate(spec, 5);
  spec.bars = 4000;
  const auto long_market = simulate(spec, 5);
  for (std::size_t i = 0; i < 3; ++i) {
    const Series& whole = long_market[i].columns.close;
    EXPECT_EQ(Series(whole.begin(), whole.begin() + 3000), short_market[i].columns.close);
  }
}

TEST(MarketSim, BarsAreHonestAndOnTheGrids) {
  for (const SimulatedInstrument& s : simulate(everything(), 9)) {
    const MarketColumns& c = s.columns;
    ASSERT_EQ(c.size(), 3000u);
    bool moved_beyond_body = false;
    for (std::size_t i = 0; i < c.size(); ++i) {
      EXPECT_EQ(c.time_ns[i],
                1'672'531'200'000'000'000 + static_cast<std::int64_t>(i) * 900'000'000'000);
      EXPECT_GE(c.high[i], std::max(c.open[i], c.close[i]));
      EXPECT_LE(c.low[i], std::min(c.open[i], c.close[i]));
      EXPECT_GT(c.low[i], 0);
      EXPECT_GT(c.volume[i], 0);
      if (i > 0) {
        EXPECT_EQ(c.open[i], c.close[i - 1]);
      }
      for (const double px : {c.open[i], c.high[i], c.low[i], c.close[i]}) {
        EXPECT_EQ(px, std::round(px * 10) / 10);
      }
      EXPECT_EQ(c.volume[i], std::round(c.volume[i] * 1000) / 1000);
      moved_beyond_body = moved_beyond_body || c.high[i] > std::max(c.open[i], c.close[i]);
    }
    EXPECT_TRUE(moved_beyond_body);
  }
}

TEST(MarketSim, NoiseIsUncorrelatedAtEveryLag) {
  const auto noise = simulate_one(instrument(), 200'000, 1);
  EXPECT_TRUE(noise.truth.martingale);
  const Series s = signs(returns_of(noise.columns.close));
  const double limit = 4.5 / std::sqrt(200'000.0);
  for (const std::size_t lag : {1u, 2u, 3u, 5u, 10u, 50u, 96u, 500u}) {
    EXPECT_LT(std::abs(autocorrelation(s, lag)), limit) << lag;
  }
  // Variance of sums grows like their length: no slow reversion, no slow trend.
  const Series r = returns_of(simulate_one(plain_noise(), 200'000, 2).columns.close);
  for (const std::size_t span : {8u, 64u}) {
    Series sums;
    for (std::size_t i = 0; i + span <= r.size(); i += span) {
      sums.push_back(std::accumulate(r.begin() + static_cast<std::ptrdiff_t>(i),
                                     r.begin() + static_cast<std::ptrdiff_t>(i + span), 0.0));
    }
    const double ratio = variance(sums) / (static_cast<double>(span) * variance(r));
    EXPECT_NEAR(ratio, 1, 5 * std::sqrt(2.0 * static_cast<double>(span) / 200'000.0)) << span;
  }
}

TEST(MarketSim, VolatilityIsTheStatedOne) {
  const auto noise = simulate_one(plain_noise(), 200'000, 3);
  const double ann = std::sqrt(variance(returns_of(noise.columns.close)) * 365 * 96);
  EXPECT_NEAR(ann, 0.5, 0.005);
  // Fat tails and the day's curve keep the total.
  const auto fat = simulate_one(instrument(), 400'000, 3);
  EXPECT_NEAR(std::sqrt(variance(returns_of(fat.columns.close)) * 365 * 96), 0.5, 0.05);
}

TEST(MarketSim, TailsAreStudentTOfTheStatedDegree) {
  InstrumentSpec s = plain_noise();
  EXPECT_NEAR(kurtosis(returns_of(simulate_one(s, 200'000, 4).columns.close)), 3, 0.1);
  s.tail_dof = 10;  // kurtosis 3 + 6 / (dof - 4) = 4
  EXPECT_NEAR(kurtosis(returns_of(simulate_one(s, 400'000, 4).columns.close)), 4, 0.3);
  s.tail_dof = 4;
  const double index = tail_index(returns_of(simulate_one(s, 400'000, 4).columns.close), 400);
  EXPECT_GT(index, 3.2);
  EXPECT_LT(index, 4.8);
}

TEST(MarketSim, JumpsAreAsManyAndAsLargeAsTheTruthSays) {
  InstrumentSpec s = plain_noise();
  s.jumps = {100, 0.05};
  const auto sim = simulate_one(s, 35'040 * 4, 5);
  const auto& jumps = sim.truth.jumps;
  EXPECT_NEAR(static_cast<double>(jumps.size()), 400, 80);
  Series sizes;
  const Series r = returns_of(sim.columns.close);
  double explained = 0;
  for (const JumpEvent& j : jumps) {
    sizes.push_back(j.size_frac);
    if (std::abs(j.size_frac) < 0.03 || j.bar == 0) continue;
    // A large jump is most of its bar's return.
    EXPECT_NEAR(r[j.bar - 1], j.size_frac, 0.02);
    ++explained;
  }
  EXPECT_GT(explained, 50);
  EXPECT_NEAR(std::sqrt(variance(sizes)), 0.05, 0.006);
}

TEST(MarketSim, RegimesHaveTheirStatedVolatilityAndLength) {
  InstrumentSpec s = plain_noise();
  s.regimes = {{"calm", 0.3, 0, days(4)}, {"busy", 0.9, 0, days(2)}};
  const auto sim = simulate_one(s, 200'000, 6);
  const auto& runs = sim.truth.regimes;
  const Series r = returns_of(sim.columns.close);
  Series squares[2];
  double bars[2] = {};
  double visits[2] = {};
  for (std::size_t k = 0; k < runs.size(); ++k) {
    const std::uint64_t end = k + 1 < runs.size() ? runs[k + 1].first_bar : 200'000;
    if (k > 0) {
      EXPECT_NE(runs[k].regime, runs[k - 1].regime);
    }
    bars[runs[k].regime] += static_cast<double>(end - runs[k].first_bar);
    ++visits[runs[k].regime];
    for (std::uint64_t b = std::max<std::uint64_t>(1, runs[k].first_bar); b < end; ++b) {
      squares[runs[k].regime].push_back(r[b - 1] * r[b - 1]);
    }
  }
  EXPECT_NEAR(std::sqrt(mean(squares[0]) * 365 * 96), 0.3, 0.01);
  EXPECT_NEAR(std::sqrt(mean(squares[1]) * 365 * 96), 0.9, 0.03);
  EXPECT_NEAR(bars[0] / visits[0], 4 * 96, 60);
  EXPECT_NEAR(bars[1] / visits[1], 2 * 96, 30);
}

TEST(MarketSim, VolumeAndVolatilityFollowTheDayCurve) {
  const auto sim = simulate_one(instrument(), 96 * 1500, 7);
  const MarketColumns& c = sim.columns;
  double volume[24] = {};
  double move[24] = {};
  for (std::size_t i = 0; i < c.size(); ++i) {
    const auto hour = static_cast<std::size_t>(i / 4 % 24);
    volume[hour] += c.volume[i] / (1500 * 4);
    move[hour] += std::abs(c.close[i] / c.open[i] - 1) / (1500 * 4);
  }
  const double mean_volume = std::accumulate(volume, volume + 24, 0.0) / 24;
  const double mean_move = std::accumulate(move, move + 24, 0.0) / 24;
  EXPECT_NEAR(mean_volume, 500, 10);
  const auto expected = [](const DayCurve& curve, std::size_t h) {
    // Bars at :00, :15, :30 and :45 on the line to the next hour.
    return curve[h] + 0.375 * (curve[(h + 1) % 24] - curve[h]);
  };
  double volume_scale = 0;
  double move_scale = 0;
  for (std::size_t h = 0; h < 24; ++h) {
    volume_scale += expected(crypto_volume_curve(), h) / 24;
    move_scale += expected(crypto_volatility_curve(), h) / 24;
  }
  for (std::size_t h = 0; h < 24; ++h) {
    EXPECT_NEAR(volume[h] / mean_volume, expected(crypto_volume_curve(), h) / volume_scale, 0.05)
        << h;
    EXPECT_NEAR(move[h] / mean_move, expected(crypto_volatility_curve(), h) / move_scale, 0.06)
        << h;
  }
}

TEST(MarketSim, PairHasItsHedgeRatioAndItsSpreadItsHalfLife) {
  InstrumentSpec a = instrument("a");
  InstrumentSpec b = instrument("b");
  b.pair = PairSpec{"a", 0.7, hours(10), 0.005};
  const auto market = simulate(market_of({a, b}, 100'000), 8);
  Series x;
  Series y;
  for (std::size_t i = 0; i < 100'000; ++i) {
    x.push_back(std::log(market[0].columns.close[i]));
    y.push_back(std::log(market[1].columns.close[i]));
  }
  const double mean_x = mean(x);
  const double mean_y = mean(y);
  double covariance = 0;
  for (std::size_t i = 0; i < x.size(); ++i) covariance += (x[i] - mean_x) * (y[i] - mean_y);
  const double ratio = covariance / static_cast<double>(x.size()) / variance(x);
  EXPECT_NEAR(ratio, 0.7, 0.01);
  Series spread;
  for (std::size_t i = 0; i < x.size(); ++i) spread.push_back(y[i] - 0.7 * x[i]);
  EXPECT_NEAR(std::sqrt(variance(spread)), 0.005, 0.0004);
  const double half_life = -std::log(2.0) / std::log(autocorrelation(spread, 1));
  EXPECT_NEAR(half_life, 40, 4);
  EXPECT_EQ(market[1].truth.pair_half_life_bars, 40);
  EXPECT_FALSE(market[1].truth.martingale);
}

/// Sharpe ratio a year of holding a position in proportion to a forecast of each next return.
double forecast_sharpe(const Series& forecast, const Series& next_return) {
  Series pnl;
  for (std::size_t i = 0; i < forecast.size(); ++i) pnl.push_back(forecast[i] * next_return[i]);
  return mean(pnl) / std::sqrt(variance(pnl)) * std::sqrt(365.0 * 96);
}

// The steady-state filter, run over prices alone, reaches what the calibration promised.
TEST(MarketSim, PlantedEdgesAreAttainableFromPricesAsStated) {
  for (const EdgeKind kind : {EdgeKind::MeanReversion, EdgeKind::Trend}) {
    InstrumentSpec s = plain_noise();
    s.tick_px = 0.01;
    s.edge = {kind, hours(12), 4};
    const auto sim = simulate_one(s, 35'040 * 12, 9);
    EXPECT_FALSE(sim.truth.martingale);
    EXPECT_NEAR(sim.truth.edge.sharpe_ann_prices, 4, 1e-6);
    const bool reverts = kind == EdgeKind::MeanReversion;
    const double phi = decay(sim.truth.edge.half_life_bars);
    const double a = sim.truth.edge.amplitude_sd_frac;
    const double q = sim.truth.volatility_bar_frac * sim.truth.volatility_bar_frac;
    const double u = a * a * (1 - phi * phi);
    const double carry = reverts ? phi - 1 : 1;  // of the state into the return
    const double shock = reverts ? u : 0;        // shared by state and return
    double p = a * a;
    double state = 0;
    Series forecast;
    Series next;
    Series seen;
    const Series r = returns_of(sim.columns.close);
    for (std::size_t i = 0; i + 1 < r.size(); ++i) {
      const double innovation = carry * carry * p + q + shock;
      const double covariance = phi * carry * p + shock;
      state = phi * state + covariance / innovation * (r[i] - carry * state);
      p = phi * phi * p + u - covariance * covariance / innovation;
      forecast.push_back(carry * state);
      seen.push_back(carry * sim.truth.state[i + 1]);
      next.push_back(r[i + 1]);
    }
    // The standard error of a yearly Sharpe ratio over 12 years is 0.29.
    EXPECT_NEAR(forecast_sharpe(forecast, next), 4, 0.9) << static_cast<int>(kind);
    EXPECT_NEAR(forecast_sharpe(seen, next), sim.truth.edge.sharpe_ann_state, 1.2);
  }
}

Series family_sharpes(const SimulatedInstrument& sim, const char* name, const Series& params) {
  const MarketView view = sim.columns.view();
  ExecutionModel costs;
  costs.taker_fee_bps = 5;
  costs.maker_fee_bps = 2;
  costs.half_spread_bps = 0.5;
  costs.half_spread_range_frac = 0.02;
  costs.impact_bps = 10;
  BatchRequest request;
  request.market = &view;
  request.window = {2000, view.size()};
  request.family = find_family(name);
  request.params = params;
  request.execution = &costs;
  request.isa = best_isa();
  const auto result = run_batch(request);
  if (!result.ok()) {
    ADD_FAILURE() << result.error().text();
    return {};
  }
  const auto at = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(find_metric("sharpe_ann")) *
                                              result->variants);
  return {result->metrics.begin() + at,
          result->metrics.begin() + at + static_cast<std::ptrdiff_t>(result->variants)};
}

Series mean_reversion_grid() {
  Series params;
  for (const double lookback : {144., 192., 240., 288.}) {
    for (const double entry : {1., 1.5, 2., 2.5}) {
      for (const double v : {lookback, entry, 0., 0., 0., 0.}) params.push_back(v);
    }
  }
  return params;
}

// The demo's promise: a plateau, not a peak, on one instrument, and nothing on the other.
TEST(MarketSim, PlantedEdgeIsAPlateauAfterCostsAndNoiseHasNone) {
  Series noise_means;
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u}) {
    InstrumentSpec edge = instrument();
    edge.regimes = {{"calm", 0.4, 0, days(30)}, {"busy", 0.7, 0, days(10)}};
    edge.edge = {EdgeKind::MeanReversion, days(1), 5};
    const Series planted =
        family_sharpes(simulate_one(edge, 70'080, seed), "mean_reversion", mean_reversion_grid());
    edge.edge = {};
    const Series nothing =
        family_sharpes(simulate_one(edge, 70'080, seed), "mean_reversion", mean_reversion_grid());
    EXPECT_GT(*std::min_element(planted.begin(), planted.end()), 1.0) << "seed " << seed;
    EXPECT_GT(mean(planted), 2.0) << "seed " << seed;
    noise_means.push_back(mean(nothing));
  }
  // Costs alone are left of it; one mean's standard error over two years is 0.7.
  EXPECT_LT(mean(noise_means), 0.25);
}

TEST(MarketSim, PlantedTrendSuitsTrendFollowing) {
  InstrumentSpec s = instrument();
  s.edge = {EdgeKind::Trend, days(5), 5};
  Series params;
  for (const double fast : {24., 48., 96.}) {
    for (const double slow : {192., 288., 384.}) {
      for (const double v : {fast, slow, 1.}) params.push_back(v);
    }
  }
  const Series planted = family_sharpes(simulate_one(s, 70'080, 4), "sma_cross", params);
  EXPECT_GT(*std::min_element(planted.begin(), planted.end()), 1.0);
}

TEST(MarketSim, FundingIsPaidOnTimeWithTheStatedMoments) {
  InstrumentSpec s = instrument();
  s.funding = {hours(8), 0.5, 2};
  const auto sim = simulate_one(s, 96 * 1000, 10);
  Series bps;
  for (const FundingEvent& e : sim.columns.funding) {
    EXPECT_EQ(e.time_ns % 28'800'000'000'000, 0);
    bps.push_back(e.rate_frac * 1e4);
  }
  EXPECT_EQ(bps.size(), 3000u);
  EXPECT_NEAR(mean(bps), 0.5, 0.15);
  EXPECT_NEAR(std::sqrt(variance(bps)), 2, 0.15);
}

TEST(MarketSim, BadSpecificationsNameTheKey) {
  MarketSpec spec = everything();
  spec.instruments[1].pair->half_life = seconds(1);
  const auto bad = simulate_market(spec, 1);
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.error().text().find("instruments[1].pair.half_life: 1s is not allowed"),
            std::string::npos);
  spec = everything();
  spec.instruments.clear();
  EXPECT_FALSE(simulate_market(spec, 1).ok());
}

}  // namespace
}  // namespace winnow::engine::synth
