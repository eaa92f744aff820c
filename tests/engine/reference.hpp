#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "engine/engine.hpp"

namespace winnow::engine::test {

/// Purpose: the execution model once more, written bar by bar with nothing clever in it, to compare
/// the engine with. Knows one variant.
class Reference {
 public:
  Reference(const MarketView& market, Window window, std::string_view family,
            std::vector<double> params, const ExecutionModel& execution)
      : m_(market), w_(window), family_(family), p_(std::move(params)), e_(execution) {
    cash_ = e_.initial_cash;
  }

  void run() {
    for (std::size_t t = w_.first; t < w_.last; ++t) {
      fund(t);
      if (qty_ != 0) stop_or_target(t);
      double equity = cash_ + qty_ * m_.close[t];
      const bool day_ends = t + 1 == w_.last || day(t) != day(t + 1);
      if (day_ends && alive_ && !(equity > 0)) {
        if (qty_ != 0) leave(t, m_.close[t], e_.taker_fee_bps);
        alive_ = false;
        cash_ = equity = 0;
      }
      if (!alive_) equity = 0;
      equity_.push_back(equity);
      if (t + 1 < w_.last) decide(t);
    }
  }

  std::vector<Trade> trades_;
  std::vector<double> equity_;
  double qty_ = 0;
  int rejected_ = 0;

 private:
  std::int64_t day(std::size_t t) const { return m_.time_ns[t] / 86'400'000'000'000; }

  void fund(std::size_t t) {
    if (!e_.funding) return;
    for (const FundingEvent& f : m_.funding) {
      const bool mine = f.time_ns >= m_.time_ns[t] &&
                        (t + 1 < m_.size() ? f.time_ns < m_.time_ns[t + 1]
                                           : f.time_ns < m_.time_ns[t] + m_.interval_ns);
      if (!mine) continue;
      const double paid = qty_ * m_.open[t] * f.rate_frac;
      cash_ -= paid;
      open_.funding += paid;
    }
  }

  const InstrumentRules* rules(std::size_t bar) const {
    const InstrumentRules* in_force = nullptr;
    for (const InstrumentRules& r : e_.rules) {
      if (r.from_ns <= m_.time_ns[bar]) in_force = &r;
    }
    return in_force;
  }

  double slip(double qty, std::size_t bar, std::size_t decided, bool with_impact) const {
    double s = e_.half_spread_bps * 1e-4 +
               e_.half_spread_range_frac * (m_.high[decided] - m_.low[decided]) / m_.close[decided];
    s = std::min(s, 0.5);
    if (with_impact && e_.impact_bps > 0) {
      s += m_.volume[bar] > 0 ? e_.impact_bps * 1e-4 * std::sqrt(qty / m_.volume[bar]) : 0.5;
    }
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

  void stop_or_target(std::size_t t) {
    const bool longs = qty_ > 0;
    const double o = m_.open[t];
    const bool stopped = longs ? m_.low[t] <= stop_ : m_.high[t] >= stop_;
    const bool reached = longs ? m_.high[t] >= target_ : m_.low[t] <= target_;
    const int direction = longs ? -1 : 1;
    if (stopped) {
      const double ref = longs ? std::min(o, stop_) : std::max(o, stop_);
      leave(t, taker(ref, direction, std::fabs(qty_), t, t - 1), e_.taker_fee_bps);
    } else if (reached) {
      const double ref = longs ? std::max(o, target_) : std::min(o, target_);
      leave(t, ticked(ref, direction, t), e_.maker_fee_bps);
    }
  }

  void leave(std::size_t bar, double px, double fee_bps) {
    const double fee = std::fabs(qty_) * px * fee_bps * 1e-4;
    cash_ += qty_ * px - fee;
    open_.exit_time_ns = m_.time_ns[bar];
    open_.exit_px = px;
    open_.fees += fee;
    open_.pnl = qty_ * (px - open_.entry_px) - open_.fees - open_.funding;
    trades_.push_back(open_);
    qty_ = 0;
  }

  // The largest quantity whose cost the cash pays, by bisection.
  double all_in(int side, std::size_t bar) const {
    const double fee = 1 + e_.taker_fee_bps * 1e-4;
    const double o = m_.open[bar];
    const InstrumentRules* r = rules(bar);
    const bool has_impact = e_.impact_bps > 0 && m_.volume[bar] > 0;
    const double plain = o * (1 + side * slip(0, bar, bar - 1, false));
    if (!has_impact) return cash_ / (ticked(plain, side, bar) * fee);
    const double base = plain + (r != nullptr ? r->tick_px : 0);
    if (side < 0) return cash_ / (base * fee);
    double low = 0;
    double high = cash_ / (base * fee);
    for (int i = 0; i < 200; ++i) {
      const double q = 0.5 * (low + high);
      const double cost =
          q * (base + o * e_.impact_bps * 1e-4 * std::sqrt(q / m_.volume[bar])) * fee;
      (cost <= cash_ ? low : high) = q;
    }
    return low;
  }

  void enter(int side, std::size_t bar) {
    if (!(cash_ > 0) || !alive_) return;
    double qty = e_.sizing == Sizing::FixedQty ? e_.fixed_qty : all_in(side, bar);
    if (e_.participation_max_frac > 0) {
      qty = std::min(qty, e_.participation_max_frac * m_.volume[bar]);
    }
    const InstrumentRules* r = rules(bar);
    if (r != nullptr && r->lot_qty > 0) qty = std::floor(qty / r->lot_qty + 1e-9) * r->lot_qty;
    const double px = taker(m_.open[bar], side, qty, bar, bar - 1);
    bool ok = qty > 0 && px > 0;
    if (e_.impact_bps > 0 && m_.volume[bar] == 0) ok = false;
    if (r != nullptr && (qty < r->qty_min || qty * px < r->notional_min)) ok = false;
    if (!ok) {
      ++rejected_;
      return;
    }
    open_ = {};
    open_.entry_time_ns = m_.time_ns[bar];
    open_.side = side > 0 ? Side::Long : Side::Short;
    open_.qty = qty;
    open_.entry_px = px;
    open_.fees = qty * px * e_.taker_fee_bps * 1e-4;
    cash_ -= side * qty * px + open_.fees;
    qty_ = side * qty;
    entry_bar_ = bar;
    const double inf = std::numeric_limits<double>::infinity();
    stop_ = side > 0 ? -inf : inf;
    target_ = side > 0 ? inf : -inf;
    if (family_ == "mean_reversion") {
      if (p_[3] > 0) stop_ = px * (1 - side * p_[3] * 1e-4);
      if (p_[4] > 0) target_ = px * (1 + side * p_[4] * 1e-4);
    }
  }

  int side() const { return qty_ > 0 ? 1 : qty_ < 0 ? -1 : 0; }

  void decide(std::size_t t) {
    const int now = side();
    const int want = family_ == "sma_cross" ? want_cross(t, now) : want_reversion(t, now);
    if (want == now) return;
    if (now != 0) {
      leave(t + 1, taker(m_.open[t + 1], -now, std::fabs(qty_), t + 1, t), e_.taker_fee_bps);
    }
    if (want != 0) enter(want, t + 1);
  }

  double mean(std::size_t t, std::size_t n) const {
    long double s = 0;
    for (std::size_t i = 0; i < n; ++i) s += m_.close[t - i];
    return static_cast<double>(s / static_cast<long double>(n));
  }

  int want_reversion(std::size_t t, int now) const {
    const auto n = static_cast<std::size_t>(p_[0]);
    double z = 0;
    if (t + 1 >= n) {
      const double average = mean(t, n);
      long double squares = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const long double d = m_.close[t - i] - average;
        squares += d * d;
      }
      const double sd = std::sqrt(static_cast<double>(squares / static_cast<long double>(n)));
      if (sd > 1e-9 * average) z = (m_.close[t] - average) / sd;
    }
    if (now == 0) return z <= -p_[1] ? 1 : z >= p_[1] ? -1 : 0;
    if (p_[5] > 0 && static_cast<double>(t) >= static_cast<double>(entry_bar_) + p_[5]) return 0;
    const bool back = now > 0 ? z >= -p_[2] : z <= p_[2];
    return back ? 0 : now;
  }

  int want_cross(std::size_t t, int now) {
    const auto fast_bars = static_cast<std::size_t>(p_[0]);
    const auto slow_bars = static_cast<std::size_t>(p_[1]);
    if (t + 1 < slow_bars) return now;
    const double fast = mean(t, fast_bars);
    const double slow = mean(t, slow_bars);
    const bool up = fast > slow && not_above_seen_;
    const bool down = fast < slow && not_below_seen_;
    // After a signal the same one needs the other side first.
    if (up) not_above_seen_ = false;
    if (down) not_below_seen_ = false;
    if (fast <= slow) not_above_seen_ = true;
    if (fast >= slow) not_below_seen_ = true;
    return up ? 1 : down ? (p_[2] > 0 ? -1 : 0) : now;
  }

  const MarketView& m_;
  Window w_;
  std::string_view family_;
  std::vector<double> p_;
  const ExecutionModel& e_;
  double cash_ = 0;
  bool alive_ = true;
  bool not_above_seen_ = false;
  bool not_below_seen_ = false;
  Trade open_;
  std::size_t entry_bar_ = 0;
  double stop_ = 0;
  double target_ = 0;
};

}  // namespace winnow::engine::test
