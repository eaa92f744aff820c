#include "sweeps/truth/trade.hpp"

#include <algorithm>
#include <utility>

#include "engine/synth/market_sim.hpp"

namespace winnow::sweeps {

std::vector<double> truth_grid(const TruthWorld& world, const engine::FamilyDecl& family) {
  std::vector<std::vector<double>> values;
  for (const engine::ParamDecl& param : family.params) {
    const auto axis = std::find_if(world.grid.begin(), world.grid.end(),
                                   [&](const TruthAxis& a) { return a.param == param.name; });
    values.push_back(axis == world.grid.end() ? std::vector<double>{param.default_value}
                                              : axis->values);
  }
  std::vector<double> rows;
  std::vector<std::size_t> at(values.size(), 0);
  for (bool more = true; more;) {
    for (std::size_t p = 0; p < values.size(); ++p) rows.push_back(values[p][at[p]]);
    more = false;
    for (std::size_t p = values.size(); p-- > 0 && !more;) {
      if (++at[p] < values[p].size()) {
        more = true;
      } else {
        at[p] = 0;
      }
    }
  }
  return rows;
}

Result<MarketColumns> truth_market(const TruthWorld& world, const engine::synth::MarketSpec& spec,
                                   std::uint64_t seed) {
  if (world.columns != nullptr) return world.columns(seed);
  auto markets = engine::synth::simulate_market(spec, seed);
  if (!markets) return markets.error();
  return std::move(markets->front().columns);
}

Result<engine::BatchResult> truth_trade(const TruthWorld& world, const MarketView& view,
                                        std::span<const double> rows) {
  engine::BatchRequest request;
  request.market = &view;
  request.window = {0, view.time_ns.size()};
  request.family = engine::find_family(world.family);
  request.params = rows;
  request.execution = &world.execution;
  request.isa = engine::best_isa();
  return engine::run_batch(request);
}

}  // namespace winnow::sweeps
