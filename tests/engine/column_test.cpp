#include "engine/lanes/column.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tests/engine/support.hpp"

namespace winnow::engine::lanes {
namespace {

std::vector<double> values(ColumnSpec spec, std::span<const double> close, std::int64_t ordinal,
                           std::size_t tile) {
  RollingColumn column(spec, close, ordinal);
  std::vector<double> out(close.size());
  for (std::size_t t = 0; t < close.size(); t += tile) {
    column.fill(t, std::min(close.size(), t + tile), out.data() + t);
  }
  return out;
}

TEST(RollingColumn, IsTheMeanAndZScoreOfItsWindow) {
  const MarketColumns m = test::random_market({.seed = 4, .bars = 900});
  for (const int w : {1, 2, 3, 4, 5, 7, 8, 31, 96, 500}) {
    const auto sma = values({ColumnKind::Sma, w}, m.close, 12345, 256);
    const auto z = values({ColumnKind::ZScore, w}, m.close, 12345, 256);
    for (std::size_t t = 0; t < m.size(); ++t) {
      const auto n = static_cast<std::size_t>(w);
      if (t + 1 < n) {
        EXPECT_TRUE(std::isnan(sma[t]));
        EXPECT_EQ(z[t], 0);
        continue;
      }
      long double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += m.close[t - i];
      const auto mean = static_cast<double>(sum / w);
      long double squares = 0;
      for (std::size_t i = 0; i < n; ++i) squares += std::pow(m.close[t - i] - mean, 2);
      const auto sd = static_cast<double>(std::sqrt(squares / w));
      ASSERT_NEAR(sma[t], mean, 1e-12 * mean) << w << " " << t;
      if (w > 1) {
        ASSERT_NEAR(z[t], (m.close[t] - mean) / sd, 1e-9) << w << " " << t;
      }
    }
  }
}

TEST(RollingColumn, MoreHistoryOrOtherTilesChangeNoBit) {
  const MarketColumns m = test::random_market({.seed = 5, .bars = 1500});
  for (const ColumnKind kind : {ColumnKind::Sma, ColumnKind::ZScore}) {
    for (const int w : {2, 5, 17, 64, 250}) {
      const auto all = values({kind, w}, m.close, 777, 1500);
      for (const std::size_t dropped : {1, 2, 63, 400}) {
        const auto later = values({kind, w}, std::span(m.close).subspan(dropped),
                                  777 + static_cast<std::int64_t>(dropped), 64);
        const std::size_t warm = static_cast<std::size_t>(w) - 1;
        for (std::size_t i = warm; i < later.size(); ++i) {
          ASSERT_EQ(0, std::memcmp(&later[i], &all[i + dropped], 8)) << w << " " << dropped;
        }
      }
    }
  }
}

TEST(RollingColumn, DataThatEndsEarlierChangesNoBit) {
  const MarketColumns m = test::random_market({.seed = 6, .bars = 700});
  for (const ColumnKind kind : {ColumnKind::Sma, ColumnKind::ZScore}) {
    for (const int w : {2, 5, 17, 64, 250}) {
      const auto all = values({kind, w}, m.close, 31, 256);
      for (std::size_t n = 400; n < 420; ++n) {
        const auto cut = values({kind, w}, std::span(m.close).first(n), 31, 256);
        const std::size_t warm = static_cast<std::size_t>(w) - 1;
        ASSERT_EQ(0, std::memcmp(&cut[warm], &all[warm], (n - warm) * sizeof(double))) << w;
      }
    }
  }
}

TEST(RollingColumn, AFlatWindowHasNoZScoreAndAnExactMean) {
  for (const double px : {0.1, 100.0, 1e-7, 61234.56}) {
    std::vector<double> close(400, px);
    close[3] = px * 1.3;  // long before, inside an earlier block
    for (const int w : {3, 7, 50}) {
      const auto z = values({ColumnKind::ZScore, w}, close, 5, 128);
      const auto sma = values({ColumnKind::Sma, w}, close, 5, 128);
      for (std::size_t t = 120; t < close.size(); ++t) {
        ASSERT_EQ(z[t], 0);
        ASSERT_EQ(sma[t], px);
      }
    }
  }
}

TEST(RollingColumn, ErrorsDoNotGrowWithTime) {
  // A jump of twelve orders of magnitude would stay in a running sum forever.
  std::vector<double> close(5000, 1.0);
  for (std::size_t i = 0; i < close.size(); ++i) close[i] += 1e-6 * std::sin(double(i));
  close[100] = 1e12;
  const auto sma = values({ColumnKind::Sma, 20}, close, 0, 512);
  for (std::size_t t = 4000; t < close.size(); ++t) {
    double sum = 0;
    for (std::size_t i = 0; i < 20; ++i) sum += close[t - i] - 1.0;
    ASSERT_NEAR(sma[t], 1.0 + sum / 20, 1e-15);
  }
}

}  // namespace
}  // namespace winnow::engine::lanes
