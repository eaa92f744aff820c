#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace winnow::e2e {

/// A CSV file without quoted fields.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;

  /// Not a number if the text is none.
  double number(std::size_t row, std::size_t column) const;
  /// Index of a column; the header's size if there is none.
  std::size_t column(const std::string& name) const;
};
Table parse_csv(const std::string& text);
Table read_csv(const std::filesystem::path& file);

std::string read_text(const std::filesystem::path& file);

}  // namespace winnow::e2e
