#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace winnow::store {

/// Purpose: walks a CSV text line by line without copying: commas, LF or CRLF, fields optionally in
/// double quotes, blank lines skipped, a byte-order mark ignored.
/// Limits: kFieldsMax fields a line. Thread: one. The text outlives it.
class CsvReader {
 public:
  static constexpr std::size_t kFieldsMax = 256;

  CsvReader(std::string_view name, std::string_view text);

  /// Moves to the next line with content; false at the end.
  bool next();
  /// Fields of the current line, without quotes and surrounding blanks.
  std::span<const std::string_view> fields() const { return fields_; }
  std::uint32_t line() const { return line_; }
  /// `name:line: text`.
  Error error(const std::string& text) const;
  const std::string& name() const { return name_; }
  std::size_t bytes_left() const { return text_.size() - at_; }

 private:
  std::string name_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 0;
  std::vector<std::string_view> fields_;
};

/// A field shortened for an error message, in quotes.
std::string in_quotes(std::string_view field);

/// An empty field, `nan`, `null` and the like are NaN: missing rather than malformed. False if the
/// text is no number.
bool parse_number(std::string_view field, double& out);

/// Units of a time column.
enum class TimeUnit { Seconds, Milliseconds, Microseconds, Nanoseconds, Iso };
/// `s`, `ms`, `us`, `ns`, `iso`. Fails: InvalidInput.
Result<TimeUnit> parse_time_unit(std::string_view text);

/// Decimal text (a fraction is allowed) to nanoseconds, exactly; digits below 1 ns are cut. False
/// if it is no number or lies outside 1970 to 2261.
bool parse_time(std::string_view field, TimeUnit unit, std::int64_t& out_ns);

}  // namespace winnow::store
