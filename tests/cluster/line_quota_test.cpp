#include "cluster/door/line_quota.hpp"

#include <gtest/gtest.h>

namespace winnow::cluster {
namespace {

TEST(LineQuota, WritesTheFirstAndCountsTheOthersOnce) {
  LineQuota quota;
  MonoNs now = MonoNs{} + seconds(100);
  std::uint64_t written = 0;
  for (int i = 0; i < 1000; ++i) written += quota.take(now) ? 1 : 0;
  EXPECT_EQ(written, LineQuota::kLinesMax);
  EXPECT_EQ(quota.take_missed(now), 0u) << "their second is not over";
  now = now + seconds(1);
  EXPECT_EQ(quota.take_missed(now), 1000u - LineQuota::kLinesMax);
  EXPECT_EQ(quota.take_missed(now), 0u);
  EXPECT_TRUE(quota.take(now));
}

}  // namespace
}  // namespace winnow::cluster
