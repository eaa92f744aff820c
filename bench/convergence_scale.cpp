// The convergence score of 1,000,000 variants x 365 days, and PBO by CSCV with 16 blocks over
// 100,000 variants, on as many threads as there are processors. Families differ in what makes the
// search for clones hard. `peak_mib` is the process's largest resident size during the run, the
// panel included (Linux). `check` is a hash of the score: the same on every machine and every run.
//
// WINNOW_BENCH_SMALL: 4,500 variants, and the groups of clones are compared with all pairs.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "serve/parallel.hpp"
#include "sweeps/convergence/convergence.hpp"
#include "sweeps/convergence/dedupe.hpp"
#include "sweeps/convergence/kernels.hpp"
#include "sweeps/stats/pbo.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::size_t kPeriods = 365;
constexpr std::size_t kClusters = 100;
constexpr std::uint64_t kSeed = 31;

enum World : std::int64_t {
  kNoise,        ///< nothing in common
  kOneFactor,    ///< correlation .9 through one factor
  kClones,       ///< one variant again and again
  kClusters98,   ///< 100 clusters, correlation .98 inside: near clones that must stay apart
  kClusters995,  ///< 100 clusters, correlation .995 inside: clones
  kChain,        ///< each the one before with noise, correlation .9925
  kPlateau,      ///< a grid of two parameters: neighbours correlate most, all correlate some
  kWorlds
};
constexpr const char* kNames[kWorlds] = {"noise",        "one_factor", "clones", "clusters_98",
                                         "clusters_995", "chain",      "plateau"};

bool small() { return std::getenv("WINNOW_BENCH_SMALL") != nullptr; }

/// The sum of four 16-bit uniforms, scaled to unit variance: normal enough, and fast.
float quick_normal(Rng& rng) {
  const std::uint64_t v = rng.next_u64();
  float sum = 0;
  for (int k = 0; k < 4; ++k) sum += static_cast<float>((v >> (16 * k)) & 0xffff);
  return (sum - 131070.0f) / 37837.2f;
}

std::vector<float> normals(std::uint64_t stream) {
  Rng rng(kSeed, stream);
  std::vector<float> out(kPeriods);
  for (float& v : out) v = quick_normal(rng);
  return out;
}

/// Row i = shared * (root of corr) + own * (root of 1 - corr).
void mix(float* row, const std::vector<float>& shared, double corr, std::uint64_t stream) {
  Rng own(kSeed, stream);
  const auto a = static_cast<float>(std::sqrt(corr));
  const auto b = static_cast<float>(std::sqrt(1 - corr));
  for (std::size_t t = 0; t < kPeriods; ++t) row[t] = a * shared[t] + b * quick_normal(own);
}

/// A variant at (x, y) of a smooth field: cosines of the position weigh 16 factors.
void plateau_row(float* row, const std::vector<std::vector<float>>& factors, double x, double y) {
  std::fill_n(row, kPeriods, 0.0f);
  for (std::size_t f = 0; f < factors.size(); ++f) {
    const double along = 3 * static_cast<double>(f % 4);
    const std::size_t row_of_factor = f / 4;
    const double across = 3 * static_cast<double>(row_of_factor);
    const auto w = static_cast<float>(std::cos(along * x) * std::cos(across * y));
    for (std::size_t t = 0; t < kPeriods; ++t) row[t] += w * factors[f][t];
  }
}

std::vector<float> make_panel(World world, std::size_t n, const ParallelFor& parallel) {
  std::vector<float> panel(n * kPeriods);
  std::vector<std::vector<float>> shared;
  for (std::size_t k = 0; k < kClusters; ++k) shared.push_back(normals(k));
  std::vector<std::vector<float>> factors(shared.begin(), shared.begin() + 16);
  const auto side = static_cast<std::size_t>(std::sqrt(static_cast<double>(n)));
  constexpr std::size_t kChunk = 1000;
  parallel((n + kChunk - 1) / kChunk, [&](std::size_t c) {
    for (std::size_t i = c * kChunk; i < std::min(n, (c + 1) * kChunk); ++i) {
      float* row = &panel[i * kPeriods];
      const std::uint64_t own = 1000 + i;
      switch (world) {
        case kNoise:
          mix(row, shared[0], 0, own);
          break;
        case kOneFactor:
          mix(row, shared[0], 0.9, own);
          break;
        case kClones:
          mix(row, shared[0], 1, own);
          break;
        case kClusters98:
          mix(row, shared[i * kClusters / n], 0.98, own);
          break;
        case kClusters995:
          mix(row, shared[i * kClusters / n], 0.995, own);
          break;
        case kChain:
          if (i % kChunk == 0) {
            mix(row, shared[0], 0, own);
          } else {
            std::vector<float> before(row - kPeriods, row);
            mix(row, before, 0.985, own);
          }
          break;
        default: {
          const std::size_t x = i % side;
          const std::size_t y = i / side;
          plateau_row(row, factors, static_cast<double>(x) / static_cast<double>(side),
                      static_cast<double>(y) / static_cast<double>(side));
        }
      }
    }
  });
  return panel;
}

/// The kernel's mark of the largest resident size, set back to the present one.
void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

double peak_mib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  double kib = 0;
  while (status >> word) {
    if (word == "VmHWM:") status >> kib;
  }
  return kib / 1024;
}

std::uint64_t hash_of(const Convergence& c) {
  std::uint64_t h = mix64(c.distinct);
  for (double v : {c.c, c.mu_sharpe_ann, c.ms_variant, c.tau2_jackknife_se, c.mean_correlation}) {
    h = mix64(h ^ std::bit_cast<std::uint64_t>(v));
  }
  return h;
}

/// Groups by trying every pair in double precision, the definition.
std::size_t groups_by_all_pairs(const std::vector<float>& panel, std::size_t n) {
  std::vector<double> unit(panel.begin(), panel.end());
  for (std::size_t i = 0; i < n; ++i) {
    double* row = &unit[i * kPeriods];
    double mean = 0;
    for (std::size_t t = 0; t < kPeriods; ++t) mean += row[t] / kPeriods;
    double square = 0;
    for (std::size_t t = 0; t < kPeriods; ++t) square += (row[t] - mean) * (row[t] - mean);
    for (std::size_t t = 0; t < kPeriods; ++t) row[t] = (row[t] - mean) / std::sqrt(square);
  }
  std::vector<std::size_t> root(n);
  for (std::size_t i = 0; i < n; ++i) root[i] = i;
  const auto find = [&](std::size_t i) {
    while (root[i] != i) i = root[i] = root[root[i]];
    return i;
  };
  std::size_t groups = n;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (dot(&unit[i * kPeriods], &unit[j * kPeriods], kPeriods) <= kCloneCorrelation) continue;
      const std::size_t a = find(i);
      const std::size_t b = find(j);
      if (a == b) continue;
      root[std::max(a, b)] = std::min(a, b);
      --groups;
    }
  }
  return groups;
}

void BM_Score(benchmark::State& state) {
  const auto world = static_cast<World>(state.range(0));
  const std::size_t n = small() ? 4500 : static_cast<std::size_t>(state.range(1));
  const ParallelFor parallel = serve::threads_for();
  const std::vector<float> panel = make_panel(world, n, parallel);
  state.SetLabel(kNames[world]);
  reset_peak();
  Convergence score;
  for (auto _ : state) {
    score = score_convergence(PanelView::of(panel, n, kPeriods), {}, parallel);
    if (!score.scored) return state.SkipWithError(score.reasons.front().c_str());
  }
  state.counters["peak_mib"] = peak_mib();
  state.counters["distinct"] = static_cast<double>(score.distinct);
  state.counters["unchecked"] = static_cast<double>(score.unchecked_pairs);
  state.counters["check"] = static_cast<double>(hash_of(score) >> 12);
  if (small() && score.distinct != groups_by_all_pairs(panel, n)) {
    state.SkipWithError("other groups of clones than by trying all pairs");
  }
}

/// 100,000 variants x 730 days, 16 blocks: 12,870 splits.
void BM_Pbo(benchmark::State& state) {
  const std::size_t n = small() ? 500 : static_cast<std::size_t>(state.range(0));
  constexpr std::size_t kDays = 2 * kPeriods;
  const ParallelFor parallel = serve::threads_for();
  const std::vector<float> panel = make_panel(kNoise, 2 * n, parallel);
  reset_peak();
  double pbo = -1;
  for (auto _ : state) {
    const auto r = stats::probability_of_overfitting(PanelView::of(panel, n, kDays), {}, parallel);
    if (!r.ok()) return state.SkipWithError(r.error().text().c_str());
    if (r->chosen.size() != 12'870) return state.SkipWithError("not 12,870 splits");
    pbo = r->pbo;
  }
  state.counters["peak_mib"] = peak_mib();
  state.counters["pbo"] = pbo;
}

BENCHMARK(BM_Score)
    ->ArgNames({"world", "variants"})
    ->ArgsProduct({benchmark::CreateDenseRange(0, kWorlds - 1, 1), {1'000'000}})
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kSecond);
BENCHMARK(BM_Pbo)->Arg(100'000)->Iterations(1)->UseRealTime()->Unit(benchmark::kSecond);

}  // namespace
}  // namespace winnow::sweeps

BENCHMARK_MAIN();
