#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "engine/family.hpp"
#include "engine/lanes/column.hpp"

namespace winnow::engine::strategies {

/// Purpose: fades a stretched close. Flat: long at z <= -entry_z, short at z >= entry_z. In a
/// position: out when z is back at -exit_z (long) or exit_z (short), at the stop, at the target, or
/// at the close max_hold_bars after the entry bar.
template <class V>
class MeanReversion {
 public:
  enum Param { kLookback, kEntryZ, kExitZ, kStop, kTarget, kMaxHold, kParams };
  static constexpr int kColumns = 1;
  static constexpr bool kProtects = true;

  static lanes::ColumnSpec column(int, const double* params) {
    return {lanes::ColumnKind::ZScore, static_cast<std::int32_t>(params[kLookback])};
  }

  /// `row(i)` gives parameter i of every lane.
  template <class Row>
  void load(const Row& row) {
    entry_z_ = row(kEntryZ);
    exit_z_ = row(kExitZ);
    stop_frac = off_at_zero(row(kStop) / V(10'000.0));
    target_frac = off_at_zero(row(kTarget) / V(10'000.0));
    hold_bars = off_at_zero(row(kMaxHold));
    position_changed(V(0.0));
  }

  // A stop, target or deadline that is off lies at infinity.
  V stop_frac;
  V target_frac;
  V hold_bars;

  /// What the inner loop asks of a bar, or of a block of bars.
  struct Watch {
    V low;
    V high;
    template <class Bar>
    typename V::Mask operator()(const Bar& bar) const {
      return (bar.low(0) <= low) | (bar.high(0) >= high);
    }
  };
  Watch watch() const { return {low_, high_}; }

  /// The side (-1, 0, 1) wanted from the next open on.
  template <class Bar>
  V decide(const Bar& bar, V side) {
    const V z = bar.value(0);
    const auto flat = side == V(0.0);
    const V entered = select(z <= low_, V(1.0), select(z >= high_, V(-1.0), V(0.0)));
    const V stayed = select((z <= low_) | (z >= high_), V(0.0), side);
    return select(flat, entered, stayed);
  }

  void position_changed(V side) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    const auto longs = side > V(0.0);
    const auto shorts = side < V(0.0);
    low_ = select(longs, V(-inf), select(shorts, exit_z_, V(0.0) - entry_z_));
    high_ = select(shorts, V(inf), select(longs, V(0.0) - exit_z_, entry_z_));
  }

 private:
  static V off_at_zero(V x) {
    return select(x > V(0.0), x, V(std::numeric_limits<double>::infinity()));
  }

  V entry_z_;
  V exit_z_;
  // Something is wanted at z <= low_ or z >= high_.
  V low_;
  V high_;
};

}  // namespace winnow::engine::strategies
