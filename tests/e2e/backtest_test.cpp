// `winnow backtest` against a reader with the bars and a pencil: the simulation below follows the
// documented meaning of a bar, one line after the other, and shares no code with the engine.

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/rng.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

using nlohmann::json;

constexpr std::int64_t kBarNs = std::int64_t{30} * 60 * 1'000'000'000;
constexpr std::int64_t kDayNs = std::int64_t{24} * 3'600 * 1'000'000'000;
constexpr std::int64_t kStartNs = 1'704'067'200'000'000'000;  // 2024-01-01
constexpr std::size_t kBars = 3'010;                          // ends within a day
constexpr std::uint64_t kSeed = 20'240'101;

struct Bar {
  std::int64_t time_ns = 0;
  double open = 0, high = 0, low = 0, close = 0, volume = 0;
};

/// A random walk whose opens jump away from the close before, so that stops are overrun at times.
std::vector<Bar> make_bars(std::uint64_t seed) {
  Rng rng(seed);
  const auto noise = [&rng] {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += rng.uniform();
    return sum;
  };
  std::vector<Bar> bars;
  double px = 250;
  for (std::size_t i = 0; i < kBars; ++i) {
    Bar b;
    b.time_ns = kStartNs + static_cast<std::int64_t>(i) * kBarNs;
    b.open = px * (1 + 0.0015 * noise());
    b.close = b.open * (1 + 0.004 * noise());
    b.high = std::max(b.open, b.close) * (1 + 0.002 * rng.uniform());
    b.low = std::min(b.open, b.close) * (1 - 0.002 * rng.uniform());
    b.volume = 10 + 100 * rng.uniform();
    px = b.close;
    bars.push_back(b);
  }
  return bars;
}

std::string shortest(double v) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, v).ptr);
}

std::string bars_csv(const std::vector<Bar>& bars) {
  std::string csv = "ts_ms,open,high,low,close,volume\n";
  for (const Bar& b : bars) {
    csv += std::to_string(b.time_ns / 1'000'000);
    for (const double v : {b.open, b.high, b.low, b.close, b.volume}) csv += ',' + shortest(v);
    csv += '\n';
  }
  return csv;
}

struct Costs {
  double taker_bps = 0;
  double maker_bps = 0;
  double fixed_qty = 0;  // 0: all in
  double cash = 100'000;
};

struct Closed {
  std::int64_t entry_ns = 0, exit_ns = 0;
  int side = 0;
  double qty = 0, entry_px = 0, exit_px = 0, fees = 0, pnl = 0;
};

struct Outcome {
  std::vector<Closed> trades;
  std::vector<double> equity;
};

/// What a strategy wants at the close of bar i, holding `side`: -1, 0 or 1.
struct Rules {
  virtual ~Rules() = default;
  virtual int want(std::size_t i, int side) = 0;
  double stop_bps = 0, target_bps = 0;
  std::size_t hold_bars = 0;
};

double mean_close(const std::vector<Bar>& bars, std::size_t last, std::size_t n) {
  double sum = 0;
  for (std::size_t k = last + 1 - n; k <= last; ++k) sum += bars[k].close;
  return sum / static_cast<double>(n);
}

struct Crossing : Rules {
  Crossing(const std::vector<Bar>& b, std::size_t f, std::size_t s, bool both)
      : bars(b), fast(f), slow(s), both_ways(both) {}
  int want(std::size_t i, int side) override {
    if (i + 1 < slow) return side;
    const double f = mean_close(bars, i, fast);
    const double s = mean_close(bars, i, slow);
    int wanted = side;
    if (f > s && was_not_above) {
      wanted = 1;
      was_not_above = false;
    } else if (f < s && was_not_below) {
      wanted = both_ways ? -1 : 0;
      was_not_below = false;
    }
    if (f <= s) was_not_above = true;
    if (f >= s) was_not_below = true;
    return wanted;
  }
  const std::vector<Bar>& bars;
  std::size_t fast, slow;
  bool both_ways;
  bool was_not_above = false, was_not_below = false;
};

struct Reverting : Rules {
  Reverting(const std::vector<Bar>& b, std::size_t n, double in, double out)
      : bars(b), lookback(n), entry_z(in), exit_z(out) {}
  int want(std::size_t i, int side) override {
    if (i + 1 < lookback) return side;
    const double mean = mean_close(bars, i, lookback);
    double squares = 0;
    for (std::size_t k = i + 1 - lookback; k <= i; ++k) {
      squares += (bars[k].close - mean) * (bars[k].close - mean);
    }
    const double z = (bars[i].close - mean) / std::sqrt(squares / static_cast<double>(lookback));
    if (side == 0) return z <= -entry_z ? 1 : z >= entry_z ? -1 : 0;
    if (side > 0) return z >= -exit_z ? 0 : 1;
    return z <= exit_z ? 0 : -1;
  }
  const std::vector<Bar>& bars;
  std::size_t lookback;
  double entry_z, exit_z;
};

/// One position at a time over bars [first, last): decided at a close, filled at the next open.
class ByHand {
 public:
  ByHand(const std::vector<Bar>& bars, const Costs& costs, Rules& rules)
      : bars_(bars), costs_(costs), rules_(rules), cash_(costs.cash) {}

  Outcome run(std::size_t first, std::size_t last) {
    int wanted = 0;
    for (std::size_t i = first; i < last; ++i) {
      const Bar& b = bars_[i];
      if (wanted != side_) {
        if (side_ != 0) leave(b.open, costs_.taker_bps, i);
        if (wanted != 0) enter(wanted, b.open, i);
      }
      inside(b, i);
      out_.equity.push_back(cash_ + side_ * qty_ * b.close);
      wanted = rules_.want(i, side_);
      if (side_ != 0 && rules_.hold_bars > 0 && i >= entered_ + rules_.hold_bars) wanted = 0;
    }
    return std::move(out_);
  }

 private:
  void enter(int side, double px, std::size_t i) {
    const double fee = costs_.taker_bps / 1e4;
    qty_ = costs_.fixed_qty > 0 ? costs_.fixed_qty : cash_ / (px * (1 + fee));
    side_ = side;
    entered_ = i;
    open_ = {bars_[i].time_ns, 0, side, qty_, px, 0, qty_ * px * fee, 0};
    cash_ -= side * qty_ * px + open_.fees;
  }
  void leave(double px, double fee_bps, std::size_t i) {
    const double fee = qty_ * px * fee_bps / 1e4;
    cash_ += side_ * qty_ * px - fee;
    open_.exit_ns = bars_[i].time_ns;
    open_.exit_px = px;
    open_.fees += fee;
    open_.pnl = side_ * qty_ * (px - open_.entry_px) - open_.fees;
    out_.trades.push_back(open_);
    side_ = 0;
    qty_ = 0;
  }
  void inside(const Bar& b, std::size_t i) {
    if (side_ == 0) return;
    const double stop = open_.entry_px * (1 - side_ * rules_.stop_bps / 1e4);
    const double target = open_.entry_px * (1 + side_ * rules_.target_bps / 1e4);
    const bool stopped = rules_.stop_bps > 0 && (side_ > 0 ? b.low <= stop : b.high >= stop);
    const bool reached = rules_.target_bps > 0 && (side_ > 0 ? b.high >= target : b.low <= target);
    if (stopped) {
      leave(side_ > 0 ? std::min(b.open, stop) : std::max(b.open, stop), costs_.taker_bps, i);
    } else if (reached) {
      leave(side_ > 0 ? std::max(b.open, target) : std::min(b.open, target), costs_.maker_bps, i);
    }
  }

  const std::vector<Bar>& bars_;
  Costs costs_;
  Rules& rules_;
  double cash_;
  double qty_ = 0;
  int side_ = 0;
  std::size_t entered_ = 0;
  Closed open_;
  Outcome out_;
};

struct Headline {
  double total_return_frac = 0, sharpe_ann = 0, drawdown_max_frac = 0;
  double trades = 0, win_rate_frac = 0;
};

Headline headline(const std::vector<Bar>& bars, std::size_t first, const Outcome& out,
                  double initial) {
  std::vector<double> days{initial};
  for (std::size_t i = 0; i < out.equity.size(); ++i) {
    const std::int64_t today = bars[first + i].time_ns / kDayNs;
    if (i + 1 == out.equity.size() || bars[first + i + 1].time_ns / kDayNs != today) {
      days.push_back(out.equity[i]);
    }
  }
  Headline h;
  std::vector<double> returns;
  double peak = initial;
  for (std::size_t d = 1; d < days.size(); ++d) {
    returns.push_back(days[d] / days[d - 1] - 1);
    peak = std::max(peak, days[d]);
    h.drawdown_max_frac = std::max(h.drawdown_max_frac, (peak - days[d]) / peak);
  }
  const double n = static_cast<double>(returns.size());
  const double mean = std::accumulate(returns.begin(), returns.end(), 0.0) / n;
  double squares = 0;
  for (const double r : returns) squares += (r - mean) * (r - mean);
  // Who never trades has no risk and no return: documented as 0.
  h.sharpe_ann = squares > 0 ? mean / std::sqrt(squares / (n - 1)) * std::sqrt(365.0) : 0;
  h.total_return_frac = out.equity.back() / initial - 1;
  h.trades = static_cast<double>(out.trades.size());
  double wins = 0;
  for (const Closed& t : out.trades) wins += t.pnl > 0 ? 1 : 0;
  h.win_rate_frac = out.trades.empty() ? 0 : wins / h.trades;
  return h;
}

/// Relative to the larger, or to `scale` where a difference of large numbers is small.
bool same(double a, double b, double scale = 0) {
  return std::fabs(a - b) <= 1e-9 * std::max({std::fabs(a), std::fabs(b), scale});
}

class ByPencil : public ::testing::Test {
 protected:
  void SetUp() override {
    write_text(folder_.path() / "bars.csv", bars_csv(bars_));
    const Ran ran =
        winnow(home(), {"data", "import", (folder_.path() / "bars.csv").string(), "--format",
                        "ohlcv", "--instrument", "TESTUSDT", "--name", "pencil", "--json"});
    ASSERT_EQ(ran.status, 0) << ran.errors;
    const json made = json::parse(ran.output);
    ASSERT_EQ(made["dataset"]["bars"], kBars);
    ASSERT_EQ(made["dataset"]["repairs"].size(), 0u);
  }

  std::filesystem::path home() const { return folder_.path() / "home"; }

  struct Case {
    std::vector<std::string> args;
    Costs costs;
    std::size_t first = 0, last = kBars;
    double expected_trades_min = 20;
  };

  void check(Case c, Rules& rules) {
    std::string name;
    for (const std::string& a : c.args) name += a + " ";
    SCOPED_TRACE(name + "taker " + shortest(c.costs.taker_bps) + " fixed_qty " +
                 shortest(c.costs.fixed_qty));
    const auto trades_file = (folder_.path() / "trades.csv").string();
    const auto equity_file = (folder_.path() / "equity.csv").string();
    std::vector<std::string> args{"backtest",  "--data",   "pencil",    "--json",      "--trades",
                                  trades_file, "--equity", equity_file, "--execution", "none"};
    args.insert(args.end(), c.args.begin(), c.args.end());
    const auto set = [&args](const std::string& key, const std::string& value) {
      args.insert(args.end(), {"--set", key + "=" + value});
    };
    set("taker_fee_bps", shortest(c.costs.taker_bps));
    set("maker_fee_bps", shortest(c.costs.maker_bps));
    set("initial_cash", shortest(c.costs.cash));
    set("sizing", c.costs.fixed_qty > 0 ? "fixed_qty" : "all_in");
    if (c.costs.fixed_qty > 0) set("fixed_qty", shortest(c.costs.fixed_qty));
    const Ran ran = winnow(home(), args);
    ASSERT_EQ(ran.status, 0) << ran.errors;

    const Outcome expected = ByHand(bars_, c.costs, rules).run(c.first, c.last);
    ASSERT_GE(static_cast<double>(expected.trades.size()), c.expected_trades_min);
    compare_trades(read_csv(trades_file), expected);
    compare_equity(read_csv(equity_file), expected, c.first);
    compare_metrics(json::parse(ran.output)["metrics"],
                    headline(bars_, c.first, expected, c.costs.cash));
  }

  static void compare_trades(const Table& table, const Outcome& expected) {
    ASSERT_EQ(table.header,
              (std::vector<std::string>{"entry_time_ns", "exit_time_ns", "side", "qty", "entry_px",
                                        "exit_px", "fees", "funding", "pnl"}));
    ASSERT_EQ(table.rows.size(), expected.trades.size());
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      const Closed& e = expected.trades[i];
      SCOPED_TRACE("trade " + std::to_string(i));
      ASSERT_EQ(table.rows[i][0], std::to_string(e.entry_ns));
      ASSERT_EQ(table.rows[i][1], std::to_string(e.exit_ns));
      ASSERT_EQ(table.rows[i][2], e.side > 0 ? "long" : "short");
      ASSERT_PRED2([](double a, double b) { return same(a, b); }, table.number(i, 3), e.qty);
      ASSERT_PRED2([](double a, double b) { return same(a, b); }, table.number(i, 4), e.entry_px);
      ASSERT_PRED2([](double a, double b) { return same(a, b); }, table.number(i, 5), e.exit_px);
      ASSERT_PRED2([](double a, double b) { return same(a, b); }, table.number(i, 6), e.fees);
      ASSERT_EQ(table.number(i, 7), 0);
      // A gain is a small difference of two notionals, known no better than they are.
      ASSERT_PRED3(same, table.number(i, 8), e.pnl, e.qty * e.entry_px * 1e-3);
    }
  }

  void compare_equity(const Table& table, const Outcome& expected, std::size_t first) const {
    ASSERT_EQ(table.header, (std::vector<std::string>{"time_ns", "equity"}));
    ASSERT_EQ(table.rows.size(), expected.equity.size());
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      ASSERT_EQ(table.rows[i][0], std::to_string(bars_[first + i].time_ns)) << "row " << i;
      ASSERT_PRED2([](double a, double b) { return same(a, b); }, table.number(i, 1),
                   expected.equity[i])
          << "row " << i;
    }
  }

  static void compare_metrics(const json& metrics, const Headline& expected) {
    const auto close = [&](const char* name, double value) {
      EXPECT_PRED3(same, metrics.at(name).get<double>(), value, 1e-3) << name;
    };
    close("total_return_frac", expected.total_return_frac);
    close("sharpe_ann", expected.sharpe_ann);
    close("drawdown_max_frac", expected.drawdown_max_frac);
    close("trades", expected.trades);
    close("win_rate_frac", expected.win_rate_frac);
  }

  TemporaryFolder folder_;
  std::vector<Bar> bars_ = make_bars(kSeed);
};

// Cheap, dear, all in, fixed: what trading may cost without slippage and rounding.
std::vector<Costs> all_costs() {
  return {{},
          {.taker_bps = 7.5, .maker_bps = 2},
          {.taker_bps = 5, .maker_bps = -0.5, .cash = 12'345.67},
          {.fixed_qty = 1.5},
          {.taker_bps = 7.5, .maker_bps = 2, .fixed_qty = 40, .cash = 100'000}};
}

TEST_F(ByPencil, SmaCrossLongOnlyAndBothWays) {
  for (const Costs& costs : all_costs()) {
    for (const bool both : {false, true}) {
      Crossing rules(bars_, 5, 21, both);
      check({.args = {"--strategy", "sma_cross", "--param", "fast_bars=5", "--param",
                      "slow_bars=21", "--param", both ? "short_side=1" : "short_side=0"},
             .costs = costs},
            rules);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(ByPencil, MeanReversionByZScoreAlone) {
  for (const Costs& costs : all_costs()) {
    Reverting rules(bars_, 24, 1.75, 0.25);
    check({.args = {"--strategy", "mean_reversion", "--param", "lookback_bars=24", "--param",
                    "entry_z=1.75", "--param", "exit_z=0.25"},
           .costs = costs},
          rules);
    if (HasFatalFailure()) return;
  }
}

TEST_F(ByPencil, MeanReversionWithStopTargetAndMaximumHold) {
  for (const Costs& costs : all_costs()) {
    for (const std::size_t hold : {0, 1, 12}) {
      Reverting rules(bars_, 20, 1.25, 0);
      rules.stop_bps = 90;
      rules.target_bps = 70;
      rules.hold_bars = hold;
      check({.args = {"--strategy", "mean_reversion", "--param", "lookback_bars=20", "--param",
                      "entry_z=1.25", "--param", "stop_bps=90", "--param", "take_profit_bps=70",
                      "--param", "max_hold_bars=" + std::to_string(hold)},
             .costs = costs,
             .expected_trades_min = 100},
            rules);
      if (HasFatalFailure()) return;
    }
  }
}

// Bars before the window warm indicators up; trading, marking and metrics begin with it.
TEST_F(ByPencil, WindowTradesOnlyInsideAndWarmsUpBefore) {
  const Costs costs{.taker_bps = 5, .maker_bps = 2};
  const std::size_t first = 48 * 10 + 6;  // 2024-01-11T03:00
  const std::size_t last = 48 * 45;       // 2024-02-15
  {
    Reverting rules(bars_, 24, 1.5, 0);
    check({.args = {"--strategy", "mean_reversion", "--param", "lookback_bars=24", "--param",
                    "entry_z=1.5", "--from", "2024-01-11T03:00:00Z", "--to", "2024-02-15"},
           .costs = costs,
           .first = first,
           .last = last},
          rules);
  }
  Crossing rules(bars_, 4, 12, true);
  check(
      {.args = {"--strategy", "sma_cross", "--param", "fast_bars=4", "--param", "slow_bars=12",
                "--param", "short_side=1", "--from", "2024-01-11T03:00:00Z", "--to", "2024-02-15"},
       .costs = costs,
       .first = first,
       .last = last},
      rules);
}

TEST_F(ByPencil, DataThatIsTooShortForTheIndicatorTradesNothing) {
  Reverting rules(bars_, 4'000, 1.5, 0);
  check({.args = {"--strategy", "mean_reversion", "--param", "lookback_bars=4000", "--param",
                  "entry_z=1.5"},
         .costs = {},
         .expected_trades_min = 0},
        rules);
}

}  // namespace
}  // namespace winnow::e2e
