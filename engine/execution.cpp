#include "engine/execution.hpp"

#include <algorithm>
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

struct Need {
  Sizing sizing;
  std::string_view name;
  double value;
};

// A size that is needed and not said, or said and cannot be had.
Status check_sizing(const ExecutionModel& e) {
  const auto refuse = [](const std::string& why) {
    return Error(ErrorCode::InvalidInput, "execution model: " + why);
  };
  for (const Need& need :
       {Need{Sizing::FixedQty, "fixed_qty", e.fixed_qty},
        Need{Sizing::Exposure, "exposure_frac", e.exposure_frac},
        Need{Sizing::VolatilityTarget, "volatility_target_ann_frac", e.volatility_target_ann_frac},
        Need{Sizing::VolatilityTarget, "volatility_decay", e.volatility_decay},
        Need{Sizing::VolatilityTarget, "days_a_year", e.days_a_year},
        Need{Sizing::VolatilityTarget, "exposure_max_frac", e.exposure_max_frac},
        Need{Sizing::Kelly, "kelly_frac", e.kelly_frac},
        Need{Sizing::Kelly, "exposure_frac", e.exposure_frac},
        Need{Sizing::Kelly, "exposure_max_frac", e.exposure_max_frac}}) {
    if (e.sizing == need.sizing && !(need.value > 0)) {
      return refuse("sizing " + std::string(sizing_name(need.sizing)) + " needs " +
                    std::string(need.name) + " above 0");
    }
  }
  const double most = std::max(e.exposure_frac, e.exposure_max_frac);
  if (e.leverage_max > 0 && most > e.leverage_max) {
    return refuse("an exposure of " + shortest_text(most) + " is above leverage_max=" +
                  shortest_text(e.leverage_max) + ", which would refuse every entry of that size");
  }
  if (e.exposure_max_frac > 0 && e.exposure_min_frac > e.exposure_max_frac) {
    return refuse("exposure_min_frac=" + shortest_text(e.exposure_min_frac) +
                  " is above exposure_max_frac=" + shortest_text(e.exposure_max_frac));
  }
  if (e.rebalance && (e.sizing == Sizing::AllIn || e.sizing == Sizing::FixedQty)) {
    return refuse(
        "rebalance needs a sizing by exposure: exposure, volatility_target or kelly, not all_in or "
        "fixed_qty");
  }
  if ((e.kelly_wealth_min_frac > 0) != (e.kelly_wealth_min_prob > 0)) {
    return refuse(
        "kelly_wealth_min_frac and kelly_wealth_min_prob say one thing together; give both, each "
        "above 0, or neither");
  }
  if (e.drawdown_scale_frac > 0 && !e.drawdown_bars) {
    return refuse("drawdown_scale_frac looks at every close: it needs drawdown_bars on");
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
  WINNOW_TRY(check_sizing(e));
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
      {"exposure_frac", &M::exposure_frac, nullptr, 0, 0, 1000, true},
      {"exposure_min_frac", &M::exposure_min_frac, nullptr, 0, 0, 1000, true},
      {"exposure_max_frac", &M::exposure_max_frac, nullptr, 0, 0, 1000, true},
      {"volatility_target_ann_frac", &M::volatility_target_ann_frac, nullptr, 0, 0, 10, true},
      {"volatility_decay", &M::volatility_decay, nullptr, 0, 0, kVolatilityDecayMax, true},
      {"days_a_year", &M::days_a_year, nullptr, 0, 0, 366, true},
      {"kelly_frac", &M::kelly_frac, nullptr, 0, 0, 1, true},
      {"kelly_trades_min", &M::kelly_trades_min, nullptr, 0, 0, 1e6, true},
      {"kelly_wealth_min_frac", &M::kelly_wealth_min_frac, nullptr, 0, 0, 0.999, true},
      {"kelly_wealth_min_prob", &M::kelly_wealth_min_prob, nullptr, 0, 0, 0.999, true},
      {"rebalance", nullptr, &M::rebalance, 0, 0, 1, true},
      {"rebalance_band_frac", &M::rebalance_band_frac, nullptr, 0, 0, 1, true},
      {"drawdown_scale_frac", &M::drawdown_scale_frac, nullptr, 0, 0, 1, true},
      {"performance_scale", &M::performance_scale, nullptr, 0, 0, 10, true},
      {"performance_mean_frac", &M::performance_mean_frac, nullptr, 0, 0, 10, true},
  };
  return kRules;
}

namespace {

constexpr std::string_view kSizingNames[] = {"all_in", "fixed_qty", "exposure", "volatility_target",
                                             "kelly"};

constexpr unsigned bit(Sizing s) { return 1u << static_cast<unsigned>(s); }
constexpr unsigned kExposures =
    bit(Sizing::Exposure) | bit(Sizing::VolatilityTarget) | bit(Sizing::Kelly);
constexpr unsigned kAnySizing = ~0u;

struct Scope {
  std::string_view rule;
  unsigned sizings;
};
constexpr Scope kScopes[] = {
    {"exposure_frac", kExposures},
    {"exposure_min_frac", kAnySizing},
    {"exposure_max_frac", kExposures},
    {"volatility_target_ann_frac", bit(Sizing::VolatilityTarget)},
    {"volatility_decay", bit(Sizing::VolatilityTarget)},
    {"days_a_year", bit(Sizing::VolatilityTarget)},
    {"kelly_frac", bit(Sizing::Kelly)},
    {"kelly_trades_min", bit(Sizing::Kelly)},
    {"kelly_wealth_min_frac", bit(Sizing::Kelly)},
    {"kelly_wealth_min_prob", bit(Sizing::Kelly)},
    {"rebalance", kExposures},
    {"rebalance_band_frac", kExposures},
};

}  // namespace

std::span<const std::string_view> sizing_names() { return kSizingNames; }
std::string_view sizing_name(Sizing sizing) {
  return kSizingNames[static_cast<std::size_t>(sizing)];
}
std::optional<Sizing> find_sizing(std::string_view name) {
  const auto found = std::find(std::begin(kSizingNames), std::end(kSizingNames), name);
  if (found == std::end(kSizingNames)) return std::nullopt;
  return static_cast<Sizing>(found - std::begin(kSizingNames));
}

bool says_something(const ExecutionRule& rule, Sizing sizing) {
  for (const Scope& scope : kScopes) {
    if (scope.rule == rule.name) return (scope.sizings & bit(sizing)) != 0;
  }
  return true;
}

void choose_sizing(ExecutionModel& model, Sizing sizing) {
  model.sizing = sizing;
  const bool by_exposure = (kExposures & bit(sizing)) != 0;
  const bool by_volatility = sizing == Sizing::VolatilityTarget;
  const bool by_trades = sizing == Sizing::Kelly;
  model.rebalance = by_exposure;
  model.rebalance_band_frac = by_exposure ? 0.1 : 0;
  model.exposure_max_frac = by_volatility || by_trades ? 1 : 0;
  model.volatility_decay = by_volatility ? 0.94 : 0;
  model.days_a_year = by_volatility ? 365 : 0;
  model.kelly_frac = by_trades ? 0.5 : 0;
  model.kelly_trades_min = by_trades ? 30 : 0;
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
  for (const ExecutionRule& rule : execution_rules()) {
    const double value = rule.value(*this);
    if (!rule.sizes) {
      hasher.add(value);
    } else if (value != rule.off) {
      hasher.add(rule.name).add(value);
    }
  }
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
