#include "store/import/time_zone.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "base/text.hpp"
#include "store/dataset_files.hpp"

namespace winnow::store {
namespace {

constexpr std::int64_t kDayS = 86'400;
constexpr std::int64_t kHourS = 3'600;
constexpr std::int64_t kOffsetMaxS = 26 * kHourS;

std::int64_t days_of(int year, int month, int day) {
  const std::chrono::year_month_day ymd{std::chrono::year(year),
                                        std::chrono::month(static_cast<unsigned>(month)),
                                        std::chrono::day(static_cast<unsigned>(day))};
  return std::chrono::sys_days(ymd).time_since_epoch().count();
}

bool take_number(std::string_view& text, std::int64_t& out) {
  std::size_t n = 0;
  out = 0;
  while (n < text.size() && n < 9 && is_digit(text[n])) out = out * 10 + (text[n++] - '0');
  text.remove_prefix(n);
  return n > 0;
}

/// `5`, `-3:30`, `+02:00:00` in seconds.
bool take_clock(std::string_view& text, std::int64_t& out) {
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  std::int64_t part = 0;
  if (!take_number(text, part)) return false;
  out = part * kHourS;
  for (const std::int64_t unit : {std::int64_t{60}, std::int64_t{1}}) {
    if (text.empty() || text[0] != ':') break;
    text.remove_prefix(1);
    if (!take_number(text, part)) return false;
    out += part * unit;
  }
  if (negative) out = -out;
  return std::abs(out) <= 168 * kHourS;
}

/// `UTC`, `+02:00`, `UTC-5`, `GMT+0100`. False: a name.
bool fixed_offset(std::string_view name, std::int64_t& out) {
  if (name == "UTC" || name == "GMT" || name == "Z") {
    out = 0;
    return true;
  }
  if (name.starts_with("UTC") || name.starts_with("GMT")) name.remove_prefix(3);
  if (name.size() < 2 || (name[0] != '+' && name[0] != '-') || !is_digit(name[1])) return false;
  std::string text(name);
  if (text.size() == 5 && text.find(':') == std::string::npos) text.insert(3, ":");  // +0530
  std::string_view rest = text;
  return take_clock(rest, out) && rest.empty() && std::abs(out) <= kOffsetMaxS;
}

/// Big-endian numbers from bytes that may end anywhere.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  bool ok = true;
  std::string_view take(std::uint64_t n) {
    if (n > bytes_.size()) ok = false;
    const std::string_view out = bytes_.substr(0, ok ? n : 0);
    bytes_.remove_prefix(out.size());
    return out;
  }
  std::int64_t number(std::size_t width) {
    const std::string_view raw = take(width);
    if (!ok) return 0;
    std::uint64_t v = static_cast<unsigned char>(raw[0]) >= 0x80 ? ~std::uint64_t{0} : 0;
    for (const char c : raw) v = v << 8 | static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(v);
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

}  // namespace

Result<TimeZone> TimeZone::load(std::string_view name) {
  TimeZone zone;
  zone.name_ = name;
  if (fixed_offset(name, zone.before_s_)) return zone;
  const char* env = std::getenv("TZDIR");
  const std::filesystem::path folder = env != nullptr ? env : "/usr/share/zoneinfo";
  const bool plain = !name.empty() && name.size() < 100 && name[0] != '/' &&
                     name.find("..") == std::string_view::npos &&
                     std::all_of(name.begin(), name.end(), [](char c) {
                       return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              c == '/' || c == '_' || c == '-' || c == '+';
                     });
  std::error_code ignored;
  if (plain && !std::filesystem::is_directory(folder, ignored)) {
    return Error(ErrorCode::NotFound, "there is no database of time zones in " + folder.string() +
                                          " (the package tzdata); offsets like +02:00 need none");
  }
  if (!plain || !std::filesystem::is_regular_file(folder / name, ignored)) {
    return Error(ErrorCode::NotFound, "there is no time zone '" + std::string(name) +
                                          "'; write a name such as America/New_York, UTC or an "
                                          "offset such as +02:00");
  }
  const auto bytes = read_whole_file(folder / name);
  if (!bytes.ok()) return bytes.error();
  if (Status status = zone.parse_file(*bytes); !status.ok()) {
    return status.error().within("time zone " + std::string(name));
  }
  return zone;
}

// RFC 8536: a header and data with times of 32 bits, then both again with 64 bits, then the rule.
Status TimeZone::parse_file(std::string_view file) {
  const Error damaged(ErrorCode::Corrupt, "the file of this zone is damaged");
  Bytes in(file);
  for (const std::size_t width : {std::size_t{4}, std::size_t{8}}) {
    const std::string_view head = in.take(20);
    if (!in.ok || !head.starts_with("TZif")) return damaged;
    const bool old = head[4] == '\0';
    std::uint64_t counts[6];  // isut, isstd, leap, time, type, char
    for (std::uint64_t& count : counts) count = static_cast<std::uint64_t>(in.number(4));
    const auto [isut, isstd, leap, times, types, chars] = counts;
    if (!in.ok || times > 100'000 || types == 0 || types > 256 || chars > 100'000 ||
        leap > 10'000 || isut > 256 || isstd > 256) {
      return damaged;
    }
    if (width == 4 && !old) {
      in.take(times * 5 + types * 6 + chars + leap * 8 + isstd + isut);
      continue;
    }
    turns_.assign(times, {});
    for (Turn& turn : turns_) turn.utc_s = in.number(width);
    const std::string_view which = in.take(times);
    std::vector<std::int64_t> offsets(types);
    for (std::int64_t& offset : offsets) {
      offset = in.number(4);
      in.take(2);
      if (std::abs(offset) > kOffsetMaxS) return damaged;
    }
    if (!in.ok) return damaged;
    before_s_ = offsets[0];
    for (std::size_t i = 0; i < times; ++i) {
      const auto type = static_cast<unsigned char>(which[i]);
      if (type >= types || (i > 0 && turns_[i].utc_s <= turns_[i - 1].utc_s)) return damaged;
      turns_[i].offset_s = offsets[type];
    }
    if (old) return {};
    in.take(chars + leap * (width + 4) + isstd + isut);
  }
  if (!in.ok) return damaged;
  std::string_view footer = in.rest();
  if (footer.size() < 2 || footer.front() != '\n') return {};
  footer = footer.substr(1, footer.find('\n', 1) - 1);
  if (footer.empty()) return {};
  if (!parse_rule(footer, rule_)) return damaged;
  has_rule_ = true;
  return {};
}

bool TimeZone::parse_rule(std::string_view text, Rule& out) {
  const auto take_name = [&] {
    std::size_t n = 0;
    if (!text.empty() && text[0] == '<') {
      n = text.find('>');
      if (n == std::string_view::npos) return false;
      ++n;
    } else {
      while (n < text.size() && !is_digit(text[n]) && text[n] != '+' && text[n] != '-' &&
             text[n] != ',') {
        ++n;
      }
    }
    text.remove_prefix(n);
    return n > 0;
  };
  if (!take_name() || !take_clock(text, out.standard_s)) return false;
  out.standard_s = -out.standard_s;  // the rule counts westwards
  if (text.empty()) return true;
  out.has_summer = true;
  if (!take_name()) return false;
  out.summer_s = out.standard_s + kHourS;
  if (!text.empty() && text[0] != ',') {
    if (!take_clock(text, out.summer_s)) return false;
    out.summer_s = -out.summer_s;
  }
  for (Rule::Day* day : {&out.begin, &out.end}) {
    std::int64_t parts[3] = {};
    if (text.size() < 2 || text[0] != ',') return false;
    text.remove_prefix(1);
    day->kind = is_digit(text[0]) ? 'N' : text[0];
    if (day->kind != 'N') text.remove_prefix(1);
    if (day->kind != 'M' && day->kind != 'J' && day->kind != 'N') return false;
    for (int i = 0; i < (day->kind == 'M' ? 3 : 1); ++i) {
      if (i > 0 && (text.empty() || text[0] != '.')) return false;
      if (i > 0) text.remove_prefix(1);
      if (!take_number(text, parts[i])) return false;
    }
    if (day->kind == 'M' &&
        (parts[0] < 1 || parts[0] > 12 || parts[1] < 1 || parts[1] > 5 || parts[2] > 6)) {
      return false;
    }
    if (day->kind != 'M' && parts[0] > 366) return false;
    day->month = static_cast<int>(parts[0]);
    day->week = static_cast<int>(parts[1]);
    day->day = static_cast<int>(day->kind == 'M' ? parts[2] : parts[0]);
    if (!text.empty() && text[0] == '/') {
      text.remove_prefix(1);
      if (!take_clock(text, day->time_s)) return false;
    }
  }
  return text.empty();
}

/// Seconds of local time at which a rule's day turns, in a year.
std::int64_t TimeZone::rule_day_s(const Rule::Day& day, int year) {
  std::int64_t days = days_of(year, 1, 1);
  if (day.kind == 'N') {
    days += day.day;
  } else if (day.kind == 'J') {
    const bool leap = std::chrono::year(year).is_leap();
    days += day.day - 1 + (leap && day.day > 59 ? 1 : 0);
  } else {
    const std::int64_t first = days_of(year, day.month, 1);
    const std::int64_t weekday = ((first + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
    days = first + (day.day - weekday + 7) % 7 + 7 * (day.week - 1);
    const std::int64_t next =
        day.month == 12 ? days_of(year + 1, 1, 1) : days_of(year, day.month + 1, 1);
    while (days >= next) days -= 7;
  }
  return days * kDayS + day.time_s;
}

std::int64_t TimeZone::rule_offset_s(std::int64_t utc_s) const {
  if (!rule_.has_summer) return rule_.standard_s;
  const std::chrono::year_month_day ymd{
      std::chrono::sys_days(std::chrono::days((utc_s + rule_.standard_s) / kDayS))};
  const int year = static_cast<int>(ymd.year());
  const std::int64_t begin = rule_day_s(rule_.begin, year) - rule_.standard_s;
  const std::int64_t end = rule_day_s(rule_.end, year) - rule_.summer_s;
  const bool summer = begin < end ? utc_s >= begin && utc_s < end : utc_s >= begin || utc_s < end;
  return summer ? rule_.summer_s : rule_.standard_s;
}

std::int64_t TimeZone::offset_s(std::int64_t utc_s) const {
  if (turns_.empty()) return has_rule_ ? rule_offset_s(utc_s) : before_s_;
  if (has_rule_ && utc_s >= turns_.back().utc_s) return rule_offset_s(utc_s);
  const auto after =
      std::upper_bound(turns_.begin(), turns_.end(), utc_s,
                       [](std::int64_t t, const Turn& turn) { return t < turn.utc_s; });
  return after == turns_.begin() ? before_s_ : (after - 1)->offset_s;
}

TimeZone::Meaning TimeZone::meaning(std::int64_t local_s) const {
  const std::int64_t around[] = {offset_s(local_s - kDayS), offset_s(local_s + kDayS)};
  Meaning out;
  for (const std::int64_t offset : around) {
    const std::int64_t utc = local_s - offset;
    if (offset_s(utc) != offset || (out.count == 1 && utc == out.first_s)) continue;
    (out.count++ == 0 ? out.first_s : out.second_s) = utc;
  }
  if (out.count == 2 && out.second_s < out.first_s) std::swap(out.first_s, out.second_s);
  if (out.count == 1) out.second_s = out.first_s;
  return out;
}

}  // namespace winnow::store
