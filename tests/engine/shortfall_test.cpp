#include "engine/shortfall.hpp"

#include <gtest/gtest.h>

namespace winnow::engine {
namespace {

constexpr std::int64_t kHour = 3'600'000'000'000;

MarketColumns hourly(std::size_t bars, double volume) {
  MarketColumns out;
  out.interval_ns = kHour;
  for (std::size_t i = 0; i < bars; ++i) {
    out.time_ns.push_back(static_cast<std::int64_t>(i) * kHour);
    for (auto* column : {&out.open, &out.high, &out.low, &out.close}) column->push_back(100);
    out.volume.push_back(volume);
  }
  return out;
}

std::vector<std::string> said(const MarketColumns& m, const ExecutionModel& model,
                              Window window = {0, 31 * 24}) {
  const MarketView view{.time_ns = m.time_ns,
                        .open = m.open,
                        .high = m.high,
                        .low = m.low,
                        .close = m.close,
                        .volume = m.volume,
                        .funding = m.funding,
                        .interval_ns = m.interval_ns};
  return shortfalls(model, view, window, "month");
}

TEST(FaultA13, DaysWithoutFundingAreCounted) {
  const ExecutionModel model{.name = "perp", .funding = true, .rules = {}};
  MarketColumns m = hourly(31 * 24, 10);
  EXPECT_EQ(said(m, model),
            std::vector<std::string>{"'month' has no funding history, so perp charges none on it"});
  m.funding.push_back({.time_ns = 3 * 24 * kHour + 8 * kHour, .rate_frac = 1e-4});
  m.funding.push_back({.time_ns = 4 * 24 * kHour + 8 * kHour, .rate_frac = 1e-4});
  EXPECT_EQ(said(m, model),
            std::vector<std::string>{"'month' has funding payments on 2 of 31 days of the window, "
                                     "so perp charges none on the other 29"});
  m.funding.clear();
  for (int day = 1; day < 30; ++day) {
    m.funding.push_back({.time_ns = day * 24 * kHour, .rate_frac = 1e-4});
  }
  EXPECT_TRUE(said(m, model).empty());  // the first and the last day need none
  EXPECT_TRUE(said(hourly(31 * 24, 10), {.name = "spot", .rules = {}}).empty());
  // A history that lies outside of the window is none.
  m.funding.resize(1);
  EXPECT_EQ(said(m, model, {10 * 24, 20 * 24}).size(), 1u);
}

TEST(FaultA13, BarsWithoutVolumeAreSaidWhereCostsDependOnThem) {
  const ExecutionModel model{.name = "perp", .impact_bps = 10, .rules = {}};
  EXPECT_NE(said(hourly(31 * 24, 0), model).at(0).find("has no volume"), std::string::npos);
  MarketColumns m = hourly(31 * 24, 10);
  EXPECT_TRUE(said(m, model).empty());
  for (std::size_t i = 100; i < 240; ++i) m.volume[i] = 0;
  EXPECT_NE(said(m, model).at(0).find("140 of 744 bars without volume"), std::string::npos);
  EXPECT_TRUE(said(m, {.name = "none", .rules = {}}).empty());
}

}  // namespace
}  // namespace winnow::engine
