#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "sweeps/convergence/convergence.hpp"
#include "sweeps/convergence_declared.hpp"
#include "tests/stats/families.hpp"

// What keeps a family with a good score from converging.
namespace winnow::sweeps {
namespace {

using test::Family;

Family good_family() {
  return test::family({.variants = 30, .periods = 365, .sharpe_ann = 5, .rho = 0.5});
}

bool says(const Convergence& r, const std::string& gate) {
  return std::any_of(r.reasons.begin(), r.reasons.end(),
                     [&](const std::string& why) { return why.starts_with(gate + ":"); });
}

TEST(ConvergenceGates, AFailedVariantIsMissing) {
  Family f = good_family();
  ASSERT_EQ(score_convergence(f.view()).verdict, Verdict::Converged);
  for (std::size_t t = 0; t < f.periods; ++t) f.at(4, t) = std::numeric_limits<float>::quiet_NaN();
  const Convergence r = score_convergence(f.view());
  EXPECT_EQ(r.verdict, Verdict::Insufficient);
  EXPECT_TRUE(says(r, "survivorship"));
  EXPECT_EQ(r.not_finite, 1u);
}

TEST(ConvergenceGates, SurvivorsAreScoredOnLaterDaysOnly) {
  const Family f = good_family();
  const Convergence told = score_convergence(f.view(), {.launched = 100, .chosen_by_periods = 120});
  const Convergence later = score_convergence(f.view().window(120, 365));
  EXPECT_EQ(told.c, later.c);
  EXPECT_EQ(told.periods, 245u);
  EXPECT_FALSE(says(told, "survivorship"));
  // Chosen by everything there is: nothing is left to score.
  const Convergence none = score_convergence(f.view(), {.launched = 100, .chosen_by_periods = 400});
  EXPECT_FALSE(none.scored);
  EXPECT_NE(none.verdict, Verdict::Converged);
  EXPECT_TRUE(says(none, "selection"));
  // One of the chosen did not come.
  const Convergence gone =
      score_convergence(f.view(), {.launched = 500, .chosen_by_periods = 120, .chosen = 101});
  EXPECT_TRUE(says(gone, "survivorship"));
}

TEST(ConvergenceGates, CrowdedOrThinParametersNeverConverge) {
  const Family f = good_family();
  ConvergenceOptions o;
  o.spread = {.crowded_frac = 0.6, .coverage_frac = 0.5, .thinnest = "entry_z"};
  EXPECT_EQ(score_convergence(f.view(), o).verdict, Verdict::Converged);
  o.spread.crowded_frac = 0.61;
  const Convergence crowded = score_convergence(f.view(), o);
  EXPECT_EQ(crowded.verdict, Verdict::Insufficient);
  EXPECT_TRUE(says(crowded, "parameters"));
  o.spread = {.crowded_frac = 0.2, .coverage_frac = 0.25, .thinnest = "entry_z"};
  const Convergence thin = score_convergence(f.view(), o);
  EXPECT_EQ(thin.verdict, Verdict::Insufficient);
  EXPECT_NE(thin.reasons[0].find("entry_z"), std::string::npos);
}

TEST(ConvergenceGates, LooksAreDueOnTheirDays) {
  EXPECT_EQ(due_look(0), 0u);
  EXPECT_EQ(due_look(89), 0u);
  EXPECT_EQ(due_look(90), 1u);
  EXPECT_EQ(due_look(364), 2u);
  EXPECT_EQ(due_look(730), 4u);
  EXPECT_EQ(due_look(5000), 4u);
  EXPECT_EQ(look_days(4), 730u);
}

TEST(ConvergenceGates, DeclarationsAreReadOrRefused) {
  const auto none = declared_convergence("");
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->looks, LookPlan::OneLook);
  EXPECT_EQ(none->stress_sd, 8);
  const auto all =
      declared_convergence(R"({"hard_stops":true,"looks":"spending","worst_loss_sd":25})");
  ASSERT_TRUE(all.ok()) << all.error().text();
  EXPECT_EQ(all->looks, LookPlan::SpendingLooks);
  EXPECT_EQ(all->stress_sd, 25);
  // Less than the default was once allowed: what was declared then is judged by the default.
  EXPECT_EQ(declared_convergence(R"({"worst_loss_sd":1})")->stress_sd, 8);
  EXPECT_TRUE(all->hard_stops);
  for (const char* bad : {"[]", "{", R"({"looks":"daily"})", R"({"worst_loss_sd":0})",
                          R"({"worst_loss_sd":1e9})", R"({"hard_stops":1})", R"({"alpha":0.5})"}) {
    const auto refused = declared_convergence(bad);
    ASSERT_FALSE(refused.ok()) << bad;
    EXPECT_EQ(refused.error().code(), ErrorCode::InvalidInput) << bad;
  }
}

TEST(ConvergenceGates, HardStopsNeedLessUnderStress) {
  // Between .90 and .95 under stress: only declared hard stops let it pass.
  bool seen = false;
  for (std::uint64_t seed = 1; seed <= 60 && !seen; ++seed) {
    const Family f =
        test::family({.variants = 30, .periods = 365, .sharpe_ann = 2.5, .rho = 0.5, .seed = seed});
    const Convergence plain = score_convergence(f.view());
    if (plain.c_stress < 0.90 || plain.c_stress >= 0.95 || plain.reasons.size() != 1) continue;
    seen = true;
    EXPECT_TRUE(says(plain, "stress"));
    EXPECT_EQ(score_convergence(f.view(), {.hard_stops = true}).verdict, Verdict::Converged);
  }
  EXPECT_TRUE(seen) << "no family of the 60 lies between the two levels";
}

// The panel of the million clones is 50,000 pointers to one row: the cost is the same a row.
TEST(ConvergenceDegenerate, ClonesTiesAndShortCalendarsAreNamed) {
  const Family one = test::family({.variants = 1, .periods = 365, .sharpe_ann = 9});
  const Convergence clones =
      score_convergence(one.view().subset(std::vector<std::uint32_t>(1'000'000, 0)));
  EXPECT_EQ(clones.distinct, 1u);
  EXPECT_EQ(clones.variants, 1'000'000u);
  EXPECT_NE(clones.verdict, Verdict::Converged);
  EXPECT_TRUE(says(clones, "breadth"));
  const Family small = test::family({.variants = 8, .periods = 5});
  const Convergence few = score_convergence(small.view());
  EXPECT_FALSE(few.scored);
  EXPECT_TRUE(says(few, "length"));
  EXPECT_EQ(few.p_value(), 1);
}

}  // namespace
}  // namespace winnow::sweeps
