#include "sweeps/verify/csv_table.hpp"

#include <charconv>
#include <optional>

namespace winnow::sweeps::verify {
namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '"')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '"' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

std::optional<double> number(std::string_view s) {
  if (!s.empty() && s.front() == '+') s.remove_prefix(1);
  double v = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
  return v;
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> cells;
  for (;;) {
    const std::size_t comma = line.find(',');
    cells.push_back(trim(line.substr(0, comma)));
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

}  // namespace

std::vector<std::vector<double>> CsvTable::by_row() const {
  std::vector<std::vector<double>> out(rows(), std::vector<double>(columns.size()));
  for (std::size_t c = 0; c < columns.size(); ++c) {
    for (std::size_t r = 0; r < out.size(); ++r) out[r][c] = columns[c][r];
  }
  return out;
}

Result<CsvTable> parse_csv(std::string_view text) {
  CsvTable table;
  std::size_t line_no = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++line_no;
    if (line.empty()) continue;
    const auto cells = split(line);
    if (table.columns.empty()) {
      table.columns.resize(cells.size());
      if (!number(cells.front())) {
        table.names.assign(cells.begin(), cells.end());
        continue;
      }
    }
    if (cells.size() != table.columns.size()) {
      return Error(ErrorCode::InvalidInput, "line " + std::to_string(line_no) + ": " +
                                                std::to_string(cells.size()) + " cells, " +
                                                std::to_string(table.columns.size()) + " expected");
    }
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const auto v = number(cells[c]);
      if (!v) {
        return Error(ErrorCode::InvalidInput, "line " + std::to_string(line_no) + ": '" +
                                                  std::string(cells[c]) + "' is not a number");
      }
      table.columns[c].push_back(*v);
    }
  }
  return table;
}

}  // namespace winnow::sweeps::verify
