#include "tests/engine/reference.hpp"

#include <gtest/gtest.h>

#include "tests/engine/support.hpp"

namespace winnow::engine {
namespace {

void expect_near(double got, double want, double scale, const char* what) {
  EXPECT_NEAR(got, want, 1e-9 * std::max(std::fabs(want), scale)) << what;
}

void expect_same(const Backtest& got, const test::Reference& want, double cash) {
  ASSERT_EQ(got.trades.size(), want.trades_.size());
  for (std::size_t i = 0; i < got.trades.size(); ++i) {
    SCOPED_TRACE("trade " + std::to_string(i));
    const Trade& a = got.trades[i];
    const Trade& b = want.trades_[i];
    ASSERT_EQ(a.entry_time_ns, b.entry_time_ns);
    ASSERT_EQ(a.exit_time_ns, b.exit_time_ns);
    EXPECT_EQ(a.side, b.side);
    expect_near(a.qty, b.qty, 0, "qty");
    expect_near(a.entry_px, b.entry_px, 0, "entry_px");
    expect_near(a.exit_px, b.exit_px, 0, "exit_px");
    expect_near(a.fees, b.fees, cash * 1e-4, "fees");
    expect_near(a.funding, b.funding, cash * 1e-4, "funding");
    expect_near(a.pnl, b.pnl, cash, "pnl");
  }
  ASSERT_EQ(got.equity.size(), want.equity_.size());
  for (std::size_t i = 0; i < got.equity.size(); ++i) {
    expect_near(got.equity[i], want.equity_[i], cash, "equity");
  }
  expect_near(got.open_qty, want.qty_, 0, "open_qty");
  EXPECT_EQ(got.metrics[static_cast<std::size_t>(find_metric("rejected_orders"))], want.rejected_);
  EXPECT_EQ(got.metrics[static_cast<std::size_t>(find_metric("trades"))],
            static_cast<double>(want.trades_.size()));
}

void expect_same_drawdown(const Backtest& got, const test::Reference& want) {
  EXPECT_NEAR(got.metrics[static_cast<std::size_t>(find_metric("drawdown_max_frac"))],
              want.drawdown_, 1e-9);
}

class ReferenceTest : public testing::TestWithParam<std::string> {};

TEST_P(ReferenceTest, AgreesToTheNinthDigit) {
  std::size_t trades = 0;
  int liquidations = 0;
  int resized = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed, 5);
    const MarketColumns columns =
        test::random_market({.seed = seed,
                             .bars = 600 + rng.below(900),
                             .interval_ns = (seed % 3 == 0 ? 60 : 5) * test::kMinuteNs,
                             .gap_share = rng.below(2) ? 0.003 : 0.0,
                             .jump_share = rng.below(2) ? 0.01 : 0.0,
                             .dry_share = rng.below(2) ? 0.02 : 0.0});
    const MarketView market = columns.view();
    const ExecutionModel execution = test::random_execution(rng, columns);
    const std::vector<double> params = test::random_params(rng, GetParam());
    const Window window{rng.below(100), market.size() - rng.below(50)};
    const auto got = run_backtest(market, window, *find_family(GetParam()), params, execution);
    ASSERT_TRUE(got.ok()) << got.error().text();
    test::Reference want(market, window, GetParam(), params, execution);
    want.run();
    expect_same(*got, want, execution.initial_cash);
    if (execution.drawdown_bars) expect_same_drawdown(*got, want);
    liquidations += want.liquidations_;
    resized += want.resized_;
    trades += want.trades_.size();
  }
  EXPECT_GT(trades, 1'000u) << "the cases must trade";
  EXPECT_GT(liquidations, 0) << "some must be liquidated";
  EXPECT_GT(resized, 1'000) << "positions must be brought back to their size";
}

std::vector<std::string> all_families() {
  std::vector<std::string> names;
  for (const FamilyDecl& family : families()) names.emplace_back(family.name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(Engine, ReferenceTest, testing::ValuesIn(all_families()),
                         [](const auto& i) { return i.param; });

}  // namespace
}  // namespace winnow::engine
