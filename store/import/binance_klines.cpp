// Klines of Binance: the public archive's layout and the REST interface's.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/instrument.hpp"
#include "base/text.hpp"
#include "store/import/formats.hpp"
#include "store/import/row_tools.hpp"

namespace winnow::store {
namespace {

/// A kline's times are in milliseconds below this and in microseconds from it on (1973 in one unit,
/// 5138 in the other).
constexpr std::int64_t kMicrosecondsFrom = 100'000'000'000'000;

constexpr std::array<std::string_view, 12> kKlineColumns{"open_time",
                                                         "open",
                                                         "high",
                                                         "low",
                                                         "close",
                                                         "volume",
                                                         "close_time",
                                                         "quote_volume",
                                                         "count",
                                                         "taker_buy_volume",
                                                         "taker_buy_quote_volume",
                                                         "ignore"};

/// A kline's time: by its size in milliseconds or microseconds.
Status kline_time(const CsvReader& csv, std::size_t at, std::int64_t& out, bool& in_us) {
  const std::string_view text = csv.fields()[at];
  std::int64_t raw = 0;
  const bool ok = rows::is_integer(text) && parse_time(text, TimeUnit::Nanoseconds, raw);
  in_us = raw >= kMicrosecondsFrom;
  const TimeUnit unit = in_us ? TimeUnit::Microseconds : TimeUnit::Milliseconds;
  if (ok && raw < kMicrosecondsFrom * 1000 && parse_time(text, unit, out)) return {};
  return rows::bad_value(csv, kKlineColumns[at], text,
                         "milliseconds or microseconds since 1970 (UTC) are allowed");
}

/// Coin-margined: so many contracts of 100 or 10 dollars, and quote_volume in coins.
bool counts_dollars(const BarRows& rows, std::size_t first, const std::vector<double>& coins) {
  BarRows flat;  // what a contract is worth in dollars does not depend on the price
  std::vector<double> dollars;
  flat.columns.volume.assign(rows.columns.volume.begin() + static_cast<std::ptrdiff_t>(first),
                             rows.columns.volume.end());
  const std::vector<double> ones(coins.size(), 1.0);
  flat.columns.open = flat.columns.high = flat.columns.low = flat.columns.close = ones;
  for (std::size_t i = 0; i < coins.size(); ++i) {
    dollars.push_back(coins[i] * rows::mean_px(rows.columns, first + i));
  }
  const auto seen = rows::volume_evidence(flat, 0, dollars);
  return seen.seems == rows::VolumeSeems::Contracts && seen.size > 5 && seen.size < 200;
}

Status kline_volume(const SourceText& table, const ReadContext& context, std::size_t first,
                    const std::vector<double>& quote, BarRows& rows) {
  VolumeMeaning meaning = context.volume;
  if (meaning.unit == VolumeUnit::Contracts && meaning.contract_size == 0) {
    rows::take_other(rows, first, quote,
                     table.name + ": volume in base units is taken from quote_volume");
    return {};
  }
  const auto parsed = parse_instrument(context.instrument);
  if (meaning.unit == VolumeUnit::Unsaid && parsed && parsed->quote == "USD" &&
      (parsed->inverse() || counts_dollars(rows, first, quote))) {
    rows::take_other(rows, first, quote,
                     table.name +
                         ": volume counts contracts of a coin-margined market; the base units "
                         "of quote_volume are taken");
    return {};
  }
  rows::scale_volume(rows, first, meaning);
  return {};
}

/// With or without its header: open_time, open, high, low, close, volume, close_time, quote_volume,
/// count, taker_buy_volume, taker_buy_quote_volume, ignore. Of coin-margined contracts volume
/// counts contracts and quote_volume is the base.
Status read_binance_klines(const SourceText& table, const ReadContext& context, BarRows& rows) {
  CsvReader csv(table.name, table.text);
  const std::uint32_t file = rows::add_file(rows.files, table.name);
  rows::reserve(rows, table.text.size() / 2);
  constexpr rows::PriceColumns kAt{1, 2, 3, 4, 5};
  constexpr std::size_t kCloseTime = 6;
  constexpr std::size_t kQuoteVolume = 7;
  const std::size_t first_row = rows.size();
  rows.counted = true;
  rows.end.resize(first_row, BarEnd::Unknown);
  rows.close_time_ns.resize(first_row, 0);
  std::vector<double> quote;
  std::uint64_t in_us = 0;
  for (bool first = true; csv.next(); first = false) {
    const auto fields = csv.fields();
    const bool header = first && !fields.empty() && !rows::is_integer(fields[0]);
    if (first && fields.size() != kKlineColumns.size()) {
      return csv.error("has " + std::to_string(fields.size()) + " columns; a kline has 12: " +
                       listed(kKlineColumns) + " (other layouts: --layout)");
    }
    if (header) {
      // Columns are taken by their place, so a header in another order is another table.
      bool known = lower(fields[0]) == "open_time" || lower(fields[0]) == "open time";
      for (std::size_t i = 1; i <= 5; ++i) known = known && lower(fields[i]) == kKlineColumns[i];
      if (!known) return rows::not_a_header(csv, listed(kKlineColumns));
      continue;
    }
    WINNOW_TRY(rows::need_fields(csv, kKlineColumns.size()));
    std::int64_t opens = 0;
    std::int64_t closes = 0;
    bool us = false;
    bool ignored = false;
    WINNOW_TRY(kline_time(csv, 0, opens, us));
    WINNOW_TRY(kline_time(csv, kCloseTime, closes, ignored));
    in_us += us ? 1 : 0;
    WINNOW_TRY(rows::append_prices(csv, kAt, rows));
    double worth = 0;
    if (!parse_number(fields[kQuoteVolume], worth)) {
      return rows::bad_value(csv, "quote_volume", fields[kQuoteVolume], rows::kNumberAllowed);
    }
    quote.push_back(worth);
    rows.columns.time_ns.push_back(opens);
    rows.origin.push_back({file, csv.line()});
    // The close time stands for the bar's last unit of time; its length is judged with the
    // interval.
    rows.end.push_back(closes < opens ? BarEnd::Early : BarEnd::Unknown);
    rows.close_time_ns.push_back(closes);
  }
  if (in_us > 0) {
    rows.notes.push_back(table.name + ": times of " + std::to_string(in_us) +
                         " rows are in microseconds (by their size)");
  }
  return kline_volume(table, context, first_row, quote, rows);
}

}  // namespace

namespace formats {
extern const FormatDecl kBinanceKlines;
const FormatDecl kBinanceKlines{.name = "binance-klines",
                                .help = "Binance's archive or REST klines",
                                .whole_days = true,
                                .read_bars = read_binance_klines};
}  // namespace formats

}  // namespace winnow::store
