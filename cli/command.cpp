#include "cli/command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>
#include <stdexcept>

#include "base/check.hpp"

namespace winnow::cli {

Option* Option::required() {
  option_.required();
  return this;
}

Option* Option::capture_default_str() {
  option_.capture_default_str();
  return this;
}

Option* Option::excludes(const Option* other) {
  option_.excludes(&other->option_);
  return this;
}

Option* Option::check(Check why_not) {
  option_.check(std::move(why_not));
  return this;
}

Option* Option::in_range(int least, int most) {
  option_.check(CLI::Range(least, most));
  return this;
}

Option* Option::in_range(unsigned least, unsigned most) {
  option_.check(CLI::Range(least, most));
  return this;
}

Option* Option::in_range(std::uint64_t least, std::uint64_t most) {
  option_.check(CLI::Range(least, most));
  return this;
}

Option* Option::in_range(double least, double most) {
  option_.check(CLI::Range(least, most));
  return this;
}

Option* Option::one_of(const std::vector<std::string>& words) {
  option_.check(CLI::IsMember(words));
  return this;
}

Option* Option::existing_file() {
  option_.check(CLI::ExistingFile);
  return this;
}

Option* Option::as_size() {
  option_.transform(CLI::AsSizeValue(true));
  return this;
}

Option* Option::expected(int least, int most) {
  option_.expected(least, most);
  return this;
}

Option* Option::take_all() {
  option_.take_all();
  return this;
}

Option* Option::one_word_each() {
  option_.allow_extra_args(false);
  return this;
}

Option* Option::delimiter(char separator) {
  option_.delimiter(separator);
  return this;
}

std::size_t Option::count() const { return option_.count(); }

Command::Command(const std::string& name, const std::string& description)
    : program_(std::make_unique<CLI::App>(description, name)), app_(*program_) {}

Command::Command(CLI::App& app) : app_(app) {}

Command::~Command() = default;

Command* Command::add_subcommand(const std::string& name, const std::string& description) {
  CLI::App* const app = app_.add_subcommand(name, description);
  commands_.push_back(std::unique_ptr<Command>(new Command(*app)));
  return commands_.back().get();
}

void Command::require_subcommand() { app_.require_subcommand(1); }

template <class T>
Option* Command::add(const std::string& name, T& value, const std::string& help) {
  check_help(name, help);
  return keep(app_.add_option(name, value, help));
}

Option* Command::keep(CLI::Option* option) { return &options_.emplace_back(*option); }

void Command::check_help(const std::string& name, const std::string& help) const {
  if (help.empty()) throw std::logic_error("`" + app_.get_name() + "`: " + name + " has no help");
}

Option* Command::add_option(const std::string& name, std::string& value, const std::string& help) {
  return add(name, value, help);
}

Option* Command::add_option(const std::string& name, std::filesystem::path& value,
                            const std::string& help) {
  return add(name, value, help);
}

Option* Command::add_option(const std::string& name, int& value, const std::string& help) {
  return add(name, value, help);
}

Option* Command::add_option(const std::string& name, std::uint32_t& value,
                            const std::string& help) {
  return add(name, value, help);
}

Option* Command::add_option(const std::string& name, std::uint64_t& value,
                            const std::string& help) {
  return add(name, value, help);
}

Option* Command::add_option(const std::string& name, double& value, const std::string& help) {
  return add(name, value, help);
}

Option* Command::add_option(const std::string& name, std::vector<std::string>& values,
                            const std::string& help) {
  return add(name, values, help);
}

Option* Command::add_option(const std::string& name, std::vector<std::uint64_t>& values,
                            const std::string& help) {
  return add(name, values, help);
}

Option* Command::add_flag(const std::string& name, bool& is_set, const std::string& help) {
  check_help(name, help);
  return keep(app_.add_flag(name, is_set, help));
}

Option* Command::add_flag_callback(const std::string& name, std::function<void()> when_set,
                                   const std::string& help) {
  check_help(name, help);
  return keep(app_.add_flag_callback(name, std::move(when_set), help));
}

void Command::add_version_flag(const std::string& name, const std::string& help) {
  check_help(name, help);
  app_.set_version_flag(name, std::string(), help);
}

void Command::footer(const std::string& text) { app_.footer(text); }

void Command::callback(std::function<void()> named) { app_.callback(std::move(named)); }

Result<Asked> Command::parse(std::vector<std::string> words, std::ostream& help_to) {
  WINNOW_REQUIRES(app_.get_parent() == nullptr);
  try {
    std::reverse(words.begin(), words.end());  // as CLI11 wants it
    app_.parse(std::move(words));
  } catch (const CLI::CallForVersion&) {
    return Asked::Version;
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() != 0) return bad_input(e.what());
    app_.exit(e, help_to, help_to);
    return Asked::Help;
  }
  return Asked::Command;
}

bool Command::has_parsed_subcommand() const { return !app_.get_subcommands().empty(); }

std::string Command::name() const { return app_.get_name(); }

bool Command::needs_subcommand() const { return app_.get_require_subcommand_min() > 0; }

const Command* Command::subcommand(std::string_view name) const {
  const auto found = std::find_if(commands_.begin(), commands_.end(),
                                  [&](const auto& command) { return command->name() == name; });
  return found == commands_.end() ? nullptr : found->get();
}

std::vector<std::string> Command::subcommand_names() const {
  std::vector<std::string> names;
  for (const auto& command : commands_) names.push_back(command->name());
  return names;
}

std::vector<std::string> Command::option_names() const {
  std::vector<std::string> names;
  for (const CLI::Option* option : std::as_const(app_).get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

Takes Command::takes(const std::string& option) const {
  const CLI::Option* const found = std::as_const(app_).get_option_no_throw(option);
  if (found == nullptr) return Takes::Unknown;
  return found->get_items_expected_max() > 0 ? Takes::Value : Takes::Nothing;
}

}  // namespace winnow::cli
