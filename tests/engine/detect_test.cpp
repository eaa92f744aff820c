#include "engine/detect.hpp"

#include <gtest/gtest.h>

#include "engine/lanes/step_window.hpp"
#include "engine/prepare.hpp"
#include "tests/engine/support.hpp"

namespace winnow::engine {
namespace {

MarketColumns market_of(std::uint64_t seed) {
  return test::random_market({.seed = seed, .bars = 1200, .jump_share = 0.01});
}

TEST(Detectors, EveryFamilyIsClean) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const MarketColumns columns = market_of(seed);
    const MarketView market = columns.view();
    Rng rng(seed, 3);
    const ExecutionModel execution = test::random_execution(rng, columns);
    for (const FamilyDecl& family : families()) {
      const auto params = test::random_params(rng, family.name);
      const auto found = detect_faults(market, {300, 1200}, family, params, execution);
      ASSERT_TRUE(found.ok()) << found.error().text();
      EXPECT_TRUE(found->clean()) << found->text;
      EXPECT_GT(found->checks, 10u);
    }
  }
}

/// A strategy with a fault: it peeks `kAhead` bars into the future, or it counts bars from the
/// start of the data.
struct FaultyMarket {
  static inline const MarketView* market = nullptr;
  static inline std::size_t every = 1;  // it peeks in one bar of so many...
  static inline bool acts = false;      // ...and then does whatever it saw
};
template <class V, int kAhead, bool kCountsHistory>
class Faulty {
 public:
  static constexpr int kColumns = 1;
  static constexpr lanes::Exits kExits = lanes::Exits::None;
  static constexpr int kExitParam = -1;
  static constexpr FamilyDecl kDecl{
      .name = "faulty", .code_version = 1, .summary = "", .params = {}};
  static ColumnSpec column(int, const double*) { return {.kind = ColumnKind::Sma, .window = 10}; }
  template <class Row>
  void load(const Row&) {}
  auto rule() const {
    return [](const auto& s) { return (s.col(0) <= s.col(0)) | (!(s.col(0) <= s.col(0))); };
  }
  template <class S>
  lanes::Wish<V> decide(const S& s) {
    return {side(s.col(0).v, s.side())};
  }
  V side(double mean, V side) {
    const std::size_t t = next_++;
    const MarketView& m = *FaultyMarket::market;
    if (kCountsHistory) return t / 7 % 2 == 0 ? V(1.0) : V(0.0);
    const bool peeks = mix64(static_cast<std::uint64_t>(m.time_ns[t])) % FaultyMarket::every == 0;
    const std::size_t seen = std::min(m.size() - 1, peeks ? t + kAhead : t);
    if (FaultyMarket::acts) {
      if (peeks) return m.close[seen] > m.open[seen] ? V(1.0) : V(-1.0);
      return m.close[t] > mean * 1.01 ? V(1.0) : side;
    }
    return m.close[seen] > mean * 1.001 ? V(1.0) : m.close[seen] < mean ? V(0.0) : side;
  }
  void position_changed(V) {}
  static inline std::size_t next_ = 0;
};

template <class Strategy>
Result<std::vector<Fill>> run_faulty(const MarketView& market, Window window) {
  FaultyMarket::market = &market;
  Strategy::next_ = window.first;
  const ExecutionModel execution;
  const Prepared prepared(market, window, execution);
  const ColumnSpec spec = Strategy::column(0, nullptr);
  const std::uint32_t column = 0;
  std::vector<double> equity(prepared.periods());
  std::vector<double> exposure(prepared.periods());
  std::vector<double> tallies(lanes::kTallies);
  lanes::Job job = prepared.job();
  job.slots = 1;
  job.specs = &spec;
  job.spec_count = 1;
  job.columns = &column;
  job.period_equity = equity.data();
  job.period_exposure = exposure.data();
  job.tallies = tallies.data();
  TradeRecorder recorder(market, window);
  lanes::StepWindow<Strategy, lanes::Simulator, MaybeRecorder> steps(job, 256,
                                                                     MaybeRecorder(&recorder));
  steps.run_to(window.last);
  steps.finish();
  return recorder.fills;
}

template <int kAhead>
using Peeking = Faulty<lanes::Lane1, kAhead, false>;

TEST(Detectors, CatchALookAheadOfOneBar) {
  const MarketColumns columns = market_of(21);
  const MarketView market = columns.view();
  const auto honest = detect_look_ahead(market, {50, 1200}, run_faulty<Peeking<0>>, {});
  ASSERT_TRUE(honest.ok());
  EXPECT_TRUE(honest->clean()) << honest->text;
  for (const auto& fills_of : {FillsOf(run_faulty<Peeking<1>>), FillsOf(run_faulty<Peeking<5>>)}) {
    const auto found = detect_look_ahead(market, {50, 1200}, fills_of, {});
    ASSERT_TRUE(found.ok());
    EXPECT_FALSE(found->clean());
    EXPECT_NE(found->text.find("look-ahead: with data only up to the open of bar"),
              std::string::npos);
  }
}

// A leak that acts in one bar of 500, among decisions that are honest.
TEST(Detectors, A2ARareLookAheadIsFoundInEveryMarket) {
  FaultyMarket::every = 500;
  FaultyMarket::acts = true;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const MarketColumns columns = test::random_market({.seed = seed, .bars = 12'000});
    const auto found = detect_look_ahead(columns.view(), {50, 12'000}, run_faulty<Peeking<1>>,
                                         {.stretch_bars = 512,
                                          .cuts_max = 2'000,
                                          .history_bars = 50,
                                          .bars_max = 12'000'000,
                                          .stop = {}});
    ASSERT_TRUE(found.ok());
    EXPECT_FALSE(found->clean());
  }
  FaultyMarket::every = 1;
  FaultyMarket::acts = false;
}

/// Fills of a trader that knows `side` at once, and whose size or price may look at a bar's volume.
FillsOf trader(std::function<Fill(const MarketView&, std::size_t bar)> entry) {
  return [entry = std::move(entry)](const MarketView& m, Window w) -> Result<std::vector<Fill>> {
    std::vector<Fill> fills;
    for (std::size_t t = w.first + 1; t < w.last; ++t) {
      if (t % 40 == 0) fills.push_back(entry(m, t));
    }
    return fills;
  };
}

TEST(Detectors, A5TheVolumeOfAnOpeningBarMayCutAFillAndNothingElse) {
  const MarketColumns columns = market_of(31);
  const MarketView market = columns.view();
  const auto check = [&](const auto& entry) {
    const auto found = detect_look_ahead(market, {50, 1200}, trader(entry), {});
    EXPECT_TRUE(found.ok());
    return found->text;
  };
  const auto fill = [](const MarketView& m, std::size_t t, double qty, double slip) {
    return Fill{t, lanes::FillKind::Entry, qty, m.open[t] * (1 + slip)};
  };
  EXPECT_EQ(check([&](const MarketView& m, std::size_t t) {
              return fill(m, t, std::min(5.0, m.volume[t] * 0.1), 1e-4);
            }),
            "");
  const std::string sized = check(
      [&](const MarketView& m, std::size_t t) { return fill(m, t, 0.1 * m.volume[t], 1e-4); });
  EXPECT_NE(sized.find("another volume of that bar, which is only opening"), std::string::npos)
      << sized;
  const std::string priced = check(
      [&](const MarketView& m, std::size_t t) { return fill(m, t, 1, 1e-3 / (1 + m.volume[t])); });
  EXPECT_NE(priced.find("look-ahead"), std::string::npos) << priced;
  // More than was wanted, because much was traded: no cut.
  const std::string more = check([&](const MarketView& m, std::size_t t) {
    return fill(m, t, m.volume[t] < 1e6 ? 3 : 1, 1e-4);
  });
  EXPECT_NE(more.find("by the volume of that bar"), std::string::npos) << more;
}

TEST(Detectors, A2TheEndOfTheWindowIsNotKnown) {
  const MarketColumns columns = market_of(32);
  const FillsOf fills_of = [](const MarketView& m, Window w) -> Result<std::vector<Fill>> {
    return std::vector<Fill>{
        {w.first + (w.last - w.first) / 2, lanes::FillKind::Entry, 1, m.open[w.first]}};
  };
  const auto found = detect_look_ahead(columns.view(), {50, 1200}, fills_of, {});
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->clean());
}

TEST(Detectors, StopWhenTold) {
  const MarketColumns columns = market_of(33);
  const auto found = detect_look_ahead(columns.view(), {50, 1200}, run_faulty<Peeking<0>>,
                                       {.stop = [] { return true; }});
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code(), ErrorCode::Cancelled);
}

TEST(Detectors, CatchDependenceOnTheLengthOfHistory) {
  const MarketColumns columns = market_of(22);
  const MarketView market = columns.view();
  const auto honest = detect_warm_up(market, {200, 1200}, run_faulty<Peeking<0>>, 9);
  ASSERT_TRUE(honest.ok());
  EXPECT_TRUE(honest->clean()) << honest->text;
  const auto found =
      detect_warm_up(market, {200, 1200}, run_faulty<Faulty<lanes::Lane1, 0, true>>, 9);
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->clean());
  EXPECT_NE(found->text.find("warm-up: with"), std::string::npos);
  // Less history than the indicator needs shows too, in one of a few windows.
  bool shown = false;
  for (std::size_t first = 200; first < 260; first += 3) {
    shown = shown || !detect_warm_up(market, {first, 1200}, run_faulty<Peeking<0>>, 2)->clean();
  }
  EXPECT_TRUE(shown);
}

TEST(Detectors, PassOnWhatTheStrategyRefuses) {
  const MarketColumns columns = market_of(23);
  const MarketView market = columns.view();
  const FamilyDecl& family = *find_family("sma_cross");
  const auto found = detect_faults(market, {300, 1200}, family, std::vector<double>{9, 3, 0}, {});
  EXPECT_FALSE(found.ok());
}

}  // namespace
}  // namespace winnow::engine
