// One small file in each maker's layout: imported at the first try, or told in one line what to
// add.
#include "cli/layout_file.hpp"
#include "support.hpp"

namespace winnow::store::test {
namespace {

constexpr const char* kFirst = "2024-01-02T00:00:00Z";

struct MakerCase {
  const char* file;
  const char* layout;  // named layout or map beside the file; empty: the format ohlcv
  const char* instrument;
  std::size_t bars;
  const char* first = kFirst;
  double volume = 0;      // of the first bar; 0: not looked at
  const char* note = "";  // part of a note
  const char* zone = "";
  const char* unit = "";
  const FormatDecl* format = format_of("ohlcv");
};

std::filesystem::path folder() {
  return std::filesystem::path(WINNOW_SOURCE_DIR) / "tests/store_data/makers";
}

ImportRequest request_for(const MakerCase& c) {
  ImportRequest request = request_of({folder() / c.file}, "x", c.format);
  request.instrument = c.instrument;
  request.time_zone = c.zone;
  const std::string layout = c.layout;
  if (!layout.empty()) {
    const bool map = layout.ends_with(".yaml");
    request.layout = must(cli::resolve_layout(map ? (folder() / layout).string() : layout));
  }
  if (*c.unit != '\0') {
    request.volume = must(parse_volume_unit(c.unit));
    request.layout.volume_optional |= request.volume.unit == VolumeUnit::None;
  }
  return request;
}

bool has_note(const std::vector<std::string>& notes, std::string_view part) {
  return part.empty() || std::any_of(notes.begin(), notes.end(), [&](const std::string& n) {
           return n.find(part) != std::string::npos;
         });
}

TEST(Makers, C7FilesOfEachMakerImportAtTheFirstTry) {
  const FormatDecl* const kKlines = format_of("binance-klines");
  const FormatDecl* const kOkx = format_of("okx-candles");
  const MakerCase cases[] = {
      {"cryptodatadownload.csv", "cryptodatadownload", "BTCUSDT", 24, kFirst, 29.115},
      {"cryptodatadownload.csv", "", "BTC/USDT", 24, kFirst, 29.115, "above the header"},
      {"cryptodatadownload_old.csv", "cryptodatadownload", "BTCUSD", 24, kFirst, 29.115,
       "another unit"},
      {"kraken_XBTUSD_60.csv", "kraken", "XBTUSD", 22, kFirst, 29.115},
      {"tradingview.csv", "tradingview", "BTCUSDT.P", 24, kFirst, 29.115},
      {"tradingview.csv", "", "BTCUSDT.P", 24, kFirst, 29.115},
      {"tradingview_index.csv", "tradingview", "SPX", 24, kFirst, 0, "no volume"},
      {"metatrader5.csv", "metatrader", "EURUSD", 24, "2024-01-01T22:00:00Z", 0, "no volume",
       "Europe/Athens"},
      {"metatrader4.csv", "metatrader", "EURUSD", 24, kFirst, 0, "counts ticks", "UTC"},
      {"metatrader4.csv", "metatrader", "EURUSD", 24, kFirst, 100, "taken as UTC", "", "base"},
      {"bybit_archive_mt4.csv", "bybit", "BTCUSDT", 24, kFirst, 29.115, "taken as UTC"},
      {"yahoo_shares.csv", "yahoo", "AAPL", 24, kFirst, 0, "1 rows without any price"},
      {"yfinance_levels.csv", "yahoo", "BTC-USD", 24, kFirst, 0, "volume of a pair is in USD"},
      {"yfinance_intraday.csv", "yahoo", "AAPL", 48, "2024-03-09T00:00:00Z", 2911},
      {"ccxt_rows.csv", "ccxt", "BTC/USDT", 24, kFirst, 29.115},
      {"ccxt_frame.csv", "ccxt", "BTC/USDT", 24, kFirst, 29.115, "taken as UTC"},
      {"ccxt_frame.csv", "", "BTC/USDT", 24, kFirst, 29.115},
      {"bybit_rows.csv", "bybit", "BTCUSDT", 24, kFirst, 29.115},
      {"bybit_inverse.csv", "bybit", "BTCUSD", 24, kFirst, 29.11, "in dollars"},
      {"coinmarketcap.csv", "", "BTC-USD", 24, kFirst, 29'115, "", "", "quote"},
      {"german_bank.csv", "german_bank.yaml", "BMW", 24, "2024-01-01T23:00:00Z", 29.11,
       "Europe/Berlin"},
      {"decimal_commas.csv", "", "BTCUSDT", 24, kFirst, 29.115},
      {"histdata.csv", "histdata", "EURUSD", 24, kFirst, 0, "no volume"},
      {"dukascopy.csv", "dukascopy", "EURUSD", 24, kFirst, 29.115e6},
      {"investing.csv", "investing", "BTCUSD", 24, kFirst, 29'110},
      {"investing.csv", "", "BTCUSD", 24, kFirst, 29'110},
      {"nasdaq.csv", "", "AAPL", 24, kFirst},
      {"polygon.csv", "", "SPY", 24, kFirst, 2911},
      {"stooq.txt", "stooq", "BTCUSD", 24, kFirst, 29.115},
      {"alphavantage.csv", "", "IBM", 24, kFirst, 2911},
      {"excel.csv", "", "BTCUSDT", 24, kFirst, 29.115},
      {"bitmex.csv", "", "XBTUSD", 24, kFirst, 29.115},
      {"okx_swap.csv", "", "BTC-USDT-SWAP", 24, kFirst, 29.11, "volCcy", "", "", kOkx},
      {"okx_contracts.csv", "", "BTC-USDT-SWAP", 24, kFirst, 29.11, "", "", "contracts:0.01", kOkx},
      {"binance_coinm.csv", "", "BTCUSD_PERP", 24, kFirst, 29.115, "coin-margined", "", "",
       kKlines},
      {"no_header.csv", "no_header.yaml", "SPY", 24, "2024-01-02T05:00:00Z", 2911},
  };
  for (const MakerCase& c : cases) {
    SCOPED_TRACE(std::string(c.file) + " as " + c.layout);
    TempDir dir;
    const auto store = must(DatasetStore::open(dir / "data"));
    const auto out = import_dataset(store, request_for(c));
    ASSERT_TRUE(out.ok()) << error_of(out);
    EXPECT_EQ(out->manifest.bars, c.bars);
    EXPECT_EQ(format_timestamp(out->manifest.first), c.first);
    EXPECT_EQ(out->manifest.faults.refusing(), 0u);
    EXPECT_TRUE(has_note(out->manifest.notes, c.note))
        << testing::PrintToString(out->manifest.notes);
    const auto loaded = must(store.load("x"));
    if (c.volume > 0) {
      EXPECT_NEAR(loaded.view().volume[0], c.volume, 1e-3 * c.volume);
    }
    EXPECT_GT(loaded.view().close[0], 1);
  }
}

TEST(Makers, C7WhatIsMissingIsSaidInOneLine) {
  struct Refusal {
    MakerCase how;
    const char* says;
  };
  const Refusal cases[] = {
      {{"kraken_XBTUSD_60.csv", "", "XBTUSD", 0}, "a table without a header needs --layout: "},
      {{"tradingview_index.csv", "", "SPX", 0}, "--volume-unit none imports bars without one"},
      {{"ccxt_rows.csv", "ccxt", "BTC/USDT:USDT", 0}, "add --volume-unit base or contracts:SIZE"},
      {{.file = "okx_contracts.csv",
        .layout = "",
        .instrument = "BTC-USDT-SWAP",
        .bars = 0,
        .format = format_of("okx-candles")},
       "add --volume-unit contracts:SIZE"},
      {{"german_bank.csv", "", "BMW", 0}, "no header with open,high,low,close,volume"},
      {{"no_header.csv", "kraken", "SPY", 0}, "has 6 columns and no header; kraken has"},
      {{"no_header.csv", "no_header.yaml", "SPY", 0, kFirst, 0, "", "Mars/Olympus"},
       "there is no time zone 'Mars/Olympus'"},
  };
  for (const Refusal& c : cases) {
    SCOPED_TRACE(std::string(c.how.file) + " as " + c.how.layout);
    TempDir dir;
    const auto store = must(DatasetStore::open(dir / "data"));
    const std::string error = error_of(import_dataset(store, request_for(c.how)));
    EXPECT_NE(error.find(c.says), std::string::npos) << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
}

TEST(ColumnMap, C7UnknownKeysAndWrongValuesAreNamedWithTheirPlace) {
  const auto error = [](const char* yaml) { return error_of(cli::parse_layout(yaml, "m.yaml")); };
  EXPECT_NE(error("delimeter: ','\n").find("m.yaml:1:1"), std::string::npos)
      << error("delimeter: 1");
  EXPECT_NE(error("delimeter: ','\n").find("delimiter"), std::string::npos);
  EXPECT_NE(error("decimal: x\n").find("m.yaml:1:10"), std::string::npos) << error("decimal: x\n");
  EXPECT_NE(error("header: false\n").find("positions of time"), std::string::npos);
  EXPECT_NE(error("volume_unit: gallons\n").find("contracts:SIZE"), std::string::npos);
  EXPECT_NE(error("like: nobody\n").find("there are ohlcv"), std::string::npos);
  EXPECT_NE(error_of(cli::resolve_layout("krakn")).find("there is no layout 'krakn'"),
            std::string::npos);
  EXPECT_NE(error_of(cli::resolve_layout("/dev/zero")).find("is a file of at most"),
            std::string::npos);
  const auto map = must(cli::parse_layout("like: kraken\nzone: Asia/Tokyo\n", "m.yaml"));
  EXPECT_EQ(map.zone, "Asia/Tokyo");
  EXPECT_EQ(map.shapes.size(), 2u);
}

}  // namespace
}  // namespace winnow::store::test
