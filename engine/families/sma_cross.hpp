#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/families/cross.hpp"

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

/// Purpose: follows the crossover of a fast and a slow mean of closes; see Cross.
template <class V>
class SmaCross : public SmaCrossDecl, public Cross<V> {
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
    this->begin(row(kShortSide));
  }
};

}  // namespace winnow::engine::strategies
