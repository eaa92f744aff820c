#include "tests/house/measures.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "tests/house/words.hpp"

namespace winnow::house {
namespace {

enum class Scope { Namespace, Type, Function, Other };

std::string trimmed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : c;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

bool is_access(std::string_view head) {
  return head == "public" || head == "private" || head == "protected";
}

/// Without `template <...>` in front.
std::string without_template(std::string head) {
  for (;;) {
    if (!head.starts_with("template")) return head;
    const std::size_t open = head.find('<');
    if (open == std::string::npos) return head;
    int depth = 0;
    std::size_t at = open;
    for (; at < head.size(); ++at) {
      depth += head[at] == '<' ? 1 : 0;
      if (head[at] == '>' && --depth == 0) break;
    }
    if (at >= head.size()) return head;
    head = trimmed(head.substr(at + 1));
  }
}

bool begins_with_word(const std::string& head, std::string_view word) {
  return head.starts_with(word) &&
         (head.size() == word.size() || head[word.size()] == ' ' || head[word.size()] == '(');
}

/// `X::X(...) : a(b), c` before the brace of c's initializer: after the parameters a single colon,
/// and a name last.
bool in_initializers(const std::string& head) {
  if (head.empty()) return false;
  const char last = head.back();
  if (std::isalnum(static_cast<unsigned char>(last)) == 0 && last != '_' && last != '>') {
    return false;
  }
  int depth = 0;
  bool parameters = false;
  for (std::size_t i = 0; i < head.size(); ++i) {
    depth += head[i] == '(' ? 1 : 0;
    if (head[i] == ')') {
      --depth;
      parameters = true;
    }
    const bool alone = head[i] == ':' && (i == 0 || head[i - 1] != ':') &&
                       (i + 1 == head.size() || head[i + 1] != ':');
    if (parameters && depth == 0 && alone) return true;
  }
  return false;
}

struct Opened {
  Scope scope = Scope::Other;
  bool head_goes_on = false;  ///< a function's body is still to come
};

Opened scope_of(const std::string& whole_head, Scope around) {
  if (around == Scope::Function || around == Scope::Other) return {Scope::Other, false};
  const std::string head = without_template(whole_head);
  if (head.empty()) return {};
  // After a macro that is called without a semicolon, too.
  if (begins_with_word(head, "namespace") || begins_with_word(head, "inline namespace") ||
      head.find(") namespace") != std::string::npos || head == "extern") {
    return {Scope::Namespace, false};
  }
  static constexpr std::array<std::string_view, 4> kTypes = {"class", "struct", "union", "enum"};
  const bool type = std::any_of(kTypes.begin(), kTypes.end(),
                                [&](auto word) { return begins_with_word(head, word); });
  if (type && head.find('(') == std::string::npos) return {Scope::Type, false};
  if (type && head.find("final") != std::string::npos) return {Scope::Type, false};
  const char last = head.back();
  if (last == '=' || last == ',' || last == '(') return {};
  if (in_initializers(head)) return {Scope::Other, true};
  return {head.find('(') == std::string::npos ? Scope::Other : Scope::Function, false};
}

/// Purpose: reads a file's code brace by brace.
class Outliner {
 public:
  explicit Outliner(const SourceFile& file) : file_(file) {}

  Outline run() {
    bool continued = false;
    for (std::size_t i = 0; i < file_.code_lines.size(); ++i) {
      const std::string& line = file_.code_lines[i];
      const std::size_t first = line.find_first_not_of(' ');
      const bool directive = continued || (first != std::string::npos && line[first] == '#');
      continued = directive && line.ends_with('\\');
      if (!directive) read_line(line, i + 1);
    }
    return std::move(out_);
  }

 private:
  struct Open {
    Scope scope;
    std::string head;
    std::size_t line;
    bool head_goes_on;
  };

  void read_line(const std::string& line, std::size_t number) {
    for (const char c : line) {
      if (c == '{') {
        open(number);
      } else if (c == '}') {
        close(number);
      } else if (c == ';' && parentheses_ == 0) {
        forget();
      } else if (c == ':' && is_access(head_)) {
        forget();
      } else {
        parentheses_ += c == '(' ? 1 : c == ')' ? -1 : 0;
        if (c != ' ' && head_.empty()) head_line_ = number;
        if (c != ' ' || !head_.empty()) head_ += c;
      }
    }
    if (!head_.empty()) head_ += ' ';
  }

  void open(std::size_t number) {
    const Scope around = open_.empty() ? Scope::Namespace : open_.back().scope;
    const std::string head = trimmed(head_);
    // A default argument, a braced value: part of what comes.
    const Opened as = parentheses_ > 0 ? Opened{Scope::Other, true} : scope_of(head, around);
    open_.push_back({as.scope, head, head_.empty() ? number : head_line_, as.head_goes_on});
    saved_parentheses_.push_back(parentheses_);
    if (as.scope == Scope::Type) out_.types.push_back({file_.path, head, open_.back().line});
    if (!as.head_goes_on) forget();
  }

  void close(std::size_t number) {
    if (open_.empty()) return;
    const Open ended = open_.back();
    open_.pop_back();
    if (ended.head_goes_on) {
      head_ = ended.head + "}";
      head_line_ = ended.line;
      parentheses_ = saved_parentheses_.back();
    } else {
      forget();
    }
    saved_parentheses_.pop_back();
    if (ended.scope != Scope::Function) return;
    out_.functions.push_back({file_.path, ended.head, ended.line, number - ended.line + 1});
  }

  void forget() {
    head_.clear();
    parentheses_ = 0;
  }

  const SourceFile& file_;
  Outline out_;
  std::vector<Open> open_;
  std::vector<int> saved_parentheses_;
  std::string head_;
  std::size_t head_line_ = 0;
  int parentheses_ = 0;
};

std::string unit_of(std::string_view path) { return std::string(path.substr(0, path.rfind('.'))); }

std::string folder_of(const std::string& unit) { return unit.substr(0, unit.rfind('/')); }

std::size_t line_count(const std::vector<SourceFile>& files) {
  std::size_t lines = 0;
  for (const SourceFile& file : files) lines += file.lines.size();
  return lines;
}

std::size_t at_quantile(const std::vector<FunctionSize>& descending, double q) {
  const auto n = static_cast<double>(descending.size() - 1);
  return descending[static_cast<std::size_t>((1 - q) * n + 0.5)].lines;
}

std::size_t checks_in(const SourceFile& file) {
  static constexpr std::array<std::string_view, 5> kChecks = {
      "WINNOW_REQUIRES", "WINNOW_ENSURES", "WINNOW_INVARIANT", "WINNOW_CHECK", "assert"};
  if (file.path.starts_with("base/check.")) return 0;
  std::size_t out = 0;
  for (const std::string& line : file.code_lines) {
    for (const Word& word : words_in(line)) {
      const bool check = std::find(kChecks.begin(), kChecks.end(), word.text) != kChecks.end();
      out += check && word.called ? 1 : 0;
    }
  }
  return out;
}

}  // namespace

Outline outline_of(const SourceFile& file) { return Outliner(file).run(); }

bool has_contract(const SourceFile& file, const TypeSize& type) {
  static constexpr std::array<std::string_view, 8> kWords = {
      "Purpose:", "Owner:", "Thread:", "Invariants:", "Limits:", "Requires:", "Ensures:", "Fails:"};
  for (std::size_t i = type.line - 1; i-- > 0;) {
    const std::string& line = file.lines[i];
    const std::size_t first = line.find_first_not_of(' ');
    if (first == std::string::npos || line.compare(first, 3, "///") != 0) return false;
    for (const std::string_view word : kWords) {
      if (line.find(word) != std::string::npos) return true;
    }
  }
  return false;
}

IncludeGraph units_of(const std::vector<SourceFile>& product) {
  std::set<std::string> known;
  for (const SourceFile& file : product) known.insert(unit_of(file.path));
  IncludeGraph out;
  for (const SourceFile& file : product) {
    const std::string from = unit_of(file.path);
    out[from];
    for (const std::string& line : file.include_lines) {
      const std::size_t at = line.find("#include \"");
      if (at == std::string::npos) continue;
      const std::size_t begin = at + 10;
      const std::string to = unit_of(line.substr(begin, line.find('"', begin) - begin));
      if (to != from && known.contains(to)) out[from].push_back(to);
    }
  }
  return out;
}

IncludeGraph folders_of(const IncludeGraph& units) {
  IncludeGraph out;
  for (const auto& [from, those] : units) {
    for (const std::string& to : those) {
      if (folder_of(from) != folder_of(to)) out[folder_of(from)].push_back(folder_of(to));
    }
  }
  return out;
}

// Tarjan's strongly connected components.
std::vector<std::vector<std::string>> cycles_in(const IncludeGraph& graph) {
  struct Seen {
    std::size_t index = 0, low = 0;
    bool on_stack = false;
  };
  std::map<std::string, Seen> seen;
  std::vector<std::string> stack;
  std::vector<std::vector<std::string>> out;
  const std::function<void(const std::string&)> visit = [&](const std::string& node) {
    const std::size_t index = seen.size() + 1;
    seen[node] = {index, index, true};
    stack.push_back(node);
    if (const auto those = graph.find(node); those != graph.end()) {
      for (const std::string& next : those->second) {
        if (!seen.contains(next)) visit(next);
        if (seen[next].on_stack) seen[node].low = std::min(seen[node].low, seen[next].low);
      }
    }
    if (seen[node].low != index) return;
    std::vector<std::string> component;
    std::string last;
    do {
      last = stack.back();
      stack.pop_back();
      seen[last].on_stack = false;
      component.push_back(last);
    } while (last != node);
    if (component.size() > 1) out.push_back(std::move(component));
  };
  for (const auto& [node, those] : graph) {
    if (!seen.contains(node)) visit(node);
  }
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return out;
}

std::vector<SourceFile> product_of(const std::vector<SourceFile>& tree, const Rules& rules) {
  std::vector<SourceFile> out;
  for (const SourceFile& file : tree) {
    if (file.is_cpp() && !room_name_of(file.path, rules).empty()) out.push_back(file);
  }
  return out;
}

std::vector<SourceFile> tests_of(const std::vector<SourceFile>& tree) {
  std::vector<SourceFile> out;
  for (const SourceFile& file : tree) {
    if (file.is_cpp() && file.top() == "tests") out.push_back(file);
  }
  return out;
}

HouseMeasures measure_house(const std::vector<SourceFile>& tree, const Rules& rules) {
  const std::vector<SourceFile> product = product_of(tree, rules);
  HouseMeasures m;
  m.product_lines = line_count(product);
  std::size_t types = 0, with_contract = 0, checks = 0;
  for (const SourceFile& file : product) {
    const Outline outline = outline_of(file);
    m.longest.insert(m.longest.end(), outline.functions.begin(), outline.functions.end());
    checks += checks_in(file);
    if (file.lines.size() > m.largest_file_lines) {
      m.largest_file_lines = file.lines.size();
      m.largest_file = file.path;
    }
    if (!file.is_header()) continue;
    types += outline.types.size();
    with_contract += static_cast<std::size_t>(
        std::count_if(outline.types.begin(), outline.types.end(),
                      [&](const TypeSize& type) { return has_contract(file, type); }));
  }
  std::stable_sort(m.longest.begin(), m.longest.end(),
                   [](const auto& a, const auto& b) { return a.lines > b.lines; });
  m.functions = m.longest.size();
  m.function_lines_p50 = at_quantile(m.longest, 0.5);
  m.function_lines_p90 = at_quantile(m.longest, 0.9);
  m.function_lines_p99 = at_quantile(m.longest, 0.99);
  const IncludeGraph units = units_of(product);
  m.unit_cycles = cycles_in(units);
  m.folder_cycles = cycles_in(folders_of(units));
  const auto lines = static_cast<double>(m.product_lines);
  m.contract_frac = static_cast<double>(with_contract) / static_cast<double>(types);
  m.asserts_per_kilolines = static_cast<double>(checks) / lines * 1000;
  m.tests_per_source = static_cast<double>(line_count(tests_of(tree))) / lines;
  return m;
}

}  // namespace winnow::house
