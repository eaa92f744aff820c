#include "store/import/formats.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace winnow::store {
namespace {

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
constexpr std::string_view kNumberAllowed = "a decimal number is allowed";

constexpr std::size_t kNone = ~std::size_t{0};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::size_t find_column(std::span<const std::string> header, std::string_view name) {
  const auto it = std::find(header.begin(), header.end(), name);
  return it == header.end() ? kNone : static_cast<std::size_t>(it - header.begin());
}

std::vector<std::string> lower_all(std::span<const std::string_view> fields) {
  std::vector<std::string> out;
  for (const std::string_view f : fields) out.push_back(lower(f));
  return out;
}

std::string listed(std::span<const std::string_view> fields) {
  constexpr std::size_t kShown = 12;
  std::string out;
  for (std::size_t i = 0; i < std::min(fields.size(), kShown); ++i) {
    out += (i > 0 ? "," : "") + std::string(fields[i].substr(0, 40));
  }
  return out + (fields.size() > kShown ? ",..." : "");
}

Error bad_value(const CsvReader& csv, std::string_view column, std::string_view value,
                std::string_view allowed) {
  return csv.error("column " + std::string(column) + ": value " + in_quotes(value) +
                   " is not valid; " + std::string(allowed));
}

Status need_fields(const CsvReader& csv, std::size_t expected) {
  if (csv.fields().size() >= expected) return {};
  return csv.error("has " + std::to_string(csv.fields().size()) + " columns; " +
                   std::to_string(expected) + " are expected");
}

/// Indices of open, high, low, close, volume.
using PriceColumns = std::array<std::size_t, 5>;
constexpr std::array<std::string_view, 5> kPriceNames{"open", "high", "low", "close", "volume"};

Status append_prices(const CsvReader& csv, const PriceColumns& at, BarRows& rows) {
  const auto fields = csv.fields();
  std::vector<double>* const targets[] = {&rows.columns.open, &rows.columns.high, &rows.columns.low,
                                          &rows.columns.close, &rows.columns.volume};
  for (std::size_t c = 0; c < at.size(); ++c) {
    double value = 0;
    if (!parse_number(fields[at[c]], value)) {
      return bad_value(csv, kPriceNames[c], fields[at[c]], kNumberAllowed);
    }
    targets[c]->push_back(value);
  }
  return {};
}

std::uint32_t add_file(std::vector<std::string>& files, const std::string& name) {
  files.push_back(name);
  return static_cast<std::uint32_t>(files.size() - 1);
}

void reserve(BarRows& rows, std::size_t bytes) {
  constexpr std::size_t kBytesPerRow = 40;  // of the narrowest layout; a guess costs only memory
  const std::size_t n = rows.size() + bytes / kBytesPerRow;
  rows.columns.time_ns.reserve(n);
  for (auto* column : {&rows.columns.open, &rows.columns.high, &rows.columns.low,
                       &rows.columns.close, &rows.columns.volume}) {
    column->reserve(n);
  }
  rows.origin.reserve(n);
}

struct TimeField {
  std::size_t column = kNone;
  TimeUnit unit = TimeUnit::Milliseconds;
  std::string name;
};

std::string_view unit_text(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::Seconds:
      return "seconds since 1970 (UTC)";
    case TimeUnit::Milliseconds:
      return "milliseconds since 1970 (UTC)";
    case TimeUnit::Microseconds:
      return "microseconds since 1970 (UTC)";
    case TimeUnit::Nanoseconds:
      return "nanoseconds since 1970 (UTC)";
    case TimeUnit::Iso:
      return "times like 2023-01-01T00:00:00Z";
  }
  return "";
}

/// The column asked for, or the one of ts_s, ts_ms, ts_us, ts_ns that is there.
Result<TimeField> find_time(const CsvReader& csv, std::span<const std::string> header,
                            const TimeColumn& asked) {
  if (!asked.name.empty()) {
    const std::size_t at = find_column(header, lower(asked.name));
    if (at != kNone) return TimeField{at, asked.unit, asked.name};
    return csv.error("there is no column " + in_quotes(asked.name) +
                     " as --time says; the header is " + listed(csv.fields()));
  }
  constexpr std::pair<std::string_view, TimeUnit> kKnown[] = {{"ts_s", TimeUnit::Seconds},
                                                              {"ts_ms", TimeUnit::Milliseconds},
                                                              {"ts_us", TimeUnit::Microseconds},
                                                              {"ts_ns", TimeUnit::Nanoseconds}};
  TimeField found;
  for (const auto& [name, unit] : kKnown) {
    const std::size_t at = find_column(header, name);
    if (at == kNone) continue;
    if (found.column != kNone) {
      return csv.error("has both columns " + found.name + " and " + std::string(name) +
                       "; name one with --time COLUMN:UNIT");
    }
    found = {at, unit, std::string(name)};
  }
  if (found.column != kNone) return found;
  return csv.error(
      "the header has no time column (ts_s, ts_ms, ts_us or ts_ns); name one with "
      "--time COLUMN:UNIT; the header is " +
      listed(csv.fields()));
}

Error not_a_header(const CsvReader& csv, std::string_view expected) {
  std::string text = "the first line is no header with " + std::string(expected) + "; it is " +
                     listed(csv.fields());
  const std::string_view first = csv.fields().empty() ? std::string_view{} : csv.fields()[0];
  if (csv.fields().size() == 1 && first.find_first_of(";\t") != std::string_view::npos) {
    text += " (columns are separated by commas)";
  }
  return csv.error(text);
}

bool is_integer(std::string_view field) {
  return !field.empty() &&
         std::all_of(field.begin(), field.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string_view format_name(Format format) {
  switch (format) {
    case Format::BinanceKlines:
      return "binance-klines";
    case Format::OkxCandles:
      return "okx-candles";
    case Format::Ohlcv:
      return "ohlcv";
    case Format::Funding:
      return "funding";
  }
  return "";
}

Result<Format> parse_format(std::string_view text) {
  for (const Format f :
       {Format::BinanceKlines, Format::OkxCandles, Format::Ohlcv, Format::Funding}) {
    if (format_name(f) == text) return f;
  }
  const bool later = text == "binance-aggtrades" || text == "binance-ws";
  return Error(ErrorCode::InvalidInput,
               "format " + in_quotes(text) + (later ? " is not read yet" : " is unknown") +
                   "; this version reads binance-klines, okx-candles, ohlcv and funding");
}

Status read_binance_klines(const SourceText& table, BarRows& rows) {
  CsvReader csv(table.name, table.text);
  const std::uint32_t file = add_file(rows.files, table.name);
  reserve(rows, table.text.size() / 2);
  constexpr PriceColumns kAt{1, 2, 3, 4, 5};
  constexpr std::size_t kCloseTime = 6;
  rows.end.resize(rows.size(), BarEnd::Unknown);
  std::uint64_t in_us = 0;
  bool first = true;
  while (csv.next()) {
    const auto fields = csv.fields();
    const bool header = first && !fields.empty() && !is_integer(fields[0]);
    if (header || first) {
      first = false;
      if (fields.size() != kKlineColumns.size()) {
        return csv.error("has " + std::to_string(fields.size()) +
                         " columns; a kline has 12: " + listed(kKlineColumns));
      }
      if (header) {
        if (lower(fields[0]) != "open_time" && lower(fields[0]) != "open time") {
          return not_a_header(csv, listed(kKlineColumns));
        }
        continue;
      }
    }
    WINNOW_TRY(need_fields(csv, kKlineColumns.size()));
    std::int64_t times[2] = {};
    constexpr std::size_t kTimeColumns[] = {0, kCloseTime};
    for (std::size_t i = 0; i < 2; ++i) {
      const std::string_view text = fields[kTimeColumns[i]];
      std::int64_t raw = 0;
      const bool ok = is_integer(text) && parse_time(text, TimeUnit::Nanoseconds, raw);
      const TimeUnit unit =
          raw >= kMicrosecondsFrom ? TimeUnit::Microseconds : TimeUnit::Milliseconds;
      if (!ok || raw >= kMicrosecondsFrom * 1000 || !parse_time(text, unit, times[i])) {
        return bad_value(csv, kKlineColumns[kTimeColumns[i]], text,
                         "milliseconds or microseconds since 1970 (UTC) are allowed");
      }
      if (i == 0 && unit == TimeUnit::Microseconds) ++in_us;
    }
    WINNOW_TRY(append_prices(csv, kAt, rows));
    rows.columns.time_ns.push_back(times[0]);
    rows.origin.push_back({file, csv.line()});
    // The close time stands for the bar's last unit of time; its length is judged with the
    // interval.
    rows.end.push_back(times[1] < times[0] ? BarEnd::Early : BarEnd::Unknown);
    rows.close_time_ns.push_back(times[1]);
  }
  if (in_us > 0) {
    rows.notes.push_back(table.name + ": times of " + std::to_string(in_us) +
                         " rows are in microseconds (by their size)");
  }
  return {};
}

Status read_okx_candles(const SourceText& table, BarRows& rows) {
  CsvReader csv(table.name, table.text);
  const std::uint32_t file = add_file(rows.files, table.name);
  reserve(rows, table.text.size());
  constexpr std::string_view kLayout =
      "ts,open,high,low,close,vol[,volCcy,volCcyQuote][,confirm], times in milliseconds";
  PriceColumns at{1, 2, 3, 4, 5};
  std::size_t time_at = 0;
  std::size_t confirm_at = kNone;
  std::size_t width = 0;
  rows.end.resize(rows.size(), BarEnd::Unknown);
  while (csv.next()) {
    const auto fields = csv.fields();
    if (width == 0) {
      width = fields.size();
      if (width < 6) return not_a_header(csv, kLayout);
      if (width == 9 || width == 7) confirm_at = width - 1;
      if (!is_integer(fields[0])) {
        const auto header = lower_all(fields);
        time_at = find_column(header, "ts");
        if (time_at == kNone) time_at = find_column(header, "open_time");
        constexpr std::string_view kNames[] = {"open", "high", "low", "close", "vol"};
        for (std::size_t c = 0; c < at.size(); ++c) at[c] = find_column(header, kNames[c]);
        if (at[4] == kNone) at[4] = find_column(header, "volume");
        confirm_at = find_column(header, "confirm");
        if (time_at == kNone || std::find(at.begin(), at.end(), kNone) != at.end()) {
          return not_a_header(csv, kLayout);
        }
        continue;
      }
    }
    WINNOW_TRY(need_fields(csv, width));
    std::int64_t time = 0;
    if (!is_integer(fields[time_at]) ||
        !parse_time(fields[time_at], TimeUnit::Milliseconds, time)) {
      return bad_value(csv, "ts", fields[time_at], "milliseconds since 1970 (UTC) are allowed");
    }
    BarEnd end = BarEnd::Unknown;
    if (confirm_at != kNone) {
      const std::string_view confirm = fields[confirm_at];
      if (confirm != "0" && confirm != "1") {
        return bad_value(csv, "confirm", confirm, "0 (still open) or 1 (complete) is allowed");
      }
      end = confirm == "1" ? BarEnd::Finished : BarEnd::Early;
    }
    WINNOW_TRY(append_prices(csv, at, rows));
    rows.columns.time_ns.push_back(time);
    rows.origin.push_back({file, csv.line()});
    rows.end.push_back(end);
  }
  return {};
}

Status read_ohlcv(const SourceText& table, const TimeColumn& asked, BarRows& rows) {
  CsvReader csv(table.name, table.text);
  const std::uint32_t file = add_file(rows.files, table.name);
  reserve(rows, table.text.size());
  if (!csv.next()) return csv.error("there is no header");
  const std::size_t width = csv.fields().size();
  const auto header = lower_all(csv.fields());
  PriceColumns at{};
  for (std::size_t c = 0; c < at.size(); ++c) {
    at[c] = find_column(header, kPriceNames[c]);
    if (at[c] == kNone) return not_a_header(csv, "open,high,low,close,volume");
  }
  const auto time = find_time(csv, header, asked);
  if (!time.ok()) return time.error();
  while (csv.next()) {
    WINNOW_TRY(need_fields(csv, width));
    std::int64_t time_ns = 0;
    if (!parse_time(csv.fields()[time->column], time->unit, time_ns)) {
      return bad_value(csv, time->name, csv.fields()[time->column],
                       std::string(unit_text(time->unit)) + " are allowed");
    }
    WINNOW_TRY(append_prices(csv, at, rows));
    rows.columns.time_ns.push_back(time_ns);
    rows.origin.push_back({file, csv.line()});
  }
  return {};
}

Status read_funding(const SourceText& table, const TimeColumn& asked, FundingRows& rows) {
  CsvReader csv(table.name, table.text);
  const std::uint32_t file = add_file(rows.files, table.name);
  if (!csv.next()) return csv.error("there is no header");
  const std::size_t width = csv.fields().size();
  const auto header = lower_all(csv.fields());
  std::size_t rate_at = find_column(header, "funding_rate");
  TimeField time;
  if (const std::size_t archive = find_column(header, "last_funding_rate");
      rate_at == kNone && archive != kNone && find_column(header, "calc_time") != kNone) {
    rate_at = archive;
    time = {find_column(header, "calc_time"), TimeUnit::Milliseconds, "calc_time"};
  } else if (rate_at == kNone) {
    return not_a_header(csv,
                        "ts_ms,funding_rate or calc_time,funding_interval_hours,last_funding_rate");
  } else {
    auto found = find_time(csv, header, asked);
    if (!found.ok()) return found.error();
    time = *std::move(found);
  }
  while (csv.next()) {
    WINNOW_TRY(need_fields(csv, width));
    const auto fields = csv.fields();
    FundingEvent event;
    if (!parse_time(fields[time.column], time.unit, event.time_ns)) {
      return bad_value(csv, time.name, fields[time.column],
                       std::string(unit_text(time.unit)) + " are allowed");
    }
    if (!parse_number(fields[rate_at], event.rate_frac)) {
      return bad_value(csv, header[rate_at], fields[rate_at],
                       "a fraction is allowed (0.0001 is 1 bp)");
    }
    rows.events.push_back(event);
    rows.origin.push_back({file, csv.line()});
  }
  return {};
}

}  // namespace winnow::store
