#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "engine/lanes/contract.hpp"

namespace winnow::engine::strategies {

struct RsiReversionDecl {
  static constexpr ParamDecl kParams[] = {
      {"rsi_bars", "bars", ParamType::Int, 2, 1'000, 14, 1,
       "bars of Wilder's relative strength index of the closes"},
      {"entry_rsi", "points", ParamType::Float, 0, 49.9, 30, 5,
       "enters long at an index of entry_rsi or less, short at 100 - entry_rsi or more"},
      {"exit_rsi", "points", ParamType::Float, 0.1, 100, 50, 5,
       "leaves a long at an index of exit_rsi or more, a short at 100 - exit_rsi or less"},
      {"stop_bps", "bps", ParamType::Float, 0, 9'999, 0, 25,
       "loss from the entry price at which a position is stopped; 0: no stop"},
      {"take_profit_bps", "bps", ParamType::Float, 0, 9'999, 0, 25,
       "gain over the entry price at which a resting order closes the position; 0: none"},
      {"max_hold_bars", "bars", ParamType::Int, 0, 1'000'000, 0, 24,
       "bars after the entry bar at whose close the position is given up; 0: never"},
      {"short_side", "flag", ParamType::Int, 0, 1, 1, 1, "1: trades both ways; 0: long only"},
  };
  static constexpr int kRsiBars = param_index(kParams, "rsi_bars");
  static constexpr int kEntry = param_index(kParams, "entry_rsi");
  static constexpr int kExit = param_index(kParams, "exit_rsi");
  static constexpr int kStop = param_index(kParams, "stop_bps");
  static constexpr int kTarget = param_index(kParams, "take_profit_bps");
  static constexpr int kMaxHold = param_index(kParams, "max_hold_bars");
  static constexpr int kShortSide = param_index(kParams, "short_side");

  static Status check(std::span<const double> values) {
    if (values[kExit] > values[kEntry]) return {};
    return Error(ErrorCode::InvalidInput,
                 "exit_rsi must be above entry_rsi (a position would be left where it is entered): "
                 "exit_rsi=" +
                     std::to_string(values[kExit]) +
                     ", entry_rsi=" + std::to_string(values[kEntry]));
  }
  static constexpr FamilyDecl kDecl = {
      .name = "rsi_reversion",
      .code_version = 1,
      .summary = "fades an oversold or overbought relative strength index",
      .params = kParams,
      .check = check,
      .check_reads = bits_of({kEntry, kExit}),
  };
};

/// Purpose: fades a one-sided market. Flat: long where the index is at entry_rsi or below, short
/// where it is at 100 - entry_rsi or above. In a position: out when it is back at exit_rsi (long)
/// or 100 - exit_rsi (short), at the stop, at the target, or at the close max_hold_bars after the
/// entry bar.
template <class V>
class RsiReversion : public RsiReversionDecl {
 public:
  static constexpr int kColumns = 1;
  static constexpr lanes::Exits kExits = lanes::Exits::Fixed;
  static constexpr int kExitParam = kExit;

  static ColumnSpec column(int, const double* params) {
    return {.kind = ColumnKind::Rsi, .window = static_cast<std::int32_t>(params[kRsiBars])};
  }

  template <class Row>
  void load(const Row& row) {
    entry_ = row(kEntry);
    exit_ = row(kExit);
    stop_frac_ = lanes::off_at_zero(row(kStop) / V(10'000.0));
    target_frac_ = lanes::off_at_zero(row(kTarget) / V(10'000.0));
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
    const V rsi = s.col(0);
    const V entered = select(rsi <= low_, V(1.0), select(rsi >= high_, V(-1.0), V(0.0)));
    return {select(s.side() == V(0.0), entered, V(0.0))};
  }

  template <class S>
  lanes::Protect<V> protect(const S&) const {
    return {stop_frac_, target_frac_, hold_bars_, V(0.0)};
  }

  void position_changed(V side) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    const V all(100.0);
    const auto longs = side > V(0.0);
    const auto shorts = side < V(0.0);
    const V short_at = select(short_side_ > V(0.0), all - entry_, V(inf));
    low_ = select(longs, V(-inf), select(shorts, all - exit_, entry_));
    high_ = select(shorts, V(inf), select(longs, exit_, short_at));
  }

 private:
  V entry_;
  V exit_;
  V stop_frac_;
  V target_frac_;
  V hold_bars_;
  V short_side_;
  // Something is wanted at an index of low_ or less, or of high_ or more.
  V low_;
  V high_;
};

}  // namespace winnow::engine::strategies
