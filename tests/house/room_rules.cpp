// The rules about rooms: who includes, links and calls what.
#include <algorithm>

#include "tests/house/rules.hpp"
#include "tests/house/words.hpp"

namespace winnow::house {

namespace {

struct Include {
  std::string target;
  std::size_t line = 0;
};

std::vector<Include> includes_of(const SourceFile& file) {
  std::vector<Include> includes;
  for (std::size_t i = 0; i < file.include_lines.size(); ++i) {
    std::string_view line = file.include_lines[i];
    const auto skip = [&line] {
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    };
    skip();
    if (!line.starts_with('#')) continue;
    line.remove_prefix(1);
    skip();
    if (!line.starts_with("include")) continue;
    line.remove_prefix(7);
    skip();
    if (line.empty() || (line[0] != '"' && line[0] != '<')) continue;
    const std::size_t end = line.find(line[0] == '"' ? '"' : '>', 1);
    includes.push_back({std::string(line.substr(1, end - 1)), i + 1});
  }
  return includes;
}

std::string join(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "nothing" : text;
}

bool is_below(std::string_view path, const std::set<std::string>& folders) {
  return std::any_of(folders.begin(), folders.end(), [path](const std::string& folder) {
    return path == folder || path.starts_with(folder + "/");
  });
}

bool matches(std::string_view text, std::string_view pattern) {
  if (!pattern.ends_with('*')) return text == pattern;
  return text.starts_with(pattern.substr(0, pattern.size() - 1));
}

const Room* room_of(const SourceFile& file, const Rules& rules) {
  const auto found = rules.rooms.find(room_name_of(file.path, rules));
  return found == rules.rooms.end() ? nullptr : &found->second;
}

/// What a room is called where only letters and `_` are allowed: its library, its targets.
std::string flat_name(std::string name) {
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

/// The room whose flat name this is, or an empty text.
std::string room_called(const std::string& flat, const Rules& rules) {
  for (const auto& [name, room] : rules.rooms) {
    if (flat_name(name) == flat) return name;
  }
  return {};
}

/// What is wrong with one room including `target`, or an empty text.
std::string wrong_include(const std::string& room_name, const Room& room, const std::string& target,
                          const Rules& rules) {
  const std::string top = target.substr(0, target.find('/'));
  if (top == "tests" || top == "bench") return "a room includes no test code";
  if (target.starts_with("../") || target.find("/../") != std::string::npos) {
    return "write includes from the repository root";
  }
  const std::string other = room_name_of(target, rules);
  if (other.empty() || other == room_name || room.may_include.count(other) > 0) return {};
  return room_name + "/ may include " + join(room.may_include) + " (tests/house/rooms.txt)";
}

}  // namespace

Findings check_includes(const SourceFile& file, const Rules& rules) {
  Findings findings;
  if (!file.is_cpp()) return findings;
  const Room* room = room_of(file, rules);
  for (const Include& include : includes_of(file)) {
    const auto report = [&](const char* rule, const std::string& message) {
      findings.push_back({rule, file.path, include.line, include.target,
                          "includes " + include.target + "; " + message});
    };
    if (room != nullptr) {
      const std::string wrong =
          wrong_include(room_name_of(file.path, rules), *room, include.target, rules);
      if (!wrong.empty()) report("include-table", wrong);
    }
    for (const auto& [prefix, folders] : rules.only) {
      if (include.target.starts_with(prefix) && !is_below(file.path, folders)) {
        report("only", "only " + join(folders) + " may");
      }
    }
  }
  return findings;
}

Findings check_links(const SourceFile& file, const Rules& rules) {
  Findings findings;
  const Room* room = room_of(file, rules);
  if (room == nullptr || !file.path.ends_with("/CMakeLists.txt")) return findings;
  const std::string name = room_name_of(file.path, rules);
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string code = file.lines[i].substr(0, file.lines[i].find('#'));
    for (const Word& word : words_in(code)) {
      const bool is_target = word.text.starts_with("winnow_");
      const std::string linked = room_called(is_target ? word.text.substr(7) : word.text, rules);
      // In a room's build description a room's name can only mean the room.
      if (linked.empty() || linked == name) continue;
      if (room->may_include.count(linked) > 0) continue;
      findings.push_back({"link-table", file.path, i + 1, linked,
                          "links " + linked + "; " + name + "/ may link " +
                              join(room->may_include) + " (tests/house/rooms.txt)"});
    }
  }
  return findings;
}

Findings check_purity(const SourceFile& file, const Rules& rules) {
  Findings findings;
  const Room* room = room_of(file, rules);
  if (room == nullptr || !file.is_cpp()) return findings;
  const std::string room_name = room_name_of(file.path, rules);
  const bool libm = rules.libm_rooms.count(room_name) > 0;
  if (room->pure) {
    for (const Include& include : includes_of(file)) {
      for (const std::string& pattern : rules.impure_includes) {
        if (!matches(include.target, pattern)) continue;
        findings.push_back({"purity", file.path, include.line, include.target,
                            "includes <" + include.target + ">; " + room_name +
                                "/ is pure: no thread, socket, file or clock"});
      }
    }
  }
  for (std::size_t i = 0; i < file.code_lines.size(); ++i) {
    for (const Word& word : words_in(file.code_lines[i])) {
      const bool call = calls_free_function(word);
      if (room->pure && (rules.impure_words.count(word.text) > 0 ||
                         (call && rules.impure_calls.count(word.text) > 0))) {
        findings.push_back({"purity", file.path, i + 1, word.text,
                            "uses " + word.text + "; " + room_name +
                                "/ is pure: time and randomness are arguments"});
      }
      if (libm && call && rules.libm_calls.count(word.text) > 0) {
        findings.push_back({"libm", file.path, i + 1, word.text,
                            "calls " + word.text +
                                ", whose last bits differ between machines; base/det_math.hpp has "
                                "det_exp, det_log, det_pow"});
      }
    }
  }
  return findings;
}

namespace {

/// What a `for (x : range)` on this line walks over, as far as the line goes; empty: there is none.
std::string_view range_of_loop(std::string_view line) {
  const auto loop = line.find("for (");
  const auto colon = loop == std::string_view::npos ? loop : line.find(" : ", loop);
  if (colon == std::string_view::npos) return {};
  const std::string_view rest = line.substr(colon + 3);
  int open = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '(') ++open;
    if (rest[i] == ')' && --open < 0) return rest.substr(0, i);
  }
  return rest;
}

}  // namespace

Findings check_lifetimes(const SourceFile& file, const Rules& rules) {
  Findings findings;
  if (!file.is_cpp()) return findings;
  for (std::size_t i = 0; i < file.code_lines.size(); ++i) {
    const std::string& line = file.code_lines[i];
    for (const Word& word : words_in(line)) {
      if (!calls_free_function(word) || rules.racy_calls.count(word.text) == 0) continue;
      findings.push_back({"race", file.path, i + 1, word.text,
                          "calls " + word.text + ", which writes what all threads share"});
    }
    // `for (x : f()["rows"])`: what f gave is gone before the first x.
    const std::string_view range = range_of_loop(line);
    if (range.starts_with("(*") || range.find(")[") == std::string_view::npos) continue;
    findings.push_back({"dangling-range", file.path, i + 1, "for",
                        "walks over a part of a call's answer, which is gone by then: give the "
                        "answer a name first"});
  }
  return findings;
}

}  // namespace winnow::house
