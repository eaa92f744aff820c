// Contracts as builds with assertions have them, whatever this one is.
#undef NDEBUG
#include "base/check.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace winnow {
namespace {

constexpr int checked_half(int x) {
  WINNOW_REQUIRES(x % 2 == 0);
  const int half = x / 2;
  WINNOW_INVARIANT(half <= x || x < 0);
  WINNOW_ENSURES(2 * half == x);
  return half;
}
static_assert(checked_half(8) == 4, "contracts hold where the compiler runs them");

TEST(Check, HoldingContractsSayNothing) {
  EXPECT_EQ(checked_half(-6), -3);
  const std::array<int, 2> pair{1, 2};
  WINNOW_REQUIRES(std::array<int, 2>{1, 2} == pair);
  WINNOW_CHECK(pair.size() == 2);
}

// `line` follows the name of this file and stands before the function's name.
std::string words(const std::string& contract, int line, const std::string& condition) {
  return "winnow: broken " + contract +
         " at .*tests/base/check_test\\.cpp:" + std::to_string(line) + " \\(.*\\): " + condition;
}

TEST(CheckDeathTest, SaysWhichContractIsBrokenAndWhere) {
  const int zero = 0;
  EXPECT_DEATH(WINNOW_REQUIRES(zero > 1), words("requirement", __LINE__, "zero > 1"));
  EXPECT_DEATH(WINNOW_ENSURES(zero > 2), words("promise", __LINE__, "zero > 2"));
  EXPECT_DEATH(WINNOW_INVARIANT(zero > 3), words("invariant", __LINE__, "zero > 3"));
  EXPECT_DEATH(WINNOW_CHECK(zero > 4), words("check", __LINE__, "zero > 4"));
  EXPECT_DEATH(checked_half(3), "broken requirement at .*checked_half.*: x % 2 == 0");
}

}  // namespace
}  // namespace winnow
