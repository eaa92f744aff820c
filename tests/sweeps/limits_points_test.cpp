#include <gtest/gtest.h>

#include "tests/sweeps/support.hpp"

namespace winnow::sweeps::testing {
namespace {

const std::string kLimits = "limits: {trial_seconds: 2.5, trial_memory_mb: 64}\n";
const std::string kPoints = "points: {metrics: [final_equity, sharpe_ann], every: 30d}\n";

Plan planned(const std::string& yaml) {
  auto plan = plan_of(yaml);
  EXPECT_TRUE(plan.ok()) << plan.error().text();
  return *std::move(plan);
}

TEST(Limits, AreReadAndTravel) {
  const auto spec = parse_spec(kSpec + kLimits, "spec.yaml", catalog());
  ASSERT_TRUE(spec.ok()) << spec.error().text();
  EXPECT_EQ(spec->limits, (TrialLimits{2.5, 64}));
  const auto back = ResolvedSpec::from_json(spec->to_json());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->limits, spec->limits);
  EXPECT_EQ(back->to_json(), spec->to_json());
}

TEST(Limits, ThatAreNotSaidChangeNothing) {
  const auto spec = parse_spec(kSpec, "spec.yaml", catalog());
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->limits, TrialLimits{});
  EXPECT_EQ(spec->to_json().find("limits"), std::string::npos);
  EXPECT_EQ(spec->to_json().find("points"), std::string::npos);
}

TEST(Limits, AreAnotherSweepOfTheSameTrials) {
  const Plan plain = planned(kSpec);
  const Plan limited = planned(kSpec + kLimits);
  EXPECT_NE(plain.id(), limited.id());
  EXPECT_EQ(plain.key(plain.segments()[0], plain.params(7, 1)),
            limited.key(limited.segments()[0], limited.params(7, 1)));
}

TEST(Limits, ThatMakeNoSenseAreRefused) {
  EXPECT_NE(refusal(kSpec + "limits: {trial_seconds: 0}\n")
                .find("spec.yaml:20:25: limits.trial_seconds: 0 is not between 0.01 and"),
            std::string::npos);
  EXPECT_NE(refusal(kSpec + "limits: {trial_memory_mb: -1}\n").find("-1 is not between 0.01 and"),
            std::string::npos);
  EXPECT_NE(refusal(kSpec + "limits: {trial_memory_mb: much}\n").find("limits.trial_memory_mb"),
            std::string::npos);
  EXPECT_NE(refusal(kSpec + "limits: {trial_minutes: 3}\n").find("unknown key"), std::string::npos);
}

TEST(Points, HaveAStepEverySoManyDaysAndOneAtTheEnd) {
  // 2023-01-01 to 2023-10-03: 275 days.
  const Plan plan = planned(kSpec + kPoints);
  const Segment& segment = plan.segments()[0];
  ASSERT_EQ(segment.point_steps, 10u);
  EXPECT_EQ(plan.point_until(segment, 0), at("2023-01-31"));
  EXPECT_EQ(plan.point_until(segment, 8), at("2023-09-28"));
  EXPECT_EQ(plan.point_until(segment, 9), at("2023-10-03"));
  ASSERT_EQ(plan.point_metrics().size(), 2u);
  EXPECT_EQ(engine::metric_decls()[plan.point_metrics()[0]].name, "final_equity");
}

TEST(Points, TravelAndAreAnotherSweepOfTheSameTrials) {
  const auto spec = parse_spec(kSpec + kPoints, "spec.yaml", catalog());
  ASSERT_TRUE(spec.ok()) << spec.error().text();
  const auto back = ResolvedSpec::from_json(spec->to_json());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->points, spec->points);
  EXPECT_NE(planned(kSpec).id(), planned(kSpec + kPoints).id());
}

TEST(Points, MakeBlocksSmaller) {
  const std::string many = with("step: 0.25", "step: 0.001");
  const Plan plain = planned(many.substr(0, many.find("budget")));
  const Plan curves = planned(many.substr(0, many.find("budget")) +
                              "points: {metrics: [final_equity, omega, skew], every: 1d}\n");
  EXPECT_LT(curves.block_rows(), plain.block_rows() / 2);
}

TEST(Points, ThatMakeNoSenseAreRefused) {
  const auto text = [](const std::string& points) { return refusal(kSpec + points); };
  EXPECT_NE(text("points: {metrics: [trades], every: 30d}\n").find("'trades'"), std::string::npos);
  EXPECT_NE(text("points: {metrics: [], every: 30d}\n").find("the list is empty"),
            std::string::npos);
  EXPECT_NE(text("points: {metrics: [omega, omega], every: 30d}\n").find("stands twice"),
            std::string::npos);
  EXPECT_NE(text("points: {metrics: [omega], every: 12h}\n").find("whole number of days"),
            std::string::npos);
  EXPECT_NE(text("points: {metrics: [omega]}\n").find("say how often"), std::string::npos);
  EXPECT_NE(text("points: {metrics: [omega, skew, calmar, kurtosis, ulcer_frac, sharpe_ann, "
                 "sortino_ann, vol_ann], every: 1d}\n")
                .find("at most 2048 are kept"),
            std::string::npos);
}

}  // namespace
}  // namespace winnow::sweeps::testing
