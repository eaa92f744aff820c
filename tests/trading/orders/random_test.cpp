// Random lives: reordered, doubled, lost and late events, against a venue whose truth is known.
// WINNOW_ORDER_SEEDS=10000000 asks for more of them than ./test does.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "tests/trading/orders/support.hpp"
#include "tests/trading/orders/world.hpp"

namespace winnow::orders {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

std::uint64_t seeds(std::uint64_t usual) {
  const char* const env = std::getenv("WINNOW_ORDER_SEEDS");
  return env == nullptr ? usual : std::strtoull(env, nullptr, 10);
}

TEST(OrderWorlds, EveryInvariantHoldsAndEveryDoubtEnds) {
  const std::uint64_t count = seeds(60'000);
  Tally sum;
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    World world(seed, Canary::None);
    const std::string failure = world.run();
    ASSERT_EQ(failure, "") << "seed " << seed;
    if (seed % 16 == 0) {
      ASSERT_TRUE(world.is_replayed()) << "seed " << seed;
    }
    sum += world.tally();
  }
  std::cout << count << " sequences: " << sum.events << " events, " << sum.sends << " sends, "
            << sum.trades << " bookings, " << sum.doubts << " questions, " << sum.alarms
            << " alarms, " << sum.absent << " proved absent, " << sum.amended << " amended, "
            << sum.busted << " busts, " << sum.restarts << " restarts\n";
  EXPECT_GT(sum.sends, count / 2);
  EXPECT_GT(sum.trades, count / 4);
  EXPECT_GT(sum.absent, count / 100);
  EXPECT_GT(sum.amended, count / 20);
  EXPECT_GT(sum.busted, count / 1000);
  EXPECT_GT(sum.restarts, count / 20);
}

TEST(OrderWorlds, EveryCanaryIsFound) {
  for (int i = 1; i < static_cast<int>(Canary::Last); ++i) {
    std::string failure;
    std::uint64_t seed = 0;
    while (failure.empty() && seed < 2000) failure = World(++seed, static_cast<Canary>(i)).run();
    EXPECT_NE(failure, "") << "canary " << i << " lives";
    std::cout << "canary " << i << " found at seed " << seed << ": " << failure << "\n";
  }
}

TEST(OrderWorlds, TheSameSeedAndTheSameJournalAreTheSameLife) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    World a(seed, Canary::None), b(seed, Canary::None);
    EXPECT_EQ(a.run(), b.run());
    EXPECT_EQ(a.tally().events, b.tally().events);
    EXPECT_TRUE(a.is_replayed()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace winnow::orders
