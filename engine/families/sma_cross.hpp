#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/lanes/contract.hpp"

namespace winnow::engine::strategies {

struct SmaCrossDecl {
  static constexpr ParamDecl kParams[] = {
      {"fast_bars", "bars", ParamType::Int, 1, 20'000, 24, 4, "closes in the fast mean"},
      {"slow_bars", "bars", ParamType::Int, 2, 20'000, 96, 12, "closes in the slow mean"},
      {"short_side", "flag", ParamType::Int, 0, 1, 0, 1,
       "1: a cross down turns the position short; 0: it only closes the long"},
  };
  static constexpr int kFast = param_index(kParams, "fast_bars");
  static constexpr int kSlow = param_index(kParams, "slow_bars");
  static constexpr int kShortSide = param_index(kParams, "short_side");

  static Status check(std::span<const double> values) {
    if (values[kFast] < values[kSlow]) return {};
    return Error(ErrorCode::InvalidInput,
                 "fast_bars must be below slow_bars: fast_bars=" +
                     std::to_string(static_cast<long long>(values[kFast])) +
                     ", slow_bars=" + std::to_string(static_cast<long long>(values[kSlow])));
  }
  static constexpr FamilyDecl kDecl = {
      .name = "sma_cross",
      .code_version = 1,
      .summary = "follows a moving-average crossover, long only or both ways",
      .params = kParams,
      .check = check,
      .check_reads = bits_of({kFast, kSlow}),
  };
};

/// Purpose: follows a moving-average crossover. Long from the close at which the fast mean is above
/// the slow one, out (or short, with short_side) from the close at which it is below. A cross up
/// needs an earlier bar of the window at which fast was not above, a cross down one at which it was
/// not below: a window never begins in the middle of somebody else's trend.
template <class V>
class SmaCross : public SmaCrossDecl {
 public:
  static constexpr int kColumns = 2;
  static constexpr lanes::Exits kExits = lanes::Exits::None;
  static constexpr int kExitParam = -1;

  static ColumnSpec column(int index, const double* params) {
    return {.kind = ColumnKind::Sma,
            .window = static_cast<std::int32_t>(params[index == 0 ? kFast : kSlow])};
  }

  template <class Row>
  void load(const Row& row) {
    below_ = V(0.0) - row(kShortSide);
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
