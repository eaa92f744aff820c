#include "engine/stepper.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/time.hpp"
#include "engine/families/list.hpp"
#include "engine/prepare.hpp"
#include "tests/engine/support.hpp"

namespace winnow::engine {
namespace {

using test::random_execution;
using test::random_market;
using test::random_rows;

BarEvent bar_of(const MarketColumns& m, std::size_t t) {
  return {m.time_ns[t], m.open[t], m.high[t], m.low[t], m.close[t], m.volume[t]};
}

// What was paid from a bar's open up to the next one's, as batches charge it.
std::vector<FundingEvent> funding_of(const MarketColumns& m, std::size_t t) {
  std::vector<FundingEvent> out;
  const std::int64_t end =
      t + 1 < m.size() ? m.time_ns[t + 1] : m.time_ns[t] + std::max<std::int64_t>(m.interval_ns, 1);
  for (const FundingEvent& e : m.funding) {
    if (e.time_ns >= m.time_ns[t] && e.time_ns < end) out.push_back(e);
  }
  return out;
}

struct Case {
  MarketColumns market;
  ExecutionModel execution;
  const FamilyDecl* family = nullptr;
  std::vector<double> rows;
  std::size_t first = 0;  // bar that is traded on first

  MarketView history() const {
    MarketView all = market.view();
    MarketView out;
    out.time_ns = all.time_ns.first(first);
    out.open = all.open.first(first);
    out.high = all.high.first(first);
    out.low = all.low.first(first);
    out.close = all.close.first(first);
    out.volume = all.volume.first(first);
    out.interval_ns = all.interval_ns;
    return out;
  }
};

Case random_case(std::uint64_t seed, const FamilyDecl& family, std::size_t variants) {
  Rng rng(seed, 77);
  Case c;
  c.market = random_market({.seed = seed,
                            .bars = 300 + rng.below(500),
                            .interval_ns = (rng.below(2) ? 5 : 60) * test::kMinuteNs,
                            .gap_share = rng.below(2) ? 0.004 : 0.0,
                            .jump_share = rng.below(2) ? 0.01 : 0.0,
                            .dry_share = rng.below(2) ? 0.02 : 0.0,
                            .flat_share = rng.below(2) ? 0.002 : 0.0});
  c.execution = random_execution(rng, c.market);
  c.family = &family;
  c.rows = random_rows(rng, family.name, variants);
  c.first = rng.below(2) ? rng.below(120) : 0;
  return c;
}

StepperLanes opened(const Case& c) {
  auto lanes = StepperLanes::open(*c.family, c.rows, c.history(), c.execution);
  EXPECT_TRUE(lanes.ok()) << lanes.error().text();
  return std::move(*lanes);
}

void step(StepperLanes& lanes, const Case& c, std::size_t t) {
  const auto intents = lanes.on_bar(bar_of(c.market, t), funding_of(c.market, t));
  ASSERT_TRUE(intents.ok()) << intents.error().text();
}

/// What a batch of the same bars writes, by day and variant.
struct Batch {
  std::vector<float> returns;
  std::vector<float> exposures;
  std::size_t periods = 0;
};
Batch batch_of(const Case& c) {
  const MarketView market = c.market.view();
  BatchRequest request;
  request.market = &market;
  request.window = {c.first, market.size()};
  request.family = c.family;
  request.params = c.rows;
  request.execution = &c.execution;
  request.isa = best_isa();
  const auto result = run_batch(request);
  EXPECT_TRUE(result.ok()) << result.error().text();
  return {result->returns, result->exposures, result->periods};
}

class StepperOfFamily : public testing::TestWithParam<std::string> {
 protected:
  const FamilyDecl& family() const { return *find_family(GetParam()); }
};

// Stepped is swept (law 4): fed bar by bar it is the batch of the same bars, bit for bit: 2,000
// cases over the families, any execution model.
TEST_P(StepperOfFamily, IsTheBatchOfTheSameBars) {
  constexpr std::size_t kVariants = 5;
  constexpr std::size_t kCases = 2'000;
  std::size_t days = 0;
  for (std::uint64_t seed = 1; seed * kVariants * kFamilyCount <= kCases; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case c = random_case(seed, family(), kVariants);
    const Batch batch = batch_of(c);
    StepperLanes lanes = opened(c);
    std::vector<double> before(kVariants, c.execution.initial_cash);
    std::size_t period = 0;
    for (std::size_t t = c.first; t < c.market.size(); ++t) {
      step(lanes, c, t);
      if (t == c.first ||
          utc_day_of_ns(c.market.time_ns[t]) == utc_day_of_ns(c.market.time_ns[t - 1])) {
        continue;
      }
      for (std::size_t v = 0; v < kVariants; ++v) {
        const Standing now = lanes.standing(v);
        const std::size_t at = v * batch.periods + period;
        const double earned = before[v] > 0 ? now.day_equity / before[v] - 1 : 0;
        ASSERT_EQ(std::bit_cast<std::uint32_t>(batch.returns[at]),
                  std::bit_cast<std::uint32_t>(static_cast<float>(earned)))
            << "variant " << v << " day " << period;
        ASSERT_EQ(std::bit_cast<std::uint32_t>(batch.exposures[at]),
                  std::bit_cast<std::uint32_t>(static_cast<float>(now.day_exposure)));
        before[v] = now.day_equity;
        ++days;
      }
      ++period;
    }
    // And where it stands at the end is where a backtest does.
    const std::size_t width = family().params.size();
    for (std::size_t v = 0; v < kVariants; ++v) {
      const auto row = std::span(c.rows).subspan(v * width, width);
      const auto alone =
          run_backtest(c.market.view(), {c.first, c.market.size()}, family(), row, c.execution);
      ASSERT_TRUE(alone.ok());
      const Standing now = lanes.standing(v);
      // Of the last day a backtest knows that it is over: what is owed then is paid.
      if (c.execution.borrow_ann_frac == 0 && now.equity > 0) {
        ASSERT_EQ(alone->open_qty, now.qty);
        ASSERT_EQ(alone->equity.back(), now.equity);
      }
    }
  }
  EXPECT_GT(days, 500u);
}

// Saving and restoring at any bar changes no bit (law 1) of what comes after.
TEST_P(StepperOfFamily, RestoredAtAnyBarGoesOnAlike) {
  std::size_t bars = 0;
  for (std::uint64_t seed = 700; seed < 704; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Case c = random_case(seed, family(), 2);
    if (seed == 701) c.first = 0;
    StepperLanes straight = opened(c);
    StepperLanes carried = opened(c);
    for (std::size_t t = c.first; t < c.market.size() && bars < 4 * 500; ++t, ++bars) {
      auto restored = StepperLanes::restore(carried.save(), c.execution);
      ASSERT_TRUE(restored.ok()) << restored.error().text();
      carried = std::move(*restored);
      const auto a = straight.on_bar(bar_of(c.market, t), funding_of(c.market, t));
      const auto b = carried.on_bar(bar_of(c.market, t), funding_of(c.market, t));
      ASSERT_TRUE(a.ok() && b.ok());
      ASSERT_EQ(a->size(), b->size());
      for (std::size_t i = 0; i < a->size(); ++i) ASSERT_EQ((*a)[i].number, (*b)[i].number);
      for (std::size_t v = 0; v < 2; ++v) {
        ASSERT_EQ(straight.digest(v), carried.digest(v)) << "bar " << t;
        ASSERT_EQ(straight.standing(v).equity, carried.standing(v).equity);
        ASSERT_EQ(straight.standing(v).day_equity, carried.standing(v).day_equity);
      }
    }
  }
  EXPECT_GE(bars, 500u);
}

// A digest that could not differ would be equal as well.
TEST_P(StepperOfFamily, ADigestTellsAnotherBar) {
  std::size_t told = 0;
  for (std::uint64_t seed = 9; seed < 29; ++seed) {
    const Case c = random_case(seed, family(), 1);
    StepperLanes lanes = opened(c);
    StepperLanes other = opened(c);
    for (std::size_t t = c.first; t < c.market.size(); ++t) {
      const Hash128 before = lanes.digest(0);
      step(lanes, c, t);
      EXPECT_NE(before, lanes.digest(0));
      BarEvent bar = bar_of(c.market, t);
      if (t % 20 == 0) bar.close = bar.low == bar.close ? bar.high : bar.low;
      ASSERT_TRUE(other.on_bar(bar, funding_of(c.market, t)).ok());
    }
    if (other.digest(0) != lanes.digest(0)) ++told;
  }
  EXPECT_GT(told, 5u);
}

TEST_P(StepperOfFamily, TellsWhatItWantsBeforeItHasIt) {
  std::size_t intents = 0;
  std::size_t had = 0;
  for (std::uint64_t seed = 40; seed < 60; ++seed) {
    const Case c = random_case(seed, family(), 1);
    StepperLanes lanes = opened(c);
    std::uint64_t last = 0;
    int wanted = 0;
    for (std::size_t t = c.first; t < c.market.size(); ++t) {
      const int stood = lanes.bars() > 0 ? lanes.standing(0).side : 0;
      const auto now = lanes.on_bar(bar_of(c.market, t), funding_of(c.market, t));
      ASSERT_TRUE(now.ok());
      // What was opened now had been wanted at the close before.
      const Standing standing = lanes.standing(0);
      if (standing.side != stood && standing.side != 0) {
        EXPECT_EQ(standing.side, wanted);
        ++had;
      }
      wanted = standing.wanted;
      for (const Intent& intent : *now) {
        EXPECT_EQ(intent.number, ++last);
        EXPECT_EQ(intent.side, standing.wanted);
        EXPECT_NE(intent.side, intent.was);
        EXPECT_EQ(intent.decided_ns, c.market.time_ns[t]);
        ++intents;
      }
    }
  }
  EXPECT_GT(intents, 100u);
  EXPECT_GT(had, 50u);
}

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (const FamilyDecl& family : families()) names.emplace_back(family.name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(Engine, StepperOfFamily, testing::ValuesIn(family_names()),
                         [](const auto& i) { return i.param; });

std::string refused(StepperLanes& lanes, const BarEvent& bar,
                    std::span<const FundingEvent> funding = {}) {
  const Hash128 before = lanes.digest(0);
  const auto result = lanes.on_bar(bar, funding);
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(before, lanes.digest(0)) << "a bar that is refused changes nothing";
  return result.ok() ? "" : result.error().text();
}

TEST(Stepper, RefusesABarThatIsNone) {
  Case c = random_case(3, families()[0], 1);
  c.first = 5;
  StepperLanes lanes = opened(c);
  step(lanes, c, 5);
  const BarEvent good = bar_of(c.market, 6);
  const auto with = [&](double BarEvent::*field, double v) {
    BarEvent bar = good;
    bar.*field = v;
    return refused(lanes, bar);
  };
  EXPECT_NE(with(&BarEvent::close, std::nan("")).find("has a price of nan"), std::string::npos);
  EXPECT_NE(with(&BarEvent::open, -1).find("has a price of -1"), std::string::npos);
  EXPECT_NE(with(&BarEvent::low, good.high * 2).find("outside its low and high"),
            std::string::npos);
  EXPECT_NE(with(&BarEvent::volume, -3).find("has a volume of -3"), std::string::npos);
  BarEvent early = good;
  early.time_ns = c.market.time_ns[5];
  EXPECT_NE(refused(lanes, early).find("opens before the one of"), std::string::npos);
  const FundingEvent before[] = {{good.time_ns - 1, 1e-4}};
  EXPECT_NE(refused(lanes, good, before).find("which is before it"), std::string::npos);
  const FundingEvent none[] = {{good.time_ns, std::numeric_limits<double>::infinity()}};
  EXPECT_NE(refused(lanes, good, none).find("without a rate"), std::string::npos);
  step(lanes, c, 6);
}

TEST(Stepper, RefusesASaveThatIsDamaged) {
  const Case c = random_case(4, families()[0], 2);
  StepperLanes lanes = opened(c);
  for (std::size_t t = c.first; t < c.first + 60; ++t) step(lanes, c, t);
  const std::string saved = lanes.save();
  for (std::size_t i = 0; i < saved.size(); i += 1 + saved.size() / 400) {
    std::string bad = saved;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    const auto result = StepperLanes::restore(bad, c.execution);
    ASSERT_FALSE(result.ok()) << "byte " << i;
    ASSERT_EQ(result.error().code(), ErrorCode::Corrupt);
  }
  for (std::size_t size = 0; size < saved.size(); size += 1 + saved.size() / 300) {
    ASSERT_FALSE(StepperLanes::restore(saved.substr(0, size), c.execution).ok());
  }
}

TEST(Stepper, RefusesASaveOfAnotherModelOrOfSeveralVariants) {
  const Case c = random_case(5, families()[0], 2);
  StepperLanes lanes = opened(c);
  ExecutionModel other = c.execution;
  other.taker_fee_bps += 1;
  const auto model = StepperLanes::restore(lanes.save(), other);
  ASSERT_FALSE(model.ok());
  EXPECT_NE(model.error().text().find("another execution model"), std::string::npos);
  const auto one = Stepper::restore(lanes.save(), c.execution);
  ASSERT_FALSE(one.ok());
  EXPECT_NE(one.error().text().find("with 2 variants; one is allowed here"), std::string::npos);
}

TEST(Stepper, SavesOnlyWhatItLooksBackOn) {
  MarketColumns market = random_market({.seed = 1, .bars = 40'000});
  Case c;
  c.market = std::move(market);
  c.family = find_family("sma_cross");
  c.rows = {20, 50, 1};
  c.first = 39'000;
  StepperLanes lanes = opened(c);
  for (std::size_t t = c.first; t < c.market.size(); ++t) step(lanes, c, t);
  EXPECT_LT(lanes.save().size(), 600u * 6 * sizeof(double));
}

}  // namespace
}  // namespace winnow::engine
