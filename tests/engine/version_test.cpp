#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/hash.hpp"
#include "base/rng.hpp"
#include "engine/engine.hpp"

// Two thousand fixed cases through the engine with the rules of version 2 off, and as many with
// some of them on, and what their results hash to in each version. Who changes a result without
// raising kEngineVersion mixes two kinds of numbers under one name in every store there is.
//
// The test says the hash it found. Where a result was meant to change: raise kEngineVersion (once a
// release), and write the new line into kHashes:
//   build/quick/tests/engine/winnow_test_engine --gtest_filter='EngineVersion.*'
namespace winnow::engine {
namespace {

struct Hashes {
  std::string plain;
  std::string with_rules;
};
const std::map<std::uint32_t, Hashes> kHashes = {
    {2, {"eac6b82320e2bf5b6460468032833368", "993468b8ec2d09c26092b6f423413406"}},
};

constexpr std::size_t kMarkets = 20;
constexpr std::size_t kVariants = 50;
constexpr std::size_t kBars = 1'000;
constexpr std::int64_t kHourNs = 3'600'000'000'000;

// Generators of this test alone: those of others may change.

double between(Rng& rng, double low, double high) { return low + (high - low) * rng.uniform(); }

bool coin(Rng& rng) { return rng.uniform() < 0.5; }

MarketColumns market_of(std::uint64_t seed) {
  Rng rng(seed, 13);
  MarketColumns m;
  m.interval_ns = kHourNs;
  std::int64_t time = 1'672'531'200'000'000'000;  // 2023-01-01
  double px = between(rng, 5, 500);
  for (std::size_t i = 0; i < kBars; ++i) {
    if (rng.uniform() < 0.01) time += kHourNs * static_cast<std::int64_t>(rng.below(80));
    const double open = px * (1 + (rng.uniform() < 0.02 ? between(rng, -0.05, 0.05) : 0));
    const double close = open * (1 + between(rng, -0.012, 0.012));
    m.time_ns.push_back(time);
    m.open.push_back(open);
    m.close.push_back(close);
    m.high.push_back(std::max(open, close) * (1 + between(rng, 0, 0.006)));
    m.low.push_back(std::min(open, close) * (1 - between(rng, 0, 0.006)));
    m.volume.push_back(rng.uniform() < 0.03 ? 0 : between(rng, 1, 2'000));
    time += kHourNs;
    px = close;
  }
  for (std::int64_t t = m.time_ns.front(); t < time; t += 8 * kHourNs) {
    m.funding.push_back({t, between(rng, -2e-4, 3e-4)});
  }
  return m;
}

ExecutionModel execution_of(Rng& rng, const MarketColumns& market) {
  ExecutionModel e;
  if (coin(rng)) e.taker_fee_bps = between(rng, 0.5, 12);
  if (coin(rng)) e.maker_fee_bps = between(rng, -2, 8);
  if (coin(rng)) e.half_spread_bps = between(rng, 0.1, 6);
  if (coin(rng)) e.half_spread_range_frac = between(rng, 0.01, 0.2);
  if (coin(rng)) e.impact_bps = between(rng, 1, 60);
  if (coin(rng)) e.participation_max_frac = between(rng, 0.01, 0.9);
  e.funding = coin(rng);
  if (coin(rng)) {
    e.sizing = Sizing::FixedQty;
    e.fixed_qty = between(rng, 0.05, 20);
  }
  e.initial_cash = between(rng, 500, 50'000);
  if (coin(rng)) e.rules.push_back({market.time_ns[kBars / 3], 0.01, 0.001, 0.002, 5});
  return e;
}

// Each rule in half of the cases, the two laws of slippage in turn.
void add_rules(Rng& rng, ExecutionModel& e) {
  if (coin(rng)) {
    e.impact_bps = 0;
    e.impact_y = between(rng, 0.2, 2);
  }
  e.work_exits = coin(rng);
  e.expected_volume = coin(rng);
  e.resting_targets = coin(rng);
  e.target_penetration_ticks = static_cast<double>(rng.below(3));
  if (coin(rng)) e.stop_range_frac = between(rng, 0.01, 0.3);
  e.liquidation = coin(rng);
  if (coin(rng)) e.maintenance_margin_frac = between(rng, 0.001, 0.1);
  if (coin(rng)) e.liquidation_fee_bps = between(rng, 10, 200);
  e.drawdown_bars = coin(rng);
  e.shorts = coin(rng);
  if (coin(rng)) e.leverage_max = between(rng, 0.5, 3);
  if (coin(rng)) e.borrow_ann_frac = between(rng, 0.01, 0.2);
}

std::vector<double> rows_of(Rng& rng, std::string_view family) {
  std::vector<double> rows;
  const auto maybe = [&](double v) { return rng.uniform() < 0.3 ? 0.0 : v; };
  for (std::size_t i = 0; i < kVariants; ++i) {
    if (family == "sma_cross") {
      const double fast = 1 + static_cast<double>(rng.below(20));
      rows.insert(rows.end(), {fast, fast + 1 + static_cast<double>(rng.below(40)),
                               static_cast<double>(rng.below(2))});
      continue;
    }
    rows.insert(rows.end(),
                {2 + static_cast<double>(rng.below(40)), between(rng, 0.8, 2.5),
                 between(rng, -0.7, 0.7), maybe(between(rng, 5, 300)), maybe(between(rng, 5, 300)),
                 maybe(1 + static_cast<double>(rng.below(60)))});
  }
  return rows;
}

void add_results(const BatchResult& result, KeyHasher& hasher) {
  for (const double v : result.metrics) hasher.add(v);
  for (const float v : result.returns) hasher.add(static_cast<double>(v));
}

std::string hash_of_cases(bool with_rules) {
  std::size_t cases = 0;
  KeyHasher all("engine-results");
  for (std::size_t k = 0; k < kMarkets; ++k) {
    const MarketColumns columns = market_of(k + 1);
    const MarketView market = columns.view();
    for (const char* family : {"mean_reversion", "sma_cross"}) {
      Rng rng(1'000 + k, family[0] == 'm' ? 1 : 2);
      ExecutionModel execution = execution_of(rng, columns);
      const std::vector<double> rows = rows_of(rng, family);
      if (with_rules) add_rules(rng, execution);
      BatchRequest request;
      request.market = &market;
      request.window = {100, kBars};
      request.family = find_family(family);
      request.params = rows;
      request.execution = &execution;
      request.isa = best_isa();
      const auto result = run_batch(request);
      if (!result.ok()) return result.error().text();
      cases += result->variants;
      KeyHasher one("batch");
      add_results(*result, one);
      all.add(one.finish());
    }
  }
  EXPECT_EQ(cases, 2'000u);
  return all.finish().hex();
}

void expect_said(const std::string& said, const std::string& found) {
  EXPECT_EQ(said, found)
      << "results changed and kEngineVersion did not. If they were meant to, raise it, or, while "
         "version "
      << kEngineVersion << " is not released, put this hash into kHashes";
}

TEST(EngineVersion, F13TwoThousandCasesHashToWhatTheirVersionSays) {
  const auto said = kHashes.find(kEngineVersion);
  ASSERT_NE(said, kHashes.end()) << "engine version " << kEngineVersion
                                 << " has no hash yet; these results: " << hash_of_cases(false);
  expect_said(said->second.plain, hash_of_cases(false));
}

TEST(EngineVersion, F13TwoThousandCasesWithRulesHashToWhatTheirVersionSays) {
  const auto said = kHashes.find(kEngineVersion);
  ASSERT_NE(said, kHashes.end()) << "engine version " << kEngineVersion
                                 << " has no hash yet; these results: " << hash_of_cases(true);
  expect_said(said->second.with_rules, hash_of_cases(true));
}

}  // namespace
}  // namespace winnow::engine
