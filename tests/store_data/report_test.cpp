#include "base/window_coverage.hpp"
#include "store/data_report.hpp"
#include "support.hpp"

namespace winnow::store::test {
namespace {

std::uint64_t count(const DataReport& r, OddityKind kind) {
  return r.counts[static_cast<std::size_t>(kind)];
}
DataReport report(const MarketColumns& c) { return report_data(c.view(), {}); }

/// A walk of small steps, as five-minute bars are.
MarketColumns calm(std::size_t bars, std::uint64_t seed) {
  MarketColumns c = random_columns(bars, seed);
  for (auto* column : {&c.open, &c.high, &c.low, &c.close}) {
    for (double& v : *column) v = 1000 + v;
  }
  for (double& v : c.volume) v = 50 + v / 100;
  return c;
}

TEST(DataReport, C6CleanBarsAreCoveredAndNothingIsSaid) {
  const DataReport r = report(calm(2000, 1));
  EXPECT_EQ(r.bars_possible, 2000u);
  EXPECT_EQ(r.coverage_frac(), 1.0);
  EXPECT_EQ(r.days, 7u);
  EXPECT_EQ(r.calendar, "every_day");
  EXPECT_TRUE(r.oddities.empty());
}

TEST(DataReport, C6RunsWithoutVolumeAndAtOnePriceAreSaidWithTheirPlace) {
  MarketColumns c = calm(500, 2);
  for (std::size_t i = 100; i < 240; ++i) {
    c.volume[i] = 0;
    c.open[i] = c.high[i] = c.low[i] = c.close[i] = c.close[99];
  }
  for (std::size_t i = 300; i < 309; ++i) c.volume[i] = 0;  // nine are no run
  const DataReport r = report(c);
  EXPECT_EQ(count(r, OddityKind::NoVolume), 1u);
  EXPECT_EQ(count(r, OddityKind::Flat), 1u);
  ASSERT_FALSE(r.oddities.empty());
  EXPECT_EQ(r.oddities[0].bars, 140u);
  EXPECT_EQ(r.oddities[0].from.ns, c.time_ns[100]);
  EXPECT_EQ(r.oddities[0].to.ns, c.time_ns[239]);
}

TEST(DataReport, C6LastingStepsOfLevelAreSaidSpikesAreNot) {
  MarketColumns split = calm(600, 3);
  for (std::size_t i = 350; i < 600; ++i) {
    for (auto* column : {&split.open, &split.high, &split.low, &split.close}) (*column)[i] /= 10;
  }
  const DataReport r = report(split);
  ASSERT_EQ(count(r, OddityKind::LevelStep), 1u);
  EXPECT_EQ(r.oddities[0].from.ns, split.time_ns[350]);
  EXPECT_NE(r.oddities[0].text.find("and stays"), std::string::npos);
  MarketColumns spike = calm(600, 3);
  spike.close[300] *= 3;
  spike.high[300] = spike.close[300];
  EXPECT_EQ(count(report(spike), OddityKind::LevelStep), 0u);
}

TEST(DataReport, C6VolumeInAnotherUnitFromSomewhereOn) {
  MarketColumns c = calm(800, 4);
  for (std::size_t i = 410; i < 800; ++i) c.volume[i] *= 100;
  const DataReport r = report(c);
  ASSERT_EQ(count(r, OddityKind::VolumeBreak), 1u);
  const auto& found = r.oddities[0];
  EXPECT_NEAR(static_cast<double>(found.from.ns - c.time_ns[410]), 0, 40.0 * 5 * kMinute);
  EXPECT_EQ(count(report(calm(800, 4)), OddityKind::VolumeBreak), 0u);
}

TEST(DataReport, C6TwoInstrumentsInOneSeries) {
  MarketColumns c = calm(300, 5);
  for (std::size_t i = 0; i < 300; i += 2) {
    for (auto* column : {&c.open, &c.high, &c.low, &c.close}) (*column)[i] /= 12;
  }
  const DataReport r = report(c);
  EXPECT_EQ(count(r, OddityKind::Mixed), 1u);
  EXPECT_NE(r.oddities[0].text.find("two instruments"), std::string::npos);
}

TEST(DataReport, C6CalendarsAndGaps) {
  MarketColumns c;
  c.interval_ns = days(1).ns;
  for (int d = 0; d < 60; ++d) {
    if (d % 7 == 0 || d % 7 == 6) continue;  // 2023-01-01 was a Sunday
    if (d == 30) continue;
    c.time_ns.push_back(kStart + days(d).ns);
    for (auto* column : {&c.open, &c.high, &c.low, &c.close}) column->push_back(100 + d % 2);
    c.volume.push_back(5);
  }
  for (std::size_t i = 0; i < c.size(); ++i) {
    c.high[i] = std::max(c.open[i], c.close[i]);
    c.low[i] = std::min(c.open[i], c.close[i]);
  }
  const DataReport r = report(c);
  EXPECT_EQ(r.calendar, "business_days");
  EXPECT_GT(r.gaps, 7u);
  EXPECT_LT(r.coverage_frac(), 0.8);
}

TEST(DataReport, C6PartialCandlesOfTheFileAreKeptAndSaid) {
  std::string csv;
  const MarketColumns c = random_columns(50, 6, 60);
  for (std::size_t i = 0; i < 50; ++i) {
    std::string row = ohlcv_row(c, i);
    row.pop_back();
    const std::int64_t lasts = i == 20 ? 11 * 60'000 : 3'600'000 - 1;
    csv += row + "," + std::to_string(c.time_ns[i] / 1'000'000 + lasts) + ",1,1,1,1,0\n";
  }
  TempDir dir;
  const auto store = must(DatasetStore::open(dir / "data"));
  write_file(dir / "k.csv", csv);
  const auto out =
      must(import_dataset(store, request_of({dir / "k.csv"}, "x", format_of("binance-klines"))));
  EXPECT_EQ(out.manifest.bars, 50u);
  EXPECT_EQ(out.manifest.faults[FaultKind::PartialBar].count, 1u);
  const auto loaded = must(store.load("x"));
  const DataReport r = report_data(loaded.view(), loaded.manifest().faults);
  ASSERT_EQ(count(r, OddityKind::Partial), 1u);
  EXPECT_NE(r.oddities.back().text.find("closed 11m after it opened"), std::string::npos);
}

TEST(DataReport, C6AWindowBeyondTheDataIsSaid) {
  const auto at = [](const char* text) { return must(parse_timestamp(text)); };
  const std::string text =
      window_coverage(at("2024-01-01"), at("2025-01-01"), at("2024-03-01"), at("2024-04-01"));
  EXPECT_NE(text.find("the window of 366 days"), std::string::npos) << text;
  EXPECT_NE(text.find("has data for 31 days"), std::string::npos) << text;
  EXPECT_EQ(window_coverage(at("2024-03-01"), at("2024-04-01"), at("2024-03-01"), at("2024-04-01")),
            "");
}

}  // namespace
}  // namespace winnow::store::test
