#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "engine/lanes/contract.hpp"

namespace winnow::engine::strategies {

struct DonchianDecl {
  static constexpr ParamDecl kParams[] = {
      {"entry_bars", "bars", ParamType::Int, 1, 20'000, 96, 12,
       "enters beyond the highest high, or lowest low, of so many bars before"},
      {"exit_bars", "bars", ParamType::Int, 1, 20'000, 48, 12,
       "leaves a long below the lowest low of so many bars before, a short above the highest high"},
      {"atr_bars", "bars", ParamType::Int, 1, 1'000, 20, 5,
       "bars of the average true range that the trailing stop is measured in"},
      {"trail_atr", "ranges", ParamType::Float, 0, 100, 3, 0.5,
       "loss from the best price since the entry at which a position is stopped, in average true "
       "ranges as of the entry; 0: no such stop"},
      {"max_hold_bars", "bars", ParamType::Int, 0, 1'000'000, 0, 24,
       "bars after the entry bar at whose close the position is given up; 0: never"},
      {"short_side", "flag", ParamType::Int, 0, 1, 1, 1, "1: trades both ways; 0: long only"},
  };
  static constexpr int kEntryBars = param_index(kParams, "entry_bars");
  static constexpr int kExitBars = param_index(kParams, "exit_bars");
  static constexpr int kAtrBars = param_index(kParams, "atr_bars");
  static constexpr int kTrail = param_index(kParams, "trail_atr");
  static constexpr int kMaxHold = param_index(kParams, "max_hold_bars");
  static constexpr int kShortSide = param_index(kParams, "short_side");

  static constexpr FamilyDecl kDecl = {
      .name = "donchian",
      .code_version = 1,
      .summary = "follows a breakout from the channel of past highs and lows, with a trailing stop",
      .params = kParams,
      .check = nullptr,
      .check_reads = 0,
  };
};

/// Purpose: follows breakouts from Donchian's channel. Flat: long at a close above the highest high
/// of the entry_bars bars before it, short at one below their lowest low. In a position: out (or
/// turned, where that close breaks out on the other side) at a close beyond the other end of the
/// exit_bars channel, at the trailing stop, or at the close max_hold_bars after the entry bar. The
/// trailing stop lies trail_atr average true ranges from the best price, as a share of the price at
/// the decision; nothing is entered before the range is known.
template <class V>
class Donchian : public DonchianDecl {
  enum Columns { kClose, kEntryHigh, kEntryLow, kExitHigh, kExitLow, kRange };

 public:
  static constexpr int kColumns = 6;
  static constexpr lanes::Exits kExits = lanes::Exits::Trailing;
  static constexpr int kExitParam = kTrail;

  static ColumnSpec column(int index, const double* params) {
    const auto bars = [&](int p) { return static_cast<std::int32_t>(params[p]); };
    switch (index) {
      case kEntryHigh:
      case kExitHigh:
        return {.kind = ColumnKind::Highest,
                .field = Field::High,
                .window = bars(index == kEntryHigh ? kEntryBars : kExitBars)};
      case kEntryLow:
      case kExitLow:
        return {.kind = ColumnKind::Lowest,
                .field = Field::Low,
                .window = bars(index == kEntryLow ? kEntryBars : kExitBars)};
      case kRange:
        return {.kind = ColumnKind::Atr, .window = params[kTrail] > 0 ? bars(kAtrBars) : 1};
      default:
        return {.kind = ColumnKind::Sma, .window = 1};  // the close itself
    }
  }

  template <class Row>
  void load(const Row& row) {
    trail_atr_ = lanes::off_at_zero(row(kTrail));
    hold_bars_ = lanes::off_at_zero(row(kMaxHold));
    short_side_ = row(kShortSide);
    side_ = V(0.0);
  }

  auto rule() const {
    const auto longs = side_ > V(0.0);
    const auto shorts = side_ < V(0.0);
    const auto flat = side_ == V(0.0);
    return [longs, shorts, flat, flat_short = flat & (short_side_ > V(0.0))](const auto& s) {
      const auto close = s.col(kClose);
      return ((close > s.col(kEntryHigh)) & flat) | ((close < s.col(kEntryLow)) & flat_short) |
             ((close < s.col(kExitLow)) & longs) | ((close > s.col(kExitHigh)) & shorts);
    };
  }

  template <class S>
  lanes::Wish<V> decide(const S& s) const {
    const V close = s.col(kClose);
    const V zero(0.0);
    const auto known = s.col(kRange) == s.col(kRange);
    const auto up = (close > s.col(kEntryHigh)) & known;
    const auto down = (close < s.col(kEntryLow)) & known & (short_side_ > zero);
    const auto leaves = ((close < s.col(kExitLow)) & (s.side() > zero)) |
                        ((close > s.col(kExitHigh)) & (s.side() < zero));
    const auto free = leaves | (s.side() == zero);
    return {select(free, select(up, V(1.0), select(down, V(-1.0), zero)), s.side())};
  }

  template <class S>
  lanes::Protect<V> protect(const S& s) const {
    const V none(std::numeric_limits<double>::infinity());
    return {none, none, hold_bars_, trail_atr_ * s.col(kRange) / s.col(kClose)};
  }

  void position_changed(V side) { side_ = side; }

 private:
  V trail_atr_;
  V hold_bars_;
  V short_side_;
  V side_;
};

}  // namespace winnow::engine::strategies
