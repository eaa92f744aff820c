#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "engine/lanes/contract.hpp"
#include "engine/lanes/fills.hpp"
#include "engine/lanes/job.hpp"
#include "engine/lanes/lane.hpp"

namespace winnow::engine::lanes {

/// How a fill came about.
enum class FillKind {
  Entry,
  Signal,
  Stop,
  Target,
  Ruin,  ///< the venue took the position over
};

/// The recorder of sweeps: nothing.
struct NoRecorder {
  static constexpr bool kEnabled = false;
};

/// Purpose: the mean position of each period, signed notional over equity, weighted by the bars it
/// was held. It is looked at where a position changes and where a period begins, and taken as the
/// same between: no bar has to be looked at for it.
template <class V>
struct Exposure {
  V now{0.0};
  V since{0.0};  // bar
  V sum{0.0};    // of this period: position times bars

  /// From the open of `bar` on it is `position`.
  void change(typename V::Mask m, V position, V bar) {
    sum = sum + masked(m, now * (bar - since));
    now = select(m, position, now);
    since = select(m, bar, since);
  }
  /// The mean of the period that ends with the close before `next`; the next one begins.
  V end_period(V position, V next, V bars) {
    const V mean = (sum + now * (next - since)) / bars;
    now = position;
    since = next;
    sum = V(0.0);
    return mean;
  }
};

inline double period_bars(const Job& job, std::size_t period) {
  const std::size_t first = period == 0 ? job.first : job.period_last[period - 1] + 1;
  return static_cast<double>(static_cast<std::int64_t>(job.period_last[period] + 1 - first));
}

/// Account, open trade and tallies of the variants of one lane group.
template <class V, class Strategy>
struct Group {
  Strategy strategy;
  V cash;
  V qty{0.0};   // signed
  V side{0.0};  // its sign
  V stop_low;   // something happens inside a bar that reaches down to this
  V stop_high;  // or up to this
  V deadline;   // bar at whose close the position is given up
  double next_deadline = std::numeric_limits<double>::infinity();

  V entry_px{0.0};
  V entry_bar{0.0};
  V entry_notional{0.0};
  V entry_cash{1.0};
  V trade_funding{0.0};
  V alive{1.0};
  V tally[kTallies];

  Exposure<V> exposure;
};

/// Purpose: moves one group of variants over bars. Between special bars (funding, ends of periods,
/// deadlines) nothing is done at a bar but to ask whether any lane could act; a bar at which one
/// could is worked through by step(). Asking too often is harmless: step() changes nothing in lanes
/// that do not act, which is why grouping, block skipping and lane width cannot change a result.
template <class V, class Strategy, class Recorder>
class Simulator {
 public:
  using Mask = typename V::Mask;
  using G = Group<V, Strategy>;
  static constexpr bool kFull = false;
  static constexpr bool kLevels = Strategy::kExits != Exits::None;  ///< asks for stops inside bars

  Simulator(const Job& job, Recorder* recorder) : job_(job), fills_(job), recorder_(recorder) {}

  void start(G& g, std::size_t slot) const {
    g.strategy.load([&](int p) { return V::load(job_.params + p * job_.slots + slot); });
    g.cash = V(job_.costs.initial_cash);
    for (V& t : g.tally) t = V(0.0);
    g.exposure.since = bar_number(job_.first);
    flatten_levels(g, !(V(0.0) > V(0.0)));
  }

  static constexpr std::size_t kNoPeriod = ~std::size_t{0};

  /// What happens at a bar that ends no period and is not the window's last. `bar` gives the
  /// columns' values at t. A bar that was looked up because some lane could act, and where no stop
  /// or target is hit, has a lane that acts at the close: asking again would only cost a branch.
  template <class Bar>
  [[gnu::always_inline]] void ordinary_bar(G& g, const Bar& bar, std::size_t t) const {
    const bool hit = inside(g, t);
    if constexpr (Recorder::kEnabled) {
      recorder_->bar_closed(t, (g.cash + g.qty * V(job_.close[t])).v, g.qty.v);
    }
    if (hit) {
      at_close(g, bar, t);
    } else {
      act(g, bar, t);
    }
  }

  /// What happens at any bar, after its funding. `period`: the period it ends, or kNoPeriod.
  template <class Bar>
  void special_bar(G& g, const Bar& bar, std::size_t t, std::size_t slot,
                   std::size_t period) const {
    inside(g, t);
    if (period != kNoPeriod) mark(g, t, slot, period);
    if constexpr (Recorder::kEnabled) {
      recorder_->bar_closed(t, (g.cash + g.qty * V(job_.close[t])).v, g.qty.v);
    }
    if (t + 1 < job_.last) at_close(g, bar, t);
  }

  void fund(G& g, std::size_t t, double rate_frac) const {
    const V paid = g.qty * V(job_.open[t]) * V(rate_frac);
    g.cash = g.cash - paid;
    g.trade_funding = g.trade_funding + paid;
    g.tally[kFundingPaid] = g.tally[kFundingPaid] + paid;
  }

  /// Writes the tallies out after the last bar.
  void finish(G& g, std::size_t slot) const {
    const V held = bar_number(job_.last) - g.entry_bar;
    const Mask open = g.side != V(0.0);
    g.tally[kHoldBars] = g.tally[kTradeHoldBars] + masked(open, held);
    g.tally[kTradeNotional] = g.tally[kEntryNotional] - masked(open, g.entry_notional);
    g.tally[kOpenQty] = g.qty;
    g.tally[kRuined] = V(1.0) - g.alive;
    for (int i = 0; i < kTallies; ++i) g.tally[i].store(job_.tallies + i * job_.slots + slot);
  }

 private:
  static void flatten_levels(G& g, Mask m) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    g.stop_low = select(m, V(-inf), g.stop_low);
    g.stop_high = select(m, V(inf), g.stop_high);
    g.deadline = select(m, V(inf), g.deadline);
  }

  static V bar_number(std::size_t t) {
    return V(static_cast<double>(static_cast<std::int64_t>(t)));
  }

  [[gnu::always_inline]] bool inside(G& g, std::size_t t) const {
    if constexpr (!kLevels) return false;
    const Mask hit = (V(job_.low[t]) <= g.stop_low) | (V(job_.high[t]) >= g.stop_high);
    const bool some = any(hit);
    if (some) close_inside(g, hit, t);
    return some;
  }

  template <class Bar>
  [[gnu::always_inline]] void at_close(G& g, const Bar& bar, std::size_t t) const {
    const Mask due = g.strategy.due(Seen<V, Bar>(bar, g.side));
    if (any(due | late(g, t))) act(g, bar, t);
  }

  static Mask late(const G& g, std::size_t t) { return g.deadline <= bar_number(t); }

  // The stop comes first; of a short the stop is the upper level.
  [[gnu::always_inline]] void close_inside(G& g, Mask hit, std::size_t t) const {
    const V open(job_.open[t]);
    const Mask shorts = g.side < V(0.0);
    const Mask down =
        select_mask(shorts, !(V(job_.high[t]) >= g.stop_high), V(job_.low[t]) <= g.stop_low);
    const Mask stopped = down ^ shorts;
    const V ref = select(down, smaller(open, g.stop_low), larger(open, g.stop_high));
    const V direction = V(0.0) - g.side;
    const V taken = fills_.taker_px(ref, direction, magnitude(g.qty), t, t - 1);
    const V px = select(stopped, taken, fills_.maker_px(ref, direction, t));
    close<true>(g, hit, px, ref, !stopped, t);
    if constexpr (Recorder::kEnabled) {
      recorder_->closed(t, any(stopped) ? FillKind::Stop : FillKind::Target);
    }
    position_changed(g);
  }

  template <class Bar>
  [[gnu::always_inline]] void act(G& g, const Bar& bar, std::size_t t) const {
    const V zero(0.0);
    const Seen<V, Bar> seen(bar, g.side);
    const V side = decided<V>(g.strategy, seen);
    const V wanted = select(late(g, t) & (side == g.side), zero, side);
    const Mask changed = wanted != g.side;
    const Mask out = changed & (g.side != zero);
    const std::size_t fill = t + 1;
    const V open(job_.open[fill]);
    if (any(out)) {
      const V px = fills_.taker_px(open, zero - g.side, magnitude(g.qty), fill, t);
      close<false>(g, out, px, open, out, fill);
      if constexpr (Recorder::kEnabled) recorder_->closed(fill, FillKind::Signal);
    }
    const Mask in = changed & (wanted != zero) & (g.cash > zero) & (g.alive > zero);
    if (any(in)) enter(g, in, wanted, seen, fill);
    if (any(changed)) position_changed(g);
  }

  template <class SeenBar>
  [[gnu::noinline]] void enter(G& g, Mask in, V side, const SeenBar& seen, std::size_t fill) const {
    const auto order = fills_.enter(in, side, g.cash, fill);
    const Mask m = order.accepted;
    const V one(1.0);
    const V notional = order.qty * order.px;
    const V fee = notional * V(job_.costs.taker_fee);
    add(g, kRejected, in & !m, one);
    add(g, kEntryNotional, m, notional);
    add(g, kSlippage, m, side * order.qty * (order.px - V(job_.open[fill])));
    g.entry_px = select(m, order.px, g.entry_px);
    g.entry_bar = select(m, bar_number(fill), g.entry_bar);
    g.entry_notional = select(m, notional, g.entry_notional);
    g.entry_cash = select(m, g.cash, g.entry_cash);
    g.trade_funding = select(m, V(0.0), g.trade_funding);
    const V position = side * notional / g.cash;
    g.exposure.change(m, position, bar_number(fill));
    see_position(g, masked(m, position));
    g.cash = select(m, g.cash - side * notional - fee, g.cash);
    g.qty = select(m, side * order.qty, g.qty);
    g.side = select(m, side, g.side);
    if constexpr (kLevels) {
      const Protect<V> protect = g.strategy.protect(seen);
      const V stop = order.px * (one - side * protect.stop_frac);
      const V target = order.px * (one + side * protect.target_frac);
      const Mask longs = side > V(0.0);
      g.stop_low = select(m, select(longs, stop, target), g.stop_low);
      g.stop_high = select(m, select(longs, target, stop), g.stop_high);
      const V deadline = bar_number(fill) + protect.hold_bars;
      g.deadline = select(m, deadline, g.deadline);
    }
    if constexpr (Recorder::kEnabled) {
      if (any(m)) recorder_->entered(fill, side.v, order.qty.v, order.px.v, fee.v);
    }
  }

  // kMaker: the lanes of `maker` (of m) leave by a resting order.
  template <bool kMaker>
  [[gnu::always_inline]] void close(G& g, Mask m, V px, V ref, Mask maker, std::size_t bar) const {
    const V zero(0.0);
    const V one(1.0);
    const V notional = magnitude(g.qty) * px;
    const V taker_fee(job_.costs.taker_fee);
    V fee = notional * taker_fee;
    if constexpr (kMaker) fee = select(maker, notional * V(job_.costs.maker_fee), fee);
    const V costs = g.entry_notional * taker_fee + fee + g.trade_funding;
    const V pnl = g.qty * (px - g.entry_px) - costs;
    const V held = bar_number(bar) - g.entry_bar;
    add(g, kTrades, m, one);
    add(g, kWins, m & (pnl > zero), one);
    add(g, kLongs, m & (g.side > zero), one);
    add(g, kGrossProfit, m, larger(pnl, zero));
    add(g, kGrossLoss, m, larger(zero - pnl, zero));
    add(g, kTradeHoldBars, m, held);
    if constexpr (kMaker) {
      add(g, kTakerExitNotional, m & !maker, notional);
      add(g, kMakerExitNotional, m & maker, notional);
    } else {
      add(g, kTakerExitNotional, m, notional);
    }
    add(g, kSlippage, m, g.qty * (ref - px));
    const V share = pnl / g.entry_cash;
    g.tally[kWorstTrade] = select(m, smaller(share, g.tally[kWorstTrade]), g.tally[kWorstTrade]);
    if constexpr (Recorder::kEnabled) {
      if (any(m)) recorder_->exit(px.v, fee.v, g.trade_funding.v, pnl.v);
    }
    g.exposure.change(m, zero, bar_number(bar));
    g.cash = select(m, g.cash + g.qty * px - fee, g.cash);
    g.qty = select(m, zero, g.qty);
    g.side = select(m, zero, g.side);
    flatten_levels(g, m);
  }

  [[gnu::always_inline]] void position_changed(G& g) const {
    g.strategy.position_changed(g.side);
    g.next_deadline = least(g.deadline);
  }

  // Period equity at the close of t. A variant without equity is ruined: its position is closed at
  // this close, what it owes beyond its cash is forgiven, and it never trades again.
  void mark(G& g, std::size_t t, std::size_t slot, std::size_t period) const {
    const V zero(0.0);
    const V close_px(job_.close[t]);
    V equity = g.cash + g.qty * close_px;
    const Mask ruined = (g.alive > zero) & !(equity > zero);
    if (any(ruined)) {
      const Mask open = ruined & (g.side != zero);
      if (any(open)) {
        close<false>(g, open, close_px, close_px, open, t);
        if constexpr (Recorder::kEnabled) recorder_->closed(t, FillKind::Ruin);
      }
      g.cash = select(ruined, zero, g.cash);
      g.alive = select(ruined, zero, g.alive);
      position_changed(g);
    }
    equity = select(g.alive > zero, equity, zero);
    equity.store(job_.period_equity + period * job_.slots + slot);
    const V held = masked(equity > zero, g.qty * close_px / equity);
    see_position(g, held);
    g.exposure.end_period(held, bar_number(t + 1), V(period_bars(job_, period)))
        .store(job_.period_exposure + period * job_.slots + slot);
  }

  static void add(G& g, Tally which, Mask m, V x) {
    g.tally[which] = g.tally[which] + masked(m, x);
  }
  static void see_position(G& g, V position) {
    g.tally[kMostExposure] = larger(magnitude(position), g.tally[kMostExposure]);
  }
  static Mask select_mask(Mask m, Mask yes, Mask no) { return (m & yes) | ((!m) & no); }

  const Job& job_;
  Fills<V> fills_;
  Recorder* recorder_;
};

}  // namespace winnow::engine::lanes
