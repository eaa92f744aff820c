#include "serve/validation.hpp"

#include <gtest/gtest.h>

#include <map>

#include "serve/report/assemble.hpp"
#include "serve/report/render.hpp"
#include "sweeps/stats/basic.hpp"
#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

std::string with_lines(const std::string& lines) {
  std::string yaml = kSpecYaml;
  yaml.replace(yaml.find("data: [alpha, beta]"), 19, "data: [alpha]");
  return yaml + lines;
}
const std::string kWalkForward =
    "validation: {protocol: walk_forward, train: 40d, test: 20d, embargo: 1d}\n";

Json ask(Home& home, const char* what, const Json& args) {
  return must(query(home.sources(), what, args));
}

/// Daily returns of every trial of a segment, as the store has them.
std::map<std::uint64_t, std::vector<double>> returns_of(Home& home, const std::string& sweep,
                                                        std::size_t segment) {
  const Sources sources = home.sources();
  const SweepView view = must(SweepView::open(sources, sweep));
  const auto panel = must(read_panel(sources, view, view.plan.segments()[segment]));
  std::map<std::uint64_t, std::vector<double>> out;
  for (std::size_t r = 0; r < panel.trial.size(); ++r) {
    const float* row = panel.returns.data() + r * panel.periods;
    out[panel.trial[r]].assign(row, row + panel.periods);
  }
  return out;
}

std::vector<double> part(const std::vector<double>& all, std::size_t first, std::size_t last) {
  return {all.begin() + static_cast<long>(first), all.begin() + static_cast<long>(last)};
}

double sharpe_ann(const std::vector<double>& days) {
  return sweeps::stats::mean(days) / sweeps::stats::stdev(days) * std::sqrt(365.0);
}

/// A walk-forward written down plainly.
struct Plain {
  std::vector<std::uint64_t> picks;
  std::vector<double> stitched;
  double train_sharpe = 0;
};
Plain plain_walk_forward(const std::map<std::uint64_t, std::vector<double>>& returns,
                         std::size_t train, std::size_t gap, std::size_t test) {
  Plain out;
  const std::size_t days = returns.begin()->second.size();
  for (std::size_t start = train + gap; start + test <= days; start += test) {
    double best = -1e300;
    std::uint64_t pick = 0;
    for (const auto& [trial, r] : returns) {
      const auto own = part(r, start - gap - train, start - gap);
      if (!(sweeps::stats::stdev(own) > 0) || sharpe_ann(own) <= best) continue;
      best = sharpe_ann(own);
      pick = trial;
    }
    out.picks.push_back(pick);
    out.train_sharpe += best;
    const auto held = part(returns.at(pick), start, start + test);
    out.stitched.insert(out.stitched.end(), held.begin(), held.end());
  }
  out.train_sharpe /= static_cast<double>(out.picks.size());
  return out;
}

TEST(FaultA1, ConvergeSaysWhatAPlainWalkForwardSays) {
  Home home;
  const std::string sweep = home.run({.yaml = with_lines(kWalkForward)});
  const Json answer = ask(home, "converge", {{"sweep", sweep}});
  ASSERT_EQ(answer["families"].size(), 2u);
  for (std::size_t s = 0; s < 2; ++s) {
    const Json& v = answer["families"][s]["validation"];
    const Plain plain = plain_walk_forward(returns_of(home, sweep, s), 40, 1, 20);
    ASSERT_EQ(v["folds"].size(), plain.picks.size());
    for (std::size_t k = 0; k < plain.picks.size(); ++k) {
      EXPECT_EQ(v["folds"][k]["pick"], plain.picks[k]);
      EXPECT_EQ(v["folds"][k]["embargoed_days"], 1);
      EXPECT_EQ(v["folds"][k]["train_days"], 40);
    }
    const double oos = sharpe_ann(plain.stitched);
    EXPECT_NEAR(v["oos_sharpe_ann"].get<double>(), oos, 1e-9);
    EXPECT_NEAR(v["train_sharpe_ann_mean"].get<double>(), plain.train_sharpe, 1e-9);
    if (plain.train_sharpe > 0) {
      EXPECT_NEAR(v["degradation_frac"].get<double>(), 1 - oos / plain.train_sharpe, 1e-9);
    } else {
      EXPECT_TRUE(v["degradation_frac"].is_null());
    }
    EXPECT_EQ(v["oos_days"], plain.stitched.size());
    EXPECT_EQ(v["folds"][0]["train"][0][0], "2023-01-05");
    EXPECT_EQ(v["folds"][0]["train"][0][1], "2023-02-14");
    EXPECT_EQ(v["folds"][0]["test"][0][0], "2023-02-15");
  }
}

TEST(FaultA1, EveryAnswerShowsTheSameNumbers) {
  Home home;
  const std::string sweep = home.run({.yaml = with_lines(kWalkForward)});
  const Json v = ask(home, "converge", {{"sweep", sweep}})["families"][0]["validation"];
  EXPECT_EQ(ask(home, "explain", {{"sweep", sweep}})["segments"][0]["validation"], v);
  const Json top = ask(home, "top", {{"sweep", sweep}, {"limit", 1000}});
  const auto returns = returns_of(home, sweep, 0);
  std::size_t compared = 0;
  for (const Json& row : top["rows"]) {
    const auto found = returns.find(row["trial"]);
    if (found == returns.end()) continue;
    const auto tested = part(found->second, 41, 41 + v["oos_days"].get<std::size_t>());
    double equity = 1;
    for (const double r : tested) equity *= 1 + r;
    EXPECT_NEAR(row["metrics"]["oos_return_frac"].get<double>(), equity - 1, 1e-12);
    if (row["metrics"]["oos_sharpe_ann"].is_null()) continue;
    EXPECT_NEAR(row["metrics"]["oos_sharpe_ann"].get<double>(), sharpe_ann(tested), 1e-9);
    if (++compared > 5) continue;
    const Json own =
        ask(home, "explain", {{"sweep", sweep}, {"variant", row["trial"]}})["validation"];
    EXPECT_EQ(own["oos_sharpe_ann"], row["metrics"]["oos_sharpe_ann"]);
    EXPECT_EQ(own["oos_drawdown_max_frac"], row["metrics"]["oos_drawdown_max_frac"]);
    std::size_t picked = 0;
    for (const Json& fold : v["folds"]) picked += fold["pick"] == row["trial"] ? 1 : 0;
    EXPECT_EQ(own["picked_by_folds"].size(), picked);
  }
  EXPECT_GT(compared, 20u);
  const std::string page = ask(home, "report", {{"sweep", sweep}})["html"];
  EXPECT_NE(page.find("Out of sample"), std::string::npos);
  EXPECT_NE(page.find(v["folds"][1]["test"][0][0].get<std::string>()), std::string::npos);
}

TEST(FaultA1, OutOfSampleColumnsRankAndFilter) {
  Home home;
  const std::string sweep = home.run({.yaml = with_lines(kWalkForward)});
  const Json ranked =
      ask(home, "top",
          {{"sweep", sweep}, {"by", "oos_sharpe_ann"}, {"where", "oos_drawdown_max_frac < 0.2"}});
  ASSERT_GT(ranked["rows"].size(), 2u);
  double last = 1e300;
  for (const Json& row : ranked["rows"]) {
    EXPECT_LT(row["metrics"]["oos_drawdown_max_frac"].get<double>(), 0.2);
    if (row["metrics"]["oos_sharpe_ann"].is_null()) continue;
    EXPECT_LE(row["metrics"]["oos_sharpe_ann"].get<double>(), last);
    last = row["metrics"]["oos_sharpe_ann"];
  }
  const Json falls = ask(home, "top", {{"sweep", sweep}, {"by", "oos_drawdown_max_frac"}});
  EXPECT_EQ(falls["higher_is_better"], false);
  const std::string plain = home.run({.yaml = with_lines("")});
  EXPECT_FALSE(query(home.sources(), "top", {{"sweep", plain}, {"by", "oos_sharpe_ann"}}).ok());
  EXPECT_TRUE(ask(home, "converge", {{"sweep", plain}})["families"][0]["validation"].is_null());
}

TEST(FaultA1, FoldsAreKeptByProtocolAndReadAgain) {
  Home home;
  const std::string sweep = home.run({.yaml = with_lines(kWalkForward)});
  const std::string other = home.run(
      {.yaml = with_lines("validation: {protocol: cpcv, groups: 5, test_groups: 2, purge: 1d}\n")});
  const std::string without = home.run({.yaml = with_lines("")});
  ASSERT_NE(sweep, other);
  Sources sources = home.sources();
  sources.verdicts = &home.store();
  const auto first = must(query(sources, "converge", {{"sweep", sweep}}));
  must(query(sources, "converge", {{"sweep", other}}));
  must(query(sources, "converge", {{"sweep", without}}));
  const auto kept = must(home.store().document("validation", sweep + "/0"));
  const auto kept_other = must(home.store().document("validation", other + "/0"));
  ASSERT_TRUE(kept && kept_other);
  EXPECT_NE(*kept, *kept_other);
  EXPECT_FALSE(must(home.store().document("validation", without + "/0")));
  const SweepView view = must(SweepView::open(sources, sweep));
  const auto again = must(validate_family(sources, view, view.plan.segments()[0]));
  EXPECT_TRUE(again->cached);
  EXPECT_EQ(validation_json(view, view.plan.segments()[0], again.get()),
            first["families"][0]["validation"]);
  // Read part by part, without a document: the same.
  const auto streamed = must(validate_family(home.sources(), view, view.plan.segments()[0]));
  EXPECT_EQ(validation_json(view, view.plan.segments()[0], streamed.get()),
            first["families"][0]["validation"]);
  // Of other rules: computed again.
  must(home.store().put_document("validation", sweep + "/0", "{\"options\":{\"rules\":0}}"));
  EXPECT_FALSE(must(validate_family(sources, view, view.plan.segments()[0]))->cached);
}

TEST(FaultA1, AFamilyThatFailsARequirementHasNotConverged) {
  Home home;
  const std::string sweep = home.run(
      {.yaml = with_lines(kWalkForward +
                          "convergence: {require: [oos_sharpe_ann > 50, folds_positive_frac >= 0, "
                          "c >= 0]}\n")});
  const Json converged = ask(home, "converge", {{"sweep", sweep}});
  ASSERT_FALSE(converged["families"].empty());
  for (const Json& f : converged["families"]) {
    EXPECT_NE(f["verdict"], "CONVERGED");
    std::size_t said = 0;
    for (const Json& reason : f["reasons"]) {
      const std::string text = reason;
      if (!text.starts_with("required: ")) continue;
      ++said;
      EXPECT_TRUE(text.starts_with("required: oos_sharpe_ann > 50, but oos_sharpe_ann is "))
          << text;
    }
    EXPECT_EQ(said, 1u);
  }
  Sources sources = home.sources();
  sources.verdicts = &home.store();  // neighbourhoods are counted first
  const Json tiles = must(query(sources, "converge", {{"sweep", sweep}, {"by", "neighbourhood"}}));
  for (const Json& tile : tiles["neighbourhoods"]) {
    EXPECT_NE(tile["verdict"], "CONVERGED");
    EXPECT_NE(tile["reasons"].dump().find("required: oos_sharpe_ann > 50"), std::string::npos);
  }
}

TEST(FaultA1, AnIncompleteSweepIsValidatedByWhatThereIsAndNotKept) {
  Home home;
  const std::string sweep = home.run({.blocks_max = 2, .yaml = with_lines(kWalkForward)});
  Sources sources = home.sources();
  sources.verdicts = &home.store();
  const Json answer = must(query(sources, "converge", {{"sweep", sweep}}));
  const Json& v = answer["families"][0]["validation"];
  EXPECT_LT(v["variants"].get<std::uint64_t>(), v["trials"].get<std::uint64_t>());
  EXPECT_FALSE(v["oos_sharpe_ann"].is_null());
  EXPECT_FALSE(must(home.store().document("validation", sweep + "/0")));
  const Json& none = answer["families"][1]["validation"];
  EXPECT_EQ(none["reason"], "there are no results yet");
  EXPECT_TRUE(none["oos_sharpe_ann"].is_null());
}

TEST(FaultA1, AFailedTrialIsLeftOut) {
  Home home;
  const std::string sweep = home.run({.yaml = with_lines(kWalkForward)});
  const Json v = ask(home, "converge", {{"sweep", sweep}})["families"][0]["validation"];
  const std::uint64_t pick = v["folds"][0]["pick"];
  Home broken;
  const std::string other = broken.run({.failed_trial = pick, .yaml = with_lines(kWalkForward)});
  const Json w = ask(broken, "converge", {{"sweep", other}})["families"][0]["validation"];
  EXPECT_EQ(w["variants"].get<std::uint64_t>() + 1, v["variants"].get<std::uint64_t>());
  EXPECT_NE(w["folds"][0]["pick"], pick);
}

TEST(FaultA1, EveryProtocolAnswers) {
  Home home;
  for (const std::string protocol :
       {"kfold, folds: 5, purge: 1d, embargo: 2d", "cpcv, groups: 6, test_groups: 2",
        "nested, outer_folds: 4, inner_folds: 3, embargo: 1d, purge: 1d",
        "walk_forward, train: 30d, test: 10d, step: 20d, anchored: true"}) {
    const std::string sweep =
        home.run({.yaml = with_lines("validation: {protocol: " + protocol + "}\n")});
    const Json v = ask(home, "converge", {{"sweep", sweep}})["families"][0]["validation"];
    EXPECT_TRUE(v["reason"].is_null()) << protocol;
    EXPECT_FALSE(v["oos_sharpe_ann"].is_null()) << protocol;
    EXPECT_EQ(v.contains("inner_oos_sharpe_ann"), protocol.starts_with("nested")) << protocol;
    EXPECT_EQ(v.contains("paths"), protocol.starts_with("cpcv")) << protocol;
    if (!v.contains("paths")) continue;
    EXPECT_EQ(v["folds"].size(), 15u);
    EXPECT_EQ(v["paths"].size(), 5u);
    EXPECT_LE(v["path_sharpe_ann_min"].get<double>(), v["path_sharpe_ann_median"].get<double>());
  }
}

}  // namespace
}  // namespace winnow::serve
