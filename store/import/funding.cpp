// Funding payments: attached to the bars of a dataset.
#include <algorithm>

#include "store/import/formats.hpp"
#include "store/import/row_tools.hpp"

namespace winnow::store {
namespace {

constexpr std::size_t kNone = kNoColumn;
constexpr std::string_view kRates[] = {"funding_rate", "fundingrate",   "last_funding_rate",
                                       "rate",         "realized_rate", "realizedrate"};
constexpr std::pair<std::string_view, TimeUnit> kTimes[] = {
    {"ts_s", TimeUnit::Seconds},       {"ts_ms", TimeUnit::Milliseconds},
    {"ts_us", TimeUnit::Microseconds}, {"ts_ns", TimeUnit::Nanoseconds},
    {"calc_time", TimeUnit::Auto},     {"funding_time", TimeUnit::Auto},
    {"fundingtime", TimeUnit::Auto},   {"fundingratetimestamp", TimeUnit::Auto},
    {"timestamp", TimeUnit::Auto},     {"time", TimeUnit::Auto},
    {"datetime", TimeUnit::Auto},      {"date", TimeUnit::Auto}};

std::vector<std::string> lower_all(std::span<const std::string_view> fields) {
  std::vector<std::string> out;
  for (const std::string_view f : fields) {
    std::string& name = out.emplace_back(f);
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      if (c == ' ') c = '_';
    }
  }
  return out;
}

/// Fails: it is there twice.
Result<std::size_t> column(const CsvReader& csv, std::span<const std::string> header,
                           std::string_view name) {
  const auto it = std::find(header.begin(), header.end(), name);
  if (it == header.end()) return kNone;
  if (std::find(it + 1, header.end(), name) != header.end()) {
    return csv.error("the header names " + in_quotes(name) + " twice");
  }
  return static_cast<std::size_t>(it - header.begin());
}

struct FundingForm {
  std::size_t rate = kNone;
  std::size_t time = kNone;
  std::string time_name;
  TimeSpec spec;
};

Result<FundingForm> funding_form(const CsvReader& csv, const TimeColumn& asked) {
  const auto header = lower_all(csv.fields());
  FundingForm form;
  for (const std::string_view name : kRates) {
    if (form.rate != kNone) break;
    const auto at = column(csv, header, name);
    if (!at.ok()) return at.error();
    form.rate = *at;
  }
  if (form.rate == kNone) {
    return csv.error(
        "the first line is no header with ts_ms,funding_rate or "
        "calc_time,funding_interval_hours,last_funding_rate; it is " +
        listed(csv.fields()));
  }
  if (!asked.name.empty()) {
    const std::string_view wanted[] = {asked.name};
    const auto at = column(csv, header, lower_all(wanted)[0]);
    if (!at.ok()) return at.error();
    form.time = *at;
    form.spec = asked.spec;
    form.time_name = asked.name;
    if (form.time != kNone) return form;
    return csv.error("there is no column " + in_quotes(asked.name) +
                     " as --time says; the header is " + listed(csv.fields()));
  }
  for (const auto& [name, unit] : kTimes) {
    const auto at = column(csv, header, name);
    if (!at.ok()) return at.error();
    if (*at == kNone) continue;
    form.time = *at;
    form.time_name = name;
    form.spec.unit = unit;
    return form;
  }
  return csv.error(
      "the header has no time column (ts_s, ts_ms, ts_us or ts_ns); name one with "
      "--time COLUMN:UNIT; the header is " +
      listed(csv.fields()));
}

/// A header naming a time and funding_rate, or the archive's calc_time, funding_interval_hours,
/// last_funding_rate.
Status read_funding(const SourceText& table, const ReadContext& context, FundingRows& rows) {
  std::optional<char> delimiter;
  {
    CsvReader first(table.name, table.text);
    if (!first.next()) return first.error("there is no header");
    for (const char d : {'\t', ';'}) {
      if (first.whole().find(d) != std::string_view::npos && first.fields().size() < 2) {
        delimiter = d;
      }
    }
  }
  CsvReader csv(table.name, table.text, {.delimiter = delimiter.value_or(',')});
  const std::uint32_t file = rows::add_file(rows.files, table.name);
  csv.next();
  const std::size_t width = csv.fields().size();
  const auto form = funding_form(csv, context.time);
  if (!form.ok()) return form.error();
  const auto rate_name = std::string(csv.fields()[form->rate]);
  std::vector<ParsedTime> times;
  while (csv.next()) {
    WINNOW_TRY(rows::need_fields(csv, width));
    const auto fields = csv.fields();
    ParsedTime time;
    FundingEvent event;
    if (!parse_time(fields[form->time], form->spec, time)) {
      return rows::bad_value(csv, form->time_name, fields[form->time],
                             std::string(unit_text(form->spec.unit)) + " are allowed");
    }
    if (!parse_number(fields[form->rate], event.rate_frac)) {
      return rows::bad_value(csv, rate_name, fields[form->rate],
                             "a fraction is allowed (0.0001 is 1 bp)");
    }
    times.push_back(time);
    rows.events.push_back(event);
    rows.origin.push_back({file, csv.line()});
  }
  std::vector<std::size_t> skipped;
  rows::resolve_local(times, context.zone ? &*context.zone : nullptr, table.name, skipped,
                      rows.notes);
  const std::size_t first = rows.events.size() - times.size();
  for (std::size_t i = 0; i < times.size(); ++i) rows.events[first + i].time_ns = times[i].ns;
  if (!skipped.empty()) {
    return Error(ErrorCode::InvalidInput, rows.where(first + skipped.front()) +
                                              ": this local time never was: clocks were set "
                                              "forward over it; is the zone right?");
  }
  return {};
}

}  // namespace

namespace formats {
extern const FormatDecl kFunding;
const FormatDecl kFunding{.name = "funding",
                          .help = "payments, attached to the bars of the dataset --name",
                          .read_funding = read_funding};
}  // namespace formats

}  // namespace winnow::store
