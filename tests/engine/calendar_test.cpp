#include "engine/calendar.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/time.hpp"
#include "engine/engine.hpp"
#include "engine/holding.hpp"

namespace winnow::engine {
namespace {

constexpr std::int64_t kHourNs = 3'600'000'000'000;
constexpr std::int64_t kDayNs = 24 * kHourNs;
constexpr std::int64_t kMonday = 19'359;  // 2023-01-02, in days from 1970

/// Bars of `interval_ns` on the days (from 1970) that `open` lets through, closes drawn by `move`.
MarketColumns market(std::int64_t first_day, std::int64_t days, std::int64_t interval_ns,
                     const std::function<bool(std::int64_t)>& open,
                     const std::function<double(std::size_t)>& move) {
  MarketColumns m;
  m.interval_ns = interval_ns;
  double px = 100;
  for (std::int64_t t = first_day * kDayNs; t < (first_day + days) * kDayNs; t += interval_ns) {
    if (!open(t)) continue;
    const double close = px * (1 + move(m.size()));
    m.time_ns.push_back(t);
    m.open.push_back(px);
    m.close.push_back(close);
    m.high.push_back(std::max(px, close));
    m.low.push_back(std::min(px, close));
    m.volume.push_back(1'000);
    px = close;
  }
  return m;
}

std::int64_t weekday(std::int64_t t) { return (t / kDayNs - kMonday) % 7; }  // 0 is Monday
bool always(std::int64_t) { return true; }
bool business(std::int64_t t) { return weekday(t) < 5; }
double wave(std::size_t i) { return 0.002 * static_cast<double>((i * 7 + 3) % 11) - 0.0095; }

double metric(const Holding& held, std::string_view name) {
  return held.metrics[static_cast<std::size_t>(find_metric(name))];
}

Holding hold(const MarketColumns& m) {
  auto held = hold_market(m.view(), {0, m.size()});
  EXPECT_TRUE(held.ok()) << held.error().text();
  return std::move(*held);
}

Calendar calendar(const MarketColumns& m) { return calendar_of(m.time_ns, m.interval_ns); }

TEST(Calendar, A10IsReadFromTheDaysThatHaveBars) {
  EXPECT_EQ(calendar(market(kMonday, 60, kHourNs, always, wave)), (Calendar{"24/7", 365}));
  EXPECT_EQ(calendar(market(kMonday, 60, kHourNs, business, wave)),
            (Calendar{"business days", 252}));
  EXPECT_EQ(calendar(market(kMonday, 700, kDayNs, business, wave)),
            (Calendar{"business days", 252}));
  // FX opens on Sunday evening.
  const auto fx = [](std::int64_t t) {
    return business(t) || (weekday(t) == 6 && t % kDayNs >= 22 * kHourNs);
  };
  EXPECT_EQ(calendar(market(kMonday, 60, kHourNs, fx, wave)), (Calendar{"24/6", 313}));
  // Daily bars that are stamped at the evening before: five days all the same.
  const auto evening = [](std::int64_t t) { return weekday(t) == 6 || weekday(t) < 4; };
  EXPECT_EQ(calendar(market(kMonday, 90, kDayNs, evening, wave)).periods_per_year, 252);
  // A rare Saturday session is no calendar, and neither is a holiday.
  const auto rare = [](std::int64_t t) {
    const std::int64_t day = t / kDayNs - kMonday;
    return (business(t) && day != 45) || day == 54;
  };
  EXPECT_EQ(calendar(market(kMonday, 120, kDayNs, rare, wave)).periods_per_year, 252);
  // Weekly bars, and a week that says nothing.
  EXPECT_NEAR(calendar(market(kMonday, 700, 7 * kDayNs, always, wave)).periods_per_year, 365.0 / 7,
              1e-9);
  EXPECT_EQ(calendar(market(kMonday, 5, kHourNs, always, wave)), Calendar{});
  EXPECT_EQ(calendar(MarketColumns{}), Calendar{});
}

TEST(Calendar, A10HaltOfAYearIsCalendarTimeWithoutPeriods) {
  const auto halted = [](std::int64_t t) {
    const std::int64_t day = t / kDayNs - kMonday;
    return day < 10 || day >= 365;
  };
  // Ten days, a halt of 355 days, ten days; each day earns half a percent.
  const MarketColumns m = market(kMonday, 375, kHourNs, halted,
                                 [](std::size_t i) { return i % 24 == 23 ? 0.005 : 0.0; });
  const Holding held = hold(m);
  EXPECT_EQ(held.returns.size(), 20u);
  EXPECT_EQ(calendar(m).periods_per_year, 365);
  const double growth = std::pow(1.005, 20);
  EXPECT_NEAR(metric(held, "total_return_frac"), growth - 1, 1e-12);
  EXPECT_NEAR(metric(held, "cagr_frac"), std::pow(growth, 365.0 / 375) - 1, 1e-12);
}

TEST(Calendar, A10BusinessDaysAreScaledBy252AndGrowByTheCalendar) {
  const MarketColumns m = market(kMonday, 728, kDayNs, business, wave);
  const Holding held = hold(m);
  ASSERT_EQ(held.returns.size(), 520u);
  double mean = 0;
  for (const double r : held.returns) mean += r / 520;
  double squares = 0;
  for (const double r : held.returns) squares += (r - mean) * (r - mean);
  const double sd = std::sqrt(squares / 519);
  EXPECT_NEAR(metric(held, "sharpe_ann"), mean / sd * std::sqrt(252.0), 1e-9);
  EXPECT_NEAR(metric(held, "vol_ann"), sd * std::sqrt(252.0), 1e-9);
  // From Monday's open to the close of the last Friday: two weekend days short of 728.
  const double growth = 1 + metric(held, "total_return_frac");
  EXPECT_NEAR(metric(held, "cagr_frac"), std::pow(growth, 365.0 / 726) - 1, 1e-9);
}

TEST(Calendar, A10NothingIsAnnualisedBelowThirtyDays) {
  for (const std::int64_t days : {29, 30}) {
    const Holding held = hold(market(kMonday, days, kHourNs, always, wave));
    for (std::size_t m = 0; m < metric_decls().size(); ++m) {
      if (!metric_decls()[m].annual) {
        EXPECT_FALSE(std::isnan(held.metrics[m])) << metric_decls()[m].name << " of " << days;
        continue;
      }
      EXPECT_EQ(std::isnan(held.metrics[m]), days < 30) << metric_decls()[m].name << " of " << days;
    }
  }
  // A gap counts: it is calendar time.
  const auto gap = [](std::int64_t t) {
    const std::int64_t day = t / kDayNs - kMonday;
    return day < 8 || day > 25;
  };
  EXPECT_FALSE(std::isnan(metric(hold(market(kMonday, 31, kHourNs, gap, wave)), "sharpe_ann")));
}

}  // namespace
}  // namespace winnow::engine
