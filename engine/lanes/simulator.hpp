#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

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
  Ruin,    ///< the venue took the position over
  Resize,  ///< a part, to bring the position back to its exposure
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

/// The end of a period, as a simulator is told of it.
struct PeriodEnd {
  std::size_t row = 0;  ///< of the job's outputs
  double bars = 0;      ///< in the period
  double borrow = 0;    ///< share of a short's notional that is charged for it
};

/// A stop that follows the best price since the fill: at best * (1 -+ trail). The best price only
/// ever folds by max and min, so it may be folded over whole blocks: bits do not depend on how many
/// bars were looked at. Within a bar the adverse extreme comes first: a bar is held against the
/// best price of the bars before it, then moves it.
template <class V>
struct Trail {
  static constexpr double kInf = std::numeric_limits<double>::infinity();
  using Mask = typename V::Mask;
  V best_high{1.0};
  V best_low{1.0};
  V of_high{-kInf};  // the stop's level as a share of the best price; off at an infinity
  V of_low{kInf};

  void open(Mask m, V side, V px, V trail_frac) {
    best_high = select(m, px, best_high);
    best_low = select(m, px, best_low);
    of_high = select(m & (side > V(0.0)), V(1.0) - trail_frac, of_high);
    of_low = select(m & (side < V(0.0)), V(1.0) + trail_frac, of_low);
  }
  void drop(Mask m) {
    of_high = select(m, V(-kInf), of_high);
    of_low = select(m, V(kInf), of_low);
  }
  void fold(V low, V high) {
    best_high = larger(best_high, high);
    best_low = smaller(best_low, low);
  }
  V low() const { return best_high * of_high; }  ///< a long is stopped here
  V high() const { return best_low * of_low; }   ///< and a short here
};
/// Where nothing trails.
template <class V>
struct NoTrail {};
template <class V, Exits kExits>
using TrailOf = std::conditional_t<kExits == Exits::Trailing, Trail<V>, NoTrail<V>>;

/// What a decision was made of that an entry needs: asked of the bar that was seen...
template <class Strategy, class SeenBar>
struct AsSeen {
  const SeenBar& seen;
  auto protect(const Strategy& strategy) const { return strategy.protect(seen); }
};
/// ...or remembered from it.
template <class Strategy, class V>
struct AsRemembered {
  const Protect<V>& remembered;
  Protect<V> protect(const Strategy&) const { return remembered; }
};

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
  [[no_unique_address]] TrailOf<V, Strategy::kExits> trail;

  /// Counts bars from one that many bars earlier.
  void shift_bars(double by) {
    deadline = deadline + V(by);
    next_deadline += by;
    entry_bar = entry_bar + V(by);
    exposure.since = exposure.since + V(by);
  }
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
  static constexpr bool kTrails = Strategy::kExits == Exits::Trailing;

  Simulator(const Job& job, Recorder* recorder) : job_(job), fills_(job), recorder_(recorder) {}

  void start(G& g, std::size_t slot) const {
    g.strategy.load([&](int p) { return V::load(job_.params + p * job_.slots + slot); });
    g.cash = V(job_.costs.initial_cash);
    for (V& t : g.tally) t = V(0.0);
    g.exposure.since = bar_number(job_.first);
    flatten_levels(g, !(V(0.0) > V(0.0)));
  }

  /// What happens at a bar that ends no period and is not the window's last. `bar` gives the
  /// columns' values at t. A bar that was looked up because some lane could act, and where no stop
  /// or target is hit, has a lane that acts at the close: asking again would only cost a branch.
  template <class Bar>
  [[gnu::always_inline]] void ordinary_bar(G& g, const Bar& bar, std::size_t t) const {
    if (inside(g, t)) {
      at_close(g, bar, t);
    } else {
      act(g, bar, t);
    }
  }

  /// What happens at any bar, after its funding. `period`: what it ends, or null.
  template <class Bar>
  void special_bar(G& g, const Bar& bar, std::size_t t, std::size_t slot,
                   const PeriodEnd* period) const {
    inside(g, t);
    book(g, t, slot, period);
    if (t + 1 < job_.last) at_close(g, bar, t);
  }

  // The steps of a bar one by one, for who knows no more than it: settle() what was wanted at the
  // close before, fund(), inside(), wish(), and book() once it is known whether its day has ended.

  /// Whether something happened to a position inside the bar.
  [[gnu::always_inline]] bool inside(G& g, std::size_t t) const {
    if constexpr (!kLevels) return false;
    const V low = stop_low(g);
    const V high = stop_high(g);
    const Mask hit = (V(job_.low[t]) <= low) | (V(job_.high[t]) >= high);
    const bool some = any(hit);
    if (some) close_inside(g, hit, low, high, t);
    if constexpr (kTrails) g.trail.fold(V(job_.low[t]), V(job_.high[t]));
    return some;
  }

  /// The side wanted at the close of t.
  template <class Bar>
  [[gnu::always_inline]] V wish(G& g, const Seen<V, Bar>& seen, std::size_t t) const {
    const V side = decided<V>(g.strategy, seen);
    return select(late(g, t) & (side == g.side), V(0.0), side);
  }

  /// The orders for it fill at the open of `fill`.
  template <class Decision>
  [[gnu::always_inline]] void settle(G& g, V wanted, const Decision& decision,
                                     std::size_t fill) const {
    const V zero(0.0);
    const Mask changed = wanted != g.side;
    const Mask out = changed & (g.side != zero);
    const V open(job_.open[fill]);
    if (any(out)) {
      const V px = fills_.taker_px(open, zero - g.side, magnitude(g.qty), fill, fill - 1);
      close<false>(g, out, px, open, out, fill);
      if constexpr (Recorder::kEnabled) recorder_->closed(fill, FillKind::Signal);
    }
    const Mask in = changed & (wanted != zero) & (g.cash > zero) & (g.alive > zero);
    if (any(in)) enter(g, in, wanted, decision, fill);
    if (any(changed)) position_changed(g);
  }

  void book(G& g, std::size_t t, std::size_t slot, const PeriodEnd* period) const {
    if (period != nullptr) mark(g, t, slot, *period);
  }

  V equity(const G& g, std::size_t t) const { return g.cash + g.qty * V(job_.close[t]); }
  static V wished(const G& g) { return g.side; }
  /// Where the position is stopped; infinite: nowhere.
  static V stop(const G& g) { return select(g.side < V(0.0), stop_high(g), stop_low(g)); }

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
    if constexpr (kTrails) g.trail.drop(m);
  }

  static V bar_number(std::size_t t) {
    return V(static_cast<double>(static_cast<std::int64_t>(t)));
  }

  template <class Bar>
  [[gnu::always_inline]] void at_close(G& g, const Bar& bar, std::size_t t) const {
    const Mask due = g.strategy.rule()(Seen<V, Bar>(bar, g.side));
    if (any(due | late(g, t))) act(g, bar, t);
  }

  static Mask late(const G& g, std::size_t t) { return g.deadline <= bar_number(t); }

  // The stop comes first; of a short the stop is the upper level.
  [[gnu::always_inline]] void close_inside(G& g, Mask hit, V low, V high, std::size_t t) const {
    const V open(job_.open[t]);
    const Mask shorts = g.side < V(0.0);
    const Mask down = select_mask(shorts, !(V(job_.high[t]) >= high), V(job_.low[t]) <= low);
    const Mask stopped = down ^ shorts;
    const V ref = select(down, smaller(open, low), larger(open, high));
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
    const Seen<V, Bar> seen(bar, g.side);
    const V wanted = wish(g, seen, t);
    settle(g, wanted, AsSeen<Strategy, Seen<V, Bar>>{seen}, t + 1);
  }

  static V stop_low(const G& g) {
    if constexpr (kTrails) return larger(g.stop_low, g.trail.low());
    return g.stop_low;
  }
  static V stop_high(const G& g) {
    if constexpr (kTrails) return smaller(g.stop_high, g.trail.high());
    return g.stop_high;
  }

  template <class Decision>
  [[gnu::noinline]] void enter(G& g, Mask in, V side, const Decision& decision,
                               std::size_t fill) const {
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
      const Protect<V> protect = decision.protect(g.strategy);
      const V stop = order.px * (one - side * protect.stop_frac);
      const V target = order.px * (one + side * protect.target_frac);
      const Mask longs = side > V(0.0);
      g.stop_low = select(m, select(longs, stop, target), g.stop_low);
      g.stop_high = select(m, select(longs, target, stop), g.stop_high);
      const V deadline = bar_number(fill) + protect.hold_bars;
      g.deadline = select(m, deadline, g.deadline);
      if constexpr (kTrails) g.trail.open(m, side, order.px, protect.trail_frac);
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
  void mark(G& g, std::size_t t, std::size_t slot, const PeriodEnd& period) const {
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
    equity.store(job_.period_equity + period.row * job_.slots + slot);
    const V held = masked(equity > zero, g.qty * close_px / equity);
    see_position(g, held);
    g.exposure.end_period(held, bar_number(t + 1), V(period.bars))
        .store(job_.period_exposure + period.row * job_.slots + slot);
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
