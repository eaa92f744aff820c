#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/market.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "store/import/csv.hpp"
#include "store/import/source_file.hpp"
#include "store/import/table_form.hpp"
#include "store/import/time_zone.hpp"

namespace winnow::store {

/// Where a row came from.
struct RowOrigin {
  std::uint32_t file = 0;  ///< index in `files`
  std::uint32_t line = 0;
};

/// What a file says of one bar beside its values.
enum class BarEnd : std::uint8_t {
  Unknown,   ///< nothing
  Finished,  ///< the venue marked it complete
  Early,     ///< its recorded close time is before its end, or the venue marked it open
};

/// Purpose: bars as they stand in the files, in file order, nothing judged yet.
struct BarRows {
  MarketColumns columns;  ///< `interval_ns` and `funding` unused
  std::vector<RowOrigin> origin;
  std::vector<BarEnd> end;                  ///< per row, or empty: all Unknown
  std::vector<std::int64_t> close_time_ns;  ///< per row as the file says, or empty: not told
  /// Per row how far the wall's clock that the file goes by is ahead of UTC, or empty: not at all.
  std::vector<std::int64_t> wall_ahead_ns;
  bool counted = false;  ///< times are counts since 1970, whose unit can be mistaken
  std::vector<std::size_t> skipped_hours;  ///< rows whose local time never was
  std::vector<std::string> files;
  std::vector<std::string> notes;

  std::size_t size() const { return columns.size(); }
  /// `file:line` of a row.
  std::string where(std::size_t row) const {
    return files[origin[row].file] + ":" + std::to_string(origin[row].line);
  }
};

/// Funding payments as they stand in the files.
struct FundingRows {
  std::vector<FundingEvent> events;
  std::vector<RowOrigin> origin;
  std::vector<std::string> files;
  std::vector<std::string> notes;

  std::string where(std::size_t row) const {
    return files[origin[row].file] + ":" + std::to_string(origin[row].line);
  }
};

/// `winnow data import --format`.
enum class Format { BinanceKlines, OkxCandles, Ohlcv, Funding };
std::string_view format_name(Format format);
/// Fails: InvalidInput naming the formats there are.
Result<Format> parse_format(std::string_view text);

/// A kline's times are in milliseconds below this and in microseconds from it on (1973 in one unit,
/// 5138 in the other).
inline constexpr std::int64_t kMicrosecondsFrom = 100'000'000'000'000;

/// How the tables of one import are read.
struct ReadContext {
  Layout layout;
  TimeColumn time;
  VolumeMeaning volume;          ///< as asked; Unsaid: the layout's
  std::optional<TimeZone> zone;  ///< of times that name none, as asked
  std::string instrument;
};

// Each appends the rows of one table, volume in base units. Fails: InvalidInput as `file:line: ...`
// naming column, value and what is allowed; the rows are then of no use.

/// Public archive and REST layout, with or without its header: open_time, open, high, low, close,
/// volume, close_time, quote_volume, count, taker_buy_volume, taker_buy_quote_volume, ignore. Of
/// coin-margined contracts volume counts contracts and quote_volume is the base.
Status read_binance_klines(const SourceText& table, const ReadContext& context, BarRows& rows);
/// ts, open, high, low, close, vol[, volCcy, volCcyQuote][, confirm], with or without a header;
/// milliseconds. `vol` of swaps counts contracts: then volCcy is taken, or the import refused.
Status read_okx_candles(const SourceText& table, const ReadContext& context, BarRows& rows);
/// A table as a layout describes it.
Status read_layout(const SourceText& table, const ReadContext& context, BarRows& rows);
/// A header naming a time and funding_rate, or the archive's calc_time, funding_interval_hours,
/// last_funding_rate.
Status read_funding(const SourceText& table, const ReadContext& context, FundingRows& rows);

}  // namespace winnow::store
