#include <gtest/gtest.h>

#include <bit>

#include "engine/engine.hpp"
#include "tests/engine/support.hpp"

namespace winnow::engine {
namespace {

struct Setting {
  MarketColumns columns = test::random_market({.seed = 31, .bars = 6'000, .jump_share = 0.01});
  MarketView market = columns.view();
  ExecutionModel execution;
  std::vector<double> rows;
  std::vector<std::uint32_t> metrics;

  explicit Setting(std::size_t variants) {
    Rng rng(17, 3);
    execution = test::random_execution(rng, columns);
    rows = test::random_rows(rng, "mean_reversion", variants);
    for (std::size_t m = 0; m < metric_decls().size(); ++m) {
      if (metric_from_equity(static_cast<int>(m))) {
        metrics.push_back(static_cast<std::uint32_t>(m));
      }
    }
  }
  BatchRequest request(Window window) const {
    return {&market, window, find_family("mean_reversion"), rows, &execution, best_isa(), {},
            {},      {}};
  }
};

// The curve up to a day is what a run that ends there reports: the future cannot be seen in it.
TEST(Points, AreTheMetricsOfTheWindowCutThere) {
  const Setting setting(37);
  const Window window{150, setting.columns.size()};
  const auto starts = period_starts(setting.market, window);
  ASSERT_GT(starts.size(), 12u);
  const std::vector<std::uint32_t> after = {1, 2, 7, static_cast<std::uint32_t>(starts.size() - 1),
                                            static_cast<std::uint32_t>(starts.size())};
  BatchRequest request = setting.request(window);
  request.point_metrics = setting.metrics;
  request.point_periods = after;
  const auto whole = run_batch(request);
  ASSERT_TRUE(whole.ok()) << whole.error().text();
  const std::size_t n = whole->variants;
  for (std::size_t step = 0; step < after.size(); ++step) {
    Window cut = window;
    if (after[step] < starts.size()) {
      const auto& times = setting.columns.time_ns;
      cut.last = static_cast<std::size_t>(
          std::lower_bound(times.begin(), times.end(), starts[after[step]]) - times.begin());
    }
    const auto part = run_batch(setting.request(cut));
    ASSERT_TRUE(part.ok()) << part.error().text();
    for (std::size_t m = 0; m < setting.metrics.size(); ++m) {
      for (std::size_t v = 0; v < n; ++v) {
        const double point = whole->points[(m * after.size() + step) * n + v];
        const double metric = part->metrics[setting.metrics[m] * n + v];
        ASSERT_EQ(std::bit_cast<std::uint64_t>(point), std::bit_cast<std::uint64_t>(metric))
            << metric_decls()[setting.metrics[m]].name << " after " << after[step]
            << " days, variant " << v << ": " << point << " and " << metric;
      }
    }
  }
}

TEST(Points, ChangeNothingElse) {
  const Setting setting(20);
  BatchRequest request = setting.request({100, 5'000});
  const auto plain = run_batch(request);
  const std::vector<std::uint32_t> after = {0, 3};
  request.point_metrics = setting.metrics;
  request.point_periods = after;
  const auto curves = run_batch(request);
  ASSERT_TRUE(plain.ok() && curves.ok());
  EXPECT_EQ(plain->returns, curves->returns);
  for (std::size_t i = 0; i < plain->metrics.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint64_t>(plain->metrics[i]),
              std::bit_cast<std::uint64_t>(curves->metrics[i]));
  }
  EXPECT_TRUE(std::isnan(curves->points[0])) << "before the first day there is nothing to measure";
}

TEST(Points, OfMetricsThatNeedTradesAreRefused) {
  const Setting setting(4);
  BatchRequest request = setting.request({100, 5'000});
  const std::vector<std::uint32_t> trades = {static_cast<std::uint32_t>(find_metric("trades"))};
  request.point_metrics = trades;
  EXPECT_FALSE(run_batch(request).ok());
}

TEST(Batch, StopsBetweenTilesWhenToldSo) {
  const Setting setting(16);
  BatchRequest request = setting.request({100, 6'000});
  int asked = 0;
  request.stop = [&] { return ++asked == 2; };
  const auto stopped = run_batch(request);
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code(), ErrorCode::Cancelled);
  EXPECT_EQ(asked, 2);
  request.stop = [&] { return ++asked < 0; };
  const auto whole = run_batch(request);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->returns, run_batch(setting.request({100, 6'000}))->returns);
  EXPECT_GT(asked, 3);
}

TEST(Batch, SaysHowMuchMemoryItTakes) {
  const Setting one(1);
  const Setting many(500);
  const auto small = batch_bytes(one.request({100, 6'000}));
  const auto large = batch_bytes(many.request({100, 6'000}));
  ASSERT_TRUE(small.ok() && large.ok());
  EXPECT_GT(*large, *small);
  const auto result = run_batch(many.request({100, 6'000}));
  ASSERT_TRUE(result.ok());
  const std::size_t result_bytes =
      result->metrics.capacity() * sizeof(double) + result->returns.capacity() * sizeof(float);
  EXPECT_GT(*large, result_bytes);
  EXPECT_LT(*small, std::uint64_t{4} << 20);
}

}  // namespace
}  // namespace winnow::engine
