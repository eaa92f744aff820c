#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/import/csv.hpp"
#include "store/import/layout.hpp"
#include "store/import/source_file.hpp"

namespace winnow::store {

inline constexpr std::size_t kNoColumn = ~std::size_t{0};

/// Purpose: where a table's rows begin and which column is which. Columns that are not there are
/// kNoColumn.
struct TableForm {
  CsvDialect dialect;             ///< skips what stands above the first row
  std::uint32_t header_line = 0;  ///< 0: there is none
  std::size_t width = 0;
  std::vector<std::string> names;  ///< of columns, for messages
  std::size_t time = kNoColumn, clock = kNoColumn;
  std::array<std::size_t, 4> prices{kNoColumn, kNoColumn, kNoColumn, kNoColumn};
  std::size_t volume = kNoColumn;
  VolumeUnit volume_unit = VolumeUnit::Unsaid;  ///< as the column's own name says
  std::size_t quote_volume = kNoColumn;
  std::size_t symbol = kNoColumn;
  std::string zone_hint;  ///< of the time column's name: `Date (America/New_York)`
  TimeSpec spec;          ///< of the layout, or as the column's name says (`ts_ms`)
  std::vector<std::string> notes;
};

/// The time column as the user names it, instead of the layout's.
struct TimeColumn {
  std::string name;  ///< empty: the layout's, or one of the usual ones
  TimeSpec spec{TimeUnit::Milliseconds, {}, DayOrder::Unknown};
};

/// Fails: InvalidInput as `file:line: ...`, in one line what to add.
Result<TableForm> find_form(const SourceText& table, const Layout& layout, const TimeColumn& time,
                            std::string_view instrument);

/// Whether a line is a header of bars, and of which separator.
std::optional<char> header_delimiter(std::string_view line);
/// Fields of a header for a message, no more than a few.
std::string listed(std::span<const std::string_view> fields);

}  // namespace winnow::store
