// The rule that keeps words and checks together: a `Requires:` of a header has a WINNOW_REQUIRES.
#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

#include "tests/house/rules.hpp"
#include "tests/house/words.hpp"

namespace winnow::house {

namespace {

constexpr const char* kContractFile = "tests/house/contracts.txt";

/// How many contracts a header states, and how many it and its sources check.
struct Count {
  std::size_t stated = 0;
  std::size_t checked = 0;
};

std::size_t stated_in(const SourceFile& file) {
  constexpr std::string_view kWord = "Requires:";
  std::size_t count = 0;
  for (std::size_t at = file.text.find(kWord); at != std::string::npos;
       at = file.text.find(kWord, at + kWord.size())) {
    ++count;
  }
  return count;
}

std::size_t checked_in(const SourceFile& file) {
  std::size_t count = 0;
  for (const std::string& line : file.code_lines) {
    for (const Word& word : words_in(line)) count += word.called && word.text == "WINNOW_REQUIRES";
  }
  return count;
}

/// Whether a source bears a header's name: `plan.cpp` and `plan_rungs.cpp` that of `plan.hpp`.
bool belongs_to(std::string_view source, std::string_view header) {
  if (!source.ends_with(".cpp")) return false;
  source.remove_suffix(4);
  const std::string_view stem = header.substr(0, header.rfind('.'));
  if (!source.starts_with(stem)) return false;
  const std::string_view rest = source.substr(stem.size());
  return rest.empty() || (rest.front() == '_' && rest.find('/') == std::string_view::npos);
}

/// The header that a source belongs to: of those whose name it bears the one with the longest.
std::string header_of(const std::string& source, const std::vector<SourceFile>& tree) {
  std::string out;
  for (const SourceFile& file : tree) {
    const bool bears = file.is_header() && belongs_to(source, file.path);
    if (bears && file.path.size() > out.size()) out = file.path;
  }
  return out;
}

std::map<std::string, Count> count_contracts(const std::vector<SourceFile>& tree,
                                             const Contracts& contracts, const Rules& rules) {
  std::map<std::string, Count> counts;
  for (const SourceFile& file : tree) {
    if (!file.is_header() || room_name_of(file.path, rules).empty()) continue;
    const std::size_t stated = stated_in(file);
    if (stated > 0) counts[file.path] = {stated, checked_in(file)};
  }
  for (const SourceFile& file : tree) {
    const std::size_t checked = file.is_cpp() && !file.is_header() ? checked_in(file) : 0;
    if (checked == 0) continue;
    const std::string own = header_of(file.path, tree);
    for (auto& [header, count] : counts) {
      if (header == own || contracts.elsewhere.contains({header, file.path})) {
        count.checked += checked;
      }
    }
  }
  return counts;
}

}  // namespace

Contracts read_contracts(std::string_view text, Findings& findings) {
  Contracts out;
  std::size_t number = 0;
  for (const std::string& raw : split_lines(text)) {
    ++number;
    if (raw.empty() || raw[0] == '#') continue;
    std::istringstream in(raw);
    std::string kind, header, what, reason;
    in >> kind >> header >> what >> std::ws;
    std::getline(in, reason);
    std::size_t count = 0;
    const auto [end, code] = std::from_chars(what.data(), what.data() + what.size(), count);
    const bool is_number = code == std::errc{} && end == what.data() + what.size() && count > 0;
    if (kind == "unchecked" && is_number && !reason.empty()) {
      out.unchecked[header] = {count, number};
    } else if (kind == "checked-in" && !what.empty() && reason.empty()) {
      out.elsewhere.emplace(header, what);
    } else {
      findings.push_back({"contract", kContractFile, number, raw,
                          "expected: unchecked, a header, how many, and a reason in words; or: "
                          "checked-in, a header, a source"});
    }
  }
  return out;
}

Findings check_contracts(const std::vector<SourceFile>& tree, const Contracts& contracts,
                         const Rules& rules) {
  Findings findings;
  const std::map<std::string, Count> counts = count_contracts(tree, contracts, rules);
  for (const auto& [header, count] : counts) {
    const std::size_t missing = count.stated - std::min(count.stated, count.checked);
    const auto row = contracts.unchecked.find(header);
    const std::size_t excused = row == contracts.unchecked.end() ? 0 : row->second.count;
    if (missing > excused) {
      findings.push_back({"contract", header, 0, std::to_string(missing),
                          "states " + std::to_string(count.stated) + " `Requires:`, of which " +
                              std::to_string(count.checked) +
                              " are checked (WINNOW_REQUIRES); check the others, or say in " +
                              kContractFile + " why that cannot be done"});
    }
  }
  for (const auto& [header, row] : contracts.unchecked) {
    const auto count = counts.find(header);
    const std::size_t missing =
        count == counts.end()
            ? 0
            : count->second.stated - std::min(count->second.stated, count->second.checked);
    if (missing >= row.count) continue;
    findings.push_back({"contract", kContractFile, row.line, header,
                        "excuses " + std::to_string(row.count) + " of " + header + ", where " +
                            std::to_string(missing) + " are not checked; take it down"});
  }
  for (const auto& [header, source] : contracts.elsewhere) {
    const bool there = std::any_of(tree.begin(), tree.end(), [&](const SourceFile& f) {
      return f.path == source && checked_in(f) > 0;
    });
    if (there && counts.contains(header)) continue;
    findings.push_back({"contract", kContractFile, 0, header,
                        "names " + source + ", which checks nothing of " + header});
  }
  return findings;
}

Findings check_asserts(const SourceFile& file, const Rules& rules) {
  Findings findings;
  if (!file.is_cpp() || room_name_of(file.path, rules).empty()) return findings;
  for (std::size_t i = 0; i < file.code_lines.size(); ++i) {
    for (const Word& word : words_in(file.code_lines[i])) {
      if (word.text != "assert" || !word.called) continue;
      findings.push_back({"assert", file.path, i + 1, word.text,
                          "asserts; say which contract it is (base/check.hpp)"});
    }
  }
  return findings;
}

}  // namespace winnow::house
