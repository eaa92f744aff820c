#include "cli/app.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cli/output.hpp"

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
  if (const char* folder = std::getenv("HOME"); folder != nullptr && *folder != '\0') {
    return std::filesystem::path(folder) / ".local/share/winnow";
  }
  return ".winnow";
}

int fail(const Context& context, const Error& error) {
  if (context.json) {
    print_json(nlohmann::json{{"error", error.text()}}, -1);
  }
  std::fprintf(stderr, "error: %s\n", terminal_text(error.text()).c_str());
  return exit_status(error);
}

Command* add_command(Command& parent, Context& context, const std::string& name,
                     const std::string& description) {
  Command* command = parent.add_subcommand(name, description);
  command->add_option("--home", context.home_option,
                      "where state lives (default: $WINNOW_HOME, else ~/.local/share/winnow)");
  command->add_flag("--json", context.json, "one JSON document on stdout");
  command->add_flag("--quiet,-q", context.quiet, "no progress");
  return command;
}

Check natural_number(std::uint64_t least) {
  return [least](const std::string& text) -> std::string {
    std::uint64_t n = 0;
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, n);
    if (error == std::errc() && at == end && n >= least) return {};
    return "'" + text + "' is not a whole number from " + std::to_string(least) + " on";
  };
}

std::optional<std::filesystem::path> installed_configs(const std::filesystem::path& program) {
  const auto configs = program.parent_path().parent_path() / "share/winnow/configs";
  std::error_code ec;
  if (!std::filesystem::is_directory(configs, ec)) return std::nullopt;
  return configs;
}

std::filesystem::path config_dir() {
  if (const char* env = std::getenv("WINNOW_CONFIGS"); env != nullptr && *env != '\0') return env;
  std::error_code ec;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ec);
  if (const auto configs = installed_configs(program); !ec && configs) return *configs;
  return WINNOW_CONFIG_DIR;
}

}  // namespace winnow::cli
