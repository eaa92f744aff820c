#pragma once

#include <cstdint>

#include "base/check.hpp"

namespace winnow {

/// Mixes 64 bits (the finaliser of SplitMix64, Steele, Lea, Flood 2014).
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

/// Purpose: seeded random numbers that are the same on every machine and need no state to be
/// shipped: draw `i` of stream `s` under `seed` is a function of the three (law 6).
/// Thread: one per instance.
class Rng {
 public:
  explicit constexpr Rng(std::uint64_t seed, std::uint64_t stream = 0)
      : key_(mix64(seed ^ mix64(stream ^ 0x5851f42d4c957f2dull))) {}

  constexpr std::uint64_t next_u64() { return mix64(key_ ^ mix64(counter_++)); }

  /// Uniform in [0, 1) with 53 bits.
  constexpr double uniform() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }

  /// Uniform in [0, n). Requires: n > 0. Rejection keeps it exact.
  constexpr std::uint64_t below(std::uint64_t n) {
    WINNOW_REQUIRES(n > 0);
    const std::uint64_t limit = ~std::uint64_t{0} - (~std::uint64_t{0} % n + 1) % n;
    for (;;) {
      const std::uint64_t x = next_u64();
      if (x <= limit) return x % n;
    }
  }

  /// Jumps to draw `i` of this stream.
  constexpr void seek(std::uint64_t i) { counter_ = i; }

  // UniformRandomBitGenerator, for std algorithms whose result does not matter across libraries.
  using result_type = std::uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  constexpr result_type operator()() { return next_u64(); }

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

}  // namespace winnow
