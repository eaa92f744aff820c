#include "store/import/table_form.hpp"

#include <algorithm>
#include <charconv>

#include "base/instrument.hpp"
#include "base/text.hpp"

namespace winnow::store {
namespace {

using Names = std::span<const std::string_view>;

// The spellings of each column that makers use; the first that is there counts.
constexpr std::string_view kOpen[] = {"open",     "o",     "open_price", "openprice", "px_open",
                                      "open_bid", "first", "price_open", "bidopen",   "opn"};
constexpr std::string_view kHigh[] = {"high",    "h",          "high_price", "highprice",
                                      "px_high", "price_high", "max_price",  "bidhigh",
                                      "max",     "hi"};
constexpr std::string_view kLow[] = {"low",       "l",         "low_price", "lowprice", "px_low",
                                     "price_low", "min_price", "bidlow",    "min",      "lo"};
constexpr std::string_view kClose[] = {"close",    "c",       "close_price", "closeprice",
                                       "px_close", "px_last", "close/last",  "price_close",
                                       "bidclose", "last",    "price",       "cls"};
constexpr std::string_view kVolume[] = {"homenotional",  "volume",       "v",
                                        "vol",           "base_volume",  "volume_base",
                                        "volumefrom",    "volume_from",  "trade_volume",
                                        "volume_traded", "total_volume", "qty"};
constexpr std::string_view kTicks[] = {"tickvol", "tick_volume", "tickvolume"};
constexpr std::string_view kQuoteVolume[] = {
    "quote_volume", "quotevolume",  "turnover",    "quote_asset_volume", "volumeto",
    "volume_to",    "volume_quote", "volccyquote", "foreignnotional",    "quote_av"};
constexpr std::string_view kTime[] = {"open_time",
                                      "opentime",
                                      "time_open",
                                      "timeopen",
                                      "start_time",
                                      "starttime",
                                      "start_at",
                                      "startat",
                                      "unix",
                                      "unix_timestamp",
                                      "unix_time",
                                      "timestamp",
                                      "timestamp_ms",
                                      "start",
                                      "window_start",
                                      "time_period_start",
                                      "period_start",
                                      "candle_begin_time",
                                      "candle_time",
                                      "bar_time",
                                      "kline_open_time",
                                      "ts_event",
                                      "datetime",
                                      "date_time",
                                      "gmt_time",
                                      "local_time",
                                      "utc_time",
                                      "time_utc",
                                      "date",
                                      "time",
                                      "ts",
                                      "t",
                                      "mts",
                                      "begin",
                                      "day",
                                      "month",
                                      "price_date",
                                      "trade_date",
                                      "id"};
constexpr std::string_view kDate[] = {"date", "day", "trade_date"};
constexpr std::string_view kClock[] = {"time", "clock", "hour", "time_of_day"};
constexpr std::string_view kSymbol[] = {"symbol", "ticker",  "tic",    "instrument",
                                        "pair",   "inst_id", "instid", "asset"};
constexpr std::string_view kPriceWords[] = {"open", "high", "low", "close"};

struct HeaderName {
  std::string name;  ///< lower case, words joined by _
  std::string hint;  ///< what stood in brackets
};

/// `<OPEN>`, `Open (USD)`, `1. open`, `Vol.` as `open`, `open`, `open`, `vol`.
HeaderName plain_name(std::string_view field) {
  HeaderName out;
  std::string text(field);
  if (text.size() > 2 && text.front() == '<' && text.back() == '>') {
    text = text.substr(1, text.size() - 2);
  }
  while (!text.empty() && (text.front() == '#' || text.front() == ' ')) text.erase(0, 1);
  if (const std::size_t open = text.find_first_of("(["); open != std::string::npos && open > 0) {
    const std::size_t close = text.find_first_of(")]", open);
    out.hint = text.substr(open + 1, close == std::string::npos ? close : close - open - 1);
    text.erase(open, close == std::string::npos ? close : close - open + 1);
  }
  if (text.size() > 3 && is_digit(text[0]) && (text[1] == '.' || is_digit(text[1]))) {
    text.erase(0, text.find_first_not_of("0123456789. "));
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '.' || text.back() == '*')) {
    text.pop_back();
  }
  for (char& c : text) {
    if (c == ' ' || c == '-' || c == '.') c = '_';
  }
  out.name = lower(text);
  return out;
}

bool has(Names names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Names of at least three of the four prices.
bool is_header(std::span<const std::string_view> fields) {
  bool seen[4] = {};
  const Names words[] = {kOpen, kHigh, kLow, kClose};
  for (const std::string_view f : fields) {
    const std::string name = plain_name(f).name;
    for (int i = 0; i < 4; ++i) seen[i] = seen[i] || has(words[i], name);
  }
  return std::count(seen, seen + 4, true) >= 3;
}

constexpr char kDelimiters[] = {',', ';', '\t', '|'};

std::size_t fields_of(std::string_view line, char delimiter, std::vector<std::string>* out) {
  CsvReader csv("", line, {.delimiter = delimiter});
  if (!csv.next()) return 0;
  if (out != nullptr) out->assign(csv.fields().begin(), csv.fields().end());
  return csv.fields().size();
}

/// Of a row of numbers: what separates the most, and commas last, which may be decimal.
char row_delimiter(std::string_view line) {
  constexpr std::size_t kFieldsLeast = 5;
  for (const char d : {'\t', ';', '|'}) {
    if (fields_of(line, d, nullptr) >= kFieldsLeast) return d;
  }
  return ',';
}

/// Purpose: finds the form of one table. Thread: one.
class FormFinder {
 public:
  FormFinder(const SourceText& table, const Layout& layout, const TimeColumn& asked,
             std::string_view instrument)
      : table_(table), layout_(layout), asked_(asked), instrument_(instrument) {}

  Result<TableForm> run() {
    form_.dialect = {layout_.delimiter == 0 ? ',' : layout_.delimiter, layout_.comment,
                     layout_.skip_lines};
    form_.spec = layout_.spec;
    WINNOW_TRY(find_header());
    if (form_.header_line > 0) {
      WINNOW_TRY(find_columns());
    } else {
      WINNOW_TRY(find_shape());
    }
    return std::move(form_);
  }

 private:
  Error error(std::uint32_t line, const std::string& text) const {
    return Error(ErrorCode::InvalidInput, table_.name + ":" + std::to_string(line) + ": " + text);
  }
  Status find_header();
  std::optional<char> header_here(std::string_view line) const;
  Status no_header();
  Status take_header(std::string_view line, std::uint32_t number, char delimiter);
  Status find_columns();
  Status find_prices();
  Status find_time();
  Status find_volume();
  bool volume_of_asset();
  Status find_shape();
  Result<std::size_t> named(const std::string& name);
  Result<std::size_t> usual(Names names);

  const SourceText& table_;
  const Layout& layout_;
  const TimeColumn& asked_;
  std::string_view instrument_;
  TableForm form_;
  std::vector<HeaderName> header_;
  std::string shown_;       ///< the header as it stands, shortened
  std::string_view first_;  ///< the first line with content
  std::uint32_t first_line_ = 1;
};

/// Whether a line is the table's header: by the names of a column map, or the usual ones.
std::optional<char> FormFinder::header_here(std::string_view line) const {
  const std::string& own = layout_.prices[0];
  const bool named = !own.empty() && !std::all_of(own.begin(), own.end(), is_digit);
  if (named) {
    for (const char d : kDelimiters) {
      if (layout_.delimiter != 0 && d != layout_.delimiter) continue;
      std::vector<std::string> fields;
      fields_of(line, d, &fields);
      const bool there = std::any_of(fields.begin(), fields.end(), [&](const std::string& f) {
        return plain_name(f).name == plain_name(own).name || lower(f) == lower(own);
      });
      if (there && fields.size() > 1) return d;
    }
    return std::nullopt;
  }
  if (layout_.header != HeaderLine::Yes) return header_delimiter(line);
  if (layout_.comment != 0 && line.front() == layout_.comment) return std::nullopt;
  return header_delimiter(line).value_or(row_delimiter(line));
}

// The header may stand below a few lines of something else: an address, a title.
Status FormFinder::find_header() {
  constexpr std::size_t kLinesLooked = 12;
  CsvReader lines(table_.name, table_.text, {.skip_lines = layout_.skip_lines});
  std::size_t looked = 0;
  while (looked++ < kLinesLooked && lines.next()) {
    if (first_.empty()) {
      first_ = lines.whole();
      first_line_ = lines.line();
    }
    if (layout_.header == HeaderLine::No) break;
    const std::optional<char> found = header_here(lines.whole());
    if (!found) continue;
    const char delimiter = layout_.delimiter == 0 ? *found : layout_.delimiter;
    return take_header(lines.whole(), lines.line(), delimiter);
  }
  if (first_.empty()) return error(1, "there is no header");
  if (layout_.header == HeaderLine::No || !layout_.shapes.empty()) return {};
  return no_header();
}

Status FormFinder::no_header() {
  std::vector<std::string> fields;
  const char delimiter = row_delimiter(first_);
  fields_of(first_, delimiter, &fields);
  std::vector<std::string_view> views(fields.begin(), fields.end());
  std::string expected = "open,high,low,close,volume";
  if (!layout_.prices[0].empty()) {
    expected = layout_.prices[0] + "," + layout_.prices[1] + "," + layout_.prices[2] + "," +
               layout_.prices[3] + " as layout " + layout_.name + " says";
  }
  const bool digits = !first_.empty() && (is_digit(first_[0]) || first_[0] == '"');
  return error(first_line_,
               "the first line is no header with " + expected + "; it is " + listed(views) +
                   (digits ? " (a table without a header needs --layout: " : " (see --layout: ") +
                   layout_names() + ", or a column map FILE.yaml)");
}

Status FormFinder::take_header(std::string_view line, std::uint32_t number, char delimiter) {
  std::vector<std::string> fields;
  form_.dialect.delimiter = delimiter;
  form_.header_line = number;
  form_.dialect.skip_lines = number;
  fields_of(line, delimiter, &fields);
  while (fields.size() > 1 && fields.back().empty()) fields.pop_back();
  for (const std::string& f : fields) header_.push_back(plain_name(f));
  std::vector<std::string_view> views(fields.begin(), fields.end());
  shown_ = listed(views);
  form_.names = std::move(fields);
  form_.width = header_.size();
  if (number > first_line_) {
    form_.notes.push_back(table_.name + ": what stands above the header in line " +
                          std::to_string(number) + " is passed over");
  }
  return {};
}

/// A column by the name or position that somebody wrote. Fails: it is not there, or twice.
Result<std::size_t> FormFinder::named(const std::string& name) {
  std::size_t position = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), position);
  const std::uint32_t line = std::max<std::uint32_t>(form_.header_line, 1);
  const std::string wanted = plain_name(name).name;
  std::vector<std::size_t> at;
  for (std::size_t i = 0; i < header_.size(); ++i) {
    if (header_[i].name == wanted || lower(form_.names[i]) == lower(name)) at.push_back(i);
  }
  if (at.size() > 1) {
    return error(line, "the header names " + in_quotes(name) + " twice (columns " +
                           std::to_string(at[0] + 1) + " and " + std::to_string(at[1] + 1) +
                           "); give its position");
  }
  if (at.size() == 1) return at[0];
  if (code == std::errc{} && end == name.data() + name.size()) {
    if (position >= 1 && position <= form_.width) return position - 1;
    return error(line, "there is no column " + name + "; there are " + std::to_string(form_.width));
  }
  return error(line, "there is no column " + in_quotes(name) + "; the header is " + shown_);
}

/// The first of the usual names that is there; kNoColumn: none is. Fails: it is there twice.
Result<std::size_t> FormFinder::usual(Names names) {
  for (const std::string_view name : names) {
    std::size_t found = kNoColumn;
    for (std::size_t i = 0; i < header_.size(); ++i) {
      if (header_[i].name != name) continue;
      if (found != kNoColumn) {
        return error(form_.header_line, "the header names " + in_quotes(form_.names[i]) +
                                            " twice (columns " + std::to_string(found + 1) +
                                            " and " + std::to_string(i + 1) +
                                            "); which is meant? A column map says it (--layout)");
      }
      found = i;
    }
    if (found != kNoColumn) return found;
  }
  return kNoColumn;
}

Status FormFinder::find_columns() {
  WINNOW_TRY(find_prices());
  WINNOW_TRY(find_time());
  WINNOW_TRY(find_volume());
  const auto quote = usual(kQuoteVolume);
  const auto symbol = usual(kSymbol);
  if (quote.ok() && *quote != kNoColumn) form_.quote_volume = *quote;
  if (symbol.ok()) form_.symbol = *symbol;
  return {};
}

Status FormFinder::find_prices() {
  const Names names[] = {kOpen, kHigh, kLow, kClose};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto at = layout_.prices[i].empty() ? usual(names[i]) : named(layout_.prices[i]);
    if (!at.ok()) return at.error();
    if (*at == kNoColumn) {
      return error(form_.header_line, "the header has no column for " +
                                          std::string(kPriceWords[i]) + "; it is " + shown_ +
                                          "; a column map names it (--layout FILE.yaml)");
    }
    form_.prices[i] = *at;
  }
  return {};
}

Status FormFinder::find_time() {
  const std::string& wanted = asked_.name.empty() ? layout_.time : asked_.name;
  if (!wanted.empty()) {
    const auto at = named(wanted);
    if (!at.ok()) {
      if (asked_.name.empty()) return at.error();
      return error(form_.header_line, "there is no column " + in_quotes(asked_.name) +
                                          " as --time says; the header is " + shown_);
    }
    form_.time = *at;
    if (!asked_.name.empty()) form_.spec = asked_.spec;
  } else {
    constexpr std::pair<std::string_view, TimeUnit> kKnown[] = {{"ts_s", TimeUnit::Seconds},
                                                                {"ts_ms", TimeUnit::Milliseconds},
                                                                {"ts_us", TimeUnit::Microseconds},
                                                                {"ts_ns", TimeUnit::Nanoseconds}};
    for (const auto& [name, unit] : kKnown) {
      const auto at = usual(Names(&name, 1));
      if (!at.ok()) return at.error();
      if (*at == kNoColumn) continue;
      if (form_.time != kNoColumn) {
        return error(form_.header_line, "has both columns " + form_.names[form_.time] + " and " +
                                            std::string(name) +
                                            "; name one with --time COLUMN:UNIT");
      }
      form_.time = *at;
      form_.spec.unit = unit;
    }
  }
  if (!layout_.clock.empty()) {
    const auto at = named(layout_.clock);
    if (!at.ok()) return at.error();
    form_.clock = *at;
  }
  if (form_.time == kNoColumn) {
    const auto at = usual(kTime);
    const auto date = usual(kDate);
    const auto clock = usual(kClock);
    if (!at.ok() || !date.ok() || !clock.ok())
      return at.ok() ? date.ok() ? clock.error() : date.error() : at.error();
    form_.time = *at;
    // A column of dates beside one of clock times; where another column holds both, it counts.
    if (*at == *date && *clock != kNoColumn && *clock != *date && layout_.clock.empty()) {
      form_.clock = *clock;
    }
    // The index that a data frame writes first has no name.
    if (*at == kNoColumn && header_[0].name.empty()) form_.time = 0;
    // Frames of several levels write what a column is about above it: `Price` over the dates.
    if (*at == kNoColumn && header_[0].name == "price" && form_.prices[3] != 0) form_.time = 0;
  }
  if (form_.time == kNoColumn) {
    return error(form_.header_line,
                 "the header has no time column (ts_s, ts_ms, ts_us, ts_ns, time, date or the "
                 "like); name one with --time COLUMN:UNIT; the header is " +
                     shown_);
  }
  form_.zone_hint = header_[form_.time].hint;
  const std::string& name = header_[form_.time].name;
  if (name == "gmt_time" || name == "utc_time" || name == "time_utc") form_.zone_hint = "UTC";
  return {};
}

/// `Volume BTC`, `Volume (USDT)`: the column of the base counts, else that of the quote.
bool FormFinder::volume_of_asset() {
  const auto pair = parse_instrument(instrument_);
  if (!pair) return false;
  for (const bool base : {true, false}) {
    for (std::size_t i = 0; i < header_.size(); ++i) {
      std::string asset = header_[i].name.starts_with("volume_") ? header_[i].name.substr(7) : "";
      if (header_[i].name == "volume") asset = lower(header_[i].hint);
      if (asset == "xbt") asset = "btc";
      if (asset.empty() || asset != lower(base ? pair->base : pair->quote)) continue;
      form_.volume = i;
      form_.volume_unit = base ? VolumeUnit::Base : VolumeUnit::Quote;
      return true;
    }
  }
  return false;
}

Status FormFinder::find_volume() {
  if (layout_.volume_meaning.unit == VolumeUnit::None) return {};
  if (!layout_.volume.empty()) {
    const auto at = named(layout_.volume);
    if (!at.ok()) return at.error();
    form_.volume = *at;
    return {};
  }
  if (volume_of_asset()) return {};
  // HTX, whose rows have an id and a count: `amount` counts the base and `vol` what it was worth.
  constexpr std::string_view kId[] = {"id"};
  constexpr std::string_view kAmount[] = {"amount"};
  constexpr std::string_view kVol[] = {"vol"};
  const auto amount = usual(kAmount);
  const auto worth = usual(kVol);
  const auto id = usual(kId);
  if (id.ok() && *id != kNoColumn && amount.ok() && worth.ok() && *amount != kNoColumn &&
      *worth != kNoColumn) {
    form_.volume = *amount;
    form_.quote_volume = *worth;
    return {};
  }
  const auto at = usual(kVolume);
  if (!at.ok()) return at.error();
  form_.volume = *at;
  if (form_.volume == kNoColumn || layout_.habit == MakerHabit::TicksForVolume) {
    const auto ticks = usual(kTicks);
    if (ticks.ok() && *ticks != kNoColumn && form_.volume == kNoColumn) {
      form_.volume = *ticks;
      form_.volume_unit = VolumeUnit::None;
    }
  }
  if (form_.volume != kNoColumn && header_[form_.volume].name == "homenotional") {
    form_.volume_unit = VolumeUnit::Base;
  }
  if (form_.volume != kNoColumn || layout_.volume_optional) return {};
  return error(form_.header_line, "the header has no column for volume; it is " + shown_ +
                                      "; --volume-unit none imports bars without one");
}

/// A table without a header: by the layout's shapes, or the positions of a column map.
Status FormFinder::find_shape() {
  if (layout_.delimiter == 0) form_.dialect.delimiter = row_delimiter(first_);
  std::vector<std::string> fields;
  form_.width = fields_of(first_, form_.dialect.delimiter, &fields);
  while (form_.width > 1 && fields[form_.width - 1].empty()) --form_.width;
  for (std::size_t i = 0; i < form_.width; ++i) form_.names.push_back(std::to_string(i + 1));
  if (!layout_.prices[0].empty()) {
    const std::pair<const std::string*, std::size_t*> wanted[] = {
        {&layout_.time, &form_.time},           {&layout_.clock, &form_.clock},
        {&layout_.prices[0], &form_.prices[0]}, {&layout_.prices[1], &form_.prices[1]},
        {&layout_.prices[2], &form_.prices[2]}, {&layout_.prices[3], &form_.prices[3]},
        {&layout_.volume, &form_.volume}};
    for (const auto& [name, target] : wanted) {
      if (name->empty()) continue;
      const auto at = named(*name);
      if (!at.ok()) return at.error();
      *target = *at;
    }
    return {};
  }
  const auto shape = std::find_if(layout_.shapes.begin(), layout_.shapes.end(),
                                  [&](const Layout::Shape& s) { return s.width == form_.width; });
  if (shape == layout_.shapes.end()) {
    std::string allowed;
    for (const Layout::Shape& s : layout_.shapes) {
      allowed += (allowed.empty() ? "" : " or ") + std::string(s.columns);
    }
    return error(first_line_, "has " + std::to_string(form_.width) + " columns and no header; " +
                                  layout_.name + " has " + allowed);
  }
  const std::pair<std::string_view, std::size_t*> roles[] = {
      {"time", &form_.time},       {"date", &form_.time},
      {"clock", &form_.clock},     {"open", &form_.prices[0]},
      {"high", &form_.prices[1]},  {"low", &form_.prices[2]},
      {"close", &form_.prices[3]}, {"volume", &form_.volume},
      {"vol", &form_.volume},      {"turnover", &form_.quote_volume},
      {"tickvol", &form_.volume}};
  std::string_view rest = shape->columns;
  for (std::size_t i = 0; i < form_.width; ++i) {
    const std::string_view role = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), role.size() + 1));
    for (const auto& [name, target] : roles) {
      if (name == role) *target = i;
    }
    if (role == "tickvol") form_.volume_unit = VolumeUnit::None;
    if (role == "vol") form_.volume_unit = VolumeUnit::Unsaid;
    if (role != "-") form_.names[i] = role == "tickvol" ? "volume" : std::string(role);
  }
  return {};
}

}  // namespace

std::optional<char> header_delimiter(std::string_view line) {
  for (const char d : kDelimiters) {
    std::vector<std::string> fields;
    fields_of(line, d, &fields);
    const std::vector<std::string_view> views(fields.begin(), fields.end());
    if (is_header(views)) return d;
  }
  return std::nullopt;
}

std::string listed(std::span<const std::string_view> fields) {
  constexpr std::size_t kShown = 12;
  std::string out;
  for (std::size_t i = 0; i < std::min(fields.size(), kShown); ++i) {
    out += (i > 0 ? "," : "") + std::string(fields[i].substr(0, 40));
  }
  return out + (fields.size() > kShown ? ",..." : "");
}

Result<TableForm> find_form(const SourceText& table, const Layout& layout, const TimeColumn& time,
                            std::string_view instrument) {
  return FormFinder(table, layout, time, instrument).run();
}

}  // namespace winnow::store
