#include "store/import/csv.hpp"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/time.hpp"

namespace winnow::store {
namespace {

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r'))
    s.remove_suffix(1);
  return s;
}

std::string_view unquoted(std::string_view s) {
  if (s.size() >= 2 && s.front() == '"' && s.back() == '"') return s.substr(1, s.size() - 2);
  return s;
}

void split(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  while (fields.size() < CsvReader::kFieldsMax) {
    std::size_t end = 0;
    // A quoted field may hold commas.
    if (!line.empty() && line.front() == '"') {
      const std::size_t close = line.find('"', 1);
      end = line.find(',', close == std::string_view::npos ? 0 : close);
    } else {
      const void* comma = std::memchr(line.data(), ',', line.size());
      end = comma == nullptr
                ? std::string_view::npos
                : static_cast<std::size_t>(static_cast<const char*>(comma) - line.data());
    }
    fields.push_back(unquoted(trimmed(line.substr(0, end))));
    if (end == std::string_view::npos) return;
    line.remove_prefix(end + 1);
  }
}

constexpr std::int64_t unit_ns(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::Seconds:
      return 1'000'000'000;
    case TimeUnit::Milliseconds:
      return 1'000'000;
    case TimeUnit::Microseconds:
      return 1'000;
    default:
      return 1;
  }
}

bool is_missing(std::string_view s) {
  return s.empty() || s == "nan" || s == "NaN" || s == "NAN" || s == "null" || s == "NULL" ||
         s == "None" || s == "NA" || s == "N/A" || s == "-nan";
}

}  // namespace

CsvReader::CsvReader(std::string_view name, std::string_view text) : name_(name), text_(text) {
  if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
  fields_.reserve(16);
}

bool CsvReader::next() {
  while (at_ < text_.size()) {
    const char* begin = text_.data() + at_;
    const void* newline = std::memchr(begin, '\n', text_.size() - at_);
    const std::size_t length =
        newline == nullptr ? text_.size() - at_
                           : static_cast<std::size_t>(static_cast<const char*>(newline) - begin);
    at_ += length + (newline == nullptr ? 0 : 1);
    ++line_;
    const std::string_view line = trimmed({begin, length});
    if (line.empty()) continue;
    split(line, fields_);
    return true;
  }
  return false;
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

Result<TimeUnit> parse_time_unit(std::string_view text) {
  if (text == "s") return TimeUnit::Seconds;
  if (text == "ms") return TimeUnit::Milliseconds;
  if (text == "us") return TimeUnit::Microseconds;
  if (text == "ns") return TimeUnit::Nanoseconds;
  if (text == "iso") return TimeUnit::Iso;
  return Error(ErrorCode::InvalidInput,
               "time unit " + in_quotes(text) + " is unknown; allowed: s, ms, us, ns, iso");
}

bool parse_time(std::string_view field, TimeUnit unit, std::int64_t& out_ns) {
  if (unit == TimeUnit::Iso) {
    std::string text(field);
    // `2023-01-01 00:00:00+00:00`, as data frames print it, is the same time.
    if (text.size() > 10 && text[10] == ' ') text[10] = 'T';
    if (text.ends_with("+00:00")) text.replace(text.size() - 6, 6, "Z");
    const auto parsed = parse_timestamp(text);
    if (!parsed.ok() || parsed->ns < 0) return false;
    out_ns = parsed->ns;
    return true;
  }
  std::int64_t whole = 0;
  const char* end = field.data() + field.size();
  auto [ptr, code] = std::from_chars(field.data(), end, whole);
  const std::int64_t scale = unit_ns(unit);
  if (code != std::errc{} || whole < 0 || *field.data() == '-' ||
      whole > std::numeric_limits<std::int64_t>::max() / scale - 1) {
    return false;
  }
  std::int64_t fraction = 0;
  if (ptr != end) {
    if (*ptr++ != '.') return false;
    for (std::int64_t digit = scale / 10; ptr != end; ++ptr, digit /= 10) {
      if (*ptr < '0' || *ptr > '9') return false;
      fraction += (*ptr - '0') * digit;
    }
  }
  out_ns = whole * scale + fraction;
  return true;
}

}  // namespace winnow::store
