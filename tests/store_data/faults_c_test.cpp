// Faults of section C on files like those in which they were seen.
#include <sys/stat.h>

#include <csignal>
#include <thread>

#include "store/import/source_file.hpp"
#include "support.hpp"

namespace winnow::store::test {
namespace {

class FaultC : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, const std::string& bytes) {
    write_file(dir_ / name, bytes);
    return dir_ / name;
  }
  Result<PutOutcome> import(const std::string& bytes) {
    return import_dataset(store_, request_of({file("in.csv", bytes)}, "x"));
  }
  std::string refusal(const std::string& bytes) {
    const auto out = import(bytes);
    return out.ok() ? "accepted" : out.error().text();
  }

  TempDir dir_;
  DatasetStore store_ = must(DatasetStore::open(dir_ / "data"));
  MarketColumns c_ = random_columns(60, 4);
};

void expect_has(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

/// Bars at times of one's own writing, in a falling or rising order.
std::string dated(const std::vector<std::string>& times, const std::string& header = "time") {
  std::string out = header + ",open,high,low,close,volume\n";
  for (std::size_t i = 0; i < times.size(); ++i) {
    const std::string px = std::to_string(100 + i % 3);
    out +=
        times[i] + "," + px + "," + px + "," + px + "," + px + "," + std::to_string(5 + i) + "\n";
  }
  return out;
}

TEST_F(FaultC, C1ARowWithMoreFieldsThanNamesIsRefusedByLine) {
  const std::string head = "ts_ms,open,high,low,close,volume\n" + ohlcv_row(c_, 0);
  expect_has(
      refusal(head + "1672531500000,1,005.20,1,005.20,1,001.00,1,002.10,12.5\n"),
      "in.csv:3: has 10 columns; 6 are expected (numbers with separators inside need quotes)");
  expect_has(refusal(head + "1672531500000,1,2,1,1,1,9\n"), "in.csv:3: has 7 columns");
  // Empty fields behind are no fields.
  EXPECT_EQ(refusal(head + "1672531500000,1,2,1,1,1,,\n"), "accepted");
  // Quoted thousands are numbers.
  must(import_dataset(store_,
                      request_of({file("q.csv", head + "1672531500000,\"1,005.20\","
                                                       "\"1,006\",\"1,001.5\",\"1,002\",3\n")},
                                 "q")));
  EXPECT_EQ(must(store_.load("q")).view().open[1], 1005.2);
}

TEST_F(FaultC, C1AHeaderThatNamesAColumnTwiceIsRefused) {
  const std::string row = ",1,2,1,1,1,10,20,10,10,10\n";
  expect_has(
      refusal("ts_ms,open,high,low,close,volume,open,high,low,close,volume\n1672531200000" + row),
      "in.csv:1: the header names 'open' twice (columns 2 and 7)");
  expect_has(refusal("ts_ms,Open,high,low,close,volume, open \n1672531200000,1,2,1,1,1,1\n"),
             "twice");
  expect_has(refusal("ts_ms,ts_ms,open,high,low,close,volume\n1,1,1,1,1,1,1\n"), "twice");
  // What is not needed may stand there as often as it likes.
  EXPECT_EQ(refusal("ts_ms,open,high,low,close,volume,Plot,Plot\n1672531200000,1,2,1,1,1,0,0\n"
                    "1672531500000,1,2,1,1,1,0,0\n"),
            "accepted");
}

TEST_F(FaultC, C1KlinesUnderAHeaderInAnotherOrderAreRefused) {
  const std::string row = "1672531200000,100,99,98,97,5,1672531499999,1,1,1,1,0\n";
  const std::string rest =
      ",close_time,quote_volume,count,taker_buy_volume,"
      "taker_buy_quote_volume,ignore\n";
  auto request = request_of({file("k.csv", "open_time,close,high,low,open,volume" + rest + row)},
                            "k", format_of("binance-klines"));
  expect_has(error_of(import_dataset(store_, request)),
             "k.csv:1: the first line is no header with");
}

TEST_F(FaultC, C2SecondsUnderAnotherUnitAreRefused) {
  std::string seconds = "ts_ms,open,high,low,close,volume\n";
  std::string millis_as_seconds = "ts_s,open,high,low,close,volume\n";
  for (std::size_t i = 0; i < c_.size(); ++i) {
    const std::string row = ohlcv_row(c_, i);
    seconds += std::to_string(c_.time_ns[i] / 1'000'000'000) + row.substr(row.find(','));
    millis_as_seconds += row;
  }
  expect_has(refusal(seconds), "in a unit 1000 times as long it would be 2023-01-01T00:00:00Z");
  expect_has(refusal(millis_as_seconds),
             "in.csv:2: column ts_s: value '1672531200000' is not valid");
  // Bars of a fraction of a second are a mistaken unit, unless they were asked for.
  std::vector<std::string> fast;
  for (int i = 0; i < 20; ++i) fast.push_back(std::to_string(1'704'067'200'000 + i * 300));
  auto request = request_of({file("fast.csv", dated(fast, "ts_ms"))}, "fast");
  expect_has(error_of(import_dataset(store_, request)), "is the unit of time right?");
  request.interval = milliseconds(300);
  EXPECT_EQ(error_of(import_dataset(store_, request)), "");
  // A date of 1985 is a date.
  EXPECT_EQ(refusal(dated({"1985-01-02", "1985-01-03", "1985-01-04"})), "accepted");
}

TEST_F(FaultC, C3NaiveTimesAreSaidAndFollowTheZoneThroughItsClockChanges) {
  std::vector<std::string> spring;
  for (const char* t : {"2024-03-10 00:00", "2024-03-10 01:00", "2024-03-10 03:00",
                        "2024-03-10 04:00", "2024-03-10 05:00"}) {
    spring.push_back(t);
  }
  auto request = request_of({file("spring.csv", dated(spring))}, "utc");
  const auto as_utc = must(import_dataset(store_, request));
  EXPECT_EQ(as_utc.manifest.faults.bars_missing, 1u);
  ASSERT_FALSE(as_utc.manifest.notes.empty());
  expect_has(as_utc.manifest.notes[0], "5 times name no zone and are taken as UTC; --time-zone");

  request.time_zone = "America/New_York";
  request.name = "ny";
  const auto local = must(import_dataset(store_, request));
  EXPECT_EQ(local.manifest.faults.bars_missing, 0u);
  EXPECT_EQ(format_timestamp(local.manifest.first), "2024-03-10T05:00:00Z");

  // The hour that comes twice in autumn, in either order of the file.
  std::vector<std::string> autumn{"2024-11-03 00:00", "2024-11-03 00:30", "2024-11-03 01:00",
                                  "2024-11-03 01:30", "2024-11-03 01:00", "2024-11-03 01:30",
                                  "2024-11-03 02:00"};
  for (const bool newest_first : {false, true}) {
    if (newest_first) std::reverse(autumn.begin(), autumn.end());
    request.files = {file("autumn.csv", dated(autumn))};
    request.name = newest_first ? "falling" : "rising";
    const auto twice = must(import_dataset(store_, request));
    EXPECT_EQ(twice.manifest.bars, 7u);
    EXPECT_EQ(twice.manifest.faults.bars_missing, 0u);
    EXPECT_EQ(twice.manifest.faults.refusing(), 0u);
    expect_has(twice.manifest.notes[0], "4 of them came twice when clocks were set back");
  }

  // A time that never was: refused by line, or left out and listed.
  std::vector<std::string> never = spring;
  never.insert(never.begin() + 2, "2024-03-10 02:30");
  request.files = {file("never.csv", dated(never))};
  request.name = "never";
  expect_has(error_of(import_dataset(store_, request)), "never.csv:4");
  expect_has(error_of(import_dataset(store_, request)), "this local time never was");
  request.on_fault = OnFault::Repair;
  request.last_bar = LastBar::Keep;
  EXPECT_EQ(must(import_dataset(store_, request)).manifest.bars, 5u);

  request.time_zone = "Nowhere/Atall";
  expect_has(error_of(import_dataset(store_, request)), "--time-zone: there is no time zone");
}

TEST_F(FaultC, C3DaysOfAPlaceKeepTheirGridThroughClockChanges) {
  std::vector<std::string> days;
  for (int d = 1; d <= 20; ++d) {
    const std::string day = std::string(d < 10 ? "0" : "") + std::to_string(d);
    days.push_back("2024-03-" + day + "T00:00:00" + (d <= 10 ? "-05:00" : "-04:00"));
  }
  const auto out = must(import(dated(days)));
  EXPECT_EQ(out.manifest.bars, 20u);
  EXPECT_EQ(out.manifest.interval, winnow::days(1));
  EXPECT_EQ(out.manifest.faults.total(), 1u) << "only the last bar may be unfinished";
}

TEST_F(FaultC, C5OverlapAndOrderAreNoFaultsHoweverMany) {
  const MarketColumns c = random_columns(12'000, 3);
  std::string newest_first = "ts_ms,open,high,low,close,volume\n";
  for (std::size_t i = c.size(); i-- > 0;) newest_first += ohlcv_row(c, i);
  const std::string hash = market_content_hash(c.view());
  const auto turned = must(import(newest_first));
  EXPECT_EQ(turned.manifest.content_hash, hash);
  EXPECT_EQ(turned.manifest.faults.refusing(), 0u);
  EXPECT_TRUE(turned.manifest.repairs.empty());
  const auto both = must(import_dataset(
      store_, request_of({file("month.csv", ohlcv_csv(c)), file("days.csv", newest_first)}, "y")));
  EXPECT_EQ(both.manifest.content_hash, hash);
  EXPECT_EQ(both.manifest.faults[FaultKind::Overlap].count, 12'000u);
  EXPECT_TRUE(both.manifest.repairs.empty());
}

TEST_F(FaultC, C5CalendarMonthsAreNamedAndARepairThatRemovesMuchIsRefused) {
  std::vector<std::string> months;
  std::vector<std::string> quarters;
  for (int m = 0; m < 36; ++m) {
    const int month = m % 12 + 1;
    const std::string t = std::to_string(2021 + m / 12) + (month < 10 ? "-0" : "-") +
                          std::to_string(month) + "-01T00:00:00Z";
    months.push_back(t);
    if (m % 3 == 0) quarters.push_back(t);
  }
  for (const auto& times : {months, quarters}) {
    auto request = request_of({file("m.csv", dated(times))}, "m");
    for (const OnFault on_fault : {OnFault::Refuse, OnFault::Repair}) {
      request.on_fault = on_fault;
      expect_has(error_of(import_dataset(store_, request)), "calendar months");
    }
  }
  std::vector<std::string> weeks;
  for (int w = 0; w < 20; ++w) weeks.push_back(std::to_string(1'704'067'200 + w * 604'800));
  must(import_dataset(store_, request_of({file("w.csv", dated(weeks, "ts_s"))}, "w")));

  MarketColumns bad = c_;
  for (std::size_t i = 0; i < bad.size(); i += 3) bad.low[i] = 0;
  auto request = request_of({file("bad.csv", ohlcv_csv(bad))}, "bad");
  request.on_fault = OnFault::Repair;
  expect_has(error_of(import_dataset(store_, request)), "would remove or change 2");
  expect_has(error_of(import_dataset(store_, request)), "of 60 rows, and at most 25% may be");
}

TEST_F(FaultC, C8ChecksumsBesideAFileAreCompared) {
  const std::string csv = ohlcv_csv(c_);
  write_zip(dir_ / "a.zip", {{"a.csv", csv}});
  const std::string hash = sha256_hex(read_file(dir_ / "a.zip"));
  file("a.zip.CHECKSUM", hash + "  a.zip\n");
  auto request = request_of({dir_ / "a.zip", dir_ / "a.zip.CHECKSUM"}, "x");
  const auto good = must(import_dataset(store_, request));
  ASSERT_FALSE(good.manifest.notes.empty());
  expect_has(good.manifest.notes[0], "a.zip: matches the checksum beside it");
  file("a.zip.CHECKSUM", std::string(64, 'a') + "  a.zip\n");
  expect_has(error_of(import_dataset(store_, request)), "but a.zip.CHECKSUM says aaaa");
  file("a.zip.CHECKSUM", "<html>\n");
  expect_has(error_of(import_dataset(store_, request)), "does not begin with a SHA-256");
}

TEST_F(FaultC, F12BombsDevicesAndFoldersAreRefusedPipesAreRead) {
  // 100 MB of one line packs a thousand times: no table does.
  const std::string bomb(100 << 20, '0');
  expect_has(error_of(read_source_file(file("bomb.gz", gzip(bomb)))),
             "unpacks to more than 200 times");
  write_zip(dir_ / "bomb.zip", {{"a.csv", bomb}});
  expect_has(error_of(read_source_file(dir_ / "bomb.zip")), "unpacks to more than 200 times");
  expect_has(error_of(read_source_file(dir_ / "bomb.zip", 1 << 20)), "more than the 1048576 bytes");
  for (const char* device : {"/dev/zero", "/dev/null"}) {
    expect_has(error_of(read_source_file(device)),
               "is a device or socket; files and pipes are read");
  }
  expect_has(error_of(read_source_file(dir_.path())), "is a folder");
  const auto pipe = dir_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { write_file(pipe, ohlcv_csv(c_)); });
  EXPECT_EQ(must(import_dataset(store_, request_of({pipe}, "piped"))).manifest.bars, 60u);
  writer.join();
  std::signal(SIGPIPE, SIG_IGN);  // its reader leaves early
  std::thread endless([&] { write_file(pipe, std::string(3 << 20, 'x')); });
  expect_has(error_of(read_source_file(pipe, 1 << 20)), "more than the 1048576 bytes");
  endless.join();
  for (const char* packing : {"BZh9", "\x28\xb5\x2f\xfd", "PAR1"}) {
    expect_has(error_of(read_source_file(file("p", packing))), "unpack or convert it first");
  }
}

TEST_F(FaultC, A11VolumeIsStoredInBaseUnitsOrRefused) {
  const auto volume_of = [&](const std::string& name) {
    return must(store_.load(name)).view().volume[0];
  };
  auto request = request_of({file("v.csv", ohlcv_csv(c_))}, "quote");
  request.volume = must(parse_volume_unit("quote"));
  must(import_dataset(store_, request));
  const double mean = (c_.open[0] + c_.high[0] + c_.low[0] + c_.close[0]) / 4;
  EXPECT_NEAR(volume_of("quote"), c_.volume[0] / mean, 1e-9);
  request.name = "contracts";
  request.volume = must(parse_volume_unit("contracts:0.01"));
  must(import_dataset(store_, request));
  EXPECT_NEAR(volume_of("contracts"), c_.volume[0] * 0.01, 1e-9);
  request.name = "sizeless";
  request.volume = must(parse_volume_unit("contracts"));
  expect_has(error_of(import_dataset(store_, request)), "add --volume-unit contracts:SIZE");
  for (const char* bad : {"", "lots", "contracts:0", "contracts:-1", "contracts:x"}) {
    expect_has(error_of(parse_volume_unit(bad)), "allowed: base, quote, contracts");
  }
  // A turnover beside the volume tells when it counts contracts.
  std::string csv = "ts_ms,open,high,low,close,volume,turnover\n";
  for (std::size_t i = 0; i < c_.size(); ++i) {
    std::string row = ohlcv_row(c_, i);
    row.pop_back();
    csv += row + "," + std::to_string(c_.volume[i] * c_.close[i] * 0.1) + "\n";
  }
  request = request_of({file("t.csv", csv)}, "turnover");
  expect_has(error_of(import_dataset(store_, request)), "add --volume-unit contracts:0.1");
  request.volume = must(parse_volume_unit("contracts:0.1"));
  must(import_dataset(store_, request));
  EXPECT_NEAR(volume_of("turnover"), c_.volume[0] * 0.1, 1e-9);
}

TEST_F(FaultC, A11AmountBesideVolIsTheBase) {
  std::string csv = "id,open,close,low,high,amount,vol,count\n";
  for (int i = 0; i < 6; ++i) {
    csv += std::to_string(1'704'067'200 + i * 3600) + ",100,100.5,99,101," + std::to_string(i + 1) +
           "," + std::to_string((i + 1) * 100.1) + ",4\n";
  }
  must(import(csv));
  EXPECT_EQ(must(store_.load("x")).view().volume[3], 4);
}

TEST_F(FaultC, C3FundingTimesFollowTheZoneToo) {
  must(import(ohlcv_csv(c_)));
  auto request = request_of({file("f.csv", "time,funding_rate\n2022-12-31 19:30:00,0.0001\n")}, "x",
                            format_of("funding"));
  expect_has(error_of(import_dataset(store_, request)), "no payment falls into the bars");
  request.time_zone = "-05:00";
  EXPECT_EQ(must(import_dataset(store_, request)).manifest.funding_events, 1u);
}

TEST_F(FaultC, A11ContractsOfSwapCandlesAreNotCoins) {
  std::string csv;
  std::string spot;
  for (std::size_t i = c_.size(); i-- > 0;) {
    std::string row = ohlcv_row(c_, i);
    row = row.substr(0, row.rfind(','));
    const double coins = std::floor(c_.volume[i] * 100) / 100;
    const std::string worth = std::to_string(coins * c_.close[i]);
    csv += row + "," + std::to_string(coins * 100) + "," + std::to_string(coins) + "," + worth +
           ",1\n";
    spot += row + "," + std::to_string(coins) + "," + worth + "," + worth + ",1\n";
  }
  for (const auto& [name, text] : {std::pair("swap", csv), std::pair("spot", spot)}) {
    auto request = request_of({file(name, text)}, name, format_of("okx-candles"));
    must(import_dataset(store_, request));
    EXPECT_NEAR(must(store_.load(name)).view().volume[0], std::floor(c_.volume[0] * 100) / 100,
                1e-6)
        << name;
  }
}

TEST_F(FaultC, A14TheSameInstrumentUnderAnotherNameIsTheSame) {
  auto request = request_of({file("a.csv", ohlcv_csv(c_))}, "x");
  request.instrument = "BTC-USDT-SWAP";
  must(import_dataset(store_, request));
  request.instrument = "BTC/USDT:USDT";
  EXPECT_EQ(must(import_dataset(store_, request)).kind, PutKind::Unchanged);
  request.instrument = "BTC-USD-SWAP";
  expect_has(error_of(import_dataset(store_, request)), "holds instrument BTC-USDT-SWAP, not");
}

TEST_F(FaultC, C6MixedSymbolsInOneFileAreRefusedByLine) {
  std::string csv = "symbol,ts_ms,open,high,low,close,volume\n";
  for (std::size_t i = 0; i < 6; ++i) csv += (i < 4 ? "BTCUSDT," : "ETHUSDT,") + ohlcv_row(c_, i);
  expect_has(refusal(csv), "in.csv:6: is of 'ETHUSDT', line 2 of 'BTCUSDT'");
}

}  // namespace
}  // namespace winnow::store::test
