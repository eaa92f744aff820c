#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/indicators/column.hpp"

namespace winnow::engine {

/// Purpose: an indicator that is a formula of the sums of the last `window` values, and of their
/// squares. Formula: kKind, kSquares, empty() and `of(window, first of the block, sums, squares,
/// values, count, out)`; see sma.hpp.
///
/// A window is split where absolute bar ordinals (open time / interval) are multiples of its
/// length, into a suffix of one such block and a prefix of the next; both are summed relative to
/// the value at the start of the later block. So rounding errors never accumulate, and a value
/// depends on nothing but the bars in its window and their times: more history leaves every bit as
/// it is, as long as the data has no gaps (with gaps the last bits may differ).
template <class Formula>
class RollingColumn final : public Column {
 public:
  static constexpr ColumnKind kKind = Formula::kKind;
  static std::size_t warmup(const ColumnSpec& spec) {
    return static_cast<std::size_t>(spec.window) - 1;
  }

  RollingColumn(const ColumnSpec& spec, const Bars& bars)
      : field_(spec.field),
        bars_(bars),
        blocks_(bars, static_cast<std::size_t>(spec.window)),
        sums_(blocks_.length()) {
    if constexpr (Formula::kSquares) squares_.resize(sums_.size());
  }

  double empty() const override { return Formula::empty(); }

  void fill(std::size_t begin, std::size_t end, double* out) override {
    const std::size_t w = sums_.size();
    for (std::size_t t = begin; t < end;) {
      const std::size_t at = blocks_.position(t);
      if (t < at) {  // the block began before the data: nothing is full
        const std::size_t stop = std::min(end, t + (w - at));
        for (; t < stop; ++t) *out++ = empty();
        continue;
      }
      const std::size_t block = t - at;
      if (block != block_) sum_block(block);
      sum_on();
      const std::size_t stop = std::min(end, block + w);
      finish(block, t, stop, out);
      out += stop - t;
      t = stop;
    }
  }

 private:
  // Running sums of x(0), x(1), ...: add(i, sum so far) for i in [from, n). Four at a time, so that
  // the chain of dependent additions is a quarter as long. The sum at i is added up in an order
  // that i alone fixes: data that ends or begins elsewhere, or grows, gives the same bits. `s` is
  // the sum before the four that `from` is one of; the result is that before the four of n.
  template <class X, class Add>
  static double running_sums(std::size_t from, std::size_t n, double s, const X& x,
                             const Add& add) {
    std::size_t i = from / 4 * 4;
    if (i != from) {
      const double a = x(i);
      const double ab = a + x(i + 1);
      const double c = i + 2 < n ? x(i + 2) : 0;
      if (from <= i + 1) add(i + 1, s + ab);
      if (from <= i + 2 && i + 2 < n) add(i + 2, (s + ab) + c);
      if (i + 3 >= n) return s;
      s = s + (ab + (c + x(i + 3)));
      add(i + 3, s);
      i += 4;
    }
    for (; i < n; i += 4) {
      const double a = x(i);
      add(i, s + a);
      if (i + 1 == n) return s;
      const double ab = a + x(i + 1);
      const double s2 = s + ab;
      add(i + 1, s2);
      if (i + 2 == n) return s;
      const double c = x(i + 2);
      add(i + 2, s2 + c);
      if (i + 3 == n) return s;
      s = s + (ab + (c + x(i + 3)));
      add(i + 3, s);
    }
    return s;
  }

  struct Itself {
    double operator()(double d) const { return d; }
  };
  struct Square {
    double operator()(double d) const { return d * d; }
  };

  // sums_[i] = sum over the window that ends at block + i of (value - value[block]).
  void sum_block(std::size_t block) {
    block_ = block;
    summed_ = 0;
    running_[0] = running_[1] = 0;
    sum_back(sums_.data(), Itself());
    if constexpr (Formula::kSquares) sum_back(squares_.data(), Square());
  }

  // The part of each window before the block. Windows that would reach before the data are never
  // read.
  template <class Of>
  void sum_back(double* out, Of of) const {
    const std::size_t w = sums_.size();
    const double* x = bars_[field_] + block_;
    const double ref = x[0];  // a copy: what is written could be it, for all a compiler knows
    out[w - 1] = 0;
    running_sums(
        0, std::min(w - 1, block_), 0, [&](std::size_t k) { return of(*(x - 1 - k) - ref); },
        [&](std::size_t k, double sum) { out[w - 2 - k] = sum; });
  }

  // And the part in it, as far as there is data.
  void sum_on() {
    const std::size_t here = std::min(sums_.size(), bars_.size - block_);
    if (here == summed_) return;
    running_[0] = sum_here(sums_.data(), here, running_[0], Itself());
    if constexpr (Formula::kSquares) {
      running_[1] = sum_here(squares_.data(), here, running_[1], Square());
    }
    summed_ = here;
  }
  template <class Of>
  double sum_here(double* out, std::size_t here, double s, Of of) const {
    const double* x = bars_[field_] + block_;
    const double ref = x[0];
    return running_sums(
        summed_, here, s, [&](std::size_t i) { return of(x[i] - ref); },
        [&](std::size_t i, double sum) { out[i] += sum; });
  }

  void finish(std::size_t block, std::size_t t, std::size_t stop, double* out) const {
    const std::size_t w = sums_.size();
    while (t < stop && t + 1 < w) {
      *out++ = empty();
      ++t;
    }
    const double* all = bars_[field_];
    const std::size_t at = t - block;
    const double* squares = Formula::kSquares ? squares_.data() + at : nullptr;
    Formula::of(static_cast<double>(w), all[block], sums_.data() + at, squares, all + t, stop - t,
                out);
  }

  Field field_;
  const Bars& bars_;
  OrdinalBlocks blocks_;
  std::size_t block_ = OrdinalBlocks::kNone;
  std::size_t summed_ = 0;  // bars of the block
  double running_[2] = {};  // over them
  std::vector<double> sums_;
  std::vector<double> squares_;  // same windows, squared deviations; kSquares only
};

}  // namespace winnow::engine
