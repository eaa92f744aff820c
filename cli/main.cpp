#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "cli/app.hpp"

int main(int argc, char** argv) {
  using namespace winnow::cli;
  // Results go to stdout, logs to stderr; a reader that closes the pipe early is not an error.
  std::signal(SIGPIPE, SIG_IGN);
  spdlog::set_default_logger(spdlog::stderr_logger_mt("winnow"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);

  Context context;
  context.argv.assign(argv, argv + argc);
  CLI::App app{"Winnow: the experiment farm that separates grain from chaff.", "winnow"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "winnow 0.1.0");
  add_farm_commands(app, context);
  add_data_commands(app, context);
  add_strategy_commands(app, context);
  add_sweep_commands(app, context);
  add_config_commands(app, context);
  add_result_commands(app, context);
  add_cluster_commands(app, context);
  add_launch_commands(app, context);
  add_store_commands(app, context);
  add_verify_commands(app, context);
  const winnow::Status words = check_command_words(app, {argv + std::min(argc, 1), argv + argc});
  if (!words.ok()) return fail(context, words.error());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e, std::cout, std::cerr);  // --help, --version
    // The parser stopped before it may have come to --json.
    context.json =
        std::find(context.argv.begin(), context.argv.end(), "--json") != context.argv.end();
    return fail(context, winnow::Error(winnow::ErrorCode::InvalidInput, e.what()));
  }
  return context.run ? context.run() : kBadInput;
}
