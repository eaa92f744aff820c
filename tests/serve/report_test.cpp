#include <gtest/gtest.h>

#include <cmath>

#include "serve/export.hpp"
#include "serve/report/assemble.hpp"
#include "serve/report/backtest_plot.hpp"
#include "serve/report/charts.hpp"
#include "serve/report/html.hpp"
#include "serve/report/render.hpp"
#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

std::size_t count_of(const std::string& text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

/// A market that goes up and down, and a backtest with so many trades on it.
std::string svg_with(std::size_t bars, std::size_t trades) {
  MarketColumns m;
  m.interval_ns = 3'600'000'000'000;
  engine::Backtest backtest;
  for (std::size_t i = 0; i < bars; ++i) {
    const double px = 100 + 10 * std::sin(static_cast<double>(i) / 40);
    m.time_ns.push_back(1'700'000'000'000'000'000 + static_cast<std::int64_t>(i) * m.interval_ns);
    for (auto* column : {&m.open, &m.high, &m.low, &m.close}) column->push_back(px);
    m.volume.push_back(1);
    backtest.equity.push_back(1'000 + static_cast<double>(i % 50));
  }
  for (std::size_t i = 0; i < trades; ++i) {
    engine::Trade trade;
    trade.entry_time_ns = m.time_ns[i % (bars / 2)];
    trade.exit_time_ns = m.time_ns[i % (bars / 2) + 5];
    trade.side = i % 2 == 0 ? engine::Side::Long : engine::Side::Short;
    trade.entry_px = trade.exit_px = 100;
    backtest.trades.push_back(trade);
  }
  return report::backtest_svg({.title = "<b> & co",
                               .subtitle = "execution none",
                               .market = m.view(),
                               .window = {0, bars},
                               .backtest = backtest,
                               .initial_cash = 1'000});
}

TEST(BacktestSvg, DrawsPriceFillsAndEquityInASizeThatDoesNotGrow) {
  const std::string svg = svg_with(2'000, 10);
  EXPECT_EQ(count_of(svg, "class=\"in-long\""), 5u);
  EXPECT_EQ(count_of(svg, "class=\"in-short\""), 5u);
  EXPECT_EQ(count_of(svg, "class=\"out\""), 10u);
  EXPECT_EQ(count_of(svg, "<svg"), count_of(svg, "</svg>"));
  EXPECT_NE(svg.find("&lt;b&gt; &amp; co"), std::string::npos);
  EXPECT_NE(svg.find("; 10 closed trades"), std::string::npos);
  const std::string large = svg_with(200'000, 5'000);
  EXPECT_EQ(count_of(large, "class=\"in-long\""), 0u);
  EXPECT_NE(large.find("5000 closed trades, too many to be drawn"), std::string::npos);
  EXPECT_LT(large.size(), 60'000u);
  EXPECT_EQ(count_of(svg_with(10, 0), "nan"), 0u);
}

// One home for all: its sweeps are run once.
class ServeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    home_ = new Home;
    first_ = home_->run({.name = "plain"});
    evil_ = home_->run({.name = "</title><script>alert(1)</script>",
                        .failed_trial = 5,
                        .failure = "bad <img src=x onerror=alert(2)>",
                        .yaml = with("seed: 7", "seed: 8"),
                        .created_s = 1'700'000'100});
    half_ = home_->run({.name = "half",
                        .blocks_max = 3,
                        .yaml = with("seed: 7", "seed: 9"),
                        .created_s = 1'700'000'200});
  }
  static void TearDownTestSuite() {
    delete home_;
    home_ = nullptr;
  }
  static std::string with(const std::string& from, const std::string& to) {
    std::string yaml = kSpecYaml;
    return yaml.replace(yaml.find(from), from.size(), to);
  }
  static Json ask(std::string_view name, const Json& args) {
    return must(query(home_->sources(), name, args));
  }
  static std::string refusal(std::string_view name, const Json& args) {
    const auto answer = query(home_->sources(), name, args);
    return answer.ok() ? "accepted" : answer.error().text();
  }

  static Home* home_;
  static std::string first_, evil_, half_;
};
Home* ServeTest::home_ = nullptr;
std::string ServeTest::first_;
std::string ServeTest::evil_;
std::string ServeTest::half_;

TEST_F(ServeTest, FindsSweepsByIdPrefixNameAndLast) {
  EXPECT_EQ(ask("sweep_show", {{"sweep", first_}})["sweep_id"], first_);
  EXPECT_EQ(ask("sweep_show", {{"sweep", first_.substr(0, 8)}})["sweep_id"], first_);
  EXPECT_EQ(ask("sweep_show", {{"sweep", "plain"}})["sweep_id"], first_);
  EXPECT_EQ(ask("sweep_show", {{"sweep", "last"}})["sweep_id"], half_);
  EXPECT_EQ(ask("sweep_list", Json::object())["sweeps"].size(), 3u);
}

TEST_F(ServeTest, UnknownNamesAreRefusedWithTheNearest) {
  EXPECT_NE(refusal("top", {{"sweep", "plian"}}).find("did you mean 'plain'"), std::string::npos);
  EXPECT_NE(refusal("top", {{"sweep", first_}, {"by", "sharp_ann"}}).find("'sharpe_ann'"),
            std::string::npos);
  EXPECT_NE(refusal("top", {{"sweep", first_}, {"where", "tradez > 1"}}).find("trades"),
            std::string::npos);
  EXPECT_NE(refusal("tops", Json::object()).find("'top'"), std::string::npos);
  EXPECT_NE(refusal("converge", {{"by", "famly"}}).find("'family'"), std::string::npos);
  EXPECT_NE(refusal("explain", {{"sweep", first_}, {"variant", 1'000'000}}).find("allowed: 0 to"),
            std::string::npos);
  EXPECT_NE(refusal("top", {{"limit", -1}}).find("limit must be"), std::string::npos);
  EXPECT_NE(refusal("compare", {{"sweep", first_}, {"variants", {1}}}).find("2 to"),
            std::string::npos);
}

TEST_F(ServeTest, TopRanksEveryRowBestFirst) {
  const Json all = ask("top", {{"sweep", first_}, {"limit", 1000}, {"all", true}});
  ASSERT_EQ(all["rows"].size(), all["trials"].get<std::size_t>());
  double before = INFINITY;
  for (const Json& row : all["rows"]) {
    const Json& v = row["metrics"]["sharpe_ann"];
    const double sharpe = v.is_null() ? -INFINITY : v.get<double>();
    EXPECT_LE(sharpe, before);
    before = sharpe;
  }
  // Few rows are read another way; they must be the same rows.
  const Json few = ask("top", {{"sweep", first_}, {"limit", 3}});
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(few["rows"][i], all["rows"][i]);
  const Json low = ask("top", {{"sweep", first_}, {"by", "drawdown_max_frac"}, {"limit", 2}});
  EXPECT_EQ(low["higher_is_better"], false);
  EXPECT_LE(low["rows"][0]["metrics"]["drawdown_max_frac"].get<double>(),
            low["rows"][1]["metrics"]["drawdown_max_frac"].get<double>());
}

TEST_F(ServeTest, TopFiltersByMetricsAndParameters) {
  const Json some = ask("top", {{"sweep", first_},
                                {"where", "lookback_bars == 24 and trades > 0"},
                                {"limit", 1000},
                                {"all", true}});
  ASSERT_GT(some["rows"].size(), 0u);
  EXPECT_EQ(some["trials_matching"], some["rows"].size());
  for (const Json& row : some["rows"]) {
    EXPECT_EQ(row["params"]["lookback_bars"], 24);
    EXPECT_EQ(row["family"], "mean_reversion");
    EXPECT_GT(row["metrics"]["trades"].get<double>(), 0);
  }
}

TEST_F(ServeTest, FailedTrialsAreCountedAndExplainedButNotRanked) {
  const Json top = ask("top", {{"sweep", evil_}, {"limit", 1000}, {"all", true}});
  EXPECT_EQ(top["trials_failed"], 1);
  EXPECT_EQ(top["rows"].size() + 1, top["trials"].get<std::size_t>());
  for (const Json& row : top["rows"]) EXPECT_NE(row["trial"], 5);
  const Json why = ask("explain", {{"sweep", evil_}, {"variant", 5}});
  EXPECT_EQ(why["status"], "failed");
  EXPECT_EQ(why["error"], "bad <img src=x onerror=alert(2)>");
}

TEST_F(ServeTest, TableHoldsEveryVariantExactly) {
  const Json table = ask("top", {{"sweep", first_}, {"limit", 1000}, {"table", true}});
  const Json rows = ask("top", {{"sweep", first_}, {"limit", 1000}, {"all", true}})["rows"];
  ASSERT_EQ(table["rows"].size(), rows.size());
  const auto at = [&](const char* name) {
    const auto& c = table["columns"];
    return static_cast<std::size_t>(std::find(c.begin(), c.end(), name) - c.begin());
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(table["rows"][i].size(), table["columns"].size());
    EXPECT_EQ(table["rows"][i][at("trial")], rows[i]["trial"]);
    EXPECT_EQ(table["rows"][i][at("sharpe_ann")], rows[i]["metrics"]["sharpe_ann"]);
    const bool reverts = rows[i]["family"] == "mean_reversion";
    EXPECT_EQ(table["rows"][i][at("param_entry_z")].is_null(), !reverts);
  }
  const auto file = home_->path() / "out.sqlite";
  must(export_sqlite(table, file));
  must(export_sqlite(table, file));  // replaces
  EXPECT_GT(std::filesystem::file_size(file), 4096u);
  EXPECT_FALSE(export_sqlite(table, home_->path() / "no" / "out.sqlite").ok());
}

TEST_F(ServeTest, ConvergenceScoresWholeFamiliesAndCorrectsForAll) {
  const Json answer = ask("converge", {{"sweep", first_}});
  ASSERT_EQ(answer["families"].size(), 4u);
  // Two sweeps of two families on two datasets, and the one family the third had begun.
  EXPECT_EQ(answer["hypotheses"], 9);
  for (const Json& f : answer["families"]) {
    EXPECT_EQ(f["variants"], f["trials"]);
    EXPECT_NEAR(f["p"].get<double>(), 1 - f["c"].get<double>(), 1e-12);
    EXPECT_GE(f["p_holm"].get<double>(), f["p"].get<double>());
    EXPECT_GE(f["best"]["sharpe_ann"].get<double>(), f["sharpe_ann_median"].get<double>());
    EXPECT_GE(f["plateau_centre"]["neighbourhood_members"], 2);
  }
}

TEST_F(ServeTest, AnIncompleteFamilyNeverConverges) {
  const Json answer = ask("converge", {{"sweep", half_}});
  for (const Json& f : answer["families"]) {
    if (f["trials_committed"] == f["trials"]) continue;
    EXPECT_NE(f["verdict"], "CONVERGED");
  }
  EXPECT_NE(ask("explain", {{"sweep", half_}})["why"][0].get<std::string>().find("blocks have no"),
            std::string::npos);
}

TEST_F(ServeTest, KeptVerdictsEqualFreshOnes) {
  Sources sources = home_->sources();
  sources.verdicts = &home_->store();
  const Json fresh = must(query(sources, "converge", {{"sweep", evil_}}));
  EXPECT_EQ(must(home_->store().document_keys("convergence")).size(), 4u);
  EXPECT_EQ(must(query(sources, "converge", {{"sweep", evil_}})), fresh);
  // Another hurdle is another question.
  const Json higher =
      must(query(sources, "converge", {{"sweep", evil_}, {"hurdle_sharpe_ann", 5.0}}));
  EXPECT_LE(higher["families"][0]["c"].get<double>(), fresh["families"][0]["c"].get<double>());
}

TEST_F(ServeTest, CompareCorrelatesDailyReturns) {
  const Json answer = ask("compare", {{"sweep", first_}, {"variants", {0, 1, 0}}});
  ASSERT_EQ(answer["variants"].size(), 3u);
  const Json& rho = answer["daily_return_correlation"];
  EXPECT_NEAR(rho[0][2].get<double>(), 1, 1e-9);
  EXPECT_EQ(rho[0][1], rho[1][0]);
}

TEST_F(ServeTest, LedgerCountsATrialOnceAcrossSweeps) {
  const Json ledger = ask("ledger", Json::object());
  const Json plain = ask("sweep_show", {{"sweep", first_}});
  EXPECT_EQ(ledger["trials_total"], plain["trials"]);  // the seed is no part of a grid's trials
  EXPECT_EQ(ledger["lines"][0]["data"].is_null(), false);
}

TEST_F(ServeTest, ReportIsCompleteEscapedAndAsksForNothing) {
  const std::string html = ask("report", {{"sweep", evil_}})["html"];
  EXPECT_EQ(html.find("<script>alert"), std::string::npos);
  EXPECT_EQ(html.find("<img"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(1)&lt;/script&gt;"), std::string::npos);
  EXPECT_NE(html.find("bad &lt;img src=x onerror=alert(2)&gt;"), std::string::npos);
  for (const char* outside :
       {"http://", "https://", "url(", "@import", "<link rel=\"style", "<script src"}) {
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  }
  EXPECT_EQ(count_of(html, "<article"), 4u);
  EXPECT_EQ(count_of(html, "<figure>"), 4u * 5);
  EXPECT_EQ(count_of(html, "<figure>"), count_of(html, "<figcaption>"));
  EXPECT_EQ(count_of(html, "<svg"), count_of(html, "<title id="));
  // Missing numbers are dashes; NaN may stand in the script only.
  EXPECT_EQ(html.substr(0, html.rfind("<script>")).find("nan"), std::string::npos);
  EXPECT_NE(html.find("Failed trials: 1"), std::string::npos);
  EXPECT_LT(html.size(), 3u << 20);
}

TEST_F(ServeTest, NumbersOnThePageEqualTheInput) {
  const auto view = must(SweepView::open(home_->sources(), first_));
  const auto input = must(report::assemble_report(home_->sources(), view, {}));
  const std::string html = report::render_report(input);
  ASSERT_EQ(input.leaders.size(), 50u);
  ASSERT_EQ(input.leader_metrics.size(), 13u);  // alpha, beta, correlation among them
  for (const auto& leader : input.leaders) {
    for (const double v : leader.metrics) {
      EXPECT_NE(html.find("data-v=\"" + exact(v) + "\""), std::string::npos) << v;
    }
  }
  for (const auto& family : input.families) {
    EXPECT_NE(html.find("data-v=\"" + exact(family.score.score.c) + "\""), std::string::npos);
    EXPECT_EQ(family.sharpe.finite + 0, family.score.trials);
    std::uint64_t drawn = family.sharpe.below;
    for (const auto n : family.sharpe.counts) drawn += n;
    EXPECT_EQ(drawn, family.sharpe.finite);
    ASSERT_EQ(family.curves.period_start_ns.size(), family.curves.median.size());
    for (std::size_t p = 0; p < family.curves.median.size(); ++p) {
      EXPECT_LE(family.curves.low[p], family.curves.median[p]);
      EXPECT_LE(family.curves.median[p], family.curves.high[p]);
      EXPECT_GE(family.curves.median_drawdown[p], 0);
    }
  }
}

TEST(NoiseExpectation, MatchesTheFalseStrategyTheorem) {
  // N = 10 from the formula's published worked value (unit variance).
  EXPECT_NEAR(noise_expectation(10, 365, 365).max_ann, 1.5746, 5e-5);
  EXPECT_EQ(noise_expectation(1, 365, 365).max_ann, 0);
  EXPECT_EQ(noise_expectation(10, 0, 365).max_ann, 0);
  EXPECT_NEAR(noise_expectation(100, 730, 365).sd_ann, std::sqrt(0.5), 1e-12);
}

TEST(Html, EscapesTextAndFormatsNumbers) {
  EXPECT_EQ(report::escape("<a href='x\">&\x01"), "&lt;a href=&#39;x&quot;&gt;&amp;\xef\xbf\xbd");
  EXPECT_EQ(fixed(-1234.5, 1), "−1,234.5");
  EXPECT_EQ(fixed(-0.001, 2), "0.00");
  EXPECT_EQ(fixed(std::nan(""), 2), "–");
  EXPECT_EQ(display(0.1234, "frac"), "12.3 %");
  EXPECT_EQ(report::nice_ticks(0, 1, 5).size(), 6u);
}

TEST(Influence, FindsTheParameterThatMatters) {
  report::ParamTable table;
  table.names = {"idle", "matters"};
  table.units = {"", "bars"};
  table.columns.resize(2);
  std::vector<double> values;
  for (int i = 0; i < 12; ++i) {
    table.columns[0].push_back(i % 3);
    table.columns[1].push_back(i / 3);
    values.push_back(i / 3 * 2.0);
  }
  const auto influence = report::make_influence(table, values);
  ASSERT_EQ(influence.size(), 2u);
  EXPECT_EQ(influence[0].param, "matters");
  EXPECT_NEAR(influence[0].eta2, 1, 1e-12);
  EXPECT_NEAR(influence[1].eta2, 0, 1e-12);
  const auto map = report::make_heat_map(table, values, "matters", "idle", 11);
  EXPECT_EQ(map.x_labels.size(), 4u);
  EXPECT_EQ(map.y_labels.size(), 3u);
  EXPECT_EQ(map.median[0 * 4 + 3], 6);
  EXPECT_EQ(map.centre_x, 3u);
  EXPECT_EQ(map.centre_y, 2u);
}

}  // namespace
}  // namespace winnow::serve
