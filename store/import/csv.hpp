#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace winnow::store {

/// How a table is written.
struct CsvDialect {
  char delimiter = ',';
  char comment = 0;            ///< lines that begin with it are passed over; 0: none
  std::size_t skip_lines = 0;  ///< at the top, whatever they hold
};

/// Purpose: walks a table line by line without copying: any delimiter, LF, CRLF or CR, fields
/// optionally in double quotes ("" inside is one), blank lines skipped, a byte-order mark ignored.
/// Limits: kFieldsMax fields a line. Thread: one. The text outlives it.
class CsvReader {
 public:
  static constexpr std::size_t kFieldsMax = 256;

  CsvReader(std::string_view name, std::string_view text, CsvDialect dialect = {});

  /// Moves to the next line with content; false at the end.
  bool next();
  /// Fields of the current line, without quotes and surrounding blanks.
  std::span<const std::string_view> fields() const { return fields_; }
  /// The current line as it stands.
  std::string_view whole() const { return whole_; }
  std::uint32_t line() const { return line_; }
  /// `name:line: text`.
  Error error(const std::string& text) const;
  const std::string& name() const { return name_; }

 private:
  bool take_line(std::string_view& line);
  void split(std::string_view line);

  std::string name_;
  std::string_view text_;
  CsvDialect dialect_;
  char newline_ = '\n';
  std::size_t at_ = 0;
  std::uint32_t line_ = 0;
  std::string_view whole_;
  std::vector<std::string_view> fields_;
  std::deque<std::string> unescaped_;  ///< fields with "" inside
};

/// A field shortened for an error message, in quotes.
std::string in_quotes(std::string_view field);

/// An empty field, `nan`, `null`, `-` and the like.
bool is_missing(std::string_view field);

/// Missing is NaN rather than malformed. False if the text is no number.
bool parse_number(std::string_view field, double& out);

/// How numbers are written where it is not `1005.2`.
struct NumberStyle {
  char decimal = '.';
  char thousands = 0;  ///< 0: none
};
/// The same for prices and amounts as sites print them: thousands in groups of three, a currency
/// sign in front, `K`, `M`, `B` behind.
bool parse_styled(std::string_view field, NumberStyle style, double& out);

}  // namespace winnow::store
