#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace winnow::sweeps::verify {

/// Purpose: a table of numbers, by column.
struct CsvTable {
  std::vector<std::string> names;            ///< empty if the file has no header
  std::vector<std::vector<double>> columns;  ///< all of one length

  std::size_t rows() const { return columns.empty() ? 0 : columns.front().size(); }
  std::vector<std::vector<double>> by_row() const;
};

/// Commas between, one header line unless the first line is all numbers; nan and inf are numbers.
/// Fails: InvalidInput, naming line and text.
Result<CsvTable> parse_csv(std::string_view text);

}  // namespace winnow::sweeps::verify
