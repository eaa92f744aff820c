#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/app.hpp"
#include "cli/long_work.hpp"
#include "cli/market_spec.hpp"
#include "cli/output.hpp"
#include "store/dataset_store.hpp"
#include "store/import/import.hpp"

namespace winnow::cli {
namespace {

using Json = nlohmann::ordered_json;

Result<store::DatasetStore> open_datasets(const Context& context) {
  return store::DatasetStore::open(context.home() / "data");
}

/// Now, no finer than a person reads it.
TimestampNs import_time() {
  const TimestampNs now = system_clock().now();
  return {now.ns - now.ns % 1'000'000};
}

Json manifest_json(const store::Manifest& m) { return Json::parse(m.to_json()); }

std::string_view kind_text(store::PutKind kind) {
  switch (kind) {
    case store::PutKind::Created:
      return "created";
    case store::PutKind::NewVersion:
      return "new_version";
    case store::PutKind::Unchanged:
      return "unchanged";
  }
  return "";
}

void print_faults(const store::Manifest& m) {
  for (std::size_t k = 0; k < store::kFaultKinds; ++k) {
    const auto kind = static_cast<store::FaultKind>(k);
    const auto& entry = m.faults[kind];
    if (entry.count == 0) continue;
    std::printf("  %-22s %llu%s\n", std::string(store::fault_name(kind)).c_str(),
                static_cast<unsigned long long>(entry.count),
                store::fault_refuses(kind) ? "  (repaired)" : "");
    constexpr std::size_t kShown = 3;
    for (std::size_t i = 0; i < std::min(kShown, entry.first.size()); ++i) {
      const auto& s = entry.first[i];
      std::printf("    %s  %s: %s\n", format_timestamp({s.time_ns}).c_str(), s.where.c_str(),
                  s.text.c_str());
    }
  }
}

void print_manifest(const store::Manifest& m) {
  std::printf("%s: %s, %s bars, %s\n", m.name.c_str(), m.instrument.c_str(),
              format_duration(m.interval).c_str(), m.format.c_str());
  std::printf("  bars           %llu, %s to %s\n", static_cast<unsigned long long>(m.bars),
              format_timestamp(m.first).c_str(), format_timestamp(m.last).c_str());
  std::printf("  funding        %llu payments\n",
              static_cast<unsigned long long>(m.funding_events));
  std::printf("  content hash   %s\n", m.content_hash.c_str());
  std::printf("  created        %s\n", format_timestamp(m.created).c_str());
  if (!m.parent.empty()) std::printf("  replaces       %s\n", m.parent.c_str());
  for (const auto& f : m.raw_files) {
    std::printf("  file           %s (%s, %llu bytes, sha256 %s)\n", f.name.c_str(), f.role.c_str(),
                static_cast<unsigned long long>(f.bytes), f.sha256.c_str());
  }
  std::printf("faults of %llu rows read: %llu (missing bars: %llu)\n",
              static_cast<unsigned long long>(m.faults.rows_read),
              static_cast<unsigned long long>(m.faults.total()),
              static_cast<unsigned long long>(m.faults.bars_missing));
  print_faults(m);
  if (!m.repairs.empty()) {
    std::printf("repairs: %zu\n", m.repairs.size());
    constexpr std::size_t kShown = 10;
    for (std::size_t i = 0; i < std::min(kShown, m.repairs.size()); ++i) {
      const auto& r = m.repairs[i];
      std::printf("  %s  %s %s: %s\n", format_timestamp({r.time_ns}).c_str(), r.action.c_str(),
                  r.where.c_str(), r.text.c_str());
    }
    if (m.repairs.size() > kShown) std::printf("  ... (--json lists all)\n");
  }
  for (const std::string& note : m.notes) std::printf("note: %s\n", note.c_str());
}

int print_outcome(const Context& context, const store::PutOutcome& outcome) {
  if (context.json) {
    print_json(
        {{"outcome", kind_text(outcome.kind)}, {"dataset", manifest_json(outcome.manifest)}});
    return kDone;
  }
  if (outcome.kind == store::PutKind::Unchanged) {
    std::printf("%s already holds these bars (content hash %s); nothing to do\n",
                outcome.manifest.name.c_str(), outcome.manifest.content_hash.c_str());
    return kDone;
  }
  print_manifest(outcome.manifest);
  return kDone;
}

struct ImportOptions {
  std::vector<std::string> files;
  std::string format;
  std::string instrument;
  std::string name;
  std::string interval;
  std::string on_fault = "refuse";
  std::string last_bar = "auto";
  std::string time;
};

Result<store::ImportRequest> import_request(const ImportOptions& o) {
  store::ImportRequest request;
  for (const std::string& f : o.files) request.files.emplace_back(f);
  auto format = store::parse_format(o.format);
  if (!format.ok()) return format.error().within("--format");
  request.format = *format;
  request.instrument = o.instrument;
  request.name = o.name;
  request.now = import_time();
  if (!o.interval.empty()) {
    auto interval = parse_duration(o.interval);
    if (!interval.ok()) return interval.error().within("--interval");
    request.interval = *interval;
  }
  if (o.on_fault == "repair") request.on_fault = store::OnFault::Repair;
  if (o.last_bar == "keep") request.last_bar = store::LastBar::Keep;
  if (o.last_bar == "drop") request.last_bar = store::LastBar::Drop;
  if (!o.time.empty()) {
    const std::size_t colon = o.time.rfind(':');
    if (colon == std::string::npos || colon == 0) {
      return Error(ErrorCode::InvalidInput,
                   "--time '" + o.time + "' must be COLUMN:UNIT, for example open_time:ms");
    }
    auto unit = store::parse_time_unit(o.time.substr(colon + 1));
    if (!unit.ok()) return unit.error().within("--time");
    request.time = {o.time.substr(0, colon), *unit};
  }
  return request;
}

int run_import(const Context& context, const ImportOptions& options) {
  auto request = import_request(options);
  if (!request.ok()) return fail(context, request.error());
  auto datasets = open_datasets(context);
  if (!datasets.ok()) return fail(context, datasets.error());
  std::optional<LongWork> work(std::in_place, context, "importing " + options.name);
  auto outcome = store::import_dataset(*datasets, *request);
  work.reset();
  if (!outcome.ok()) return fail(context, outcome.error());
  return print_outcome(context, *outcome);
}

void add_import(CLI::App& data, Context& context) {
  CLI::App* command = add_command(data, context, "import", "import files as a dataset");
  auto o = std::make_shared<ImportOptions>();
  command->add_option("FILE", o->files, "CSV, plain, .gz or .zip; several are merged in time order")
      ->required();
  command
      ->add_option("--format", o->format,
                   "binance-klines, okx-candles, ohlcv, or funding (attached to the bars of the "
                   "dataset --name)")
      ->required();
  command->add_option("--instrument", o->instrument, "what is traded, for example BTCUSDT")
      ->required();
  command->add_option("--name", o->name, "name of the dataset")->required();
  command->add_option("--interval", o->interval,
                      "bar length, for example 5m (default: the most common spacing)");
  command
      ->add_option("--on-fault", o->on_fault,
                   "refuse, or repair: remove or mend faulty rows and list each repair")
      ->check(CLI::IsMember({"refuse", "repair"}));
  command
      ->add_option("--last-bar", o->last_bar,
                   "keep or drop the last bar; auto drops one that surely is unfinished, and "
                   "with --on-fault repair also one that may be")
      ->check(CLI::IsMember({"auto", "keep", "drop"}));
  command->add_option("--time", o->time,
                      "time column of ohlcv or funding as COLUMN:UNIT (s, ms, us, ns, iso)");
  command->callback(
      [&context, o] { context.run = [&context, o] { return run_import(context, *o); }; });
}

int run_synth(const Context& context, const SynthRequest& request) {
  auto datasets = open_datasets(context);
  if (!datasets.ok()) return fail(context, datasets.error());
  std::optional<LongWork> work(std::in_place, context, "simulating " + request.name);
  auto outcomes = synth_datasets(*datasets, request);
  work.reset();
  if (!outcomes.ok()) return fail(context, outcomes.error());
  Json out = Json::array();
  for (const auto& outcome : *outcomes) {
    const auto& m = outcome.manifest;
    if (context.json) {
      out.push_back({{"outcome", kind_text(outcome.kind)}, {"dataset", manifest_json(m)}});
      continue;
    }
    const Json truth = Json::parse(m.truth_json);
    std::printf("%s: %llu bars of %s, %s to %s, edge: %s%s (content hash %.12s)%s\n",
                m.name.c_str(), static_cast<unsigned long long>(m.bars),
                format_duration(m.interval).c_str(), format_timestamp(m.first).c_str(),
                format_timestamp(m.last).c_str(),
                truth.at("edge").at("kind").get<std::string>().c_str(),
                truth.at("martingale").get<bool>() ? ", a martingale" : "", m.content_hash.c_str(),
                outcome.kind == store::PutKind::Unchanged ? ", already there" : "");
  }
  if (context.json) print_json({{"datasets", std::move(out)}});
  return kDone;
}

void add_synth(CLI::App& data, Context& context) {
  CLI::App* command = add_command(data, context, "synth",
                                  "simulate a market with known truth (see configs/markets)");
  auto request = std::make_shared<SynthRequest>();
  command->add_option("SPEC", request->spec_file, "market specification (YAML)")->required();
  command->add_option("--seed", request->seed, "seed; the same seed gives the same bars")
      ->required()
      ->check(natural_number(0));
  command
      ->add_option("--name", request->name,
                   "name of the dataset; with several instruments NAME-INSTRUMENT each (sim and "
                   "sim-btc give sim-btc)")
      ->required();
  command->callback([&context, request] {
    context.run = [&context, request] {
      request->now = import_time();
      return run_synth(context, *request);
    };
  });
}

int run_list(const Context& context) {
  auto datasets = open_datasets(context);
  if (!datasets.ok()) return fail(context, datasets.error());
  auto list = datasets->list();
  if (!list.ok()) return fail(context, list.error());
  if (context.json) {
    Json out = Json::array();
    for (const auto& m : *list) {
      Json entry = manifest_json(m);
      for (const char* key : {"repairs", "truth", "raw_files", "notes", "manifest_hash"}) {
        entry.erase(key);
      }
      entry["faults"] = m.faults.total();
      entry["repairs"] = m.repairs.size();
      out.push_back(std::move(entry));
    }
    print_json({{"datasets", std::move(out)}});
    return kDone;
  }
  if (list->empty()) {
    std::printf("no dataset yet; make one with `winnow data import` or `winnow data synth`\n");
    return kDone;
  }
  std::size_t name_width = 4;
  std::size_t instrument_width = 10;
  for (const auto& m : *list) {
    name_width = std::max(name_width, m.name.size());
    instrument_width = std::max(instrument_width, m.instrument.size());
  }
  const int nw = static_cast<int>(name_width);
  const int iw = static_cast<int>(instrument_width);
  std::printf("%-*s  %-*s  %8s  %9s  %-20s  %-20s  %7s  %6s  %s\n", nw, "NAME", iw, "INSTRUMENT",
              "INTERVAL", "BARS", "FIRST", "LAST", "FUNDING", "FAULTS", "HASH");
  for (const auto& m : *list) {
    std::printf("%-*s  %-*s  %8s  %9llu  %-20s  %-20s  %7llu  %6llu  %.12s\n", nw, m.name.c_str(),
                iw, m.instrument.c_str(), format_duration(m.interval).c_str(),
                static_cast<unsigned long long>(m.bars), format_timestamp(m.first).c_str(),
                format_timestamp(m.last).c_str(), static_cast<unsigned long long>(m.funding_events),
                static_cast<unsigned long long>(m.faults.total()), m.content_hash.c_str());
  }
  return kDone;
}

int run_show(const Context& context, const std::string& name) {
  auto datasets = open_datasets(context);
  if (!datasets.ok()) return fail(context, datasets.error());
  auto manifest = datasets->manifest(name);
  if (!manifest.ok()) return fail(context, manifest.error());
  auto versions = datasets->versions(manifest->name);
  if (!versions.ok()) return fail(context, versions.error());
  if (context.json) {
    Json out = manifest_json(*manifest);
    out["versions"] = Json::array();
    for (const auto& v : *versions) {
      out["versions"].push_back(
          {{"content_hash", v.content_hash}, {"created", format_timestamp(v.created)}});
    }
    print_json(out);
    return kDone;
  }
  print_manifest(*manifest);
  if (versions->size() > 1) {
    std::printf("versions:\n");
    for (const auto& v : *versions) {
      std::printf("  %s  %s  %llu bars\n", format_timestamp(v.created).c_str(),
                  v.content_hash.c_str(), static_cast<unsigned long long>(v.bars));
    }
  }
  return kDone;
}

int run_verify(const Context& context, const std::string& name) {
  auto datasets = open_datasets(context);
  if (!datasets.ok()) return fail(context, datasets.error());
  auto manifest = datasets->manifest(name);
  if (!manifest.ok()) return fail(context, manifest.error());
  if (Status status = datasets->verify(name); !status.ok()) {
    return fail(context, status.error().within("dataset '" + name + "'"));
  }
  if (context.json) {
    print_json({{"name", manifest->name},
                {"content_hash", manifest->content_hash},
                {"raw_files", manifest->raw_files.size()},
                {"ok", true}});
  } else {
    std::printf("%s is whole: columns, %zu raw files and manifest match their hashes (%s)\n",
                manifest->name.c_str(), manifest->raw_files.size(), manifest->content_hash.c_str());
  }
  return kDone;
}

int run_export(const Context& context, const std::string& name, const std::string& out,
               const std::string& funding_out) {
  auto datasets = open_datasets(context);
  if (!datasets.ok()) return fail(context, datasets.error());
  auto bars = datasets->export_csv(name, out);
  if (!bars.ok()) return fail(context, bars.error());
  Json document{{"name", name}, {"out", out}, {"bars", *bars}};
  if (!context.json) {
    std::printf("%llu bars written to %s\n", static_cast<unsigned long long>(*bars), out.c_str());
  }
  if (!funding_out.empty()) {
    auto payments = datasets->export_funding_csv(name, funding_out);
    if (!payments.ok()) return fail(context, payments.error());
    document["funding_out"] = funding_out;
    document["funding_events"] = *payments;
    if (!context.json) {
      std::printf("%llu payments written to %s\n", static_cast<unsigned long long>(*payments),
                  funding_out.c_str());
    }
  }
  if (context.json) print_json(document);
  return kDone;
}

/// A subcommand that takes one dataset.
void add_on_dataset(CLI::App& data, Context& context, const std::string& name,
                    const std::string& description,
                    int (*run)(const Context&, const std::string&)) {
  CLI::App* command = add_command(data, context, name, description);
  auto dataset = std::make_shared<std::string>();
  command->add_option("NAME", *dataset, "dataset name or content hash")->required();
  command->callback([&context, dataset, run] {
    context.run = [&context, dataset, run] { return run(context, *dataset); };
  });
}

void add_export(CLI::App& data, Context& context) {
  CLI::App* command = add_command(data, context, "export", "write a dataset as CSV");
  auto name = std::make_shared<std::string>();
  auto out = std::make_shared<std::string>();
  auto funding_out = std::make_shared<std::string>();
  command->add_option("NAME", *name, "dataset name or content hash")->required();
  command->add_option("--out", *out, "file of bars: ts_ms,open,high,low,close,volume")->required();
  command->add_option("--funding-out", *funding_out, "file of payments: ts_ms,funding_rate");
  command->callback([&context, name, out, funding_out] {
    context.run = [&context, name, out, funding_out] {
      return run_export(context, *name, *out, *funding_out);
    };
  });
}

}  // namespace

void add_data_commands(CLI::App& app, Context& context) {
  CLI::App* data = app.add_subcommand("data", "datasets: import, simulate, inspect");
  data->require_subcommand(1);
  add_import(*data, context);
  add_synth(*data, context);
  CLI::App* list = add_command(*data, context, "list", "all datasets");
  list->callback([&context] { context.run = [&context] { return run_list(context); }; });
  add_on_dataset(*data, context, "show", "one dataset: source, hash, faults, repairs", run_show);
  add_on_dataset(*data, context, "verify", "rehash a dataset's columns and files", run_verify);
  add_export(*data, context);
}

}  // namespace winnow::cli
