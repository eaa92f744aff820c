#pragma once

#include <algorithm>

#include "engine/lanes/job.hpp"
#include "engine/lanes/lane.hpp"

namespace winnow::engine::lanes {

/// A taker never pays more than this share of the price to spread and impact together, so that a
/// price stays positive however small the bar's volume is.
inline constexpr double kSlippageFracMax = 0.5;

// A quotient within this of a whole number counts as that number: 0.3 / 0.1 is 3 lots. Relative,
// for large counts, and absolute.
inline constexpr double kWholeRelative = 0x1.0p-50;
inline constexpr double kWholeAbsolute = 1e-9;

/// x rounded down to a multiple of the step.
template <class V>
V down_to(V x, const Step& step) {
  const V n = x * V(step.den) / V(step.num);
  return round_down(n + (magnitude(n) * V(kWholeRelative) + V(kWholeAbsolute))) * V(step.num) /
         V(step.den);
}
/// x rounded up to a multiple of the step.
template <class V>
V up_to(V x, const Step& step) {
  const V n = x * V(step.den) / V(step.num);
  const V slack = magnitude(n) * V(kWholeRelative) + V(kWholeAbsolute);
  return (V(0.0) - round_down(V(0.0) - (n - slack))) * V(step.num) / V(step.den);
}

/// Purpose: prices and sizes of fills under a job's execution model. Bars are absolute indices.
template <class V>
class Fills {
 public:
  using Mask = typename V::Mask;

  explicit Fills(const Job& job)
      : job_(job),
        costs_(job.costs),
        simple_(costs_.range_share == 0 && costs_.impact == 0 && costs_.participation == 0 &&
                job.rule_count == 0) {}

  /// Price of a taker that buys (direction 1) or sells (-1) `qty` at about `ref` in `bar`, as
  /// decided at the close of `decided`.
  [[gnu::always_inline]] V taker_px(V ref, V direction, V qty, std::size_t bar,
                                    std::size_t decided) const {
    if (simple_) return ref * (V(1.0) + direction * V(costs_.half_spread));
    V slip(spread(decided));
    if (costs_.impact > 0) slip = slip + impact(qty, bar);
    slip = smaller(slip, V(kSlippageFracMax));
    return to_tick(ref * (V(1.0) + direction * slip), direction, bar);
  }

  /// Price of a resting order that fills at `ref`.
  V maker_px(V ref, V direction, std::size_t bar) const {
    return simple_ ? ref : to_tick(ref, direction, bar);
  }

  struct Entry {
    V qty;  ///< > 0 where accepted
    V px;
    Mask accepted;  ///< of the lanes asked for
  };
  /// Entries at the open of `bar`. Requires: cash > 0 where wanted.
  [[gnu::always_inline]] Entry enter(Mask wanted, V direction, V cash, std::size_t bar) const {
    const V open(job_.open[bar]);
    const double fee = 1.0 + costs_.taker_fee;
    if (simple_) {
      const V px = open * (V(1.0) + direction * V(costs_.half_spread));
      const V qty = costs_.fixed_qty > 0 ? V(costs_.fixed_qty) : cash / (px * V(fee));
      return {qty, px, wanted};
    }
    return enter_with_rules(wanted, direction, cash, bar);
  }

 protected:
  double spread(std::size_t decided) const {
    double s = costs_.half_spread;
    if (costs_.range_share > 0) {
      const double range = job_.high[decided] - job_.low[decided];
      s += costs_.range_share * (range / job_.close[decided]);
    }
    return std::min(s, kSlippageFracMax);
  }

  V impact(V qty, std::size_t bar) const {
    const double volume = job_.volume[bar];
    if (!(volume > 0)) return V(kSlippageFracMax);
    return V(costs_.impact) * root(qty / V(volume));
  }

  const RuleStep* rules_at(std::size_t bar) const {
    const RuleStep* end = job_.rules + job_.rule_count;
    const RuleStep* after = std::upper_bound(
        job_.rules, end, bar, [](std::size_t b, const RuleStep& r) { return b < r.from_bar; });
    return after == job_.rules ? nullptr : after - 1;
  }

  V to_tick(V px, V direction, std::size_t bar) const {
    const RuleStep* rules = rules_at(bar);
    if (rules == nullptr || rules->tick.num == 0) return px;
    return select(direction > V(0.0), up_to(px, rules->tick), down_to(px, rules->tick));
  }

  Entry enter_with_rules(Mask wanted, V direction, V cash, std::size_t bar) const {
    const RuleStep* rules = rules_at(bar);
    const double volume = job_.volume[bar];
    V qty = costs_.fixed_qty > 0 ? V(costs_.fixed_qty) : all_in(direction, cash, bar, rules);
    if (costs_.participation > 0) qty = smaller(qty, V(costs_.participation * volume));
    if (rules != nullptr && rules->lot.num > 0) qty = down_to(qty, rules->lot);
    const V px = taker_px(V(job_.open[bar]), direction, qty, bar, bar - 1);
    Mask accepted = wanted & (qty > V(0.0)) & (px > V(0.0));
    if (costs_.impact > 0 && !(volume > 0)) accepted = accepted & (qty < V(0.0));  // none
    if (rules != nullptr) {
      accepted = accepted & (qty >= V(rules->qty_min)) & (qty * px >= V(rules->notional_min));
    }
    return {qty, px, accepted};
  }

  // The largest quantity whose cost with fees the cash pays. A short is sized by its price before
  // impact, which bounds its proceeds from above. With impact, cost(q) = q (a + b sqrt q) grows
  // with q and is convex, so Newton's steps from above stay above the root; a last step along the
  // chord to zero lands at or below it. A tick of reserve covers the rounding of the price.
  V all_in(V direction, V cash, std::size_t bar, const RuleStep* rules) const {
    const double fee = 1.0 + costs_.taker_fee;
    const V open(job_.open[bar]);
    const V before_impact = open * (V(1.0) + direction * V(spread(bar - 1)));
    const double volume = job_.volume[bar];
    if (costs_.impact == 0 || !(volume > 0)) {
      return cash / (to_tick(before_impact, direction, bar) * V(fee));
    }
    const bool ticks = rules != nullptr && rules->tick.num > 0;
    const V reserve(ticks ? rules->tick.num / rules->tick.den : 0.0);
    const V a = (before_impact + reserve) * V(fee);
    const V b = open * V(costs_.impact * fee / std::sqrt(volume));
    const V q = affordable(a, b, cash);
    return select(direction > V(0.0), q, cash / a);
  }

  // The largest q with q (a + b sqrt q) <= cash.
  static V affordable(V a, V b, V cash) {
    V q = cash / a;
    for (int i = 0; i < kNewtonSteps; ++i) {
      const V r = root(q);
      const V excess = q * (a + b * r) - cash;
      q = q - excess / (a + b * r * V(1.5));
    }
    return q * smaller(V(1.0), cash / (q * (a + b * root(q))));
  }

  // From q0 = cash / a the error is squared in each step; 8 reach rounding error for any impact
  // that is not absurd, and the chord step keeps the rest affordable.
  static constexpr int kNewtonSteps = 8;

  const Job& job_;
  const Costs& costs_;
  const bool simple_;
};

}  // namespace winnow::engine::lanes
