#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "engine/lanes/contract.hpp"

namespace winnow::engine::strategies {

struct BollingerDecl {
  static constexpr ParamDecl kParams[] = {
      {"lookback_bars", "bars", ParamType::Int, 2, 20'000, 20, 4,
       "closes in the middle band and in the standard deviation"},
      {"width_sd", "sd", ParamType::Float, 0.01, 20, 2, 0.25,
       "the outer bands lie so many standard deviations from the middle"},
      {"exit_sd", "sd", ParamType::Float, -20, 20, 0, 0.25,
       "leaves a long so many standard deviations above the middle, a short so many below it"},
      {"stop_bps", "bps", ParamType::Float, 0, 9'999, 0, 25,
       "loss from the entry price at which a position is stopped; 0: no stop"},
      {"max_hold_bars", "bars", ParamType::Int, 0, 1'000'000, 0, 24,
       "bars after the entry bar at whose close the position is given up; 0: never"},
      {"short_side", "flag", ParamType::Int, 0, 1, 1, 1, "1: trades both ways; 0: long only"},
  };
  static constexpr int kLookback = param_index(kParams, "lookback_bars");
  static constexpr int kWidth = param_index(kParams, "width_sd");
  static constexpr int kExit = param_index(kParams, "exit_sd");
  static constexpr int kStop = param_index(kParams, "stop_bps");
  static constexpr int kMaxHold = param_index(kParams, "max_hold_bars");
  static constexpr int kShortSide = param_index(kParams, "short_side");

  static Status check(std::span<const double> values) {
    if (values[kExit] > -values[kWidth]) return {};
    return Error(ErrorCode::InvalidInput,
                 "exit_sd must lie inside the bands (above -width_sd): exit_sd=" +
                     std::to_string(values[kExit]) +
                     ", width_sd=" + std::to_string(values[kWidth]));
  }
  static constexpr FamilyDecl kDecl = {
      .name = "bollinger",
      .code_version = 1,
      .summary = "enters when a close comes back inside Bollinger's bands, leaves at the middle",
      .params = kParams,
      .check = check,
      .check_reads = bits_of({kWidth, kExit}),
  };
};

/// Purpose: trades the way back into Bollinger's bands, mean +- width_sd standard deviations of the
/// last closes. Flat: long at a close that is not below the lower band after one that was, short at
/// one that is not above the upper band after one that was. In a position: out at exit_sd beyond
/// the middle, at the stop, or at the close max_hold_bars after the entry bar. Distances from the
/// middle are z-scores: (close - mean) / sd.
template <class V>
class Bollinger : public BollingerDecl {
 public:
  static constexpr int kColumns = 1;
  static constexpr lanes::Exits kExits = lanes::Exits::Fixed;
  static constexpr int kExitParam = kExit;

  static ColumnSpec column(int, const double* params) {
    return {.kind = ColumnKind::ZScore, .window = static_cast<std::int32_t>(params[kLookback])};
  }

  template <class Row>
  void load(const Row& row) {
    width_ = row(kWidth);
    exit_ = row(kExit);
    stop_frac_ = lanes::off_at_zero(row(kStop) / V(10'000.0));
    hold_bars_ = lanes::off_at_zero(row(kMaxHold));
    short_side_ = row(kShortSide);
    was_below_ = was_above_ = V(0.0);
    position_changed(V(0.0));
  }

  // A close is due that is on another side of a band than the last one, or that ends a position.
  auto rule() const {
    const auto below = was_below_ > V(0.0);
    const auto above = was_above_ > V(0.0);
    return [below, above, lower = V(0.0) - width_, upper = width_, low = low_,
            high = high_](const auto& s) {
      const auto z = s.col(0);
      return ((z >= lower) & below) | ((z < lower) & (!below)) | ((z <= upper) & above) |
             ((z > upper) & (!above)) | (z <= low) | (z >= high);
    };
  }

  template <class S>
  lanes::Wish<V> decide(const S& s) {
    const V z = s.col(0);
    const V zero(0.0);
    const V one(1.0);
    const auto below = z < zero - width_;
    const auto above = z > width_;
    const auto up = (!below) & (was_below_ > zero);
    const auto down = (!above) & (was_above_ > zero) & (short_side_ > zero);
    was_below_ = select(below, one, zero);
    was_above_ = select(above, one, zero);
    const V entered = select(up, one, select(down, zero - one, zero));
    const V stayed = select((z <= low_) | (z >= high_), zero, s.side());
    return {select(s.side() == zero, entered, stayed)};
  }

  template <class S>
  lanes::Protect<V> protect(const S&) const {
    return {stop_frac_, V(std::numeric_limits<double>::infinity()), hold_bars_, V(0.0)};
  }

  void position_changed(V side) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    low_ = select(side < V(0.0), V(0.0) - exit_, V(-inf));
    high_ = select(side > V(0.0), exit_, V(inf));
  }

 private:
  V width_;
  V exit_;
  V stop_frac_;
  V hold_bars_;
  V short_side_;
  V was_below_;  // 1 where the last close was below the lower band
  V was_above_;
  // A position ends at z <= low_ or z >= high_.
  V low_;
  V high_;
};

}  // namespace winnow::engine::strategies
