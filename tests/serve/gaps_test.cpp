#include <gtest/gtest.h>

#include <set>

#include "serve/gap_part.hpp"
#include "serve/knobs.hpp"
#include "tests/serve/fixture.hpp"

// Rows E3 and E10: the charge for losses that were not seen, and knobs that are named.
namespace winnow::serve {
namespace {

Json families(Home& home, const std::string& sweep, const Json& more = Json::object()) {
  Json args{{"sweep", sweep}};
  args.update(more);
  return must(query(home.sources(), "converge", args))["families"];
}

TEST(FaultE3, EveryFamilyIsChargedAndSaysSo) {
  Home home;
  const std::string sweep = home.run({});
  for (const Json& f : families(home, sweep)) {
    EXPECT_EQ(f["gap_frac"], 0.4) << "a simulated market has no record";
    EXPECT_NEAR(f["gap_rate_year"].get<double>(), 3.0 / (160.0 / 365), 0.02);
    EXPECT_LE(f["c_gaps"].get<double>(), f["c_cash"].get<double>() + 1e-9);
    EXPECT_LT(f["c_gaps"].get<double>(), 0.9) << "seven gaps a year are more than it earns";
    EXPECT_NE(f["verdict"], "CONVERGED");
    const std::string said = f["gap_text"];
    EXPECT_TRUE(said.starts_with("one gap of 40% ")) << said;
    EXPECT_NE(said.find("no record but 0.4 years of data"), std::string::npos) << said;
    bool reason = false;
    for (const Json& r : f["reasons"]) {
      reason = reason || r.get<std::string>().starts_with("gaps: C = ");
    }
    EXPECT_TRUE(reason) << f["reasons"].dump();
    EXPECT_EQ(f["gap_days_of_profit"].is_null(),
              said.find("never earned back") != std::string::npos);
  }
  const Json one = must(query(home.sources(), "explain", {{"sweep", sweep}, {"variant", 3}}));
  EXPECT_GT(one["gap_loss_frac"].get<double>(), 0);
  EXPECT_NE(one["why"].dump().find("would cost it"), std::string::npos);
}

TEST(FaultE3, AStopIsChargedLess) {
  Home home;
  const std::string sweep = home.run({});
  const SweepView view = must(SweepView::open(home.sources(), sweep));
  const sweeps::Segment& segment = view.plan.segments()[0];
  const FamilyPanel panel = must(read_panel(home.sources(), view, segment));
  const GapPart part = must(read_gap_part(home.sources(), view, segment, panel));
  ASSERT_EQ(part.loss.size(), panel.trial.size());
  EXPECT_TRUE(part.stands_in.empty());
  std::size_t stopped = 0;
  for (std::size_t r = 0; r < part.loss.size(); ++r) {
    const Json params = params_json(view, panel.trial[r]);
    const double held = 1 / (1 + 2e-4);  // all in, after the fee
    const bool stop = params["stop_bps"] == 200;
    stopped += stop ? 1 : 0;
    const double expected = (stop ? 0.02 + 0.4 / 3 : 0.4) * held;
    EXPECT_GE(part.loss[r], expected * (1 - 1e-6)) << r;
    EXPECT_LE(part.loss[r], expected * 1.2) << r;  // a losing position weighs more at a close
  }
  EXPECT_EQ(stopped, part.loss.size() / 2);
}

TEST(FaultE3, ResultsWithoutTheMetricAreChargedByTheirMeanPositions) {
  Home home;
  const std::string sweep = home.run({.name = "early", .metrics_dropped = 1});
  const SweepView view = must(SweepView::open(home.sources(), sweep));
  ASSERT_EQ(view.meta.metric_names.back(), "mean_exposure");
  const sweeps::Segment& segment = view.plan.segments()[0];
  const FamilyPanel panel = must(read_panel(home.sources(), view, segment));
  const GapPart part = must(read_gap_part(home.sources(), view, segment, panel));
  EXPECT_FALSE(part.stands_in.empty());
  for (const double loss : part.loss) {
    EXPECT_GT(loss, 0);
    EXPECT_LE(loss, 0.45);
  }
  for (const Json& f : families(home, sweep)) {
    EXPECT_NE(f["gap_text"].get<std::string>().find("stands in"), std::string::npos);
  }
}

TEST(FaultE3, AVerdictThatIsKeptSaysTheSame) {
  Home home;
  const std::string sweep = home.run({});
  Sources sources = home.sources();
  sources.verdicts = &home.store();
  const SweepView view = must(SweepView::open(sources, sweep));
  const Scoring first = must(score_families(sources, view));
  const Scoring again = must(score_families(sources, view));
  EXPECT_TRUE(again.families[0].cached);
  EXPECT_EQ(gap_json(first.families[0].gaps), gap_json(again.families[0].gaps));
}

TEST(FaultE10, AHurdleBelowZeroIsRefusedAndOneAboveIsNamed) {
  Home home;
  const std::string sweep = home.run({});
  for (const double hurdle : {-1.0, -1e-9, 101.0}) {
    const auto refused =
        query(home.sources(), "converge", {{"sweep", sweep}, {"hurdle_sharpe_ann", hurdle}});
    ASSERT_FALSE(refused.ok()) << hurdle;
    EXPECT_EQ(refused.error().code(), ErrorCode::InvalidInput);
    EXPECT_NE(refused.error().text().find("is not from 0 to 100"), std::string::npos);
  }
  EXPECT_TRUE(families(home, sweep)[0]["knobs"].empty());
  const Json knobs = families(home, sweep, {{"hurdle_sharpe_ann", 0.5}})[0]["knobs"];
  EXPECT_EQ(knobs_text(knobs), "hurdle_sharpe_ann 0.5 (default 0)");
}

TEST(FaultE10, DeclaredKnobsAreNamedAndAreAnotherHypothesis) {
  Home home;
  const std::string plain = home.run({.name = "plain"});
  const std::string other =
      home.run({.name = "other",
                .yaml = kSpecYaml + "convergence: {worst_loss_sd: 12, require: [c >= 0.9]}\n"});
  const Json knobs = families(home, other)[0]["knobs"];
  EXPECT_EQ(knobs_text(knobs), "worst_loss_sd 12 (default 8), require c >= 0.9 (default none)");
  const Json ledger = must(query(home.sources(), "ledger", {{"by", "hypothesis"}}));
  std::set<std::string> hypotheses;
  for (const Json& line : ledger["lines"]) {
    if (line["family"] == "sma_cross" && line["data"] == "alpha") {
      hypotheses.insert(line["hypothesis"].get<std::string>());
    }
  }
  EXPECT_EQ(hypotheses.size(), 2u) << ledger.dump(1);
}

// What was declared when more was allowed is judged by what is allowed now, and says so.
TEST(FaultE10, KnobsOfOldSweepsAreNotGranted) {
  Home home;
  const std::string sweep = home.run({});
  SweepView view = must(SweepView::open(home.sources(), sweep));
  sweeps::ResolvedSpec spec = view.plan.spec();
  spec.convergence_json = R"({"hard_stops":true,"worst_loss_sd":1.0})";
  view.plan = must(sweeps::Plan::make(spec));
  const std::string said = knobs_text(knobs_json(view, {}));
  EXPECT_NE(said.find("worst_loss_sd 1 (default 8; less than the default: judged by 8)"),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("hard_stops true (default false; not granted: "), std::string::npos) << said;
  const auto how = must(score_options(view, view.plan.segments()[0], {}));
  EXPECT_FALSE(how.hard_stops);
  EXPECT_EQ(how.stress_sd, 8);
}

TEST(FaultE11, AnswersSayByWhichProfile) {
  Home home;
  const std::string sweep = home.run({});
  const Json of_sweep = must(query(home.sources(), "sweep_show", {{"sweep", sweep}}));
  const std::string hash = of_sweep["execution_hash"];
  EXPECT_EQ(hash.size(), 12u);
  for (const char* question : {"converge", "top"}) {
    const Json answer = must(query(home.sources(), question, {{"sweep", sweep}}));
    EXPECT_EQ(answer["execution"], "plain") << question;
    EXPECT_EQ(answer["execution_hash"], hash) << question;
  }
}

}  // namespace
}  // namespace winnow::serve
