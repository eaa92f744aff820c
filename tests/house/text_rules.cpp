// The rules about text and style: lines, words, sizes, names.
#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "tests/house/rules.hpp"
#include "tests/house/words.hpp"

namespace winnow::house {

namespace {

/// Columns of a line: UTF-8 characters, not bytes.
std::size_t columns_of(std::string_view line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u;
  }));
}

bool is_script(const SourceFile& file) {
  return file.path.ends_with(".sh") || file.text.starts_with("#!");
}

bool is_cmake(const SourceFile& file) {
  return file.path.ends_with(".cmake") || file.path.ends_with("CMakeLists.txt");
}

bool is_code(const SourceFile& file) {
  return file.is_cpp() || is_script(file) || is_cmake(file) || file.path.ends_with(".ts") ||
         file.path.ends_with(".tsx") || file.path.ends_with(".js") || file.path.ends_with(".css");
}

/// Text that people of this project write, as opposed to data and generated files.
bool is_written(const SourceFile& file) {
  return is_code(file) || file.path.ends_with(".md") || file.path.ends_with(".yaml") ||
         file.path.ends_with(".yml") || file.path.ends_with(".txt") ||
         file.path.ends_with(".supp") || file.path == "CMakePresets.json";
}

/// The house's own rules and their tests must be able to name what they forbid.
bool names_forbidden(const SourceFile& file) { return file.path.starts_with("tests/house/"); }

struct Reporter {
  const SourceFile& file;
  Findings& findings;

  void add(const char* rule, std::size_t line, const std::string& what,
           const std::string& message) const {
    findings.push_back({rule, file.path, line, what, message});
  }
};

void check_line(const Reporter& to, std::size_t number, const std::string& line,
                const Rules& rules) {
  if (is_code(to.file) && columns_of(line) > rules.columns) {
    to.add("columns", number, std::to_string(columns_of(line)),
           "has " + std::to_string(columns_of(line)) + " columns; at most " +
               std::to_string(rules.columns));
  }
  if (line.find('\t') != std::string::npos) to.add("tab", number, "tab", "holds a tab");
  if (line.ends_with('\r')) to.add("newline", number, "cr", "ends with a carriage return");
  if (line.ends_with(' ') && !to.file.path.ends_with(".md")) {
    to.add("trailing-space", number, "space", "ends with a space");
  }
}

void check_words(const Reporter& to, std::size_t number, const std::string& line,
                 const Rules& rules) {
  for (const std::string& word : rules.words) {
    if (holds_word(line, word)) {
      to.add("word", number, word, "holds " + word + "; finish it or write down why not");
    }
  }
  const auto check_texts = [&](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      if (line.find(text) != std::string::npos) {
        to.add("text", number, text, "names " + text + ", which belongs to one machine");
      }
    }
  };
  check_texts(rules.texts);
  if (is_code(to.file) && !to.file.path.starts_with("tests/")) check_texts(rules.code_texts);
}

/// The character that opens the bracket around `at`, and its place; '\0' outside of brackets.
std::pair<char, std::size_t> opener(std::string_view code, std::size_t at) {
  int depth = 0;
  while (at > 0) {
    const char c = code[--at];
    if (c == ')' || c == '}') ++depth;
    if (c == '(' || c == '{') {
      if (depth == 0) return {c, at};
      --depth;
    }
    if (depth == 0 && c == ';') break;
  }
  return {'\0', 0};
}

bool in_private_section(std::string_view code, std::size_t at) {
  const std::string_view before = code.substr(0, at);
  const auto last = [before](std::string_view text) {
    const std::size_t found = before.rfind(text);
    return found == std::string_view::npos ? std::size_t{0} : found + 1;
  };
  const std::size_t hidden = std::max(last("private:"), last("protected:"));
  return hidden > std::max(last("public:"), last("\n};"));
}

/// Whether the word before the bracket at `open` is a statement's, not a function's name.
bool opens_statement(std::string_view code, std::size_t open) {
  const std::vector<Word> words =
      words_in(code.substr(open > 80 ? open - 80 : 0, open - (open > 80 ? open - 80 : 0)));
  static constexpr std::array kStatements = {"if", "for", "while", "switch"};
  return !words.empty() &&
         std::find(kStatements.begin(), kStatements.end(), words.back().text) != kStatements.end();
}

/// Bare bool parameters of public functions: a caller's `true` says nothing.
void check_bool_parameters(const Reporter& to) {
  std::string code;
  for (const std::string& line : to.file.code_lines) code += line + "\n";
  for (std::size_t at = code.find("bool "); at != std::string::npos;
       at = code.find("bool ", at + 1)) {
    std::size_t left = code.find_last_not_of(" \n", at == 0 ? 0 : at - 1);
    if (at == 0 || left == std::string::npos) continue;
    if (left >= 4 && code.compare(left - 4, 5, "const") == 0) {
      left = code.find_last_not_of(" \n", left - 5);
    }
    if (code[left] != '(' && code[left] != ',') continue;
    const std::size_t name_end = code.find_first_of(" ,)=;(>&*{", at + 5);
    const std::size_t right = code.find_first_not_of(" \n", name_end);
    if (name_end == at + 5 || right == std::string::npos) continue;
    if (code[right] != ',' && code[right] != ')' && code[right] != '=') continue;
    const auto [bracket, open] = opener(code, at);
    if (bracket != '(' || opens_statement(code, open) || in_private_section(code, at)) continue;
    const auto line = static_cast<std::size_t>(
        std::count(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    const std::string name = code.substr(at + 5, name_end - at - 5);
    to.add("bool-parameter", line + 1, name,
           "takes the bare bool '" + name + "' in a header; use an enum or an options struct");
  }
}

/// A test waits for facts; one helper asks for them (tests/support/eventually.hpp).
bool sleeps(const SourceFile& file, const Word& word) {
  static const std::set<std::string> kWaits{"sleep_for", "sleep_until", "nanosleep",
                                            "clock_nanosleep"};
  if (!file.path.starts_with("tests/")) return false;
  return kWaits.contains(word.text) ||
         (calls_free_function(word) && (word.text == "sleep" || word.text == "usleep"));
}

/// JSON is written and read in one place: what is no UTF-8 never ends a process (row F4), and the
/// library's reader and writer are compiled once. The reader of the statistics' vectors looks for
/// keys that stand twice, with a callback.
bool handles_json(const SourceFile& file, const std::string& code_line) {
  if (file.path.starts_with("tests/") || file.path.starts_with("bench/")) return false;
  if (file.path == "base/json_text.cpp" || file.path == "sweeps/verify/runner.cpp") return false;
  return code_line.find(".dump(") != std::string::npos ||
         code_line.find("son::parse(") != std::string::npos;
}

}  // namespace

Findings check_text(const SourceFile& file, const Rules& rules) {
  Findings findings;
  if (!is_written(file)) return findings;
  const Reporter to{file, findings};
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    check_line(to, i + 1, file.lines[i], rules);
    if (!names_forbidden(file)) check_words(to, i + 1, file.lines[i], rules);
  }
  if (!file.text.empty() && !file.text.ends_with('\n')) {
    to.add("newline", file.lines.size(), "newline", "the file does not end with a newline");
  }
  if (file.text.ends_with("\n\n")) {
    to.add("newline", file.lines.size(), "newline", "the file ends with an empty line");
  }
  return findings;
}

Findings check_style(const SourceFile& file, const Rules& rules) {
  Findings findings;
  if (!file.is_cpp()) return findings;
  const Reporter to{file, findings};
  if (file.lines.size() > rules.file_lines) {
    to.add("file-lines", 0, std::to_string(file.lines.size()),
           "has " + std::to_string(file.lines.size()) + " lines; beyond " +
               std::to_string(rules.file_lines) + " a file wants splitting");
  }
  for (std::size_t i = 0; i < file.code_lines.size(); ++i) {
    for (const Word& word : words_in(file.code_lines[i])) {
      for (const std::string& suffix : rules.identifier_suffixes) {
        if (word.text.ends_with(suffix)) {
          to.add("identifier", i + 1, word.text,
                 "names " + word.text + "; fractions end in _frac, rates in _bps");
        }
      }
      if (sleeps(file, word)) {
        to.add("sleep", i + 1, word.text, "sleeps; a test waits for a fact, not for time");
      }
    }
  }
  for (std::size_t i = 0; i < file.code_lines.size(); ++i) {
    if (handles_json(file, file.code_lines[i])) {
      to.add("json", i + 1, "json", "reads or writes JSON by hand; base/text.hpp does");
    }
  }
  if (file.is_header()) {
    const bool once = std::any_of(file.code_lines.begin(), file.code_lines.end(),
                                  [](const std::string& l) { return l == "#pragma once"; });
    // A kernel that each instruction set includes anew has a guard of its own.
    const bool per_target = file.text.find("HWY_TARGET_TOGGLE") != std::string::npos;
    if (!once && !per_target) {
      to.add("pragma-once", 1, "pragma", "a header starts with #pragma once");
    }
    if (!room_name_of(file.path, rules).empty()) check_bool_parameters(to);
  }
  return findings;
}

}  // namespace winnow::house
