#include "cli/program.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>

#include "base/text.hpp"
#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/stop_signals.hpp"
#include "cli/version.hpp"
#include "cli/words.hpp"

namespace winnow::cli {
namespace {

/// Purpose: a log line stays one line of text, whatever it quotes of files and peers.
class LogFormatter final : public spdlog::formatter {
 public:
  LogFormatter() : inner_("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string text =
        log_text(std::string_view(message.payload.data(), message.payload.size()));
    spdlog::details::log_msg safe = message;
    safe.payload = spdlog::string_view_t(text.data(), text.size());
    inner_.format(safe, out);
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LogFormatter>();
  }

 private:
  spdlog::pattern_formatter inner_;
};

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
  if (spdlog::get("winnow") == nullptr) {
    spdlog::set_default_logger(spdlog::stderr_logger_mt("winnow"));
  }
  spdlog::set_formatter(std::make_unique<LogFormatter>());
}

void add_all_commands(CLI::App& app, Context& context) {
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text, "version, commit, engine and instruction set");
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
  CLI::App app{"Winnow: the experiment farm that separates grain from chaff.", "winnow"};
  add_all_commands(app, context);
  auto arranged = arrange_words(app, words);
  if (!arranged) return fail(context, arranged.error());
  try {
    std::reverse(arranged->begin(), arranged->end());  // as the parser wants it
    app.parse(std::move(*arranged));
  } catch (const CLI::CallForVersion&) {
    return print_version(context);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e, std::cout, std::cerr);  // --help
    return fail(context, Error(ErrorCode::InvalidInput, e.what()));
  }
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
