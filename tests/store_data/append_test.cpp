#include "support.hpp"

namespace winnow::store::test {
namespace {

/// Bars [first, last) of a walk as a table.
std::string part(const MarketColumns& c, std::size_t first, std::size_t last) {
  std::string out = "ts_ms,open,high,low,close,volume\n";
  for (std::size_t i = first; i < last; ++i) out += ohlcv_row(c, i);
  return out;
}

class Append : public testing::Test {
 protected:
  ImportRequest request(const std::string& name, const std::string& csv) {
    write_file(dir_ / name, csv);
    return request_of({dir_ / name}, "x");
  }
  Result<PutOutcome> import(const std::string& name, const std::string& csv,
                            ExistingBars existing = ExistingBars::Keep) {
    auto r = request(name, csv);
    r.existing = existing;
    return import_dataset(store_, r);
  }

  TempDir dir_;
  DatasetStore store_ = must(DatasetStore::open(dir_ / "data"));
  MarketColumns c_ = random_columns(400, 21);
};

TEST_F(Append, C4BarsThatWouldBeLostAreSaidAndNothingIsWritten) {
  must(import("jan.csv", part(c_, 0, 200)));
  const auto before = contents(dir_ / "data");
  const auto lost = import("feb.csv", part(c_, 200, 400));
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().code(), ErrorCode::InvalidInput);
  for (const char* said : {"dataset x has 200 of its 200 bars", "2023-01-01T00:00:00Z",
                           "2023-01-01T16:35:00Z", "--append", "--replace"}) {
    EXPECT_NE(lost.error().text().find(said), std::string::npos) << lost.error().text();
  }
  EXPECT_EQ(contents(dir_ / "data"), before);
  EXPECT_FALSE(import("less.csv", part(c_, 0, 150)).ok());
  // A longer file that has all of them loses none.
  EXPECT_EQ(must(import("more.csv", part(c_, 0, 250))).kind, PutKind::NewVersion);
  EXPECT_EQ(must(import("feb.csv", part(c_, 200, 400), ExistingBars::Replace)).manifest.bars, 200u);
}

TEST_F(Append, C4VersionsOfADatasetAreAChain) {
  const auto first = must(import("1.csv", part(c_, 100, 200)));
  const auto second = must(import("2.csv", part(c_, 190, 300), ExistingBars::Append));
  EXPECT_EQ(second.manifest.parent, first.manifest.content_hash);
  EXPECT_EQ(second.manifest.bars, 200u);
  EXPECT_EQ(second.manifest.faults[FaultKind::Overlap].count, 10u);
  // What is older can be added as well, and what leaves a gap.
  const auto third = must(import("3.csv", part(c_, 0, 80), ExistingBars::Append));
  EXPECT_EQ(third.manifest.parent, second.manifest.content_hash);
  EXPECT_EQ(third.manifest.faults.bars_missing, 20u);
  const auto whole = must(import("4.csv", part(c_, 80, 400), ExistingBars::Append));
  EXPECT_EQ(whole.manifest.content_hash, market_content_hash(c_.view()));
  EXPECT_EQ(whole.manifest.raw_files.size(), 4u);
  EXPECT_EQ(whole.manifest.faults.bars_missing, 0u);
  EXPECT_EQ(must(store_.versions("x")).size(), 4u);
  EXPECT_EQ(error_of(store_.verify("x")), "");
  EXPECT_EQ(must(import("4.csv", part(c_, 80, 400), ExistingBars::Append)).kind,
            PutKind::Unchanged);
}

TEST_F(Append, C4ANewNameAppendsToNothing) {
  EXPECT_EQ(must(import("1.csv", part(c_, 0, 50), ExistingBars::Append)).kind, PutKind::Created);
}

TEST_F(Append, C4OtherValuesForABarThatIsThereRefuseAndTheLaterFileMends) {
  auto first = request("1.csv", part(c_, 0, 200));
  first.last_bar = LastBar::Drop;
  must(import_dataset(store_, first));
  MarketColumns other = c_;
  other.volume[150] += 1;
  auto again = request("2.csv", part(other, 150, 300));
  again.existing = ExistingBars::Append;
  const std::string refusal = error_of(import_dataset(store_, again));
  EXPECT_NE(refusal.find("1 duplicate_conflicting (dataset x:151"), std::string::npos) << refusal;
  again.on_fault = OnFault::Repair;
  must(import_dataset(store_, again));
  EXPECT_EQ(must(store_.load("x")).view().volume[150], other.volume[150]);
}

TEST_F(Append, C4TheLastBarOfAnEarlierFileMayHaveBeenOpen) {
  MarketColumns open = c_;
  open.close[99] = open.low[99];
  open.volume[99] = 1;
  must(import("1.csv", part(open, 0, 100)));
  must(import("2.csv", part(c_, 99, 200), ExistingBars::Append));
  EXPECT_EQ(must(store_.load("x")).view().close[99], c_.close[99]);
}

TEST_F(Append, C4AnotherIntervalOrInstrumentIsRefused) {
  must(import("1.csv", part(c_, 0, 100)));
  auto r = request("2.csv", part(c_, 100, 200));
  r.existing = ExistingBars::Append;
  r.interval = hours(1);
  EXPECT_NE(error_of(import_dataset(store_, r)).find("has bars of 5m, not the --interval 1h"),
            std::string::npos);
  write_file(dir_ / "h.csv", ohlcv_csv(random_columns(50, 2, 60)));
  auto hourly = request_of({dir_ / "h.csv"}, "x");
  hourly.existing = ExistingBars::Append;
  EXPECT_FALSE(import_dataset(store_, hourly).ok());
  r = request("2.csv", part(c_, 100, 200));
  r.existing = ExistingBars::Append;
  r.instrument = "ETHUSDT";
  EXPECT_FALSE(import_dataset(store_, r).ok());
  EXPECT_EQ(must(store_.load("x")).view().size(), 100u);
}

TEST_F(Append, C4FundingStaysWhenBarsAreAdded) {
  must(import("1.csv", part(c_, 0, 200)));
  write_file(dir_ / "f.csv", "ts_ms,funding_rate\n1672560000000,0.0001\n");
  must(import_dataset(store_, request_of({dir_ / "f.csv"}, "x", format_of("funding"))));
  const auto out = must(import("2.csv", part(c_, 200, 400), ExistingBars::Append));
  EXPECT_EQ(out.manifest.funding_events, 1u);
  EXPECT_EQ(out.manifest.raw_files.size(), 3u);
}

TEST_F(Append, C7ADryRunReadsAndWritesNothing) {
  const auto bars = must(preview_bars(request("1.csv", part(c_, 0, 50))));
  EXPECT_EQ(bars.columns.size(), 50u);
  EXPECT_EQ(bars.columns.close[0], c_.close[0]);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "data"));
}

}  // namespace
}  // namespace winnow::store::test
