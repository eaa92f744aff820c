#pragma once

#include "engine/lanes/contract.hpp"

namespace winnow::engine::strategies {

/// Purpose: what families that follow a crossover of two columns have in common. Long from the
/// close at which column 0 is above column 1, out (or short) from the close at which it is below. A
/// cross up needs an earlier bar of the window at which it was not above, a cross down one at which
/// it was not below: a window never begins in the middle of somebody else's trend.
template <class V>
class Cross {
 public:
  /// `short_side`: 1 where a cross down turns the position short, else 0.
  void begin(V short_side) {
    below_ = V(0.0) - short_side;
    armed_up_ = armed_down_ = V(0.0);
  }

  // A direction is due while it may fire or while the other one still waits to be armed by it.
  auto rule() const {
    const auto up = armed_up_ > V(0.0);
    const auto down = armed_down_ > V(0.0);
    return [asks_up = up | !down, asks_down = down | !up](const auto& s) {
      return ((s.col(0) >= s.col(1)) & asks_up) | ((s.col(0) <= s.col(1)) & asks_down);
    };
  }

  template <class S>
  lanes::Wish<V> decide(const S& s) {
    const V fast = s.col(0);
    const V slow = s.col(1);
    const auto up = (fast > slow) & (armed_up_ > V(0.0));
    const auto down = (fast < slow) & (armed_down_ > V(0.0));
    const V one(1.0);
    armed_up_ = select(fast <= slow, one, select(up, V(0.0), armed_up_));
    armed_down_ = select(fast >= slow, one, select(down, V(0.0), armed_down_));
    return {select(up, one, select(down, below_, s.side()))};
  }

  void position_changed(V) {}

 private:
  V below_;  // side wanted after a cross down: 0 or -1
  V armed_up_;
  V armed_down_;
};

}  // namespace winnow::engine::strategies
