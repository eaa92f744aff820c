#include "engine/lanes/range.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/rng.hpp"

namespace winnow::engine::lanes {
namespace {

using V = Lane1;

constexpr double kInf = std::numeric_limits<double>::infinity();

/// Values of two columns in one block.
struct Block {
  std::vector<double> x;
  std::vector<double> y;
};

double value_of(Rng& rng) {
  switch (rng.below(12)) {
    case 0:
      return 0;
    case 1:
      return -1;
    case 2:
      return 1e300 * (rng.uniform() - 0.5);
    case 3:
      return 1e-300 * (rng.uniform() - 0.5);
    default:
      return 4 * (rng.uniform() - 0.5);
  }
}

Block random_block(Rng& rng) {
  Block b;
  const bool wide = rng.below(2) == 0;
  const double at = value_of(rng);
  for (int i = 0; i < 8; ++i) {
    b.x.push_back(wide ? value_of(rng) : at + 1e-3 * rng.uniform());
    b.y.push_back(value_of(rng));
  }
  return b;
}

// As tiles summarise a block: with a value that is missing, nothing is known.
Range<V> range_of(const std::vector<double>& values) {
  Range<V> r{V(kInf), V(-kInf)};
  for (const double v : values) {
    if (v != v) return {V(-kInf), V(kInf)};
    r.lo = smaller(r.lo, V(v));
    r.hi = larger(r.hi, V(v));
  }
  return r;
}

template <class Condition>
void expect_bounds(const Condition& condition) {
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    Rng rng(seed, 3);
    Block block = random_block(rng);
    if (seed % 10 == 0) block.x[rng.below(8)] = std::numeric_limits<double>::quiet_NaN();
    const V p(seed % 37 == 0 ? std::numeric_limits<double>::quiet_NaN() : value_of(rng));
    const Maybe<Mask1> bound = condition(range_of(block.x), range_of(block.y), p);
    for (std::size_t i = 0; i < block.x.size(); ++i) {
      const Mask1 exact = condition(V(block.x[i]), V(block.y[i]), p);
      ASSERT_TRUE(exact.on ? bound.yes.on : bound.no.on)
          << "seed " << seed << " x " << block.x[i] << " y " << block.y[i] << " p " << p.v;
    }
  }
}

// Whatever holds at a bar of a block may hold there, and whatever fails may fail.
TEST(Range, BoundsHoldForEveryOperator) {
  expect_bounds([](auto x, auto y, V) { return x < y; });
  expect_bounds([](auto x, auto y, V) { return x <= y; });
  expect_bounds([](auto x, auto y, V) { return x > y; });
  expect_bounds([](auto x, auto y, V) { return x >= y; });
  expect_bounds([](auto x, auto y, V) { return x == y; });
  expect_bounds([](auto x, auto y, V) { return x != y; });
  expect_bounds([](auto x, auto, V p) { return x < p; });
  expect_bounds([](auto x, auto, V p) { return p <= x; });
  expect_bounds([](auto x, auto y, V p) { return x + y > p; });
  expect_bounds([](auto x, auto y, V p) { return x - y <= p; });
  expect_bounds([](auto x, auto y, V p) { return x * y < p; });
  expect_bounds([](auto x, auto y, V p) { return x / y >= p; });
  expect_bounds([](auto x, auto y, V p) { return p / y >= x * p; });
  expect_bounds([](auto x, auto y, V p) { return magnitude(x - y) > p; });
  expect_bounds([](auto x, auto y, V p) { return larger(x, y) < smaller(y, x + p); });
}

TEST(Range, BoundsHoldForWhatIsMadeOfThem) {
  expect_bounds([](auto x, auto y, V p) { return !((x > p) & (y > p)); });
  expect_bounds([](auto x, auto y, V p) { return (x > p) | (!(y < x)); });
  expect_bounds([](auto x, auto y, V p) { return !((!(x + y > p)) | (x * p <= y)); });
  expect_bounds([](auto x, auto, V p) { return (x > p) & (p > V(0.0)); });
  expect_bounds([](auto x, auto, V p) { return (!(x > p)) | (p > V(0.0)); });
  expect_bounds([](auto x, auto y, V p) { return (p <= V(1.0)) & (!(x > y)); });
}

// A bound that always says maybe would hold as well.
TEST(Range, ABlockThatLiesApartIsKnown) {
  const Range<V> low{V(1.0), V(2.0)};
  const Range<V> high{V(3.0), V(4.0)};
  EXPECT_FALSE((low > high).yes.on);
  EXPECT_FALSE((low < high).no.on);
  EXPECT_FALSE((low + high <= V(3.9)).yes.on);
  EXPECT_FALSE((low * high > V(8.0)).yes.on);
  EXPECT_FALSE((low / high > V(0.7)).yes.on);
  EXPECT_FALSE((magnitude(low - high) < V(1.0)).yes.on);
  EXPECT_FALSE((!(low < high)).yes.on);
}

}  // namespace
}  // namespace winnow::engine::lanes
