#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/det_math.hpp"
#include "base/rng.hpp"
#include "sweeps/stats/panel.hpp"

// Families with known truth for the tests of this folder.
namespace winnow::sweeps::test {

struct Family {
  std::size_t variants = 0;
  std::size_t periods = 0;
  std::vector<float> returns;  ///< [variant][period]

  PanelView view() const { return PanelView::of(std::span(returns), variants, periods); }
  float& at(std::size_t variant, std::size_t period) { return returns[variant * periods + period]; }
  void clone(std::size_t from, std::size_t to, float scale) {
    for (std::size_t t = 0; t < periods; ++t) at(to, t) = at(from, t) * scale;
  }
};

inline double normal(Rng& rng) {
  double u = rng.uniform();
  if (u <= 0) u = 0x1.0p-54;
  return det_normal_quantile(u);
}

struct FamilyOptions {
  std::size_t variants = 10;
  std::size_t periods = 365;
  double sharpe_ann = 0;  ///< true edge of every variant
  double rho = 0;         ///< correlation through one common factor
  std::uint64_t seed = 1;
};

/// Daily returns of 1% volatility, normal.
inline Family family(const FamilyOptions& o) {
  Family f{o.variants, o.periods, {}};
  f.returns.resize(o.variants * o.periods);
  Rng factor(o.seed, 0);
  std::vector<double> common(o.periods);
  for (double& v : common) v = normal(factor);
  const double mean = o.sharpe_ann / std::sqrt(365.0);
  for (std::size_t i = 0; i < o.variants; ++i) {
    Rng own(o.seed, i + 1);
    for (std::size_t t = 0; t < o.periods; ++t) {
      const double x = std::sqrt(o.rho) * common[t] + std::sqrt(1 - o.rho) * normal(own);
      f.at(i, t) = static_cast<float>(0.01 * (x + mean));
    }
  }
  return f;
}

struct ChainOptions {
  std::size_t variants = 100;
  std::size_t periods = 100;
  std::size_t chain_length = 10;
  std::uint64_t seed = 5;
};

/// Chains of variants, each the last one plus noise of `low` to `high` standard deviations: the
/// first of each chain is drawn anew.
inline Family chains(const ChainOptions& o, double low, double high) {
  Family f{o.variants, o.periods, {}};
  f.returns.resize(o.variants * o.periods);
  for (std::size_t i = 0; i < o.variants; ++i) {
    Rng rng(o.seed, i);
    const bool first = i % o.chain_length == 0;
    const double noise = low + (high - low) * rng.uniform();
    for (std::size_t t = 0; t < o.periods; ++t) {
      const double z = 0.01 * normal(rng);
      f.at(i, t) = static_cast<float>(first ? z : f.at(i - 1, t) + noise * z);
    }
  }
  return f;
}

}  // namespace winnow::sweeps::test
