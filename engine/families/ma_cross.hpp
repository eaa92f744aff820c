#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/families/cross.hpp"

namespace winnow::engine::strategies {

struct MaCrossDecl {
  static constexpr ParamDecl kParams[] = {
      {"ma_kind", "kind", ParamType::Int, 0, 3, 1, 1,
       "the mean: 0 simple, 1 exponential, 2 linearly weighted, 3 Wilder's smoothing"},
      {"fast_bars", "bars", ParamType::Int, 1, 5'000, 24, 4, "bars of the fast mean"},
      {"slow_bars", "bars", ParamType::Int, 2, 5'000, 96, 12, "bars of the slow mean"},
      {"timeframe_bars", "bars", ParamType::Int, 1, 10'000, 1, 1,
       "bars of the data in one bar of the means, of which the last complete one counts"},
      {"short_side", "flag", ParamType::Int, 0, 1, 0, 1,
       "1: a cross down turns the position short; 0: it only closes the long"},
  };
  static constexpr int kMaKind = param_index(kParams, "ma_kind");
  static constexpr int kFast = param_index(kParams, "fast_bars");
  static constexpr int kSlow = param_index(kParams, "slow_bars");
  static constexpr int kTimeframe = param_index(kParams, "timeframe_bars");
  static constexpr int kShortSide = param_index(kParams, "short_side");

  static Status check(std::span<const double> values) {
    if (values[kFast] < values[kSlow]) return {};
    return Error(ErrorCode::InvalidInput,
                 "fast_bars must be below slow_bars: fast_bars=" +
                     std::to_string(static_cast<long long>(values[kFast])) +
                     ", slow_bars=" + std::to_string(static_cast<long long>(values[kSlow])));
  }
  static constexpr FamilyDecl kDecl = {
      .name = "ma_cross",
      .code_version = 1,
      .summary = "follows a crossover of two means of any usual kind and timeframe",
      .params = kParams,
      .check = check,
      .check_reads = bits_of({kFast, kSlow}),
  };
};

/// Purpose: follows the crossover of a fast and a slow mean of closes; see Cross. With simple means
/// of the data's own bars it is sma_cross.
template <class V>
class MaCross : public MaCrossDecl, public Cross<V> {
 public:
  static constexpr int kColumns = 2;
  static constexpr lanes::Exits kExits = lanes::Exits::None;
  static constexpr int kExitParam = -1;

  static ColumnSpec column(int index, const double* params) {
    constexpr ColumnKind kKinds[] = {ColumnKind::Sma, ColumnKind::Ema, ColumnKind::Wma,
                                     ColumnKind::Wilder};
    return {.kind = kKinds[static_cast<std::size_t>(params[kMaKind])],
            .window = static_cast<std::int32_t>(params[index == 0 ? kFast : kSlow]),
            .timeframe = static_cast<std::int32_t>(params[kTimeframe])};
  }

  template <class Row>
  void load(const Row& row) {
    this->begin(row(kShortSide));
  }
};

}  // namespace winnow::engine::strategies
