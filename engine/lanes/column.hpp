#pragma once

#include <algorithm>
#include <cmath>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace winnow::engine::lanes {

enum class ColumnKind : std::uint8_t {
  Sma,     ///< mean of the last `window` closes; NaN before there are so many
  ZScore,  ///< (close - mean) / population sd of the last `window` closes; 0 before, and 0 if flat
};

/// An indicator of the market, computed once however many variants look at it.
struct ColumnSpec {
  ColumnKind kind = ColumnKind::Sma;
  std::int32_t window = 0;
  auto operator<=>(const ColumnSpec&) const = default;
};

/// Purpose: the values of one indicator, asked for in tiles of consecutive bars.
///
/// A window is split where absolute bar ordinals (open time / interval) are multiples of its
/// length, into a suffix of one such block and a prefix of the next; both are summed relative to
/// the close at the start of the later block. So rounding errors never accumulate, and a value
/// depends on nothing but the bars in its window and their times: more history leaves every bit as
/// it is, as long as the data has no gaps (with gaps the last bits may differ). Owner: one kernel
/// call. Thread: one.
class RollingColumn {
 public:
  /// `ordinal_first` is the absolute ordinal of close[0].
  RollingColumn(ColumnSpec spec, std::span<const double> close, std::int64_t ordinal_first)
      : spec_(spec), close_(close), sums_(static_cast<std::size_t>(spec.window)) {
    const std::int64_t w = spec.window;
    phase_ = static_cast<std::size_t>(((ordinal_first % w) + w) % w);
    if (spec.kind == ColumnKind::ZScore) squares_.resize(sums_.size());
  }

  /// Values of bars [begin, end) into out[0 .. end-begin).
  void fill(std::size_t begin, std::size_t end, double* out) {
    const std::size_t w = sums_.size();
    for (std::size_t t = begin; t < end;) {
      const std::size_t at = (t + phase_) % w;  // position in the block
      if (t < at) {                             // the block began before the data: nothing is full
        const std::size_t stop = std::min(end, t + (w - at));
        for (; t < stop; ++t) *out++ = empty();
        continue;
      }
      const std::size_t block = t - at;
      if (block != block_) sum_block(block);
      const std::size_t stop = std::min(end, block + w);
      finish(block, t, stop, out);
      out += stop - t;
      t = stop;
    }
  }

 private:
  static constexpr std::size_t kNoBlock = ~std::size_t{0};

  double empty() const {
    return spec_.kind == ColumnKind::Sma ? std::numeric_limits<double>::quiet_NaN() : 0.0;
  }

  // Running sums of x(0), x(1), ...: add(i, sum so far). Four at a time, so that the chain of
  // dependent additions is a quarter as long. The sum at i is added up in an order that i alone
  // fixes, not n: data that ends or begins elsewhere gives the same bits.
  template <class X, class Add>
  static void running_sums(std::size_t n, const X& x, const Add& add) {
    double s = 0;
    for (std::size_t i = 0; i < n; i += 4) {
      const double a = x(i);
      add(i, s + a);
      if (i + 1 == n) return;
      const double ab = a + x(i + 1);
      const double s2 = s + ab;
      add(i + 1, s2);
      if (i + 2 == n) return;
      const double c = x(i + 2);
      add(i + 2, s2 + c);
      if (i + 3 == n) return;
      s = s + (ab + (c + x(i + 3)));
      add(i + 3, s);
    }
  }

  // sums_[i] = sum over the window that ends at block + i of (close - close[block]).
  void sum_block(std::size_t block) {
    block_ = block;
    const std::size_t w = sums_.size();
    // Windows that would reach before the data are never read.
    const std::size_t back = std::min(w - 1, block);
    const std::size_t here = std::min(w, close_.size() - block);
    const double* x = close_.data() + block;
    const double ref = x[0];
    const auto sum = [&](double* out, const auto& of) {
      out[w - 1] = 0;
      double* last = out + w - 2;
      running_sums(
          back, [&](std::size_t k) { return of(*(x - 1 - k) - ref); },
          [&](std::size_t k, double s) { *(last - k) = s; });
      running_sums(
          here, [&](std::size_t i) { return of(x[i] - ref); },
          [&](std::size_t i, double s) { out[i] += s; });
    };
    sum(sums_.data(), [](double d) { return d; });
    if (!squares_.empty()) sum(squares_.data(), [](double d) { return d * d; });
  }

  void finish(std::size_t block, std::size_t t, std::size_t stop, double* out) const {
    const std::size_t w = sums_.size();
    while (t < stop && t + 1 < w) {
      *out++ = empty();
      ++t;
    }
    const double n = static_cast<double>(w);
    const double ref = close_[block];
    const double* s = sums_.data() + (t - block);
    const double* x = close_.data() + t;
    const std::size_t count = stop - t;
    if (spec_.kind == ColumnKind::Sma) {
      for (std::size_t i = 0; i < count; ++i) out[i] = ref + s[i] / n;
      return;
    }
    const double* q = squares_.data() + (t - block);
    for (std::size_t i = 0; i < count; ++i) {
      const double mean = s[i] / n;
      const double second = q[i] / n;
      const double variance = second - mean * mean;
      // Below this the difference is rounding error: the window is flat.
      const bool flat = !(variance > second * 1e-12);
      const double z = ((x[i] - ref) - mean) / std::sqrt(flat ? 1.0 : variance);
      out[i] = flat ? 0.0 : z;
    }
  }

  ColumnSpec spec_;
  std::span<const double> close_;
  std::size_t phase_ = 0;
  std::size_t block_ = kNoBlock;
  std::vector<double> sums_;
  std::vector<double> squares_;  // same windows, squared deviations; ZScore only
};

}  // namespace winnow::engine::lanes
