#include "tests/e2e/tables.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

namespace winnow::e2e {
namespace {

std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> out(1);
  for (const char c : line) {
    if (c == ',') {
      out.emplace_back();
    } else if (c != '\r') {
      out.back() += c;
    }
  }
  return out;
}

}  // namespace

double Table::number(std::size_t row, std::size_t column) const {
  const std::string& text = rows.at(row).at(column);
  double v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? v : std::numeric_limits<double>::quiet_NaN();
}

std::size_t Table::column(const std::string& name) const {
  return static_cast<std::size_t>(std::find(header.begin(), header.end(), name) - header.begin());
}

Table parse_csv(const std::string& text) {
  std::istringstream lines(text);
  Table table;
  std::string line;
  if (std::getline(lines, line)) table.header = fields(line);
  while (std::getline(lines, line)) table.rows.push_back(fields(line));
  return table;
}

Table read_csv(const std::filesystem::path& file) { return parse_csv(read_text(file)); }

std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), {});
}

}  // namespace winnow::e2e
