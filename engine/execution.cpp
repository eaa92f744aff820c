#include "engine/execution.hpp"

#include <cmath>
#include <string>
#include <string_view>

#include "base/numbers.hpp"

namespace winnow::engine {
namespace {

struct Limit {
  std::string_view name;
  double value;
  double min;
  double max;
};

Status check_limit(const Limit& limit, std::string_view where) {
  if (limit.value >= limit.min && limit.value <= limit.max) return {};
  return Error(ErrorCode::InvalidInput, std::string(where) + std::string(limit.name) + "=" +
                                            shortest_text(limit.value) + " is outside [" +
                                            shortest_text(limit.min) + ", " +
                                            shortest_text(limit.max) + "]");
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
  for (const ExecutionRule& rule : execution_rules()) {
    WINNOW_TRY(check_limit({rule.name, rule.value(e), 0, rule.max}, "execution model: "));
  }
  if (e.impact_bps > 0 && e.impact_y > 0) {
    return Error(ErrorCode::InvalidInput,
                 "execution model: impact_bps=" + shortest_text(e.impact_bps) +
                     " and impact_y=" + shortest_text(e.impact_y) + " exclude each other");
  }
  if (e.sizing == Sizing::FixedQty && e.fixed_qty == 0) {
    return Error(ErrorCode::InvalidInput,
                 "execution model: sizing fixed_qty needs fixed_qty above 0");
  }
  return check_rules(e.rules);
}

std::span<const ExecutionRule> execution_rules() {
  using M = ExecutionModel;
  static constexpr ExecutionRule kRules[] = {
      {"impact_y", &M::impact_y, nullptr, 0, 0, 100},
      {"work_exits", nullptr, &M::work_exits, 0, 1, 1},
      {"expected_volume", nullptr, &M::expected_volume, 0, 1, 1},
      {"resting_targets", nullptr, &M::resting_targets, 0, 1, 1},
      {"target_penetration_ticks", &M::target_penetration_ticks, nullptr, 0, 1, 1e6},
      {"stop_range_frac", &M::stop_range_frac, nullptr, 0, 0.05, 1},
      {"liquidation", nullptr, &M::liquidation, 0, 1, 1},
      {"maintenance_margin_frac", &M::maintenance_margin_frac, nullptr, 0, 0, 0.5},
      {"liquidation_fee_bps", &M::liquidation_fee_bps, nullptr, 0, 0, 1000},
      {"drawdown_bars", nullptr, &M::drawdown_bars, 0, 1, 1},
      {"short", nullptr, &M::shorts, 1, 1, 1},
      {"leverage_max", &M::leverage_max, nullptr, 0, 1, 1000},
      {"borrow_ann_frac", &M::borrow_ann_frac, nullptr, 0, 0, 10},
  };
  return kRules;
}

bool ExecutionModel::has_rules() const {
  for (const ExecutionRule& rule : execution_rules()) {
    if (rule.value(*this) != rule.off) return true;
  }
  return false;
}

namespace {

KeyHasher version_1_key(const ExecutionModel& e, double impact_bps) {
  KeyHasher hasher("execution-model-1");
  hasher.add(e.taker_fee_bps).add(e.maker_fee_bps).add(e.half_spread_bps);
  hasher.add(e.half_spread_range_frac).add(impact_bps).add(e.participation_max_frac);
  hasher.add(std::uint64_t{e.funding}).add(static_cast<std::uint64_t>(e.sizing));
  hasher.add(e.fixed_qty).add(e.initial_cash);
  for (const InstrumentRules& r : e.rules) {
    hasher.add(r.from_ns).add(r.tick_px).add(r.lot_qty).add(r.qty_min).add(r.notional_min);
  }
  return hasher;
}

}  // namespace

Hash128 ExecutionModel::key() const {
  KeyHasher hasher = version_1_key(*this, impact_bps);
  hasher.add("rules of version 2");
  for (const ExecutionRule& rule : execution_rules()) hasher.add(rule.value(*this));
  return hasher.finish();
}

Hash128 ExecutionModel::ledger_key() const {
  const bool stated = version_1_impact_bps >= 0;
  KeyHasher hasher = version_1_key(*this, stated ? version_1_impact_bps : impact_bps);
  for (const ExecutionRule& rule : execution_rules()) {
    const double value = rule.value(*this);
    if (!stated && value != rule.off && value != rule.otherwise) hasher.add(rule.name).add(value);
  }
  return hasher.finish();
}

}  // namespace winnow::engine
