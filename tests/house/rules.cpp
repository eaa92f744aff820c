#include "tests/house/rules.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace winnow::house {

namespace {

std::vector<std::string> words_of(std::string_view line) {
  std::istringstream in{std::string(line)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

/// The part of a line before its comment.
std::string_view without_comment(std::string_view line) { return line.substr(0, line.find('#')); }

struct RuleReader {
  Rules rules;
  std::size_t line = 0;

  void error(const std::string& message) {
    rules.errors.push_back("rooms.txt:" + std::to_string(line) + ": " + message);
  }

  void read_size(const std::vector<std::string>& words, std::size_t& out) {
    const std::string& value = words.size() == 2 ? words[1] : words[0];
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), out);
    if (words.size() != 2 || code != std::errc{} || end != value.data() + value.size()) {
      error("'" + words[0] + "' takes one whole number");
    }
  }

  void read_table_row(const std::vector<std::string>& words) {
    const auto colon = std::find(words.begin(), words.end(), ":");
    const auto head = colon - words.begin();
    const bool is_room = words[0] == "room";
    const bool pure = is_room && head == 3 && words[2] == "pure";
    if (colon == words.end() || (head != 2 && !pure)) {
      return error("expected '" + words[0] + " NAME : ...'");
    }
    const std::set<std::string> right(colon + 1, words.end());
    const bool fresh = is_room ? rules.rooms.emplace(words[1], Room{pure, right}).second
                               : rules.only.emplace(words[1], right).second;
    if (!fresh) error("'" + words[1] + "' stands twice");
    if (is_room) check_room(words[1]);
  }

  void read(std::string_view text) {
    const std::map<std::string, std::set<std::string>*> sets = {
        {"impure-word", &rules.impure_words}, {"impure-call", &rules.impure_calls},
        {"libm-room", &rules.libm_rooms},     {"libm-call", &rules.libm_calls},
        {"racy-call", &rules.racy_calls},     {"word", &rules.words}};
    const std::map<std::string, std::vector<std::string>*> lists = {
        {"impure-include", &rules.impure_includes},
        {"text", &rules.texts},
        {"code-text", &rules.code_texts},
        {"identifier-suffix", &rules.identifier_suffixes}};
    const std::map<std::string, std::size_t*> sizes = {
        {"columns", &rules.columns},
        {"file-lines", &rules.file_lines},
        {"file-lines-remark", &rules.file_lines_remark},
        {"function-lines", &rules.function_lines}};
    for (const std::string& raw : split_lines(text)) {
      ++line;
      const std::vector<std::string> words = words_of(without_comment(raw));
      if (words.empty()) continue;
      if (words[0] == "room" || words[0] == "only") {
        read_table_row(words);
      } else if (const auto set = sets.find(words[0]); set != sets.end()) {
        set->second->insert(words.begin() + 1, words.end());
      } else if (const auto list = lists.find(words[0]); list != lists.end()) {
        list->second->insert(list->second->end(), words.begin() + 1, words.end());
      } else if (const auto size = sizes.find(words[0]); size != sizes.end()) {
        read_size(words, *size->second);
      } else {
        error("no rule is called '" + words[0] + "'");
      }
    }
  }

  /// A room stands below its rows' rooms, so the table has no cycle, and purity rests on purity.
  void check_room(const std::string& name) {
    const Room& room = rules.rooms.at(name);
    for (const std::string& below : room.may_include) {
      const auto other = rules.rooms.find(below);
      if (other == rules.rooms.end() || below == name) {
        error("room " + name + " may include '" + below + "', which no line above declares");
      } else if (room.pure && !other->second.pure && below != "base") {
        error("pure room " + name + " may not include " + below + ", which is not pure");
      }
    }
  }
};

}  // namespace

std::string room_name_of(std::string_view path, const Rules& rules) {
  for (std::size_t end = path.rfind('/'); end != std::string_view::npos;
       end = end == 0 ? std::string_view::npos : path.rfind('/', end - 1)) {
    std::string folder(path.substr(0, end));
    if (rules.rooms.count(folder) > 0) return folder;
  }
  return {};
}

Rules read_rules(std::string_view text) {
  RuleReader reader;
  reader.read(text);
  return std::move(reader.rules);
}

std::string Finding::text() const {
  const std::string at = line > 0 ? path + ":" + std::to_string(line) : path;
  return at + ": " + rule + ": " + message;
}

Findings check_all(const SourceFile& file, const Rules& rules) {
  Findings all;
  for (const auto check : {check_includes, check_links, check_purity, check_lifetimes, check_text,
                           check_style, check_asserts}) {
    const Findings found = check(file, rules);
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

std::vector<Exception> read_exceptions(std::string_view text, Findings& findings) {
  std::vector<Exception> exceptions;
  std::size_t line = 0;
  for (const std::string& raw : split_lines(text)) {
    ++line;
    if (raw.empty() || raw[0] == '#') continue;
    std::istringstream in(raw);
    Exception exception;
    exception.line = line;
    in >> exception.rule >> exception.path >> exception.what >> std::ws;
    std::getline(in, exception.reason);
    if (exception.reason.empty()) {
      findings.push_back({"allowed", "tests/house/allowed.txt", line, raw,
                          "expected: rule, file, what, and a reason in words"});
    } else {
      exceptions.push_back(exception);
    }
  }
  return exceptions;
}

Findings apply_exceptions(const Findings& findings, const std::vector<Exception>& exceptions) {
  std::vector<bool> used(exceptions.size(), false);
  Findings left;
  for (const Finding& finding : findings) {
    bool excepted = false;
    for (std::size_t i = 0; i < exceptions.size(); ++i) {
      const Exception& exception = exceptions[i];
      if (exception.rule == finding.rule && exception.path == finding.path &&
          exception.what == finding.what) {
        used[i] = excepted = true;
      }
    }
    if (!excepted) left.push_back(finding);
  }
  for (std::size_t i = 0; i < exceptions.size(); ++i) {
    if (used[i]) continue;
    left.push_back({"allowed", "tests/house/allowed.txt", exceptions[i].line, exceptions[i].what,
                    "nothing needs this exception (" + exceptions[i].rule + " in " +
                        exceptions[i].path + "); take it out"});
  }
  return left;
}

}  // namespace winnow::house
