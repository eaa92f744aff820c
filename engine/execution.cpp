#include "engine/execution.hpp"

namespace winnow::engine {

Hash128 ExecutionModel::key() const {
  KeyHasher hasher("execution-model-1");
  hasher.add(taker_fee_bps).add(maker_fee_bps).add(half_spread_bps).add(half_spread_range_frac);
  hasher.add(impact_bps).add(participation_max_frac).add(std::uint64_t{funding});
  hasher.add(static_cast<std::uint64_t>(sizing)).add(fixed_qty).add(initial_cash);
  for (const InstrumentRules& r : rules) {
    hasher.add(r.from_ns).add(r.tick_px).add(r.lot_qty).add(r.qty_min).add(r.notional_min);
  }
  return hasher.finish();
}

}  // namespace winnow::engine
