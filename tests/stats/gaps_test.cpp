#include "sweeps/level/gaps.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "sweeps/convergence/anova.hpp"
#include "sweeps/convergence/convergence.hpp"

// Row E3: losses that were not seen.
namespace winnow::sweeps::level {
namespace {

// Tabulated limits of a Poisson mean (Garwood 1936), and the rule of three.
TEST(Gaps, UpperLimitsAreThoseOfPoisson) {
  EXPECT_NEAR(poisson_upper_limit(0), -std::log(0.05), 1e-12);
  EXPECT_NEAR(poisson_upper_limit(1), 4.7439, 1e-4);
  EXPECT_NEAR(poisson_upper_limit(2), 6.2958, 1e-4);
  EXPECT_NEAR(poisson_upper_limit(10), 16.9622, 1e-4);
  EXPECT_NEAR(poisson_upper_limit(100), 118.0789, 1e-3);
}

TEST(Gaps, AStopLeavesItsDistanceAndAThirdOfTheGap) {
  const Gap gap{.frac = 0.3, .seen = 1, .years = 11, .record = "r"};
  EXPECT_DOUBLE_EQ(gap_loss(gap, {.notional_max = 1}), 0.3);
  EXPECT_DOUBLE_EQ(gap_loss(gap, {.notional_max = 2}), 0.6);
  EXPECT_DOUBLE_EQ(gap_loss(gap, {.notional_max = 1, .stop_frac = 0.02}), 0.12);
  EXPECT_DOUBLE_EQ(gap_loss(gap, {.notional_max = 0.5, .stop_frac = 0.9999}), 0.15);
  EXPECT_EQ(gap_loss(gap, {}), 0);
  EXPECT_NEAR(gap.rate_year(), 0.4313, 1e-4);
}

const std::string kYaml = R"(records:
  - record: bitcoin
    instruments: [BTC-USD, BTC-USDT]
    gap_frac: 0.3
    seen: 1
    from: 2015-01-01
    to: 2026-01-01
    source: closes
)";

std::vector<GapRecord> records(const std::string& yaml) {
  auto out = parse_gaps(yaml, "gaps.yaml");
  EXPECT_TRUE(out.ok()) << out.error().text();
  return out.ok() ? *out : std::vector<GapRecord>();
}

TEST(Gaps, AnyAliasOfANameWillDo) {
  const auto r = records(kYaml);
  for (const char* name : {"BTCUSDT", "BTC/USDT:USDT", "BTC-USDT-SWAP", "BTCUSDT-PERP", "BTC-USD",
                           "XBTUSD", "BTC/USD:BTC-240628"}) {
    ASSERT_NE(find_gap(r, name), nullptr) << name;
    EXPECT_EQ(find_gap(r, name)->gap.record, "bitcoin");
  }
  for (const char* name : {"ETHUSDT", "USDCUSDT", "BTCEUR", "SIM-alpha", "one"}) {
    EXPECT_EQ(find_gap(r, name), nullptr) << name;
  }
}

TEST(Gaps, AHomeMayRaiseAndNeverLower) {
  const auto shipped = records(kYaml);
  const auto answer = [&](const std::string& own, std::string_view instrument) {
    const auto r = records(own);
    return resolve_gap({.shipped = shipped, .own = r, .instrument = instrument, .years = 2});
  };
  const auto with = [](std::string from, std::string to) {
    std::string yaml = kYaml;
    yaml.replace(yaml.find(from), from.size(), to);
    return yaml;
  };
  EXPECT_EQ(answer("records: []", "BTCUSDT")->frac, 0.3);
  const Gap none = *answer("records: []", "USDCUSDT");
  EXPECT_EQ(none.frac, kGapFracUnrecorded);
  EXPECT_NEAR(none.rate_year(), 3.0 / 2, 0.01);
  EXPECT_EQ(answer(with("gap_frac: 0.3", "gap_frac: 0.5"), "BTCUSDT")->frac, 0.5);
  for (const auto& less : {with("gap_frac: 0.3", "gap_frac: 0.2"), with("seen: 1", "seen: 0"),
                           with("BTC-USDT]", "BTC-USDT, USDC-USDT]")}) {
    const auto refused =
        answer(less, less.find("USDC") == std::string::npos ? "BTCUSDT" : "USDCUSDT");
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().text().find("may only raise"), std::string::npos);
  }
}

TEST(Gaps, WhatIsWrongInAFileIsRefusedAtItsPlace) {
  struct Case {
    const char *from, *to, *said;
  };
  for (const Case& c :
       {Case{"gap_frac: 0.3", "gap_frac: 3", "gaps.yaml:4:15: records[0].gap_frac: 3 is not"},
        Case{"seen: 1", "seen: -1", "records[0].seen"},
        Case{"to: 2026-01-01", "to: 2015-02-01", "shorter than a year"},
        Case{"BTC-USDT]", "BTCUSDT, BTC-USDT]", "stands twice"},
        Case{"[BTC-USD, BTC-USDT]", "[]", "the list is empty"},
        Case{"    source: closes\n", "", "where the record comes from"},
        Case{"seen", "seem", "did you mean"}}) {
    std::string yaml = kYaml;
    yaml.replace(yaml.find(c.from), std::string(c.from).size(), c.to);
    const auto read = parse_gaps(yaml, "gaps.yaml");
    ASSERT_FALSE(read.ok()) << c.to;
    EXPECT_EQ(read.error().code(), ErrorCode::InvalidInput);
    EXPECT_NE(read.error().text().find(c.said), std::string::npos) << read.error().text();
  }
}

TEST(Gaps, TheWordsSayDaysOfProfit) {
  const Gap gap{.frac = 0.3, .seen = 1, .years = 11, .record = "bitcoin"};
  EXPECT_EQ(
      gap_text(gap, {.loss_frac = 0.3, .profit_a_day = 0.3 / 212}),
      "one gap of 30% costs 212 days of profit; charged 0.43 a year (bitcoin: 1 in 11 years)");
  EXPECT_EQ(
      gap_text(gap_without_record(1), {.loss_frac = 0.15, .profit_a_day = 0}),
      "one gap of 40% (15.0% of what a variant has) is never earned back: there is no profit; "
      "charged 3.00 a year (no record but 1.0 years of data)");
}

// --- the charge in the score

std::vector<double> family(std::size_t variants, std::size_t periods) {
  Rng rng(3, 5);
  std::vector<double> out(variants * periods);
  for (std::size_t t = 0; t < periods; ++t) {
    const double common = rng.uniform() - 0.5;
    for (std::size_t v = 0; v < variants; ++v) {
      const double sd = 0.01 * (1 + static_cast<double>(v % 4));
      out[v * periods + t] = sd * (0.06 + common + 2 * (rng.uniform() - 0.5));
    }
  }
  return out;
}

// The charge is a constant a variant: taken off every day, it leaves the standard deviations and so
// moves the block means alone. Both ways must give one number.
TEST(Gaps, AChargeEveryDayIsTheShiftOfTheBlockMeans) {
  constexpr std::size_t kVariants = 40;
  constexpr std::size_t kPeriods = 400;
  const std::vector<double> plain = family(kVariants, kPeriods);
  std::vector<double> loss(kVariants);
  std::vector<double> charged = plain;
  constexpr double kRate = 0.8;
  for (std::size_t v = 0; v < kVariants; ++v) {
    loss[v] = 0.2 + 0.01 * static_cast<double>(v);
    for (std::size_t t = 0; t < kPeriods; ++t) {
      charged[v * kPeriods + t] -= kRate * loss[v] / 365;
    }
  }
  ConvergenceOptions options;
  options.stress_sd = 0;  // else the charge is at least that of a day of 8 sd
  const auto by_hand = score_convergence(PanelView::of(charged, kVariants, kPeriods), options);
  options.gap_loss = loss;
  options.gap_rate_year = kRate;
  const auto shifted = score_convergence(PanelView::of(plain, kVariants, kPeriods), options);
  EXPECT_NEAR(shifted.c_gaps, by_hand.c, 1e-9);
  EXPECT_LT(shifted.c_gaps, shifted.c);
  EXPECT_GT(by_hand.c, 0.01);
  EXPECT_LT(by_hand.c, 0.999);
  EXPECT_NEAR(shifted.gap_loss_mean, 0.2 + 0.01 * 19.5, 1e-12);
  // What else is scored does not know of it.
  options.gap_loss = {};
  const auto uncharged = score_convergence(PanelView::of(plain, kVariants, kPeriods), options);
  EXPECT_EQ(uncharged.c, shifted.c);
  EXPECT_EQ(uncharged.c_stress, shifted.c_stress);
  EXPECT_EQ(uncharged.c_gaps, uncharged.c);
}

TEST(Gaps, ClonesAreChargedOnceAndTheWorstDayRaisesTheCharge) {
  constexpr std::size_t kPeriods = 400;
  std::vector<double> panel = family(20, kPeriods);
  std::vector<double> loss(20, 0.3);
  ConvergenceOptions options;
  options.gap_loss = loss;
  options.gap_rate_year = 1;
  options.stress_sd = 0;
  const auto alone = score_convergence(PanelView::of(panel, 20, kPeriods), options);
  // Ten copies of each at other sizes.
  std::vector<double> many;
  std::vector<double> losses;
  for (int k = 1; k <= 10; ++k) {
    for (const double r : panel) many.push_back(k * r);
    for (const double l : loss) losses.push_back(k * l);
  }
  options.gap_loss = losses;
  const auto copies = score_convergence(PanelView::of(many, 200, kPeriods), options);
  EXPECT_EQ(copies.distinct, alone.distinct);
  EXPECT_NEAR(copies.c_gaps, alone.c_gaps, 1e-9);
  options.gap_loss = loss;
  options.stress_sd = 60;
  const auto worse = score_convergence(PanelView::of(panel, 20, kPeriods), options);
  EXPECT_LT(worse.c_gaps, alone.c_gaps);
  options.stress_sd = 8;
  const auto usual = score_convergence(PanelView::of(panel, 20, kPeriods), options);
  EXPECT_LE(usual.c_gaps, alone.c_gaps);
}

}  // namespace
}  // namespace winnow::sweeps::level
