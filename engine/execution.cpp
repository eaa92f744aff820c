#include "engine/execution.hpp"

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

namespace winnow::engine {
namespace {

std::string number(double v) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, v).ptr);
}

struct Limit {
  std::string_view name;
  double value;
  double min;
  double max;
};

Status check_limit(const Limit& limit, std::string_view where) {
  if (limit.value >= limit.min && limit.value <= limit.max) return {};
  return Error(ErrorCode::InvalidInput, std::string(where) + std::string(limit.name) + "=" +
                                            number(limit.value) + " is outside [" +
                                            number(limit.min) + ", " + number(limit.max) + "]");
}

constexpr double kBig = 1e15;

Status check_rules(const std::vector<InstrumentRules>& rules) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const InstrumentRules& r = rules[i];
    const std::string where = "execution model: rules[" + std::to_string(i) + "].";
    for (const Limit& limit :
         {Limit{"tick_px", r.tick_px, 0, kBig}, Limit{"lot_qty", r.lot_qty, 0, kBig},
          Limit{"qty_min", r.qty_min, 0, kBig}, Limit{"notional_min", r.notional_min, 0, kBig}}) {
      WINNOW_TRY(check_limit(limit, where));
    }
    if (i > 0 && r.from_ns <= rules[i - 1].from_ns) {
      return Error(ErrorCode::InvalidInput,
                   where + "from_ns=" + std::to_string(r.from_ns) +
                       " must be later than that of the rules before it, " +
                       std::to_string(rules[i - 1].from_ns));
    }
  }
  return {};
}

}  // namespace

Status check_execution(const ExecutionModel& e) {
  for (const Limit& limit : {Limit{"taker_fee_bps", e.taker_fee_bps, 0, 9'999},
                             Limit{"maker_fee_bps", e.maker_fee_bps, -9'999, 9'999},
                             Limit{"half_spread_bps", e.half_spread_bps, 0, 5'000},
                             Limit{"half_spread_range_frac", e.half_spread_range_frac, 0, 100},
                             Limit{"impact_bps", e.impact_bps, 0, 1e6},
                             Limit{"participation_max_frac", e.participation_max_frac, 0, 1},
                             Limit{"fixed_qty", e.fixed_qty, 0, kBig},
                             Limit{"initial_cash", e.initial_cash, 1e-9, kBig}}) {
    WINNOW_TRY(check_limit(limit, "execution model: "));
  }
  if (e.sizing == Sizing::FixedQty && e.fixed_qty == 0) {
    return Error(ErrorCode::InvalidInput,
                 "execution model: sizing fixed_qty needs fixed_qty above 0");
  }
  return check_rules(e.rules);
}

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
