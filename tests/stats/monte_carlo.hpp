#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "base/rng.hpp"
#include "sweeps/convergence/convergence.hpp"

// Families drawn again and again, to measure how often the verdict is wrong.
namespace winnow::sweeps::test {

/// Four normal-like numbers a draw would be too coarse; the sum of four 16-bit uniforms is within
/// .1% of normal for everything that a block mean of ten days can see.
inline float quick_normal(Rng& rng) {
  const std::uint64_t v = rng.next_u64();
  float sum = 0;
  for (int k = 0; k < 4; ++k) sum += static_cast<float>((v >> (16 * k)) & 0xffff);
  return (sum - 131070.0f) / 37837.2f;
}

struct World {
  std::size_t variants = 100;
  std::size_t periods = 365;
  double rho = 0.6;
  /// Mean of a variant's day in standard deviations.
  std::function<double(std::size_t variant, std::size_t day)> edge = [](auto, auto) { return 0.0; };
};

inline double daily(double sharpe_ann) { return sharpe_ann / std::sqrt(365.0); }

/// Returns of all variants [variant][day].
inline std::vector<float> draw_world(const World& w, std::uint64_t seed) {
  std::vector<float> returns(w.variants * w.periods);
  std::vector<float> common(w.periods);
  Rng factor(seed, 0);
  for (float& v : common) v = quick_normal(factor);
  const auto a = static_cast<float>(std::sqrt(w.rho));
  const auto b = static_cast<float>(std::sqrt(1 - w.rho));
  for (std::size_t i = 0; i < w.variants; ++i) {
    Rng own(seed, i + 1);
    for (std::size_t t = 0; t < w.periods; ++t) {
      returns[i * w.periods + t] =
          a * common[t] + b * quick_normal(own) + static_cast<float>(w.edge(i, t));
    }
  }
  return returns;
}

inline Convergence score_world(const World& w, std::uint64_t seed,
                               const ConvergenceOptions& options) {
  const std::vector<float> returns = draw_world(w, seed);
  return score_convergence(PanelView::of(std::span<const float>(returns), w.variants, w.periods),
                           options);
}

/// For how many of `draws` seeds `hit` is true. Two threads; the count does not depend on them.
inline std::size_t count_seeds(std::size_t draws, std::uint64_t seed,
                               const std::function<bool(std::uint64_t)>& hit) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> hits{0};
  const auto work = [&] {
    for (std::size_t d = next++; d < draws; d = next++) {
      if (hit(mix64(seed + d))) ++hits;
    }
  };
  std::thread other(work);
  work();
  other.join();
  return hits;
}

/// How many of `draws` seeded families satisfy `hit`.
inline std::size_t count_families(std::size_t draws, std::uint64_t seed, const World& world,
                                  const ConvergenceOptions& options,
                                  const std::function<bool(const Convergence&)>& hit) {
  return count_seeds(draws, seed,
                     [&](std::uint64_t s) { return hit(score_world(world, s, options)); });
}

inline bool converged(const Convergence& c) { return c.verdict == Verdict::Converged; }

/// The score's own error rates: without the stress gate, which only makes it stricter.
inline ConvergenceOptions score_only() {
  ConvergenceOptions o;
  o.stress_sd = 0;
  return o;
}

}  // namespace winnow::sweeps::test
