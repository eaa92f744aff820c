#pragma once

#include <cstddef>
#include <limits>

#include "engine/lanes/job.hpp"
#include "engine/lanes/lane.hpp"

namespace winnow::engine::lanes {

/// Closed trades that performance scaling looks back on.
inline constexpr int kRecentTrades = 30;

/// What sizes remember of a variant's closed trades, each as its pnl over what was staked: the
/// notional of its entries. Lanes only.
template <class V>
struct TradeMemory {
  V count{0.0};
  V sum{0.0};
  V squares{0.0};
  V next{0.0};              // place in `recent`
  V recent[kRecentTrades];  // last: what nobody asks for is not loaded

  TradeMemory() {
    for (V& r : recent) r = V(0.0);
  }
};

/// Purpose: how large a position is to be, as a share of equity. Formulas: docs/SIZING.md.
template <class V>
class Sizer {
 public:
  using Mask = typename V::Mask;

  explicit Sizer(const Job& job) : job_(job), sizes_(job.sizes) {}

  void remember(TradeMemory<V>& memory, Mask m, V gain) const {
    const V one(1.0);
    memory.count = memory.count + masked(m, one);
    if (sizes_.by == Sizes::By::Trades) {
      memory.sum = memory.sum + masked(m, gain);
      memory.squares = memory.squares + masked(m, gain * gain);
    }
    if (!(sizes_.performance > 0)) return;
    for (int i = 0; i < kRecentTrades; ++i) {
      memory.recent[i] = select(m & (memory.next == V(i)), gain, memory.recent[i]);
    }
    memory.next = memory.next + masked(m, one);
    memory.next = masked(memory.next < V(kRecentTrades), memory.next);
  }

  /// What drawdown and the last trades make of a size: a factor that holds for the whole position.
  V scale(const TradeMemory<V>& memory, V equity, V peak) const {
    const V zero(0.0);
    const V one(1.0);
    V out = one;
    if (sizes_.drawdown > 0) {
      const V fallen = one - equity / larger(peak, equity);
      out = larger(zero, one - fallen / V(sizes_.drawdown));
    }
    if (sizes_.performance > 0) {
      const V factor = one + V(sizes_.performance) * t_ratio(memory);
      const V clipped = smaller(V(2.0), larger(zero, factor));
      out = out * select(memory.count >= V(kRecentTrades), clipped, one);
    }
    return out;
  }

  /// Of equity, in `bar`. `scale` as it was when the position began.
  V exposure(const TradeMemory<V>& memory, V scale, std::size_t bar) const {
    V out(sizes_.exposure);
    if (sizes_.by == Sizes::By::Day) out = V(job_.exposure[bar]);
    if (sizes_.by == Sizes::By::Trades) {
      const V kelly = V(sizes_.kelly_factor) * memory.sum / memory.squares;
      const Mask known = (memory.count >= V(sizes_.trades_min)) & (memory.squares > V(0.0));
      out = select(known, kelly, out);
    }
    return within(within(out) * scale);
  }

 private:
  V within(V exposure) const {
    const V most(sizes_.most > 0 ? sizes_.most : std::numeric_limits<double>::infinity());
    return larger(smaller(exposure, most), V(sizes_.least));
  }

  // Of the last trades against their mean out of sample; 0 where they are all the same.
  V t_ratio(const TradeMemory<V>& memory) const {
    const V count(kRecentTrades);
    V mean(0.0);
    for (const V& r : memory.recent) mean = mean + r;
    mean = mean / count;
    V squares(0.0);
    for (const V& r : memory.recent) squares = squares + (r - mean) * (r - mean);
    const V error = root(squares / V(kRecentTrades - 1) / count);
    return masked(error > V(0.0), (mean - V(sizes_.performance_mean)) / error);
  }

  const Job& job_;
  const Sizes& sizes_;
};

/// Closes between which a position keeps within the band around its exposure: no close inside asks
/// for a change. What rounding could do lies outside.
template <class V>
struct BandLevels {
  V low;
  V high;

  /// Notional less x times equity at a price p is p (|qty| - x qty) - x cash: its sign changes at
  /// one price. Requires: qty is not 0.
  static BandLevels of(V cash, V qty, V exposure, double band) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    BandLevels out{V(-inf), V(inf)};
    out.turn_at(cash, qty, exposure * V(1 + band), V(1.0));
    out.turn_at(cash, qty, exposure * V(1 - band), V(-1.0));
    // No number: nothing is known, so every close is looked at.
    out.low = select(out.low == out.low, out.low, V(inf));
    out.high = select(out.high == out.high, out.high, V(-inf));
    return out;
  }

 private:
  // Beyond the price at which the difference, times `sign`, becomes positive.
  void turn_at(V cash, V qty, V x, V sign) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    constexpr double kSlack = 0x1.0p-46;
    const V zero(0.0);
    const V held = magnitude(qty);
    const V slope = held - x * qty;
    const V at = x * cash / slope;
    const V parts = x * magnitude(cash) + (held + x * held) * magnitude(at);
    const V slack = parts * V(kSlack) / magnitude(slope);
    const V rising = slope * sign;
    high = select(rising > zero, smaller_known(at - slack, high), high);
    low = select(rising < zero, larger_known(at + slack, low), low);
    low = select(slope == zero, V(inf), low);
  }
  // As smaller and larger; no number wins.
  static V smaller_known(V a, V b) { return select(b < a, b, a); }
  static V larger_known(V a, V b) { return select(b > a, b, a); }
};

}  // namespace winnow::engine::lanes
