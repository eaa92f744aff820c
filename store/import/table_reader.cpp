// Tables as a layout describes them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/instrument.hpp"
#include "base/text.hpp"
#include "store/import/formats.hpp"
#include "store/import/row_tools.hpp"

namespace winnow::store {
namespace {

/// Purpose: reads one table, whose form is known, into rows. Thread: one.
class TableReader {
 public:
  TableReader(const SourceText& table, const ReadContext& context, TableForm form, BarRows& rows)
      : table_(table),
        context_(context),
        form_(std::move(form)),
        rows_(rows),
        first_(rows.size()) {}

  Status run();

 private:
  CsvReader reader() const { return {table_.name, table_.text, form_.dialect}; }
  std::string_view field(const CsvReader& csv, std::size_t column) const {
    return column < csv.fields().size() ? csv.fields()[column] : std::string_view();
  }
  std::string time_text(const CsvReader& csv) const;
  Status find_day_order();
  Status find_number_style();
  bool is_a_level(const CsvReader& csv) const;
  Status read_row(const CsvReader& csv, std::uint32_t file);
  Status check_symbol(const CsvReader& csv);
  Status place_times();
  Status settle_volume();
  Status judge_volume(VolumeMeaning& meaning);

  const SourceText& table_;
  const ReadContext& context_;
  TableForm form_;
  BarRows& rows_;
  std::size_t first_;
  NumberStyle style_;
  std::vector<ParsedTime> times_;
  std::vector<double> worth_;  ///< quote volume, if there is a column of it
  std::string symbol_;
  std::uint32_t symbol_line_ = 0;
  std::size_t missing_ = 0;
};

/// Date and clock together; a clock that lost its leading zeros gets them back.
std::string TableReader::time_text(const CsvReader& csv) const {
  std::string text(field(csv, form_.time));
  if (form_.clock == kNoColumn) return text;
  std::string clock(field(csv, form_.clock));
  const bool digits = std::all_of(clock.begin(), clock.end(), is_digit);
  if (digits && (clock.size() == 5 || clock.size() == 3)) clock.insert(0, "0");
  if (digits && clock.size() < 3) clock.insert(0, 6 - clock.size(), '0');
  return text + " " + clock;
}

// `03/04/2024` alone says nothing; the other rows of the file may.
Status TableReader::find_day_order() {
  TimeSpec& spec = form_.spec;
  if (spec.unit != TimeUnit::Auto || spec.order != DayOrder::Unknown) return {};
  CsvReader csv = reader();
  int first = 0;
  int second = 0;
  int first_most = 0;
  int second_most = 0;
  while (csv.next()) {
    if (!ambiguous_date(field(csv, form_.time), first, second)) {
      if (first_most == 0) return {};  // the table does not write dates so
      continue;
    }
    first_most = std::max(first_most, first);
    second_most = std::max(second_most, second);
  }
  if (first_most == 0) return {};
  if (first_most > 12 && second_most <= 12) spec.order = DayOrder::DayFirst;
  if (first_most <= 12 && second_most > 12) spec.order = DayOrder::MonthFirst;
  if (spec.order != DayOrder::Unknown) return {};
  return Error(ErrorCode::InvalidInput,
               table_.name + ": the dates do not tell day from month; --time '" +
                   form_.names[form_.time] +
                   ":%d/%m/%Y' or '...:%m/%d/%Y' says it (with %H:%M where there is a clock)");
}

// A comma may be the decimal point or group thousands.
Status TableReader::find_number_style() {
  style_ = {context_.layout.decimal == 0 ? '.' : context_.layout.decimal,
            context_.layout.thousands};
  if (context_.layout.decimal != 0) {
    if (style_.thousands == 0) style_.thousands = style_.decimal == '.' ? ',' : '.';
    return {};
  }
  constexpr std::size_t kRowsLooked = 2000;
  bool commas = false;
  bool not_three = false;
  bool comma_last = false;
  bool point_last = false;
  bool points = false;
  CsvReader csv = reader();
  for (std::size_t n = 0; n < kRowsLooked && csv.next(); ++n) {
    for (const std::size_t column : form_.prices) {
      const std::string_view text = field(csv, column);
      const std::size_t comma = text.rfind(',');
      const std::size_t point = text.rfind('.');
      points = points || (point != std::string_view::npos && comma == std::string_view::npos);
      if (comma == std::string_view::npos) continue;
      commas = true;
      if (point != std::string_view::npos) {
        (point > comma ? point_last : comma_last) = true;
        continue;
      }
      const std::size_t behind = static_cast<std::size_t>(
          std::count_if(text.begin() + static_cast<std::ptrdiff_t>(comma), text.end(), is_digit));
      not_three = not_three || behind != 3;
    }
  }
  style_ = {'.', ','};
  if (!commas || point_last) return {};
  if (comma_last || not_three) {
    style_ = {',', '.'};
    return {};
  }
  if (points) return {};  // 998.5 beside 1,005: a comma groups thousands
  return Error(ErrorCode::InvalidInput,
               table_.name +
                   ": every comma in a price stands before three digits, so it may be a "
                   "decimal point or group thousands; a column map says it "
                   "(--layout FILE.yaml with decimal: \",\" or \".\")");
}

/// Frames of several levels write `Ticker,...` and `Date,,,` between header and rows.
bool TableReader::is_a_level(const CsvReader& csv) const {
  if (!times_.empty()) return false;
  const std::string_view head = field(csv, form_.time);
  return head == "Ticker" || head == "Date" || head == "Datetime" || head == "ticker";
}

Status TableReader::check_symbol(const CsvReader& csv) {
  if (form_.symbol == kNoColumn) return {};
  const std::string_view symbol = field(csv, form_.symbol);
  if (symbol_line_ == 0) {
    symbol_ = symbol;
    symbol_line_ = csv.line();
    if (!symbol.empty() && !same_instrument(symbol, context_.instrument)) {
      rows_.notes.push_back(table_.name + ": its rows are of " + symbol_ + ", --instrument says " +
                            context_.instrument);
    }
    return {};
  }
  if (symbol == symbol_ || same_instrument(symbol, symbol_)) return {};
  return csv.error("is of " + in_quotes(symbol) + ", line " + std::to_string(symbol_line_) +
                   " of " + in_quotes(symbol_) +
                   ": a file of one instrument is needed; split it by its column " +
                   in_quotes(form_.names[form_.symbol]));
}

Status TableReader::read_row(const CsvReader& csv, std::uint32_t file) {
  const auto fields = csv.fields();
  if (is_a_level(csv)) return {};
  WINNOW_TRY(rows::need_fields(csv, form_.width));
  if (context_.layout.skip_missing &&
      std::all_of(form_.prices.begin(), form_.prices.end(),
                  [&](std::size_t c) { return is_missing(fields[c]); })) {
    ++missing_;
    return {};
  }
  ParsedTime time;
  const std::string text = time_text(csv);
  if (!parse_time(text, form_.spec, time)) {
    return rows::bad_value(csv, form_.names[form_.time], text,
                           std::string(unit_text(form_.spec.unit)) + " are allowed");
  }
  WINNOW_TRY(check_symbol(csv));
  std::vector<double>* const targets[] = {&rows_.columns.open, &rows_.columns.high,
                                          &rows_.columns.low, &rows_.columns.close,
                                          &rows_.columns.volume};
  for (std::size_t c = 0; c < 5; ++c) {
    const std::size_t at = c < 4 ? form_.prices[c] : form_.volume;
    double value = 0;
    if (at != kNoColumn && !parse_styled(fields[at], style_, value)) {
      return rows::bad_value(csv, rows::kPriceNames[c], fields[at], rows::kNumberAllowed);
    }
    targets[c]->push_back(value);
  }
  if (form_.quote_volume != kNoColumn) {
    double worth = 0;
    // Only evidence: what cannot be read is none.
    if (!parse_styled(fields[form_.quote_volume], style_, worth)) {
      worth = std::numeric_limits<double>::quiet_NaN();
    }
    worth_.push_back(worth);
  }
  times_.push_back(time);
  rows_.columns.time_ns.push_back(0);  // known when all are
  rows_.origin.push_back({file, csv.line()});
  return {};
}

Status TableReader::place_times() {
  std::optional<TimeZone> zone = context_.zone;
  const std::string& said = !context_.layout.zone.empty() ? context_.layout.zone : form_.zone_hint;
  if (!zone && !said.empty()) {
    auto loaded = TimeZone::load(said);
    if (loaded.ok()) {
      zone = *std::move(loaded);
    } else if (!context_.layout.zone.empty()) {
      // What stands in brackets behind a name need not be a zone, what a layout says must be.
      return loaded.error().within("layout " + context_.layout.name);
    }
  }
  std::vector<std::size_t> skipped;
  rows::resolve_local(times_, zone ? &*zone : nullptr, table_.name, skipped, rows_.notes);
  for (const std::size_t i : skipped) rows_.skipped_hours.push_back(first_ + i);
  const bool ahead = std::any_of(times_.begin(), times_.end(),
                                 [](const ParsedTime& t) { return t.offset_ns != 0; });
  if (ahead || !rows_.wall_ahead_ns.empty()) rows_.wall_ahead_ns.resize(first_, 0);
  std::size_t mixed = 0;
  for (std::size_t i = 0; i < times_.size(); ++i) {
    rows_.counted = rows_.counted || times_[i].unit < TimeUnit::Iso;
    rows_.columns.time_ns[first_ + i] = times_[i].ns;
    if (ahead || !rows_.wall_ahead_ns.empty()) rows_.wall_ahead_ns.push_back(times_[i].offset_ns);
    mixed += times_[i].unit != times_[0].unit ? 1 : 0;
  }
  if (form_.spec.unit == TimeUnit::Auto && !times_.empty()) {
    if (mixed > 0) {
      rows_.notes.push_back(table_.name + ": times of " + std::to_string(mixed) +
                            " rows are in another unit than the first row's (by their size)");
    }
    const TimeUnit unit = times_[0].unit;
    if (unit != TimeUnit::Iso && unit != TimeUnit::Format) {
      rows_.notes.push_back(table_.name + ": column " + in_quotes(form_.names[form_.time]) +
                            " is read as " + std::string(unit_text(unit)) + " (by its size)");
    }
  }
  return {};
}

/// What the maker's habit and the file itself say of a volume whose unit nobody named.
Status TableReader::judge_volume(VolumeMeaning& meaning) {
  const MakerHabit habit = context_.layout.habit;
  const auto pair = parse_instrument(context_.instrument);
  const auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::InvalidInput, table_.name + ": " + why);
  };
  if (form_.volume_unit == VolumeUnit::None) {
    meaning.unit = VolumeUnit::None;
    rows_.notes.push_back(table_.name +
                          ": its volume counts ticks, not what was traded (--volume-unit base "
                          "takes it as it is)");
    return {};
  }
  meaning.unit = form_.volume_unit == VolumeUnit::Unsaid ? VolumeUnit::Base : form_.volume_unit;
  if (form_.volume_unit != VolumeUnit::Unsaid) return {};
  const auto seen = rows::volume_evidence(
      rows_, first_,
      worth_.empty() ? std::vector<double>(times_.size(), std::numeric_limits<double>::quiet_NaN())
                     : worth_);
  if (seen.seems == rows::VolumeSeems::Base) return {};
  if (habit == MakerHabit::PairsInQuote && pair) {
    meaning.unit = VolumeUnit::Quote;
    rows_.notes.push_back(table_.name + ": volume of a pair is in " + pair->quote +
                          "; it is divided by the price (--volume-unit base takes it as it is)");
    return {};
  }
  const bool inverse =
      habit == MakerHabit::InverseInQuote && pair && (pair->inverse() || pair->quote == "USD");
  if (inverse || (habit == MakerHabit::InverseInQuote && seen.seems == rows::VolumeSeems::Quote)) {
    meaning.unit = VolumeUnit::Quote;
    rows_.notes.push_back(table_.name +
                          ": volume of an inverse contract is in dollars; it is divided by the "
                          "price (--volume-unit base takes it as it is)");
    return {};
  }
  if (seen.seems == rows::VolumeSeems::Contracts) {
    char size[32];
    std::snprintf(size, sizeof size, "%.4g", seen.size);
    return refuse(std::string("a unit of volume is worth ") + size + " of the base by the column " +
                  in_quotes(form_.names[form_.quote_volume]) +
                  "; add --volume-unit contracts:" + size + ", or base if it is right as it is");
  }
  if (seen.seems == rows::VolumeSeems::Quote) {
    return refuse("volume is in the quote by the column " +
                  in_quotes(form_.names[form_.quote_volume]) +
                  "; add --volume-unit quote, or base if it is right as it is");
  }
  if (habit == MakerHabit::SwapsUnsaid && pair && pair->kind >= MarketKind::Perpetual) {
    return refuse(
        "volume of swaps is in base units at some venues and in contracts at others; "
        "add --volume-unit base or contracts:SIZE");
  }
  return {};
}

Status TableReader::settle_volume() {
  VolumeMeaning meaning = context_.volume;
  if (meaning.unit == VolumeUnit::Unsaid) meaning = context_.layout.volume_meaning;
  if (form_.volume == kNoColumn) meaning.unit = VolumeUnit::None;
  if (meaning.unit == VolumeUnit::Unsaid) WINNOW_TRY(judge_volume(meaning));
  if (meaning.unit == VolumeUnit::Contracts && meaning.contract_size == 0) {
    return Error(ErrorCode::InvalidInput,
                 table_.name +
                     ": nothing in the file says how large a contract is; add "
                     "--volume-unit contracts:SIZE (base units in a contract)");
  }
  rows::scale_volume(rows_, first_, meaning);
  const auto begin = rows_.columns.volume.begin() + static_cast<std::ptrdiff_t>(first_);
  const bool none = !times_.empty() &&
                    std::all_of(begin, rows_.columns.volume.end(), [](double v) { return v == 0; });
  if (none) {
    rows_.notes.push_back(table_.name +
                          ": its bars have no volume; it is stored as 0, so profiles that fill by "
                          "volume fill nothing");
  }
  return {};
}

Status TableReader::run() {
  const std::uint32_t file = rows::add_file(rows_.files, table_.name);
  for (const std::string& note : form_.notes) rows_.notes.push_back(note);
  rows::reserve(rows_, table_.text.size());
  WINNOW_TRY(find_day_order());
  WINNOW_TRY(find_number_style());
  CsvReader csv = reader();
  while (csv.next()) WINNOW_TRY(read_row(csv, file));
  if (missing_ > 0) {
    rows_.notes.push_back(table_.name + ": " + std::to_string(missing_) +
                          " rows without any price are passed over");
  }
  WINNOW_TRY(place_times());
  return settle_volume();
}

/// A table as a layout describes it.
Status read_layout(const SourceText& table, const ReadContext& context, BarRows& rows) {
  auto form = find_form(table, context.layout, context.time, context.instrument);
  if (!form.ok()) return form.error();
  return TableReader(table, context, *std::move(form), rows).run();
}

}  // namespace

namespace formats {
extern const FormatDecl kOhlcv;
const FormatDecl kOhlcv{.name = "ohlcv",
                        .help = "any table of bars with a header, or as --layout says",
                        .takes_layout = true,
                        .read_bars = read_layout};
}  // namespace formats

}  // namespace winnow::store
