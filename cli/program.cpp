#include "cli/program.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>

#include "base/text.hpp"
#include "cli/app.hpp"
#include "cli/log.hpp"
#include "cli/output.hpp"
#include "cli/stop_signals.hpp"
#include "cli/version.hpp"
#include "cli/words.hpp"

namespace winnow::cli {
namespace {

/// The last words where an exception reaches no handler, such as in a thread of a library.
[[noreturn]] void end_in_words() {
  std::string why = "it gave no reason";
  try {
    if (const auto pending = std::current_exception()) std::rethrow_exception(pending);
  } catch (const std::exception& e) {
    why = e.what();
  } catch (...) {
  }
  std::fprintf(stderr, "error: winnow had to stop: %s\n", terminal_text(why).c_str());
  ::_exit(kFailed);
}

void begin() {
  // Results go to stdout, logs to stderr; a reader that closes the pipe early is not an error.
  std::signal(SIGPIPE, SIG_IGN);
  std::set_terminate(end_in_words);
  begin_log();
}

void add_all_commands(Command& app, Context& context) {
  app.require_subcommand();
  app.add_version_flag("--version", "version, commit, engine and instruction set");
  app.footer(
      "--home, --json, --quiet, --connect, --user, --identity and --token-file may stand before "
      "the "
      "command or after it.");
  app.add_subcommand("help", "what the program or a command does: winnow help [COMMAND]");
  add_farm_commands(app, context);
  add_data_commands(app, context);
  add_strategy_commands(app, context);
  add_backtest_command(app, context);
  add_size_command(app, context);
  add_sweep_commands(app, context);
  add_config_commands(app, context);
  add_result_commands(app, context);
  add_opening_commands(app, context);
  add_cluster_commands(app, context);
  add_token_commands(app, context);
  add_launch_commands(app, context);
  add_store_commands(app, context);
  add_verify_commands(app, context);
}

int print_version(const Context& context) {
  if (context.json) {
    print_json(version_json());
  } else {
    write_stdout(version_text() + "\n");
  }
  return kDone;
}

int parse_and_run(const std::vector<std::string>& words, Context& context) {
  Command app("winnow", "Winnow: the experiment farm that separates grain from chaff.");
  add_all_commands(app, context);
  auto arranged = arrange_words(app, words);
  if (!arranged) return fail(context, arranged.error());
  const auto asked = app.parse(*std::move(arranged), std::cout);
  if (!asked) return fail(context, asked.error());
  if (*asked == Asked::Help) return kDone;
  if (*asked == Asked::Version) return print_version(context);
  if (context.stops == Stops::AtOnce) release_stop_signals();
  return context.run ? context.run() : kBadInput;
}

/// A result that did not arrive is no success.
int with_output(int status) {
  const Status written = check_output();
  if (written.ok()) return status;
  std::fprintf(stderr, "error: %s\n", written.error().text().c_str());
  return status == kDone ? kFailed : status;
}

}  // namespace

int run_program(const std::vector<std::string>& words) {
  begin();
  Context context;
  context.argv = words;
  // An error before the parser came to it is told in the form that was asked for.
  context.json = std::find(words.begin(), words.end(), "--json") != words.end();
  try {
    return with_output(parse_and_run(words, context));
  } catch (const std::exception& e) {
    return with_output(fail(context, Error(ErrorCode::Internal, e.what())));
  }
}

}  // namespace winnow::cli
