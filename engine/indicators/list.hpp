#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "base/type_list.hpp"
#include "engine/indicators/atr.hpp"
#include "engine/indicators/ema.hpp"
#include "engine/indicators/extremes.hpp"
#include "engine/indicators/rsi.hpp"
#include "engine/indicators/sd.hpp"
#include "engine/indicators/sma.hpp"
#include "engine/indicators/timeframe.hpp"
#include "engine/indicators/wma.hpp"
#include "engine/indicators/zscore.hpp"

namespace winnow::engine {

/// The only list of indicators, in the order of ColumnKind.
using Indicators = TypeList<Sma, ZScore, Sd, Wma, Ema, Wilder, Highest, Lowest, Atr, Rsi>;

template <class... I>
consteval bool in_kind_order(TypeList<I...>) {
  std::size_t i = 0;
  return ((static_cast<std::size_t>(I::kKind) == i++) && ...);
}
static_assert(in_kind_order(Indicators()), "indicators stand in the order of their kinds");

/// What is known of a kind without an instance.
struct IndicatorDecl {
  std::unique_ptr<Column> (*make)(const ColumnSpec& spec, const Bars& bars);
  /// Bars before one that fill the indicator there, of its own timeframe.
  std::size_t (*warmup)(const ColumnSpec& spec);
};
inline constexpr auto kIndicators =
    table_of<IndicatorDecl>(Indicators(), []<class I>() -> IndicatorDecl {
      return {[](const ColumnSpec& spec, const Bars& bars) -> std::unique_ptr<Column> {
                return std::make_unique<I>(spec, bars);
              },
              &I::warmup};
    });
inline const IndicatorDecl& indicator(ColumnKind kind) {
  return kIndicators[static_cast<std::size_t>(kind)];
}

/// Purpose: makes indicators over the legs of one set of instruments; those of one timeframe share
/// its bars. Owner: as the columns' own.
class ColumnMaker {
 public:
  explicit ColumnMaker(std::span<const Bars> legs) : legs_(legs) {}

  /// Requires: a leg of the set, window >= 1, timeframe >= 1.
  std::unique_ptr<Column> make(const ColumnSpec& spec) {
    const Bars& bars = legs_[spec.leg];
    if (spec.timeframe == 1) return indicator(spec.kind).make(spec, bars);
    auto& higher = higher_[{spec.leg, spec.timeframe}];
    if (higher == nullptr) higher = std::make_shared<HigherBars>(bars, spec.timeframe);
    return std::make_unique<HigherColumn>(higher, indicator(spec.kind).make(spec, higher->bars()));
  }

 private:
  std::span<const Bars> legs_;
  std::map<std::pair<std::uint8_t, std::int32_t>, std::shared_ptr<HigherBars>> higher_;
};

/// Numbers that the indicator holds at most over `bars` bars of the market, beside its values.
inline std::uint64_t column_doubles(const ColumnSpec& spec, std::uint64_t bars) {
  // Two arrays as long as its window; the strength index has two of each.
  const std::uint64_t arrays = spec.kind == ColumnKind::Rsi ? 4 : 2;
  const std::uint64_t own = arrays * (indicator(spec.kind).warmup(spec) + 1);
  if (spec.timeframe == 1) return own;
  // The longer bars and the values at them, and four bytes a bar that say which is complete.
  return own + (kFields + 1) * (bars / static_cast<std::uint64_t>(spec.timeframe) + 2) + bars / 2;
}

/// Bars before one that fill the indicator there.
inline std::size_t warmup_bars(const ColumnSpec& spec) {
  const std::size_t full = indicator(spec.kind).warmup(spec);
  if (spec.timeframe == 1) return full;
  // The bar that is being made, and the one within which the data begins, are no bars.
  return (full + 3) * static_cast<std::size_t>(spec.timeframe) - 2;
}

}  // namespace winnow::engine
