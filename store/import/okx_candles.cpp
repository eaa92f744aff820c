// Candles of OKX.
#include <algorithm>
#include <cmath>

#include "base/instrument.hpp"
#include "base/text.hpp"
#include "store/import/formats.hpp"
#include "store/import/row_tools.hpp"

namespace winnow::store {
namespace {

/// Fails: the name stands there twice.
Result<std::size_t> column(const CsvReader& csv, std::string_view name) {
  std::size_t found = kNoColumn;
  const auto fields = csv.fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (lower(fields[i]) != lower(name)) continue;
    if (found != kNoColumn) return csv.error("the header names " + in_quotes(name) + " twice");
    found = i;
  }
  return found;
}

bool is_derivative(std::string_view instrument) {
  const auto parsed = parse_instrument(instrument);
  return parsed && parsed->kind >= MarketKind::Perpetual;
}

struct OkxForm {
  std::size_t width = 0;
  std::size_t time = 0;
  rows::PriceColumns prices{1, 2, 3, 4, 5};
  std::size_t currency = kNoColumn;  ///< volCcy
  std::size_t quote = kNoColumn;     ///< volCcyQuote
  std::size_t confirm = kNoColumn;
};
constexpr std::string_view kOkxLayout =
    "ts,open,high,low,close,vol[,volCcy,volCcyQuote][,confirm], times in milliseconds";

bool is_flag(std::string_view field) { return field == "0" || field == "1"; }

/// Returns whether the line was a header.
Result<bool> okx_form(const CsvReader& csv, OkxForm& form) {
  const auto fields = csv.fields();
  form.width = fields.size();
  if (form.width < 6) return rows::not_a_header(csv, kOkxLayout);
  if (rows::is_integer(fields[0])) {
    if (form.width >= 7 && is_flag(fields.back())) form.confirm = form.width - 1;
    const std::size_t rest = form.width - (form.confirm == kNoColumn ? 0 : 1);
    if (rest > 6) form.currency = 6;
    if (rest > 7) form.quote = 7;
    return false;
  }
  const auto pick = [&](std::initializer_list<std::string_view> names, std::size_t& at) -> Status {
    at = kNoColumn;
    for (const std::string_view name : names) {
      const auto found = column(csv, name);
      if (!found.ok()) return found.error();
      if (at == kNoColumn) at = *found;
    }
    return {};
  };
  WINNOW_TRY(pick({"ts", "open_time", "timestamp", "time"}, form.time));
  WINNOW_TRY(pick({"open", "o"}, form.prices[0]));
  WINNOW_TRY(pick({"high", "h"}, form.prices[1]));
  WINNOW_TRY(pick({"low", "l"}, form.prices[2]));
  WINNOW_TRY(pick({"close", "c"}, form.prices[3]));
  WINNOW_TRY(pick({"vol", "volume"}, form.prices[4]));
  WINNOW_TRY(pick({"volccy", "vol_ccy"}, form.currency));
  WINNOW_TRY(pick({"volccyquote", "vol_ccy_quote", "vol_quote"}, form.quote));
  WINNOW_TRY(pick({"confirm"}, form.confirm));
  const auto missing = std::find(form.prices.begin(), form.prices.end(), kNoColumn);
  if (form.time == kNoColumn || missing != form.prices.end())
    return rows::not_a_header(csv, kOkxLayout);
  return true;
}

/// `vol` counts coins on spot and contracts elsewhere; volCcy counts the quote on spot and coins
/// elsewhere, and volCcyQuote the quote everywhere.
Status okx_volume(const SourceText& table, const ReadContext& context, std::size_t first,
                  const std::vector<double>& currency, const std::vector<double>& quote,
                  BarRows& rows) {
  const VolumeMeaning asked = context.volume;
  const bool sized = asked.unit == VolumeUnit::Contracts && asked.contract_size > 0;
  if (asked.unit != VolumeUnit::Unsaid && (sized || asked.unit != VolumeUnit::Contracts)) {
    rows::scale_volume(rows, first, asked);
    return {};
  }
  const std::string taken =
      table.name + ": vol counts contracts; the base units of volCcy are taken as volume";
  const auto base_is_currency = [&] {
    if (currency.empty()) return false;
    BarRows as_currency;
    as_currency.columns = rows.columns;
    std::copy(currency.begin(), currency.end(),
              as_currency.columns.volume.begin() + static_cast<std::ptrdiff_t>(first));
    if (!quote.empty()) {
      return rows::volume_evidence(as_currency, first, quote).seems == rows::VolumeSeems::Base;
    }
    const auto seen = rows::volume_evidence(rows, first, currency).seems;
    return seen != rows::VolumeSeems::Base && is_derivative(context.instrument);
  };
  if (base_is_currency()) {
    rows::take_other(rows, first, currency, taken);
    return {};
  }
  const std::vector<double>& worth = quote.empty() ? currency : quote;
  if (!worth.empty() && asked.unit == VolumeUnit::Unsaid &&
      rows::volume_evidence(rows, first, worth).seems == rows::VolumeSeems::Base) {
    return {};
  }
  if (asked.unit == VolumeUnit::Contracts || is_derivative(context.instrument)) {
    return Error(ErrorCode::InvalidInput,
                 table.name + ": vol of " + context.instrument +
                     " counts contracts, and nothing in the file says how large one is; add "
                     "--volume-unit contracts:SIZE (base units in a contract), or base if it "
                     "counts those");
  }
  rows.notes.push_back(table.name +
                       ": vol is taken as base units, as spot candles have it (swaps count "
                       "contracts: --volume-unit contracts:SIZE)");
  return {};
}

/// ts, open, high, low, close, vol[, volCcy, volCcyQuote][, confirm], with or without a header;
/// milliseconds. `vol` of swaps counts contracts: then volCcy is taken, or the import refused.
Status read_okx_candles(const SourceText& table, const ReadContext& context, BarRows& rows) {
  CsvReader csv(table.name, table.text);
  const std::uint32_t file = rows::add_file(rows.files, table.name);
  rows::reserve(rows, table.text.size());
  const std::size_t first_row = rows.size();
  rows.counted = true;
  rows.end.resize(first_row, BarEnd::Unknown);
  OkxForm form;
  std::vector<double> currency;
  std::vector<double> quote;
  while (csv.next()) {
    const auto fields = csv.fields();
    if (form.width == 0) {
      const auto header = okx_form(csv, form);
      if (!header.ok()) return header.error();
      if (*header) continue;
    }
    WINNOW_TRY(rows::need_fields(csv, form.width));
    std::int64_t time = 0;
    if (!rows::is_integer(fields[form.time]) ||
        !parse_time(fields[form.time], TimeUnit::Milliseconds, time)) {
      return rows::bad_value(csv, "ts", fields[form.time],
                             "milliseconds since 1970 (UTC) are allowed");
    }
    BarEnd end = BarEnd::Unknown;
    if (form.confirm != kNoColumn) {
      const std::string_view confirm = fields[form.confirm];
      if (!is_flag(confirm)) {
        return rows::bad_value(csv, "confirm", confirm,
                               "0 (still open) or 1 (complete) is allowed");
      }
      end = confirm == "1" ? BarEnd::Finished : BarEnd::Early;
    }
    WINNOW_TRY(rows::append_prices(csv, form.prices, rows));
    for (const auto& [at, into, name] : {std::tuple(form.currency, &currency, "volCcy"),
                                         std::tuple(form.quote, &quote, "volCcyQuote")}) {
      if (at == kNoColumn) continue;
      double value = 0;
      if (!parse_number(fields[at], value)) {
        return rows::bad_value(csv, name, fields[at], rows::kNumberAllowed);
      }
      into->push_back(value);
    }
    rows.columns.time_ns.push_back(time);
    rows.origin.push_back({file, csv.line()});
    rows.end.push_back(end);
  }
  return okx_volume(table, context, first_row, currency, quote, rows);
}

}  // namespace

namespace formats {
extern const FormatDecl kOkxCandles;
const FormatDecl kOkxCandles{
    .name = "okx-candles", .help = "OKX's candles", .read_bars = read_okx_candles};
}  // namespace formats

}  // namespace winnow::store
