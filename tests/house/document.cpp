#include "tests/house/document.hpp"

#include <algorithm>
#include <array>

#include "tests/house/source_tree.hpp"

namespace winnow::house {

namespace {

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

constexpr std::string_view kNoRun = "sh no-run";

/// Purpose: reads one document line by line.
class Reader {
 public:
  Document finish(std::string_view markdown) && {
    for (const std::string& line : split_lines(markdown)) {
      ++line_;
      read_line(line);
    }
    if (inside_) error("the block that starts here does not end", begin_);
    return std::move(document_);
  }

 private:
  void error(const std::string& message, std::size_t line) {
    document_.errors.push_back("line " + std::to_string(line) + ": " + message);
  }

  void read_line(const std::string& line) {
    const std::string_view text = trim(line);
    if (!text.starts_with("```")) {
      if (inside_) body_.push_back(line);
      return;
    }
    if (inside_) {
      close();
    } else {
      inside_ = true;
      begin_ = line_;
      info_ = trim(text.substr(3));
      body_.clear();
    }
  }

  void close() {
    inside_ = false;
    if (info_ == "sh" || info_ == "sh needs-shared" ||
        std::string_view(info_).starts_with(kNoRun)) {
      close_commands();
    } else if (info_ == "text output") {
      close_output();
    } else if (is_shell(info_.substr(0, info_.find(' ')))) {
      error("'" + info_ + "' is not run; write sh, sh needs-shared or 'sh no-run: REASON'", begin_);
    }
  }

  static bool is_shell(std::string_view word) {
    static constexpr std::array<std::string_view, 6> kShells = {"sh",      "bash",          "shell",
                                                                "console", "shell-session", "zsh"};
    return std::find(kShells.begin(), kShells.end(), word) != kShells.end();
  }

  void close_commands() {
    CommandBlock block;
    block.line = begin_ + 1;
    for (const std::string& line : body_) block.commands += line + "\n";
    if (std::string_view(info_).starts_with(kNoRun)) {
      block.when = CommandBlock::When::Never;
      const std::string_view rest = trim(std::string_view(info_).substr(kNoRun.size()));
      if (!rest.starts_with(':') || trim(rest.substr(1)).empty()) {
        error("'sh no-run' needs its reason: 'sh no-run: REASON'", begin_);
      }
    } else if (info_ != "sh") {
      block.when = CommandBlock::When::WithSharedData;
    }
    document_.blocks.push_back(std::move(block));
  }

  void close_output() {
    if (document_.blocks.empty() || !document_.blocks.back().expected.empty()) {
      return error("'text output' follows the commands that print it", begin_);
    }
    document_.blocks.back().expected = body_;
    document_.blocks.back().expected_line = begin_ + 1;
  }

  Document document_;
  std::size_t line_ = 0;
  std::size_t begin_ = 0;
  bool inside_ = false;
  std::string info_;
  std::vector<std::string> body_;
};

/// Whether `line` is `pattern` with anything in place of each `...`; spaces at the ends aside.
bool line_matches(std::string_view line, std::string_view pattern) {
  line = trim(line);
  pattern = trim(pattern);
  std::size_t dots = pattern.find("...");
  if (dots == std::string_view::npos) return line == pattern;
  if (!line.starts_with(pattern.substr(0, dots))) return false;
  line.remove_prefix(dots);
  for (;;) {
    pattern.remove_prefix(dots + 3);
    dots = pattern.find("...");
    if (dots == std::string_view::npos) return line.ends_with(pattern);
    const std::size_t found = line.find(pattern.substr(0, dots));
    if (found == std::string_view::npos) return false;
    line.remove_prefix(found + dots);
  }
}

}  // namespace

Document read_document(std::string_view markdown) { return Reader().finish(markdown); }

std::string first_missing_line(const std::vector<std::string>& expected, std::string_view output) {
  const std::vector<std::string> lines = split_lines(output);
  auto at = lines.begin();
  for (const std::string& pattern : expected) {
    if (trim(pattern).empty() || trim(pattern) == "...") continue;
    at = std::find_if(at, lines.end(),
                      [&pattern](const std::string& line) { return line_matches(line, pattern); });
    if (at == lines.end()) return pattern;
    ++at;
  }
  return {};
}

}  // namespace winnow::house
