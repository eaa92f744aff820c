#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/backtest.hpp"
#include "serve/sweep_view.hpp"
#include "sweeps/risk/day_bars.hpp"

namespace winnow::serve {

/// Purpose: one variant of a sweep run again in full, with what the market did meanwhile.
struct Rerun {
  store::Dataset dataset;  ///< keeps the bars below alive
  engine::Window window;
  engine::DetailedBacktest run;
};

/// Law 1 makes it the run that was stored; `stored` are its committed returns, compared bit for
/// bit. Fails: Refused (a result of another engine version), NotFound (no datasets here, or not
/// this one), Corrupt (other returns came out), InvalidInput.
Result<Rerun> rerun_variant(const Sources& sources, const SweepView& view, std::uint64_t trial,
                            std::span<const float> stored);

/// The bars of a dataset that a specification trades on.
engine::Window window_of(const MarketView& market, const sweeps::ResolvedSpec& spec);

/// Its days with their bars. Flattening costs the taker fee and the half-spread of what is held.
sweeps::risk::DayBars day_bars_of(const Rerun& rerun, const engine::ExecutionModel& execution);

/// A number of each day that changes with the calendar month.
std::vector<std::int32_t> months_of(std::span<const std::int64_t> period_start_ns);

/// Return of each closed trade on the equity that earlier trades had left, oldest first.
std::vector<double> trade_returns(const engine::Backtest& run, double initial_cash);

}  // namespace winnow::serve
