// The fourteen habits of honest and busy people, one test each, tried as docs/HONESTY.md tells:
// what happens, and whether it is said in words. E4, E6, E7 and E12 also have honest_test.cpp.

#include <gtest/gtest.h>

#include <cmath>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kDriftless = "volatility_ann_frac: 0.5";
constexpr const char* kYear = "window: {from: 2023-01-01, to: 2024-01-01}\n";

/// A specification; every part can be another one.
struct Spec {
  std::string name = "first";
  std::string data = "m";
  std::string more = {};  ///< lines such as `open: now`
  std::string execution = "binance-usdm";
  std::string family = "mean_reversion";
  std::string params =
      "      lookback_bars: {int: [12, 48], step: 6}\n"
      "      entry_z: {float: [1.0, 2.5], step: 0.5}\n";
};

class Habits : public ::testing::Test {
 protected:
  const fs::path& home() const { return folder_.path(); }
  std::string file(const std::string& name, const std::string& text) const {
    write_text(home() / name, text);
    return (home() / name).string();
  }
  /// A simulated market of hourly bars: `what` is what an instrument says beside its prices.
  void market(const std::string& name, const std::string& what, int days, int seed,
              const std::vector<std::string>& more = {}) const {
    const std::string spec =
        "market: one\nstart: 2023-01-01\ninterval: 1h\nduration: " + std::to_string(days) +
        "d\nsteps_per_bar: 4\ninstruments:\n  - {name: " + name +
        ", start_px: 100, tick_px: 0.001, lot_qty: 0.001, volume_per_bar: 50000, " + what + "}\n";
    std::vector<std::string> words{
        "data", "synth", file("market.yaml", spec), "--seed", std::to_string(seed), "--name", name};
    words.insert(words.end(), more.begin(), more.end());
    const Ran made = winnow(home(), words);
    EXPECT_EQ(made.status, 0) << made.errors;
  }
  /// configs/markets/demo.yaml: an edge in sim-btc, none in sim-eth.
  void demo_market() const {
    said({"data", "synth", std::string(WINNOW_SOURCE_DIR) + "/configs/markets/demo.yaml", "--seed",
          "1", "--name", "sim"});
  }
  static Spec of_the_demo(const std::string& name) {
    return {.name = name,
            .data = "sim-btc",
            .params =
                "      lookback_bars: {int: [96, 288], step: 24}\n"
                "      entry_z: {float: [1.0, 3.0], step: 0.25}\n"
                "      stop_bps: {values: [0, 200, 400]}\n"};
  }
  std::string spec(const Spec& s) const {
    return file(s.name + ".yaml", "sweep: " + s.name + "\ndata: [" + s.data + "]\n" + s.more +
                                      "execution: " + s.execution +
                                      "\nstrategies:\n  - family: " + s.family + "\n    params:\n" +
                                      s.params + "search: {method: grid}\n");
  }
  Ran run(const Spec& s, std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"sweep", "run", spec(s)};
    words.insert(words.end(), more.begin(), more.end());
    return winnow(home(), words);
  }
  /// The one family of a sweep.
  json family(const std::string& sweep = "last") const {
    return ask(home(), {"converge", sweep})["families"][0];
  }
  std::string said(std::vector<std::string> words, int status = 0) const {
    const Ran ran = winnow(home(), words);
    EXPECT_EQ(ran.status, status) << words[0] << ": " << ran.output << ran.errors;
    return ran.output + ran.errors;
  }
  static void expect_says(const std::string& text, std::vector<std::string> parts) {
    for (const std::string& part : parts) {
      EXPECT_NE(text.find(part), std::string::npos) << "not said: " << part << "\nin: " << text;
    }
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(Habits, E1ZoomingInExploresAndItsDaysAreSpent) {
  demo_market();
  Spec wide = of_the_demo("wide");
  wide.more = kYear;
  ASSERT_EQ(run(wide).status, 0);
  Spec zoomed = wide;
  zoomed.name = "zoomed";
  zoomed.params =
      "      lookback_bars: {int: [240, 288], step: 12}\n"
      "      entry_z: {float: [1.5, 2.5], step: 0.125}\n"
      "      stop_bps: {values: [0, 400]}\n";
  ASSERT_EQ(run(zoomed).status, 0);
  const json seen = family("zoomed");
  EXPECT_EQ(seen["verdict"], "PROMISING") << seen["reasons"];
  expect_says(seen["sentence"], {"days that were there to explore", "open it"});

  Spec opened = zoomed;
  opened.name = "opened";
  opened.more = std::string(kYear) + "open: now\n";
  // Before it is run, and when it is.
  const std::string checked = said({"config", "check", spec(opened)});
  expect_says(checked, {"cannot be opened", "0 of the 365 days", "seen by sweep"});
  const Ran ran = run(opened);
  ASSERT_EQ(ran.status, 0);
  expect_says(ran.errors, {"opening: ", "cannot be opened", "nothing was charged"});
  const json late = family("opened");
  EXPECT_EQ(late["verdict"], "INSUFFICIENT");
  expect_says(late["sentence"], {"these days were seen by", "nothing was charged"});
  EXPECT_EQ(ask(home(), {"account", "show"})["accounts"][0]["opened"], 0);
}

TEST_F(Habits, E2LongOnlyInARisingMarketIsToldThatTheMarketEarnedIt) {
  market("bull", "drift_ann_frac: 1.0, " + std::string(kDriftless), 730, 1);
  const Spec long_only{.name = "beta",
                       .data = "bull",
                       .family = "sma_cross",
                       .params =
                           "      fast_bars: {int: [12, 60], step: 12}\n"
                           "      slow_bars: {int: [96, 288], step: 48}\n"
                           "      short_side: 0\n"};
  ASSERT_EQ(run(long_only).status, 0);
  const json f = family();
  EXPECT_TRUE(f["verdict"] == "NOT_CONVERGED" || f["verdict"] == "INSUFFICIENT") << f["verdict"];
  ASSERT_GE(f["c_cash"], 0.95) << "the world does not tempt anybody: take another seed";
  EXPECT_LT(f["c_skill"], 0.95);
  expect_says(f["sentence"], {"the market explains what it earns"});
  EXPECT_EQ(f["profit"]["profitable"], false);
  expect_says(said({"top", "beta", "--limit", "1"}), {"holding bull over the same days"});
  expect_says(said({"converge", "beta"}), {"skill: C = ", "the market explains what it earns"});
}

/// A price of 1 that strays by sixty basis points now and then and always comes back.
std::string pegged_csv() {
  std::string csv = "ts_s,open,high,low,close,volume\n";
  double last = 1;
  std::uint32_t state = 1;
  const auto draw = [&] { return (state = state * 1664525u + 1013904223u) / 4294967296.0; };
  double stray = 0;
  for (int hour = 0; hour < 365 * 24; ++hour) {
    stray =
        std::fabs(stray) < 0.0002 && draw() < 0.01 ? (draw() < 0.5 ? -0.006 : 0.006) : stray * 0.93;
    const double px = 1 + stray + 0.0008 * (draw() - 0.5);
    char line[160];
    std::snprintf(line, sizeof line, "%lld,%.6f,%.6f,%.6f,%.6f,1000\n",
                  1672531200LL + 3600LL * hour, last, std::max(last, px), std::min(last, px), px);
    csv += line;
    last = px;
  }
  return csv;
}

TEST_F(Habits, E3LossesThatDidNotHappenAreChargedWhateverTheKnob) {
  said({"data", "import", file("peg.csv", pegged_csv()), "--format", "ohlcv", "--instrument",
        "PEG-USD", "--interval", "1h", "--name", "peg", "--seal", "none"});
  const std::string checked =
      said({"config", "check", spec({.name = "peg", .data = "peg", .execution = "none"})});
  expect_says(checked, {"gaps of peg: 40% against what is held", "no record but 1.0 years"});
  ASSERT_EQ(run({.name = "peg", .data = "peg", .execution = "none"}).status, 0);
  const json f = family();
  EXPECT_EQ(f["verdict"], "INSUFFICIENT");
  ASSERT_GE(f["c"], 0.95) << "the world does not tempt anybody";
  expect_says(f["sentence"], {"a gap that these days do not hold"});
  expect_says(said({"converge", "last"}), {"one gap of 40% costs", "days of profit; charged 3.00"});

  const std::string knob = "convergence: {worst_loss_sd: 20}\n";
  ASSERT_EQ(run({.name = "turned", .data = "peg", .more = knob, .execution = "none"}).status, 0);
  EXPECT_EQ(family()["verdict"], "INSUFFICIENT");
  expect_says(said({"converge", "last"}), {"knobs", "worst_loss_sd 20 (default 8)"});
  const std::string parts = said({"converge", "last", "--by", "neighbourhood"});
  expect_says(parts, {"C_gaps", "one gap of 40%", "worst_loss_sd 20 (default 8)"});

  // The charge is no knob: a home may only raise it.
  fs::create_directories(home() / "configs");
  file("configs/gaps.yaml",
       "records:\n  - {record: mine, instruments: [PEG-USD], gap_frac: 0.02, seen: 0, from: "
       "2000-01-01, to: 2026-01-01, source: me}\n");
  const Ran lower = run({.name = "lower", .data = "peg", .execution = "none"});
  EXPECT_EQ(lower.status, 2);
  expect_says(lower.errors, {"a home may only raise what is charged"});
}

/// The rows of a table of bars, `step` of them made one; without row `left_out`.
std::string bars_csv(const Table& bars, std::size_t step, std::size_t left_out) {
  const auto cells = [](const std::vector<std::string>& row) {
    std::string out;
    for (const std::string& cell : row) out += (out.empty() ? "" : ",") + cell;
    return out + "\n";
  };
  std::string csv = cells(bars.header);
  for (std::size_t r = 0; r + step <= bars.rows.size(); r += step) {
    if (r == left_out) continue;
    std::vector<std::string> row = bars.rows[r];
    for (std::size_t k = r + 1; k < r + step; ++k) {
      for (const std::string name : {"high", "low"}) {
        const std::size_t c = bars.column(name);
        const bool higher = bars.number(k, c) > std::stod(row[c]);
        if (higher == (name == "high")) row[c] = bars.rows[k][c];
      }
      row[bars.column("close")] = bars.rows[k][bars.column("close")];
    }
    csv += cells(row);
  }
  return csv;
}

TEST_F(Habits, E4AnotherIntervalIsTheSameMarketAndAnotherHypothesis) {
  market("m", kDriftless, 400, 5);
  Spec first{.more = "open: search\n"};
  ASSERT_EQ(run(first).status, 0);
  ASSERT_EQ(family()["verdict"], "NOT_PROMOTED") << family()["reasons"];

  said({"data", "export", "m", "--out", (home() / "all.csv").string()});
  const Table bars = read_csv(home() / "all.csv");
  file("cut.csv", bars_csv(bars, 1, 7));
  file("slow.csv", bars_csv(bars, 4, bars.rows.size()));
  for (const auto& [name, interval] : {std::pair{"cut", "1h"}, std::pair{"slow", "4h"}}) {
    said({"data", "import", (home() / (std::string(name) + ".csv")).string(), "--format", "ohlcv",
          "--instrument", "OTHER", "--interval", interval, "--seal", "none", "--name", name});
  }
  // One bar less is the same hypothesis: free, with the same word.
  first.name = "again";
  first.data = "cut";
  const Ran repeat = run(first);
  ASSERT_EQ(repeat.status, 0) << repeat.errors;
  expect_says(repeat.errors, {"opened before: nothing is charged"});
  EXPECT_EQ(family()["verdict"], "NOT_PROMOTED");
  // As many bars of four hours are another one, and its days were seen.
  first.name = "slower";
  first.data = "slow";
  ASSERT_EQ(run(first).status, 0);
  EXPECT_EQ(family()["verdict"], "INSUFFICIENT");
  expect_says(family()["sentence"], {"these days were seen by"});
  EXPECT_EQ(ask(home(), {"account", "show"})["accounts"][0]["opened"], 1);
  expect_says(said({"ledger", "show"}), {"one market"});
}

TEST_F(Habits, E5TightStopsEarnNothingAndAProfileThatFillsThemBetterSaysSo) {
  market("m", kDriftless, 400, 5);
  const std::string tight =
      "      lookback_bars: {int: [12, 48], step: 12}\n"
      "      entry_z: {float: [0.5, 2.0], step: 0.5}\n"
      "      stop_bps: {values: [5, 10, 20]}\n";
  ASSERT_EQ(run({.name = "stops", .execution = "none", .params = tight}).status, 0);
  EXPECT_EQ(family()["verdict"], "NOT_CONVERGED");
  expect_says(said({"converge", "last"}), {"execution none", "shows no edge"});

  file("venue.yaml", "name: at-the-level\nstop_range_frac: 0\n");
  const Ran lenient = run({.name = "level", .execution = "venue.yaml", .params = tight});
  ASSERT_EQ(lenient.status, 0) << lenient.errors;
  expect_says(lenient.errors, {"execution 'at-the-level' leaves costs out", "no taker fee",
                               "stops fill at their level"});
  expect_says(said({"converge", "last"}), {"leaves costs out", "execution at-the-level ("});
}

TEST_F(Habits, E7TheWordIsTheSameWhereverItIsRead) {
  market("m", kDriftless, 400, 6);
  ASSERT_EQ(run({.name = "noise", .more = "open: now\n"}).status, 0);
  const json f = family();
  EXPECT_EQ(f["verdict"], "NOT_PROMOTED");
  expect_says(said({"converge", "noise"}), {"NOT_PROMOTED: ", "level: p = ", "at most 0.0025"});
  EXPECT_EQ(said({"converge", "noise"}).find("CONVERGED:"), std::string::npos);
  const Ran required = winnow(home(), {"converge", "noise", "--require"});
  EXPECT_EQ(required.status, 3);
  expect_says(required.errors, {"--require asks for CONVERGED"});
  expect_says(said({"explain", "noise"}), {"NOT_PROMOTED: ", "level: p = "});
  said({"report", "noise", "--out", (home() / "r.html").string()});
  const std::string page = read_text(home() / "r.html");
  expect_says(page, {"Not promoted", "level: p = "});
  EXPECT_EQ(page.find("✓ Converged"), std::string::npos);
}

TEST_F(Habits, E8E9OpeningsHaveAPriceThatIsToldAndRepeatsAreFree) {
  file("few.yaml", "account: default\nopenings: 4\n");
  said({"account", "declare", (home() / "few.yaml").string()});
  const std::vector<double> levels{0.0125 / 1.0125, 0.0125 / 1.0125, 0.0125 / 1.0125};
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const std::string name = "m" + std::to_string(i);
    market(name, kDriftless, 400, 20 + static_cast<int>(i));
    const Spec opened{.name = "o" + std::to_string(i), .data = name, .more = "open: now\n"};
    if (i == 0) {
      expect_says(said({"config", "check", spec(opened)}),
                  {"opening: mean_reversion on m0: judged by 400 days that nobody saw",
                   "level 0.0123, for a stake of 0.0125 out of 0.0500", "2026/default"});
      EXPECT_EQ(ask(home(), {"account", "show"})["accounts"][0]["opened"], 0) << "only asked";
    }
    const Ran ran = run(opened);
    ASSERT_EQ(ran.status, 0) << ran.errors;
    expect_says(ran.errors, {"opening: mean_reversion on " + name});
    EXPECT_NEAR(family()["level"].get<double>(), levels[i], 1e-12);
    // Under another name it is the same.
    Spec repeat = opened;
    repeat.name = "r" + std::to_string(i);
    expect_says(run(repeat).errors, {"opened before: nothing is charged"});
  }
  const json account = ask(home(), {"account", "show"})["accounts"][0];
  EXPECT_EQ(account["opened"], 3);
  EXPECT_NEAR(account["left"].get<double>(), 0.05 - 3 * 0.0125, 1e-12);
  EXPECT_LE(account["false_expected_max"], 0.05);
  expect_says(account["text"], {"3 of 4 opened", "none CONVERGED", "at most 0.037"});
  // Days that were seen buy nothing and cost nothing.
  expect_says(
      run({.name = "late", .data = "m0", .more = "open: now\nshare: 0.5\nseed: 3\n"}).errors,
      {"cannot be opened", "nothing was charged"});
  EXPECT_EQ(ask(home(), {"account", "show"})["accounts"][0]["opened"], 3);
}

TEST_F(Habits, E9ASpentAccountSaysWhatIsLeft) {
  file("small.yaml", "account: default\nalpha: 0.0012\nopenings: 4\n");
  said({"account", "declare", (home() / "small.yaml").string()});
  market("m", kDriftless, 400, 7);
  market("n", kDriftless, 400, 8);
  market("o", kDriftless, 400, 9);
  ASSERT_EQ(run({.name = "m", .more = "open: now\nshare: 0.5\n"}).status, 0);
  // 0.0006 is left: a third of it is below the floor, half of it is not.
  expect_says(said({"account", "show"}),
              {"at the declared pace the account is spent", "with share 0.50: 0.0003"});
  const Ran refused = run({.name = "n", .data = "n", .more = "open: now\n"});
  EXPECT_EQ(refused.status, 3);
  expect_says(refused.errors, {"spent until 1 January"});
  expect_says(said({"config", "check", (home() / "n.yaml").string()}, 2),
              {"spent until 1 January"});
  ASSERT_EQ(run({.name = "n2", .data = "n", .more = "open: now\nshare: 0.5\n"}).status, 0);
  expect_says(said({"account", "show"}), {"the account is spent until 1 January; 2 of 4 opened"});
}

TEST_F(Habits, E10KnobsAreBoundedAndNamed) {
  market("m", kDriftless, 400, 5);
  const auto refused = [&](const std::string& knob, const std::string& stop,
                           const std::string& why) {
    Spec turned{.name = "turned", .more = knob + "\n"};
    turned.params += "      stop_bps: " + stop + "\n";
    expect_says(said({"config", "check", spec(turned)}, 2), {"turned.yaml:", why});
  };
  for (const char* value : {"1", "-8", "7.9", "101", ".nan", ".inf", "1e400"}) {
    refused("convergence: {worst_loss_sd: " + std::string(value) + "}", "0", "8 to 100");
  }
  refused("convergence: {hard_stops: true}", "{values: [9999]}", "farther than 2000 bps");
  refused("convergence: {hard_stops: true}", "{values: [0, 300]}", "which is no stop");
  refused("convergence: {c_required: 0.5}", "0", "unknown key");
  refused("convergence: {gap_frac: 0}", "0", "unknown key");
  refused("open: now\nshare: 0.9", "0", "at most 0.5");
  refused("open: now\nlooks: {10: 1}", "0", "from 60 to 36500");
  ASSERT_EQ(run({.name = "plain"}).status, 0);
  for (const auto& [by, hurdle] :
       {std::pair{"family", "-1"}, std::pair{"family", "nan"}, std::pair{"family", "-inf"},
        std::pair{"family", "101"}, std::pair{"neighbourhood", "-1"}}) {
    expect_says(said({"converge", "plain", "--by", by, "--hurdle", hurdle}, 2),
                {"hurdle_sharpe_ann " + std::string(hurdle) + " is not from 0 to 100"});
  }
  expect_says(said({"converge", "plain", "--hurdle", "0.5"}),
              {"knobs", "hurdle_sharpe_ann 0.5 (default 0)"});
  // Another knob is another hypothesis: the same days do not judge it again.
  ASSERT_EQ(run({.name = "opened", .data = "m", .more = "open: now\n"}).status, 0);
  EXPECT_EQ(family()["verdict"], "INSUFFICIENT") << "the days were seen by the plain sweep";
}

TEST_F(Habits, E11AProfileIsShownWithItsHashAndShippedNamesAreReserved) {
  market("m", kDriftless, 400, 5);
  const std::string cheap = "maker_fee_bps: -1\n";
  for (const char* taken : {"binance-usdm", "Binance-USDM", "binance_usdm", "none"}) {
    const std::string path = file("cheap.yaml", "name: " + std::string(taken) + "\n" + cheap);
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"config", "check", path},
          {"config", "check", spec({.name = "taken", .execution = "cheap.yaml"})},
          {"backtest", "--strategy", "mean_reversion", "--data", "m", "--execution", path}}) {
      expect_says(said(words, 2), {"which is that of a shipped one and says something else"});
    }
  }
  const std::string own = file("own.yaml", "name: my-venue\n" + cheap);
  const std::string checked = said({"config", "check", own});
  const std::string shown = checked.substr(checked.find("my-venue ("), 23);
  ASSERT_EQ(shown.back(), ')') << checked;
  const Ran ran = run({.name = "mine", .execution = "own.yaml"});
  ASSERT_EQ(ran.status, 0) << ran.errors;
  expect_says(ran.errors, {"no taker fee, no spread and no impact", "pays makers 1 bps"});
  for (const std::vector<std::string>& words : {std::vector<std::string>{"converge", "mine"},
                                                {"converge", "mine", "--by", "neighbourhood"},
                                                {"sweep", "show", "mine"},
                                                {"top", "mine"},
                                                {"explain", "mine", "3"},
                                                {"compare", "mine", "1", "2"},
                                                {"risk", "mine", "--paths", "200"}}) {
    expect_says(said(words), {shown});
  }
  said({"report", "mine", "--out", (home() / "r.html").string()});
  expect_says(read_text(home() / "r.html"), {shown});
  file("much.yaml", "name: much\nmaker_fee_bps: -100\n");
  expect_says(said({"config", "check", (home() / "much.yaml").string()}, 2),
              {"more than any large venue has paid"});
}

TEST_F(Habits, E12AHoldoutIsSealedAndSaidToBe) {
  market("m", kDriftless, 400, 5);
  const std::string window = "window: {from: 2023-01-01, to: 2023-12-01, holdout: 60d}\n";
  ASSERT_EQ(run({.name = "held", .more = window}).status, 0);
  const Ran second =
      run({.name = "second", .more = "window: {from: 2023-01-01, to: 2023-12-01}\n"});
  EXPECT_EQ(second.status, 2);
  const std::vector<std::string> words{"sealed days, 2023-10-02 to 2023-11-30",
                                       "`to: 2023-10-02` explores the days before"};
  expect_says(second.errors, words);
  const Ran whole = run({.name = "whole"});  // no window to leave out
  EXPECT_EQ(whole.status, 2);
  expect_says(whole.errors, words);
  std::vector<std::string> backtest{"backtest",    "--strategy", "mean_reversion", "--data", "m",
                                    "--execution", "none"};
  expect_says(said(backtest, 3), {"sealed days, 2023-10-02", "`--to 2023-10-02`"});
  backtest.insert(backtest.end(), {"--from", "2023-10-10", "--to", "2023-11-20"});
  expect_says(said(backtest, 3), {"sealed days, 2023-10-10 to 2023-11-19", "--unseal"});
  expect_says(said({"data", "seal", "show", "m"}),
              {"nobody saw the days from 2023-10-02 until 2023-12-01",
               "shown: the days from 2023-01-01 until 2023-10-02, by sweep"});
  const std::string idea = spec({.name = "idea"});
  expect_says(said({"open", idea}, 2),
              {"only as the holdout of a sweep: 2023-10-02 to 2023-11-30"});

  // Days that an import sealed: whoever begins in them is told so, not that there are no bars.
  market("kept", kDriftless, 400, 6, {"--seal", "0.6"});
  const std::string begins = said({"backtest", "--strategy", "mean_reversion", "--data", "kept",
                                   "--execution", "none", "--from", "2023-12-01"},
                                  3);
  expect_says(begins, {"sealed days, 2023-12-01", "--unseal"});
  const Ran opened = winnow(home(), {"open", spec({.name = "words", .data = "kept"})});
  ASSERT_EQ(opened.status, 0) << opened.errors;
  expect_says(opened.errors, {"judged by 240 days that nobody saw"});
  const json in_words = family();
  EXPECT_TRUE(in_words["ledger"].contains("head")) << "every verdict says its ledger";
  expect_says(said({"converge", "last"}), {"would change it", "`winnow reveal "});
}

TEST_F(Habits, E13AValueMoreOrAnotherNameTakesNoNewLook) {
  market("m", kDriftless, 400, 5);
  const std::string days = "open: search\nwindow: {from: 2023-01-01, to: 2023-06-30}\n";
  ASSERT_EQ(run({.name = "look", .more = days}).status, 0);
  EXPECT_EQ(family()["verdict"], "OPEN");
  const json first = ask(home(), {"open", "list"})["hypotheses"][0];
  ASSERT_EQ(first["looks"].size(), 1u);

  said({"data", "export", "m", "--out", (home() / "m.csv").string()});
  said({"data", "import", (home() / "m.csv").string(), "--format", "ohlcv", "--instrument",
        "RENAMED", "--interval", "1h", "--name", "other", "--seal", "none"});
  const Ran renamed = run({.name = "renamed", .data = "other", .more = days});
  ASSERT_EQ(renamed.status, 0) << renamed.errors;
  expect_says(renamed.errors, {"opened before: nothing is charged"});
  EXPECT_EQ(family()["verdict"], "OPEN");
  Spec value{.name = "value", .more = days};
  value.params =
      "      lookback_bars: {int: [12, 54], step: 6}\n"
      "      entry_z: {float: [1.0, 2.5], step: 0.5}\n";
  expect_says(run(value).errors, {"cannot be opened", "these days were seen by"});
  EXPECT_EQ(family()["verdict"], "INSUFFICIENT");
  const json after = ask(home(), {"open", "list"})["hypotheses"];
  ASSERT_EQ(after.size(), 1u);
  EXPECT_EQ(after[0]["looks"], first["looks"]) << "no look was taken again";
}

/// Hourly prices that revert for two thirds of the days, and wander from then on.
std::string dying_csv(int days) {
  std::string csv = "ts_s,open,high,low,close,volume\n";
  std::uint32_t state = 7;
  const auto draw = [&] { return (state = state * 1664525u + 1013904223u) / 4294967296.0; };
  const auto noise = [&] { return draw() + draw() + draw() + draw() - 2; };
  double log_px = 0, last = 100;
  for (int hour = 0; hour < days * 24; ++hour) {
    const double pull = hour < days * 16 ? 0.06 : 0;
    log_px += -pull * log_px + 0.008 * noise();
    const double px = 100 * std::exp(log_px);
    char line[200];
    std::snprintf(line, sizeof line, "%lld,%.4f,%.4f,%.4f,%.4f,100000\n",
                  1672531200LL + 3600LL * hour, last, std::max(last, px), std::min(last, px), px);
    csv += line;
    last = px;
  }
  return csv;
}

TEST_F(Habits, E14ProfitableNeedsTheSameGates) {
  said({"data", "import", file("dying.csv", dying_csv(600)), "--format", "ohlcv", "--instrument",
        "DYING", "--interval", "1h", "--name", "dying", "--seal", "none"});
  ASSERT_EQ(run({.name = "dying", .data = "dying"}).status, 0);
  const json f = family();
  ASSERT_GE(f["profit"]["portfolio"]["p_profit"], 0.95) << "the world does not tempt anybody";
  EXPECT_NE(f["verdict"], "PROMISING");
  EXPECT_EQ(f["recent_ok"], false) << f["reasons"];
  expect_says(f["sentence"], {"not there in the last third of the days"});
  EXPECT_EQ(f["profit"]["profitable"], false);
  expect_says(f["profit"]["profitable_reason"], {"a gate of its verdict does not hold"});
  const std::string details = said({"converge", "last", "--details"});
  expect_says(details,
              {"not shown profitable, for a gate of its verdict does not hold", "recency"});
}

}  // namespace
}  // namespace winnow::e2e
