#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/command.hpp"

namespace winnow::cli {

/// Exit statuses users rely on.
enum ExitStatus : int { kDone = 0, kFailed = 1, kBadInput = 2, kRefused = 3, kInterrupted = 130 };
int exit_status(const Error& error);

/// What SIGINT, SIGTERM and SIGHUP do to a command (stop_signals.hpp).
enum class Stops {
  AtOnce,   ///< they end the process
  InOrder,  ///< the command takes them itself
};

/// Purpose: what every command shares: where state lives and how to speak. Owner: main.
struct Context {
  std::string home_option;  ///< --home; see home()
  std::string connect;      ///< --connect HOST:PORT; empty: open the store under the home
  std::string identity;     ///< --identity; see identity_file()
  std::string token_file;   ///< --token-file; see asker.hpp
  std::string user;         ///< --user: the name that whoever asks gives as theirs
  bool json = false;
  bool quiet = false;
  std::vector<std::string> argv;  ///< the command line as given

  /// What the chosen command does; set by its callback, run by main after parsing.
  std::function<int()> run;
  Stops stops = Stops::AtOnce;  ///< so is this

  /// --home, else $WINNOW_HOME, else ~/.local/share/winnow. Not created here.
  std::filesystem::path home() const;
};

/// Prints `error: text` to stderr (as {"error": ...} with --json) and gives its exit status.
int fail(const Context& context, const Error& error);

/// Adds the options every command takes (--home, --json, --quiet) to a subcommand.
Command* add_command(Command& parent, Context& context, const std::string& name,
                     const std::string& description);

/// A check for counts and indices: whole numbers from `least` on. (Without it the parser takes -1
/// for the largest number there is.)
Check natural_number(std::uint64_t least);

/// The configurations that came along with a program installed as `program`: of BIN/winnow,
/// BIN/../share/winnow/configs. None where there is no such folder.
std::optional<std::filesystem::path> installed_configs(const std::filesystem::path& program);

/// The configurations that come along: $WINNOW_CONFIGS, else those that were installed with this
/// program, else those of the checkout it was built from.
std::filesystem::path config_dir();

// Each file of this room adds its commands here; main calls all of them.
void add_data_commands(Command& app, Context& context);      // data import|synth|list|show|...
void add_strategy_commands(Command& app, Context& context);  // strategy
void add_backtest_command(Command& app, Context& context);   // backtest
void add_size_command(Command& app, Context& context);       // size
void add_sweep_commands(Command& app, Context& context);     // sweep
void add_config_commands(Command& app, Context& context);    // config check
void add_result_commands(Command& app, Context& context);    // top, converge, compare, report, ...
void add_opening_commands(Command& app, Context& context);   // open, reveal, void, account
void add_cluster_commands(Command& app, Context& context);   // cluster init|invite|...
void add_token_commands(Command& app, Context& context);     // token create|list|revoke, whoami
void add_launch_commands(Command& app, Context& context);    // launch local|ssh|slurm|...
void add_store_commands(Command& app, Context& context);     // store backup|restore|...
void add_verify_commands(Command& app, Context& context);    // verify stats
void add_truth_command(Command& verify, Context& context);   // verify truth, with the above
void add_farm_commands(Command& app, Context& context);      // up, node, nodes
void add_demo_command(Command& app, Context& context);       // demo, with the above

}  // namespace winnow::cli
