#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

#include "engine/indicators/ema.hpp"

namespace winnow::engine {

/// Wilder's relative strength index of `window` bars, 0 to 100: 100 G / (G + L), G and L being
/// Wilder's smoothing of the rises and of the falls from one value to the next; 50 where nothing
/// moved, NaN before its window is full.
class Rsi final : public Column {
 public:
  static constexpr ColumnKind kKind = ColumnKind::Rsi;
  static std::size_t warmup(const ColumnSpec& spec) { return WilderRate::bars(spec.window); }

  Rsi(const ColumnSpec& spec, const Bars& bars)
      : field_(spec.field),
        bars_(bars),
        rises_(1 - WilderRate::a(spec.window), WilderRate::bars(spec.window), bars),
        falls_(rises_) {}

  double empty() const override { return std::numeric_limits<double>::quiet_NaN(); }

  void fill(std::size_t begin, std::size_t end, double* out) override {
    const double* x = bars_[field_];
    // The first value has none before it; its window is never full.
    const auto rise = [&](std::size_t i) { return i == 0 ? 0.0 : std::max(x[i] - x[i - 1], 0.0); };
    const auto fall = [&](std::size_t i) { return i == 0 ? 0.0 : std::max(x[i - 1] - x[i], 0.0); };
    for (std::size_t t = begin; t < end; ++t) {
      if (t < rises_.bars()) {
        *out++ = empty();
        continue;
      }
      const double up = rises_.at(t, rise);
      const double both = up + falls_.at(t, fall);
      *out++ = both > 0 ? 100 * (up / both) : 50;
    }
  }

 private:
  Field field_;
  const Bars& bars_;
  DecayingSum rises_;
  DecayingSum falls_;
};

}  // namespace winnow::engine
