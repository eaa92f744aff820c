#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "base/text.hpp"
#include "cli/data_render.hpp"
#include "cli/data_seal.hpp"
#include "cli/long_work.hpp"
#include "cli/market_spec.hpp"

namespace winnow::cli {
namespace {

using Json = nlohmann::ordered_json;

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
      out.push_back({{"outcome", kind_text(outcome.kind)},
                     {"dataset", manifest_json(m)},
                     {"market", market_note_json(outcome.market)}});
      continue;
    }
    const Json truth = parse_ordered_json(m.truth_json);
    std::printf("%s: %llu bars of %s, %s to %s, edge: %s%s (content hash %.12s)%s\n",
                m.name.c_str(), static_cast<unsigned long long>(m.bars),
                format_duration(m.interval).c_str(), format_timestamp(m.first).c_str(),
                format_timestamp(m.last).c_str(),
                truth.at("edge").at("kind").get<std::string>().c_str(),
                truth.at("martingale").get<bool>() ? ", a martingale" : "", m.content_hash.c_str(),
                outcome.kind == store::PutKind::Unchanged ? ", already there" : "");
    if (outcome.market.sealed_from_day) {
      std::printf("%s\n", seal_line(outcome, request.seal).c_str());
    }
  }
  if (context.json) print_document({{"datasets", std::move(out)}});
  return kDone;
}

void add_synth(Command& data, Context& context) {
  Command* command = add_command(data, context, "synth",
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
  auto seal = std::make_shared<std::string>();
  command->add_option("--seal", *seal, std::string(kSealHelp) + " (default: none)")
      ->check([](const std::string& text) {
        const auto parsed = store::parse_seal(text);
        return parsed.ok() ? std::string() : parsed.error().text();
      });
  command->callback([&context, request, seal] {
    context.run = [&context, request, seal] {
      request->now = import_time();
      auto sealed = seal_request(*seal, store::SealRule::Nothing);
      if (!sealed.ok()) return fail(context, sealed.error());
      request->seal = *std::move(sealed);
      return run_synth(context, *request);
    };
  });
}

int list_datasets(const Context& context) {
  auto datasets = open_datasets(context);
  if (!datasets.ok()) return fail(context, datasets.error());
  auto list = datasets->list();
  if (!list.ok()) return fail(context, list.error());
  const auto book = store::MarketBook::read(*datasets);
  if (!book.ok()) return fail(context, book.error());
  if (context.json) {
    Json out = Json::array();
    for (const auto& m : *list) {
      Json entry = manifest_json(m);
      for (const char* key : {"repairs", "truth", "raw_files", "notes", "manifest_hash"}) {
        entry.erase(key);
      }
      entry["faults"] = m.faults.total();
      entry["repairs"] = m.repairs.size();
      entry.update(market_facts_json(*book, m));
      out.push_back(std::move(entry));
    }
    print_document({{"datasets", std::move(out)}});
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
  std::printf("%-*s  %-*s  %8s  %9s  %-20s  %-20s  %7s  %6s  %-12s  %-11s  %s\n", nw, "NAME", iw,
              "INSTRUMENT", "INTERVAL", "BARS", "FIRST", "LAST", "FUNDING", "FAULTS", "HASH",
              "SEALED FROM", "MARKET");
  for (const auto& m : *list) {
    const store::Market* market = book->of(m.content_hash);
    const bool sealed = market != nullptr && market->sealed_from_day;
    std::printf("%-*s  %-*s  %8s  %9llu  %-20s  %-20s  %7llu  %6llu  %.12s  %-11s  %s\n", nw,
                m.name.c_str(), iw, m.instrument.c_str(), format_duration(m.interval).c_str(),
                static_cast<unsigned long long>(m.bars), format_timestamp(m.first).c_str(),
                format_timestamp(m.last).c_str(), static_cast<unsigned long long>(m.funding_events),
                static_cast<unsigned long long>(m.faults.total()), m.content_hash.c_str(),
                sealed ? store::day_text(*market->sealed_from_day).c_str() : "-",
                short_market(book->id_of(m.content_hash)).c_str());
  }
  return kDone;
}

int run_show(const Context& context, const std::string& name) {
  auto datasets = open_datasets(context);
  if (!datasets.ok()) return fail(context, datasets.error());
  auto dataset = datasets->load(name);
  if (!dataset.ok()) return fail(context, dataset.error());
  const store::Manifest& manifest = dataset->manifest();
  auto versions = datasets->versions(manifest.name);
  if (!versions.ok()) return fail(context, versions.error());
  const auto book = store::MarketBook::read(*datasets);
  if (!book.ok()) return fail(context, book.error());
  const auto others = same_market_json(*datasets, *book, manifest);
  if (!others.ok()) return fail(context, others.error());
  const auto report = store::report_data(dataset->view(), manifest.faults);
  if (context.json) {
    Json out = manifest_json(manifest);
    out["report"] = report_json(report);
    out.update(market_facts_json(*book, manifest));
    out["same_market"] = *others;
    out["versions"] = Json::array();
    for (const auto& v : *versions) {
      out["versions"].push_back({{"content_hash", v.content_hash},
                                 {"created", format_timestamp(v.created)},
                                 {"parent", v.parent},
                                 {"bars", v.bars}});
    }
    print_document(out);
    return kDone;
  }
  print_manifest(manifest);
  print_market(*book, manifest);
  print_report(report);
  for (const Json& other : *others) {
    const Json& overlap = other.at("overlap");
    std::printf("also of this market: %s (%s, %s bars, %s to %s)%s%s%s\n",
                other.at("name").get<std::string>().c_str(),
                other.at("instrument").get<std::string>().c_str(),
                other.at("interval").get<std::string>().c_str(),
                other.at("first").get<std::string>().c_str(),
                other.at("last").get<std::string>().c_str(),
                other.at("gone").get<bool>() ? ", gone" : "", overlap.is_null() ? "" : ", ",
                overlap.is_null() ? "" : overlap.at("text").get<std::string>().c_str());
  }
  if (versions->size() > 1) {
    std::printf("versions:\n");
    for (const auto& v : *versions) {
      std::printf("  %s  %s  %llu bars\n", format_timestamp(v.created).c_str(),
                  v.content_hash.c_str(), static_cast<unsigned long long>(v.bars));
    }
  }
  return kDone;
}

int run_rename(const Context& context, const std::string& name, const std::string& new_name) {
  auto datasets = open_datasets(context);
  if (!datasets.ok()) return fail(context, datasets.error());
  if (Status status = datasets->rename(name, new_name); !status.ok()) {
    return fail(context, status.error());
  }
  if (context.json) {
    print_document({{"name", new_name}, {"was", name}});
  } else {
    std::printf("%s is now %s; what was made from it goes by its content and stays\n", name.c_str(),
                new_name.c_str());
  }
  return kDone;
}

int run_delete(const Context& context, const std::string& name, bool yes) {
  auto datasets = open_datasets(context);
  if (!datasets.ok()) return fail(context, datasets.error());
  if (!yes) {
    auto versions = datasets->versions(name);
    if (!versions.ok()) return fail(context, versions.error());
    return fail(context,
                Error(ErrorCode::InvalidInput,
                      "this deletes " + name + " with " + std::to_string(versions->size()) +
                          " version(s), columns and imported files; --yes does it (results and "
                          "the ledger stay)"));
  }
  const auto removed = datasets->remove(name);
  if (!removed.ok()) return fail(context, removed.error());
  if (context.json) {
    print_document({{"deleted", name}, {"versions", removed->versions}, {"bytes", removed->bytes}});
  } else {
    std::printf("%s is gone: %llu version(s), %llu bytes; results and the ledger stay\n",
                name.c_str(), static_cast<unsigned long long>(removed->versions),
                static_cast<unsigned long long>(removed->bytes));
  }
  return kDone;
}

int run_gaps(const Context& context, const std::string& name, const std::string& out) {
  auto datasets = open_datasets(context);
  if (!datasets.ok()) return fail(context, datasets.error());
  const auto gaps = datasets->export_gaps_csv(name, out);
  if (!gaps.ok()) return fail(context, gaps.error());
  if (context.json) {
    print_document({{"name", name}, {"out", out}, {"gaps", *gaps}});
  } else {
    std::printf("%llu gaps written to %s\n", static_cast<unsigned long long>(*gaps), out.c_str());
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
    print_document({{"name", manifest->name},
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
  if (context.json) print_document(document);
  return kDone;
}

/// A subcommand that takes one dataset.
void add_on_dataset(Command& data, Context& context, const std::string& name,
                    const std::string& description,
                    int (*run)(const Context&, const std::string&)) {
  Command* command = add_command(data, context, name, description);
  auto dataset = std::make_shared<std::string>();
  command->add_option("NAME", *dataset, "dataset name or content hash")->required();
  command->callback([&context, dataset, run] {
    context.run = [&context, dataset, run] { return run(context, *dataset); };
  });
}

void add_export(Command& data, Context& context) {
  Command* command = add_command(data, context, "export", "write a dataset as CSV");
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

void add_rename(Command& data, Context& context) {
  Command* command = add_command(data, context, "rename", "give a dataset another name");
  auto name = std::make_shared<std::string>();
  auto new_name = std::make_shared<std::string>();
  command->add_option("OLD", *name, "name of the dataset")->required();
  command->add_option("NEW", *new_name, "its name from now on")->required();
  command->callback([&context, name, new_name] {
    context.run = [&context, name, new_name] { return run_rename(context, *name, *new_name); };
  });
}

void add_delete(Command& data, Context& context) {
  Command* command = add_command(data, context, "delete",
                                 "delete a dataset with all its versions; results and the ledger "
                                 "stay");
  auto name = std::make_shared<std::string>();
  auto yes = std::make_shared<bool>(false);
  command->add_option("NAME", *name, "name of the dataset")->required();
  command->add_flag("--yes", *yes, "do it; without, only what would go is said");
  command->callback([&context, name, yes] {
    context.run = [&context, name, yes] { return run_delete(context, *name, *yes); };
  });
}

void add_gaps(Command& data, Context& context) {
  Command* command = add_command(data, context, "gaps", "write every gap of a dataset as CSV");
  auto name = std::make_shared<std::string>();
  auto out = std::make_shared<std::string>();
  command->add_option("NAME", *name, "dataset name or content hash")->required();
  command->add_option("--out", *out, "file: from,to,bars_missing,from_ns,to_ns")->required();
  command->callback([&context, name, out] {
    context.run = [&context, name, out] { return run_gaps(context, *name, *out); };
  });
}

}  // namespace

void add_data_commands(Command& app, Context& context) {
  Command* data = app.add_subcommand("data", "datasets: import, simulate, inspect");
  data->require_subcommand();
  add_import_command(*data, context);
  add_synth(*data, context);
  Command* list = add_command(*data, context, "list", "all datasets");
  list->callback([&context] { context.run = [&context] { return list_datasets(context); }; });
  add_on_dataset(*data, context, "show",
                 "one dataset: source, hash, faults, repairs, and what its bars are like",
                 run_show);
  add_on_dataset(*data, context, "verify", "rehash a dataset's columns and files", run_verify);
  add_export(*data, context);
  add_gaps(*data, context);
  add_rename(*data, context);
  add_delete(*data, context);
  add_seal_commands(*data, context);
}

}  // namespace winnow::cli
