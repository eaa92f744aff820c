#include "sweeps/truth/truth.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "engine/synth/market_sim.hpp"
#include "serve/parallel.hpp"
#include "sweeps/truth/dying.hpp"
#include "sweeps/truth/moody.hpp"
#include "sweeps/truth/reimports.hpp"

namespace winnow::sweeps {
namespace {

// The short version of `winnow verify truth`: the same worlds, markets and limits, fewer of them.
TruthReport run(std::string_view name, const TruthSize& size) {
  const TruthWorld* world = find_truth_world(name);
  EXPECT_NE(world, nullptr) << name;
  if (world == nullptr) return {};
  const auto report = run_truth(*world, size, serve::threads_for());
  EXPECT_TRUE(report.ok()) << report.error().text();
  return report.ok() ? *report : TruthReport{};
}

TEST(Truth, NothingIsPromotedWhereNothingIs) {
  const TruthReport r = run("no_edge", {.sweeps = 20, .families = 15, .seed = 1});
  // So few sweeps cannot tell 5% from 10% (the long run can); they must not speak against 5%.
  EXPECT_LE(r.rate_low, 0.05) << r.sweeps_with_promotion << " of 20 sweeps promoted noise";
  // The world is what it says: no edge on average, and luck that would fool a leaderboard.
  EXPECT_NEAR(r.family_sharpe_ann, 0, 0.2);
  EXPECT_GT(r.best_sharpe_ann, 1.0);
  EXPECT_LE(r.converged, r.passed_score);
  EXPECT_LE(r.at_first_level, r.converged);
  EXPECT_LE(r.converged, 20u) << "uncorrected, of 300 families: five in a hundred are allowed";
}

TEST(Truth, PlateauOfSharpeThreeIsFound) {
  const TruthReport r = run("plateau", {.families = 200, .seed = 1});
  EXPECT_NEAR(r.family_sharpe_ann, 3, 0.25) << "the world is not what it says";
  EXPECT_TRUE(r.met) << "found " << r.promoted << " of " << r.families;
}

TEST(Truth, OneLuckyDayIsNotAnEdge) {
  const TruthReport r = run("lucky_day", {.sweeps = 20, .families = 5, .seed = 1});
  EXPECT_TRUE(r.met) << r.sweeps_with_promotion << " of 20 sweeps promoted a lucky day";
}

TEST(Truth, OneTrueSpikeIsNotAFamily) {
  const TruthReport r = run("true_spike", {.sweeps = 20, .families = 5, .seed = 1});
  EXPECT_TRUE(r.met) << r.sweeps_with_promotion << " of 20 sweeps promoted a spike";
  // One variant has an edge of 3.3, forty have none: on average 0.08, with an error of 0.06.
  EXPECT_GT(r.best_sharpe_ann, 2.5);
  EXPECT_NEAR(r.family_sharpe_ann, 0.08, 0.2) << "the world is not what it says";
}

TEST(Truth, EdgeThatCostsEatIsRejectedAndWithoutThemFound) {
  const TruthReport eaten = run("costs_eat_edge", {.sweeps = 20, .families = 5, .seed = 1});
  EXPECT_TRUE(eaten.met) << eaten.sweeps_with_promotion << " of 20 sweeps";
  EXPECT_LT(eaten.family_sharpe_ann, 0);
  const TruthReport there = run("without_costs", {.families = 100, .seed = 1});
  EXPECT_TRUE(there.met) << "found " << there.promoted << " of " << there.families;
  EXPECT_GT(there.family_sharpe_ann, 3);
}

TEST(Truth, ARisingMarketIsNotSkill) {
  const TruthReport r = run("drift", {.sweeps = 20, .families = 5, .seed = 1});
  EXPECT_TRUE(r.met) << r.sweeps_with_promotion << " of 20 sweeps";
  EXPECT_GT(r.family_sharpe_ann, 0.8) << "the world is not what it says";
  EXPECT_GE(r.alone_cash, 25u) << "the world is no trap: cash alone would have refused, too";
}

TEST(Truth, AMarketThatRisesLessIsNotSkillEither) {
  double sharpe_before = 0;
  for (const char* world : {"drift_05", "drift_1", "drift_15"}) {
    const TruthReport r = run(world, {.sweeps = 60, .families = 1, .seed = 1});
    EXPECT_LE(r.rate_low, 0.05) << world << ": " << r.sweeps_with_promotion << " of 60 sweeps";
    EXPECT_GT(r.family_sharpe_ann, sharpe_before) << world << " is not what it says";
    sharpe_before = r.family_sharpe_ann;
  }
}

/// One panel alone is fooled, and the smaller of the two is not, before anything else is charged.
void expect_trap(const TruthReport& r, std::uint64_t fooled) {
  EXPECT_LE(r.rate_low, 0.05) << r.world << ": " << r.sweeps_with_promotion << " of 60 sweeps";
  EXPECT_LE(rate_limits(r.converged_uncharged, r.families).low, 0.05) << r.world;
  EXPECT_GE(r.alone_cash, 30u) << r.world << " is no trap for who looks at cash alone";
  EXPECT_GE(fooled, 12u) << r.world << " is no trap: neither panel alone would be fooled";
}

TEST(Truth, HoldingWhenItIsCalmOrWildIsNotSkill) {
  const TruthSize size{.sweeps = 60, .families = 1, .seed = 1};
  const TruthReport calm = run("calm", size);
  expect_trap(calm, calm.alone_ols);
  const TruthReport wild = run("wild", size);
  expect_trap(wild, wild.alone_exposure);
  const TruthReport sized = run("vol_target", size);
  expect_trap(sized, sized.alone_ols);
}

TEST(Truth, ADyingEdgeOftenFallsToTheRecencyGate) {
  const TruthReport r = run("dying", {.sweeps = 60, .families = 1, .seed = 1});
  EXPECT_LE(r.rate_low, r.rate_limit) << r.sweeps_with_promotion << " of 60 sweeps";
  EXPECT_GE(r.passed_score, 30u) << "the world is no trap: the score alone refuses what died";
  EXPECT_LE(2 * r.converged, r.passed_score) << "the gate took less than half of them";
}

TEST(Truth, ASearchThatGathersAroundLuckDoesNotConverge) {
  const TruthReport near = run("clones", {.sweeps = 30, .families = 1, .seed = 1});
  EXPECT_EQ(near.converged, 0u);
  EXPECT_GE(near.passed_score, 3u) << "the world is no trap: near clones outvote nobody";
  EXPECT_EQ(run("inert", {.sweeps = 30, .families = 1, .seed = 1}).converged, 0u);
}

TEST(Truth, AMarketImportedAgainIsTheSameMarket) {
  const TruthReport r = run("reimported", {.sweeps = 24, .seed = 1});
  EXPECT_GE(r.reimports.copies, 24u * 18);
  EXPECT_EQ(r.reimports.copies_lost, 0u);
  EXPECT_EQ(r.reimports.strangers_taken, 0u);
  EXPECT_LE(r.rate_low, 0.05) << r.reimports.deflated_market << " of 24 best variants";
  EXPECT_GE(r.reimports.deflated_alone, 8u) << "the world is no trap: N of 1 fools nobody";
}

TEST(Truth, APegThatMayBreakIsNotAnEdge) {
  const TruthReport r = run("pegged", {.sweeps = 40, .families = 1, .seed = 1});
  EXPECT_TRUE(r.met) << r.sweeps_with_promotion << " of 40 sweeps promoted a peg";
  EXPECT_GE(r.converged_uncharged, 8u) << "the world is no trap: it would not have fooled anyone";
}

TEST(Truth, AnEdgeWithStopsBearsTheChargeForGaps) {
  const TruthReport r = run("plateau_stops", {.families = 100, .seed = 1});
  EXPECT_TRUE(r.met) << "found " << r.promoted << " of " << r.families;
}

TEST(Truth, StopsAndTargetsGainNothingByTheirLevels) {
  for (const std::string world :
       {"stops_4", "stops_16", "stops_64", "targets_4", "targets_16", "targets_64"}) {
    const TruthReport r = run(world, {.sweeps = 10, .families = 5, .seed = 1});
    EXPECT_LE(r.rate_low, 0.05) << world << ": " << r.sweeps_with_promotion << " of 10 sweeps";
    EXPECT_NEAR(r.family_sharpe_ann, 0, 0.3) << world;
    double sharpe_before = r.family_sharpe_ann;
    for (const char* costs : {"_vip", "_retail"}) {
      const TruthReport paid = run(world + costs, {.sweeps = 4, .families = 2, .seed = 1});
      EXPECT_LE(paid.rate_low, 0.05) << world << costs << ": " << paid.sweeps_with_promotion;
      EXPECT_LT(paid.family_sharpe_ann, sharpe_before) << world << costs << " costs nothing";
      sharpe_before = paid.family_sharpe_ann;
    }
  }
}

TEST(Truth, ZoomingInOnWhatIsKnownIsPaidFor) {
  for (const char* world : {"zoom_in", "zoom_in_costs", "zoom_confirm"}) {
    const TruthReport r = run(world, {.sweeps = 30, .families = 1, .seed = 1});
    EXPECT_LE(r.rate_low, 0.05) << world << ": " << r.sweeps_with_promotion << " of 30 sweeps";
  }
}

TEST(Truth, AnEdgeThatWasZoomedInOnIsFoundTheNextYear) {
  const TruthReport r = run("zoom_in_next_year", {.families = 60, .seed = 1});
  EXPECT_GE(r.rate_high, 0.80) << "found " << r.promoted << " of " << r.families;
}

TEST(Truth, AYearOfAnAccountSaysSomethingFalseAtMostOnceInTwenty) {
  for (const char* world : {"sequence_100", "sequence_1000", "climbing"}) {
    const TruthReport r = run(world, {.sweeps = 60, .seed = 1});
    EXPECT_LE(r.rate_low, 0.05) << world << ": " << r.sweeps_with_promotion << " of 60 years";
    EXPECT_GE(r.families, 60u * 30) << world << ": the account ends at about 34 openings";
  }
}

TEST(Truth, FewOfTheYearsWordsAreFalseWhereOneInFiveIsReal) {
  for (const char* world : {"fdr", "fdr_shared"}) {
    const TruthReport r = run(world, {.sweeps = 60, .seed = 1});
    EXPECT_LE(r.rate_low, 0.05) << world;
    EXPECT_LE(r.false_share, 0.05) << world;
    EXPECT_GE(r.promoted, 90u) << world << ": nothing is said, so nothing is false";
  }
}

TEST(Truth, TheHonestUserIsNotStarved) {
  for (const char* world : {"starving", "believed"}) {
    const TruthReport r = run(world, {.sweeps = 40, .seed = 1});
    EXPECT_GE(r.rate_high, 0.70) << world << ": found " << r.promoted << " of " << r.real;
  }
}

double log_ratio(const MarketColumns& m, std::size_t bar) {
  return std::log(m.close[bar] / m.close[bar - 1]);
}

TEST(Truth, MoodsFollowReturnsOnlyThroughLeverage) {
  // Of each hour: whether the day before fell, and the size of the hour's move.
  const auto after_falls = [](double leverage) {
    double fell = 0, rose = 0;
    std::size_t falls = 0, rises = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      // Without a drift: calm days would rise with it.
      const MarketColumns m =
          moody_market({.half_life_days = 2, .leverage = leverage, .hold_sharpe_ann = 0}, seed);
      for (std::size_t i = 25; i < m.size(); ++i) {
        const double move = std::abs(log_ratio(m, i));
        const bool down = m.close[i - 1] < m.close[i - 25];
        (down ? fell : rose) += move;
        ++(down ? falls : rises);
      }
    }
    return fell / static_cast<double>(falls) / (rose / static_cast<double>(rises));
  };
  EXPECT_GT(after_falls(1), 1.5) << "wild after falls";
  EXPECT_NEAR(after_falls(0), 1, 0.05);
}

TEST(Truth, MoodyMarketsPayWhatTheirLawSays) {
  const auto mean_by_mood = [](DriftLaw law) {
    double calm = 0, wild = 0;
    std::size_t calm_hours = 0, wild_hours = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      const MarketColumns m =
          moody_market({.mood_sd_log = 0.5, .drift = law, .hold_sharpe_ann = 20}, seed);
      for (std::size_t i = 1; i < m.size(); ++i) {
        // The notional tells the hour's mood: less is traded when it is wild.
        const bool is_calm = m.volume[i] * m.open[i] > 1.1e8;
        (is_calm ? calm : wild) += m.close[i] / m.open[i] - 1;
        ++(is_calm ? calm_hours : wild_hours);
      }
    }
    return std::pair(calm / static_cast<double>(calm_hours),
                     wild / static_cast<double>(wild_hours));
  };
  const auto [calm, wild] = mean_by_mood(DriftLaw::Constant);
  EXPECT_NEAR(wild / calm, 1, 0.3);
  const auto [less, more] = mean_by_mood(DriftLaw::Variance);
  EXPECT_GT(more / less, 2);
}

TEST(Truth, AnEdgeDiesAtItsBarAndThePriceGoesOn) {
  const TruthWorld* plateau = find_truth_world("plateau");
  ASSERT_NE(plateau, nullptr);
  const auto whole = engine::synth::simulate_market(plateau->market, 7);
  const auto dying = dying_market(plateau->market, 0.5, 7);
  ASSERT_TRUE(whole.ok() && dying.ok());
  const MarketColumns& alive = whole->front().columns;
  const std::size_t half = alive.size() / 2;
  ASSERT_EQ(dying->size(), alive.size());
  for (std::size_t i = 0; i < half; ++i) ASSERT_EQ(dying->close[i], alive.close[i]);
  EXPECT_NEAR(dying->open[half], dying->close[half - 1], 1e-9 * alive.close[half]);
  std::size_t differ = 0;
  for (std::size_t i = half; i < alive.size(); ++i) {
    EXPECT_LE(dying->low[i], std::min(dying->open[i], dying->close[i]));
    EXPECT_GE(dying->high[i], std::max(dying->open[i], dying->close[i]));
    differ += std::abs(log_ratio(*dying, i) - log_ratio(alive, i)) > 1e-9 ? 1 : 0;
  }
  EXPECT_GT(differ, half / 2);
}

TEST(Truth, CopiesOfAMarketAreOtherBytes) {
  const MarketColumns market = moody_market({}, 5);
  const auto copies = market_copies(market, 0.01, 5);
  ASSERT_GT(copies.size(), kHourlyCopies);
  for (std::size_t c = 0; c < copies.size(); ++c) {
    const MarketColumns& copy = copies[c].columns;
    EXPECT_TRUE(copy.close != market.close) << copies[c].how;
    EXPECT_EQ(copy.interval_ns == market.interval_ns, c < kHourlyCopies) << copies[c].how;
    EXPECT_EQ(copy.time_ns.size(), copy.volume.size()) << copies[c].how;
  }
}

TEST(Truth, SameSeedGivesTheSameReportOnAnyNumberOfThreads) {
  const TruthWorld* world = find_truth_world("plateau");
  ASSERT_NE(world, nullptr);
  const TruthSize size{.families = 6, .seed = 9};
  const auto one = run_truth(*world, size);
  const auto many = run_truth(*world, size, serve::threads_for(3));
  ASSERT_TRUE(one.ok() && many.ok());
  EXPECT_EQ(one->family_sharpe_ann, many->family_sharpe_ann);
  EXPECT_EQ(one->promoted, many->promoted);
}

TEST(Truth, WrongRequestsAreRefused) {
  EXPECT_EQ(find_truth_world("nowhere"), nullptr);
  EXPECT_EQ(run_truth(truth_worlds()[0], {.sweeps = 0}).error().code(), ErrorCode::InvalidInput);
  TruthWorld other = truth_worlds()[0];
  other.family = "astrology";
  EXPECT_EQ(run_truth(other, {}).error().code(), ErrorCode::InvalidInput);
}

// Clopper and Pearson 1934: closed forms at the ends, and a tabulated value.
TEST(Truth, RateLimitsAreExact) {
  const RateLimits none = rate_limits(0, 20);
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 1 - std::pow(0.025, 1.0 / 20), 1e-12);
  const RateLimits all = rate_limits(20, 20);
  EXPECT_NEAR(all.low, std::pow(0.025, 1.0 / 20), 1e-12);
  EXPECT_EQ(all.high, 1);
  const RateLimits some = rate_limits(5, 100);
  EXPECT_NEAR(some.low, 0.01643, 1e-5);
  EXPECT_NEAR(some.high, 0.11284, 1e-5);
  EXPECT_EQ(rate_limits(0, 0).high, 1);
}

}  // namespace
}  // namespace winnow::sweeps
