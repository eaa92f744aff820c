#include "sweeps/stats/validation.hpp"

#include <algorithm>
#include <cmath>

#include "sweeps/stats/basic.hpp"

namespace winnow::sweeps::stats {
namespace {

/// Ranges of the indices where `keep` is set.
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

Range fold_range(std::size_t fold, std::size_t folds, std::size_t periods) {
  const std::size_t size = periods / folds;
  return {fold * size, fold + 1 == folds ? periods : (fold + 1) * size};
}

}  // namespace

std::vector<WalkForwardSplit> walk_forward_splits(const WalkForwardOptions& o) {
  std::vector<WalkForwardSplit> out;
  if (o.train == 0 || o.test == 0) return out;
  for (std::size_t start = o.train + o.purge; start < o.periods; start += o.test) {
    const std::size_t end = start + o.test;
    if (end > o.periods && !o.keep_short_last_test) break;
    const std::size_t train_end = start - o.purge;
    out.push_back(
        {{o.anchored ? 0 : train_end - o.train, train_end}, {start, std::min(end, o.periods)}});
  }
  return out;
}

std::vector<CombinatorialSplit> combinatorial_splits(const CombinatorialOptions& o) {
  std::vector<CombinatorialSplit> out;
  std::vector<std::size_t> pick = first_combination(o.test_folds);
  std::vector<std::size_t> times_tested(o.folds, 0);
  do {
    CombinatorialSplit split;
    std::vector<std::uint8_t> keep(o.periods, 1);
    for (std::size_t fold : pick) {
      const Range test = fold_range(fold, o.folds, o.periods);
      split.tests.push_back(test);
      split.path_ids.push_back(times_tested[fold]++);
      const std::size_t from = test.first - std::min(test.first, o.purge);
      const std::size_t to = std::min(o.periods, test.last + o.purge + o.embargo);
      std::fill(keep.begin() + static_cast<std::ptrdiff_t>(from),
                keep.begin() + static_cast<std::ptrdiff_t>(to), std::uint8_t{0});
    }
    split.train = ranges_of(keep);
    out.push_back(std::move(split));
  } while (next_combination(pick, o.folds));
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
  const std::size_t n = t0.size();
  const auto embargo = static_cast<std::size_t>(static_cast<double>(n) * embargo_frac);
  std::vector<PurgedFold> out;
  std::size_t first = 0;
  for (std::size_t fold = 0; fold < folds; ++fold) {
    const std::size_t last = first + n / folds + (fold < n % folds ? 1 : 0);
    PurgedFold p{{first, last}, {}};
    for (std::size_t i = 0; i < n; ++i) {
      if (t1[i] <= t0[first]) p.train.push_back(i);
    }
    const double end = *std::max_element(t1.begin() + static_cast<std::ptrdiff_t>(first),
                                         t1.begin() + static_cast<std::ptrdiff_t>(last));
    const auto resume =
        static_cast<std::size_t>(std::lower_bound(t0.begin(), t0.end(), end) - t0.begin());
    if (resume < n) {
      for (std::size_t i = resume + embargo; i < n; ++i) p.train.push_back(i);
    }
    out.push_back(std::move(p));
    first = last;
  }
  return out;
}

std::vector<IntervalSplit> interval_splits(std::span<const double> t1, const IntervalOptions& o) {
  const std::size_t n = t1.size();
  std::vector<IntervalSplit> out;
  std::vector<std::size_t> pick = first_combination(o.test_folds);
  do {
    std::vector<std::uint8_t> test(n, 0);
    for (std::size_t fold : pick) {
      const Range r = fold_range(fold, o.folds, n);
      for (std::size_t i = r.first; i < r.last; ++i) test[i] = 1;
    }
    std::vector<std::uint8_t> train(n, 1);
    for (std::size_t i = 0; i < n; ++i) train[i] = test[i] ^ 1;
    IntervalSplit split;
    split.test = ranges_of(test);
    for (const Range& r : split.test) {
      const double start = static_cast<double>(r.first);
      const double end = *std::max_element(t1.begin() + static_cast<std::ptrdiff_t>(r.first),
                                           t1.begin() + static_cast<std::ptrdiff_t>(r.last));
      for (std::size_t i = 0; i < r.first; ++i) {
        if (!(t1[i] < start)) train[i] = 0;
      }
      const bool past_end = end + o.embargo >= static_cast<double>(n - 1);
      if (past_end && o.keep_all_if_embargo_reaches_end) continue;
      for (std::size_t i = r.last; i < n; ++i) {
        if (!(static_cast<double>(i) > end + o.embargo)) train[i] = 0;
      }
    }
    split.train = ranges_of(train);
    out.push_back(std::move(split));
  } while (next_combination(pick, o.folds));
  std::reverse(out.begin(), out.end());
  return out;
}

WalkForwardAnalysis walk_forward(const std::vector<std::vector<double>>& columns,
                                 WalkForwardOptions options, double periods_per_year) {
  options.periods = columns.front().size();
  WalkForwardAnalysis a;
  std::vector<double> stitched;
  std::vector<double> in_sample;
  for (const WalkForwardSplit& split : walk_forward_splits(options)) {
    WalkForwardWindow w{.train = split.train, .test = split.test};
    const auto part = [&](std::size_t variant, const Range& r) {
      return std::span(columns[variant]).subspan(r.first, r.last - r.first);
    };
    std::vector<double> sharpes;
    for (std::size_t i = 0; i < columns.size(); ++i) sharpes.push_back(sharpe(part(i, w.train)));
    w.pick = argmax(sharpes);
    if (w.pick == columns.size()) continue;  // no variant moved in training
    w.is_sharpe = sharpes[w.pick] * std::sqrt(periods_per_year);
    w.is_mean_ann = mean(part(w.pick, w.train)) * periods_per_year;
    const auto test = part(w.pick, w.test);
    w.oos_mean_ann = mean(test) * periods_per_year;
    stitched.insert(stitched.end(), test.begin(), test.end());
    in_sample.push_back(w.is_mean_ann);
    a.oos_positive_frac += w.oos_mean_ann > 0 ? 1 : 0;
    a.windows.push_back(w);
  }
  if (a.windows.empty()) return a;
  a.oos_positive_frac /= static_cast<double>(a.windows.size());
  a.oos_periods = stitched.size();
  a.oos_sharpe_ann = sharpe(stitched) * std::sqrt(periods_per_year);
  a.oos_mean_ann = mean(stitched) * periods_per_year;
  a.efficiency = a.oos_mean_ann / mean(in_sample);
  return a;
}

}  // namespace winnow::sweeps::stats
