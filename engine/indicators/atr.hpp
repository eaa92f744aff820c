#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

#include "engine/indicators/ema.hpp"

namespace winnow::engine {

/// Average true range of `window` bars, in price: Wilder's smoothing of what a bar moved, measured
/// from the close before it: max(high, close before) - min(low, close before). NaN before its
/// window is full. The field is not looked at.
class Atr final : public Column {
 public:
  static constexpr ColumnKind kKind = ColumnKind::Atr;
  static std::size_t warmup(const ColumnSpec& spec) { return WilderRate::bars(spec.window); }

  Atr(const ColumnSpec& spec, const Bars& bars)
      : bars_(bars),
        a_(WilderRate::a(spec.window)),
        sum_(1 - a_, WilderRate::bars(spec.window), bars) {}

  double empty() const override { return std::numeric_limits<double>::quiet_NaN(); }

  void fill(std::size_t begin, std::size_t end, double* out) override {
    const double* high = bars_[Field::High];
    const double* low = bars_[Field::Low];
    const double* close = bars_[Field::Close];
    // The first bar has no close before it; its window is never full.
    const auto range = [&](std::size_t i) {
      if (i == 0) return 0.0;
      return std::max(high[i], close[i - 1]) - std::min(low[i], close[i - 1]);
    };
    for (std::size_t t = begin; t < end; ++t) {
      *out++ = t < sum_.bars() ? empty() : a_ * sum_.at(t, range);
    }
  }

 private:
  const Bars& bars_;
  double a_;
  DecayingSum sum_;
};

}  // namespace winnow::engine
