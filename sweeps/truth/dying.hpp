#pragma once

#include <cstdint>

#include "base/market.hpp"
#include "base/result.hpp"
#include "engine/synth/market_spec.hpp"

namespace winnow::sweeps {

/// The market of a specification with an edge that ends after `alive_frac` of the bars: from there
/// on the same martingale without it, joined at the close. One instrument. Fails: as
/// simulate_market.
Result<MarketColumns> dying_market(const engine::synth::MarketSpec& spec, double alive_frac,
                                   std::uint64_t seed);

}  // namespace winnow::sweeps
