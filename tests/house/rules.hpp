#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/house/source_tree.hpp"

namespace winnow::house {

struct Room {
  bool pure = false;
  std::set<std::string> may_include;  ///< rooms, without itself
};

/// Purpose: the house rules as data; rooms.txt says what each field means.
struct Rules {
  std::map<std::string, Room> rooms;
  std::map<std::string, std::set<std::string>> only;  ///< include prefix to folders, files
  std::vector<std::string> impure_includes;           ///< a final '*' stands for anything
  std::set<std::string> impure_words;
  std::set<std::string> impure_calls;
  std::set<std::string> libm_rooms;
  std::set<std::string> libm_calls;
  std::set<std::string> racy_calls;
  std::set<std::string> words;
  std::vector<std::string> texts;
  std::vector<std::string> code_texts;
  std::vector<std::string> identifier_suffixes;
  std::size_t columns = 0;
  std::size_t file_lines = 0;
  std::size_t file_lines_remark = 0;
  std::size_t function_lines = 0;
  std::vector<std::string> errors;  ///< lines that could not be read, rules that contradict
};

/// The room that a path lies in, or an empty text: of rooms inside rooms the innermost.
std::string room_name_of(std::string_view path, const Rules& rules);

/// Reads the text of rooms.txt; what is wrong with it stands in `errors`.
Rules read_rules(std::string_view text);

/// Purpose: one broken rule, where, and what to do about it.
struct Finding {
  std::string rule;  ///< include-table, purity, ...
  std::string path;
  std::size_t line = 0;  ///< from 1; 0: the whole file
  std::string what;      ///< the offending include, word or measure
  std::string message;

  std::string text() const;  ///< path:line: rule: message
};

using Findings = std::vector<Finding>;

/// Includes point down (rule include-table) and libraries stay in their room (rule only).
Findings check_includes(const SourceFile& file, const Rules& rules);

/// A room's CMakeLists.txt links only what the table lets it include (rule link-table).
Findings check_links(const SourceFile& file, const Rules& rules);

/// Pure rooms name no thread, socket, file or clock (purity); the engine calls no libm function
/// whose result varies between machines (libm).
Findings check_purity(const SourceFile& file, const Rules& rules);

/// What two threads cannot call at once (race); a loop over a part of a value that is gone when it
/// begins (dangling-range).
Findings check_lifetimes(const SourceFile& file, const Rules& rules);

/// Line length, tabs, spaces at line ends, a final newline, forbidden words (rules columns, tab,
/// trailing-space, newline, word, text).
Findings check_text(const SourceFile& file, const Rules& rules);

/// File size and names (rules file-lines, identifier, bool-parameter, sleep, pragma-once).
Findings check_style(const SourceFile& file, const Rules& rules);

/// Product code says which contract it checks (rule assert).
Findings check_asserts(const SourceFile& file, const Rules& rules);

/// All rules that see one file at a time.
Findings check_all(const SourceFile& file, const Rules& rules);

/// Purpose: what contracts.txt says of requirements that are not checked beside their header.
struct Contracts {
  struct Row {
    std::size_t count = 0;
    std::size_t line = 0;  ///< in contracts.txt
  };
  std::map<std::string, Row> unchecked;                     ///< by header
  std::set<std::pair<std::string, std::string>> elsewhere;  ///< header and a source of another name
};

/// Reads contracts.txt; a malformed line becomes a finding of rule `contract`.
Contracts read_contracts(std::string_view text, Findings& findings);

/// Each `Requires:` of a room's header is checked, by the header, a source of its name or one that
/// contracts.txt names, or is excused there; no row excuses more than it must (rule contract).
Findings check_contracts(const std::vector<SourceFile>& tree, const Contracts& contracts,
                         const Rules& rules);

/// Purpose: a finding that is accepted, with its reason.
struct Exception {
  std::string rule, path, what, reason;
  std::size_t line = 0;  ///< in allowed.txt
};

/// Reads allowed.txt; a malformed line becomes a finding of rule `allowed`.
std::vector<Exception> read_exceptions(std::string_view text, Findings& findings);

/// Takes out what is excepted, and reports exceptions that excepted nothing.
Findings apply_exceptions(const Findings& findings, const std::vector<Exception>& exceptions);

}  // namespace winnow::house
