#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace winnow::cli {

enum class Align { Left, Right };

/// One column of a text table. Numbers are right-aligned, their unit stands in the header.
struct TableColumn {
  std::string title;
  Align align = Align::Right;
  /// May be cut down to this many characters when the terminal is too narrow; 0: never.
  std::size_t width_min = 0;
  /// May be left out, the last such column first, when cutting was not enough.
  bool optional = false;
};

/// Purpose: rows of text under headers, fitted to a width. Thread: one.
class TextTable {
 public:
  explicit TextTable(std::vector<TableColumn> columns) : columns_(std::move(columns)) {}

  /// Missing cells are empty; control characters are replaced, so that stored text cannot steer
  /// the terminal.
  void add_row(std::vector<std::string> cells);
  std::size_t rows() const { return rows_.size(); }

  /// Lines that end in a newline. `width` 0: as wide as the cells need (a pipe).
  std::string render(std::size_t width) const;

 private:
  std::vector<std::size_t> fit(std::size_t width, std::vector<bool>& shown) const;

  std::vector<TableColumn> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Characters of UTF-8 text as a terminal counts them (one each).
std::size_t text_columns(std::string_view text);
/// At most `columns` characters; a cut is marked by an ellipsis.
std::string cut_text(std::string_view text, std::size_t columns);
/// Text for one cell: control characters replaced by '?', bytes that are no UTF-8 by U+FFFD.
std::string printable(std::string_view text);

/// 1234567 as `1,234,567`.
std::string group_digits(std::uint64_t n);
/// Shortest text that reads back as the same double; `nan`, `inf`, `-inf`.
std::string exact_number(double v);
/// For reading: about four significant digits, thousands grouped; `-` for NaN.
std::string short_number(double v);

/// One field of a CSV line, quoted when it must be (RFC 4180).
std::string csv_field(std::string_view text);
/// Shortest round-trip form; a NaN is an empty field.
std::string csv_number(double v);

/// Columns of the terminal behind a file descriptor, 0 if there is none.
std::size_t terminal_columns(int fd);

}  // namespace winnow::cli
