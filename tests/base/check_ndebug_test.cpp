// Contracts as `./run` has them: with NDEBUG defined, whatever this build is.
#undef NDEBUG
#define NDEBUG
#include "base/check.hpp"

#include <gtest/gtest.h>

namespace winnow {
namespace {

TEST(CheckNdebugDeathTest, NothingIsEvaluatedButWhatEveryBuildChecks) {
  int evaluated = 0;
  const auto broken = [&evaluated] { return ++evaluated < 0; };
  WINNOW_REQUIRES(broken());
  WINNOW_ENSURES(broken());
  WINNOW_INVARIANT(broken());
  EXPECT_EQ(evaluated, 0);
  EXPECT_DEATH(WINNOW_CHECK(broken()), "winnow: broken check at .*: broken\\(\\)");
}

constexpr int unchecked_sign(int x) {
  const bool known = x != 0;  // used by nothing else, and no warning says so
  WINNOW_REQUIRES(known);
  return x > 0 ? 1 : -1;
}
static_assert(unchecked_sign(0) == -1);

}  // namespace
}  // namespace winnow
