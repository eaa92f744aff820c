#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/rng.hpp"
#include "sweeps/level/account.hpp"
#include "sweeps/level/days.hpp"
#include "sweeps/level/kin.hpp"
#include "sweeps/level/skill.hpp"
#include "sweeps/level/tiles.hpp"
#include "sweeps/stats/basic.hpp"

// What the vectors of tests/oracles/15_level_a.json do not say: limits, refusals, and how often the
// rules are wrong where nothing is there.
namespace winnow::sweeps::level {
namespace {

double normal(Rng& rng) { return stats::normal_quantile((rng.uniform() + 0x1p-54)); }

TEST(Account, FirstLevelsAreThoseOfTheText) {
  Account account;
  EXPECT_NEAR(account.available().level, 0.0025 / 1.0025, 1e-15);
  EXPECT_NEAR(account.available(0.25).level, 0.0123, 5e-5);
  ASSERT_TRUE(account.open({.id = "a"}).ok());
  ASSERT_EQ(*account.look("a", 0.0001), HypothesisState::Converged);
  EXPECT_EQ(account.left(), 0.05);
  EXPECT_NEAR(account.available().level, 0.005236, 5e-7);
}

TEST(Account, ThirtyFourOpeningsReachTheFloor) {
  Account account;
  std::size_t opened = 0;
  while (account.available().level > 0) {
    ASSERT_TRUE(account.open({.id = std::to_string(opened)}).ok());
    ++opened;
  }
  EXPECT_EQ(opened, 34u);
  const auto refused = account.open({.id = "late"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::Refused);
  EXPECT_NE(refused.error().text().find("until 1 January"), std::string::npos);
  EXPECT_TRUE(account.open({.id = "3"})->repeat) << "a repeat is free when the account is spent";
}

TEST(Account, WrongOpeningsAndLooksAreRefusedAndChargeNothing) {
  Account account;
  EXPECT_FALSE(account.open({.id = "a", .share = 0.6}).ok());
  EXPECT_FALSE(account.open({.id = "a", .share = std::nan("")}).ok());
  EXPECT_FALSE(account.open({.id = "a", .weights = {}}).ok());
  EXPECT_FALSE(account.open({.id = "a", .weights = {0.6, 0.6}}).ok());
  EXPECT_FALSE(account.open({.id = "a", .weights = {-0.5}}).ok());
  EXPECT_EQ(account.left(), 0.05);
  ASSERT_TRUE(account.open({.id = "a"}).ok());
  EXPECT_FALSE(account.look("a", 1.5).ok());
  EXPECT_FALSE(account.look("a", std::nan("")).ok());
  EXPECT_FALSE(account.look("b", 0.5).ok());
  EXPECT_FALSE(account.void_promotion("a").ok());
  EXPECT_EQ(account.find("a")->looks, 0u);
  EXPECT_FALSE(check_account({.openings = 3}).ok());
  EXPECT_FALSE(check_account({.alpha = 0}).ok());
}

// P1 of docs/STATISTICS.md: nothing has skill, and whoever asks goes on whatever the answers.
TEST(Account, SaysAnythingFalseInAtMostOneYearOfTwenty) {
  constexpr int kYears = 20'000;
  int wrong = 0;
  Rng rng(7, 1);
  for (int year = 0; year < kYears; ++year) {
    Account account;
    bool said = false;
    for (int i = 0; account.available().level > 0 && !said; ++i) {
      // Now and then somebody believes in one.
      const double share = rng.uniform() < 0.2 ? 0.5 * rng.uniform() + 0x1p-40 : 0;
      const auto opened = account.open({.id = std::to_string(i), .share = share});
      if (!opened.ok()) break;
      said = *account.look(std::to_string(i), rng.uniform()) == HypothesisState::Converged;
    }
    wrong += said ? 1 : 0;
  }
  const double rate = wrong / double{kYears};
  EXPECT_LE(rate, 0.05 + 3 * std::sqrt(0.05 * 0.95 / kYears));
  EXPECT_GT(rate, 0.03) << "the alpha is there to be used";
}

TEST(Days, EmptyAndReversedRangesAreNoDays) {
  EXPECT_TRUE(fresh_days({10, 10}, {}).empty());
  const DayRange nothing{20, 15};
  EXPECT_EQ(fresh_days({10, 30}, {&nothing, 1}), (std::vector<DayRange>{{10, 30}}));
  EXPECT_EQ(joined({{5, 7}, {1, 3}, {3, 5}, {9, 9}}), (std::vector<DayRange>{{1, 7}}));
}

// One world: a family of noise with common blocks, and tiles of it.
std::vector<double> noise_tiles(std::uint64_t seed, std::size_t tiles, std::size_t blocks,
                                double rho) {
  Rng rng(seed, 3);
  std::vector<double> common(blocks);
  for (double& c : common) c = normal(rng);
  std::vector<double> means;
  for (std::size_t k = 0; k < tiles; ++k) {
    for (std::size_t b = 0; b < blocks; ++b) {
      means.push_back(std::sqrt(rho) * common[b] + std::sqrt(1 - rho) * normal(rng));
    }
  }
  return means;
}

TEST(Tiles, TheBestOfNoiseIsRarelySignificant) {
  constexpr int kWorlds = 400;
  for (const double rho : {0.0, 0.6}) {
    int found = 0;
    for (int w = 0; w < kWorlds; ++w) {
      const auto means = noise_tiles(static_cast<std::uint64_t>(w) + 1, 40, 12, rho);
      found += search_tiles(means, 12, 1).p_best <= 0.05 ? 1 : 0;
    }
    EXPECT_LE(found, 0.05 * kWorlds + 3 * std::sqrt(0.05 * 0.95 * kWorlds)) << rho;
    EXPECT_GT(found, 0.02 * kWorlds) << rho;
  }
}

TEST(Tiles, AnEdgeInOneTileIsFound) {
  int found = 0;
  for (std::uint64_t w = 1; w <= 40; ++w) {
    auto means = noise_tiles(w, 40, 20, 0.3);
    for (std::size_t b = 0; b < 20; ++b) means[17 * 20 + b] += 1.5;
    const TileSearch search = search_tiles(means, 20, w);
    EXPECT_FALSE(search.exact);
    EXPECT_EQ(search.flips, 20'000u);
    found += search.best == 17 && search.p_best <= 0.0025 ? 1 : 0;
  }
  EXPECT_GE(found, 38);
}

TEST(Tiles, AreTheSameOnAnyThreadsAndForTilesThatDoNotMove) {
  auto means = noise_tiles(5, 30, 20, 0.3);
  std::fill(means.begin(), means.begin() + 20, 0.0);
  const TileSearch one = search_tiles(means, 20, 9);
  const ParallelFor backwards = [](std::size_t n, const std::function<void(std::size_t)>& body) {
    for (std::size_t i = n; i-- > 0;) body(i);
  };
  const TileSearch other = search_tiles(means, 20, 9, backwards);
  EXPECT_EQ(one.p_each, other.p_each);
  EXPECT_EQ(one.t[0], 0);
  EXPECT_EQ(one.p_each[0], 1);
}

TEST(Tiles, MeansAreOfMembersScaledAlike) {
  // Twenty-one periods in two blocks: the oldest is left out.
  std::vector<double> rows;
  for (const double scale : {1.0, 10.0}) {
    rows.push_back(99);
    for (int t = 0; t < 20; ++t) rows.push_back(scale * ((t % 2 ? 1 : -1) + (t < 10 ? 0 : 0.5)));
  }
  rows.insert(rows.end(), 21, 0.25);  // one that does not vary
  const auto panel = PanelView::of(rows, 3, 21);
  const auto blocks = scaled_block_means(panel, 2);
  EXPECT_NEAR(blocks[0], blocks[2], 1e-12);
  EXPECT_NEAR(blocks[1], blocks[3], 1e-12);
  EXPECT_TRUE(std::isnan(blocks[4]));
  const std::uint32_t all[] = {0, 1, 2};
  const auto tile = tile_means(blocks, 2, all);
  EXPECT_NEAR(tile[0], 0, 1e-12);
  EXPECT_NEAR(tile[1], blocks[1], 1e-12);
  const std::uint32_t still[] = {2};
  EXPECT_EQ(tile_means(blocks, 2, still), (std::vector<double>{0, 0}));
}

/// Long or flat without any sense of timing, in a market that rises.
struct LongFlat {
  std::vector<double> market;
  std::vector<float> returns;
  std::vector<double> exposure;
};
LongFlat long_flat(std::uint64_t seed, double hold_sharpe_ann) {
  constexpr std::size_t kDays = 730;
  constexpr std::size_t kVariants = 20;
  Rng rng(seed, 4);
  LongFlat out;
  for (std::size_t t = 0; t < kDays; ++t) {
    out.market.push_back(0.02 * (normal(rng) + hold_sharpe_ann / std::sqrt(365.0)));
  }
  for (std::size_t v = 0; v < kVariants; ++v) {
    bool in = rng.uniform() < 0.5;
    double held = 0;
    for (std::size_t t = 0; t < kDays; ++t) {
      if (rng.uniform() < 1.0 / 40) in = !in;
      held += in ? 1.0 / kDays : 0;
      out.returns.push_back(in ? static_cast<float>(out.market[t]) : 0.0F);
    }
    out.exposure.push_back(held);
  }
  return out;
}

TEST(Skill, ARisingMarketIsNone) {
  constexpr int kWorlds = 200;
  int cash = 0;
  int skill = 0;
  for (std::uint64_t w = 1; w <= kWorlds; ++w) {
    const LongFlat world = long_flat(w, 2);
    const Skill s =
        score_skill(PanelView::of(world.returns, 20, 730), world.market, world.exposure);
    cash += s.cash.c >= 0.95 ? 1 : 0;
    skill += s.gate().c >= 0.95 ? 1 : 0;
  }
  EXPECT_GE(cash, kWorlds / 3) << "against cash it looks like skill";
  EXPECT_LE(skill, 0.05 * kWorlds + 3 * std::sqrt(0.05 * 0.95 * kWorlds));
}

TEST(Skill, AMarketThatStandsStillExplainsNothing) {
  const LongFlat world = long_flat(3, 1);
  const std::vector<double> still(730, 0.001);
  const auto panel = PanelView::of(world.returns, 20, 730);
  for (const double beta : market_betas(panel, still)) EXPECT_EQ(beta, 0);
  const Skill s = score_skill(panel, still, std::vector<double>(20, 0.0));
  EXPECT_EQ(s.cash.c, s.gate().c);
  EXPECT_EQ(s.market_share(), MarketShare::Little);
}

TEST(Kin, AConstantSeriesIsLikeNothing) {
  std::vector<double> rows;
  Rng rng(1, 1);
  for (int i = 0; i < 120; ++i) rows.push_back(normal(rng));
  const std::vector<double> still(120, 0.5);
  const Kinship same = compare_families(PanelView::of(rows, 2, 60), PanelView::of(rows, 2, 60));
  EXPECT_TRUE(same.kin);
  EXPECT_NEAR(same.portfolio_correlation, 1, 1e-12);
  const Kinship none = compare_families(PanelView::of(rows, 2, 60), PanelView::of(still, 2, 60));
  EXPECT_FALSE(none.kin);
  EXPECT_EQ(none.share_with_twin, 0);
}

}  // namespace
}  // namespace winnow::sweeps::level
