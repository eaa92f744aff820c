#include "sweeps/stats/validation.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace winnow::sweeps::stats {
namespace {

/// The next combination in lexicographic order; false after the last.
bool next_combination(std::vector<std::size_t>& pick, std::size_t n) {
  const std::size_t k = pick.size();
  for (std::size_t i = k; i-- > 0;) {
    if (pick[i] + (k - i) >= n) continue;
    ++pick[i];
    for (std::size_t j = i + 1; j < k; ++j) pick[j] = pick[j - 1] + 1;
    return true;
  }
  return false;
}

std::vector<std::size_t> first_combination(std::size_t k) {
  std::vector<std::size_t> pick(k);
  for (std::size_t i = 0; i < k; ++i) pick[i] = i;
  return pick;
}

std::vector<double> iota(std::size_t n, std::size_t first) {
  std::vector<double> out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<double>(first + i);
  return out;
}

/// All combinations of k of n folds in lexicographic order.
template <class Visit>
void each_combination(std::size_t n, std::size_t k, const Visit& visit) {
  std::vector<std::size_t> pick = first_combination(k);
  do {
    visit(std::as_const(pick));
  } while (next_combination(pick, n));
}

}  // namespace

Ranges ranges_of(const std::vector<std::uint8_t>& keep) {
  Ranges out;
  for (std::size_t i = 0; i < keep.size(); ++i) {
    if (keep[i] == 0) continue;
    if (!out.empty() && out.back().last == i) {
      ++out.back().last;
    } else {
      out.push_back({i, i + 1});
    }
  }
  return out;
}

Range fold_range(std::size_t fold, std::size_t folds, std::size_t periods) {
  const std::size_t size = periods / folds;
  return {fold * size, fold + 1 == folds ? periods : (fold + 1) * size};
}

std::vector<std::uint8_t> purged_train(std::span<const double> t0, std::span<const double> t1,
                                       std::span<const Range> tests, const PurgeRule& rule) {
  WINNOW_REQUIRES(t0.size() == t1.size());
  const std::size_t n = t0.size();
  std::vector<std::uint8_t> keep(n, 1);
  for (const Range& test : tests) {
    const double start = t0[test.first];
    const double end = *std::max_element(t1.begin() + static_cast<std::ptrdiff_t>(test.first),
                                         t1.begin() + static_cast<std::ptrdiff_t>(test.last));
    for (std::size_t i = 0; i < test.first; ++i) {
      if (rule.touching_stays ? t1[i] > start : !(t1[i] < start)) keep[i] = 0;
    }
    for (std::size_t i = test.first; i < test.last; ++i) keep[i] = 0;
    const double until = end + rule.embargo;
    if (rule.keep_all_if_embargo_reaches_end && n > 0 && until >= t0[n - 1]) continue;
    std::size_t resume = test.last;
    while (resume < n && (rule.touching_stays ? t0[resume] < until : !(t0[resume] > until))) {
      ++resume;
    }
    resume = std::min(n, resume + rule.embargo_rows);
    for (std::size_t i = test.last; i < resume; ++i) keep[i] = 0;
  }
  return keep;
}

std::vector<WalkForwardSplit> walk_forward_splits(const WalkForwardOptions& o) {
  std::vector<WalkForwardSplit> out;
  if (o.train == 0 || o.test == 0) return out;
  const std::size_t step = o.step == 0 ? o.test : o.step;
  for (std::size_t start = o.train + o.purge; start < o.periods; start += step) {
    const std::size_t end = start + o.test;
    if (end > o.periods && !o.keep_short_last_test) break;
    const std::size_t train_end = start - o.purge;
    out.push_back(
        {{o.anchored ? 0 : train_end - o.train, train_end}, {start, std::min(end, o.periods)}});
  }
  return out;
}

// A period is labelled until the purge after it is over.
std::vector<CombinatorialSplit> combinatorial_splits(const CombinatorialOptions& o) {
  WINNOW_REQUIRES(o.test_folds > 0 && o.test_folds < o.folds && o.folds <= o.periods);
  std::vector<CombinatorialSplit> out;
  const std::vector<double> t0 = iota(o.periods, 0);
  const std::vector<double> t1 = iota(o.periods, o.purge);
  std::vector<std::size_t> times_tested(o.folds, 0);
  each_combination(o.folds, o.test_folds, [&](const std::vector<std::size_t>& pick) {
    CombinatorialSplit split;
    for (const std::size_t fold : pick) {
      split.tests.push_back(fold_range(fold, o.folds, o.periods));
      split.path_ids.push_back(times_tested[fold]++);
    }
    split.train =
        ranges_of(purged_train(t0, t1, split.tests, {.embargo = static_cast<double>(o.embargo)}));
    out.push_back(std::move(split));
  });
  return out;
}

std::uint64_t combinatorial_split_count(std::size_t folds, std::size_t test_folds) {
  std::uint64_t c = 1;
  for (std::size_t i = 1; i <= test_folds; ++i) c = c * (folds - test_folds + i) / i;
  return c;
}

std::uint64_t combinatorial_path_count(std::size_t folds, std::size_t test_folds) {
  return combinatorial_split_count(folds, test_folds) * test_folds / folds;
}

std::vector<PurgedFold> purged_k_fold(std::span<const double> t0, std::span<const double> t1,
                                      std::size_t folds, double embargo_frac) {
  WINNOW_REQUIRES(t0.size() == t1.size() && folds >= 1 && folds <= t0.size());
  const std::size_t n = t0.size();
  const auto embargo = static_cast<std::size_t>(static_cast<double>(n) * embargo_frac);
  std::vector<PurgedFold> out;
  std::size_t first = 0;
  for (std::size_t fold = 0; fold < folds; ++fold) {
    const std::size_t last = first + n / folds + (fold < n % folds ? 1 : 0);
    PurgedFold p{{first, last}, {}};
    const auto keep = purged_train(t0, t1, std::span(&p.test, 1),
                                   {.embargo_rows = embargo, .touching_stays = true});
    for (std::size_t i = 0; i < n; ++i) {
      if (keep[i] != 0) p.train.push_back(i);
    }
    out.push_back(std::move(p));
    first = last;
  }
  return out;
}

std::vector<IntervalSplit> interval_splits(std::span<const double> t1, const IntervalOptions& o) {
  const std::size_t n = t1.size();
  const std::vector<double> t0 = iota(n, 0);
  std::vector<IntervalSplit> out;
  each_combination(o.folds, o.test_folds, [&](const std::vector<std::size_t>& pick) {
    std::vector<std::uint8_t> test(n, 0);
    for (const std::size_t fold : pick) {
      const Range r = fold_range(fold, o.folds, n);
      for (std::size_t i = r.first; i < r.last; ++i) test[i] = 1;
    }
    IntervalSplit split;
    split.test = ranges_of(test);
    split.train = ranges_of(
        purged_train(t0, t1, split.test,
                     {.embargo = o.embargo,
                      .keep_all_if_embargo_reaches_end = o.keep_all_if_embargo_reaches_end}));
    out.push_back(std::move(split));
  });
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace winnow::sweeps::stats
