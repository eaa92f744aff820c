#include "sweeps/search/sampler.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "base/check.hpp"
#include "base/rng.hpp"
#include "sweeps/search/sampler_joe_kuo.hpp"

namespace winnow::sweeps {
namespace {

using Directions = std::array<std::uint32_t, 32>;

static_assert(kSobolDimensionsMax == kJoeKuoRows + 1);

constexpr std::array<Directions, kSobolDimensionsMax> make_directions() {
  std::array<Directions, kSobolDimensionsMax> out{};
  for (unsigned k = 0; k < 32; ++k) out[0][k] = std::uint32_t{1} << (31 - k);
  for (std::size_t d = 1; d < kSobolDimensionsMax; ++d) {
    const JoeKuoRow& row = kJoeKuo[d - 1];
    Directions& v = out[d];
    for (unsigned k = 0; k < row.degree; ++k) v[k] = row.m[k] << (31 - k);
    for (unsigned k = row.degree; k < 32; ++k) {
      v[k] = v[k - row.degree] ^ (v[k - row.degree] >> row.degree);
      for (unsigned j = 1; j < row.degree; ++j) {
        if ((row.interior >> (row.degree - 1 - j) & 1u) != 0) v[k] ^= v[k - j];
      }
    }
  }
  return out;
}
constexpr std::array<Directions, kSobolDimensionsMax> kDirections = make_directions();

constexpr std::uint64_t kLatinSalt = 0x6c61'7469'6e31'0001ull;

std::uint64_t stream_of(std::uint64_t segment, std::uint64_t trial) {
  return mix64(segment) + trial;
}

}  // namespace

double sobol(std::uint64_t index, std::size_t dimension) {
  WINNOW_REQUIRES(dimension < kSobolDimensionsMax && index < kSobolPointsMax);
  const Directions& v = kDirections[dimension];
  std::uint32_t x = 0;
  for (std::uint64_t gray = index ^ (index >> 1); gray != 0; gray &= gray - 1) {
    x ^= v[static_cast<std::size_t>(std::countr_zero(gray))];
  }
  return static_cast<double>(x) * 0x1.0p-32;
}

Permutation::Permutation(std::uint64_t n, std::uint64_t key)
    : n_(n),
      key_(mix64(key)),
      half_bits_(std::max(1u, (static_cast<unsigned>(std::bit_width(n - 1)) + 1) / 2)) {
  WINNOW_REQUIRES(n > 0);
}

std::uint64_t Permutation::operator()(std::uint64_t i) const {
  WINNOW_REQUIRES(i < n_);
  constexpr unsigned kRounds = 6;
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  // The network permutes a power of four that is at least n; walking on from outside stays in the
  // same cycle, so the result permutes 0..n-1.
  do {
    std::uint64_t left = i >> half_bits_;
    std::uint64_t right = i & mask;
    for (unsigned round = 0; round < kRounds; ++round) {
      const std::uint64_t next = left ^ (mix64(key_ + (right << 3 | round)) & mask);
      left = right;
      right = next;
    }
    i = left << half_bits_ | right;
  } while (i >= n_);
  return i;
}

double uniform_at(std::uint64_t seed, std::uint64_t segment, std::uint64_t trial,
                  std::uint64_t draw) {
  Rng rng(seed, stream_of(segment, trial));
  rng.seek(draw);
  return rng.uniform();
}

double latin_hypercube(std::uint64_t seed, std::uint64_t segment, std::uint64_t rows,
                       std::uint64_t row, std::uint64_t dimension) {
  WINNOW_REQUIRES(row < rows);
  const std::uint64_t key = mix64(seed ^ kLatinSalt) ^ mix64(mix64(segment) + dimension);
  const auto stratum = static_cast<double>(Permutation(rows, key)(row));
  const auto n = static_cast<double>(rows);
  const double x = (stratum + uniform_at(seed ^ kLatinSalt, segment, row, dimension)) / n;
  // Rounding may reach the next stratum's edge when the draw is nearly 1.
  return x * n < stratum + 1 ? x : stratum / n;
}

}  // namespace winnow::sweeps
