#include "store/import/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/text.hpp"

namespace winnow::store {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// A tab between fields is no blank around one.
std::string_view trimmed(std::string_view s, char delimiter) {
  const auto blank = [&](char c) { return is_blank(c) && c != delimiter; };
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  return s;
}

/// The quote that ends a field which begins with one; npos: it is not closed.
std::size_t closing_quote(std::string_view s) {
  for (std::size_t at = s.find('"', 1); at != std::string_view::npos; at = s.find('"', at + 2)) {
    if (at + 1 >= s.size() || s[at + 1] != '"') return at;
  }
  return std::string_view::npos;
}

}  // namespace

CsvReader::CsvReader(std::string_view name, std::string_view text, CsvDialect dialect)
    : name_(name), text_(text), dialect_(dialect) {
  if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
  if (text_.find('\n') == std::string_view::npos) newline_ = '\r';
  fields_.reserve(16);
  for (std::string_view line; dialect_.skip_lines > 0 && take_line(line);) --dialect_.skip_lines;
}

bool CsvReader::take_line(std::string_view& line) {
  if (at_ >= text_.size()) return false;
  const char* begin = text_.data() + at_;
  const void* newline = std::memchr(begin, newline_, text_.size() - at_);
  const std::size_t length =
      newline == nullptr ? text_.size() - at_
                         : static_cast<std::size_t>(static_cast<const char*>(newline) - begin);
  at_ += length + (newline == nullptr ? 0 : 1);
  ++line_;
  line = {begin, length};
  return true;
}

bool CsvReader::next() {
  for (std::string_view line; take_line(line);) {
    const std::string_view content = trimmed(line, 0);
    if (content.empty() || (dialect_.comment != 0 && content.front() == dialect_.comment)) continue;
    whole_ = content;
    split(trimmed(line, dialect_.delimiter));
    return true;
  }
  return false;
}

void CsvReader::split(std::string_view line) {
  fields_.clear();
  unescaped_.clear();
  const char delimiter = dialect_.delimiter;
  while (fields_.size() < kFieldsMax) {
    std::size_t from = 0;
    line = line.substr(std::min(line.find_first_not_of(' '), line.size()));
    // A quoted field may hold delimiters.
    if (!line.empty() && line.front() == '"') {
      const std::size_t close = closing_quote(line);
      from = close == std::string_view::npos ? 0 : close;
    }
    const std::size_t end = line.find(delimiter, from);
    std::string_view field = trimmed(line.substr(0, end), delimiter);
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
      field = trimmed(field.substr(1, field.size() - 2), 0);
      if (field.find("\"\"") != std::string_view::npos) {
        std::string& text = unescaped_.emplace_back(field);
        for (std::size_t at = 0; (at = text.find("\"\"", at)) != std::string::npos; ++at) {
          text.erase(at, 1);
        }
        field = text;
      }
    }
    fields_.push_back(field);
    if (end == std::string_view::npos) return;
    line.remove_prefix(end + 1);
  }
}

Error CsvReader::error(const std::string& text) const {
  return Error(ErrorCode::InvalidInput, name_ + ":" + std::to_string(line_) + ": " + text);
}

std::string in_quotes(std::string_view field) {
  constexpr std::size_t kShown = 40;
  std::string out = "'";
  for (const char c : field.substr(0, kShown)) {
    out.push_back(static_cast<unsigned char>(c) < 0x20 ? '?' : c);
  }
  return out + (field.size() > kShown ? "...'" : "'");
}

bool is_missing(std::string_view s) {
  return s.empty() || s == "nan" || s == "NaN" || s == "NAN" || s == "null" || s == "NULL" ||
         s == "None" || s == "NA" || s == "N/A" || s == "n/a" || s == "-nan" || s == "-" ||
         s == "<NA>" || s == "#N/A";
}

bool parse_number(std::string_view field, double& out) {
  if (!field.empty() && field.front() == '+') field.remove_prefix(1);
  const char* end = field.data() + field.size();
  const auto [ptr, code] = std::from_chars(field.data(), end, out);
  if (code == std::errc{} && ptr == end) return true;
  if (code == std::errc::result_out_of_range && ptr == end) {
    // Too large or too small for a double; neither is a market price, so it is a bad value.
    out = std::numeric_limits<double>::infinity();
    return true;
  }
  if (!is_missing(field)) return false;
  out = std::numeric_limits<double>::quiet_NaN();
  return true;
}

namespace {

/// `1,005,200.5` as `1005200.5`. False unless the groups are of three digits.
bool without_thousands(std::string_view text, NumberStyle style, std::string& out) {
  const std::size_t point = text.find(style.decimal);
  const std::string_view whole = text.substr(0, point);
  std::size_t group = 0;
  bool grouped = false;
  for (const char c : whole) {
    if (style.thousands != 0 && c == style.thousands) {
      if (group == 0 || group > 3 || (grouped && group != 3)) return false;
      grouped = true;
      group = 0;
      continue;
    }
    if (is_digit(c)) ++group;
    out.push_back(c);
  }
  if (grouped && group != 3) return false;
  if (point == std::string_view::npos) return true;
  out.push_back('.');
  const std::string_view rest = text.substr(point + 1);
  if (rest.find_first_of(".,'") != std::string_view::npos) return false;
  out += rest;
  return true;
}

}  // namespace

bool parse_styled(std::string_view field, NumberStyle style, double& out) {
  if (style.decimal == '.' && style.thousands != '.' && parse_number(field, out)) return true;
  if (is_missing(field)) return parse_number("", out);
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    // Blanks, also the ones of two and three bytes, group digits.
    if (field.substr(i).starts_with("\xc2\xa0")) {
      ++i;
    } else if (field.substr(i).starts_with("\xe2\x80\xaf")) {
      i += 2;
    } else if (field[i] != ' ' && field[i] != '\'') {
      text.push_back(field[i]);
    }
  }
  for (const std::string_view sign : {"$", "\xe2\x82\xac", "\xc2\xa3", "\xc2\xa5"}) {
    if (std::string_view(text).starts_with(sign)) text.erase(0, sign.size());
  }
  double scale = 1;
  if (!text.empty()) {
    const char last = text.back();
    if (last == 'K' || last == 'k') scale = 1e3;
    if (last == 'M' || last == 'm') scale = 1e6;
    if (last == 'B' || last == 'b') scale = 1e9;
    if (scale > 1) text.pop_back();
  }
  std::string plain;
  if (text.empty() || !without_thousands(text, style, plain) || plain.empty() ||
      !parse_number(plain, out)) {
    return false;
  }
  out *= scale;
  return true;
}

}  // namespace winnow::store
