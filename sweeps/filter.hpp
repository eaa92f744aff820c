#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace winnow::sweeps {

/// Purpose: `--where`: which variants to show, as in
///   sharpe_ann > 1 and (trades_count >= 50 or lookback_bars != 12) and not drawdown_max_frac > 0.3
/// Comparisons (< <= > >= == = != <>) of names with numbers or names, joined by and/&&, or/||,
/// not/! and parentheses; `not` binds tightest, then `and`. Words in any case; names exactly. A
/// comparison with a missing number (NaN, as in failed trials) is neither true nor false: neither
/// it nor its negation selects the row, and the row is counted as undecided.
/// Limits: kLengthMax characters, kDepthMax parentheses. Thread: any, const.
class Filter {
 public:
  static constexpr std::size_t kLengthMax = 4096;
  static constexpr std::size_t kDepthMax = 64;

  /// `names`: what may be compared: metrics, then parameters. Empty text selects everything.
  /// Fails: InvalidInput with the position (from 1) and what is allowed there.
  static Result<Filter> parse(std::string_view text, std::span<const std::string> names);

  /// Names it reads, as indices into `names`, each once: the columns to fetch.
  std::span<const std::uint32_t> columns() const { return columns_; }

  /// Rows that satisfy it, ascending. `data[k]` is the column of columns()[k]; all have `rows`
  /// entries. `undecided`, if given, gets those that miss a number it turns on.
  std::vector<std::uint32_t> select(std::span<const std::span<const double>> data, std::size_t rows,
                                    std::vector<std::uint32_t>* undecided = nullptr) const;

 private:
  friend class FilterParser;
  enum class Op : std::uint8_t {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Or,
    Not
  };
  struct Operand {
    bool is_column = false;
    std::uint32_t column = 0;  // in columns_
    double number = 0;
  };
  static const double* operand(const Operand& side, std::span<const std::span<const double>> data,
                               std::size_t first, std::vector<double>& room);

  // Postfix: a comparison pushes a truth value, the others take one or two and push one.
  struct Step {
    Op op = Op::And;
    Operand left;
    Operand right;
  };
  std::vector<std::uint32_t> columns_;
  std::vector<Step> steps_;
};

enum class SortOrder { Ascending, Descending };

/// The first `limit` of `rows` by their value; missing numbers last in either order, ties by
/// `trial`. `values` and `trial` are indexed by row.
std::vector<std::uint32_t> sort_rows(std::span<const std::uint32_t> rows,
                                     std::span<const double> values,
                                     std::span<const std::uint64_t> trial, SortOrder order,
                                     std::size_t limit);

}  // namespace winnow::sweeps
