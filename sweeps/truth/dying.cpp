#include "sweeps/truth/dying.hpp"

#include <utility>

#include "engine/synth/market_sim.hpp"

namespace winnow::sweeps {

Result<MarketColumns> dying_market(const engine::synth::MarketSpec& spec, double alive_frac,
                                   std::uint64_t seed) {
  auto alive = engine::synth::simulate_market(spec, seed);
  if (!alive) return alive.error();
  engine::synth::MarketSpec without = spec;
  for (auto& instrument : without.instruments) instrument.edge = {};
  const auto dead = engine::synth::simulate_market(without, seed);
  if (!dead) return dead.error();
  MarketColumns out = std::move(alive->front().columns);
  const MarketColumns& after = dead->front().columns;
  const auto first = static_cast<std::size_t>(static_cast<double>(out.size()) * alive_frac);
  if (first == 0 || first >= out.size()) return out;
  const double ratio = out.close[first - 1] / after.close[first - 1];
  for (std::size_t i = first; i < out.size(); ++i) {
    out.open[i] = ratio * after.open[i];
    out.high[i] = ratio * after.high[i];
    out.low[i] = ratio * after.low[i];
    out.close[i] = ratio * after.close[i];
    out.volume[i] = after.volume[i];
  }
  return out;
}

}  // namespace winnow::sweeps
