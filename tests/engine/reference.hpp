#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>
#include <vector>

#include "engine/engine.hpp"
#include "tests/engine/signals.hpp"

namespace winnow::engine::test {

/// Purpose: the execution model once more, written bar by bar with nothing clever in it, to compare
/// the engine with. Knows one variant.
class Reference {
 public:
  Reference(const MarketView& market, Window window, std::string_view family,
            std::vector<double> params, const ExecutionModel& execution)
      : m_(market),
        w_(window),
        signals_(make_signals(family, market, std::move(params))),
        e_(execution) {
    cash_ = e_.initial_cash;
  }

  void run() {
    peak_ = cash_;
    for (std::size_t t = w_.first; t < w_.last; ++t) {
      fund(t);
      if (qty_ != 0) follow(t);
      const bool day_ends = t + 1 == w_.last || day(t) != day(t + 1);
      if (day_ends && qty_ < 0 && e_.borrow_ann_frac > 0) {
        const double nights = t + 1 == w_.last ? 1.0 : static_cast<double>(day(t + 1) - day(t));
        pay(-qty_ * m_.close[t] * e_.borrow_ann_frac * nights / 365);
      }
      if (day_ends && alive_ && !(cash_ + qty_ * m_.close[t] > 0)) {
        if (qty_ != 0) leave(t, std::fabs(qty_), m_.close[t], e_.taker_fee_bps);
        ruin();
      }
      const double equity = alive_ ? cash_ + qty_ * m_.close[t] : 0;
      equity_.push_back(equity);
      peak_ = std::max(peak_, equity);
      drawdown_ = std::max(drawdown_, 1 - std::max(equity, 0.0) / peak_);
      if (t + 1 < w_.last) decide(t);
    }
  }

  std::vector<Trade> trades_;
  std::vector<double> equity_;
  double qty_ = 0;
  int rejected_ = 0;
  int liquidations_ = 0;
  double drawdown_ = 0;  ///< at the closes
  int resized_ = 0;      ///< changes of size within positions

 private:
  std::int64_t day(std::size_t t) const { return m_.time_ns[t] / 86'400'000'000'000; }

  void fund(std::size_t t) {
    if (!e_.funding) return;
    for (const FundingEvent& f : m_.funding) {
      const bool mine = f.time_ns >= m_.time_ns[t] &&
                        (t + 1 < m_.size() ? f.time_ns < m_.time_ns[t + 1]
                                           : f.time_ns < m_.time_ns[t] + m_.interval_ns);
      if (!mine) continue;
      pay(qty_ * m_.open[t] * f.rate_frac);
    }
  }

  void pay(double paid) {
    cash_ -= paid;
    open_.funding += paid;
  }

  void ruin() {
    alive_ = false;
    cash_ = 0;
    wish_ = 0;
  }

  const InstrumentRules* rules(std::size_t bar) const {
    const InstrumentRules* in_force = nullptr;
    for (const InstrumentRules& r : e_.rules) {
      if (r.from_ns <= m_.time_ns[bar]) in_force = &r;
    }
    return in_force;
  }

  // Mean volume at the same time of the last 20 days, else of the last 24 hours.
  double expected(std::size_t bar) const {
    constexpr std::int64_t day_ns = 86'400'000'000'000;
    double sum = 0;
    double n = 0;
    for (std::int64_t back = 1; back <= 20; ++back) {
      const auto at =
          std::lower_bound(m_.time_ns.begin(), m_.time_ns.end(), m_.time_ns[bar] - back * day_ns);
      if (*at != m_.time_ns[bar] - back * day_ns) continue;
      sum += m_.volume[static_cast<std::size_t>(at - m_.time_ns.begin())];
      ++n;
    }
    return sum > 0 ? sum / n : last_day(bar).volume;
  }

  struct LastDay {
    double volume = 0;  // mean of a bar
    double square = 0;  // mean squared return of a bar
  };
  LastDay last_day(std::size_t bar) const {
    LastDay out;
    double n = 0;
    double returns = 0;
    for (std::size_t i = 0; i < bar; ++i) {
      if (m_.time_ns[i] < m_.time_ns[bar] - 86'400'000'000'000) continue;
      out.volume += m_.volume[i];
      ++n;
      if (i == 0) continue;
      out.square += std::pow(m_.close[i] / m_.close[i - 1] - 1, 2);
      ++returns;
    }
    if (n > 0) out.volume /= n;
    if (returns > 0) out.square /= returns;
    return out;
  }

  // Slippage of a quantity of 1 by the square-root law of days.
  double day_law(std::size_t bar) const {
    std::map<std::int64_t, std::pair<double, double>> days;  // volume, close
    for (std::size_t i = 0; i < bar; ++i) {
      if (day(i) == day(bar)) continue;
      days[day(i)].first += m_.volume[i];
      days[day(i)].second = m_.close[i];
    }
    double volume = 0;
    double squares = 0;
    double n = 0;
    double returns = 0;
    int back = 0;
    for (auto d = days.rbegin(); d != days.rend() && back < 20; ++d, ++back) {
      const auto before = std::next(d);
      if (before == days.rend() && m_.time_ns[0] % 86'400'000'000'000 != 0) break;
      volume += d->second.first;
      ++n;
      if (before == days.rend()) continue;
      squares += std::pow(d->second.second / before->second.second - 1, 2);
      ++returns;
    }
    const double bars = 86'400e9 / static_cast<double>(m_.interval_ns);
    volume = n > 0 ? volume / n : 0;
    if (!(volume > 0)) volume = last_day(bar).volume * bars;
    if (!(volume > 0)) volume = m_.volume[bar] * bars;
    double sigma = returns > 0 ? std::sqrt(squares / returns) : 0;
    if (!(sigma > 0)) sigma = std::sqrt(last_day(bar).square * bars);
    return volume > 0 ? e_.impact_y * sigma / std::sqrt(volume) : 1e150;
  }

  // Slippage is this times the root of the quantity.
  double impact(std::size_t bar) const {
    const auto known = impact_.find(bar);
    if (known != impact_.end()) return known->second;
    double out = 0;
    if (e_.impact_y > 0) {
      out = day_law(bar);
    } else if (e_.impact_bps > 0) {
      double volume = e_.expected_volume ? expected(bar) : m_.volume[bar];
      if (!(volume > 0)) volume = m_.volume[bar];
      out = volume > 0 ? e_.impact_bps * 1e-4 / std::sqrt(volume) : 1e150;
    }
    return impact_[bar] = out;
  }

  double slip(double qty, std::size_t bar, std::size_t decided, bool with_impact) const {
    double s = e_.half_spread_bps * 1e-4 +
               e_.half_spread_range_frac * (m_.high[decided] - m_.low[decided]) / m_.close[decided];
    s = std::min(s, 0.5);
    if (with_impact) s += impact(bar) * std::sqrt(qty);
    return std::min(s, 0.5);
  }

  double ticked(double px, int direction, std::size_t bar) const {
    const InstrumentRules* r = rules(bar);
    if (r == nullptr || r->tick_px == 0) return px;
    const double n = px / r->tick_px;
    const double whole = std::round(n);
    if (std::fabs(n - whole) < 2e-9) return whole * r->tick_px;
    return (direction > 0 ? std::ceil(n) : std::floor(n)) * r->tick_px;
  }

  double taker(double ref, int direction, double qty, std::size_t bar, std::size_t decided) const {
    return ticked(ref * (1 + direction * slip(qty, bar, decided, true)), direction, bar);
  }

  double inf() const { return std::numeric_limits<double>::infinity(); }

  double spent(std::size_t bar) const { return e_.work_exits && spent_bar_ == bar ? spent_ : 0; }
  void spend(std::size_t bar, double qty) {
    spent_ = spent(bar) + qty;
    spent_bar_ = bar;
  }

  // What may still trade in a bar.
  double room(std::size_t bar) const {
    if (!e_.work_exits) return inf();
    if (m_.volume[bar] == 0) return 0;
    if (e_.participation_max_frac == 0) return inf();
    return std::max(0.0, e_.participation_max_frac * m_.volume[bar] - spent(bar));
  }

  double piece(double most, double px, std::size_t bar) const {
    if (most >= std::fabs(qty_)) return std::fabs(qty_);
    const InstrumentRules* r = rules(bar);
    if (r == nullptr) return most;
    if (r->lot_qty > 0) most = std::floor(most / r->lot_qty + 1e-9) * r->lot_qty;
    return most < r->qty_min || most * px < r->notional_min ? 0 : most;
  }

  // The price at which equity is the maintenance margin.
  double liquidation_px() const {
    if (!e_.liquidation) return qty_ > 0 ? -inf() : inf();
    return -cash_ / (qty_ - e_.maintenance_margin_frac * std::fabs(qty_));
  }

  // A trailing stop follows the best price of the bars before; then this bar moves it.
  void follow(std::size_t t) {
    if (trail_ > 0 && qty_ > 0) stop_ = std::max(stop_, best_ * (1 - trail_));
    if (trail_ > 0 && qty_ < 0) stop_ = std::min(stop_, best_ * (1 + trail_));
    inside(t);
    best_ = qty_ > 0 ? std::max(best_, m_.high[t]) : std::min(best_, m_.low[t]);
  }

  void inside(std::size_t t) {
    if (e_.work_exits && m_.volume[t] == 0) return;
    const bool longs = qty_ > 0;
    const int direction = longs ? -1 : 1;
    const double o = m_.open[t];
    const double liq = liquidation_px();
    const double stop = working_ ? (longs ? -inf() : inf()) : stop_;
    // Seen from a long: mirrored prices of a short.
    const double low = longs ? m_.low[t] : -m_.high[t];
    const double at_liq = longs ? liq : -liq;
    const double at_stop = longs ? stop : -stop;
    const double at_open = longs ? o : -o;
    if (low <= std::max(at_liq, at_stop)) {
      if (at_stop > at_liq && at_open > at_liq) {
        stop_out(t, direction, std::min(at_open, at_stop));
      } else {
        ++liquidations_;
        const double px = std::fabs(std::min(at_open, at_liq));
        leave(t, std::fabs(qty_), px, e_.taker_fee_bps + e_.liquidation_fee_bps);
      }
      return;
    }
    if (working_) return;
    const bool reached = longs ? m_.high[t] >= target_at_ : m_.low[t] <= target_at_;
    if (reached) take_target(t, direction);
  }

  void stop_out(std::size_t t, int direction, double mirrored) {
    const double give = e_.stop_range_frac * (m_.high[t] - m_.low[t]);
    const double worse = direction < 0 ? std::max(m_.low[t], mirrored - give)
                                       : std::min(m_.high[t], -mirrored + give);
    working_ = true;
    wish_ = 0;
    order_qty_ = std::fabs(qty_);
    const double px = taker(worse, direction, order_qty_, t, t - 1);
    leave(t, piece(room(t), px, t), px, e_.taker_fee_bps);
  }

  void take_target(std::size_t t, int direction) {
    const bool longs = qty_ > 0;
    double px = target_;
    double most = room(t);
    if (!e_.resting_targets) {
      const double o = m_.open[t];
      px = ticked(longs ? std::max(o, target_) : std::min(o, target_), direction, t);
    } else if (e_.participation_max_frac > 0) {
      const double range = m_.high[t] - m_.low[t];
      const double beyond = longs ? m_.high[t] - target_ : target_ - m_.low[t];
      const double share = range > 0 ? std::min(1.0, beyond / range) : 1;
      most = std::min(most, e_.participation_max_frac * m_.volume[t] * share);
    }
    const double before = std::fabs(qty_);
    leave(t, piece(most, px, t), px, e_.maker_fee_bps);
    if (qty_ != 0) scale_ *= std::fabs(qty_) / before;  // what a target took stays away
    wish_ = side();
  }

  // Closes so much of the position.
  void leave(std::size_t bar, double qty, double px, double fee_bps) {
    if (!(qty > 0)) return;
    const bool done = qty >= std::fabs(qty_);
    const double closed = qty_ > 0 ? qty : -qty;
    const double fee = qty * px * fee_bps * 1e-4;
    cash_ += closed * px - fee;
    open_.fees += fee;
    gain_ += closed * (px - entry_px_);
    open_.exit_px += px * qty;
    closed_ += qty;
    spend(bar, qty);
    qty_ = done ? 0 : qty_ - closed;
    if (!done) return;
    open_.exit_time_ns = m_.time_ns[bar];
    open_.exit_px /= closed_;
    open_.pnl = gain_ - open_.fees - open_.funding;
    trades_.push_back(open_);
    staked_.push_back(open_.pnl / staked_now_);
    working_ = false;
    wish_ = 0;
    if (e_.liquidation && !(cash_ > 0)) ruin();
  }

  // The exposure that yesterday's volatility allows, over all days that are complete.
  double volatility_exposure(std::size_t bar) const {
    std::map<std::int64_t, double> last;  // close by day
    for (std::size_t i = 0; i < bar; ++i) {
      if (day(i) != day(bar)) last[day(i)] = m_.close[i];
    }
    std::vector<double> closes;
    for (const auto& [d, close] : last) closes.push_back(close);
    const double lambda = e_.volatility_decay;
    const auto most = static_cast<std::size_t>(std::max(20.0, std::ceil(37 / (1 - lambda)))) + 1;
    if (closes.size() > most) closes.erase(closes.begin(), closes.end() - static_cast<long>(most));
    if (closes.size() < 21) return e_.exposure_frac;
    std::vector<double> r;
    for (std::size_t i = 1; i < closes.size(); ++i) r.push_back(closes[i] / closes[i - 1] - 1);
    double mean = 0, v = 0;
    for (int i = 0; i < 20; ++i) mean += r[static_cast<std::size_t>(i)] / 20;
    for (int i = 0; i < 20; ++i) v += std::pow(r[static_cast<std::size_t>(i)] - mean, 2) / 19;
    for (const double x : r) v = lambda * v + (1 - lambda) * x * x;
    return std::min(e_.exposure_max_frac,
                    e_.volatility_target_ann_frac / std::sqrt(e_.days_a_year * v));
  }

  double kelly_exposure() const {
    double sum = 0, squares = 0;
    for (const double r : staked_) {
      sum += r;
      squares += r * r;
    }
    if (static_cast<double>(staked_.size()) < e_.kelly_trades_min || squares == 0) {
      return e_.exposure_frac;
    }
    double f = sum / squares;
    if (e_.kelly_wealth_min_frac > 0) {
      const double lambda = std::log(e_.kelly_wealth_min_prob) / std::log(e_.kelly_wealth_min_frac);
      if (f > 0)
        f = std::min(f, 2 * sum / ((lambda + 1) * squares));
      else
        f *= std::min(1.0, 2 / (lambda + 1));
    }
    return e_.kelly_frac * f;
  }

  double within(double x) const {
    if (e_.exposure_max_frac > 0) x = std::min(x, e_.exposure_max_frac);
    return std::max(x, e_.exposure_min_frac);
  }

  double exposure(std::size_t bar) const {
    double x = 1;
    if (e_.sizing == Sizing::Exposure) x = e_.exposure_frac;
    if (e_.sizing == Sizing::VolatilityTarget) x = volatility_exposure(bar);
    if (e_.sizing == Sizing::Kelly) x = kelly_exposure();
    return within(within(x) * scale_);
  }

  // What drawdown and the last thirty trades make of a size.
  double scale() const {
    double out = 1;
    if (e_.drawdown_scale_frac > 0) {
      const double fall = 1 - cash_ / std::max(peak_, cash_);
      out *= std::max(0.0, 1 - fall / e_.drawdown_scale_frac);
    }
    if (e_.performance_scale > 0 && staked_.size() >= 30) {
      const auto from = staked_.end() - 30;
      double mean = 0, v = 0;
      for (auto r = from; r != staked_.end(); ++r) mean += *r / 30;
      for (auto r = from; r != staked_.end(); ++r) v += std::pow(*r - mean, 2) / 29;
      const double t = v > 0 ? (mean - e_.performance_mean_frac) / std::sqrt(v / 30) : 0;
      out *= std::clamp(1 + e_.performance_scale * t, 0.0, 2.0);
    }
    return out;
  }

  // Back to the exposure, where the close of t has brought the position too far from it.
  void resize(std::size_t t) {
    const double worth = cash_ + qty_ * m_.close[t];
    if (!(worth > 0)) return;
    const double wanted = exposure(t + 1) * worth;
    const double held = std::fabs(qty_) * m_.close[t];
    if (!(std::fabs(held - wanted) > e_.rebalance_band_frac * wanted)) return;
    const double change = std::fabs(wanted / m_.close[t] - std::fabs(qty_));
    if (wanted < held) {
      const double px = taker(m_.open[t + 1], -side(), change, t + 1, t);
      const double qty = in_lots(std::min(change, room(t + 1)), px, t + 1);
      if (!(qty > 0) || qty >= std::fabs(qty_)) return;
      leave(t + 1, qty, px, e_.taker_fee_bps);
    } else {
      double px = 0;
      const double worth_open = cash_ + qty_ * m_.open[t + 1];
      const double qty = accepted(side(), change, std::fabs(qty_), worth_open, t + 1, px);
      if (!(qty > 0)) return;
      const double before = std::fabs(qty_);
      entry_px_ = (entry_px_ * before + qty * px) / (before + qty);
      open_.entry_px = (open_.entry_px * open_.qty + qty * px) / (open_.qty + qty);
      open_.qty += qty;
      staked_now_ += qty * px;
      const double fee = qty * px * e_.taker_fee_bps * 1e-4;
      open_.fees += fee;
      cash_ -= side() * qty * px + fee;
      qty_ += side() * qty;
      spend(t + 1, qty);
    }
    ++resized_;
  }

  double in_lots(double qty, double px, std::size_t bar) const {
    const InstrumentRules* r = rules(bar);
    if (r == nullptr) return qty;
    if (r->lot_qty > 0) qty = std::floor(qty / r->lot_qty + 1e-9) * r->lot_qty;
    return qty < r->qty_min || qty * px < r->notional_min ? 0 : qty;
  }

  // The largest quantity whose cost the cash pays, by bisection.
  double all_in(int side, std::size_t bar, double cash) const {
    const double fee = 1 + e_.taker_fee_bps * 1e-4;
    const double o = m_.open[bar];
    const InstrumentRules* r = rules(bar);
    const bool has_impact = impact(bar) > 0 && impact(bar) < 1e100;
    const double plain = o * (1 + side * slip(0, bar, bar - 1, false));
    if (!has_impact) return cash / (ticked(plain, side, bar) * fee);
    const double base = plain + (r != nullptr ? r->tick_px : 0);
    if (side < 0) return cash / (base * fee);
    double low = 0;
    double high = cash / (base * fee);
    for (int i = 0; i < 200; ++i) {
      const double q = 0.5 * (low + high);
      const double cost = q * (base + o * impact(bar) * std::sqrt(q)) * fee;
      (cost <= cash ? low : high) = q;
    }
    return low;
  }

  // What the account and the venue leave of an order for so much more; 0: refused.
  double accepted(int side, double qty, double held, double worth, std::size_t bar,
                  double& px) const {
    const double cap = e_.participation_max_frac;
    if (cap > 0) qty = std::min(qty, cap * (e_.expected_volume ? expected(bar) : m_.volume[bar]));
    bool ok = e_.shorts || side > 0;
    if (e_.leverage_max > 0) {
      const double asked = (held + qty) * taker(m_.open[bar], side, qty, bar, bar - 1);
      if (asked * (1 + e_.taker_fee_bps * 1e-4) > e_.leverage_max * worth * (1 + 2e-9)) ok = false;
    }
    if (cap > 0) qty = std::min(qty, std::max(0.0, cap * m_.volume[bar] - spent(bar)));
    const InstrumentRules* r = rules(bar);
    if (r != nullptr && r->lot_qty > 0) qty = std::floor(qty / r->lot_qty + 1e-9) * r->lot_qty;
    px = taker(m_.open[bar], side, qty, bar, bar - 1);
    ok = ok && qty > 0 && px > 0;
    if ((e_.impact_bps > 0 || e_.work_exits) && m_.volume[bar] == 0) ok = false;
    if (r != nullptr && (qty < r->qty_min || qty * px < r->notional_min)) ok = false;
    return ok ? qty : 0;
  }

  void enter(int side, std::size_t bar) {
    if (!(cash_ > 0) || !alive_) return;
    const double before = scale_;
    scale_ = scale();
    const double share = exposure(bar);
    const double wanted =
        e_.sizing == Sizing::FixedQty ? e_.fixed_qty * share : all_in(side, bar, cash_ * share);
    double px = 0;
    const double qty = accepted(side, wanted, 0, cash_, bar, px);
    const InstrumentRules* r = rules(bar);
    if (!(qty > 0)) {
      scale_ = before;
      ++rejected_;
      return;
    }
    staked_now_ = qty * px;
    open_ = {};
    open_.entry_time_ns = m_.time_ns[bar];
    open_.side = side > 0 ? Side::Long : Side::Short;
    open_.qty = qty;
    open_.entry_px = entry_px_ = px;
    open_.fees = qty * px * e_.taker_fee_bps * 1e-4;
    cash_ -= side * qty * px + open_.fees;
    qty_ = side * qty;
    entry_bar_ = bar;
    gain_ = closed_ = 0;
    spend(bar, qty);
    stop_ = side > 0 ? -inf() : inf();
    target_ = side > 0 ? inf() : -inf();
    const Guard guard = signals_->guard(bar - 1);
    if (guard.stop_frac > 0) stop_ = px * (1 - side * guard.stop_frac);
    if (guard.target_frac > 0) target_ = px * (1 + side * guard.target_frac);
    trail_ = guard.trail_frac;
    hold_ = guard.hold_bars;
    best_ = px;
    target_at_ = target_;
    if (!e_.resting_targets || std::isinf(target_)) return;
    const double tick = r != nullptr ? r->tick_px : 0;
    if (tick > 0) {
      target_ = ticked(target_, side, bar);  // away from the market
      target_at_ = target_ + side * e_.target_penetration_ticks * tick;
    } else if (e_.target_penetration_ticks > 0) {
      target_at_ = std::nextafter(target_, side * inf());
    }
  }

  int side() const { return qty_ > 0 ? 1 : qty_ < 0 ? -1 : 0; }

  void decide(std::size_t t) {
    int want = signals_->want(t, wish_);
    if (qty_ != 0 && hold_ > 0 && !working_ && want == wish_ &&
        static_cast<double>(t) >= static_cast<double>(entry_bar_) + hold_) {
      want = 0;
    }
    if (want != wish_ && qty_ != 0 && !working_) {
      working_ = true;
      order_qty_ = std::fabs(qty_);
    }
    if (e_.rebalance && qty_ != 0 && !working_ && want == side()) resize(t);
    wish_ = want;
    if (working_) {
      const double px = taker(m_.open[t + 1], -side(), order_qty_, t + 1, t);
      leave(t + 1, piece(room(t + 1), px, t + 1), px, e_.taker_fee_bps);
      if (!working_ && alive_) wish_ = want;
    }
    if (qty_ == 0 && wish_ != 0) enter(wish_, t + 1);
    if (!working_) wish_ = side();
  }

  const MarketView& m_;
  Window w_;
  std::unique_ptr<Signals> signals_;
  const ExecutionModel& e_;
  double cash_ = 0;
  bool alive_ = true;
  Trade open_;
  double gain_ = 0;    // of what was closed of it, before fees
  double closed_ = 0;  // of its quantity
  std::size_t entry_bar_ = 0;
  double stop_ = 0;
  double trail_ = 0;  // share of the best price; 0: none
  double hold_ = 0;   // bars; 0: for ever
  double best_ = 0;   // price since the entry
  double target_ = 0;
  double target_at_ = 0;  // price that fills the target
  bool working_ = false;  // an exit is being worked
  double scale_ = 1;      // of the position's size
  double entry_px_ = 0;   // mean of what is held
  double staked_now_ = 0;
  std::vector<double> staked_;  // pnl over stake of each closed trade
  int wish_ = 0;                // what the strategy thinks it has
  double order_qty_ = 0;
  double spent_ = 0;
  std::size_t spent_bar_ = 0;
  double peak_ = 0;
  mutable std::map<std::size_t, double> impact_;
};

}  // namespace winnow::engine::test
