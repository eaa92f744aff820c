#include "store/import/layout.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "store/import/csv.hpp"

namespace winnow::store {
namespace {

TimeSpec unit_found() { return {TimeUnit::Auto, {}, DayOrder::Unknown}; }

const std::array<Layout, 16> kLayouts{
    {Layout{.name = "ohlcv",
            .about = "a header that names open, high, low, close, volume and a time, in any "
                     "usual spelling"},
     Layout{.name = "cryptodatadownload",
            .about = "a line with the site's address on top, newest first, a volume column "
                     "for each asset",
            .habit = MakerHabit::VolumeNamesAsset},
     Layout{.name = "kraken",
            .about = "time in seconds,open,high,low,close[,vwap],volume,trades without a "
                     "header; no row where nothing traded",
            .shapes = {{7, "time,open,high,low,close,volume,-"},
                       {8, "time,open,high,low,close,-,volume,-"}},
            .spec = unit_found()},
     Layout{.name = "tradingview",
            .about = "a chart's export: time,open,high,low,close, then volume and indicators, "
                     "or none",
            .volume_optional = true},
     Layout{.name = "metatrader",
            .about = "<DATE>,<TIME>,<OPEN>,...,<TICKVOL>,<VOL> between tabs, or the same "
                     "without header between commas; the server's local time",
            .shapes = {{7, "date,clock,open,high,low,close,tickvol"},
                       {6, "time,open,high,low,close,tickvol"},
                       {9, "date,clock,open,high,low,close,tickvol,vol,-"}},
            .volume_optional = true,
            .habit = MakerHabit::TicksForVolume},
     Layout{.name = "yahoo",
            .about = "Date,Open,High,Low,Close,Adj Close,Volume; shares in pieces, pairs in "
                     "the quote; rows of null are days without trade",
            .skip_missing = true,
            .habit = MakerHabit::PairsInQuote},
     Layout{.name = "ccxt",
            .about = "what fetch_ohlcv gives: timestamp in milliseconds,open,high,low,close,"
                     "volume, with or without a header or an index",
            .shapes = {{6, "time,open,high,low,close,volume"},
                       {7, "-,time,open,high,low,close,volume"}},
            .habit = MakerHabit::SwapsUnsaid},
     Layout{.name = "bybit",
            .about = "startTime,open,high,low,close,volume,turnover, newest first, with or "
                     "without a header; or its archive for MetaTrader",
            .shapes = {{7, "time,open,high,low,close,volume,turnover"},
                       {6, "time,open,high,low,close,volume"}},
            .habit = MakerHabit::InverseInQuote},
     Layout{.name = "bitfinex",
            .about = "time in milliseconds,open,close,high,low,volume",
            .shapes = {{6, "time,open,close,high,low,volume"}}},
     Layout{.name = "coinbase",
            .about = "time in seconds,low,high,open,close,volume",
            .shapes = {{6, "time,low,high,open,close,volume"}}},
     Layout{.name = "kucoin",
            .about = "time in seconds,open,close,high,low,volume,turnover",
            .shapes = {{7, "time,open,close,high,low,volume,turnover"}}},
     Layout{.name = "gateio",
            .about = "time in seconds,quote volume,close,high,low,open[,base volume]",
            .shapes = {{7, "time,turnover,close,high,low,open,volume"},
                       {8, "time,turnover,close,high,low,open,volume,-"}}},
     Layout{.name = "histdata",
            .about = "20240102 170000;open;high;low;close;0, New York's winter time all year, "
                     "no volume",
            .delimiter = ';',
            .shapes = {{6, "time,open,high,low,close,-"}},
            .spec = {TimeUnit::Format, "%Y%m%d %H%M%S", DayOrder::Unknown},
            .zone = "-05:00",
            .volume_meaning = {VolumeUnit::None, 0},
            .volume_optional = true},
     Layout{.name = "dukascopy",
            .about = "Gmt time,Open,High,Low,Close,Volume; day before month; volume in "
                     "millions of base units",
            .spec = {TimeUnit::Auto, {}, DayOrder::DayFirst},
            .volume_meaning = {VolumeUnit::Contracts, 1e6}},
     Layout{.name = "stooq",
            .about = "Date,Open,High,Low,Close,Volume or <TICKER>,<PER>,<DATE>,<TIME>,...; "
                     "volume may be missing",
            .volume_optional = true},
     Layout{.name = "investing",
            .about = "Date,Price,Open,High,Low,Vol.,Change %; month before day; 1.2K for 1200",
            .spec = {TimeUnit::Auto, {}, DayOrder::MonthFirst},
            .volume_optional = true}}};

}  // namespace

Result<VolumeMeaning> parse_volume_unit(std::string_view text) {
  if (text == "base") return VolumeMeaning{VolumeUnit::Base, 0};
  if (text == "quote") return VolumeMeaning{VolumeUnit::Quote, 0};
  if (text == "none") return VolumeMeaning{VolumeUnit::None, 0};
  if (text == "contracts") return VolumeMeaning{VolumeUnit::Contracts, 0};
  if (text.starts_with("contracts:")) {
    double size = 0;
    if (parse_number(text.substr(10), size) && size > 0 && size < 1e12) {
      return VolumeMeaning{VolumeUnit::Contracts, size};
    }
  }
  return Error(ErrorCode::InvalidInput,
               "volume unit " + in_quotes(text) +
                   " is unknown; allowed: base, quote, contracts, contracts:SIZE (base units in a "
                   "contract, above 0) and none");
}

std::span<const Layout> named_layouts() { return kLayouts; }

const Layout* find_layout(std::string_view name) {
  const auto all = named_layouts();
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const Layout& l) { return l.name == name; });
  return it == all.end() ? nullptr : &*it;
}

std::string layout_names() {
  std::string out;
  for (const Layout& layout : named_layouts()) out += (out.empty() ? "" : ", ") + layout.name;
  return out;
}

}  // namespace winnow::store
