#include "serve/looks.hpp"

#include <gtest/gtest.h>

#include "serve/scoring.hpp"
#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

/// The fixture's specification over a window that ends on `to`, with a plan of looks.
std::string spec_until(const std::string& to, const std::string& looks) {
  std::string yaml = kSpecYaml;
  const std::string window = "to: 2023-06-01, holdout: 10d";
  yaml.replace(yaml.find(window), window.size(), "to: " + to);
  return yaml + "convergence: {looks: " + looks + "}\n";
}

class Looks : public testing::Test {
 protected:
  std::string run(const std::string& to, const std::string& looks) {
    return home_.run({.name = "looks", .yaml = spec_until(to, looks)});
  }
  Scoring score(const std::string& id, bool writable) {
    Sources sources = home_.sources();
    if (writable) sources.verdicts = &home_.store();
    return must(score_families(sources, must(SweepView::open(sources, id))));
  }
  Home home_;
};

TEST_F(Looks, ALookIsTakenOnceHoweverOftenItIsScored) {
  const std::string first = run("2023-04-20", "equal");  // 105 days
  const Scoring before = score(first, false);
  for (const FamilyScore& f : before.families) {
    ASSERT_TRUE(f.look);
    EXPECT_EQ(f.look->number, 1u);
    EXPECT_FALSE(f.look->recorded);
    EXPECT_TRUE(f.look->recordable);
    EXPECT_NE(f.score.verdict, sweeps::Verdict::Converged);
  }
  const Scoring taken = score(first, true);
  EXPECT_EQ(must(home_.store().document_keys("look")).size(), taken.families.size());
  for (const FamilyScore& f : taken.families) {
    EXPECT_TRUE(f.look->recorded);
    EXPECT_EQ(f.look->periods, 105u);
    EXPECT_EQ(f.score.c_required, 0.982);
  }
  // Three weeks later: the same look, on the same days, with the same score.
  const std::string second = run("2023-05-11", "equal");
  ASSERT_NE(first, second);
  for (const bool writable : {true, false}) {
    const Scoring later = score(second, writable);
    EXPECT_EQ(must(home_.store().document_keys("look")).size(), taken.families.size());
    for (std::size_t i = 0; i < later.families.size(); ++i) {
      EXPECT_EQ(later.families[i].look->sweep, first);
      EXPECT_EQ(later.families[i].score.periods, 105u);
      // The last day of a sweep closes its positions; else the days are the same.
      EXPECT_NEAR(later.families[i].score.c, taken.families[i].score.c, 0.02);
    }
  }
}

TEST_F(Looks, FewerDaysThanTheLookHadCannotCount) {
  const std::string longer = run("2023-05-11", "spending");
  score(longer, true);
  const std::string shorter = run("2023-04-20", "spending");
  for (const FamilyScore& f : score(shorter, true).families) {
    EXPECT_NE(f.look->refusal.find("126 days"), std::string::npos) << f.look->refusal;
    EXPECT_NE(f.score.verdict, sweeps::Verdict::Converged);
    EXPECT_EQ(f.score.reasons.back().substr(0, 5), "look:");
  }
}

TEST_F(Looks, ThePlanCannotBeChangedAfterALook) {
  score(run("2023-04-20", "equal"), true);
  for (const FamilyScore& f : score(run("2023-04-20", "spending"), true).families) {
    EXPECT_NE(f.look->refusal.find("cannot be changed"), std::string::npos);
    EXPECT_NE(f.score.verdict, sweeps::Verdict::Converged);
  }
}

TEST_F(Looks, BeforeTheFirstDayNoneIsDue) {
  for (const FamilyScore& f : score(run("2023-03-01", "equal"), true).families) {
    EXPECT_EQ(f.look->number, 0u);
    EXPECT_NE(f.score.verdict, sweeps::Verdict::Converged);
  }
  EXPECT_TRUE(must(home_.store().document_keys("look")).empty());
}

TEST_F(Looks, AKeptVerdictHasItsLookAndItsDeclaration) {
  const std::string id = run("2023-04-20", "equal");
  const Scoring fresh = score(id, true);
  const Scoring kept = score(id, true);
  for (std::size_t i = 0; i < kept.families.size(); ++i) {
    EXPECT_TRUE(kept.families[i].cached);
    EXPECT_EQ(kept.families[i].look->number, 1u);
    EXPECT_EQ(convergence_json(kept.families[i].score), convergence_json(fresh.families[i].score));
  }
}

}  // namespace
}  // namespace winnow::serve
