#include "cli/table.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/text.hpp"

namespace winnow::cli {
namespace {

constexpr std::size_t kGap = 2;

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u; }

void append_cell(std::string& line, const std::string& text, std::size_t width, Align align) {
  const std::string shown = cut_text(text, width);
  const std::string pad(width - std::min(width, text_columns(shown)), ' ');
  line += align == Align::Right ? pad + shown : shown + pad;
}

void end_line(std::string& out, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  out += line;
  out += '\n';
}

}  // namespace

std::size_t text_columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::string cut_text(std::string_view text, std::size_t columns) {
  if (text_columns(text) <= columns) return std::string(text);
  if (columns == 0) return "";
  std::size_t kept = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    if (starts_character(text[end]) && kept++ == columns - 1) break;
    ++end;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string printable(std::string_view text) {
  std::string out = utf8(text);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto c = static_cast<unsigned char>(out[i]);
    // C1 controls are two bytes of UTF-8: c2 80 to c2 9f.
    const bool c1 =
        c == 0xc2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xa0;
    if (c1) out[i + 1] = '?';
    if (c < 0x20 || c == 0x7f || c1) out[i] = '?';
  }
  return out;
}

void TextTable::add_row(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> TextTable::fit(std::size_t width, std::vector<bool>& shown) const {
  std::vector<std::size_t> widths(columns_.size());
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    widths[c] = text_columns(columns_[c].title);
    for (const auto& row : rows_) widths[c] = std::max(widths[c], text_columns(row[c]));
  }
  shown.assign(columns_.size(), true);
  const auto total = [&] {
    std::size_t sum = 0;
    for (std::size_t c = 0; c < widths.size(); ++c) sum += shown[c] ? widths[c] + kGap : 0;
    return sum - std::min(sum, kGap);
  };
  if (width == 0) return widths;
  for (std::size_t c = 0; c < widths.size(); ++c) {
    const std::size_t least = columns_[c].width_min;
    if (least == 0 || total() <= width || widths[c] <= least) continue;
    widths[c] = std::max(least, widths[c] - std::min(widths[c], total() - width));
  }
  for (std::size_t c = widths.size(); c-- > 0 && total() > width;) {
    if (columns_[c].optional) shown[c] = false;
  }
  // What was cut to make room for a column that is gone gets the room back.
  for (std::size_t c = 0; c < widths.size(); ++c) {
    if (columns_[c].width_min == 0 || !shown[c] || total() >= width) continue;
    std::size_t wanted = text_columns(columns_[c].title);
    for (const auto& row : rows_) wanted = std::max(wanted, text_columns(row[c]));
    widths[c] = std::min(wanted, widths[c] + (width - total()));
  }
  return widths;
}

std::string TextTable::render(std::size_t width) const {
  std::vector<bool> shown;
  const std::vector<std::size_t> widths = fit(width, shown);
  const auto line_of = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (!shown[c]) continue;
      if (!line.empty()) line += std::string(kGap, ' ');
      append_cell(line, cell_of(c), widths[c], columns_[c].align);
    }
    return width > 0 ? cut_text(line, width) : line;
  };
  std::string out;
  end_line(out, line_of([&](std::size_t c) { return columns_[c].title; }));
  for (const auto& row : rows_) end_line(out, line_of([&](std::size_t c) { return row[c]; }));
  const auto hidden = std::count(shown.begin(), shown.end(), false);
  if (hidden > 0) {
    const std::string note = "(" + std::to_string(hidden) +
                             (hidden == 1 ? " column does" : " columns do") +
                             " not fit; --json has all)";
    end_line(out, cut_text(note, width));
  }
  return out;
}

std::string group_digits(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string exact_number(double v) {
  if (std::isnan(v)) return "nan";
  if (v == 0) v = 0;  // no sign of zero
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), v);
  return std::string(text.data(), end.ptr);
}

std::string short_number(double v) {
  if (std::isnan(v)) return "-";
  if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
  const double size = std::fabs(v);
  if (size != 0 && (size < 1e-4 || size >= 1e12)) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2e", v);
    return text.data();
  }
  const int digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4;
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, v);
  std::string out = text.data();
  if (size >= 999.5) {
    const bool negative = out.front() == '-';
    const std::string whole = negative ? out.substr(1) : out;
    if (whole.find('.') == std::string::npos) {
      out = (negative ? "-" : "") + group_digits(std::strtoull(whole.c_str(), nullptr, 10));
    }
  }
  if (out.find_first_of("123456789") == std::string::npos && out.front() == '-') out.erase(0, 1);
  return out;
}

std::string csv_field(std::string_view text) {
  const bool spaced = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  if (!spaced && text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string csv_number(double v) { return std::isnan(v) ? std::string() : exact_number(v); }

std::size_t terminal_columns(int fd) {
  if (isatty(fd) == 0) return 0;
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace winnow::cli
