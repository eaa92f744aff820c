#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/market.hpp"

// The families once more, one bar after another with nothing clever in it, to compare the engine
// with. One class a family, and its line in make_signals().

namespace winnow::engine::test {

/// What protects a position; 0: nothing does.
struct Guard {
  double stop_frac = 0;
  double target_frac = 0;
  double trail_frac = 0;
  double hold_bars = 0;
};

/// Purpose: what one variant of a family wants. Owner: one reference.
class Signals {
 public:
  Signals(const MarketView& market, std::vector<double> params)
      : m_(market), p_(std::move(params)) {}
  virtual ~Signals() = default;
  /// The side wanted at the close of t by one that has `now`. Asked at every close.
  virtual int want(std::size_t t, int now) = 0;
  /// Of a position that is opened after the close of t.
  virtual Guard guard(std::size_t) const { return {}; }

 protected:
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  double mean(std::span<const double> x, std::size_t t, std::size_t n) const {
    long double s = 0;
    for (std::size_t i = 0; i < n; ++i) s += x[t - i];
    return static_cast<double>(s / static_cast<long double>(n));
  }

  // 0 before there are so many closes, and where they are alike.
  double z_score(std::size_t t, std::size_t n) const {
    if (t + 1 < n) return 0;
    const double average = mean(m_.close, t, n);
    long double squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const long double d = m_.close[t - i] - average;
      squares += d * d;
    }
    const double sd = std::sqrt(static_cast<double>(squares / static_cast<long double>(n)));
    return sd > 1e-9 * average ? (m_.close[t] - average) / sd : 0;
  }

  // Recursive means from the first value on, as libraries do them, known once what came before so
  // many bars weighs nothing.
  static std::vector<double> smoothed(const std::vector<double>& x, double a, std::size_t first,
                                      std::size_t known) {
    std::vector<double> out(x.size(), kNone);
    long double value = 0;
    for (std::size_t t = first; t < x.size(); ++t) {
      value = t == first ? x[t] : value + static_cast<long double>(a) * (x[t] - value);
      if (t >= known) out[t] = static_cast<double>(value);
    }
    return out;
  }

  std::size_t bars(int p) const {
    return static_cast<std::size_t>(p_[static_cast<std::size_t>(p)]);
  }
  double bps(int p) const { return p_[static_cast<std::size_t>(p)] * 1e-4; }

  const MarketView& m_;
  std::vector<double> p_;
};

class ReversionSignals final : public Signals {
 public:
  using Signals::Signals;
  int want(std::size_t t, int now) override {
    const double z = z_score(t, bars(0));
    if (now == 0) return z <= -p_[1] ? 1 : z >= p_[1] ? -1 : 0;
    return (now > 0 ? z >= -p_[2] : z <= p_[2]) ? 0 : now;
  }
  Guard guard(std::size_t) const override { return {bps(3), bps(4), 0, p_[5]}; }
};

class ZMomentumSignals final : public Signals {
 public:
  using Signals::Signals;
  int want(std::size_t t, int now) override {
    const double z = z_score(t, bars(0));
    if (now == 0) return z >= p_[1] ? 1 : z <= -p_[1] && p_[6] > 0 ? -1 : 0;
    return (now > 0 ? z <= p_[2] : z >= -p_[2]) ? 0 : now;
  }
  Guard guard(std::size_t) const override { return {bps(3), 0, bps(4), p_[5]}; }
};

class BollingerSignals final : public Signals {
 public:
  using Signals::Signals;
  int want(std::size_t t, int now) override {
    const double z = z_score(t, bars(0));
    const int zone = z < -p_[1] ? -1 : z > p_[1] ? 1 : 0;
    const int before = zone_;
    zone_ = zone;
    if (now == 0) {
      if (before < 0 && zone >= 0) return 1;
      return before > 0 && zone <= 0 && p_[5] > 0 ? -1 : 0;
    }
    return (now > 0 ? z >= p_[2] : z <= -p_[2]) ? 0 : now;
  }
  Guard guard(std::size_t) const override { return {bps(3), 0, 0, p_[4]}; }

 private:
  int zone_ = 0;  // of the last close: below the bands, within, above
};

class RsiSignals final : public Signals {
 public:
  RsiSignals(const MarketView& market, std::vector<double> params)
      : Signals(market, std::move(params)) {
    std::vector<double> up(m_.size());
    std::vector<double> down(m_.size());
    for (std::size_t t = 1; t < m_.size(); ++t) {
      up[t] = std::max(m_.close[t] - m_.close[t - 1], 0.0);
      down[t] = std::max(m_.close[t - 1] - m_.close[t], 0.0);
    }
    const std::size_t known = 37 * bars(0);
    rises_ = smoothed(up, 1 / p_[0], 1, known);
    falls_ = smoothed(down, 1 / p_[0], 1, known);
  }
  int want(std::size_t t, int now) override {
    const double both = rises_[t] + falls_[t];
    if (std::isnan(both)) return now;
    // Smoothed from the start a long flat run leaves dust where the engine has nothing.
    const double rsi = both > 1e-13 * m_.close[t] ? 100 * rises_[t] / both : 50;
    if (now == 0) return rsi <= p_[1] ? 1 : rsi >= 100 - p_[1] && p_[6] > 0 ? -1 : 0;
    return (now > 0 ? rsi >= p_[2] : rsi <= 100 - p_[2]) ? 0 : now;
  }
  Guard guard(std::size_t) const override { return {bps(3), bps(4), 0, p_[5]}; }

 private:
  std::vector<double> rises_;
  std::vector<double> falls_;
};

class DonchianSignals final : public Signals {
 public:
  DonchianSignals(const MarketView& market, std::vector<double> params)
      : Signals(market, std::move(params)) {
    std::vector<double> range(m_.size());
    for (std::size_t t = 1; t < m_.size(); ++t) {
      range[t] = std::max(m_.high[t], m_.close[t - 1]) - std::min(m_.low[t], m_.close[t - 1]);
    }
    const double n = p_[3] > 0 ? p_[2] : 1;
    range_ = smoothed(range, 1 / n, 1, static_cast<std::size_t>(37 * n));
  }
  int want(std::size_t t, int now) override {
    const double c = m_.close[t];
    if (now > 0 && !(below(c, t, bars(1)))) return now;
    if (now < 0 && !(above(c, t, bars(1)))) return now;
    if (std::isnan(range_[t])) return 0;
    if (above(c, t, bars(0))) return 1;
    return below(c, t, bars(0)) && p_[5] > 0 ? -1 : 0;
  }
  Guard guard(std::size_t t) const override {
    return {0, 0, p_[3] * range_[t] / m_.close[t], p_[4]};
  }

 private:
  bool above(double c, std::size_t t, std::size_t n) const {
    return t >= n && c > *std::max_element(&m_.high[t - n], &m_.high[t]);
  }
  bool below(double c, std::size_t t, std::size_t n) const {
    return t >= n && c < *std::min_element(&m_.low[t - n], &m_.low[t]);
  }
  std::vector<double> range_;
};

/// Of two means that are given bar by bar; missing ones change nothing.
class CrossSignals : public Signals {
 public:
  using Signals::Signals;
  int want(std::size_t t, int now) override {
    const double fast = fast_[t];
    const double slow = slow_[t];
    const bool up = fast > slow && not_above_seen_;
    const bool down = fast < slow && not_below_seen_;
    // After a signal the same one needs the other side first.
    if (up) not_above_seen_ = false;
    if (down) not_below_seen_ = false;
    if (fast <= slow) not_above_seen_ = true;
    if (fast >= slow) not_below_seen_ = true;
    return up ? 1 : down ? (p_.back() > 0 ? -1 : 0) : now;
  }

 protected:
  std::vector<double> fast_;
  std::vector<double> slow_;

 private:
  bool not_above_seen_ = false;
  bool not_below_seen_ = false;
};

class SmaCrossSignals final : public CrossSignals {
 public:
  SmaCrossSignals(const MarketView& market, std::vector<double> params)
      : CrossSignals(market, std::move(params)) {
    for (std::size_t t = 0; t < m_.size(); ++t) {
      fast_.push_back(t + 1 < bars(0) ? kNone : mean(m_.close, t, bars(0)));
      slow_.push_back(t + 1 < bars(1) ? kNone : mean(m_.close, t, bars(1)));
    }
  }
};

class MaCrossSignals final : public CrossSignals {
 public:
  MaCrossSignals(const MarketView& market, std::vector<double> params)
      : CrossSignals(market, std::move(params)) {
    fast_ = at_bars(means(bars(1)));
    slow_ = at_bars(means(bars(2)));
  }

 private:
  /// The longer timeframe's closes, and after which bar each is complete.
  struct Closes {
    std::vector<double> close;
    std::vector<std::size_t> complete;
  };
  Closes closes() const {
    const auto length = static_cast<std::int64_t>(p_[3]);
    Closes out;
    if (length == 1) {
      out.close.assign(m_.close.begin(), m_.close.end());
      for (std::size_t t = 0; t < m_.size(); ++t) out.complete.push_back(t);
      return out;
    }
    const auto bar = [&](std::size_t t) { return m_.time_ns[t] / m_.interval_ns / length; };
    const auto last_of = [&](std::size_t t) {
      return (m_.time_ns[t] / m_.interval_ns + 1) % length == 0;
    };
    const bool begins = m_.time_ns[0] / m_.interval_ns % length == 0;
    for (std::size_t t = 0; t < m_.size(); ++t) {
      if (bar(t) == bar(0) && !begins) continue;
      const bool ends = last_of(t);
      const bool left = t + 1 < m_.size() && bar(t + 1) != bar(t);
      if (!ends && !left) continue;
      out.close.push_back(m_.close[t]);
      out.complete.push_back(ends ? t : t + 1);
    }
    return out;
  }

  std::vector<double> means(std::size_t n) const {
    const std::vector<double> x = closes().close;
    if (p_[0] == 1)
      return smoothed(x, 2 / (static_cast<double>(n) + 1), 0, (37 * (n + 1) + 1) / 2 - 1);
    if (p_[0] == 3) return smoothed(x, 1 / static_cast<double>(n), 0, 37 * n - 1);
    std::vector<double> out;
    for (std::size_t t = 0; t < x.size(); ++t) {
      long double sum = 0;
      long double weights = 0;
      for (std::size_t i = 0; i < n && t + 1 >= n; ++i) {
        const long double weight = p_[0] == 2 ? static_cast<long double>(n - i) : 1;
        sum += weight * x[t - i];
        weights += weight;
      }
      out.push_back(t + 1 < n ? kNone : static_cast<double>(sum / weights));
    }
    return out;
  }

  std::vector<double> at_bars(const std::vector<double>& means) const {
    const Closes all = closes();
    std::vector<double> out(m_.size(), kNone);
    for (std::size_t k = 0; k < all.complete.size(); ++k) {
      const std::size_t end = k + 1 < all.complete.size() ? all.complete[k + 1] : m_.size();
      for (std::size_t t = all.complete[k]; t < end; ++t) out[t] = means[k];
    }
    return out;
  }
};

inline std::unique_ptr<Signals> make_signals(std::string_view family, const MarketView& market,
                                             std::vector<double> params) {
  using Make = std::unique_ptr<Signals> (*)(const MarketView&, std::vector<double>);
  const auto make = []<class S>() -> Make {
    return [](const MarketView& m, std::vector<double> p) -> std::unique_ptr<Signals> {
      return std::make_unique<S>(m, std::move(p));
    };
  };
  const std::map<std::string_view, Make> all = {
      {"bollinger", make.operator()<BollingerSignals>()},
      {"donchian", make.operator()<DonchianSignals>()},
      {"ma_cross", make.operator()<MaCrossSignals>()},
      {"mean_reversion", make.operator()<ReversionSignals>()},
      {"rsi_reversion", make.operator()<RsiSignals>()},
      {"sma_cross", make.operator()<SmaCrossSignals>()},
      {"z_momentum", make.operator()<ZMomentumSignals>()},
  };
  return all.at(family)(market, std::move(params));
}

}  // namespace winnow::engine::test
