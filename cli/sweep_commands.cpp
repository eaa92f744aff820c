#include <nlohmann/json.hpp>

#include "cli/app.hpp"
#include "cli/catalog.hpp"
#include "cli/door.hpp"
#include "cli/farm.hpp"
#include "cli/results.hpp"
#include "cli/sweep_progress.hpp"

namespace winnow::cli {
namespace {

struct SweepOptions {
  std::string spec;
  std::string id;
  RunOptions run;
  std::uint64_t more_trials = 0;
  double more_cpu_hours = 0;
};

int run_sweep(const Context& context, const SweepOptions& options) {
  auto submit = make_submission(options.spec);
  if (!submit) return fail(context, submit.error());
  auto session = FarmSession::open(context, options.run, *submit);
  if (!session) return fail(context, session.error());
  SweepProgress progress(context, std::filesystem::path(options.spec).stem().string());
  auto summary = (*session)->run(*submit, options.run.wait,
                                 [&](const actors::Progress& p) { progress.update(p); });
  progress.finish();
  if (!summary) {
    if (summary.error().code() == ErrorCode::Cancelled && !context.quiet) {
      std::fprintf(stderr, "what is committed stays; the same command goes on from there\n");
    }
    return fail(context, summary.error());
  }
  print_run_summary(context, *summary);
  if (summary->last.state == "budget_spent" && !context.quiet) {
    std::fprintf(stderr, "%s\n", summary->last.note.c_str());
  }
  return summary->last.state == "cancelled" ? kInterrupted : kDone;
}

/// A prefix, a name or `last` as the id it means, by what the coordinator knows.
Result<std::string> full_sweep_id(actors::Client& client, const std::string& sweep) {
  const std::string args = nlohmann::json{{"sweep", sweep}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto text = client.query("sweep_show", args, seconds(10));
  if (!text) return text.error();
  const auto shown = nlohmann::json::parse(*text, nullptr, false);
  if (!shown.is_object()) {
    return Error(ErrorCode::Corrupt, "the coordinator's answer to 'sweep_show' is not JSON");
  }
  return shown.value("sweep_id", sweep);
}

int control_sweep(const Context& context, const SweepOptions& options, const std::string& action) {
  auto client = running_coordinator(context);
  if (!client) return fail(context, client.error());
  const auto id = full_sweep_id(**client, options.id);
  if (!id) return fail(context, id.error());
  const actors::Control control{*id, action, current_user(), options.more_trials,
                                static_cast<std::uint64_t>(options.more_cpu_hours * 3.6e6)};
  const auto done = (*client)->control(control, seconds(30));
  if (!done) return fail(context, done.error());
  if (context.json) {
    std::printf("%s\n", nlohmann::json{{"sweep", *done}, {"action", action}}.dump().c_str());
  } else if (!context.quiet && *done != *id) {
    std::printf("sweep %s goes on as %s\n", id->c_str(), done->c_str());
  } else if (!context.quiet) {
    std::printf("sweep %s: %s\n", id->c_str(), action.c_str());
  }
  return kDone;
}

}  // namespace

void add_sweep_commands(CLI::App& app, Context& context) {
  CLI::App* sweep = app.add_subcommand("sweep", "plan, run and manage sweeps");
  sweep->require_subcommand(1);
  auto options = std::make_shared<SweepOptions>();

  CLI::App* run =
      add_command(*sweep, context, "run", "plan and run a sweep, or go on with it if it was cut");
  run->add_option("spec", options->spec, "sweep specification (YAML)")->required();
  auto* connect = run->add_option("--connect", context.connect, "a running coordinator, HOST:PORT");
  add_identity_option(*run, context);
  run->add_option("--nodes", options->run.nodes, "node processes of a local farm")
      ->check(CLI::Range(1u, 256u))
      ->capture_default_str()
      ->excludes(connect);
  run->add_option("--workers", options->run.workers,
                  "workers in each local node (default: the cores shared between the nodes)")
      ->check(CLI::Range(1u, 4096u))
      ->excludes(connect);
  run->add_flag_callback(
      "--detach", [options] { options->run.wait = Wait::No; },
      "submit and do not wait for the end");
  run->callback([&context, options] {
    context.run = [&context, options] { return run_sweep(context, *options); };
  });

  const std::pair<const char*, const char*> actions[] = {
      {"pause", "grant no more leases; what runs is finished and kept"},
      {"resume", "go on with a paused sweep"},
      {"cancel", "stop for good; what is committed stays"}};
  for (const auto& [action, help] : actions) {
    CLI::App* command = add_command(*sweep, context, action, help);
    command->add_option("id", options->id, "sweep id, a unique prefix, its name, or `last`")
        ->required();
    command->add_option("--connect", context.connect, "a running coordinator, HOST:PORT");
    add_identity_option(*command, context);
    command->callback([&context, options, name = std::string(action)] {
      context.run = [&context, options, name] { return control_sweep(context, *options, name); };
    });
  }

  CLI::App* extend = add_command(*sweep, context, "extend",
                                 "go on with a sweep that is finished or has used up its budget");
  extend->add_option("id", options->id, "sweep id, a unique prefix, its name, or `last`")
      ->required();
  extend
      ->add_option("--budget", options->more_trials,
                   "so many more trials; a random or sobol search that has run all it planned "
                   "goes on as a new sweep")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  extend->add_option("--cpu-hours", options->more_cpu_hours, "so many more hours of CPU time")
      ->check(CLI::Range(1e-6, 1e6));
  extend->add_option("--connect", context.connect, "a running coordinator, HOST:PORT");
  extend->callback([&context, options] {
    context.run = [&context, options] { return control_sweep(context, *options, "extend"); };
  });

  CLI::App* list = add_command(*sweep, context, "list", "all sweeps, the latest last");
  add_connect_option(*list, context);
  list->callback([&context] { context.run = [&context] { return run_sweep_list(context); }; });
  CLI::App* show = add_command(*sweep, context, "show", "what is known of a sweep");
  show->add_option("id", options->id, "sweep id, a unique prefix, its name, or `last`")->required();
  add_connect_option(*show, context);
  show->callback([&context, options] {
    context.run = [&context, options] { return run_sweep_show(context, options->id); };
  });
}

}  // namespace winnow::cli
