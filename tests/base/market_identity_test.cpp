#include "base/market_identity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/rng.hpp"
#include "base/time.hpp"

namespace winnow {
namespace {

constexpr std::int64_t kStart = 19'358 * days(1).ns;  // 2023-01-01

/// A random walk of closes: bar `i` opens at kStart + i * interval.
struct Walk {
  std::uint64_t seed = 1;
  std::size_t bars = 0;
  DurationNs interval = hours(1);
  double bar_sd = 0.005;
  /// What it shares with the walk of seed 1, as a correlation.
  double shared = 0;
};

double noise(Rng& rng) {
  double sum = 0;
  for (int i = 0; i < 12; ++i) sum += rng.uniform();
  return sum - 6;
}

MarketColumns walk(const Walk& w) {
  MarketColumns out;
  out.interval_ns = w.interval.ns;
  Rng own(w.seed);
  Rng common(1);
  double log_price = 0;
  for (std::size_t i = 0; i < w.bars; ++i) {
    const double step = w.shared * noise(common) + std::sqrt(1 - w.shared * w.shared) * noise(own);
    const double open = 100 * std::exp(log_price);
    log_price += w.bar_sd * step;
    const double close = 100 * std::exp(log_price);
    out.time_ns.push_back(kStart + static_cast<std::int64_t>(i) * out.interval_ns);
    out.open.push_back(open);
    out.close.push_back(close);
    out.high.push_back(std::max(open, close));
    out.low.push_back(std::min(open, close));
    out.volume.push_back(1);
  }
  return out;
}

/// Keeps the bars that `wanted` wants, by index.
MarketColumns keep_bars(const MarketColumns& of, const std::function<bool(std::size_t)>& wanted) {
  MarketColumns out;
  out.interval_ns = of.interval_ns;
  for (std::size_t i = 0; i < of.size(); ++i) {
    if (!wanted(i)) continue;
    out.time_ns.push_back(of.time_ns[i]);
    for (auto [to, from] : {std::pair{&out.open, &of.open},
                            {&out.high, &of.high},
                            {&out.low, &of.low},
                            {&out.close, &of.close},
                            {&out.volume, &of.volume}}) {
      to->push_back((*from)[i]);
    }
  }
  return out;
}

/// Bars of `interval` that begin `shift` after its whole multiples.
MarketColumns resampled(const MarketColumns& of, DurationNs interval, DurationNs shift) {
  MarketColumns out;
  out.interval_ns = interval.ns;
  for (std::size_t i = 0; i < of.size(); ++i) {
    const std::int64_t open = (of.time_ns[i] - shift.ns) / interval.ns * interval.ns + shift.ns;
    if (out.time_ns.empty() || out.time_ns.back() != open) {
      out.time_ns.push_back(open);
      out.open.push_back(of.open[i]);
      out.high.push_back(of.high[i]);
      out.low.push_back(of.low[i]);
      out.close.push_back(of.close[i]);
      out.volume.push_back(of.volume[i]);
      continue;
    }
    out.high.back() = std::max(out.high.back(), of.high[i]);
    out.low.back() = std::min(out.low.back(), of.low[i]);
    out.close.back() = of.close[i];
  }
  return out;
}

MarketColumns shifted(MarketColumns of, DurationNs by) {
  for (std::int64_t& t : of.time_ns) t += by.ns;
  return of;
}

MarketLikeness likeness(const MarketColumns& a, const MarketColumns& b, std::string_view name_a,
                        std::string_view name_b) {
  const MarketPrint print_a = print_market(a.view());
  const MarketPrint print_b = print_market(b.view());
  const MarketLikeness out = compare_markets({print_a, name_a}, {print_b, name_b});
  const MarketLikeness back = compare_markets({print_b, name_b}, {print_a, name_a});
  EXPECT_EQ(out.same, back.same);
  EXPECT_EQ(out.days, back.days);
  EXPECT_EQ(out.days_agreed, back.days_agreed);
  return out;
}
MarketLikeness likeness(const MarketColumns& a, const MarketColumns& b) {
  return likeness(a, b, "AAA", "BBB");
}

const MarketColumns& hourly() {
  static const MarketColumns market = walk({.bars = 24 * 400});
  return market;
}

TEST(MarketIdentity, ADayIsTheLastCloseOfItAndMovesAreRoundedToTwoBasisPoints) {
  MarketColumns m;
  m.interval_ns = hours(12).ns;
  // Closes at noon and at midnight; the latter belong to the day that ends.
  const double closes[] = {100, 100, 101, 100.06, 100.07, 100.072, 100.072};
  for (std::size_t i = 0; i < std::size(closes); ++i) {
    m.time_ns.push_back(kStart + static_cast<std::int64_t>(i) * m.interval_ns);
    for (auto* column : {&m.open, &m.high, &m.low, &m.close}) column->push_back(closes[i]);
    m.volume.push_back(0);
  }
  const MarketPrint print = print_market(m.view());
  // The fourth day has half its bars, so that its close may not be the last.
  EXPECT_EQ(print.days, (std::vector<DayMove>{{19'359, 3}, {19'360, 1}}));  // 6 and 1.2 bps
  EXPECT_EQ(print.closes.size(), std::size(closes));
  EXPECT_EQ(print.closes[1].minute, 19'359 * 1440);
  EXPECT_EQ(print.step_minutes(), 720);
}

TEST(MarketIdentity, ACopyAgreesWhateverItsTickItsCutItsGapsAndItsInterval) {
  const MarketColumns of =
      walk({.bars = 12 * 24 * 120, .interval = seconds(300), .bar_sd = 0.0015});
  MarketColumns ticked = of;
  for (double& close : ticked.close) close = std::round(close * 1000) / 1000;  // a tick of 0.1 bps
  const MarketColumns others[] = {
      of,
      ticked,
      keep_bars(of, [](std::size_t i) { return i > 0; }),
      keep_bars(of, [](std::size_t i) { return i > 7'777 && i < 29'999; }),
      keep_bars(of, [](std::size_t i) { return i % 1000 > 90; }),  // 10% missing
      resampled(of, hours(1), {0}),
      resampled(of, seconds(900), {0}),
      resampled(of, days(1), {0}),
  };
  for (const MarketColumns& other : others) {
    const MarketLikeness like = likeness(of, other);
    EXPECT_TRUE(like.same);
    EXPECT_EQ(like.by, LikenessBy::Days);
    EXPECT_GE(like.days, 70u);
    EXPECT_GE(like.agreed_frac(), &other == &others[4] ? 0.7 : 0.93) << &other - others;
  }
}

TEST(MarketIdentity, StrangersAgreeByChanceOnly) {
  const MarketLikeness like = likeness(hourly(), walk({.seed = 2, .bars = 24 * 400}), "X", "X");
  EXPECT_FALSE(like.same);  // although they are called the same
  EXPECT_EQ(like.by, LikenessBy::Days);
  EXPECT_GT(like.days, 390u);
  EXPECT_LT(like.agreed_frac(), 0.03);
  ASSERT_TRUE(like.correlation);
  EXPECT_LT(*like.correlation, 0.1);
}

TEST(MarketIdentity, AMarketThatMovesAlongIsAnother) {
  const MarketLikeness like =
      likeness(hourly(), walk({.seed = 2, .bars = 24 * 400, .shared = 0.9}), "X", "X");
  EXPECT_FALSE(like.same);
  EXPECT_NEAR(*like.correlation, 0.9, 0.02);
  EXPECT_EQ(like.lag_hours, 0);
}

TEST(MarketIdentity, AnotherVenueIsASibling) {
  const MarketLikeness like =
      likeness(hourly(), walk({.seed = 2, .bars = 24 * 400, .shared = 0.98}));
  EXPECT_TRUE(like.same);
  EXPECT_EQ(like.by, LikenessBy::Correlation);
  EXPECT_LT(like.agreed_frac(), 0.5);
  EXPECT_NEAR(*like.correlation, 0.98, 0.01);
}

TEST(MarketIdentity, AnotherDayCutAndAnotherZoneAreFoundAtTheirLag) {
  const MarketColumns cut = resampled(hourly(), days(1), hours(1));
  const MarketLikeness later = likeness(hourly(), cut);
  EXPECT_TRUE(later.same);
  EXPECT_EQ(later.by, LikenessBy::Correlation);
  EXPECT_LT(later.agreed_frac(), 0.2);
  EXPECT_GT(*later.correlation, 0.999);
  EXPECT_EQ(later.lag_hours, 0);  // the instants are the same, only the days are not

  for (const int zone : {-14, -5, 9, 14}) {
    const MarketLikeness moved = likeness(hourly(), shifted(hourly(), hours(zone)));
    EXPECT_TRUE(moved.same) << zone;
    EXPECT_EQ(moved.lag_hours, zone);
    EXPECT_GT(*moved.correlation, 0.999);
  }
  EXPECT_FALSE(likeness(hourly(), shifted(hourly(), hours(15))).same);
  // Two daily files whose cuts are an hour apart share 23 hours of 24.
  const MarketLikeness daily = likeness(resampled(hourly(), days(1), {0}), cut);
  EXPECT_TRUE(daily.same);
  EXPECT_NEAR(*daily.correlation, 23.0 / 24, 0.02);
}

TEST(MarketIdentity, ClocksThatAreSetForwardAreHalfAYearEach) {
  // Exchange days of a zone with summer time, against bars around the clock.
  const MarketColumns day = resampled(hourly(), days(1), hours(5));
  MarketColumns summer = resampled(hourly(), days(1), hours(4));
  MarketColumns local = keep_bars(day, [](std::size_t i) { return i < 120; });
  for (std::size_t i = 121; i < summer.size(); ++i) {
    local.time_ns.push_back(summer.time_ns[i]);
    local.open.push_back(summer.open[i]);
    local.high.push_back(summer.high[i]);
    local.low.push_back(summer.low[i]);
    local.close.push_back(summer.close[i]);
    local.volume.push_back(summer.volume[i]);
  }
  const MarketLikeness like = likeness(hourly(), local);
  EXPECT_TRUE(like.same);
  EXPECT_GT(*like.correlation, 0.99);
}

TEST(MarketIdentity, WhereTooLittleIsInCommonTheNameDecides) {
  const auto first = keep_bars(hourly(), [](std::size_t i) { return i < 24 * 100; });
  const auto later = keep_bars(hourly(), [](std::size_t i) { return i > 24 * 200; });
  const MarketLikeness one = likeness(first, later, "BTCUSDT", "BTC-USDT-SWAP");
  EXPECT_TRUE(one.same);
  EXPECT_EQ(one.by, LikenessBy::Name);
  EXPECT_EQ(one.days, 0u);
  EXPECT_FALSE(one.correlation);
  EXPECT_FALSE(likeness(first, later, "BTCUSDT", "ETHUSDT").same);
}

TEST(MarketIdentity, TwentyDaysOfReturnsSayMoreThanAName) {
  const auto days_of = [](const MarketColumns& m) {
    return keep_bars(m, [](std::size_t i) { return i < 24 * 20; });
  };
  const MarketLikeness copy = likeness(days_of(hourly()), hourly());
  EXPECT_TRUE(copy.same);
  EXPECT_EQ(copy.by, LikenessBy::Correlation);
  EXPECT_LT(copy.days, kMovedDaysMin);
  const MarketLikeness stranger =
      likeness(days_of(hourly()), walk({.seed = 2, .bars = 24 * 20}), "SIM", "SIM");
  EXPECT_FALSE(stranger.same);
  EXPECT_EQ(stranger.by, LikenessBy::Correlation);
}

TEST(MarketIdentity, WhatStandsStillIsKnownByItsName) {
  MarketColumns flat = hourly();
  for (auto* column : {&flat.open, &flat.high, &flat.low, &flat.close}) {
    std::fill(column->begin(), column->end(), 1.0);
  }
  const MarketLikeness two = likeness(flat, flat, "USDCUSDT", "USDC/USDT");
  EXPECT_TRUE(two.same);
  EXPECT_EQ(two.by, LikenessBy::Name);
  EXPECT_EQ(two.days, 0u);
  EXPECT_FALSE(likeness(flat, flat, "USDCUSDT", "DAIUSDT").same);
  // Against one that moves, every day on which that one moves counts.
  EXPECT_FALSE(likeness(flat, hourly(), "X", "X").same);
}

TEST(MarketIdentity, AGapDoesNotMakeStrangersAlike) {
  // One common jump over a month without bars would outweigh every other step.
  const auto holed = [](std::uint64_t seed) {
    MarketColumns m = walk({.seed = seed, .bars = 24 * 200});
    for (std::size_t i = 24 * 100; i < m.size(); ++i) {
      for (auto* column : {&m.open, &m.high, &m.low, &m.close}) (*column)[i] *= 3;
    }
    return keep_bars(m, [](std::size_t i) { return i < 24 * 70 || i > 24 * 100; });
  };
  const MarketLikeness like = likeness(holed(1), holed(2));
  EXPECT_FALSE(like.same);
  EXPECT_LT(*like.correlation, 0.2);
}

TEST(MarketIdentity, WeeksAreComparedByWeeks) {
  const MarketColumns days_of = walk({.bars = 7 * 80, .interval = days(1), .bar_sd = 0.03});
  const MarketLikeness like = likeness(days_of, resampled(days_of, days(7), {0}));
  EXPECT_TRUE(like.same);
  EXPECT_EQ(like.by, LikenessBy::Correlation);
  EXPECT_EQ(like.days, 0u);
  EXPECT_GT(*like.correlation, 0.999);
}

TEST(MarketIdentity, OneBarAndNoBarAreKnownByTheirName) {
  const MarketColumns one = walk({.bars = 1});
  EXPECT_TRUE(likeness(one, hourly(), "SPY", "spy").same);
  EXPECT_FALSE(likeness(one, hourly(), "SPY", "QQQ").same);
  const MarketPrint empty = print_market({});
  EXPECT_TRUE(empty.days.empty());
  EXPECT_EQ(empty.step_minutes(), 60);
}

}  // namespace
}  // namespace winnow
