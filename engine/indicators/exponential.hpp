#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/indicators/column.hpp"

namespace winnow::engine {

/// Purpose: sum of q^k x[t-k] over so many bars that what lies before them would weigh less than
/// 2^-53 (q^bars < e^-37): an exponential mean that depends on the bars of a window and nothing
/// else, equal to the endless one to rounding. A window is split where ordinals are multiples of
/// its length, as in RollingColumn; both parts are relative to a value that the owner names. Owner:
/// one column.
class DecayingSum {
 public:
  /// Bars whose weights at decay 1 - 1/n are not rounding error: (1 - 1/n)^(37 n) < e^-37 < 2^-53.
  static constexpr std::int64_t kTimeConstants = 37;

  DecayingSum(double decay, std::size_t bars, const Bars& market)
      : decay_(decay), blocks_(market, bars), before_(bars), powers_(bars + 1) {
    powers_[0] = 1;
    for (std::size_t i = 1; i <= bars; ++i) powers_[i] = powers_[i - 1] * decay;
  }

  std::size_t bars() const { return before_.size(); }
  /// First bar of the block that t lies in: what values are to be relative to. Requires: as at().
  std::size_t block(std::size_t t) { return blocks_.start(t); }

  /// The sum at t, asked for in rising order. x(i): what is added up, relative to one value for
  /// each block. Requires: t + 1 >= bars().
  template <class X>
  double at(std::size_t t, const X& x) {
    const std::size_t start = blocks_.start(t);
    if (start != block_) begin_block(start, x);
    const std::size_t i = t - start;
    for (; added_ <= i; ++added_) here_ = here_ * decay_ + x(start + added_);
    return here_ + powers_[i + 1] * before_[i];
  }

 private:
  // before_[i]: sum over the part before the block of the window that ends at block + i, with the
  // weights that it has at the bar before the block.
  template <class X>
  void begin_block(std::size_t start, const X& x) {
    block_ = start;
    added_ = 0;
    here_ = 0;
    const std::size_t w = before_.size();
    before_[w - 1] = 0;
    double sum = 0;
    for (std::size_t j = 1; j < w && j <= start; ++j) {
      sum += powers_[j - 1] * x(start - j);
      before_[w - 1 - j] = sum;
    }
  }

  double decay_;
  OrdinalBlocks blocks_;
  std::size_t block_ = OrdinalBlocks::kNone;
  std::size_t added_ = 0;  // bars of the block in here_
  double here_ = 0;
  std::vector<double> before_;
  std::vector<double> powers_;
};

}  // namespace winnow::engine
