#include "store/import/source_file.hpp"
#include "support.hpp"

namespace winnow::store::test {
namespace {

std::string kline_row(const MarketColumns& c, std::size_t i, bool in_us) {
  const std::int64_t unit = in_us ? 1'000 : 1'000'000;
  const std::int64_t open = c.time_ns[i] / unit;
  const std::int64_t close = (c.time_ns[i] + c.interval_ns) / unit - 1;
  std::ostringstream out;
  out.precision(17);
  out << open << ',' << c.open[i] << ',' << c.high[i] << ',' << c.low[i] << ',' << c.close[i] << ','
      << c.volume[i] << ',' << close << ",1.5,7,0.5,0.7,0\n";
  return out.str();
}
constexpr char kKlineHeader[] =
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore\n";

std::string klines(const MarketColumns& c, std::size_t first, std::size_t last, bool in_us) {
  std::string out;
  for (std::size_t i = first; i < last; ++i) out += kline_row(c, i, in_us);
  return out;
}

/// A store, and files to import into it.
class Import : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, const std::string& bytes) {
    write_file(dir_ / name, bytes);
    return dir_ / name;
  }
  Result<PutOutcome> import(const std::string& bytes,
                            const FormatDecl* format = format_of("ohlcv")) {
    return import_dataset(store_, request_of({file("in.csv", bytes)}, "x", format));
  }
  void expect_refused(const Result<PutOutcome>& result, const std::string& part) {
    ASSERT_FALSE(result.ok()) << "expected: " << part;
    EXPECT_EQ(result.error().code(), ErrorCode::InvalidInput);
    EXPECT_NE(result.error().text().find(part), std::string::npos) << result.error().text();
    EXPECT_TRUE(store_.names().empty());
  }

  TempDir dir_;
  DatasetStore store_ = must(DatasetStore::open(dir_ / "data"));
  MarketColumns c_ = random_columns(288, 1);
};

TEST_F(Import, PlainGzipTwoMemberGzipAndZipGiveTheSameBars) {
  const std::string csv = ohlcv_csv(c_);
  const std::size_t cut = csv.find('\n', csv.size() / 2) + 1;
  const std::string hash = market_content_hash(c_.view());
  file("a.csv", csv);
  file("a.csv.gz", gzip(csv));
  file("two.gz", gzip(csv.substr(0, cut)) + gzip(csv.substr(cut)));
  write_zip(dir_ / "a.zip", {{"readme.md", "x"}, {"a.csv", csv}});
  for (const char* name : {"a.csv", "a.csv.gz", "two.gz", "a.zip"}) {
    const auto out =
        must(import_dataset(store_, request_of({dir_ / name}, std::string("d-") + name)));
    EXPECT_EQ(out.manifest.content_hash, hash) << name;
  }
}

TEST_F(Import, SpreadsheetHabitsAreRead) {
  std::string csv = "\xef\xbb\xbf\"Open\",High,Low,\"Close\",Volume,note,ts_s\r\n\r\n";
  for (std::size_t i = 0; i < c_.size(); ++i) {
    std::ostringstream row;
    row.precision(17);
    row << '"' << c_.open[i] << "\", " << c_.high[i] << ",+" << c_.low[i] << ',' << c_.close[i]
        << ',' << c_.volume[i] << ",\"a, b\"," << c_.time_ns[i] / 1'000'000'000 << ".0\r\n";
    csv += row.str();
  }
  EXPECT_EQ(must(import(csv)).manifest.content_hash, market_content_hash(c_.view()));
}

TEST_F(Import, TimeColumnsInEveryUnit) {
  const std::string hash = market_content_hash(c_.view());
  const std::string rows = ohlcv_csv(c_).substr(std::string("ts_ms").size());
  auto request = request_of({file("m.csv", "when" + rows)}, "x");
  EXPECT_NE(error_of(import_dataset(store_, request)).find("no time column"), std::string::npos);
  request.time = {"When", TimeUnit::Milliseconds};
  EXPECT_EQ(must(import_dataset(store_, request)).manifest.content_hash, hash);
  request.time = {"then", TimeUnit::Milliseconds};
  EXPECT_NE(error_of(import_dataset(store_, request)).find("m.csv:1: there is no column 'then'"),
            std::string::npos);

  std::string iso = "date,open,high,low,close,volume\n";
  for (std::size_t i = 0; i < c_.size(); ++i) {
    const std::string row = ohlcv_row(c_, i);
    std::string time = format_timestamp({c_.time_ns[i]});
    if (i % 2 == 0) time = time.substr(0, 10) + " " + time.substr(11, 8) + "+00:00";
    iso += time + row.substr(row.find(','));
  }
  request.files = {file("i.csv", iso)};
  request.time = {"date", TimeUnit::Iso};
  EXPECT_EQ(must(import_dataset(store_, request)).kind, PutKind::Unchanged);
}

TEST_F(Import, KlinesWithAndWithoutHeaderInMillisecondsAndMicroseconds) {
  const std::string hash = market_content_hash(c_.view());
  for (const bool header : {false, true}) {
    for (const bool in_us : {false, true}) {
      const std::string csv = (header ? kKlineHeader : "") + klines(c_, 0, 288, in_us);
      const std::string name = std::string("k") + (header ? "h" : "") + (in_us ? "u" : "");
      const auto out = must(
          import_dataset(store_, request_of({file(name, csv)}, name, format_of("binance-klines"))));
      EXPECT_EQ(out.manifest.content_hash, hash) << name;
      const std::string notes = out.manifest.notes.empty() ? "" : out.manifest.notes[0];
      EXPECT_EQ(notes.find("microseconds") != std::string::npos, in_us) << name;
      // A whole day: the archive is finished, so nothing is said of the last bar.
      EXPECT_EQ(out.manifest.faults.total(), 0u) << name;
    }
  }
}

TEST_F(Import, FilesAreMergedInTimeOrderWhateverTheirOrderAndUnit) {
  write_zip(dir_ / "2.zip", {{"2.csv", klines(c_, 190, 288, true)}});
  const auto request = request_of({dir_ / "2.zip", file("1.csv", klines(c_, 0, 200, false))}, "x",
                                  format_of("binance-klines"));
  const auto out = must(import_dataset(store_, request));
  EXPECT_EQ(out.manifest.content_hash, market_content_hash(c_.view()));
  EXPECT_EQ(out.manifest.raw_files.size(), 2u);
  EXPECT_EQ(out.manifest.faults[FaultKind::Overlap].count, 10u);
  EXPECT_TRUE(out.manifest.repairs.empty());  // an overlap is no fault
}

TEST_F(Import, KlineThatClosedEarlyIsUnfinishedAndDropped) {
  std::string csv = klines(c_, 0, 100, false);
  const std::string close = std::to_string((c_.time_ns[99] + c_.interval_ns) / 1'000'000 - 1);
  csv.replace(csv.rfind(close), close.size(), std::to_string(c_.time_ns[99] / 1'000'000 + 61'000));
  const auto out = must(import(csv, format_of("binance-klines")));
  EXPECT_EQ(out.manifest.bars, 99u);
  ASSERT_EQ(out.manifest.repairs.size(), 1u);
  EXPECT_NE(out.manifest.repairs[0].text.find("still open"), std::string::npos);
}

TEST_F(Import, OkxCandlesComeNewestFirstAndSayWhetherTheyAreComplete) {
  std::string csv;
  for (std::size_t i = 100; i-- > 0;) {
    std::string row = ohlcv_row(c_, i);
    row.pop_back();
    csv += row + ",1.0,2.0," + (i == 99 ? "0" : "1") + "\n";
  }
  const auto out = must(import(csv, format_of("okx-candles")));
  EXPECT_EQ(out.manifest.bars, 99u);
  EXPECT_EQ(out.manifest.faults.refusing(), 0u);
  EXPECT_EQ(out.manifest.first.ns, c_.time_ns[0]);
}

TEST_F(Import, MalformedLinesNamePlaceColumnValueAndWhatIsAllowed) {
  const std::string header = "ts_ms,open,high,low,close,volume\n";
  const std::string good = ohlcv_row(c_, 0);
  expect_refused(import(header + good + "1672531500000,1,2,x1,1,1\n"),
                 "in.csv:3: column low: value 'x1' is not valid; a decimal number is allowed");
  expect_refused(import(header + good + "16725315e5,1,2,1,1,1\n"),
                 "in.csv:3: column ts_ms: value '16725315e5' is not valid; milliseconds");
  expect_refused(import(header + good + "-5,1,2,1,1,1\n"), "value '-5'");
  expect_refused(import(header + good + "1672531500000,1,2,1\n"),
                 "in.csv:3: has 4 columns; 6 are expected");
  expect_refused(import("a,b\n1,2\n"), "in.csv:1: the first line is no header");
  expect_refused(import("ts_ms;open;high;low;close;volume\n"), "no bar below the header");
  expect_refused(import("ts_s,ts_ms,open,high,low,close,volume\n"), "both columns ts_s and ts_ms");
  expect_refused(import(header), "no bar below the header");
  expect_refused(import(good, format_of("binance-klines")), "has 6 columns; a kline has 12");
  expect_refused(
      import(kKlineHeader + klines(c_, 0, 3, false) + "17,x\n", format_of("binance-klines")),
      "in.csv:5: has 2 columns");
  expect_refused(import("167253120,1,1,1,1,1\n1672531200000,1,1,1,1\n", format_of("okx-candles")),
                 "in.csv:2: has 5 columns");
}

TEST_F(Import, DamagedFilesAreNamedAsSuch) {
  const std::string packed = gzip(ohlcv_csv(c_));
  expect_refused(import(packed.substr(0, packed.size() / 2)), "in.csv: the gzip data ends early");
  expect_refused(import(packed.substr(0, packed.size() - 3)), "truncated");
  std::string damaged = packed;
  damaged[packed.size() / 2] ^= 0x55;
  expect_refused(import(damaged), "in.csv: damaged gzip data");
  expect_refused(import(packed + "garbage"), "7 bytes of garbage");
  expect_refused(import(""), "the file is empty");
  expect_refused(import(" \n\n"), "the file is empty");
  expect_refused(import(gzip("")), "the file is empty");
  expect_refused(import(std::string("\x7f"
                                    "ELF\0\0\0",
                                    7)),
                 "binary data");
  write_zip(dir_ / "z.zip", {{"a.csv", ohlcv_csv(c_)}});
  const std::string archive = read_file(dir_ / "z.zip");
  expect_refused(import(archive.substr(0, archive.size() - 30)), "in.csv: not a whole ZIP archive");
  std::string flipped = archive;
  flipped[archive.size() / 2] ^= 0x55;
  expect_refused(import(flipped), "damaged ZIP data");
  write_zip(dir_ / "n.zip", {{"a.bin", "x"}});
  expect_refused(import(read_file(dir_ / "n.zip")), "holds no .csv file");
  const auto missing = import_dataset(store_, request_of({dir_ / "none.csv"}, "x"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::NotFound);
  EXPECT_FALSE(import_dataset(store_, request_of({dir_.path()}, "x")).ok());
}

TEST_F(Import, AnArchiveMayNotUnpackWithoutLimit) {
  const auto path = file("bomb.gz", gzip(std::string(3'000'000, 'x')));
  const auto read = read_source_file(path, 1'000'000);
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().text().find("more than the 1000000 bytes allowed"), std::string::npos);
  EXPECT_EQ(must(read_source_file(path, 3'000'000)).tables.at(0).text.size(), 3'000'000u);
}

TEST_F(Import, GarbageIsRefusedNeverImported) {
  const std::string good = ohlcv_csv(c_);
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    Rng rng(seed);
    std::string bytes = seed % 3 == 0 ? gzip(good) : good;
    for (int k = 0; k < 8; ++k) bytes[rng.below(bytes.size())] = static_cast<char>(rng.next_u64());
    const auto out = import(bytes);
    if (!out.ok()) continue;  // a digit that became another digit is a price like any other
    EXPECT_EQ(error_of(check_market(must(store_.load("x")).view())), "") << "seed " << seed;
  }
}

TEST_F(Import, UnknownFormatsNameTheOnesThereAre) {
  for (const char* name : {"binance-aggtrades", "binance-ws", "parquet"}) {
    const std::string text = error_of(parse_format(name));
    EXPECT_NE(text.find("binance-klines, okx-candles, ohlcv and funding"), std::string::npos);
  }
}

TEST_F(Import, RefusedFaultsLeaveTheOldVersionAlone) {
  must(import(ohlcv_csv(c_)));
  const auto before = contents(dir_ / "data");
  const auto refused = import(ohlcv_csv(c_) + ohlcv_row(c_, 287));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().text().find("in.csv: 1 duplicate_identical (in.csv:290"),
            std::string::npos)
      << refused.error().text();
  EXPECT_EQ(contents(dir_ / "data"), before);
}

std::string funding_csv(std::int64_t first_ms, int count, double rate) {
  std::ostringstream out;
  out << "ts_ms,funding_rate\n";
  for (int i = 0; i < count; ++i) out << first_ms + i * 28'800'000ll + i << ',' << rate << "\n";
  return out.str();
}

TEST_F(Import, FundingIsAttachedToBarsAndKeptWhenTheyAreImportedAgain) {
  const std::string bars = ohlcv_csv(c_);
  const auto plain = must(import(bars));
  const std::string csv = funding_csv(kStart / 1'000'000 - 28'800'000, 6, 0.0001);
  const auto funded = must(import(csv, format_of("funding")));
  EXPECT_EQ(funded.kind, PutKind::NewVersion);
  EXPECT_EQ(funded.manifest.funding_events, 3u);  // one before the bars, two after them
  EXPECT_EQ(funded.manifest.bars, 288u);
  EXPECT_EQ(funded.manifest.parent, plain.manifest.content_hash);
  EXPECT_EQ(funded.manifest.raw_files.size(), 2u);
  const auto loaded = must(store_.load("x"));
  EXPECT_EQ(loaded.view().funding[0].time_ns, kStart + 1'000'000);
  EXPECT_EQ(loaded.view().funding[0].rate_frac, 0.0001);
  EXPECT_EQ(error_of(store_.verify("x")), "");

  EXPECT_EQ(must(import(csv, format_of("funding"))).kind, PutKind::Unchanged);
  EXPECT_EQ(must(import(bars)).kind, PutKind::Unchanged);
  const auto longer = must(import(ohlcv_csv(random_columns(400, 1))));
  EXPECT_EQ(longer.manifest.funding_events, 3u);
  ASSERT_EQ(longer.manifest.raw_files.size(), 2u);
  const auto more = must(import(funding_csv(kStart / 1'000'000, 9, 0.0003), format_of("funding")));
  EXPECT_EQ(more.manifest.funding_events, 8u);  // five at new times join the three
}

TEST_F(Import, FundingArchiveLayoutAndItsErrors) {
  const std::string archive =
      "calc_time,funding_interval_hours,last_funding_rate\n1672531200000,8,0.00012\n";
  const auto early = import(archive, format_of("funding"));
  ASSERT_FALSE(early.ok());
  EXPECT_EQ(early.error().code(), ErrorCode::NotFound);
  EXPECT_NE(early.error().text().find("import those first"), std::string::npos);
  must(import(ohlcv_csv(c_)));
  EXPECT_EQ(must(import(archive, format_of("funding"))).manifest.funding_events, 1u);
  auto request = request_of({dir_ / "in.csv"}, "x", format_of("funding"));
  request.instrument = "ETHUSDT";
  EXPECT_NE(error_of(import_dataset(store_, request)).find("holds instrument BTCUSDT, not ETHUSDT"),
            std::string::npos);
  EXPECT_NE(error_of(import("ts_ms,funding_rate\n1,0.1\n", format_of("funding")))
                .find("no payment falls"),
            std::string::npos);
  EXPECT_NE(error_of(import("ts_ms,funding_rate\n1672531200000,1%\n", format_of("funding")))
                .find("in.csv:2: column funding_rate: value '1%'"),
            std::string::npos);
}

/// Recorded markets beside the checkout, where they are there.
std::filesystem::path shared_data() {
  const char* env = std::getenv("WINNOW_SHARED");
  const std::filesystem::path shared =
      env != nullptr ? std::filesystem::path(env)
                     : std::filesystem::path(WINNOW_SOURCE_DIR).parent_path() / "shared";
  return shared / "data/binance-perp-5m-cyft";
}

TEST_F(Import, RecordedPerpetualsWithTheirFunding) {
  const auto folder = shared_data();
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no recorded markets here";
  const std::pair<const char*, std::uint64_t> files[] = {{"BTCUSDT", 143'900},
                                                         {"ETHUSDT", 143'901}};
  for (const auto& [instrument, rows] : files) {
    const std::string stem = std::string(instrument) + "-PERP-";
    auto request = request_of({folder / (stem + "5m-futures.csv.gz")}, instrument);
    request.instrument = instrument;
    const auto kept = must(import_dataset(store_, request));
    EXPECT_EQ(kept.manifest.bars, rows);
    EXPECT_EQ(kept.manifest.interval, seconds(300));
    EXPECT_EQ(kept.manifest.faults.refusing(), 0u);
    EXPECT_EQ(kept.manifest.faults.bars_missing, 0u);
    EXPECT_EQ(kept.manifest.faults[FaultKind::UnfinishedLastBar].count, 1u);
    EXPECT_LT(kept.manifest.faults[FaultKind::Outlier].count, 20u);
    request.on_fault = OnFault::Repair;
    const auto dropped = must(import_dataset(store_, request));
    EXPECT_EQ(dropped.manifest.bars, rows - 1);
    EXPECT_EQ(dropped.manifest.repairs.size(), 1u);
    request.files = {folder / (stem + "funding.csv.gz")};
    request.format = format_of("funding");
    EXPECT_EQ(must(import_dataset(store_, request)).manifest.funding_events, 1498u);
    EXPECT_EQ(error_of(store_.verify(instrument)), "");
  }
}

}  // namespace
}  // namespace winnow::store::test
