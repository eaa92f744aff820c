#pragma once

#include <cstdint>
#include <optional>
#include <span>
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

/// How the tables of one import are read.
struct ReadContext {
  Layout layout;
  TimeColumn time;
  VolumeMeaning volume;          ///< as asked; Unsaid: the layout's
  std::optional<TimeZone> zone;  ///< of times that name none, as asked
  std::string instrument;
};

/// Purpose: one way that files are written: what `winnow data import --format` names. Each stands
/// in a file of its own and on a line of formats.cpp; nothing else knows which there are. A reader
/// appends the rows of one table, volume in base units. Fails: InvalidInput as `file:line: ...`
/// naming column, value and what is allowed; the rows are then of no use.
struct FormatDecl {
  std::string_view name;
  std::string_view help;
  bool whole_days = false;  ///< its files hold whole days, so that what lacks at an end is a gap
  bool takes_layout =
      false;  ///< it reads as ReadContext::layout says; others have one of their own
  // One of the two.
  Status (*read_bars)(const SourceText& table, const ReadContext& context, BarRows& rows) = nullptr;
  Status (*read_funding)(const SourceText& table, const ReadContext& context,
                         FundingRows& rows) = nullptr;
};

std::span<const FormatDecl* const> import_formats();
/// The one that takes a layout.
const FormatDecl& layout_format();
/// Their names with commas, and `last` before the last.
std::string format_names(std::string_view last);
/// Fails: InvalidInput naming the formats there are.
Result<const FormatDecl*> parse_format(std::string_view text);

}  // namespace winnow::store
