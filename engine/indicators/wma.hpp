#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "engine/indicators/column.hpp"

namespace winnow::engine {

/// Linearly weighted mean of the last `window` values: the newest counts `window` times, the one
/// before it once less, and so on; NaN before there are so many. Windows are split as in
/// RollingColumn, and a value depends on nothing but the bars of its window.
class Wma final : public Column {
 public:
  static constexpr ColumnKind kKind = ColumnKind::Wma;
  static std::size_t warmup(const ColumnSpec& spec) {
    return static_cast<std::size_t>(spec.window) - 1;
  }

  Wma(const ColumnSpec& spec, const Bars& bars)
      : field_(spec.field),
        bars_(bars),
        blocks_(bars, static_cast<std::size_t>(spec.window)),
        before_(blocks_.length()),
        weighted_before_(before_.size()) {}

  double empty() const override { return std::numeric_limits<double>::quiet_NaN(); }

  void fill(std::size_t begin, std::size_t end, double* out) override {
    const std::size_t w = before_.size();
    const double n = static_cast<double>(w);
    const double weights = n * (n + 1) / 2;
    for (std::size_t t = begin; t < end; ++t) {
      if (t + 1 < w) {
        *out++ = empty();
        continue;
      }
      if (blocks_.start(t) != block_) begin_block(blocks_.start(t));
      const std::size_t at = t - block_;
      const double ref = bars_[field_][block_];
      for (; added_ <= at; ++added_) {
        const double d = bars_[field_][block_ + added_] - ref;
        sum_ += d;
        weighted_ += static_cast<double>(added_) * d;
      }
      // A value of the block, `at` after its start, counts w - i + at times; one before it, j bars
      // before its start, w - i - j times.
      const double left = n - static_cast<double>(at);
      const double here = weighted_ + left * sum_;
      const double back = left * before_[at] - weighted_before_[at];
      *out++ = ref + (here + back) / weights;
    }
  }

 private:
  // before_[i]: sum of (value - value[block]) over the part before the block of the window that
  // ends at block + i; weighted_before_: with the distance to the block.
  void begin_block(std::size_t block) {
    block_ = block;
    added_ = 0;
    sum_ = weighted_ = 0;
    const std::size_t w = before_.size();
    const double* x = bars_[field_] + block;
    double sum = 0;
    double weighted = 0;
    before_[w - 1] = weighted_before_[w - 1] = 0;
    for (std::size_t j = 1; j < w && j <= block; ++j) {
      const double d = *(x - j) - x[0];
      sum += d;
      weighted += static_cast<double>(j) * d;
      before_[w - 1 - j] = sum;
      weighted_before_[w - 1 - j] = weighted;
    }
  }

  Field field_;
  const Bars& bars_;
  OrdinalBlocks blocks_;
  std::size_t block_ = OrdinalBlocks::kNone;
  std::size_t added_ = 0;  // bars of the block in the two sums
  double sum_ = 0;
  double weighted_ = 0;
  std::vector<double> before_;
  std::vector<double> weighted_before_;
};

}  // namespace winnow::engine
