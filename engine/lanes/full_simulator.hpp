#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/lanes/full_fills.hpp"
#include "engine/lanes/job.hpp"
#include "engine/lanes/lane.hpp"
#include "engine/lanes/simulator.hpp"
#include "engine/lanes/sizer.hpp"

namespace winnow::engine::lanes {

/// Account, open trade, orders and tallies of the variants of one lane group under all rules.
template <class V, class Strategy>
struct FullGroup {
  static constexpr double kInf = std::numeric_limits<double>::infinity();

  Strategy strategy;
  V cash;
  V qty{0.0};   // signed
  V side{0.0};  // its sign
  V wish{0.0};  // the side that the strategy thinks it has: `side` unless an exit is being worked
  V alive{1.0};

  V working{0.0};    // 1 while the position is sold (or bought back) at the market, bar by bar
  V order_qty{0.0};  // what that began with
  V spent{0.0};      // traded in spent_bar
  V spent_bar{-1.0};

  V stop{0.0};        // level of the protective stop, at an infinity if there is none
  V limit{0.0};       // price of the resting target
  V target{0.0};      // price that fills it
  V liq{0.0};         // price at which equity is the maintenance margin
  V stop_low{-kInf};  // something happens inside a bar that reaches down to this
  V stop_high{kInf};  // or up to this
  V deadline{kInf};   // bar at whose close the position is given up
  double next_deadline = kInf;
  std::uint64_t busy = 0;  // an exit is being worked in some lane: every bar is looked at

  V peak;              // greatest equity at a close so far
  V worst{1.0};        // least equity over the peak before it
  V bound;             // equity below this is a new worst; a little above peak * worst
  V close_low{-kInf};  // a close at or below this may be a new peak, or a new worst
  V close_high{kInf};  // or at or above this

  V entry_px{0.0};
  V entry_bar{0.0};
  V entry_notional{0.0};
  V entry_cash{1.0};
  V trade_funding{0.0};
  V exit_pnl{0.0};  // of the parts that were closed, less their fees
  V tally[kTallies];

  V scale{1.0};       // of the position's size, by drawdown and the trades before it
  V band_low{-kInf};  // a close at or below this may ask for another size
  V band_high{kInf};  // or at or above this
  Exposure<V> exposure;
  [[no_unique_address]] TrailOf<V, Strategy::kExits> trail;
  TradeMemory<V> trades;

  /// Counts bars from one that many bars earlier.
  void shift_bars(double by) {
    deadline = deadline + V(by);
    next_deadline += by;
    entry_bar = entry_bar + V(by);
    spent_bar = spent_bar + V(by);
    exposure.since = exposure.since + V(by);
  }
};

/// Purpose: as Simulator, with every rule of the execution model: exits are orders that are worked
/// within what trades, positions end at the price at which their margin does, targets wait for
/// volume beyond them, drawdown is taken at every close. Its own rule is the same: working a bar
/// through changes nothing in lanes that do not act there. Definitions: docs/EXECUTION.md.
template <class V, class Strategy, class Recorder>
class FullSimulator {
 public:
  using Mask = typename V::Mask;
  using G = FullGroup<V, Strategy>;
  static constexpr bool kFull = true;
  static constexpr bool kLevels = true;
  static constexpr bool kTrails = Strategy::kExits == Exits::Trailing;

  FullSimulator(const Job& job, Recorder* recorder)
      : job_(job), rules_(job.full), fills_(job), sizer_(job), recorder_(recorder) {}

  void start(G& g, std::size_t slot) const {
    g.strategy.load([&](int p) { return V::load(job_.params + p * job_.slots + slot); });
    g.cash = g.peak = V(job_.costs.initial_cash);
    g.bound = g.peak * V(kBoundSlack);
    for (V& t : g.tally) t = V(0.0);
    g.exposure.since = bar_number(job_.first);
  }

  template <class Bar>
  void ordinary_bar(G& g, const Bar& bar, std::size_t t) const {
    special_bar(g, bar, t, 0, nullptr);
  }

  /// What happens at a bar, after its funding. `period`: what it ends, or null.
  template <class Bar>
  void special_bar(G& g, const Bar& bar, std::size_t t, std::size_t slot,
                   const PeriodEnd* period) const {
    inside(g, t);
    book(g, t, slot, period);
    if (t + 1 < job_.last) at_close(g, bar, t);
  }

  // The steps of a bar one by one, as in Simulator.

  bool inside(G& g, std::size_t t) const {
    if constexpr (kTrails) follow(g, t);
    const Mask hit = (V(job_.low[t]) <= g.stop_low) | (V(job_.high[t]) >= g.stop_high);
    // A price at which nothing traded reaches nothing.
    const bool some = any(hit) && !(rules_.work_exits && !(job_.volume[t] > 0));
    if (some) exit_inside(g, hit, t);
    if constexpr (kTrails) g.trail.fold(V(job_.low[t]), V(job_.high[t]));
    return some;
  }

  /// The side wanted at the close of t.
  template <class Bar>
  V wish(G& g, const Seen<V, Bar>& seen, std::size_t t) const {
    const V side = decided<V>(g.strategy, seen);
    return select(late(g, t) & (side == g.wish), V(0.0), side);
  }

  /// The orders for it, those of exits that are being worked and those that bring a position back
  /// to its size fill in `fill`.
  template <class Decision>
  void settle(G& g, V wanted, const Decision& decision, std::size_t fill) const {
    const V zero(0.0);
    const Mask turned = wanted != g.wish;
    if (job_.sizes.rebalance) {
      const Mask off = off_size(g, fill) & !turned;
      if (any(off)) resize(g, off, fill);
    }
    if (g.busy == 0 && !any(turned)) return;
    begin_exit(g, turned & (g.side != zero) & (g.working == zero));
    g.wish = wanted;
    const Mask leaving = g.working > zero;
    if (any(leaving)) work_exit(g, leaving, fill);
    const Mask in = (g.wish != zero) & (g.side == zero) & (g.cash > zero) & (g.alive > zero);
    if (any(in)) enter(g, in, decision, fill);
    g.wish = select(g.working > zero, g.wish, g.side);
    // The next close of a lane that is out is worth its cash.
    if (rules_.drawdown_bars) observe(g, select(g.side == zero, g.cash, g.peak));
    changed(g, fill);
  }

  void book(G& g, std::size_t t, std::size_t slot, const PeriodEnd* period) const {
    if (period != nullptr) end_day(g, t, *period);
    if (rules_.drawdown_bars) observe(g, equity(g, t));
    if (period == nullptr) return;
    store_day(g, t, slot, *period);
    // What a day's volatility makes of the size is another on the next.
    if (t + 1 < job_.last) set_band(g, t + 1);
  }

  V equity(const G& g, std::size_t t) const { return g.cash + g.qty * V(job_.close[t]); }
  static V wished(const G& g) { return g.wish; }
  /// Where the position is stopped; infinite: nowhere.
  static V stop(const G& g) {
    if constexpr (kTrails) {
      return select(g.side < V(0.0), smaller(g.stop, g.trail.high()),
                    larger(g.stop, g.trail.low()));
    } else {
      return g.stop;
    }
  }

  void fund(G& g, std::size_t t, double rate_frac) const {
    pay(g, g.qty * V(job_.open[t]) * V(rate_frac), t);
  }

  /// Writes the tallies out after the last bar.
  void finish(G& g, std::size_t slot) const {
    const Mask open = g.side != V(0.0);
    const V held = bar_number(job_.last) - g.entry_bar;
    g.tally[kHoldBars] = g.tally[kTradeHoldBars] + masked(open, held);
    g.tally[kTradeNotional] = g.tally[kEntryNotional] - masked(open, g.entry_notional);
    g.tally[kOpenQty] = g.qty;
    g.tally[kRuined] = V(1.0) - g.alive;
    for (int i = 0; i < kTallies; ++i) g.tally[i].store(job_.tallies + i * job_.slots + slot);
  }

 private:
  static constexpr double kInf = std::numeric_limits<double>::infinity();
  // Above every rounding of an equity, far below any drawdown worth a digit.
  static constexpr double kBoundSlack = 1 + 0x1.0p-50;
  static constexpr double kLevelSlack = 0x1.0p-46;

  static V bar_number(std::size_t t) {
    return V(static_cast<double>(static_cast<std::int64_t>(t)));
  }
  static Mask select_mask(Mask m, Mask yes, Mask no) { return (m & yes) | ((!m) & no); }
  static void add(G& g, Tally which, Mask m, V x) {
    g.tally[which] = g.tally[which] + masked(m, x);
  }
  static void see_position(G& g, V position) {
    g.tally[kMostExposure] = larger(magnitude(position), g.tally[kMostExposure]);
  }
  static Mask late(const G& g, std::size_t t) { return g.deadline <= bar_number(t); }

  // --- levels

  // After any change of position, cash or orders, in bar t.
  void changed(G& g, std::size_t t) const {
    g.strategy.position_changed(g.wish);
    g.next_deadline = least(g.deadline);
    g.busy = any(g.working > V(0.0)) ? 1 : 0;
    set_levels(g, t);
  }

  // Equity cash + qty p is the margin m |qty| p at p = cash / (m |qty| - qty): below every price
  // for a long that was paid for.
  void set_levels(G& g, std::size_t t) const {
    const V zero(0.0);
    const Mask longs = g.side > zero;
    const Mask shorts = g.side < zero;
    if (rules_.liquidation) {
      g.liq = g.cash / (V(rules_.maintenance) * magnitude(g.qty) - g.qty);
    } else {
      g.liq = select(shorts, V(kInf), V(-kInf));
    }
    g.stop_low = select(longs, larger(g.stop, g.liq), select(shorts, g.target, V(-kInf)));
    g.stop_high = select(shorts, smaller(g.stop, g.liq), select(longs, g.target, V(kInf)));
    if (job_.sizes.rebalance) {
      set_band(g, t);
    } else if (rules_.drawdown_bars) {
      set_close_levels(g);
    }
  }

  // The closes at which a position is to be brought back to its size, as of the day of bar t.
  void set_band(G& g, std::size_t t) const {
    if (!job_.sizes.rebalance) return;
    const V exposure = sizer_.exposure(g.trades, g.scale, t);
    const auto levels = BandLevels<V>::of(g.cash, g.qty, exposure, job_.sizes.band);
    const Mask held = (g.side != V(0.0)) & (g.working == V(0.0));
    g.band_low = select(held, levels.low, V(-kInf));
    g.band_high = select(held, levels.high, V(kInf));
    set_close_levels(g);
  }

  // Between changes equity is cash + qty * close: no close between these levels is a new peak or a
  // new worst. The slack is above what rounding can do to either side.
  void set_close_levels(G& g) const {
    if (!rules_.drawdown_bars) {
      g.close_low = g.band_low;
      g.close_high = g.band_high;
      return;
    }
    const Mask longs = g.side > V(0.0);
    const Mask shorts = g.side < V(0.0);
    const V each = V(1.0) / g.qty;
    const V slack = (magnitude(g.cash) + g.peak) * magnitude(each) * V(kLevelSlack);
    const V at_peak = (g.peak - g.cash) * each;
    const V at_worst = (g.bound - g.cash) * each;
    g.close_low = select(longs, at_worst + slack, select(shorts, at_peak + slack, V(-kInf)));
    g.close_high = select(longs, at_peak - slack, select(shorts, at_worst - slack, V(kInf)));
    if (!job_.sizes.rebalance) return;
    g.close_low = larger(g.close_low, g.band_low);
    g.close_high = smaller(g.close_high, g.band_high);
  }

  // Equity of a close. Does nothing where it is neither a new peak nor a new worst.
  void observe(G& g, V equity) const {
    if (!any((equity > g.peak) | (equity < g.bound))) return;
    g.peak = larger(equity, g.peak);
    const V share = larger(equity, V(0.0)) / g.peak;
    g.worst = smaller(share, g.worst);
    g.bound = g.peak * g.worst * V(kBoundSlack);
    set_close_levels(g);
  }

  static void drop_orders(G& g, Mask m) {
    const V away = select(g.side > V(0.0), V(-kInf), V(kInf));
    g.stop = select(m, away, g.stop);
    g.target = select(m, V(0.0) - away, g.target);
    g.limit = select(m, V(0.0) - away, g.limit);
    g.deadline = select(m, V(kInf), g.deadline);
    if constexpr (kTrails) g.trail.drop(m);
  }

  // --- inside a bar

  // The stop follows the best price of the bars before.
  void follow(G& g, std::size_t t) const {
    const V stop = select(g.side > V(0.0), larger(g.stop, g.trail.low()),
                          select(g.side < V(0.0), smaller(g.stop, g.trail.high()), g.stop));
    if (!any(stop != g.stop)) return;
    g.stop = stop;
    set_levels(g, t);
  }

  void exit_inside(G& g, Mask hit, std::size_t t) const {
    const V open(job_.open[t]);
    const Mask shorts = g.side < V(0.0);
    const Mask adverse =
        hit & select_mask(shorts, V(job_.high[t]) >= g.stop_high, V(job_.low[t]) <= g.stop_low);
    // A stop that lies before the liquidation price is met first, unless the bar opens beyond both.
    const Mask first =
        select_mask(shorts, (g.stop < g.liq) & (open < g.liq), (g.stop > g.liq) & (open > g.liq));
    const Mask broke = adverse & !first;
    const Mask stopped = adverse & first;
    const Mask reached = hit & !adverse;
    if (any(broke)) liquidate(g, broke, t);
    if (any(stopped)) stop_out(g, stopped, t);
    if (any(reached)) take_target(g, reached, t);
    changed(g, t);
  }

  // The venue takes the position over, whole, at the level or at an open beyond it.
  void liquidate(G& g, Mask m, std::size_t t) const {
    const V open(job_.open[t]);
    const V px = select(g.side < V(0.0), larger(open, g.liq), smaller(open, g.liq));
    add(g, kLiquidations, m, V(1.0));
    const V fee(job_.costs.taker_fee + rules_.liquidation_fee);
    part(g, m, {magnitude(g.qty), px, px, fee}, t, FillKind::Ruin);
    g.wish = select(m, V(0.0), g.wish);
  }

  void stop_out(G& g, Mask m, std::size_t t) const {
    const V open(job_.open[t]);
    const Mask shorts = g.side < V(0.0);
    const V ref = select(shorts, larger(open, g.stop), smaller(open, g.stop));
    const V give(rules_.stop_range * (job_.high[t] - job_.low[t]));
    const V worse =
        select(shorts, smaller(V(job_.high[t]), ref + give), larger(V(job_.low[t]), ref - give));
    begin_exit(g, m);
    const V px = fills_.market_px(worse, V(0.0) - g.side, g.order_qty, t, t - 1);
    const V qty = fills_.piece(magnitude(g.qty), room(g, t), px, t);
    part(g, m, {qty, px, ref, V(job_.costs.taker_fee)}, t, FillKind::Stop);
  }

  void take_target(G& g, Mask m, std::size_t t) const {
    const V open(job_.open[t]);
    const Mask shorts = g.side < V(0.0);
    const V held = magnitude(g.qty);
    V px = g.limit;
    V ref = g.limit;
    V most = room(g, t);
    if (rules_.resting_targets) {
      most = fills_.room_beyond(g.limit, g.side, most, t);
    } else {
      ref = select(shorts, smaller(open, g.limit), larger(open, g.limit));
      px = fills_.maker_px(ref, V(0.0) - g.side, t);
    }
    const V qty = fills_.piece(held, most, px, t);
    // What a target took is not bought back.
    const Mask some = m & (qty > V(0.0)) & (qty < held);
    g.scale = select(some, g.scale * ((held - qty) / held), g.scale);
    part(g, m, {qty, px, ref, V(job_.costs.maker_fee)}, t, FillKind::Target);
    g.wish = select(m, g.side, g.wish);
  }

  // From here on the position is sold at the market until it is gone; the strategy is told that it
  // is.
  void begin_exit(G& g, Mask m) const {
    g.working = select(m, V(1.0), g.working);
    g.order_qty = select(m, magnitude(g.qty), g.order_qty);
    g.wish = select(m, V(0.0), g.wish);
    drop_orders(g, m);
  }

  // --- at a close

  template <class Bar>
  void at_close(G& g, const Bar& bar, std::size_t t) const {
    Mask due = g.strategy.rule()(Seen<V, Bar>(bar, g.wish));
    if (job_.sizes.rebalance) due = due | off_size(g, t + 1);
    if (g.busy != 0 || any(due | late(g, t))) act(g, bar, t);
  }

  template <class Bar>
  void act(G& g, const Bar& bar, std::size_t t) const {
    const Seen<V, Bar> seen(bar, g.wish);
    const V wanted = wish(g, seen, t);
    settle(g, wanted, AsSeen<Strategy, Seen<V, Bar>>{seen}, t + 1);
  }

  void work_exit(G& g, Mask m, std::size_t fill) const {
    const V ref(job_.open[fill]);
    const V px = fills_.market_px(ref, V(0.0) - g.side, g.order_qty, fill, fill - 1);
    const V qty = fills_.piece(magnitude(g.qty), room(g, fill), px, fill);
    part(g, m, {qty, px, ref, V(job_.costs.taker_fee)}, fill, FillKind::Signal);
  }

  template <class Decision>
  void enter(G& g, Mask in, const Decision& decision, std::size_t fill) const {
    const V side = g.wish;
    const V scale = sizer_.scale(g.trades, g.cash, g.peak);
    const V wanted = fills_.size(side, g.cash, sizer_.exposure(g.trades, scale, fill), fill);
    const auto order = fills_.enter(in, {side, wanted, V(0.0), g.cash, spent(g, fill)}, fill);
    const Mask m = order.accepted;
    g.scale = select(m, scale, g.scale);
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
    g.exit_pnl = select(m, V(0.0), g.exit_pnl);
    const V position = side * notional / g.cash;
    g.exposure.change(m, position, bar_number(fill));
    see_position(g, masked(m, position));
    g.cash = select(m, g.cash - side * notional - fee, g.cash);
    g.qty = select(m, side * order.qty, g.qty);
    g.side = select(m, side, g.side);
    spend(g, m, order.qty, fill);
    if constexpr (Strategy::kExits == Exits::None) {
      drop_orders(g, m);
    } else {
      protect(g, m, order.px, decision.protect(g.strategy), fill);
    }
    if constexpr (Recorder::kEnabled) {
      if (any(m)) recorder_->entered(fill, side.v, order.qty.v, order.px.v, fee.v);
    }
  }

  // Stop, target and deadline of positions that were entered at `px`.
  void protect(G& g, Mask m, V px, const Protect<V>& by, std::size_t fill) const {
    const V one(1.0);
    const V side = g.side;
    g.stop = select(m, px * (one - side * by.stop_frac), g.stop);
    const V wanted = px * (one + side * by.target_frac);
    const auto target = fills_.target(wanted, side, fill);
    g.limit = select(m, target.limit, g.limit);
    g.target = select(m, target.at, g.target);
    g.deadline = select(m, bar_number(fill) + by.hold_bars, g.deadline);
    if constexpr (kTrails) g.trail.open(m, side, px, by.trail_frac);
  }

  // --- sizes

  // Positions that the close before `fill` has brought too far from their exposure.
  Mask off_size(const G& g, std::size_t fill) const {
    const V zero(0.0);
    const V close_px(job_.close[fill - 1]);
    const V worth = g.cash + g.qty * close_px;
    const V wanted = sizer_.exposure(g.trades, g.scale, fill) * worth;
    const V off = magnitude(magnitude(g.qty) * close_px - wanted);
    return (g.side != zero) & (g.wish == g.side) & (g.working == zero) & (worth > zero) &
           (off > V(job_.sizes.band) * wanted);
  }

  void resize(G& g, Mask m, std::size_t fill) const {
    const V zero(0.0);
    const V close_px(job_.close[fill - 1]);
    const V held = magnitude(g.qty);
    const V worth = g.cash + g.qty * close_px;
    const V change = sizer_.exposure(g.trades, g.scale, fill) * worth / close_px - held;
    const Mask less = m & (change < zero);
    const Mask more = m & (change > zero);
    if (any(less)) reduce(g, less, zero - change, fill);
    if (any(more)) add_to(g, more, change, fill);
    changed(g, fill);
  }

  void reduce(G& g, Mask m, V by, std::size_t fill) const {
    const V ref(job_.open[fill]);
    const V px = fills_.market_px(ref, V(0.0) - g.side, by, fill, fill - 1);
    const V qty = fills_.lots(by, room(g, fill), px, fill);
    m = m & (qty < magnitude(g.qty));
    part(g, m, {qty, px, ref, V(job_.costs.taker_fee)}, fill, FillKind::Resize);
  }

  // As enter, to what is held: the entry price becomes the mean, stop and target stay where they
  // are.
  void add_to(G& g, Mask wanted, V by, std::size_t fill) const {
    const V side = g.side;
    const V held = magnitude(g.qty);
    const V worth = g.cash + g.qty * V(job_.open[fill]);
    const auto order = fills_.enter(wanted, {side, by, held, worth, spent(g, fill)}, fill);
    const Mask m = order.accepted;
    const V notional = order.qty * order.px;
    const V fee = notional * V(job_.costs.taker_fee);
    const V now = held + order.qty;
    add(g, kEntryNotional, m, notional);
    add(g, kSlippage, m, side * order.qty * (order.px - V(job_.open[fill])));
    g.entry_px = select(m, (g.entry_px * held + notional) / now, g.entry_px);
    g.entry_notional = g.entry_notional + masked(m, notional);
    g.cash = select(m, g.cash - side * notional - fee, g.cash);
    g.qty = select(m, side * now, g.qty);
    const V position = side * now * order.px / worth;
    g.exposure.change(m, position, bar_number(fill));
    see_position(g, masked(m, position));
    spend(g, m, order.qty, fill);
    if constexpr (Recorder::kEnabled) {
      if (any(m)) recorder_->added(fill, side.v, order.qty.v, order.px.v, fee.v);
    }
  }

  // --- fills

  V spent(const G& g, std::size_t bar) const {
    if (!rules_.work_exits) return V(0.0);
    return masked(g.spent_bar == bar_number(bar), g.spent);
  }
  V room(const G& g, std::size_t bar) const { return fills_.room(spent(g, bar), bar); }
  void spend(G& g, Mask m, V qty, std::size_t bar) const {
    g.spent = select(m, spent(g, bar) + qty, g.spent);
    g.spent_bar = select(m, bar_number(bar), g.spent_bar);
  }

  struct Part {
    V qty;  // > 0 where something fills
    V px;
    V ref;  // what it would have been without slippage
    V fee_frac;
  };

  // A part of the position, or all of it, is closed.
  void part(G& g, Mask m, const Part& p, std::size_t bar, FillKind kind) const {
    const V zero(0.0);
    const V held = magnitude(g.qty);
    m = m & (p.qty > zero);
    const Mask done = m & (p.qty >= held);
    const V signed_qty = select(done, g.qty, g.side * p.qty);
    const V notional = magnitude(signed_qty) * p.px;
    const V fee = notional * p.fee_frac;
    const V gain = signed_qty * (p.px - g.entry_px);
    const bool maker = kind == FillKind::Target;
    add(g, maker ? kMakerExitNotional : kTakerExitNotional, m, notional);
    add(g, kSlippage, m, signed_qty * (p.ref - p.px));
    if constexpr (Recorder::kEnabled) {
      if (any(m)) recorder_->part(bar, kind, signed_qty.v, p.px.v, fee.v);
    }
    if (any(done)) close_trade(g, done, gain, fee, bar);
    const V left = masked(!done, g.exposure.now * ((held - p.qty) / held));
    g.exposure.change(m, left, bar_number(bar));
    g.exit_pnl = select(m, g.exit_pnl + (gain - fee), g.exit_pnl);
    g.cash = select(m, g.cash + signed_qty * p.px - fee, g.cash);
    g.qty = select(m, g.qty - signed_qty, g.qty);
    g.qty = select(done, zero, g.qty);
    spend(g, m, p.qty, bar);
    if (!any(done)) return;
    drop_orders(g, done);
    g.side = select(done, zero, g.side);
    g.working = select(done, zero, g.working);
    if (rules_.liquidation) ruin(g, done & !(g.cash > zero));
  }

  // The last part: the trade counts, from flat to flat.
  void close_trade(G& g, Mask m, V gain, V fee, std::size_t bar) const {
    const V zero(0.0);
    const V one(1.0);
    const V costs = g.entry_notional * V(job_.costs.taker_fee) + fee + g.trade_funding;
    const V pnl = (gain - costs) + g.exit_pnl;
    add(g, kTrades, m, one);
    add(g, kWins, m & (pnl > zero), one);
    add(g, kLongs, m & (g.side > zero), one);
    add(g, kGrossProfit, m, larger(pnl, zero));
    add(g, kGrossLoss, m, larger(zero - pnl, zero));
    add(g, kTradeHoldBars, m, bar_number(bar) - g.entry_bar);
    sizer_.remember(g.trades, m, pnl / g.entry_notional);
    const V share = pnl / g.entry_cash;
    g.tally[kWorstTrade] = select(m, smaller(share, g.tally[kWorstTrade]), g.tally[kWorstTrade]);
    if constexpr (Recorder::kEnabled) recorder_->done(bar, g.trade_funding.v, pnl.v);
  }

  // What is owed beyond the cash is forgiven, and the variant never trades again.
  void ruin(G& g, Mask m) const {
    const V zero(0.0);
    if (!any(m)) return;
    add(g, kForgiven, m, larger(zero - g.cash, zero));
    g.cash = select(m, zero, g.cash);
    g.alive = select(m, zero, g.alive);
    g.wish = select(m, zero, g.wish);
  }

  // --- money and days

  void pay(G& g, V paid, std::size_t t) const {
    g.cash = g.cash - paid;
    g.trade_funding = g.trade_funding + paid;
    g.tally[kFundingPaid] = g.tally[kFundingPaid] + paid;
    set_levels(g, t);
  }

  // Borrowing is paid, then a variant without equity is ruined: what inside() left, where nothing
  // traded or no liquidation is asked for.
  void end_day(G& g, std::size_t t, const PeriodEnd& period) const {
    const V zero(0.0);
    const V close_px(job_.close[t]);
    if (period.borrow > 0) pay(g, larger(zero - g.qty, zero) * close_px * V(period.borrow), t);
    const Mask ruined = (g.alive > zero) & !(g.cash + g.qty * close_px > zero);
    if (!any(ruined)) return;
    const Mask open = ruined & (g.side != zero);
    if (any(open)) {
      const V fee(job_.costs.taker_fee);
      part(g, open, {magnitude(g.qty), close_px, close_px, fee}, t, FillKind::Ruin);
    }
    ruin(g, ruined & (g.alive > zero));
    changed(g, t);
  }

  void store_day(G& g, std::size_t t, std::size_t slot, const PeriodEnd& period) const {
    const std::size_t at = period.row * job_.slots + slot;
    const V worth = masked(g.alive > V(0.0), equity(g, t));
    worth.store(job_.period_equity + at);
    const V held = masked(worth > V(0.0), g.qty * V(job_.close[t]) / worth);
    see_position(g, held);
    g.exposure.end_period(held, bar_number(t + 1), V(period.bars)).store(job_.period_exposure + at);
    if (job_.period_drawdown == nullptr) return;
    (V(1.0) - g.worst).store(job_.period_drawdown + at);
  }

  const Job& job_;
  const Rules& rules_;
  FullFills<V> fills_;
  Sizer<V> sizer_;
  Recorder* recorder_;
};

}  // namespace winnow::engine::lanes
