#include "cli/words.hpp"

#include <algorithm>
#include <array>

#include "base/names.hpp"

namespace winnow::cli {
namespace {

/// What may stand before the command, too.
struct ProgramOption {
  std::string_view name;
  bool takes_value;
  bool every_command;  ///< has a meaning for each; others let it pass where it means nothing
};
constexpr std::array<ProgramOption, 8> kProgramOptions = {{{"--home", true, true},
                                                           {"--connect", true, true},
                                                           {"--json", false, true},
                                                           {"--quiet", false, true},
                                                           {"-q", false, true},
                                                           {"--user", true, false},
                                                           {"--identity", true, false},
                                                           {"--token-file", true, false}}};

std::string_view option_name(std::string_view word) { return word.substr(0, word.find('=')); }

const ProgramOption* program_option(std::string_view word) {
  const auto found =
      std::find_if(kProgramOptions.begin(), kProgramOptions.end(),
                   [&](const ProgramOption& o) { return o.name == option_name(word); });
  return found == kProgramOptions.end() ? nullptr : &*found;
}

/// Whether a word names an option rather than a value (`-1` and `-` do not).
bool looks_like_option(std::string_view word) {
  if (word.size() < 2 || word[0] != '-') return false;
  if (word[1] == '-') return word.size() > 2;
  return word.size() == 2 &&
         ((word[1] >= 'a' && word[1] <= 'z') || (word[1] >= 'A' && word[1] <= 'Z'));
}

Error no_option(const std::string& path, std::string_view word,
                const std::vector<std::string>& names) {
  return Error(ErrorCode::InvalidInput,
               "`" + path + "` has no option " + show_text(option_name(word)) +
                   did_you_mean(option_name(word), names) + "; `" + path + " --help` shows all");
}

/// Purpose: takes a command line apart, word by word. Owner: arrange_words. Thread: one.
class Arrangement {
 public:
  Arrangement(const Command& app, std::span<const std::string> words)
      : at_(&app), path_(app.name()), words_(words) {}

  Result<std::vector<std::string>> make() {
    while (next_ < words_.size() && at_->needs_subcommand()) {
      const std::string& word = words_[next_];
      if (program_option(word) != nullptr) {
        take_program_option();
      } else if (names_.empty() && !help_ && word == "help" && !asks_for_help(next_ + 1)) {
        help_ = true;
        ++next_;
      } else if (looks_like_option(word)) {
        break;
      } else {
        const Command* const command = at_->subcommand(word);
        if (command == nullptr) return no_command(word);
        enter(*command);
      }
    }
    WINNOW_TRY(check_command());
    WINNOW_TRY(check_options());
    return in_order();
  }

 private:
  bool asks_for_help(std::size_t i) const {
    return i < words_.size() && (words_[i] == "--help" || words_[i] == "-h");
  }

  void take_program_option() {
    const std::string& word = words_[next_];
    const ProgramOption& option = *program_option(word);
    std::vector<std::string> given = {word};
    ++next_;
    const bool apart = option.takes_value && word.find('=') == std::string::npos;
    if (apart && next_ < words_.size()) given.push_back(words_[next_++]);
    before_.push_back({&option, std::move(given)});
  }

  void enter(const Command& command) {
    names_.push_back(words_[next_++]);
    at_ = &command;
    path_ += " " + command.name();
  }

  Error no_command(const std::string& word) const {
    const auto names = at_->subcommand_names();
    return Error(ErrorCode::InvalidInput, "`" + path_ + "` has no command " + show_text(word) +
                                              did_you_mean(word, names) +
                                              "; allowed: " + join_names(names));
  }

  /// A command was named, or it is asked what there is.
  Status check_command() const {
    if (help_ || !at_->needs_subcommand()) return {};
    if (next_ < words_.size()) return {};  // an option of its own, or none: check_options
    return Error(ErrorCode::InvalidInput, "`" + path_ + "` needs a command; allowed: " +
                                              join_names(at_->subcommand_names()) +
                                              "; `winnow help` says more");
  }

  /// `winnow --help` and the like: what else stands there says nothing.
  bool asks_about_itself() const {
    return at_->needs_subcommand() && next_ < words_.size() &&
           (asks_for_help(next_) || words_[next_] == "--version");
  }

  Status check_options() const {
    if (help_ || asks_about_itself()) return {};
    std::vector<std::string> names = at_->option_names();
    for (std::size_t i = next_; i < words_.size(); ++i) {
      const std::string& word = words_[i];
      if (word == "--") return {};
      if (!looks_like_option(word)) continue;
      const Takes takes = at_->takes(std::string(option_name(word)));
      if (takes == Takes::Unknown) {
        if (at_->needs_subcommand()) {
          for (const ProgramOption& o : kProgramOptions) names.emplace_back(o.name);
        }
        return no_option(path_, word, names);
      }
      const bool apart = takes == Takes::Value && word.find('=') == std::string::npos;
      if (apart) ++i;  // its value, whatever that looks like
    }
    return {};
  }

  std::vector<std::string> in_order() const {
    std::vector<std::string> out = names_;
    if (help_) {
      out.emplace_back("--help");
      return out;
    }
    if (asks_about_itself()) {
      out.push_back(words_[next_]);
      return out;
    }
    for (const auto& [option, given] : before_) {
      const bool known = at_->takes(std::string(option->name)) != Takes::Unknown;
      if (known || option->every_command) out.insert(out.end(), given.begin(), given.end());
    }
    out.insert(out.end(), words_.begin() + static_cast<std::ptrdiff_t>(next_), words_.end());
    return out;
  }

  struct Given {
    const ProgramOption* option;
    std::vector<std::string> words;
  };

  const Command* at_;
  std::string path_;
  std::span<const std::string> words_;
  std::size_t next_ = 0;
  bool help_ = false;
  std::vector<std::string> names_;
  std::vector<Given> before_;
};

}  // namespace

Result<std::vector<std::string>> arrange_words(const Command& app,
                                               std::span<const std::string> words) {
  return Arrangement(app, words).make();
}

}  // namespace winnow::cli
