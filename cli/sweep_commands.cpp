#include <nlohmann/json.hpp>

#include "actors/sweep_book.hpp"
#include "actors/wish_rights.hpp"
#include "base/text.hpp"
#include "cli/app.hpp"
#include "cli/asker.hpp"
#include "cli/catalog.hpp"
#include "cli/door.hpp"
#include "cli/farm.hpp"
#include "cli/output.hpp"
#include "cli/results.hpp"
#include "cli/stop_signals.hpp"
#include "cli/sweep_progress.hpp"
#include "serve/sweep_view.hpp"
#include "store/store.hpp"

namespace winnow::cli {
namespace {

using actors::SweepAction;

struct SweepOptions {
  std::string spec;
  std::string id;
  RunOptions run;
  std::uint64_t more_trials = 0;
  double more_cpu_hours = 0;
  std::string yes;
  std::string open;     ///< how a specification is opened that does not say it
  bool unseal = false;  ///< sealed days may be shown
};

int run_sweep(const Context& context, const SweepOptions& options) {
  const StopGuard guard;
  auto submit = make_submission(options.spec);
  if (!submit) return fail(context, submit.error());
  submit->open = options.open;
  submit->unseal = options.unseal ? 1 : 0;
  SweepProgress progress(context, std::filesystem::path(options.spec).stem().string());
  const auto on_progress = [&](const actors::Progress& p) { progress.update(p); };
  auto session = FarmSession::open(context, options.run, *submit);
  if (!session) return fail(context, session.error());
  auto summary = (*session)->run(*submit, options.run.wait, on_progress);
  // Whoever joined another command's farm goes on with one of its own when that command ends.
  while (!summary && (*session)->was_left()) {
    if (!context.quiet)
      std::fprintf(stderr, "%s; going on alone\n", summary.error().text().c_str());
    session = FarmSession::open(context, options.run, *submit);
    if (!session) return fail(context, session.error());
    summary = (*session)->run(*submit, options.run.wait, on_progress);
  }
  Result<SweepFacts> facts = SweepFacts();
  if (summary) facts = sweep_facts((*session)->client(), summary->submitted.sweep);
  const bool ended = summary && facts && options.run.wait == Wait::UntilDone;
  progress.finish(ended ? std::optional(facts->trials_failed) : std::nullopt);
  if (!summary) {
    if (summary.error().code() == ErrorCode::Cancelled && !context.quiet) {
      std::fprintf(stderr, "what is committed stays; the same command goes on from there\n");
    }
    return fail(context, summary.error());
  }
  if (!facts) return fail(context, facts.error());
  for (const std::string& warning : facts->warnings) {
    std::fprintf(stderr, "warning: %s\n", terminal_text(warning).c_str());
  }
  for (const std::string& opening : facts->openings) {
    std::fprintf(stderr, "opening: %s\n", terminal_text(opening).c_str());
  }
  print_run_summary(context, *summary, *facts);
  const store::SweepState state = actors::state_of(summary->last);
  if (state == store::SweepState::BudgetSpent && !context.quiet) {
    std::fprintf(stderr, "%s\n", summary->last.note.c_str());
  }
  if (state == store::SweepState::Cancelled) return kInterrupted;
  return ended ? status_of(*facts) : kDone;
}

/// A prefix, a name or `last` as the id it means, by what the coordinator knows.
Result<std::string> full_sweep_id(actors::Client& client, const std::string& sweep) {
  const std::string args = json_text(nlohmann::json{{"sweep", sweep}});
  const auto text = client.query("sweep_show", args, seconds(10));
  if (!text) return text.error();
  const auto shown = parse_json(*text);
  if (!shown.is_object()) {
    return Error(ErrorCode::Corrupt, "the coordinator's answer to 'sweep_show' is not JSON");
  }
  return shown.value("sweep_id", sweep);
}

bool has_store(const Context& context) {
  std::error_code ec;
  return std::filesystem::exists(context.home() / "store" / "CURRENT", ec);
}

actors::Control wish(const std::string& sweep, const SweepOptions& options, SweepAction action) {
  return {.sweep = sweep,
          .action = action,
          .more_trials = options.more_trials,
          .more_cpu_ms = static_cast<std::uint64_t>(options.more_cpu_hours * 3.6e6)};
}

int print_steered(const Context& context, const std::string& sweep, SweepAction action) {
  const std::string name(actors::sweep_action_name(action));
  if (context.json) {
    print_json(nlohmann::json{{"sweep_id", sweep}, {"sweep", sweep}, {"action", name}}, -1);
  } else if (!context.quiet) {
    std::printf("sweep %s: %s\n", sweep.c_str(), name.c_str());
  }
  return kDone;
}

/// Extends, resumes or cancels a sweep by a farm of this command, and runs it to its end.
int control_alone(const Context& context, const SweepOptions& options, SweepAction action) {
  auto session = FarmSession::open_own(context, options.run);
  if (!session) return fail(context, session.error());
  const auto id = full_sweep_id((*session)->client(), options.id);
  if (!id) return fail(context, id.error());
  const actors::Control control = wish(*id, options, action);
  const auto before = sweep_facts((*session)->client(), *id);
  if (!before) return fail(context, before.error());
  const auto sweep = (*session)->client().control(control, seconds(30));
  if (!sweep) return fail(context, sweep.error());
  if (action == SweepAction::Cancel) return print_steered(context, *sweep, action);
  SweepProgress progress(context, std::string(actors::sweep_action_name(action)));
  auto summary = (*session)->follow(*sweep, [&](const actors::Progress& p) { progress.update(p); });
  if (!summary) return fail(context, summary.error());
  const auto facts = sweep_facts((*session)->client(), *sweep);
  if (!facts) return fail(context, facts.error());
  progress.finish(facts->trials_failed);
  summary->submitted.trials = summary->last.trials;
  if (*sweep == *id) summary->submitted.trials_committed = before->trials_committed;
  print_run_summary(context, *summary, *facts);
  return status_of(*facts);
}

int control_sweep(const Context& context, const SweepOptions& options, SweepAction action) {
  // Where no farm runs, one is started for what is to go on or to end for good; to pause needs
  // none.
  if (action != SweepAction::Pause && action != SweepAction::Delete && context.connect.empty() &&
      !advertised_coordinator(context.home()) && has_store(context)) {
    return control_alone(context, options, action);
  }
  auto client = running_coordinator(context);
  if (!client) return fail(context, client.error());
  const auto id = full_sweep_id(**client, options.id);
  if (!id) return fail(context, id.error());
  const actors::Control control = wish(*id, options, action);
  const auto done = (*client)->control(control, seconds(30));
  if (!done) return fail(context, done.error());
  if (context.json || context.quiet || *done == *id) return print_steered(context, *done, action);
  std::printf("sweep %s goes on as %s\n", id->c_str(), done->c_str());
  return kDone;
}

/// Where nobody holds the store, this process deletes.
Result<std::string> delete_offline(const Context& context, const SweepOptions& options) {
  const std::filesystem::path folder = context.home() / "store";
  std::error_code ec;
  if (!std::filesystem::exists(folder / "CURRENT", ec)) {
    return Error(ErrorCode::NotFound, "no store in " + folder.string());
  }
  auto store = store::Store::open(folder);
  if (!store && store.error().code() == ErrorCode::Unavailable) {
    return Error(ErrorCode::Refused, "a sweep runs on this store; " + store.error().text());
  }
  if (!store) return store.error();
  const auto meta = serve::find_sweep(**store, options.id);
  if (!meta) return meta.error();
  const auto who = asker(context);
  if (!who) return who.error();
  const actors::NeededRights needed = actors::rights_of(SweepAction::Delete);
  WINNOW_TRY(cluster::check_rights(*who, needed.least, needed.what));
  WINNOW_TRY(cluster::check_owner(*who, meta->user, "sweep " + meta->id));
  WINNOW_TRY((*store)->delete_sweep(
      meta->id, {who->name, system_clock().now(), actors::deleted_with_a_sweep()}));
  return meta->id;
}

int delete_sweep(const Context& context, const SweepOptions& options) {
  if (options.yes.empty()) {
    return fail(context, Error(ErrorCode::InvalidInput,
                               "the results of sweep '" + options.id +
                                   "' would be gone for good; say --yes if that is meant"));
  }
  if (!context.connect.empty() || advertised_coordinator(context.home())) {
    return control_sweep(context, options, SweepAction::Delete);
  }
  const auto id = delete_offline(context, options);
  if (!id) return fail(context, id.error());
  return print_steered(context, *id, SweepAction::Delete);
}

void add_delete(Command& sweep, Context& context, const std::shared_ptr<SweepOptions>& options) {
  Command* command = add_command(sweep, context, "delete",
                                 "delete a sweep's results for good; its trials stay in the "
                                 "ledger, and `winnow store compact` gives the space back");
  command->add_option("id", options->id, "sweep id, a unique prefix, its name, or `last`")
      ->required();
  command->add_flag_callback(
      "--yes", [options] { options->yes = "yes"; }, "yes, for good");
  command->add_option("--connect", context.connect,
                      "the coordinator that holds the store, HOST:PORT (default: the one of the "
                      "home, if one runs)");
  add_credential_options(*command, context);
  add_user_option(*command, context);
  command->callback([&context, options] {
    context.run = [&context, options] { return delete_sweep(context, *options); };
  });
}

/// What `sweep run SPEC` and `open SPEC` have in common.
void add_run_options(Command& run, Context& context, const std::shared_ptr<SweepOptions>& options) {
  auto* connect = run.add_option("--connect", context.connect, "a running coordinator, HOST:PORT");
  add_credential_options(run, context);
  run.add_option("--nodes", options->run.nodes, "node processes of a local farm")
      ->in_range(1u, 256u)
      ->capture_default_str()
      ->excludes(connect);
  run.add_option("--workers", options->run.workers,
                 "workers in each local node (default: the cores shared between the nodes)")
      ->in_range(1u, 4096u)
      ->excludes(connect);
  run.add_flag_callback(
      "--detach", [options] { options->run.wait = Wait::No; },
      "submit and do not wait for the end");
  add_user_option(run, context);
}

}  // namespace

void add_open_run(Command& open, Context& context) {
  auto options = std::make_shared<SweepOptions>();
  open.add_option("spec", options->spec,
                  "sweep specification (YAML); without `open:` in it, `open: confirm`");
  add_run_options(open, context, options);
  open.callback([&context, options, &open] {
    if (open.has_parsed_subcommand()) return;
    context.stops = Stops::InOrder;
    options->open = "confirm";
    context.run = [&context, options] {
      if (!options->spec.empty()) return run_sweep(context, *options);
      return fail(context, Error(ErrorCode::InvalidInput,
                                 "open what? Give a specification, or say `open list` or `open "
                                 "show HYPOTHESIS`"));
    };
  });
}

void add_sweep_commands(Command& app, Context& context) {
  Command* sweep = app.add_subcommand("sweep", "plan, run and manage sweeps");
  sweep->require_subcommand();
  auto options = std::make_shared<SweepOptions>();

  Command* run =
      add_command(*sweep, context, "run", "plan and run a sweep, or go on with it if it was cut");
  run->add_option("spec", options->spec, "sweep specification (YAML)")->required();
  add_run_options(*run, context, options);
  run->add_flag("--unseal", options->unseal,
                "explore days that are sealed, on record: they will judge nothing that was seen");
  run->callback([&context, options] {
    context.stops = Stops::InOrder;
    context.run = [&context, options] { return run_sweep(context, *options); };
  });

  const std::pair<SweepAction, const char*> actions[] = {
      {SweepAction::Pause, "grant no more leases; what runs is finished and kept"},
      {SweepAction::Resume, "go on with a paused sweep"},
      {SweepAction::Cancel, "stop for good; what is committed stays"}};
  for (const auto& [action, help] : actions) {
    Command* command =
        add_command(*sweep, context, std::string(actors::sweep_action_name(action)), help);
    command->add_option("id", options->id, "sweep id, a unique prefix, its name, or `last`")
        ->required();
    command->add_option("--connect", context.connect, "a running coordinator, HOST:PORT");
    add_credential_options(*command, context);
    add_user_option(*command, context);
    command->callback([&context, options, steered = action] {
      context.run = [&context, options, steered] {
        return control_sweep(context, *options, steered);
      };
    });
  }

  Command* extend = add_command(*sweep, context, "extend",
                                "go on with a sweep that is finished or has used up its budget");
  extend->add_option("id", options->id, "sweep id, a unique prefix, its name, or `last`")
      ->required();
  extend
      ->add_option("--budget", options->more_trials,
                   "so many more trials; a random or sobol search that has run all it planned "
                   "goes on as a new sweep")
      ->in_range(std::uint64_t{1}, std::uint64_t{1'000'000'000});
  extend->add_option("--cpu-hours", options->more_cpu_hours, "so many more hours of CPU time")
      ->in_range(1e-6, 1e6);
  extend->add_option("--connect", context.connect, "a running coordinator, HOST:PORT");
  add_credential_options(*extend, context);
  add_user_option(*extend, context);
  extend->callback([&context, options] {
    context.run = [&context, options] {
      return control_sweep(context, *options, SweepAction::Extend);
    };
  });

  add_delete(*sweep, context, options);

  Command* list = add_command(*sweep, context, "list", "all sweeps, the newest first");
  add_connect_option(*list, context);
  list->callback([&context] { context.run = [&context] { return run_sweep_list(context); }; });
  Command* show = add_command(*sweep, context, "show", "what is known of a sweep");
  show->add_option("id", options->id, "sweep id, a unique prefix, its name, or `last`")->required();
  add_connect_option(*show, context);
  show->callback([&context, options] {
    context.run = [&context, options] { return run_sweep_show(context, options->id); };
  });
}

}  // namespace winnow::cli
