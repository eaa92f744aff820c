#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/market.hpp"
#include "base/result.hpp"
#include "engine/engine.hpp"
#include "engine/family.hpp"
#include "engine/synth/market_spec.hpp"
#include "sweeps/truth/world.hpp"

namespace winnow::sweeps {

/// All combinations of a world's grid, the last axis fastest, in the family's order of parameters.
std::vector<double> truth_grid(const TruthWorld& world, const engine::FamilyDecl& family);

/// The world's market of a seed: its columns if it has some, else the simulated `spec`. Fails: as
/// simulate_market.
Result<MarketColumns> truth_market(const TruthWorld& world, const engine::synth::MarketSpec& spec,
                                   std::uint64_t seed);

/// The variants of `rows` on a whole market, by the world's family and execution. Fails: as
/// run_batch.
Result<engine::BatchResult> truth_trade(const TruthWorld& world, const MarketView& view,
                                        std::span<const double> rows);

}  // namespace winnow::sweeps
