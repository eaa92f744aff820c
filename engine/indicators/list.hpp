#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "engine/indicators/sma.hpp"
#include "engine/indicators/timeframe.hpp"
#include "engine/indicators/zscore.hpp"

namespace winnow::engine {

/// Purpose: makes indicators over the legs of one set of instruments; those of one timeframe share
/// its bars. Owner: as the columns' own.
class ColumnMaker {
 public:
  explicit ColumnMaker(std::span<const Bars> legs) : legs_(legs) {}

  /// Requires: a leg of the set, window >= 1, timeframe >= 1.
  std::unique_ptr<Column> make(const ColumnSpec& spec) {
    const Bars& bars = legs_[spec.leg];
    if (spec.timeframe == 1) return plain(spec, bars);
    auto& higher = higher_[{spec.leg, spec.timeframe}];
    if (higher == nullptr) higher = std::make_shared<HigherBars>(bars, spec.timeframe);
    return std::make_unique<HigherColumn>(higher, plain(spec, higher->bars()));
  }

 private:
  static std::unique_ptr<Column> plain(const ColumnSpec& spec, const Bars& bars) {
    switch (spec.kind) {
      case ColumnKind::Sma:
        return std::make_unique<Sma>(spec, bars);
      case ColumnKind::ZScore:
        return std::make_unique<ZScore>(spec, bars);
    }
    return nullptr;
  }

  std::span<const Bars> legs_;
  std::map<std::pair<std::uint8_t, std::int32_t>, std::shared_ptr<HigherBars>> higher_;
};

/// Bars before one that fill the indicator there.
inline std::size_t warmup_bars(const ColumnSpec& spec) {
  const auto full = static_cast<std::size_t>(spec.window) - 1;
  if (spec.timeframe == 1) return full;
  // The bar that is being made, and the one within which the data begins, are no bars.
  return (full + 3) * static_cast<std::size_t>(spec.timeframe) - 2;
}

}  // namespace winnow::engine
