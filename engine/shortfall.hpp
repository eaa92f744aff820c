#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/market.hpp"
#include "engine/engine.hpp"

namespace winnow::engine {

/// What an execution model charges or limits by and the data do not have in a window: payments of
/// funding on no day or on some days only, bars without a volume. One sentence each, for every
/// answer that depends on it; empty: nothing is missing. `data` is what the dataset is called.
/// A day counts as covered if a payment falls on it; the window's first and last day need none.
std::vector<std::string> shortfalls(const ExecutionModel& model, const MarketView& market,
                                    Window window, std::string_view data);

/// The sentence for data without any payment, also where only that is known of them.
std::string no_funding_text(std::string_view data, std::string_view profile);

}  // namespace winnow::engine
