#pragma once

#include <cstddef>
#include <limits>

#include "engine/lanes/fills.hpp"

namespace winnow::engine::lanes {

/// At or above this, Job::impact_scale says that the volume is nothing: no price, no size.
inline constexpr double kNoVolumeScale = 1e100;

/// Purpose: prices and sizes under all rules of an execution model. Bars are absolute indices.
/// Formulas: docs/EXECUTION.md.
template <class V>
class FullFills : public Fills<V> {
  using Base = Fills<V>;
  using Base::costs_;
  using Base::job_;

 public:
  using typename Base::Entry;
  using typename Base::Mask;

  explicit FullFills(const Job& job) : Base(job) {}

  /// What may still trade in `bar` for one that has traded `spent` there.
  V room(V spent, std::size_t bar) const {
    constexpr double inf = std::numeric_limits<double>::infinity();
    if (!job_.full.work_exits) return V(inf);
    if (!(job_.volume[bar] > 0)) return V(0.0);
    if (costs_.participation == 0) return V(inf);
    return larger(V(costs_.participation * job_.volume[bar]) - spent, V(0.0));
  }

  /// The part of `qty` that fills where `room` may trade: all, or whole lots above the minimums.
  V piece(V qty, V room, V px, std::size_t bar) const {
    const RuleStep* rules = this->rules_at(bar);
    V part = room;
    if (rules != nullptr) {
      if (rules->lot.num > 0) part = down_to(part, rules->lot);
      const Mask sent = (part >= V(rules->qty_min)) & (part * px >= V(rules->notional_min));
      part = masked(sent, part);
    }
    return select(room >= qty, qty, part);
  }

  /// So much of `qty` as fills where `room` may trade, in whole lots above the minimums: the whole
  /// is not left to be worked.
  V lots(V qty, V room, V px, std::size_t bar) const {
    const RuleStep* rules = this->rules_at(bar);
    V part = smaller(qty, room);
    if (rules == nullptr) return part;
    if (rules->lot.num > 0) part = down_to(part, rules->lot);
    return masked((part >= V(rules->qty_min)) & (part * px >= V(rules->notional_min)), part);
  }

  /// Price of a market order in `bar`, decided at the close of `decided`, of which `order_qty` is
  /// the whole: what an order costs does not depend on how many bars it is worked over.
  V market_px(V ref, V direction, V order_qty, std::size_t bar, std::size_t decided) const {
    V slip(this->spread(decided));
    slip = slip + V(job_.impact_scale[bar]) * root(order_qty);
    slip = smaller(slip, V(kSlippageFracMax));
    return this->to_tick(ref * (V(1.0) + direction * slip), direction, bar);
  }

  /// Size of an entry at the open of `bar` with so much of the cash; of a fixed quantity, of that.
  V size(V direction, V cash, V exposure, std::size_t bar) const {
    if (costs_.fixed_qty > 0) return V(costs_.fixed_qty) * exposure;
    const V budget = cash * exposure;
    return masked(budget > V(0.0), all_in(direction, budget, bar, this->rules_at(bar)));
  }

  struct Order {
    V direction;
    V qty;
    V held;    ///< already, in that direction
    V equity;  ///< at the open
    V spent;   ///< traded in the bar before
  };
  /// Orders that open a position, or add to one, at the open of `bar`.
  Entry enter(Mask wanted, const Order& order, std::size_t bar) const {
    const Rules& full = job_.full;
    const RuleStep* rules = this->rules_at(bar);
    const double volume = job_.volume[bar];
    const V open(job_.open[bar]);
    const V direction = order.direction;
    V qty = order.qty;
    if (costs_.participation > 0) {
      const double known = full.expected_volume ? job_.expected_volume[bar] : volume;
      qty = smaller(qty, V(costs_.participation * known));
    }
    Mask accepted = wanted;
    if (!full.shorts) accepted = accepted & (direction > V(0.0));
    if (full.leverage_max > 0) {
      const V asked = (order.held + qty) * market_px(open, direction, qty, bar, bar - 1);
      const double allowed = full.leverage_max * (1 + kCashSlack) / (1.0 + costs_.taker_fee);
      accepted = accepted & (asked <= order.equity * V(allowed));
    }
    if (costs_.participation > 0) {
      qty = smaller(qty, larger(V(costs_.participation * volume) - order.spent, V(0.0)));
    }
    if (rules != nullptr && rules->lot.num > 0) qty = down_to(qty, rules->lot);
    const V px = market_px(open, direction, qty, bar, bar - 1);
    accepted = accepted & (qty > V(0.0)) & (px > V(0.0));
    const bool dry = !(volume > 0) && (full.work_exits || costs_.impact > 0);
    if (dry || job_.impact_scale[bar] >= kNoVolumeScale) accepted = accepted & (qty < V(0.0));
    if (rules != nullptr) {
      accepted = accepted & (qty >= V(rules->qty_min)) & (qty * px >= V(rules->notional_min));
    }
    return {qty, px, accepted};
  }

  struct Target {
    V limit;  ///< fills at this price
    V at;     ///< when the price reaches this
  };
  /// A resting order that closes a position of `side` at `wanted` or the next tick beyond.
  Target target(V wanted, V side, std::size_t bar) const {
    if (!job_.full.resting_targets) return {wanted, wanted};
    constexpr double kFar = 1e300;  // no target lies at infinity
    const RuleStep* rules = this->rules_at(bar);
    const double ticks = job_.full.penetration_ticks;
    V limit = wanted;
    V beyond = ticks > 0 ? wanted * (V(1.0) + side * V(kStrictly)) : wanted;
    if (rules != nullptr && rules->tick.num > 0) {
      limit = select(side > V(0.0), up_to(wanted, rules->tick), down_to(wanted, rules->tick));
      beyond = limit + side * V(ticks * rules->tick.num / rules->tick.den);
    }
    const Mask there = magnitude(wanted) < V(kFar);
    return {select(there, limit, wanted), select(there, beyond, wanted)};
  }

  /// What a resting order of a position of `side` may take of a bar that went beyond its limit: its
  /// share of the volume there, which lies as evenly over the bar's range as can be known.
  V room_beyond(V limit, V side, V room, std::size_t bar) const {
    if (costs_.participation == 0) return room;
    const V far = select(side > V(0.0), V(job_.high[bar]), V(job_.low[bar]));
    const double range = job_.high[bar] - job_.low[bar];
    const V share = range > 0 ? smaller(side * (far - limit) / V(range), V(1.0)) : V(1.0);
    return smaller(room, V(costs_.participation * job_.volume[bar]) * share);
  }

 private:
  // The next double but one at most: more than the limit, where there is no tick to be more by.
  static constexpr double kStrictly = 0x1.0p-52;
  // An all-in size meets its cash to rounding.
  static constexpr double kCashSlack = 1e-9;

  // As Fills::all_in, with the slippage of Job::impact_scale.
  V all_in(V direction, V cash, std::size_t bar, const RuleStep* rules) const {
    const double fee = 1.0 + costs_.taker_fee;
    const V open(job_.open[bar]);
    const V before_impact = open * (V(1.0) + direction * V(this->spread(bar - 1)));
    const double scale = job_.impact_scale[bar];
    if (scale == 0 || scale >= kNoVolumeScale) {
      return cash / (this->to_tick(before_impact, direction, bar) * V(fee));
    }
    const bool ticks = rules != nullptr && rules->tick.num > 0;
    const V reserve(ticks ? rules->tick.num / rules->tick.den : 0.0);
    const V a = (before_impact + reserve) * V(fee);
    const V b = open * V(scale * fee);
    const V q = this->affordable(a, b, cash);
    return select(direction > V(0.0), q, cash / a);
  }
};

}  // namespace winnow::engine::lanes
