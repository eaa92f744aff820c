// What `winnow risk` and `winnow bakeoff` say of a variant, against its equity and trades as
// `winnow backtest` writes them, computed here in another way.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr double kCash = 100'000;
constexpr std::size_t kHorizonDays = 365;

struct Day {
  double result = 0;  // of the day before's end
  double lowest =
      0;  // the lowest close of equity within the day, as a part of the day before's end
};

std::vector<Day> days_of(const fs::path& equity_csv) {
  const Table table = read_csv(equity_csv);
  std::map<long long, std::vector<double>> by_day;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    by_day[std::stoll(table.rows[r][0]) / 86'400'000'000'000].push_back(table.number(r, 1));
  }
  std::vector<Day> out;
  double before = kCash;
  for (const auto& [day, equity] : by_day) {
    out.push_back(
        {equity.back() / before - 1, *std::min_element(equity.begin(), equity.end()) / before});
    before = equity.back();
  }
  return out;
}

// Linear between order statistics.
double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const double above = values[std::min(low + 1, values.size() - 1)];
  return values[low] + (at - static_cast<double>(low)) * (above - values[low]);
}

struct Paths {
  std::vector<double> results, sharpes;
  double loses_tenth = 0;  // share of paths that were ever a tenth below their start
};

// Blocks of days of geometric length, as Politis and Romano 1994.
Paths draw(const std::vector<Day>& days, double mean_block, int count) {
  std::mt19937_64 rng(20240101);
  std::uniform_int_distribution<std::size_t> any(0, days.size() - 1);
  std::bernoulli_distribution jumps(1 / mean_block);
  Paths out;
  for (int p = 0; p < count; ++p) {
    double equity = 1;
    double lowest = 1;
    double sum = 0;
    double squares = 0;
    std::size_t at = any(rng);
    for (std::size_t t = 0; t < kHorizonDays; ++t) {
      if (t > 0) at = jumps(rng) ? any(rng) : (at + 1) % days.size();
      lowest = std::min(lowest, equity * days[at].lowest);
      equity *= 1 + days[at].result;
      sum += days[at].result;
      squares += days[at].result * days[at].result;
    }
    const double n = kHorizonDays;
    const double sd = std::sqrt((squares - sum * sum / n) / (n - 1));
    out.results.push_back(equity - 1);
    out.sharpes.push_back(sum / n / sd * std::sqrt(365.0));
    out.loses_tenth += lowest <= 0.9 ? 1.0 / count : 0;
  }
  return out;
}

/// A market with an edge, a sweep over it, and one variant in full; made once.
class RiskByHand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    fs::create_directories(home());
    write_text(home() / "market.yaml",
               "market: edge\nstart: 2023-01-01\ninterval: 15m\nduration: 400d\nsteps_per_bar: 4\n"
               "instruments:\n  - name: one\n    start_px: 1000\n    tick_px: 0.01\n"
               "    lot_qty: 0.001\n    volume_per_bar: 20000\n"
               "    regimes: [{name: only, volatility_ann_frac: 0.3, mean_duration: 30d}]\n"
               "    edge: {kind: mean_reversion, half_life: 1d, sharpe_ann: 4}\n");
    expect_done(
        {"data", "synth", (home() / "market.yaml").string(), "--seed", "4", "--name", "edge"});
    write_text(home() / "sweep.yaml",
               "sweep: hand\ndata: [edge]\nexecution: binance-usdm\nstrategies:\n"
               "  - family: mean_reversion\n    params:\n"
               "      lookback_bars: {int: [240, 960], step: 240}\n"
               "      entry_z: {float: [1.0, 2.0], step: 0.25}\nsearch: {method: grid}\n");
    expect_done({"sweep", "run", (home() / "sweep.yaml").string(), "--quiet"});
    bakeoff_ = ask(home(), {"bakeoff", "hand"})["comparisons"][0]["entrants"][0];
    ASSERT_TRUE(bakeoff_["plateau_centre"].is_object()) << bakeoff_.dump();
    const std::string trial = bakeoff_["plateau_centre"]["trial"].dump();
    risk_ = ask(home(), {"risk", "hand", trial})["variants"][0];
    std::vector<std::string> words = {"backtest",    "--strategy",  "mean_reversion", "--data",
                                      "edge",        "--execution", "binance-usdm",   "--equity",
                                      file("e.csv"), "--trades",    file("t.csv")};
    for (const auto& [name, value] : risk_["params"].items()) {
      words.push_back("--param");
      words.push_back(name + "=" + value.dump());
    }
    expect_done(words);
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static void expect_done(const std::vector<std::string>& words) {
    const Ran ran = winnow(home(), words);
    ASSERT_EQ(ran.status, 0) << words[0] << " " << words[1] << ": " << ran.errors;
  }
  static fs::path home() { return folder_->path() / "home"; }
  static std::string file(const std::string& name) { return (folder_->path() / name).string(); }

  static TemporaryFolder* folder_;
  static json bakeoff_, risk_;
};
TemporaryFolder* RiskByHand::folder_ = nullptr;
json RiskByHand::bakeoff_, RiskByHand::risk_;

TEST_F(RiskByHand, HistoryAndTailsAreThoseOfTheEquityCurve) {
  const std::vector<Day> days = days_of(file("e.csv"));
  ASSERT_EQ(days.size(), 400u);
  double equity = 1;
  std::vector<double> results;
  for (const Day& day : days) {
    equity *= 1 + day.result;
    results.push_back(day.result);
  }
  // The sweep keeps daily returns as floats: seven digits.
  EXPECT_NEAR(risk_["history"]["total_return_frac"], equity - 1, 1e-5 * equity);
  double peak = kCash;
  double fall = 0;
  const Table table = read_csv(file("e.csv"));
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    peak = std::max(peak, table.number(r, 1));
    fall = std::max(fall, 1 - table.number(r, 1) / peak);
  }
  EXPECT_TRUE(risk_["path_within_days"].get<bool>());
  EXPECT_NEAR(risk_["history"]["drawdown_max_frac"], fall, 1e-6);
  std::vector<double> sorted = results;
  std::sort(sorted.begin(), sorted.end());
  for (const json& tail : risk_["tail"]) {
    const double share = tail["tail"];
    const auto worst = static_cast<std::ptrdiff_t>(share * 399) + 1;
    const double mean =
        std::accumulate(sorted.begin(), sorted.begin() + worst, 0.0) / static_cast<double>(worst);
    EXPECT_NEAR(tail["var_frac"], -quantile(results, share), 1e-6) << share;
    EXPECT_NEAR(tail["cvar_frac"], -mean, 1e-6) << share;
    EXPECT_LE(tail["var_frac_low"], tail["var_frac"]);
    EXPECT_GE(tail["var_frac_high"], tail["var_frac"]);
  }
}

// 10,000 paths there and here, by other generators: their quantiles differ by chance alone. The
// error of a quantile q is sqrt(q (1 - q) / n) / density; five of them are allowed.
TEST_F(RiskByHand, PathsAreThoseOfAnotherBootstrap) {
  const std::vector<Day> days = days_of(file("e.csv"));
  const int count = 10'000;
  const Paths paths = draw(days, risk_["mean_block_days"], count);
  const auto compare = [&](const std::vector<double>& mine, const json& theirs,
                           const std::string& what) {
    for (const auto& [key, q] : std::map<std::string, double>{
             {"q05", .05}, {"q25", .25}, {"q50", .50}, {"q75", .75}, {"q95", .95}}) {
      const double h = 0.02;
      const double slope = (quantile(mine, q + h) - quantile(mine, q - h)) / (2 * h);
      const double error = slope * std::sqrt(q * (1 - q) / count) * std::sqrt(2.0);
      EXPECT_NEAR(theirs[key], quantile(mine, q), 5 * error) << what << " " << key;
    }
  };
  compare(paths.results, risk_["simulation"]["total_return_frac"], "return");
  compare(paths.sharpes, risk_["simulation"]["sharpe_ann"], "sharpe");
  bool found = false;
  for (const json& ruin : risk_["ruin"]) {
    if (ruin["loss_frac"] != 0.1 || ruin["horizon_days"] != 365) continue;
    found = true;
    const double p = ruin["p"];
    EXPECT_NEAR(p, paths.loses_tenth, 5 * std::sqrt(2 * p * (1 - p) / count) + 1e-4);
  }
  EXPECT_TRUE(found);
}

// A position no larger than the profile lets an entry take of a bar, nor than leaves half the edge.
TEST_F(RiskByHand, CapacityIsThatOfTheTrades) {
  const json& capacity = bakeoff_["capacity"];
  ASSERT_TRUE(capacity["notional"].is_number()) << capacity.dump();
  expect_done({"data", "export", "edge", "--out", file("m.csv")});
  const Table market = read_csv(file("m.csv"));
  std::map<long long, double> volume;
  for (std::size_t r = 0; r < market.rows.size(); ++r) {
    volume[std::stoll(market.rows[r][market.column("ts_ms")]) * 1'000'000] =
        market.number(r, market.column("volume"));
  }
  const Table trades = read_csv(file("t.csv"));
  ASSERT_GT(trades.rows.size(), 30u);
  std::vector<double> shares;
  double notional = 0;
  for (std::size_t r = 0; r < trades.rows.size(); ++r) {
    const double qty = trades.number(r, trades.column("qty"));
    const long long at = std::stoll(trades.rows[r][trades.column("entry_time_ns")]);
    ASSERT_TRUE(volume.count(at)) << at;
    shares.push_back(qty / volume[at]);
    notional +=
        qty * trades.number(r, trades.column("entry_px")) / static_cast<double>(trades.rows.size());
  }
  // The last position may be open, and is no trade yet.
  EXPECT_NEAR(capacity["notional_run"].get<double>() / notional, 1, 0.02);
  const double most = notional * 0.05 / quantile(shares, 0.5);  // binance-usdm: 5% of a bar
  EXPECT_NEAR(capacity["notional_participation"].get<double>() / most, 1, 0.03);
  EXPECT_EQ(capacity["notional"].get<double>(),
            std::min(capacity["notional_participation"].get<double>(),
                     capacity["notional_half_edge"].get<double>()));
  EXPECT_EQ(capacity["limited_by"],
            capacity["notional"] == capacity["notional_half_edge"] ? "impact" : "participation");
}

}  // namespace
}  // namespace winnow::e2e
