#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

// Commands and their options, as the files of this room declare them. Behind it stands CLI11, whose
// headers take seconds to compile: command.cpp alone includes them.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace winnow::cli {

/// Why a word is not what an option takes; empty: it is.
using Check = std::function<std::string(const std::string&)>;

/// Purpose: what one option or positional takes. Owner: its command. Thread: one.
/// Each setting gives the option itself, so that they can be said in one breath.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(option) {}
  Option(const Option&) = delete;
  Option& operator=(const Option&) = delete;

  /// A command line without it is refused.
  Option* required();
  /// Help shows the value that the variable has now.
  Option* capture_default_str();
  /// The two do not go together.
  Option* excludes(const Option* other);

  // What a value must be, beside of the variable's type. Help names ranges, sets and files.
  Option* check(Check why_not);
  Option* in_range(int least, int most);
  Option* in_range(unsigned least, unsigned most);
  Option* in_range(std::uint64_t least, std::uint64_t most);
  Option* in_range(double least, double most);
  Option* one_of(const std::vector<std::string>& words);
  Option* existing_file();
  /// Bytes, with a unit or without: 20GB, 20 kb (1000), 20KiB (1024).
  Option* as_size();

  // For vectors.
  /// Takes from `least` to `most` values.
  Option* expected(int least, int most);
  /// Given again, it adds to what was given before.
  Option* take_all();
  /// Takes one word each time, so that a positional may follow it.
  Option* one_word_each();
  /// A word is several values, with `separator` between them.
  Option* delimiter(char separator);

  /// How many values the command line has for it.
  std::size_t count() const;

 private:
  CLI::Option& option_;
};

/// What follows an option on the command line.
enum class Takes {
  Unknown,  ///< there is no such option
  Nothing,  ///< it is a flag
  Value,
};

/// What a command line asked for.
enum class Asked {
  Command,  ///< the callbacks of the command that it names have run
  Help,     ///< it is written
  Version,
};

/// Purpose: the program, or a command of it: its options and its own commands. Owner: the command
/// above it; main that of the program. Thread: one.
///
/// Variables get their values in parse() and must live until then. Every option says what it is
/// for: one without help throws std::logic_error, which no run of the program survives.
class Command {
 public:
  /// The program.
  Command(const std::string& name, const std::string& description);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  Command* add_subcommand(const std::string& name, const std::string& description);
  /// A command line that names none of its commands is refused.
  void require_subcommand();

  /// `name`: `--long`, `--long,-l`, or without dashes that of a positional.
  Option* add_option(const std::string& name, std::string& value, const std::string& help);
  Option* add_option(const std::string& name, std::filesystem::path& value,
                     const std::string& help);
  Option* add_option(const std::string& name, int& value, const std::string& help);
  Option* add_option(const std::string& name, std::uint32_t& value, const std::string& help);
  Option* add_option(const std::string& name, std::uint64_t& value, const std::string& help);
  Option* add_option(const std::string& name, double& value, const std::string& help);
  Option* add_option(const std::string& name, std::vector<std::string>& values,
                     const std::string& help);
  Option* add_option(const std::string& name, std::vector<std::uint64_t>& values,
                     const std::string& help);
  Option* add_flag(const std::string& name, bool& is_set, const std::string& help);
  Option* add_flag_callback(const std::string& name, std::function<void()> when_set,
                            const std::string& help);
  /// A flag that makes parse() give Asked::Version.
  void add_version_flag(const std::string& name, const std::string& help);
  /// The last lines of its help.
  void footer(const std::string& text);
  /// Called by parse() where the command line names this command or one below it.
  void callback(std::function<void()> named);

  /// Sets variables and calls callbacks; help that is asked for goes to `help_to`. Fails:
  /// InvalidInput, in CLI11's words. Requires: this is the program.
  Result<Asked> parse(std::vector<std::string> words, std::ostream& help_to);
  /// Whether what was parsed names one of its commands.
  bool has_parsed_subcommand() const;

  std::string name() const;
  bool needs_subcommand() const;
  /// One of its commands; null where it has none of that name.
  const Command* subcommand(std::string_view name) const;
  /// In the order in which they were added, and so are options: long names, then short ones.
  std::vector<std::string> subcommand_names() const;
  std::vector<std::string> option_names() const;
  Takes takes(const std::string& option) const;

 private:
  explicit Command(CLI::App& app);
  template <class T>
  Option* add(const std::string& name, T& value, const std::string& help);
  Option* keep(CLI::Option* option);
  void check_help(const std::string& name, const std::string& help) const;

  std::unique_ptr<CLI::App> program_;  ///< null but for the program
  CLI::App& app_;
  std::deque<Option> options_;
  std::vector<std::unique_ptr<Command>> commands_;
};

}  // namespace winnow::cli
