#include <cstdio>
#include <memory>
#include <optional>

#include "cli/data_render.hpp"
#include "cli/data_seal.hpp"
#include "cli/layout_file.hpp"
#include "cli/long_work.hpp"
#include "store/import/import.hpp"

namespace winnow::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ImportOptions {
  std::vector<std::string> files;
  std::string format;
  std::string layout;
  std::string instrument;
  std::string name;
  std::string interval;
  std::string on_fault = "refuse";
  std::string last_bar = "auto";
  std::string time;
  std::string time_zone;
  std::string volume_unit;
  std::string seal;
  Option* seal_option = nullptr;
  bool append = false;
  bool replace = false;
  bool dry_run = false;
};

/// COLUMN:UNIT, or COLUMN:FORMAT, where the format may hold colons.
Result<store::TimeColumn> time_column(const std::string& text) {
  const std::size_t percent = text.find('%');
  const std::size_t colon =
      percent == std::string::npos ? text.rfind(':') : text.rfind(':', percent);
  if (colon == std::string::npos || colon == 0) {
    return Error(ErrorCode::InvalidInput,
                 "--time '" + text + "' must be COLUMN:UNIT, for example open_time:ms");
  }
  const std::string unit_text = text.substr(colon + 1);
  const auto unit = store::parse_time_unit(unit_text);
  if (!unit.ok()) return unit.error().within("--time");
  const bool format = *unit == store::TimeUnit::Format;
  return store::TimeColumn{text.substr(0, colon),
                           {*unit, format ? unit_text : "", store::DayOrder::Unknown}};
}

/// Calendar months are asked for in many spellings, and supported in none.
Result<DurationNs> bar_length(const std::string& text) {
  const std::size_t unit = text.find_first_not_of("0123456789");
  const std::string_view rest =
      unit == std::string::npos ? "" : std::string_view(text).substr(unit);
  for (const std::string_view month : {"M", "mo", "mon", "month", "months", "q", "Q", "y", "Y"}) {
    if (rest != month) continue;
    return Error(ErrorCode::InvalidInput,
                 "'" + text +
                     "': calendar months, quarters and years have no fixed length and are not "
                     "supported; a week (1w), a day or less is");
  }
  return parse_duration(text);
}

/// --format and --layout say together how the files are read; either will do.
Status read_how(const ImportOptions& o, store::ImportRequest& request) {
  std::string layout = o.layout;
  if (!o.format.empty()) {
    // The name of a layout is understood here as well.
    if (layout.empty() && !store::parse_format(o.format).ok() &&
        store::find_layout(o.format) != nullptr) {
      layout = o.format;
    } else {
      auto format = store::parse_format(o.format);
      if (!format.ok()) return format.error().within("--format");
      request.format = *format;
    }
  }
  const std::string any(store::layout_format().name);
  if (layout.empty() && o.format.empty()) layout = any;
  if (layout.empty()) {
    request.layout = *store::find_layout(any);
    return {};
  }
  if (const auto format = store::parse_format(layout); format.ok() && layout != any) {
    if (!o.format.empty() && o.format != layout) {
      return Error(ErrorCode::InvalidInput,
                   "--format " + o.format + " and --layout " + layout + " contradict each other");
    }
    request.format = *format;
    return {};
  }
  if (!request.format->takes_layout) {
    return Error(ErrorCode::InvalidInput, "--layout describes tables of --format " + any + "; " +
                                              o.format + " has a layout of its own");
  }
  auto resolved = resolve_layout(layout);
  if (!resolved.ok()) return resolved.error().within("--layout");
  request.layout = *std::move(resolved);
  return {};
}

Result<store::ImportRequest> import_request(const ImportOptions& o) {
  store::ImportRequest request;
  for (const std::string& f : o.files) request.files.emplace_back(f);
  WINNOW_TRY(read_how(o, request));
  request.instrument = o.instrument;
  request.name = o.name;
  request.now = import_time();
  if (!o.interval.empty()) {
    auto interval = bar_length(o.interval);
    if (!interval.ok()) return interval.error().within("--interval");
    request.interval = *interval;
  }
  if (o.on_fault == "repair") request.on_fault = store::OnFault::Repair;
  if (o.last_bar == "keep") request.last_bar = store::LastBar::Keep;
  if (o.last_bar == "drop") request.last_bar = store::LastBar::Drop;
  if (o.append && o.replace) {
    return Error(ErrorCode::InvalidInput, "--append and --replace contradict each other");
  }
  if (o.append) request.existing = store::ExistingBars::Append;
  if (o.replace) request.existing = store::ExistingBars::Replace;
  request.time_zone = o.time_zone;
  if (o.seal_option->count() > 0 && o.seal.empty()) {
    return store::parse_seal(o.seal).error().within("--seal");
  }
  auto seal = seal_request(o.seal, store::SealRule::Usual);
  if (!seal.ok()) return seal.error();
  request.seal = *std::move(seal);
  if (!o.volume_unit.empty()) {
    auto meaning = store::parse_volume_unit(o.volume_unit);
    if (!meaning.ok()) return meaning.error().within("--volume-unit");
    request.volume = *meaning;
    request.layout.volume_optional |= meaning->unit == store::VolumeUnit::None;
  }
  if (!o.time.empty()) {
    auto column = time_column(o.time);
    if (!column.ok()) return column.error();
    request.time = *std::move(column);
  }
  return request;
}

/// What its bars are like, beside what was wrong with its rows.
Result<store::DataReport> report_of(const store::DatasetStore& datasets, const store::Manifest& m) {
  const auto dataset = datasets.load(m.content_hash);
  if (!dataset.ok()) return dataset.error();
  return store::report_data(dataset->view(), m.faults);
}

int print_outcome(const Context& context, const store::DatasetStore& datasets,
                  const store::PutOutcome& outcome, const store::SealRequest& seal) {
  const auto report = report_of(datasets, outcome.manifest);
  if (!report.ok()) return fail(context, report.error());
  if (context.json) {
    print_document({{"outcome", kind_text(outcome.kind)},
                    {"dataset", manifest_json(outcome.manifest)},
                    {"report", report_json(*report)},
                    {"market", market_note_json(outcome.market)}});
    return kDone;
  }
  if (outcome.kind == store::PutKind::Unchanged) {
    std::printf("%s already holds these bars (content hash %s); nothing to do\n",
                outcome.manifest.name.c_str(), outcome.manifest.content_hash.c_str());
    std::printf("%s\n", seal_line(outcome, seal).c_str());
    return kDone;
  }
  print_manifest(outcome.manifest);
  print_report(*report);
  std::printf("%s\n", seal_line(outcome, seal).c_str());
  return kDone;
}

int run_dry(const Context& context, const store::ImportRequest& request) {
  const auto bars = store::preview_bars(request);
  if (!bars.ok()) return fail(context, bars.error());
  const MarketView view = bars->columns.view();
  const auto report = store::report_data(view, bars->faults);
  if (context.json) {
    print_document({{"outcome", "dry_run"},
                    {"bars", view.size()},
                    {"interval", format_duration({view.interval_ns})},
                    {"interval_ns", view.interval_ns},
                    {"first_bars", bars_json(view)},
                    {"faults", bars->faults.total()},
                    {"repairs", bars->repairs.size()},
                    {"notes", bars->notes},
                    {"report", report_json(report)}});
    return kDone;
  }
  std::printf("%zu bars of %s as they would be read; nothing is stored\n", view.size(),
              format_duration({view.interval_ns}).c_str());
  print_bars(view);
  for (const std::string& note : bars->notes) std::printf("note: %s\n", note.c_str());
  const std::string faults = store::describe_faults(bars->faults, store::FaultScope::All);
  if (!faults.empty()) std::printf("found: %s\n", faults.c_str());
  print_report(report);
  return kDone;
}

int run_import(const Context& context, const ImportOptions& options) {
  auto request = import_request(options);
  if (!request.ok()) return fail(context, request.error());
  if (options.dry_run) return run_dry(context, *request);
  if (options.name.empty()) {
    return fail(context, Error(ErrorCode::InvalidInput,
                               "--name NAME is needed (only --dry-run does without)"));
  }
  auto datasets = open_datasets(context);
  if (!datasets.ok()) return fail(context, datasets.error());
  std::optional<LongWork> work(std::in_place, context, "importing " + options.name);
  auto outcome = store::import_dataset(*datasets, *request);
  work.reset();
  if (!outcome.ok()) return fail(context, outcome.error());
  return print_outcome(context, *datasets, *outcome, request->seal);
}

std::string formats_help() {
  std::string out;
  for (const store::FormatDecl* format : store::import_formats()) {
    if (!out.empty()) out += "; ";
    out += std::string(format->name) + " (" + std::string(format->help) + ")";
  }
  return out;
}

void add_reading_options(Command* command, ImportOptions& o) {
  command->add_option("--format", o.format,
                      formats_help() + "; " + std::string(store::layout_format().name) +
                          " if there is only a --layout");
  command->add_option(
      "--layout", o.layout,
      "whose table it is: " + store::layout_names() + "; or a column map FILE.yaml (docs/DATA.md)");
  command->add_option("--interval", o.interval,
                      "bar length, for example 5m (default: the most common spacing)");
  command->add_option("--time", o.time,
                      "time column as COLUMN:UNIT (s, ms, us, ns, iso, excel, auto, or a format "
                      "such as %d.%m.%Y %H:%M)");
  command->add_option("--time-zone", o.time_zone,
                      "zone of times that name none, for example America/New_York (default: UTC, "
                      "with a note)");
  command->add_option(
      "--volume-unit", o.volume_unit,
      "what volume counts: base, quote, contracts:SIZE (base units in one) or none; "
      "it is stored in base units");
}

}  // namespace

void add_import_command(Command& data, Context& context) {
  Command* command = add_command(data, context, "import", "import files as a dataset");
  auto o = std::make_shared<ImportOptions>();
  command->add_option("FILE", o->files, "CSV, plain, .gz or .zip; several are merged in time order")
      ->required();
  add_reading_options(command, *o);
  command->add_option("--instrument", o->instrument, "what is traded, for example BTCUSDT")
      ->required();
  command->add_option("--name", o->name, "name of the dataset");
  command
      ->add_option("--on-fault", o->on_fault,
                   "refuse, or repair: remove or mend faulty rows and list each repair")
      ->one_of({"refuse", "repair"});
  command
      ->add_option("--last-bar", o->last_bar,
                   "keep or drop the last bar; auto drops one that surely is unfinished, and "
                   "with --on-fault repair also one that may be")
      ->one_of({"auto", "keep", "drop"});
  command->add_flag("--append", o->append, "add to the bars that --name has, as its next version");
  command->add_flag(
      "--replace", o->replace,
      "let bars go that --name has and these files do not (its earlier versions stay)");
  o->seal_option = command->add_option(
      "--seal", o->seal,
      std::string(kSealHelp) + " (default: 0.6 of a new market with 300 days or more)");
  command->add_flag("--dry-run", o->dry_run,
                    "show the first bars as they would be read; store nothing");
  command->callback(
      [&context, o] { context.run = [&context, o] { return run_import(context, *o); }; });
}

}  // namespace winnow::cli
