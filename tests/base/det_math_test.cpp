#include "base/det_math.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/rng.hpp"

namespace winnow {
namespace {

double ulps(double got, double want) {
  return std::fabs(got - want) /
         (std::nextafter(std::fabs(want), std::numeric_limits<double>::infinity()) -
          std::fabs(want));
}

TEST(DetMath, ExpIsWithinTwoUlpsOfTheLibrary) {
  Rng rng(1);
  for (int i = 0; i < 200'000; ++i) {
    const double x = (rng.uniform() - 0.5) * 1400;
    ASSERT_LE(ulps(det_exp(x), std::exp(x)), 2.0) << "x = " << x;
    const double small = (rng.uniform() - 0.5) * 1e-3;
    ASSERT_LE(ulps(det_exp(small), std::exp(small)), 2.0) << "x = " << small;
  }
}

TEST(DetMath, LogIsWithinTwoUlpsOfTheLibrary) {
  Rng rng(2);
  for (int i = 0; i < 200'000; ++i) {
    const double x = std::exp((rng.uniform() - 0.5) * 1400);
    ASSERT_LE(ulps(det_log(x), std::log(x)), 2.0) << "x = " << x;
    const double near_one = 1 + (rng.uniform() - 0.5) * 1e-3;
    ASSERT_LE(ulps(det_log(near_one), std::log(near_one)), 2.0) << "x = " << near_one;
  }
}

TEST(DetMath, EdgesAreNamedValues) {
  EXPECT_EQ(det_exp(0), 1.0);
  EXPECT_EQ(det_exp(-1000), 0.0);
  EXPECT_TRUE(std::isinf(det_exp(710)));
  EXPECT_TRUE(std::isnan(det_log(-1)));
  EXPECT_EQ(det_log(1), 0.0);
  EXPECT_EQ(det_log(0), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(det_pow(0, 2), 0.0);
  EXPECT_EQ(det_pow(5, 0), 1.0);
  EXPECT_NEAR(det_pow(1.7, 3.25), std::pow(1.7, 3.25), 1e-14);
}

TEST(DetMath, NormalQuantileInvertsTheDistribution) {
  for (double p = 1e-6; p < 1; p += 1e-3) {
    const double x = det_normal_quantile(p);
    EXPECT_NEAR(0.5 * std::erfc(-x / std::sqrt(2.0)), p, 2e-9);
  }
}

}  // namespace
}  // namespace winnow
