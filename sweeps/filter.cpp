#include "sweeps/filter.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>

#include "base/names.hpp"
#include "base/text.hpp"

namespace winnow::sweeps {
namespace {

enum class TokenKind { Name, Number, Compare, And, Or, Not, Open, Close, End };
struct Token {
  TokenKind kind = TokenKind::End;
  std::size_t position = 0;  // in the text, from 0
  std::string_view text;
  double number = 0;
};

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name(char c) { return is_name_start(c) || is_digit(c) || c == '.'; }

bool same_word(std::string_view a, std::string_view lower_case) {
  return std::equal(a.begin(), a.end(), lower_case.begin(), lower_case.end(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x - 'A' + 'a' : x) == y; });
}

// Truth in three values, so that `and` is min, `or` is max and `not` is 2 - x (Kleene).
enum Truth : std::uint8_t { kFalse = 0, kUnknown = 1, kTrue = 2 };

}  // namespace

// Purpose: recursive descent over one expression. Thread: one.
class FilterParser {
 public:
  FilterParser(std::string_view text, std::span<const std::string> names)
      : text_(text), names_(names) {}

  Result<Filter> parse() {
    if (text_.size() > Filter::kLengthMax) {
      return Error(ErrorCode::InvalidInput,
                   "--where is longer than " + std::to_string(Filter::kLengthMax) + " characters");
    }
    WINNOW_TRY(advance());
    if (token_.kind == TokenKind::End) return std::move(filter_);
    WINNOW_TRY(parse_or());
    if (token_.kind != TokenKind::End) return expected("and, or, or the end");
    return std::move(filter_);
  }

 private:
  using Op = Filter::Op;

  Error at(std::size_t position, const std::string& why) const {
    return Error(ErrorCode::InvalidInput,
                 "--where, position " + std::to_string(position + 1) + ": " + why);
  }
  Error expected(const std::string& what) const {
    return at(token_.position,
              (token_.kind == TokenKind::End ? std::string("the end") : show_text(token_.text)) +
                  " where " + what + " belongs");
  }

  Status advance() {
    while (next_ < text_.size() && (text_[next_] == ' ' || text_[next_] == '\t')) ++next_;
    token_ = {TokenKind::End, next_, {}, 0};
    if (next_ == text_.size()) return {};
    const char c = text_[next_];
    if (is_name_start(c)) return take_word();
    if (is_digit(c) || c == '.' || c == '-' || c == '+') return take_number();
    return take_symbol();
  }

  Status take_word() {
    std::size_t end = next_;
    while (end < text_.size() && is_name(text_[end])) ++end;
    take(TokenKind::Name, end - next_);
    if (same_word(token_.text, "and")) token_.kind = TokenKind::And;
    if (same_word(token_.text, "or")) token_.kind = TokenKind::Or;
    if (same_word(token_.text, "not")) token_.kind = TokenKind::Not;
    return {};
  }

  Status take_number() {
    const std::size_t start = next_ + (text_[next_] == '+' ? 1 : 0);
    double value = 0;
    const auto [end, ec] =
        std::from_chars(text_.data() + start, text_.data() + text_.size(), value);
    const bool ends = end == text_.data() + text_.size() || !is_name(*end);
    if (ec != std::errc{} || !std::isfinite(value) || !ends) {
      return at(next_, show_text(text_.substr(next_, 20)) + " is not a number");
    }
    take(TokenKind::Number, static_cast<std::size_t>(end - text_.data()) - next_);
    token_.number = value;
    return {};
  }

  Status take_symbol() {
    static constexpr std::array<std::pair<std::string_view, TokenKind>, 14> kSymbols{
        {{"<=", TokenKind::Compare},
         {">=", TokenKind::Compare},
         {"==", TokenKind::Compare},
         {"!=", TokenKind::Compare},
         {"<>", TokenKind::Compare},
         {"&&", TokenKind::And},
         {"||", TokenKind::Or},
         {"<", TokenKind::Compare},
         {">", TokenKind::Compare},
         {"=", TokenKind::Compare},
         {"!", TokenKind::Not},
         {"(", TokenKind::Open},
         {")", TokenKind::Close},
         {"", TokenKind::End}}};
    for (const auto& [symbol, kind] : kSymbols) {
      if (symbol.empty() || text_.substr(next_, symbol.size()) != symbol) continue;
      take(kind, symbol.size());
      return {};
    }
    return at(next_, show_text(text_.substr(next_, 1)) +
                         " is not part of the language; allowed: names, numbers, < <= > >= == !=, "
                         "and, or, not, ( )");
  }

  void take(TokenKind kind, std::size_t size) {
    token_ = {kind, next_, text_.substr(next_, size), 0};
    next_ += size;
  }

  Status parse_or() {
    WINNOW_TRY(parse_and());
    while (token_.kind == TokenKind::Or) {
      WINNOW_TRY(advance());
      WINNOW_TRY(parse_and());
      filter_.steps_.push_back({Op::Or, {}, {}});
    }
    return {};
  }

  Status parse_and() {
    WINNOW_TRY(parse_not());
    while (token_.kind == TokenKind::And) {
      WINNOW_TRY(advance());
      WINNOW_TRY(parse_not());
      filter_.steps_.push_back({Op::And, {}, {}});
    }
    return {};
  }

  Status parse_not() {
    if (token_.kind != TokenKind::Not) return parse_primary();
    if (++depth_ > Filter::kDepthMax) return at(token_.position, "nested too deeply");
    WINNOW_TRY(advance());
    WINNOW_TRY(parse_not());
    --depth_;
    filter_.steps_.push_back({Op::Not, {}, {}});
    return {};
  }

  Status parse_primary() {
    if (token_.kind != TokenKind::Open) return parse_comparison();
    const std::size_t opened = token_.position;
    if (++depth_ > Filter::kDepthMax) return at(opened, "nested too deeply");
    WINNOW_TRY(advance());
    WINNOW_TRY(parse_or());
    if (token_.kind != TokenKind::Close) {
      return expected("the ')' of position " + std::to_string(opened + 1));
    }
    --depth_;
    return advance();
  }

  Status parse_comparison() {
    Filter::Step step;
    const std::size_t start = token_.position;
    WINNOW_TRY(parse_operand(step.left));
    if (token_.kind != TokenKind::Compare) return expected("one of < <= > >= == !=");
    const std::string_view op = token_.text;
    step.op = op == "<"                  ? Op::Less
              : op == "<="               ? Op::LessEqual
              : op == ">"                ? Op::Greater
              : op == ">="               ? Op::GreaterEqual
              : op == "!=" || op == "<>" ? Op::NotEqual
                                         : Op::Equal;
    WINNOW_TRY(advance());
    WINNOW_TRY(parse_operand(step.right));
    if (!step.left.is_column && !step.right.is_column) {
      return at(start, "compares two numbers; one side must be a name");
    }
    if (token_.kind == TokenKind::Compare) {
      return at(token_.position, "comparisons do not chain; write a < x and x < b");
    }
    filter_.steps_.push_back(step);
    return {};
  }

  Status parse_operand(Filter::Operand& out) {
    if (token_.kind == TokenKind::Number) {
      out.number = token_.number;
      return advance();
    }
    if (token_.kind != TokenKind::Name) return expected("a name or a number");
    const auto found = std::find(names_.begin(), names_.end(), token_.text);
    if (found == names_.end()) {
      return at(token_.position, "there is no metric or parameter " + show_text(token_.text) +
                                     did_you_mean(token_.text, names_) +
                                     "; allowed: " + join_names(names_, 100));
    }
    const auto name = static_cast<std::uint32_t>(found - names_.begin());
    auto& columns = filter_.columns_;
    const auto column = std::find(columns.begin(), columns.end(), name);
    out.is_column = true;
    out.column = static_cast<std::uint32_t>(column - columns.begin());
    if (column == columns.end()) columns.push_back(name);
    return advance();
  }

  std::string_view text_;
  std::span<const std::string> names_;
  std::size_t next_ = 0;
  std::size_t depth_ = 0;
  Token token_;
  Filter filter_;
};

Result<Filter> Filter::parse(std::string_view text, std::span<const std::string> names) {
  return FilterParser(text, names).parse();
}

namespace {

// So many rows are judged together: their truth values stay in the nearest cache, and the compiler
// makes vector code of each comparison. Row by row, a million of them took 12 ms; so, below 2.
constexpr std::size_t kRowsFiltered = 1024;
using Truths = std::array<std::uint8_t, kRowsFiltered>;

template <class Holds>
void compare(const double* a, const double* b, std::size_t rows, Truths& out, Holds holds) {
  static_assert(kFalse == 0 && kUnknown == 1 && kTrue == 2);
  for (std::size_t i = 0; i < rows; ++i) {
    const bool known = a[i] == a[i] && b[i] == b[i];
    out[i] = static_cast<std::uint8_t>(known ? 2 * static_cast<int>(holds(a[i], b[i])) : 1);
  }
}

}  // namespace

// What an operand is for the rows from `first` on; a number fills `room` once.
const double* Filter::operand(const Operand& side, std::span<const std::span<const double>> data,
                              std::size_t first, std::vector<double>& room) {
  if (side.is_column) return data[side.column].data() + first;
  room.assign(kRowsFiltered, side.number);
  return room.data();
}

std::vector<std::uint32_t> Filter::select(std::span<const std::span<const double>> data,
                                          std::size_t rows,
                                          std::vector<std::uint32_t>* undecided) const {
  std::vector<std::uint32_t> out;
  std::vector<Truths> stack;
  std::vector<double> left;
  std::vector<double> right;
  for (std::size_t first = 0; first < rows; first += kRowsFiltered) {
    const std::size_t n = std::min(kRowsFiltered, rows - first);
    stack.clear();
    for (const Step& step : steps_) {
      if (step.op == Op::Not) {
        for (std::uint8_t& v : stack.back()) v = static_cast<std::uint8_t>(kTrue - v);
        continue;
      }
      if (step.op == Op::And || step.op == Op::Or) {
        const Truths b = stack.back();
        stack.pop_back();
        Truths& a = stack.back();
        for (std::size_t i = 0; i < n; ++i) {
          a[i] = step.op == Op::And ? std::min(a[i], b[i]) : std::max(a[i], b[i]);
        }
        continue;
      }
      const double* a = operand(step.left, data, first, left);
      const double* b = operand(step.right, data, first, right);
      Truths& truths = stack.emplace_back();
      switch (step.op) {
        case Op::Less:
          compare(a, b, n, truths, std::less<>());
          break;
        case Op::LessEqual:
          compare(a, b, n, truths, std::less_equal<>());
          break;
        case Op::Greater:
          compare(a, b, n, truths, std::greater<>());
          break;
        case Op::GreaterEqual:
          compare(a, b, n, truths, std::greater_equal<>());
          break;
        case Op::Equal:
          compare(a, b, n, truths, std::equal_to<>());
          break;
        default:
          compare(a, b, n, truths, std::not_equal_to<>());
          break;
      }
    }
    for (std::size_t i = 0; i < n; ++i) {
      if (stack.empty() || stack.back()[i] == kTrue) {
        out.push_back(static_cast<std::uint32_t>(first + i));
      } else if (undecided != nullptr && stack.back()[i] == kUnknown) {
        undecided->push_back(static_cast<std::uint32_t>(first + i));
      }
    }
  }
  return out;
}

std::vector<std::uint32_t> sort_rows(std::span<const std::uint32_t> rows,
                                     std::span<const double> values,
                                     std::span<const std::uint64_t> trial, SortOrder order,
                                     std::size_t limit) {
  std::vector<std::uint32_t> out(rows.begin(), rows.end());
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    const double x = values[a];
    const double y = values[b];
    if (std::isnan(x) != std::isnan(y)) return std::isnan(y);
    if (!std::isnan(x) && x != y) return order == SortOrder::Ascending ? x < y : x > y;
    return trial[a] < trial[b];
  };
  limit = std::min(limit, out.size());
  if (limit == out.size()) {
    // Of all, the heap of a partial sort takes three times as long.
    std::sort(out.begin(), out.end(), before);
    return out;
  }
  std::partial_sort(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(limit), out.end(),
                    before);
  out.resize(limit);
  return out;
}

}  // namespace winnow::sweeps
