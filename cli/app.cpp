#include "cli/app.hpp"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace winnow::cli {

int exit_status(const Error& error) {
  switch (error.code()) {
    case ErrorCode::InvalidInput:
    case ErrorCode::NotFound: return kBadInput;
    case ErrorCode::Refused: return kRefused;
    case ErrorCode::Cancelled: return kInterrupted;
    default: return kFailed;
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

std::filesystem::path config_dir() {
  if (const char* env = std::getenv("WINNOW_CONFIGS"); env != nullptr && *env != '\0') return env;
  return WINNOW_CONFIG_DIR;
}

}  // namespace winnow::cli
