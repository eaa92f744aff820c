#include "support.hpp"

namespace winnow::store::test {
namespace {

/// Rows of a clean walk that a test then spoils; lines count from 2 as in a file with a header.
BarRows rows_of(const MarketColumns& columns) {
  BarRows rows;
  rows.columns = columns;
  rows.files = {"f.csv"};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    rows.origin.push_back({0, static_cast<std::uint32_t>(i + 2)});
  }
  return rows;
}

void swap_rows(BarRows& rows, std::size_t a, std::size_t b) {
  MarketColumns& c = rows.columns;
  std::swap(c.time_ns[a], c.time_ns[b]);
  for (auto* column : {&c.open, &c.high, &c.low, &c.close, &c.volume}) {
    std::swap((*column)[a], (*column)[b]);
  }
}

void erase_row(BarRows& rows, std::size_t i) {
  const auto at = static_cast<std::ptrdiff_t>(i);
  MarketColumns& c = rows.columns;
  c.time_ns.erase(c.time_ns.begin() + at);
  for (auto* column : {&c.open, &c.high, &c.low, &c.close, &c.volume}) {
    column->erase(column->begin() + at);
  }
  rows.origin.erase(rows.origin.begin() + at);
}

void append_copy(BarRows& rows, std::size_t i, std::uint32_t file = 0) {
  MarketColumns& c = rows.columns;
  c.time_ns.push_back(c.time_ns[i]);
  for (auto* column : {&c.open, &c.high, &c.low, &c.close, &c.volume}) {
    column->push_back((*column)[i]);
  }
  rows.origin.push_back({file, static_cast<std::uint32_t>(rows.size() + 1)});
}

CleanOptions options(OnFault on_fault) {
  CleanOptions o;
  o.on_fault = on_fault;
  o.now = kNow;
  o.last_bar = LastBar::Keep;
  return o;
}

/// What one spoiled walk of 100 bars becomes.
struct Case {
  std::string refusal;  // empty: accepted without repair
  CleanBars repaired;
};
template <class Spoil>
Case judge(Spoil spoil) {
  BarRows rows = rows_of(random_columns(100, 11));
  spoil(rows);
  Case out;
  out.refusal = error_of(clean_bars(rows, options(OnFault::Refuse)));
  out.repaired = must(clean_bars(rows, options(OnFault::Repair)));
  EXPECT_EQ(error_of(check_market(out.repaired.columns.view())), "");
  return out;
}

void expect_has(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(CleanBars, CleanRowsPassUntouched) {
  const MarketColumns c = random_columns(100, 11);
  const Case out = judge([](BarRows&) {});
  EXPECT_EQ(out.refusal, "");
  EXPECT_EQ(out.repaired.columns.close, c.close);
  EXPECT_EQ(out.repaired.columns.interval_ns, 5 * kMinute);
  EXPECT_TRUE(out.repaired.repairs.empty());
  EXPECT_EQ(out.repaired.faults.refusing(), 0u);
}

TEST(CleanBars, GapsAreCountedNeverFilledAndNoReasonToRefuse) {
  const Case out = judge([](BarRows& r) {
    erase_row(r, 50);
    erase_row(r, 50);
    erase_row(r, 20);
  });
  EXPECT_EQ(out.refusal, "");
  EXPECT_EQ(out.repaired.columns.size(), 97u);
  EXPECT_EQ(out.repaired.faults[FaultKind::Gap].count, 2u);
  EXPECT_EQ(out.repaired.faults.bars_missing, 3u);
  const FaultSample& first = out.repaired.faults[FaultKind::Gap].first.at(0);
  EXPECT_EQ(first.time_ns, kStart + 21 * 5 * kMinute);
  EXPECT_EQ(first.where, "f.csv:23");
}

TEST(CleanBars, IdenticalDuplicateRefusesAndIsRemovedOnce) {
  const Case out = judge([](BarRows& r) {
    append_copy(r, 99);
    append_copy(r, 99);
  });
  expect_has(out.refusal, "2 duplicate_identical (f.csv:102");
  expect_has(out.refusal, "nothing was imported");
  EXPECT_EQ(out.repaired.columns.size(), 100u);
  ASSERT_EQ(out.repaired.repairs.size(), 2u);
  EXPECT_EQ(out.repaired.repairs[0].action, "removed");
}

TEST(CleanBars, OfConflictingDuplicatesTheLaterRowStays) {
  const Case out = judge([](BarRows& r) {
    append_copy(r, 99);
    r.columns.volume.back() = 12345;
  });
  expect_has(out.refusal, "1 duplicate_conflicting");
  EXPECT_EQ(out.repaired.columns.size(), 100u);
  EXPECT_EQ(out.repaired.columns.volume.back(), 12345);
  ASSERT_EQ(out.repaired.repairs.size(), 1u);
  expect_has(out.repaired.repairs[0].text, "f.csv:102 says");
}

TEST(CleanBars, TheSameBarInTwoFilesIsAnOverlapNotAFault) {
  const Case out = judge([](BarRows& r) {
    r.files.push_back("g.csv");
    append_copy(r, 99, 1);
  });
  EXPECT_EQ(out.refusal, "");
  EXPECT_EQ(out.repaired.faults[FaultKind::Overlap].count, 1u);
  EXPECT_EQ(out.repaired.columns.size(), 100u);
}

TEST(CleanBars, C5RowsOutOfOrderAreSortedAndNoFault) {
  const MarketColumns c = random_columns(100, 11);
  const Case out = judge([](BarRows& r) { swap_rows(r, 40, 41); });
  EXPECT_EQ(out.refusal, "");
  EXPECT_EQ(out.repaired.faults[FaultKind::NonMonotoneTime].count, 1u);
  ASSERT_FALSE(out.repaired.notes.empty());
  expect_has(out.repaired.notes[0], "1 rows come after later ones; all are sorted");
  EXPECT_EQ(out.repaired.columns.close, c.close);
  EXPECT_EQ(out.repaired.columns.time_ns, c.time_ns);
  EXPECT_TRUE(out.repaired.repairs.empty());
}

TEST(CleanBars, TimesOffTheGridRefuseAndAreMovedOrRemoved) {
  const Case out = judge([](BarRows& r) {
    r.columns.time_ns[10] += 40'000'000;   // 40 ms: moved back
    r.columns.time_ns[20] += 2 * kMinute;  // far off: removed
    r.columns.time_ns[30] -= 40'000'000;   // early: moved forward
  });
  expect_has(out.refusal, "3 off_grid_time");
  EXPECT_EQ(out.repaired.columns.size(), 99u);
  EXPECT_EQ(out.repaired.columns.time_ns[10], kStart + 10 * 5 * kMinute);
  EXPECT_EQ(out.repaired.columns.time_ns[29], kStart + 30 * 5 * kMinute);
  EXPECT_EQ(out.repaired.faults.bars_missing, 1u);
  ASSERT_EQ(out.repaired.repairs.size(), 3u);
  EXPECT_EQ(out.repaired.repairs[0].action, "moved");
  EXPECT_EQ(out.repaired.repairs[1].action, "removed");
}

TEST(CleanBars, ATimeMovedOntoATakenPlaceIsRemovedInstead) {
  const Case out = judge([](BarRows& r) {
    append_copy(r, 99);
    r.columns.time_ns.back() += 1'000'000;
  });
  expect_has(out.refusal, "1 off_grid_time");
  EXPECT_EQ(out.repaired.columns.size(), 100u);
}

TEST(CleanBars, AGridShiftedAsAWholeIsNoted) {
  const Case out = judge([](BarRows& r) {
    for (auto& t : r.columns.time_ns) t += kMinute;
  });
  EXPECT_EQ(out.refusal, "");
  ASSERT_FALSE(out.repaired.notes.empty());
  expect_has(out.repaired.notes[0], "1m after");
}

TEST(CleanBars, SmallOhlcViolationIsWidenedALargeOneRemoved) {
  const Case out = judge([](BarRows& r) {
    MarketColumns& c = r.columns;
    c.high[5] = std::max(c.open[5], c.close[5]) * 0.999;
    c.low[6] = c.high[6] * 1.5;
  });
  expect_has(out.refusal, "2 ohlc_violation (f.csv:7");
  EXPECT_EQ(out.repaired.columns.size(), 99u);
  EXPECT_EQ(out.repaired.columns.high[5],
            std::max(out.repaired.columns.open[5], out.repaired.columns.close[5]));
  ASSERT_EQ(out.repaired.repairs.size(), 2u);
  EXPECT_EQ(out.repaired.repairs[0].action, "widened");
  EXPECT_EQ(out.repaired.repairs[1].action, "removed");
}

TEST(CleanBars, BadNumbersRefuseAndAreRemoved) {
  const Case out = judge([](BarRows& r) {
    r.columns.open[3] = 0;
    r.columns.close[4] = std::nan("");
    r.columns.high[5] = std::numeric_limits<double>::infinity();
    r.columns.low[6] = -1;
    r.columns.volume[7] = -0.5;
    r.columns.volume[8] = std::nan("");
  });
  expect_has(out.refusal, "4 bad_price");
  expect_has(out.refusal, "2 bad_volume");
  EXPECT_EQ(out.repaired.columns.size(), 94u);
  EXPECT_EQ(out.repaired.repairs.size(), 6u);
}

TEST(CleanBars, BarsOfTheFutureAreClockFaults) {
  BarRows rows = rows_of(random_columns(100, 11));
  CleanOptions o = options(OnFault::Refuse);
  o.now = {kStart + 97 * 5 * kMinute};
  expect_has(error_of(clean_bars(rows, o)), "2 future_time");
  o.on_fault = OnFault::Repair;
  EXPECT_EQ(must(clean_bars(rows, o)).columns.size(), 98u);
}

TEST(CleanBars, RevertingOutliersAndWicksAreReportedAndKept) {
  BarRows rows = rows_of(random_columns(2000, 12));
  MarketColumns& c = rows.columns;
  const double spike = c.close[1000] * 3;
  c.close[1000] = spike;
  c.high[1000] = spike;
  c.high[500] *= 2;
  const CleanBars out = must(clean_bars(rows, options(OnFault::Refuse)));
  EXPECT_EQ(out.faults[FaultKind::Outlier].count, 2u);
  EXPECT_EQ(out.faults[FaultKind::Outlier].first[0].where, "f.csv:502");
  EXPECT_EQ(out.faults[FaultKind::Outlier].first[1].where, "f.csv:1002");
  EXPECT_EQ(out.columns.close[1000], spike);
  EXPECT_TRUE(out.repairs.empty());
}

TEST(CleanBars, AMoveThatStaysIsNoOutlier) {
  BarRows rows = rows_of(random_columns(2000, 12));
  MarketColumns& c = rows.columns;
  for (std::size_t i = 1000; i < 2000; ++i) {
    for (auto* column : {&c.open, &c.high, &c.low, &c.close}) (*column)[i] *= 3;
  }
  EXPECT_EQ(must(clean_bars(rows, options(OnFault::Refuse))).faults[FaultKind::Outlier].count, 0u);
}

struct LastBarCase {
  LastBar option;
  OnFault on_fault;
  bool certain;
  bool kept;
};

TEST(CleanBars, LastBarRule) {
  const LastBarCase cases[] = {
      {LastBar::Auto, OnFault::Refuse, false, true},
      {LastBar::Auto, OnFault::Repair, false, false},
      {LastBar::Auto, OnFault::Refuse, true, false},
      {LastBar::Auto, OnFault::Repair, true, false},
      {LastBar::Keep, OnFault::Repair, true, true},
      {LastBar::Keep, OnFault::Refuse, false, true},
      {LastBar::Drop, OnFault::Refuse, false, false},
      {LastBar::Drop, OnFault::Repair, true, false},
  };
  for (const LastBarCase& c : cases) {
    const BarRows rows = rows_of(random_columns(100, 11));
    CleanOptions o = options(c.on_fault);
    o.last_bar = c.option;
    if (c.certain) o.now = {rows.columns.time_ns.back() + kMinute};
    const CleanBars out = must(clean_bars(rows, o));
    const std::string label = std::to_string(&c - cases);
    EXPECT_EQ(out.columns.size(), c.kept ? 100u : 99u) << label;
    EXPECT_EQ(out.faults[FaultKind::UnfinishedLastBar].count, 1u) << label;
    EXPECT_EQ(out.repairs.size(), c.kept ? 0u : 1u) << label;
    EXPECT_EQ(out.notes.size(), c.kept ? 1u : 0u) << label;
  }
}

TEST(CleanBars, ArchiveThatEndsAtMidnightIsFinished) {
  CleanOptions o = options(OnFault::Repair);
  o.last_bar = LastBar::Auto;
  o.whole_days = true;
  const CleanBars whole = must(clean_bars(rows_of(random_columns(288, 11)), o));
  EXPECT_EQ(whole.columns.size(), 288u);
  EXPECT_EQ(whole.faults[FaultKind::UnfinishedLastBar].count, 0u);
  EXPECT_EQ(must(clean_bars(rows_of(random_columns(287, 11)), o)).columns.size(), 286u);
}

TEST(CleanBars, IntervalIsInferredOrChecked) {
  const auto with = [](std::size_t bars, std::optional<DurationNs> interval) {
    CleanOptions o = options(OnFault::Refuse);
    o.interval = interval;
    return clean_bars(rows_of(random_columns(bars, 11)), o);
  };
  EXPECT_EQ(must(with(100, std::nullopt)).columns.interval_ns, 5 * kMinute);
  EXPECT_EQ(must(with(1, seconds(300))).columns.size(), 1u);
  expect_has(error_of(with(1, std::nullopt)), "--interval");
  expect_has(error_of(with(100, hours(1))),
             "most common spacing of bars is 5m (99 of 99), not the 1h");
  BarRows irregular = rows_of(random_columns(100, 11));
  for (std::size_t i = 0; i < 100; ++i) {
    irregular.columns.time_ns[i] = kStart + static_cast<std::int64_t>(i * i) * kMinute;
  }
  expect_has(error_of(clean_bars(irregular, options(OnFault::Refuse))),
             "too few to be the interval");
}

TEST(CleanBars, NothingLeftOrTooManyRepairsIsAnError) {
  BarRows bad = rows_of(random_columns(10, 1));
  for (double& v : bad.columns.open) v = -1;
  expect_has(error_of(clean_bars(bad, options(OnFault::Repair))), "no bar is left of 10 rows");
  expect_has(error_of(clean_bars(BarRows{}, options(OnFault::Repair))), "no bar");
  BarRows wrecked = rows_of(random_columns(30'000, 1));
  for (std::size_t i = 0; i < 30'000; i += 2) wrecked.columns.low[i] = 0;
  expect_has(error_of(clean_bars(wrecked, options(OnFault::Repair))),
             "would remove or change 15000 of 30000 rows, and at most 25% may be");
}

// Whatever is done to rows, what comes out keeps every invariant, and no change is unlisted.
TEST(CleanBars, RandomDamageIsAlwaysMendedOrRefused) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    BarRows rows = rows_of(random_columns(300, seed));
    MarketColumns& c = rows.columns;
    for (std::uint64_t k = rng.below(30); k > 0; --k) {
      const std::size_t i = rng.below(rows.size());
      switch (rng.below(7)) {
        case 0:
          erase_row(rows, i);
          break;
        case 1:
          append_copy(rows, i);
          break;
        case 2:
          swap_rows(rows, i, rng.below(rows.size()));
          break;
        case 3:
          c.high[i] *= rng.uniform() * 2;
          break;
        case 4:
          c.close[i] = rng.below(2) == 0 ? 0 : std::nan("");
          break;
        case 5:
          c.time_ns[i] += static_cast<std::int64_t>(rng.below(600)) * 1'000'000'000;
          break;
        case 6:
          c.volume[i] = -c.volume[i];
          break;
      }
    }
    const auto repaired = clean_bars(rows, options(OnFault::Repair));
    ASSERT_TRUE(repaired.ok()) << "seed " << seed << ": " << error_of(repaired);
    EXPECT_EQ(error_of(check_market(repaired->columns.view())), "") << "seed " << seed;
    const auto removed = std::count_if(repaired->repairs.begin(), repaired->repairs.end(),
                                       [](const Repair& r) { return r.action == "removed"; });
    EXPECT_EQ(repaired->columns.size() + static_cast<std::size_t>(removed), rows.size())
        << "seed " << seed;
    const auto refused = clean_bars(rows, options(OnFault::Refuse));
    EXPECT_EQ(refused.ok(), repaired->faults.refusing() == 0) << "seed " << seed;
  }
}

TEST(CleanFunding, JitterIsFineFaultsAreNot) {
  FundingRows rows;
  rows.files = {"f.csv"};
  for (int i = 0; i < 20; ++i) {
    rows.events.push_back({kStart + i * 480 * kMinute + (i % 3) * 9'000'000, 0.0001});
    rows.origin.push_back({0, static_cast<std::uint32_t>(i + 2)});
  }
  EXPECT_EQ(must(clean_funding(rows, options(OnFault::Refuse))).events.size(), 20u);
  FundingRows bad = rows;
  bad.events[3].rate_frac = std::nan("");
  std::swap(bad.events[10], bad.events[11]);
  bad.events[15].time_ns = bad.events[14].time_ns;
  const std::string refusal = error_of(clean_funding(bad, options(OnFault::Refuse)));
  expect_has(refusal, "1 bad_rate");
  expect_has(refusal, "1 duplicate_identical");
  const CleanFunding mended = must(clean_funding(bad, options(OnFault::Repair)));
  EXPECT_EQ(mended.events.size(), 18u);
  EXPECT_EQ(mended.repairs.size(), 2u);  // order is no fault
  ASSERT_FALSE(mended.notes.empty());
  expect_has(mended.notes.back(), "2 gaps in payments every 8h");
}

}  // namespace
}  // namespace winnow::store::test
