#include "store/import/times.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/text.hpp"
#include "base/time.hpp"
#include "store/import/csv.hpp"

namespace winnow::store {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kSecondsOfDay = 86'400;
constexpr std::int64_t kMaxNs = 7'258'118'400 * kSecondNs;  // 2200

constexpr std::int64_t unit_ns(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::Seconds:
      return kSecondNs;
    case TimeUnit::Milliseconds:
      return 1'000'000;
    case TimeUnit::Microseconds:
      return 1'000;
    default:
      return 1;
  }
}

/// Purpose: takes pieces off the front of a text. Every `take` says whether it was there.
class Text {
 public:
  explicit Text(std::string_view text) : text_(text) {}
  bool empty() const { return text_.empty(); }
  std::string_view rest() const { return text_; }
  void to(std::string_view rest) { text_ = rest; }
  char front() const { return text_.empty() ? '\0' : text_.front(); }
  bool take(char c) {
    if (front() != c || text_.empty()) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take_any(std::string_view chars) {
    if (text_.empty() || chars.find(text_.front()) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view word) {
    if (text_.size() < word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      if (lower(text_[i]) != lower(word[i])) return false;
    }
    text_.remove_prefix(word.size());
    return true;
  }
  std::size_t digits() const {
    std::size_t n = 0;
    while (n < text_.size() && is_digit(text_[n])) ++n;
    return n;
  }
  bool number(std::size_t least, std::size_t most, int& out) {
    const std::size_t n = std::min(digits(), most);
    if (n < least || n == 0) return false;
    std::from_chars(text_.data(), text_.data() + n, out);
    text_.remove_prefix(n);
    return true;
  }
  /// Digits after a point, as nanoseconds.
  bool fraction(std::int64_t& ns) {
    const std::size_t n = digits();
    if (n == 0) return false;
    ns = 0;
    for (std::size_t i = 0; i < 9; ++i) ns = ns * 10 + (i < n ? text_[i] - '0' : 0);
    text_.remove_prefix(n);
    return true;
  }
  void blanks() {
    while (take(' ')) {
    }
  }

 private:
  std::string_view text_;
};

struct Civil {
  int year = 0, month = 1, day = 1;
  int hour = 0, minute = 0, second = 0;
  std::int64_t fraction_ns = 0;
  bool afternoon_said = false, afternoon = false;
  bool zone_said = false;
  std::int64_t offset_s = 0;
  bool has_count = false;
  std::int64_t count_s = 0;  ///< %s
};

bool finish(const Civil& c, ParsedTime& out) {
  out.naive = !c.zone_said;
  out.offset_ns = c.offset_s * kSecondNs;
  std::int64_t seconds = c.count_s;
  if (c.has_count) {
    out.naive = false;
  } else {
    const std::chrono::year_month_day ymd{std::chrono::year(c.year),
                                          std::chrono::month(static_cast<unsigned>(c.month)),
                                          std::chrono::day(static_cast<unsigned>(c.day))};
    int hour = c.hour;
    if (c.afternoon_said) {
      if (hour < 1 || hour > 12) return false;
      hour = hour % 12 + (c.afternoon ? 12 : 0);
    }
    // 24:00 is the next midnight; a leap second is the second after it.
    const bool midnight = hour == 24 && c.minute == 0 && c.second == 0 && c.fraction_ns == 0;
    if (!ymd.ok() || c.year < 1969 || c.year > 2200 || (hour > 23 && !midnight) || c.minute > 59 ||
        c.second > 60) {
      return false;
    }
    seconds = std::chrono::sys_days(ymd).time_since_epoch().count() * kSecondsOfDay + hour * 3600 +
              c.minute * 60 + c.second - c.offset_s;
  }
  out.ns = seconds * kSecondNs + c.fraction_ns;
  // A naive time may yet move by a day.
  return out.ns >= (out.naive ? -kSecondsOfDay * kSecondNs : 0) && out.ns <= kMaxNs;
}

/// `Z`, `+02:00`, `-0400`, `+02`, `UTC`, `GMT+0100`, with a blank before it, or nothing.
bool take_zone(Text& in, Civil& c) {
  in.blanks();
  if (in.empty()) return true;
  c.zone_said = true;
  if (in.take('Z') || in.take('z')) return true;
  const bool named = in.take_word("UTC") || in.take_word("GMT");
  if (named && in.empty()) return true;
  int sign = 0;
  if (in.take('+')) sign = 1;
  if (sign == 0 && (in.take('-') || in.take_word("\xe2\x88\x92"))) sign = -1;
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  if (sign == 0 || !in.number(named ? 1 : 2, 2, hours)) return false;
  const bool colon = in.take(':');
  if (!in.empty() && is_digit(in.front()) && !in.number(2, 2, minutes)) return false;
  if (colon && in.take(':') && !in.number(2, 2, seconds)) return false;
  if (hours > 24 || minutes > 59 || seconds > 59) return false;
  c.offset_s = sign * (hours * 3600 + minutes * 60 + seconds);
  // RFC 9557 names the zone as well: the offset says enough.
  if (in.take('[')) {
    const std::size_t end = in.rest().find(']');
    if (end == std::string_view::npos) return false;
    in.to(in.rest().substr(end + 1));
  }
  return true;
}

bool take_half_day(Text& in, Civil& c) {
  Text look = in;
  look.take_any(" -");
  const bool am = look.take_word("AM") || look.take_word("a.m.");
  const bool pm = !am && (look.take_word("PM") || look.take_word("p.m."));
  if (!am && !pm) return false;
  c.afternoon_said = true;
  c.afternoon = pm;
  in = look;
  return true;
}

/// `12`, `12:30`, `12:30:05.123`, `123005`, `1230`, then `AM` or `PM`.
bool take_clock(Text& in, Civil& c) {
  const std::size_t digits = in.digits();
  if (digits == 4 || digits == 6) {
    if (!in.number(2, 2, c.hour) || !in.number(2, 2, c.minute)) return false;
    if (digits == 6 && !in.number(2, 2, c.second)) return false;
    if (digits == 6 && in.take_any(".,") && !in.fraction(c.fraction_ns)) return false;
  } else {
    if (digits > 2 || !in.number(1, 2, c.hour)) return false;
    if (in.take(':')) {
      if (!in.number(2, 2, c.minute)) return false;
      if (in.take(':')) {
        if (!in.number(2, 2, c.second)) return false;
        if (in.take_any(".,:") && !in.fraction(c.fraction_ns)) return false;
      }
    }
  }
  take_half_day(in, c);
  return true;
}

bool day_of_year(int year, int number, Civil& c) {
  const bool leap = std::chrono::year(year).is_leap();
  if (number < 1 || number > 365 + (leap ? 1 : 0)) return false;
  const std::chrono::sys_days day =
      std::chrono::sys_days(std::chrono::year(year) / 1 / 1) + std::chrono::days(number - 1);
  const std::chrono::year_month_day ymd{day};
  c.year = year;
  c.month = static_cast<int>(static_cast<unsigned>(ymd.month()));
  c.day = static_cast<int>(static_cast<unsigned>(ymd.day()));
  return true;
}

bool day_of_week(int year, int week, int weekday, Civil& c) {
  if (week < 1 || week > 53 || weekday < 1 || weekday > 7) return false;
  // Week 1 holds the year's first Thursday.
  const std::chrono::sys_days fourth{std::chrono::year(year) / 1 / 4};
  const std::int64_t days = fourth.time_since_epoch().count();
  const std::int64_t monday = days - (days + 3) % 7;  // 1970-01-01 was a Thursday
  const std::chrono::year_month_day ymd{
      std::chrono::sys_days(std::chrono::days(monday + (week - 1) * 7 + weekday - 1))};
  c.year = static_cast<int>(ymd.year());
  c.month = static_cast<int>(static_cast<unsigned>(ymd.month()));
  c.day = static_cast<int>(static_cast<unsigned>(ymd.day()));
  return true;
}

/// Calendar, week and ordinal dates of ISO 8601, extended or basic.
bool take_iso_date(Text& in, Civil& c) {
  const std::size_t digits = in.digits();
  if (digits == 8)
    return in.number(4, 4, c.year) && in.number(2, 2, c.month) && in.number(2, 2, c.day);
  if (digits == 7) {
    int number = 0;
    return in.number(4, 4, c.year) && in.number(3, 3, number) && day_of_year(c.year, number, c);
  }
  if (digits != 4 || !in.number(4, 4, c.year)) return false;
  const bool dash = in.take('-');
  if (in.take('W')) {
    int week = 0;
    int weekday = 1;
    if (!in.number(2, 2, week)) return false;
    if (dash ? in.take('-') : is_digit(in.front())) {
      if (!in.number(1, 1, weekday)) return false;
    }
    return day_of_week(c.year, week, weekday, c);
  }
  if (!dash) return false;
  if (in.digits() == 3) {
    int number = 0;
    return in.number(3, 3, number) && day_of_year(c.year, number, c);
  }
  if (!in.number(2, 2, c.month)) return false;
  if (in.take('-')) return in.number(2, 2, c.day);
  return true;  // a month
}

bool parse_iso(std::string_view field, ParsedTime& out) {
  Text in(field);
  Civil c;
  if (!take_iso_date(in, c)) return false;
  if (!in.empty()) {
    if (!in.take_any("Tt _")) {
      // A date may bear a zone of its own: `2024-01-02Z`.
    } else if (!is_digit(in.front())) {
      return false;
    } else if (!take_clock(in, c) || c.afternoon_said) {
      return false;
    }
    if (!take_zone(in, c) || !in.empty()) return false;
  }
  out.unit = TimeUnit::Iso;
  return finish(c, out);
}

constexpr std::array<std::string_view, 12> kMonths{"january",   "february", "march",    "april",
                                                   "may",       "june",     "july",     "august",
                                                   "september", "october",  "november", "december"};

bool take_month(Text& in, int& month) {
  for (std::size_t m = 0; m < kMonths.size(); ++m) {
    if (in.take_word(kMonths[m]) || in.take_word(kMonths[m].substr(0, 3))) {
      in.take('.');
      month = static_cast<int>(m) + 1;
      return true;
    }
  }
  return false;
}

bool take_year(Text& in, int& year) {
  const std::size_t digits = in.digits();
  if (digits != 2 && digits != 4) return false;
  if (!in.number(digits, digits, year)) return false;
  if (digits == 2) year += year < 70 ? 2000 : 1900;
  return true;
}

/// Dates as people write them: `2024.01.02`, `2.1.2024`, `01/02/2024`, `2-Jan-24`, `Jan 2, 2024`.
bool take_usual_date(Text& in, DayOrder order, Civil& c) {
  Text look = in;
  if (take_month(look, c.month)) {
    look.blanks();
    if (!look.number(1, 2, c.day)) return false;
    look.take(',');
    look.blanks();
    in = look;
    return take_year(in, c.year);
  }
  if (in.digits() == 4) {
    in.number(4, 4, c.year);
    const char mark = in.front();
    return in.take_any("./-") && in.number(1, 2, c.month) && in.take(mark) &&
           in.number(1, 2, c.day);
  }
  int first = 0;
  if (!in.number(1, 2, first)) return false;
  const char mark = in.front();
  if (!in.take_any("./- ")) return false;
  if (take_month(in, c.month)) {
    c.day = first;
    in.take_any("./-, ");
    return take_year(in, c.year);
  }
  int second = 0;
  if (!in.number(1, 2, second) || !in.take(mark) || !take_year(in, c.year)) return false;
  if (order == DayOrder::Unknown && mark == '.') order = DayOrder::DayFirst;
  if (order == DayOrder::Unknown) return false;
  c.day = order == DayOrder::DayFirst ? first : second;
  c.month = order == DayOrder::DayFirst ? second : first;
  return true;
}

bool parse_usual(std::string_view field, DayOrder order, ParsedTime& out) {
  Text in(field);
  Civil c;
  // `Tue, 02 Jan 2024 00:00:00 GMT`
  for (const char* day : {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}) {
    if (!in.take_word(day)) continue;
    while (!in.empty() && !in.take(' ')) in.to(in.rest().substr(1));
    break;
  }
  in.blanks();
  if (!take_usual_date(in, order, c)) return false;
  if (!in.empty()) {
    in.take_any(",T");
    in.blanks();
    if (is_digit(in.front()) && !take_clock(in, c)) return false;
    if (!take_zone(in, c) || !in.empty()) return false;
  }
  out.unit = TimeUnit::Format;
  return finish(c, out);
}

bool take_format(Text& in, char letter, Civil& c) {
  switch (letter) {
    case 'Y':
      return in.number(4, 4, c.year);
    case 'y':
      return in.digits() >= 2 && in.number(2, 2, c.year) && (c.year += c.year < 70 ? 2000 : 1900);
    case 'm':
      return in.number(1, 2, c.month);
    case 'd':
    case 'e':
      in.blanks();
      return in.number(1, 2, c.day);
    case 'j': {
      int number = 0;
      return in.number(3, 3, number) && day_of_year(c.year, number, c);
    }
    case 'b':
    case 'B':
      return take_month(in, c.month);
    case 'H':
    case 'I':
      return in.number(1, 2, c.hour);
    case 'M':
      return in.number(1, 2, c.minute);
    case 'S':
      return in.number(1, 2, c.second);
    case 'f':
      return in.fraction(c.fraction_ns);
    case 'p':
      return take_half_day(in, c);
    case 'z':
    case 'Z':
      return take_zone(in, c) && c.zone_said;
    case 's': {
      const std::size_t n = in.digits();
      c.has_count = n > 0 && n < 12;
      std::from_chars(in.rest().data(), in.rest().data() + n, c.count_s);
      in.to(in.rest().substr(n));
      return c.has_count;
    }
    case '%':
      return in.take('%');
    default:
      return false;
  }
}

bool parse_format(std::string_view field, std::string_view format, ParsedTime& out) {
  Text in(field);
  Civil c;
  std::string expanded;
  for (std::size_t i = 0; i < format.size(); ++i) {
    const bool pair = format[i] == '%' && i + 1 < format.size();
    if (pair && format[i + 1] == 'T') {
      expanded += "%H:%M:%S", ++i;
    } else if (pair && format[i + 1] == 'F') {
      expanded += "%Y-%m-%d", ++i;
    } else {
      expanded += format[i];
      if (pair) expanded += format[++i];
    }
  }
  for (std::size_t i = 0; i < expanded.size(); ++i) {
    const bool pair = expanded[i] == '%' && i + 1 < expanded.size();
    if (pair ? !take_format(in, expanded[++i], c) : !in.take(expanded[i])) return false;
  }
  out.unit = TimeUnit::Format;
  return in.empty() && finish(c, out);
}

bool parse_count(std::string_view field, TimeUnit unit, std::int64_t& out_ns) {
  std::int64_t whole = 0;
  const char* end = field.data() + field.size();
  auto [ptr, code] = std::from_chars(field.data(), end, whole);
  const std::int64_t scale = unit_ns(unit);
  if (code != std::errc{} || whole < 0 || *field.data() == '-' || whole > kMaxNs / scale - 1) {
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

bool parse_excel(std::string_view field, std::int64_t& out_ns) {
  double days = 0;
  if (!parse_number(field, days) || !(days >= 25'569) || days > 109'000) return false;
  // A day's fraction in a double is good to a microsecond; people mean whole milliseconds.
  out_ns = std::llround((days - 25'569) * 86'400'000.0) * 1'000'000;
  return true;
}

/// Counts by their size, from 1990 on; then dates.
bool parse_auto(std::string_view field, DayOrder order, ParsedTime& out) {
  double value = 0;
  std::size_t digits = 0;
  bool plain = !field.empty();
  bool point = false;
  for (const char c : field) {
    plain = plain && (is_digit(c) || (c == '.' && !point));
    point = point || c == '.';
    digits += is_digit(c) && !point ? 1 : 0;
  }
  if (!plain || digits == 8 || digits < 5 || !parse_number(field, value)) {
    // 8 digits are a date: `20240102`.
    return parse_iso(field, out) || parse_usual(field, order, out);
  }
  constexpr double kFrom = 6.3e8;  // 1990 in seconds
  out.naive = false;
  if (digits == 5) {
    out.unit = TimeUnit::Excel;
    out.naive = true;
    return parse_excel(field, out.ns);
  }
  out.unit = TimeUnit::Seconds;
  if (value >= kFrom * 1e2) out.unit = TimeUnit::Milliseconds;
  if (value >= kFrom * 1e5) out.unit = TimeUnit::Microseconds;
  if (value >= kFrom * 1e8) out.unit = TimeUnit::Nanoseconds;
  return value >= kFrom && parse_count(field, out.unit, out.ns);
}

}  // namespace

Result<TimeUnit> parse_time_unit(std::string_view text) {
  if (text == "s") return TimeUnit::Seconds;
  if (text == "ms") return TimeUnit::Milliseconds;
  if (text == "us") return TimeUnit::Microseconds;
  if (text == "ns") return TimeUnit::Nanoseconds;
  if (text == "iso") return TimeUnit::Iso;
  if (text == "excel") return TimeUnit::Excel;
  if (text == "auto") return TimeUnit::Auto;
  if (text.find('%') != std::string_view::npos) return TimeUnit::Format;
  return Error(ErrorCode::InvalidInput, "time unit " + in_quotes(text) +
                                            " is unknown; allowed: s, ms, us, ns, iso, excel, auto "
                                            "or a format such as %d.%m.%Y %H:%M");
}

std::string_view unit_text(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::Seconds:
      return "seconds since 1970 (UTC)";
    case TimeUnit::Milliseconds:
      return "milliseconds since 1970 (UTC)";
    case TimeUnit::Microseconds:
      return "microseconds since 1970 (UTC)";
    case TimeUnit::Nanoseconds:
      return "nanoseconds since 1970 (UTC)";
    case TimeUnit::Iso:
      return "times like 2023-01-01T00:00:00Z";
    case TimeUnit::Excel:
      return "days as a spreadsheet counts them";
    case TimeUnit::Auto:
      return "counts since 1970 or dates like 2023-01-01 00:00:00";
    case TimeUnit::Format:
      return "times as the date format says";
  }
  return "";
}

bool parse_time(std::string_view field, const TimeSpec& spec, ParsedTime& out) {
  out.naive = false;
  out.offset_ns = 0;
  out.unit = spec.unit;
  switch (spec.unit) {
    case TimeUnit::Iso:
      return parse_iso(field, out);
    case TimeUnit::Excel:
      out.naive = true;
      return parse_excel(field, out.ns);
    case TimeUnit::Auto:
      return parse_auto(field, spec.order, out);
    case TimeUnit::Format:
      return parse_format(field, spec.format, out);
    default:
      return parse_count(field, spec.unit, out.ns);
  }
}

bool ambiguous_date(std::string_view field, int& first, int& second) {
  Text in(field);
  if (in.digits() > 2 || !in.number(1, 2, first)) return false;
  const char mark = in.front();
  return in.take_any("/-") && in.digits() <= 2 && in.number(1, 2, second) && in.take(mark);
}

bool parse_time(std::string_view field, TimeUnit unit, std::int64_t& out_ns) {
  ParsedTime out;
  if (!parse_time(field, TimeSpec{unit, {}, DayOrder::Unknown}, out) || out.ns < 0) return false;
  out_ns = out.ns;
  return true;
}

}  // namespace winnow::store
