#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/indicators/exponential.hpp"

namespace winnow::engine {

/// Exponential mean of which a value's weight decays by 1 - a a bar; NaN before its window is full.
/// Rate: kKind, `a(window)` and `bars(window)`, the window of DecayingSum.
template <class Rate>
class ExponentialMean final : public Column {
 public:
  static constexpr ColumnKind kKind = Rate::kKind;
  static std::size_t warmup(const ColumnSpec& spec) { return Rate::bars(spec.window) - 1; }

  ExponentialMean(const ColumnSpec& spec, const Bars& bars)
      : field_(spec.field),
        bars_(bars),
        a_(Rate::a(spec.window)),
        sum_(1 - a_, Rate::bars(spec.window), bars) {}

  double empty() const override { return std::numeric_limits<double>::quiet_NaN(); }

  void fill(std::size_t begin, std::size_t end, double* out) override {
    const double* x = bars_[field_];
    for (std::size_t t = begin; t < end; ++t) {
      if (t + 1 < sum_.bars()) {
        *out++ = empty();
        continue;
      }
      const double ref = x[sum_.block(t)];
      *out++ = ref + a_ * sum_.at(t, [&](std::size_t i) { return x[i] - ref; });
    }
  }

 private:
  Field field_;
  const Bars& bars_;
  double a_;
  DecayingSum sum_;
};

/// The usual exponential mean of n bars: a = 2 / (n + 1).
struct EmaRate {
  static constexpr ColumnKind kKind = ColumnKind::Ema;
  static double a(std::int32_t n) { return 2 / (static_cast<double>(n) + 1); }
  static std::size_t bars(std::int32_t n) {
    return static_cast<std::size_t>((DecayingSum::kTimeConstants * (n + 1) + 1) / 2);
  }
};
using Ema = ExponentialMean<EmaRate>;

/// Wilder's smoothing of n bars: a = 1 / n.
struct WilderRate {
  static constexpr ColumnKind kKind = ColumnKind::Wilder;
  static double a(std::int32_t n) { return 1 / static_cast<double>(n); }
  static std::size_t bars(std::int32_t n) {
    return static_cast<std::size_t>(DecayingSum::kTimeConstants * n);
  }
};
using Wilder = ExponentialMean<WilderRate>;

}  // namespace winnow::engine
