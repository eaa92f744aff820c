#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "engine/family.hpp"
#include "engine/lanes/column.hpp"

namespace winnow::engine::strategies {

/// Purpose: follows a moving-average crossover. Long from the close at which the fast mean is above
/// the slow one, out (or short, with short_side) from the close at which it is below. A cross up
/// needs an earlier bar of the window at which fast was not above, a cross down one at which it was
/// not below: a window never begins in the middle of somebody else's trend.
template <class V>
class SmaCross {
 public:
  enum Param { kFast, kSlow, kShortSide, kParams };
  static constexpr int kColumns = 2;
  static constexpr bool kProtects = false;

  static lanes::ColumnSpec column(int index, const double* params) {
    return {lanes::ColumnKind::Sma, static_cast<std::int32_t>(params[index == 0 ? kFast : kSlow])};
  }

  template <class Row>
  void load(const Row& row) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    stop_frac = target_frac = hold_bars = V(inf);
    below_ = V(0.0) - row(kShortSide);
    armed_up_ = armed_down_ = V(0.0);
  }

  V stop_frac;
  V target_frac;
  V hold_bars;

  // A direction is watched while it may fire or while the other one still waits to be armed by it.
  struct Watch {
    typename V::Mask up;
    typename V::Mask down;
    template <class Bar>
    typename V::Mask operator()(const Bar& bar) const {
      return ((bar.high(0) >= bar.low(1)) & up) | ((bar.low(0) <= bar.high(1)) & down);
    }
  };
  Watch watch() const {
    const auto up = armed_up_ > V(0.0);
    const auto down = armed_down_ > V(0.0);
    return {up | !down, down | !up};
  }

  template <class Bar>
  V decide(const Bar& bar, V side) {
    const V fast = bar.value(0);
    const V slow = bar.value(1);
    const auto above = fast > slow;
    const auto below = fast < slow;
    const auto up = above & (armed_up_ > V(0.0));
    const auto down = below & (armed_down_ > V(0.0));
    const V one(1.0);
    armed_up_ = select(fast <= slow, one, select(up, V(0.0), armed_up_));
    armed_down_ = select(fast >= slow, one, select(down, V(0.0), armed_down_));
    return select(up, one, select(down, below_, side));
  }

  void position_changed(V) {}

 private:
  V below_;  // side wanted after a cross down: 0 or -1
  V armed_up_;
  V armed_down_;
};

}  // namespace winnow::engine::strategies
