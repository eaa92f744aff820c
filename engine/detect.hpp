#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/market.hpp"
#include "base/result.hpp"
#include "engine/backtest.hpp"
#include "engine/engine.hpp"

namespace winnow::engine {

/// Fills of some strategy on a window of a market. Must be a function of its arguments.
using FillsOf = std::function<Result<std::vector<Fill>>(const MarketView& market, Window window)>;

/// What a detector found. `text` is empty if it is clean, else it names the bar and the two fills
/// that differ.
struct Detection {
  std::size_t checks = 0;  ///< comparisons made
  std::string text;
  bool clean() const { return text.empty(); }
};

/// Look-ahead: the data is cut at several bars, of which only the open (and the volume that fills
/// are sized by) is left, and nothing up to the fills at that open may change. Cuts lie where the
/// strategy trades and evenly between. Fails: as `fills_of`.
Result<Detection> detect_look_ahead(const MarketView& market, Window window,
                                    const FillsOf& fills_of, std::size_t cuts_max);

/// Warm-up: with `warmup_bars` of history before the window and with all there is, every fill must
/// be the same bit for bit. On data with gaps last bits may differ, see lanes::RollingColumn.
/// Requires: warmup_bars <= window.first. Fails: as `fills_of`.
Result<Detection> detect_warm_up(const MarketView& market, Window window, const FillsOf& fills_of,
                                 std::size_t warmup_bars);

/// Bars of history that fill every indicator of this variant.
std::size_t warmup_bars(const FamilyDecl& family, std::span<const double> params);

/// Both detectors on one variant of a family. The warm-up is checked if the window leaves history
/// for it. Fails: InvalidInput.
Result<Detection> detect_faults(const MarketView& market, Window window, const FamilyDecl& family,
                                std::span<const double> params, const ExecutionModel& execution);

}  // namespace winnow::engine
