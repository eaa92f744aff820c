#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "engine/indicators/column.hpp"

namespace winnow::engine {

/// The greatest (or least) of the `window` values BEFORE this bar: what a breakout is measured
/// against. NaN before there are so many. Order: kKind and `beats(a, b)`.
template <class Order>
class Extreme final : public Column {
 public:
  static constexpr ColumnKind kKind = Order::kKind;
  static std::size_t warmup(const ColumnSpec& spec) {
    return static_cast<std::size_t>(spec.window);
  }

  Extreme(const ColumnSpec& spec, const Bars& bars)
      : field_(spec.field), bars_(bars), window_(static_cast<std::size_t>(spec.window)) {
    candidates_.reserve(2 * window_);
  }

  double empty() const override { return std::numeric_limits<double>::quiet_NaN(); }

  void fill(std::size_t begin, std::size_t end, double* out) override {
    for (std::size_t t = begin; t < end; ++t) {
      if (t < window_) {
        *out++ = empty();
        continue;
      }
      if (next_ < t - window_) restart(t - window_);
      for (; next_ < t; ++next_) add(next_);
      while (candidates_[first_] < t - window_) ++first_;
      *out++ = bars_[field_][candidates_[first_]];
    }
  }

 private:
  void restart(std::size_t at) {
    candidates_.clear();
    first_ = 0;
    next_ = at;
  }

  // Bars that may yet be the extreme: each is beaten by none after it.
  void add(std::size_t i) {
    const double* x = bars_[field_];
    while (candidates_.size() > first_ && !Order::beats(x[candidates_.back()], x[i])) {
      candidates_.pop_back();
    }
    if (first_ > window_) {
      candidates_.erase(candidates_.begin(),
                        candidates_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
    candidates_.push_back(i);
  }

  Field field_;
  const Bars& bars_;
  std::size_t window_;
  std::size_t next_ = 0;  // bars before it were added
  std::size_t first_ = 0;
  std::vector<std::size_t> candidates_;
};

struct HighestOrder {
  static constexpr ColumnKind kKind = ColumnKind::Highest;
  static bool beats(double a, double b) { return a > b; }
};
struct LowestOrder {
  static constexpr ColumnKind kKind = ColumnKind::Lowest;
  static bool beats(double a, double b) { return a < b; }
};
using Highest = Extreme<HighestOrder>;
using Lowest = Extreme<LowestOrder>;

}  // namespace winnow::engine
