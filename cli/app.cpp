#include "cli/app.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "sweeps/names.hpp"

namespace winnow::cli {

int exit_status(const Error& error) {
  switch (error.code()) {
    case ErrorCode::InvalidInput:
    case ErrorCode::NotFound:
      return kBadInput;
    case ErrorCode::Refused:
      return kRefused;
    case ErrorCode::Cancelled:
      return kInterrupted;
    default:
      return kFailed;
  }
}

std::filesystem::path Context::home() const {
  if (!home_option.empty()) return home_option;
  if (const char* env = std::getenv("WINNOW_HOME"); env != nullptr && *env != '\0') return env;
  if (const char* user = std::getenv("HOME"); user != nullptr && *user != '\0') {
    return std::filesystem::path(user) / ".local/share/winnow";
  }
  return ".winnow";
}

int fail(const Context& context, const Error& error) {
  if (context.json) {
    std::printf("%s\n", nlohmann::json{{"error", error.text()}}.dump().c_str());
  }
  std::fprintf(stderr, "error: %s\n", error.text().c_str());
  return exit_status(error);
}

CLI::App* add_command(CLI::App& parent, Context& context, const std::string& name,
                      const std::string& description) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->add_option("--home", context.home_option,
                      "where state lives (default: $WINNOW_HOME, else ~/.local/share/winnow)");
  command->add_flag("--json", context.json, "one JSON document on stdout");
  command->add_flag("--quiet,-q", context.quiet, "no progress");
  return command;
}

Status check_command_words(const CLI::App& app, std::span<char* const> words) {
  const CLI::App* at = &app;
  std::string path = app.get_name();
  for (const char* const raw : words) {
    const std::string word = raw;
    if (at->get_require_subcommand_min() == 0) return {};
    if (!word.empty() && word.front() == '-') return {};  // the parser knows what to make of it
    std::vector<std::string> names;
    const CLI::App* next = nullptr;
    for (const CLI::App* command : at->get_subcommands(nullptr)) {
      names.push_back(command->get_name());
      if (command->get_name() == word) next = command;
    }
    if (next == nullptr) {
      return Error(ErrorCode::InvalidInput, "`" + path + "` has no command " +
                                                sweeps::show_text(word) +
                                                sweeps::did_you_mean(word, names) +
                                                "; allowed: " + sweeps::join_names(names));
    }
    at = next;
    path += " " + word;
  }
  if (at->get_require_subcommand_min() == 0) return {};
  std::vector<std::string> names;
  for (const CLI::App* command : at->get_subcommands(nullptr)) names.push_back(command->get_name());
  return Error(ErrorCode::InvalidInput, "`" + path + "` needs a command; allowed: " +
                                            sweeps::join_names(names) + "; --help says more");
}

CLI::Validator natural_number(std::uint64_t least) {
  const auto check = [least](const std::string& text) -> std::string {
    std::uint64_t n = 0;
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, n);
    if (error == std::errc() && at == end && n >= least) return {};
    return "'" + text + "' is not a whole number from " + std::to_string(least) + " on";
  };
  return CLI::Validator(check, "");
}

std::filesystem::path config_dir() {
  if (const char* env = std::getenv("WINNOW_CONFIGS"); env != nullptr && *env != '\0') return env;
  return WINNOW_CONFIG_DIR;
}

}  // namespace winnow::cli
