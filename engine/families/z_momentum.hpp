#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "engine/lanes/contract.hpp"

namespace winnow::engine::strategies {

struct ZMomentumDecl {
  static constexpr ParamDecl kParams[] = {
      {"lookback_bars", "bars", ParamType::Int, 2, 20'000, 96, 12,
       "closes in the z-score's mean and population standard deviation"},
      {"entry_z", "sd", ParamType::Float, 0.01, 20, 1.5, 0.25,
       "enters long at z >= entry_z, short at z <= -entry_z"},
      {"exit_z", "sd", ParamType::Float, -20, 20, 0, 0.25,
       "leaves a long at z <= exit_z, a short at z >= -exit_z"},
      {"stop_bps", "bps", ParamType::Float, 0, 9'999, 0, 25,
       "loss from the entry price at which a position is stopped; 0: no stop"},
      {"trail_bps", "bps", ParamType::Float, 0, 9'999, 0, 25,
       "loss from the best price since the entry at which a position is stopped; 0: no such stop"},
      {"max_hold_bars", "bars", ParamType::Int, 0, 1'000'000, 0, 24,
       "bars after the entry bar at whose close the position is given up; 0: never"},
      {"short_side", "flag", ParamType::Int, 0, 1, 1, 1, "1: trades both ways; 0: long only"},
  };
  static constexpr int kLookback = param_index(kParams, "lookback_bars");
  static constexpr int kEntryZ = param_index(kParams, "entry_z");
  static constexpr int kExitZ = param_index(kParams, "exit_z");
  static constexpr int kStop = param_index(kParams, "stop_bps");
  static constexpr int kTrail = param_index(kParams, "trail_bps");
  static constexpr int kMaxHold = param_index(kParams, "max_hold_bars");
  static constexpr int kShortSide = param_index(kParams, "short_side");

  static Status check(std::span<const double> values) {
    if (values[kExitZ] < values[kEntryZ]) return {};
    return Error(ErrorCode::InvalidInput,
                 "exit_z must be below entry_z (a position would be left where it is entered): "
                 "exit_z=" +
                     std::to_string(values[kExitZ]) +
                     ", entry_z=" + std::to_string(values[kEntryZ]));
  }
  static constexpr FamilyDecl kDecl = {
      .name = "z_momentum",
      .code_version = 1,
      .summary = "follows a stretched close: z-score entry and exit, stop, trailing stop, hold",
      .params = kParams,
      .check = check,
      .check_reads = bits_of({kEntryZ, kExitZ}),
  };
};

/// Purpose: follows a stretched close. Flat: long at z >= entry_z, short at z <= -entry_z. In a
/// position: out when z is back at exit_z (long) or -exit_z (short), at the stop, at the trailing
/// stop, or at the close max_hold_bars after the entry bar.
template <class V>
class ZMomentum : public ZMomentumDecl {
 public:
  static constexpr int kColumns = 1;
  static constexpr lanes::Exits kExits = lanes::Exits::Trailing;
  static constexpr int kExitParam = kExitZ;

  static ColumnSpec column(int, const double* params) {
    return {.kind = ColumnKind::ZScore, .window = static_cast<std::int32_t>(params[kLookback])};
  }

  template <class Row>
  void load(const Row& row) {
    entry_z_ = row(kEntryZ);
    exit_z_ = row(kExitZ);
    stop_frac_ = lanes::off_at_zero(row(kStop) / V(10'000.0));
    trail_frac_ = lanes::off_at_zero(row(kTrail) / V(10'000.0));
    hold_bars_ = lanes::off_at_zero(row(kMaxHold));
    short_side_ = row(kShortSide);
    position_changed(V(0.0));
  }

  auto rule() const {
    return [low = low_, high = high_](const auto& s) {
      return (s.col(0) <= low) | (s.col(0) >= high);
    };
  }

  template <class S>
  lanes::Wish<V> decide(const S& s) const {
    const V z = s.col(0);
    const V entered = select(z >= high_, V(1.0), select(z <= low_, V(-1.0), V(0.0)));
    return {select(s.side() == V(0.0), entered, V(0.0))};
  }

  template <class S>
  lanes::Protect<V> protect(const S&) const {
    return {stop_frac_, V(std::numeric_limits<double>::infinity()), hold_bars_, trail_frac_};
  }

  void position_changed(V side) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    const auto longs = side > V(0.0);
    const auto shorts = side < V(0.0);
    const V short_at = select(short_side_ > V(0.0), V(0.0) - entry_z_, V(-inf));
    low_ = select(longs, exit_z_, select(shorts, V(-inf), short_at));
    high_ = select(shorts, V(0.0) - exit_z_, select(longs, V(inf), entry_z_));
  }

 private:
  V entry_z_;
  V exit_z_;
  V stop_frac_;
  V trail_frac_;
  V hold_bars_;
  V short_side_;
  // Something is wanted at z <= low_ or z >= high_.
  V low_;
  V high_;
};

}  // namespace winnow::engine::strategies
