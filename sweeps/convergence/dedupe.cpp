#include "sweeps/convergence/dedupe.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "base/rng.hpp"
#include "base/uninitialised.hpp"
#include "sweeps/convergence/kernels.hpp"

namespace winnow::sweeps {
namespace {

constexpr double kLimit2 = 2 * (1 - kCloneCorrelation);
// Rounding of single-precision sketches must never hide a pair, so the sketch limit is a little
// wider.
constexpr float kSketchLimit2 = static_cast<float>(kLimit2 * 1.001 + 1e-5);
constexpr std::size_t kDimsMax = 64;
constexpr std::size_t kHashingMin = 4096;  // below, trying all pairs is cheaper
constexpr std::size_t kTablesMax = 24;
constexpr std::size_t kBucketAllPairs = 16;
constexpr std::size_t kLeadersMax = 4;
// A sketch of 64 of the coordinates estimates the squared distance to about 18% (chi-squared law),
// so a pair at the limit is within this factor of it with probability .98.
constexpr float kLikelyFactor = 1.35f;
constexpr std::size_t kPrefetchRows = 8;
constexpr std::size_t kComparedPerTask = 1024;
constexpr std::size_t kQueriesPerTask = 64;
constexpr std::size_t kTilesPerPass = 64;
constexpr std::uint64_t kProjectionSeed = 0x57696e6e6f7731ull;

/// Purpose: disjoint sets under concurrent unions. The root of a set is its lowest member, whatever
/// the order of unions. Thread: any for find and unite.
class DisjointSets {
 public:
  explicit DisjointSets(std::size_t n) : parent_(n) {
    for (std::size_t i = 0; i < n; ++i) {
      parent_[i].store(static_cast<std::uint32_t>(i), std::memory_order_relaxed);
    }
  }
  std::uint32_t find(std::uint32_t x) {
    for (;;) {
      std::uint32_t p = parent_[x].load(std::memory_order_relaxed);
      if (p == x) return x;
      const std::uint32_t up = parent_[p].load(std::memory_order_relaxed);
      if (up != p) parent_[x].compare_exchange_weak(p, up, std::memory_order_relaxed);
      x = up;
    }
  }
  void unite(std::uint32_t a, std::uint32_t b) {
    for (;;) {
      a = find(a);
      b = find(b);
      if (a == b) return;
      if (a < b) std::swap(a, b);
      std::uint32_t expected = a;
      if (parent_[a].compare_exchange_strong(expected, b, std::memory_order_relaxed)) return;
    }
  }

 private:
  std::vector<std::atomic<std::uint32_t>> parent_;
};

std::size_t task_count(std::size_t n, std::size_t per_task) {
  return (n + per_task - 1) / per_task;
}

/// Rows in order of their keys of so many bits, those of one key in their own order. Profile: to
/// sort a million pairs of key and row in each of 24 tables was a sixth of a family's score; to
/// count them is a tenth of that.
std::vector<std::uint32_t> rows_by_key(std::span<const std::uint32_t> keys, std::size_t bits) {
  constexpr std::size_t kDigitBits = 11;
  constexpr std::uint32_t kDigits = 1u << kDigitBits;
  std::vector<std::uint32_t> rows(keys.size());
  std::vector<std::uint32_t> next(keys.size());
  std::iota(rows.begin(), rows.end(), 0u);
  for (std::size_t shift = 0; shift < bits; shift += kDigitBits) {
    const auto digit = [&](std::uint32_t row) { return keys[row] >> shift & (kDigits - 1); };
    std::array<std::uint32_t, kDigits> place{};
    for (const std::uint32_t row : rows) ++place[digit(row)];
    std::uint32_t before = 0;
    for (std::uint32_t& p : place) before += std::exchange(p, before);
    for (const std::uint32_t row : rows) next[place[digit(row)]++] = row;
    rows.swap(next);
  }
  return rows;
}

template <class Real>
class CloneLinker {
 public:
  CloneLinker(const DedupeInput& in, const ParallelFor& parallel)
      : rows_(*in.rows),
        moments_(in.moments),
        parallel_(parallel),
        n_(in.rows->variants()),
        periods_(in.rows->periods()),
        padded_(std::max<std::size_t>(8, std::bit_ceil(in.rows->periods()))),
        dims_(std::min(kDimsMax, padded_)),
        sets_(n_) {
    const float share = static_cast<float>(dims_) / static_cast<float>(padded_);
    likely2_ = std::min(kSketchLimit2, kLikelyFactor * static_cast<float>(kLimit2) * share);
    covered2_ = 0.25f * static_cast<float>(kLimit2) * share;
    if (n_ >= kHashingMin) {
      key_bits_ = std::clamp<std::size_t>(std::bit_width(n_) + 2, 14, 30);
      tables_ = kTablesMax;
      words_ = (key_bits_ * tables_ + 63) / 64;
    }
  }

  DedupeOutput run(double exact_work_max) {
    build_sketches();
    if (tables_ > 0) parallel_(tables_, [&](std::size_t t) { link_table(t); });
    DedupeOutput out;
    order_by_group();
    const std::uint64_t cross = cross_pairs();
    if (cross > 0) {
      if (static_cast<double>(cross) * expected_dims() <= exact_work_max || tables_ == 0) {
        link_all_pairs();
      } else {
        out.mode = DedupeMode::Hashed;
        out.unchecked_pairs = cross;
      }
    }
    out.root.resize(n_);
    for (std::size_t i = 0; i < n_; ++i) out.root[i] = sets_.find(static_cast<std::uint32_t>(i));
    return out;
  }

 private:
  void build_sketches() {
    find_centre();
    sketch_.resize(n_ * dims_);
    bits_.assign(n_ * words_, 0);
    const std::size_t rounds = std::max<std::size_t>(1, task_count(key_bits_ * tables_, padded_));
    std::vector<std::vector<float>> signs(rounds);
    for (std::size_t r = 0; r < rounds; ++r) {
      Rng rng(kProjectionSeed, r);
      for (std::size_t t = 0; t < periods_; ++t) {
        signs[r].push_back((rng.next_u64() >> 63) != 0 ? 1.0f : -1.0f);
      }
    }
    parallel_(task_count(n_, kComparedPerTask), [&](std::size_t task) {
      std::vector<Lane8> x(padded_);
      const std::size_t end = std::min(n_, (task + 1) * kComparedPerTask);
      for (std::size_t first = task * kComparedPerTask; first < end; first += kLanes) {
        for (std::size_t r = 0; r < rounds; ++r) sketch_tile(first, r, signs[r], x);
      }
    });
  }

  /// Mean of the unit vectors, summed over fixed chunks in order.
  void find_centre() {
    const std::size_t tasks = task_count(n_, kComparedPerTask);
    const std::size_t slots = std::min<std::size_t>(tasks, 64);
    std::vector<std::vector<double>> part(slots, std::vector<double>(periods_, 0.0));
    parallel_(slots, [&](std::size_t slot) {
      for (std::size_t i = n_ * slot / slots; i < n_ * (slot + 1) / slots; ++i) {
        const double w = moments_[i].inverse_norm;
        add_scaled(rows_.row<Real>(i), w, part[slot]);
        const double shift = w * moments_[i].mean;
        for (double& v : part[slot]) v -= shift;
      }
    });
    centre_.assign(periods_, 0.0f);
    for (std::size_t t = 0; t < periods_; ++t) {
      double sum = 0;
      for (const auto& p : part) sum += p[t];
      centre_[t] = static_cast<float>(sum / static_cast<double>(n_));
    }
  }

  void sketch_tile(std::size_t first, std::size_t round, const std::vector<float>& signs,
                   std::vector<Lane8>& x) {
    for (std::size_t t = periods_; t < padded_; ++t) x[t] = Lane8{};
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      // Lanes beyond the last row repeat it; they are never reported.
      const std::size_t i = std::min(first + lane, n_ - 1);
      const Real* row = rows_.row<Real>(i);
      const float w = static_cast<float>(moments_[i].inverse_norm);
      const Real mean = static_cast<Real>(moments_[i].mean);
      for (std::size_t t = 0; t < periods_; ++t) {
        x[t].v[lane] = (static_cast<float>(row[t] - mean) * w - centre_[t]) * signs[t];
      }
    }
    hadamard8(x);
    if (round == 0) {
      const float scale = 1.0f / std::sqrt(static_cast<float>(padded_));
      for (std::size_t i = first; i < std::min(n_, first + kLanes); ++i) {
        for (std::size_t k = 0; k < dims_; ++k) {
          sketch_[i * dims_ + k] = x[k].v[i - first] * scale;
        }
      }
    }
    const std::size_t bit_begin = round * padded_;
    const std::size_t bit_end = std::min(key_bits_ * tables_, bit_begin + padded_);
    const std::size_t lanes = std::min(kLanes, n_ - first);
    for (std::size_t q = bit_begin; q < bit_end; ++q) {
      const Lane8& c = x[q - bit_begin];
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        bits_[(first + lane) * words_ + q / 64] |= std::uint64_t{c.v[lane] > 0} << (q % 64);
      }
    }
  }

  std::uint32_t key(std::size_t row, std::size_t table) const {
    const std::size_t begin = table * key_bits_;
    const std::size_t shift = begin % 64;
    const std::uint64_t* w = &bits_[row * words_ + begin / 64];
    std::uint64_t v = w[0] >> shift;
    if (shift + key_bits_ > 64) v |= w[1] << (64 - shift);
    return static_cast<std::uint32_t>(v & ((std::uint64_t{1} << key_bits_) - 1));
  }

  /// Compares rows that share a key of this table. Which pairs are tried depends on the data alone,
  /// never on the unions so far, so that the groups do not depend on the order of the tables.
  void link_table(std::size_t table) {
    std::vector<std::uint32_t> keys(n_);
    for (std::size_t i = 0; i < n_; ++i) keys[i] = key(i, table);
    const std::vector<std::uint32_t> rows = rows_by_key(keys, key_bits_);
    std::vector<std::uint32_t> bucket;
    for (std::size_t i = 0; i < n_;) {
      bucket.clear();
      const std::uint32_t k = keys[rows[i]];
      for (; i < n_ && keys[rows[i]] == k; ++i) bucket.push_back(rows[i]);
      if (bucket.size() > 1) link_bucket(bucket);
    }
  }

  void link_bucket(const std::vector<std::uint32_t>& bucket) {
    if (bucket.size() <= kBucketAllPairs) {
      for (std::size_t i = 0; i < bucket.size(); ++i) {
        for (std::size_t j = i + 1; j < bucket.size(); ++j) try_pair(bucket[i], bucket[j]);
      }
      return;
    }
    // Dense plateau: an element close to a leader needs no more; others become leaders in turn.
    // Most pairs of a dense cluster are near the limit and not within it: only those that the
    // sketch thinks likely are proven.
    std::vector<std::uint32_t> leaders;
    std::size_t next = 0;
    for (std::size_t i = 0; i < bucket.size(); ++i) {
      prefetch_sketch(bucket[std::min(i + kPrefetchRows, bucket.size() - 1)]);
      if (i > 0) try_likely(bucket[i - 1], bucket[i]);
      bool covered = false;
      for (std::uint32_t leader : leaders) {
        covered = try_likely(leader, bucket[i]) < covered2_;
        if (covered) break;
      }
      if (covered) continue;
      if (leaders.size() < kLeadersMax) {
        leaders.push_back(bucket[i]);
      } else {
        leaders[next++ % kLeadersMax] = bucket[i];
      }
    }
  }

  float sketch_distance2(std::size_t a, std::size_t b, float limit) const {
    return distance2(&sketch_[a * dims_], &sketch_[b * dims_], dims_, limit);
  }

  /// The rows of a bucket lie anywhere: without this most of the time goes into waiting for them.
  void prefetch_sketch(std::size_t row) const {
    constexpr std::size_t kLine = 64 / sizeof(float);
    for (std::size_t k = 0; k < dims_; k += kLine) __builtin_prefetch(&sketch_[row * dims_ + k]);
  }

  void try_pair(std::uint32_t a, std::uint32_t b) {
    if (sets_.find(a) == sets_.find(b)) return;
    if (sketch_distance2(a, b, kSketchLimit2) > kSketchLimit2) return;
    prove_pair(a, b);
  }

  /// Gives the distance of the sketches, or a part of it beyond `likely2_`.
  float try_likely(std::uint32_t a, std::uint32_t b) {
    const float d2 = sketch_distance2(a, b, likely2_);
    if (d2 <= likely2_ && sets_.find(a) != sets_.find(b)) prove_pair(a, b);
    return d2;
  }

  void prove_pair(std::uint32_t a, std::uint32_t b) {
    const double n = static_cast<double>(periods_);
    const double product = dot(rows_.row<Real>(a), rows_.row<Real>(b), periods_);
    const double r = (product - n * moments_[a].mean * moments_[b].mean) *
                     moments_[a].inverse_norm * moments_[b].inverse_norm;
    if (r > kCloneCorrelation) sets_.unite(a, b);
  }

  void order_by_group() {
    std::vector<std::uint32_t> roots(n_);
    for (std::size_t i = 0; i < n_; ++i) roots[i] = sets_.find(static_cast<std::uint32_t>(i));
    order_ = rows_by_key(roots, std::bit_width(n_));
    group_end_.assign(n_, n_);
    for (std::size_t i = n_ - 1; i-- > 0;) {
      const bool same = roots[order_[i]] == roots[order_[i + 1]];
      group_end_[i] = same ? group_end_[i + 1] : i + 1;
    }
  }

  std::uint64_t cross_pairs() const {
    std::uint64_t pairs = 0;
    for (std::size_t i = 0; i < n_; ++i) pairs += n_ - group_end_[i];
    return pairs;
  }

  /// Lays the sketches out in tiles of eight rows, groups one after the other.
  void lay_out_tiles() {
    tiles_.resize(task_count(n_, kLanes) * dims_);
    for (std::size_t i = 0; i < task_count(n_, kLanes) * kLanes; ++i) {
      // Lanes beyond the last row repeat it; they are never reported.
      const float* from = &sketch_[order_[std::min(i, n_ - 1)] * dims_];
      for (std::size_t k = 0; k < dims_; ++k)
        tiles_[i / kLanes * dims_ + k].v[i % kLanes] = from[k];
    }
  }

  /// Mean number of coordinates before a pair of different groups is given up, from a seeded
  /// sample.
  double expected_dims() {
    Rng rng(kProjectionSeed, 1u << 20);
    double sum = 0;
    std::size_t drawn = 0;
    for (int trial = 0; trial < 4000; ++trial) {
      const std::size_t a = rng.below(n_);
      if (group_end_[a] == n_) continue;
      const std::size_t b = group_end_[a] + rng.below(n_ - group_end_[a]);
      const float* x = &sketch_[order_[a] * dims_];
      const float* y = &sketch_[order_[b] * dims_];
      float d2 = 0;
      std::size_t k = 0;
      while (k < dims_ && d2 <= kSketchLimit2) {
        const float d = x[k] - y[k];
        d2 += d * d;
        ++k;
      }
      // Lanes go by eight, so the slowest of eight decides; a survivor costs a full correlation.
      sum += d2 <= kSketchLimit2 ? static_cast<double>(dims_ + 8 * periods_)
                                 : static_cast<double>((k + 7) / 8 * 8 + 8);
      ++drawn;
    }
    return drawn == 0 ? 8.0 : sum / static_cast<double>(drawn);
  }

  void link_all_pairs() {
    lay_out_tiles();
    const std::size_t tiles = task_count(n_, kLanes);
    parallel_(task_count(n_, kQueriesPerTask), [&](std::size_t task) {
      const std::size_t begin = task * kQueriesPerTask;
      const std::size_t end = std::min(n_, begin + kQueriesPerTask);
      for (std::size_t pass = group_end_[begin] / kLanes; pass < tiles; pass += kTilesPerPass) {
        const std::size_t pass_end = std::min(tiles, pass + kTilesPerPass);
        for (std::size_t i = begin; i < end; ++i) {
          scan_tiles(i, std::max(pass, group_end_[i] / kLanes), pass_end);
        }
      }
    });
  }

  void scan_tiles(std::size_t i, std::size_t first, std::size_t last) {
    const TileScan scan{.query = &sketch_[order_[i] * dims_],
                        .tiles = tiles_.data(),
                        .dims = dims_,
                        .limit = kSketchLimit2};
    while (first < last) {
      unsigned mask = 0;
      const std::size_t tile = next_within(scan, first, last, mask);
      for (; mask != 0; mask &= mask - 1) {
        const std::size_t j = tile * kLanes + static_cast<std::size_t>(std::countr_zero(mask));
        if (j <= i || j >= n_) continue;
        if (sets_.find(order_[i]) != sets_.find(order_[j])) prove_pair(order_[i], order_[j]);
      }
      first = tile + 1;
    }
  }

  const PanelView& rows_;
  std::span<const RowMoments> moments_;
  const ParallelFor& parallel_;
  std::size_t n_;
  std::size_t periods_;
  std::size_t padded_;
  std::size_t dims_;
  std::size_t key_bits_ = 0;
  std::size_t tables_ = 0;
  std::size_t words_ = 0;
  float likely2_ = 0;   ///< a pair at the limit is rarely further apart than this in the sketch
  float covered2_ = 0;  ///< so close that the leader's links are its own
  std::vector<float> centre_;
  Uninitialised<float> sketch_;      ///< [row][coordinate]
  std::vector<Lane8> tiles_;         ///< [eight rows in order_][coordinate]
  std::vector<std::uint64_t> bits_;  ///< [row][word]
  std::vector<std::size_t> group_end_;
  std::vector<std::uint32_t> order_;
  DisjointSets sets_;
};

}  // namespace

DedupeOutput link_clones(const DedupeInput& input, const ParallelFor& parallel) {
  if (input.rows->variants() < 2) {
    DedupeOutput out;
    out.root.assign(input.rows->variants(), 0);
    return out;
  }
  if (input.rows->is_double())
    return CloneLinker<double>(input, parallel).run(input.exact_work_max);
  return CloneLinker<float>(input, parallel).run(input.exact_work_max);
}

}  // namespace winnow::sweeps
