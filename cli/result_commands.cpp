#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/text.hpp"
#include "base/write_file.hpp"
#include "cli/app.hpp"
#include "cli/asker.hpp"
#include "cli/door.hpp"
#include "cli/farm.hpp"
#include "cli/long_work.hpp"
#include "cli/output.hpp"
#include "cli/remote.hpp"
#include "cli/result_render.hpp"
#include "cli/results.hpp"
#include "cli/risk_commands.hpp"
#include "cli/table.hpp"
#include "serve/export.hpp"
#include "serve/knobs.hpp"
#include "serve/parallel.hpp"
#include "serve/query.hpp"

namespace winnow::cli {
namespace {

constexpr DurationNs kFarmPatience = seconds(10);

struct TopOptions {
  std::string sweep = "last";
  std::string by = "sharpe_ann";
  std::string where;
  std::uint64_t limit = 20;
  bool csv = false;
  bool all = false;
  std::string sqlite;
  std::uint64_t rank = 1;
  std::string cursor;
  Option* limit_option = nullptr;
  Option* rank_option = nullptr;
  std::vector<std::pair<const char*, Option*>> question = {};  ///< what a cursor knows itself
};

int run_top(const Context& context, const TopOptions& o) {
  const bool table = o.csv || !o.sqlite.empty();
  Json args{{"sweep", o.sweep}, {"by", o.by}, {"where", o.where}, {"limit", o.limit}};
  if (o.all) args["all"] = true;
  if (o.rank_option->count() > 0) args["rank"] = o.rank;
  if (!o.cursor.empty()) {
    args["cursor"] = o.cursor;
    for (const auto& [name, option] : o.question) {
      if (option->count() == 0) args.erase(name);
    }
  }
  if (table) {
    args["table"] = true;
    if (o.limit_option->count() == 0) args["limit"] = std::uint64_t{1} << 40;  // an export has all
  }
  const auto answer = answer_query(context, "top", args);
  if (!answer.ok() || !table) return show_answer(context, answer, render_top);
  if (!o.sqlite.empty()) {
    const Status status = serve::export_sqlite(*answer, o.sqlite);
    if (!status.ok()) return fail(context, status.error());
    if (!context.quiet) {
      std::fprintf(stderr, "wrote %zu variants to %s\n", (*answer)["rows"].size(),
                   o.sqlite.c_str());
    }
  }
  if (o.csv) write_stdout(render_csv(*answer));
  return kDone;
}

void add_top(Command& app, Context& context) {
  Command* command = add_command(app, context, "top", "leaderboard of a sweep's variants");
  add_connect_option(*command, context);
  auto o = std::make_shared<TopOptions>();
  Option* const sweep =
      command->add_option("ID", o->sweep, "sweep: id, its first characters, name, or last");
  Option* const by = command->add_option(
      "--by", o->by,
      "metric to rank by (default sharpe_ann); psr and dsr are counted from the "
      "ledger; with a validation also oos_sharpe_ann, oos_return_frac, "
      "oos_drawdown_max_frac. A ratio that is null because nothing was lost "
      "(profit_factor, omega, sortino_ann, calmar, tail_ratio) ranks first; other "
      "missing numbers rank last");
  Option* const where = command->add_option(
      "--where", o->where,
      "only variants for which this holds: `trades >= 50 and stop_bps < 200`. A ratio that is null "
      "because nothing was lost compares as infinite; where another number is missing, neither the "
      "condition nor its negation holds, and the variant is counted as left out");
  o->limit_option = command->add_option("--limit", o->limit, "rows (default 20; exports: all)")
                        ->check(natural_number(1));
  o->rank_option = command->add_option("--rank", o->rank, "begin at this place of the ranking")
                       ->check(natural_number(1));
  command->add_option("--cursor", o->cursor,
                      "go on after the page that gave it (`next` of --json), also while results "
                      "come in; it knows the sweep, --by and --where");
  o->question = {{"sweep", sweep}, {"by", by}, {"where", where}};
  command->add_flag("--all", o->all,
                    "a row a variant, also where several have the same daily returns (exports: "
                    "always)");
  command->add_flag("--csv", o->csv, "all metrics and parameters as CSV on stdout");
  command->add_option("--sqlite", o->sqlite, "the same into this SQLite file");
  command->callback(
      [&context, o] { context.run = [&context, o] { return run_top(context, *o); }; });
}

/// Whether every family, or neighbourhood shown, has converged.
bool all_converged(const Json& answer) {
  for (const char* key : {"families", "neighbourhoods"}) {
    if (!answer.contains(key)) continue;
    for (const Json& scored : answer[key]) {
      if (scored.value("verdict", "") != "CONVERGED") return false;
    }
    return !answer[key].empty();
  }
  return false;
}

void add_converge(Command& app, Context& context) {
  Command* command =
      add_command(app, context, "converge", "which families of variants share an edge");
  add_connect_option(*command, context);
  struct Options {
    std::string sweep = "last";
    std::string by = "family";
    std::uint64_t limit = 20;
    double hurdle = 0;
    bool require = false;
    bool details = false;
  };
  auto o = std::make_shared<Options>();
  command->add_option("ID", o->sweep, "sweep: id, its first characters, name, or last");
  command->add_option("--by", o->by, "family (default) or neighbourhood");
  command->add_flag("--details", o->details, "the figures that the verdicts rest on");
  command->add_option("--limit", o->limit, "neighbourhoods shown (default 20)")
      ->check(natural_number(1));
  command->add_option("--hurdle", o->hurdle, "annual Sharpe to beat, after costs (default 0)");
  command->add_flag("--require", o->require, "exit status 3 unless all of them are CONVERGED");
  command->callback([&context, o] {
    context.run = [&context, o] {
      if (const Status right = serve::check_hurdle(o->hurdle); !right.ok()) {
        return fail(context, right.error());
      }
      const Json args{{"sweep", o->sweep},
                      {"by", o->by},
                      {"limit", o->limit},
                      {"hurdle_sharpe_ann", o->hurdle}};
      const auto answer = answer_query(context, "converge", args);
      const int status =
          show_answer(context, answer, o->details ? render_converge_details : render_converge);
      const bool refused = o->require && status == kDone && !all_converged(*answer);
      if (!refused) return status;
      std::fprintf(stderr, "refused: --require asks for CONVERGED of each, and not each is\n");
      return static_cast<int>(kRefused);
    };
  });
}

void add_compare(Command& app, Context& context) {
  Command* command = add_command(app, context, "compare", "variants side by side");
  add_connect_option(*command, context);
  struct Options {
    std::string sweep;
    std::vector<std::uint64_t> variants;
  };
  auto o = std::make_shared<Options>();
  command->add_option("ID", o->sweep, "sweep: id, its first characters, name, or last")->required();
  command->add_option("V", o->variants, "variant numbers, two or more")
      ->required()
      ->expected(2, 50)
      ->check(natural_number(0));
  command->callback([&context, o] {
    context.run = [&context, o] {
      const Json args{{"sweep", o->sweep}, {"variants", o->variants}};
      return show_answer(context, answer_query(context, "compare", args), render_compare);
    };
  });
}

/// The question `explain_live`, which only a running farm answers: that of --connect or of the
/// home.
Result<Json> ask_farm(const Context& context, const Json& args) {
  auto client = running_coordinator(context);
  if (!client) return client.error();
  const auto text = (*client)->query("explain_live", json_text(args), kFarmPatience);
  if (!text) return text.error();
  Json answer = parse_ordered_json(*text);
  if (answer.is_object()) return answer;
  return Error(ErrorCode::Corrupt, "the coordinator's answer to 'explain_live' is not JSON");
}

// What the farm says now beside what the store knows.
Result<Json> with_farm(const Context& context, Result<Json> answer) {
  const bool farm_runs = !context.connect.empty() || advertised_coordinator(context.home());
  if (!answer || !farm_runs) return answer;
  Json args{{"sweep", (*answer)["sweep_id"]}};
  if (answer->contains("block")) args["block"] = (*answer)["block"];
  const auto farm = ask_farm(context, args);
  if (!farm) return farm.error();
  (*answer)["farm"] = *farm;
  (*answer)["why"].push_back((*farm)["farm"]);
  return answer;
}

int explain_node(const Context& context, const std::string& node) {
  return show_answer(
      context, ask_farm(context, Json{{"node", node}}), [](const Json& answer, std::size_t) {
        return answer["node"].get<std::string>() + "\n" + answer["farm"].get<std::string>() + "\n";
      });
}

void add_explain(Command& app, Context& context) {
  Command* command =
      add_command(app, context, "explain", "why a sweep or a variant is where it is");
  add_connect_option(*command, context);
  struct Options {
    std::string sweep = "last";
    std::uint64_t variant = 0;
    Option* variant_option = nullptr;
    std::string node;
  };
  auto o = std::make_shared<Options>();
  command->add_option("ID", o->sweep, "sweep: id, its first characters, name, or last");
  o->variant_option =
      command->add_option("V", o->variant, "variant number")->check(natural_number(0));
  command->add_option("--node", o->node,
                      "what this node of the farm is doing, by its name in `winnow nodes`");
  command->callback([&context, o] {
    context.run = [&context, o] {
      if (!o->node.empty()) return explain_node(context, o->node);
      Json args{{"sweep", o->sweep}};
      if (o->variant_option->count() > 0) args["variant"] = o->variant;
      return show_answer(context, with_farm(context, answer_query(context, "explain", args)),
                         render_explain);
    };
  });
}

void add_points(Command& app, Context& context) {
  Command* command = add_command(app, context, "points",
                                 "learning curves: metrics at the steps that `points:` asked for");
  add_connect_option(*command, context);
  struct Options {
    std::string sweep = "last";
    std::uint64_t variant = 0;
    std::uint64_t limit = 0;
    bool csv = false;
    Option* variant_option = nullptr;
    Option* limit_option = nullptr;
  };
  auto o = std::make_shared<Options>();
  command->add_option("ID", o->sweep, "sweep: id, its first characters, name, or last");
  o->variant_option =
      command->add_option("V", o->variant, "variant number (default: all, as --csv or --json)")
          ->check(natural_number(0));
  o->limit_option = command->add_option("--limit", o->limit, "variants, if all are asked for")
                        ->check(natural_number(1));
  command->add_flag("--csv", o->csv, "CSV on stdout");
  command->callback([&context, o] {
    context.run = [&context, o]() -> int {
      Json args{{"sweep", o->sweep}};
      if (o->variant_option->count() > 0) args["variant"] = o->variant;
      if (o->limit_option->count() > 0) args["limit"] = o->limit;
      const auto answer = answer_query(context, "points", args);
      if (!answer.ok() || !o->csv) return show_answer(context, answer, render_points);
      write_stdout(render_csv(*answer));
      return kDone;
    };
  });
}

void add_report(Command& app, Context& context) {
  Command* command = add_command(app, context, "report", "one HTML file about a sweep");
  add_connect_option(*command, context);
  struct Options {
    std::string sweep = "last";
    std::string out;
  };
  auto o = std::make_shared<Options>();
  command->add_option("ID", o->sweep, "sweep: id, its first characters, name, or last");
  command->add_option("--out", o->out, "file to write (.html)")->required();
  command->callback([&context, o] {
    context.run = [&context, o] { return run_report(context, o->sweep, o->out); };
  });
}

void add_ledger(Command& app, Context& context) {
  Command* group = app.add_subcommand("ledger", "every trial ever made, by dataset and family");
  group->require_subcommand();
  Command* command = add_command(*group, context, "show",
                                 "how many trials there ever were, and how that came about");
  add_connect_option(*command, context);
  struct Options {
    std::string by = "family", data, family, user, sweep, hypothesis;
  };
  auto o = std::make_shared<Options>();
  command->add_option("--by", o->by, "a line a family (default), sweep, hypothesis or user");
  command->add_option("--data", o->data, "only this dataset: its name or the start of its hash");
  command->add_option("--family", o->family, "only this family of strategies");
  command->add_option("--user", o->user, "only what this user ran");
  command->add_option("--sweep", o->sweep, "only this sweep: its id or name");
  command->add_option("--hypothesis", o->hypothesis, "only this hypothesis: the start of its key");
  command->callback([&context, o] {
    context.run = [&context, o] {
      const Json args{{"by", o->by},     {"data", o->data},   {"family", o->family},
                      {"user", o->user}, {"sweep", o->sweep}, {"hypothesis", o->hypothesis}};
      return show_answer(context, answer_query(context, "ledger", args), render_ledger);
    };
  });
  add_ledger_budget(*group, context);
  add_ledger_import(*group, context);
}

/// A look or a correlation of this answer would go on record, had the store been open for writing.
bool waits_for_record(const Json& answer) {
  if (answer.value("look_awaits_record", false)) return true;
  const auto families = answer.find("families");
  if (families == answer.end() || !families->is_array()) return false;
  return std::any_of(families->begin(), families->end(), [](const Json& f) {
    if (f.value("correlation_awaits_record", false)) return true;
    if (f.value("look_awaits_record", false)) return true;
    const auto look = f.find("look");
    return look != f.end() && look->is_object() && !look->value("recorded", false) &&
           look->value("recordable", false);
  });
}

/// Asks again where that can be recorded. While another process writes the store it cannot, and
/// the answer stays as it is.
Result<Json> answer_on_record(const Context& context, std::string_view name, const Json& args,
                              Result<Json> answer) {
  const auto store = store::Store::open(context.home() / "store");
  if (!store.ok()) return answer;
  const auto datasets = store::DatasetStore::open(context.home() / "data");
  auto who = asker(context);
  if (!who) return who.error();
  return serve::query({.store = store->get(),
                       .datasets = datasets.ok() ? &*datasets : nullptr,
                       .verdicts = store->get(),
                       .parallel = serve::threads_for(),
                       .asker = *std::move(who)},
                      name, args);
}

/// What took this long to compute is kept in the store, where nobody else has it open just then.
constexpr std::chrono::seconds kWorthKeeping{2};

void keep_for_later(const std::filesystem::path& folder, std::vector<serve::Keepsake> keepsakes) {
  if (keepsakes.empty()) return;
  const auto store = store::Store::open(folder);
  if (!store.ok()) return;
  for (serve::Keepsake& document : keepsakes) {
    serve::keep({.store = store->get(), .verdicts = store->get()}, std::move(document));
  }
}

}  // namespace

Result<Json> answer_query(const Context& context, std::string_view name, const Json& args) {
  const LongWork work(context, "answering `" + std::string(name) + "`" +
                                   (context.connect.empty() ? "" : " at " + context.connect));
  if (!context.connect.empty()) return remote_query(context, name, args);
  auto who = asker(context);
  if (!who) return who.error();
  const std::filesystem::path folder = context.home() / "store";
  // Neighbourhoods are counted in the ledger before anybody sees their scores. Where a coordinator
  // holds the store this reads only, and the query says whom to ask.
  std::error_code ec;
  const bool counts = name == "converge" && args.value("by", "") == "neighbourhood" &&
                      std::filesystem::exists(folder / "CURRENT", ec);
  auto store =
      counts ? store::Store::open(folder) : store::Store::open(folder, {.read_only = true});
  const bool writable = counts && store.ok();
  if (counts && !writable) store = store::Store::open(folder, {.read_only = true});
  if (!store.ok() && store.error().code() == ErrorCode::NotFound) {
    return Error(ErrorCode::NotFound,
                 "there is no sweep under " + context.home().string() +
                     " yet; `winnow sweep run SPEC.yaml` or `winnow demo` makes one");
  }
  if (!store.ok()) return store.error();
  const auto datasets = store::DatasetStore::open(context.home() / "data");
  std::vector<serve::Keepsake> keepsakes;
  const auto begun = std::chrono::steady_clock::now();
  auto answer = serve::query({.store = store->get(),
                              .datasets = datasets.ok() ? &*datasets : nullptr,
                              .verdicts = writable ? store->get() : nullptr,
                              .keepsakes = &keepsakes,
                              .parallel = serve::threads_for(),
                              .asker = *std::move(who)},
                             name, args);
  if (writable || !answer.ok()) return answer;
  if (waits_for_record(*answer)) return answer_on_record(context, name, args, std::move(answer));
  if (std::chrono::steady_clock::now() - begun >= kWorthKeeping) {
    store->reset();
    keep_for_later(folder, std::move(keepsakes));
  }
  return answer;
}

int show_answer(const Context& context, const Result<Json>& answer,
                std::string (*render)(const Json&, std::size_t)) {
  if (!answer.ok()) return fail(context, answer.error());
  if (context.json) {
    print_json(*answer);
  } else {
    write_stdout(render(*answer, terminal_columns(1)));
  }
  return kDone;
}

int run_sweep_list(const Context& context) {
  auto answer = answer_query(context, "sweep_list", Json::object());
  // Before the first sweep there is no store: that is an empty list, not a failure.
  if (!answer.ok() && answer.error().code() == ErrorCode::NotFound && context.connect.empty()) {
    answer = Json{{"sweeps_total", 0}, {"sweeps", Json::array()}};
  }
  return show_answer(context, answer, render_sweep_list);
}

int run_sweep_show(const Context& context, const std::string& sweep) {
  return show_answer(context, answer_query(context, "sweep_show", {{"sweep", sweep}}),
                     render_sweep_show);
}

int run_report(const Context& context, const std::string& sweep, const std::string& out) {
  std::string ending = std::filesystem::path(out).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  });
  if (ending != ".html" && ending != ".htm") {
    return fail(context, Error(ErrorCode::InvalidInput,
                               "--out " + out +
                                   ": a report is written as .html; for a PDF, open "
                                   "the page in a browser and print it to a file"));
  }
  const std::int64_t now_ns = system_clock().now().ns;
  auto answer = answer_query(context, "report", {{"sweep", sweep}, {"generated_ns", now_ns}});
  if (!answer.ok()) return fail(context, answer.error());
  const std::string html = (*answer)["html"].get<std::string>();
  const Status status = write_whole_file(out, html);
  if (!status.ok()) return fail(context, status.error());
  if (context.json) {
    const Json said{{"sweep_id", (*answer)["sweep_id"]}, {"out", out}, {"bytes", html.size()}};
    print_json(said);
  } else if (!context.quiet) {
    // What was written through may be stdout itself.
    const auto to = destination_of(out);
    std::fprintf(to.ok() && to->written_through ? stderr : stdout, "report: %s (%zu KiB)\n",
                 out.c_str(), (html.size() + 1023) / 1024);
  }
  return kDone;
}

void add_connect_option(Command& command, Context& context) {
  command.add_option("--connect", context.connect,
                     "HOST:PORT of a running coordinator (default: the store under the home)");
  add_credential_options(command, context);
}

void add_result_commands(Command& app, Context& context) {
  add_top(app, context);
  add_converge(app, context);
  add_compare(app, context);
  add_explain(app, context);
  add_points(app, context);
  add_report(app, context);
  add_ledger(app, context);
  add_risk_commands(app, context);
}

}  // namespace winnow::cli
