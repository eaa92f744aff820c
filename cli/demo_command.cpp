#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "cli/app.hpp"
#include "cli/catalog.hpp"
#include "cli/farm.hpp"
#include "cli/market_spec.hpp"
#include "cli/output.hpp"
#include "cli/result_render.hpp"
#include "cli/results.hpp"
#include "cli/sweep_progress.hpp"
#include "cli/table.hpp"

namespace winnow::cli {
namespace {

struct DemoOptions {
  bool quick = false;
  RunOptions run;
};

constexpr std::uint64_t kMarketSeed = 1;
constexpr std::uint64_t kLeaderboardRows = 10;

void say(const Context& context, const std::string& text) {
  if (context.quiet || context.json) return;
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

/// The two simulated markets; nothing to do if they are there. Fails: as synth_datasets.
Status make_markets(const Context& context) {
  auto datasets = open_datasets(context.home());
  if (!datasets) return datasets.error();
  say(context,
      "1/4 two simulated markets: sim-btc has a planted mean-reverting edge, sim-eth is "
      "pure noise");
  auto made = synth_datasets(*datasets, {.spec_file = config_dir() / "markets" / "demo.yaml",
                                         .seed = kMarketSeed,
                                         .name = "sim",
                                         .now = system_clock().now()});
  if (!made) return made.error();
  for (const auto& outcome : *made) {
    const store::Manifest& m = outcome.manifest;
    say(context, "    " + m.name + ": " + std::to_string(m.bars) + " bars of " +
                     format_duration(m.interval) + ", content " + m.content_hash.substr(0, 12));
  }
  return {};
}

/// Prints the answer to a question as the command of that name would.
Status show(const Context& context, std::string_view question, const Json& args,
            std::string (*render)(const Json&, std::size_t)) {
  const auto answer = answer_query(context, question, args);
  if (!answer) return answer.error();
  if (!context.quiet) {
    std::printf("%s\n", render(*answer, terminal_columns(STDOUT_FILENO)).c_str());
  }
  return {};
}

Result<RunSummary> run_sweep(const Context& context, const DemoOptions& options) {
  const auto spec = config_dir() / "sweeps" / (options.quick ? "quick.yaml" : "quickstart.yaml");
  auto submit = make_submission(spec);
  if (!submit) return submit.error();
  auto session = FarmSession::open(context, options.run, *submit);
  if (!session) return session.error();
  say(context, "2/4 a farm of local processes at " + (*session)->endpoint() + ", sweep " +
                   spec.stem().string());
  SweepProgress progress(context, "demo");
  auto summary = (*session)->run(*submit, Wait::UntilDone,
                                 [&](const actors::Progress& p) { progress.update(p); });
  progress.finish();
  return summary;
}

int run_demo(const Context& context, const DemoOptions& options) {
  const Status markets = make_markets(context);
  if (!markets) return fail(context, markets.error());
  const auto summary = run_sweep(context, options);
  if (!summary) return fail(context, summary.error());
  const std::string& id = summary->submitted.sweep;
  const auto report =
      std::filesystem::absolute(context.home()) / "reports" / ("demo-" + id + ".html");
  std::error_code ec;
  std::filesystem::create_directories(report.parent_path(), ec);
  if (context.json) {
    const auto verdicts = answer_query(context, "converge", {{"sweep", id}});
    if (!verdicts) return fail(context, verdicts.error());
    Context silent = context;
    silent.json = false;
    silent.quiet = true;
    const int written = run_report(silent, id, report.string());
    if (written != kDone) return written;
    const Json out = {{"sweep_id", id},
                      {"sweep", id},
                      {"trials", summary->last.trials_committed},
                      {"wall_s", summary->wall_s},
                      {"report", report.string()},
                      {"converge", *verdicts}};
    print_json(out);
    return kDone;
  }
  say(context, "3/4 the leaderboard, and whether whole families agree\n");
  const Status top = show(context, "top", {{"sweep", id}, {"limit", kLeaderboardRows}}, render_top);
  if (!top) return fail(context, top.error());
  const Status verdicts = show(context, "converge", {{"sweep", id}}, render_converge);
  if (!verdicts) return fail(context, verdicts.error());
  say(context, "4/4 a report with plots");
  const int written = run_report(context, id, report.string());
  if (written != kDone) return written;
  const std::string home = context.home_option.empty() ? "" : " --home " + context.home().string();
  say(context, "\nwhere to look:\n  report       " + report.string() +
                   "\n  leaderboard  winnow top " + id + home +
                   "\n  verdicts     winnow converge " + id + home +
                   "\n  one variant  winnow explain " + id + " 0" + home + "\n  state        " +
                   context.home().string());
  return kDone;
}

}  // namespace

void add_demo_command(Command& app, Context& context) {
  auto options = std::make_shared<DemoOptions>();
  options->run.nodes = 2;
  Command* demo = add_command(
      app, context, "demo",
      "the main job on simulated markets: a farm of local processes, a sweep of 15,000 variants, "
      "convergence, a report");
  demo->add_flag("--quick", options->quick, "fewer parameters: about 10,000 variants");
  demo->add_option("--nodes", options->run.nodes, "node processes")
      ->in_range(1u, 256u)
      ->capture_default_str();
  demo->add_option("--workers", options->run.workers, "workers in each node")->in_range(1u, 4096u);
  demo->callback([&context, options] {
    context.run = [&context, options] { return run_demo(context, *options); };
  });
}

}  // namespace winnow::cli
