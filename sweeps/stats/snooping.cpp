#include "sweeps/stats/snooping.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.hpp"
#include "base/numbers.hpp"
#include "sweeps/stats/basic.hpp"

namespace winnow::sweeps::stats {
namespace {

Columns means_by_resample(const Columns& columns, const IndexRows& resamples) {
  Columns out;
  for (const auto& rows : resamples) {
    std::vector<double> means;
    for (const auto& x : columns) {
      double sum = 0;
      for (std::size_t t : rows) sum += x[t];
      means.push_back(sum / static_cast<double>(rows.size()));
    }
    out.push_back(std::move(means));
  }
  return out;
}

/// (value / scale), where a model that never differs from the benchmark says nothing.
double studentised(double value, double omega) { return omega > 0 ? value / omega : 0; }

/// Largest of resampled[b][k] - centre[k] over the models in `set`.
double plain_maximum(const std::vector<double>& resampled, const std::vector<double>& centre,
                     const std::vector<std::size_t>& set) {
  double best = -kInf;
  for (std::size_t k : set) best = std::max(best, resampled[k] - centre[k]);
  return best;
}

std::vector<std::size_t> all_of(std::size_t n) {
  std::vector<std::size_t> set(n);
  std::iota(set.begin(), set.end(), std::size_t{0});
  return set;
}

std::vector<double> plain_maxima(const ResampledMeans& m, const std::vector<double>& centre,
                                 const std::vector<std::size_t>& set) {
  std::vector<double> maxima;
  for (const auto& row : m.resampled) maxima.push_back(plain_maximum(row, centre, set));
  return maxima;
}

double share_above(const std::vector<double>& v, double x) {
  return static_cast<double>(std::count_if(v.begin(), v.end(), [x](double y) { return y > x; })) /
         static_cast<double>(v.size());
}

/// How many maxima equal x but for rounding.
std::size_t near_ties(const std::vector<double>& maxima, double x) {
  const double room = 1e-9 * std::max(1.0, std::abs(x));
  return static_cast<std::size_t>(std::count_if(maxima.begin(), maxima.end(),
                                                [&](double y) { return std::abs(y - x) <= room; }));
}

void remove_from(std::vector<std::size_t>& set, const std::vector<std::size_t>& gone) {
  std::erase_if(
      set, [&](std::size_t k) { return std::find(gone.begin(), gone.end(), k) != gone.end(); });
}

/// sqrt(n) (resampled - mean) / omega, the largest over a set, by replication.
std::vector<double> studentised_maxima(const ResampledMeans& m,
                                       const std::vector<std::size_t>& set) {
  std::vector<double> maxima;
  for (const auto& row : m.resampled) {
    double best = -kInf;
    for (std::size_t k : set) {
      best = std::max(best, std::sqrt(m.periods) * studentised(row[k] - m.mean[k], m.omega[k]));
    }
    maxima.push_back(best);
  }
  return maxima;
}

/// The smallest value with at least a share `level` at or below it.
double order_quantile(std::vector<double> v, double level) {
  std::sort(v.begin(), v.end());
  const double at = std::ceil(level * static_cast<double>(v.size()) - 1e-9);
  return v[static_cast<std::size_t>(std::max(at, 1.0)) - 1];
}

}  // namespace

// A statistic that is not above 0 shows nothing better than the benchmark: resamples that tie with
// it count. Else a floor of 0, which all resamples of losers share, had the p-value 0.
double tail_share(const std::vector<double>& maxima, double statistic) {
  const auto reaches = [&](double y) { return statistic > 0 ? y > statistic : y >= statistic; };
  return static_cast<double>(std::count_if(maxima.begin(), maxima.end(), reaches)) /
         static_cast<double>(maxima.size());
}

std::vector<double> long_run_kernel(std::size_t periods, double mean_block) {
  const double n = static_cast<double>(periods);
  const double q = 1 / mean_block;
  std::vector<double> out{1};
  for (std::size_t lag = 1; lag < periods; ++lag) {
    const double i = static_cast<double>(lag);
    out.push_back((n - i) / n * std::pow(1 - q, i) + i / n * std::pow(1 - q, n - i));
  }
  return out;
}

double long_run_sd(const std::vector<double>& x, const std::vector<double>& kernel) {
  WINNOW_REQUIRES(kernel.size() == x.size());
  // What a smaller weight could add is lost in rounding.
  constexpr double kWeightMin = 1e-17;
  const std::size_t n = x.size();
  const double m = mean(x);
  double variance = 0;
  for (std::size_t lag = 0; lag < n; ++lag) {
    if (kernel[lag] < kWeightMin) continue;
    double g = 0;
    for (std::size_t t = lag; t < n; ++t) g += (x[t] - m) * (x[t - lag] - m);
    g /= static_cast<double>(n);
    variance += lag == 0 ? g : 2 * kernel[lag] * g;
  }
  return std::sqrt(std::max(variance, 0.0));
}

ResampledMeans resampled_means(const SnoopingInput& in) {
  WINNOW_REQUIRES(!in.advantage.empty() && !in.resamples.empty());
  WINNOW_REQUIRES(in.advantage.front().size() >= 2);
  ResampledMeans m;
  m.periods = static_cast<double>(in.advantage.front().size());
  const std::vector<double> kernel = long_run_kernel(in.advantage.front().size(), in.mean_block);
  for (const auto& x : in.advantage) {
    m.mean.push_back(mean(x));
    m.omega.push_back(long_run_sd(x, kernel));
  }
  m.resampled = means_by_resample(in.advantage, in.resamples);
  return m;
}

std::vector<double> recentre(const ResampledMeans& m, Recentring how) {
  std::vector<double> centre = m.mean;
  const double band = std::sqrt(2 * std::log(std::log(m.periods))) / std::sqrt(m.periods);
  for (std::size_t k = 0; k < centre.size(); ++k) {
    if (how == Recentring::Lower) centre[k] = std::max(centre[k], 0.0);
    if (how == Recentring::Consistent && centre[k] < -m.omega[k] * band) centre[k] = 0;
  }
  return centre;
}

MaxTest reality_check(const ResampledMeans& m) {
  const auto set = all_of(m.mean.size());
  const double best = *std::max_element(m.mean.begin(), m.mean.end());
  const std::vector<double> maxima = plain_maxima(m, m.mean, set);
  return {std::sqrt(m.periods) * best, tail_share(maxima, best), near_ties(maxima, best)};
}

MaxTest superior_ability(const ResampledMeans& m, Recentring how) {
  const std::vector<double> centre = recentre(m, how);
  const double root = std::sqrt(m.periods);
  MaxTest test;
  for (std::size_t k = 0; k < m.mean.size(); ++k) {
    test.statistic = std::max(test.statistic, root * studentised(m.mean[k], m.omega[k]));
  }
  std::vector<double> maxima;
  for (const auto& row : m.resampled) {
    double best = 0;
    for (std::size_t k = 0; k < row.size(); ++k) {
      best = std::max(best, root * studentised(row[k] - centre[k], m.omega[k]));
    }
    maxima.push_back(best);
  }
  test.p = tail_share(maxima, test.statistic);
  test.near_ties = near_ties(maxima, test.statistic);
  return test;
}

PlainSpa plain_spa(const ResampledMeans& m, Recentring how) {
  const auto maxima = plain_maxima(m, recentre(m, how), all_of(m.mean.size()));
  return {share_above(maxima, *std::max_element(m.mean.begin(), m.mean.end())),
          quantile(maxima, 0.95), quantile(maxima, 0.90)};
}

std::vector<std::size_t> plain_better(const ResampledMeans& m, Recentring how) {
  const double critical = plain_spa(m, how).critical_05;
  std::vector<std::size_t> better;
  for (std::size_t k = 0; k < m.mean.size(); ++k) {
    if (m.mean[k] > critical) better.push_back(k);
  }
  return better;
}

std::vector<std::size_t> plain_step_down(const ResampledMeans& m, Recentring how) {
  const std::vector<double> centre = recentre(m, how);
  std::vector<std::size_t> left = all_of(m.mean.size());
  std::vector<std::size_t> superior;
  while (!left.empty()) {
    const double critical = quantile(plain_maxima(m, centre, left), 0.95);
    std::vector<std::size_t> found;
    for (std::size_t k : left) {
      if (m.mean[k] > critical) found.push_back(k);
    }
    if (found.empty()) break;
    superior.insert(superior.end(), found.begin(), found.end());
    remove_from(left, found);
  }
  std::sort(superior.begin(), superior.end());
  return superior;
}

StepM step_m(const ResampledMeans& m, double alpha) {
  std::vector<double> t;
  for (std::size_t k = 0; k < m.mean.size(); ++k) {
    t.push_back(std::sqrt(m.periods) * studentised(m.mean[k], m.omega[k]));
  }
  StepM s;
  std::vector<std::size_t> left = all_of(t.size());
  while (!left.empty()) {
    StepM::Step step;
    step.critical = order_quantile(studentised_maxima(m, left), 1 - alpha);
    for (std::size_t k : left) {
      if (t[k] > std::max(step.critical, 0.0)) step.rejected.push_back(k);
    }
    s.steps.push_back(step);
    if (step.rejected.empty()) break;
    s.superior.insert(s.superior.end(), step.rejected.begin(), step.rejected.end());
    remove_from(left, step.rejected);
  }
  std::sort(s.superior.begin(), s.superior.end());
  std::vector<std::size_t> order = all_of(t.size());
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return t[a] > t[b]; });
  s.adjusted_p.assign(t.size(), 1.0);
  double last = 0;
  for (std::size_t r = 0; r < order.size(); ++r) {
    const auto maxima =
        studentised_maxima(m, {order.begin() + static_cast<std::ptrdiff_t>(r), order.end()});
    const auto reached =
        std::count_if(maxima.begin(), maxima.end(), [&](double v) { return v >= t[order[r]]; });
    const double p = (1 + static_cast<double>(reached)) / (1 + static_cast<double>(maxima.size()));
    last = std::max(last, p);
    s.adjusted_p[order[r]] = last;
  }
  return s;
}

// --- model confidence set
// --------------------------------------------------------------------------

namespace {

struct Elimination {
  double p = 1;
  std::size_t worst = 0;  ///< position in the set
};

/// Pairwise differences of losses in units of their bootstrap standard deviation.
class RangeTest {
 public:
  RangeTest(std::vector<double> mean_loss, Columns resampled)
      : mean_(std::move(mean_loss)), resampled_(std::move(resampled)) {
    const std::size_t k = mean_.size();
    scale_.assign(k, std::vector<double>(k, 1.0));
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t j = 0; j < k; ++j) {
        double square = 0;
        for (const auto& row : resampled_) {
          const double d = row[i] - row[j] - (mean_[i] - mean_[j]);
          square += d * d;
        }
        if (i != j) scale_[i][j] = std::sqrt(square / static_cast<double>(resampled_.size()));
      }
    }
  }

  Elimination operator()(const std::vector<std::size_t>& set) const {
    Elimination e;
    double largest = -kInf;
    double range = 0;
    for (std::size_t a = 0; a < set.size(); ++a) {
      for (std::size_t b : set) {
        const double t = divide(mean_[set[a]] - mean_[b], scale_[set[a]][b]);
        range = std::max(range, std::abs(t));
        if (t > largest) {
          largest = t;
          e.worst = a;
        }
      }
    }
    if (!(range > 0)) return e;  // nothing differs from anything
    std::size_t above = 0;
    for (const auto& row : resampled_) above += exceeds(row, set, range) ? 1 : 0;
    e.p = static_cast<double>(above) / static_cast<double>(resampled_.size());
    return e;
  }

 private:
  static double divide(double x, double scale) { return scale > 0 ? x / scale : 0; }

  bool exceeds(const std::vector<double>& row, const std::vector<std::size_t>& set,
               double range) const {
    for (std::size_t a : set) {
      for (std::size_t b : set) {
        const double d = row[a] - row[b] - (mean_[a] - mean_[b]);
        if (std::abs(divide(d, scale_[a][b])) > range) return true;
      }
    }
    return false;
  }

  std::vector<double> mean_;
  Columns resampled_;
  Columns scale_;
};

/// Losses against the mean of the set.
class MeanTest {
 public:
  MeanTest(std::vector<double> mean_loss, Columns resampled)
      : mean_(std::move(mean_loss)), resampled_(std::move(resampled)) {}

  Elimination operator()(const std::vector<std::size_t>& set) const {
    const std::vector<double> centre = against_mean(mean_, set);
    Columns deviation;
    std::vector<double> scale(set.size(), 0.0);
    for (const auto& row : resampled_) {
      std::vector<double> d = against_mean(row, set);
      for (std::size_t a = 0; a < set.size(); ++a) {
        d[a] -= centre[a];
        scale[a] += d[a] * d[a] / static_cast<double>(resampled_.size());
      }
      deviation.push_back(std::move(d));
    }
    // What is left of equal losses after their mean is rounding.
    constexpr double kRounding = 1e-12;
    double size = 0;
    for (std::size_t k : set) size = std::max(size, std::abs(mean_[k]));
    for (double& s : scale) s = std::sqrt(s) > kRounding * size ? std::sqrt(s) : kInf;
    std::vector<double> t;
    for (std::size_t a = 0; a < set.size(); ++a) t.push_back(centre[a] / scale[a]);
    Elimination e;
    e.worst = argmax(t);
    if (!(t[e.worst] > 0)) return e;  // nothing differs from the mean of the set
    std::vector<double> maxima;
    for (const auto& d : deviation) {
      double best = -kInf;
      for (std::size_t a = 0; a < set.size(); ++a) best = std::max(best, d[a] / scale[a]);
      maxima.push_back(best);
    }
    e.p = share_above(maxima, t[e.worst]);
    return e;
  }

 private:
  static std::vector<double> against_mean(const std::vector<double>& x,
                                          const std::vector<std::size_t>& set) {
    std::vector<double> v;
    for (std::size_t k : set) v.push_back(x[k]);
    const double m = mean(v);
    for (double& y : v) y -= m;
    return v;
  }

  std::vector<double> mean_;
  Columns resampled_;
};

template <class Test>
ModelConfidenceSet eliminate(const Test& test, std::size_t models) {
  ModelConfidenceSet out;
  out.p.assign(models, 1.0);
  std::vector<std::size_t> set = all_of(models);
  double p = 0;
  while (set.size() > 1) {
    const Elimination e = test(set);
    p = std::max(p, e.p);
    out.p[set[e.worst]] = p;
    out.elimination_order.push_back(set[e.worst]);
    set.erase(set.begin() + static_cast<std::ptrdiff_t>(e.worst));
  }
  out.elimination_order.push_back(set.front());
  return out;
}

}  // namespace

std::vector<std::size_t> ModelConfidenceSet::included(double alpha) const {
  std::vector<std::size_t> out;
  for (std::size_t k = 0; k < p.size(); ++k) {
    if (p[k] > alpha) out.push_back(k);
  }
  return out;
}

std::vector<std::size_t> ModelConfidenceSet::excluded(double alpha) const {
  std::vector<std::size_t> out;
  for (std::size_t k = 0; k < p.size(); ++k) {
    if (!(p[k] > alpha)) out.push_back(k);
  }
  return out;
}

ModelConfidenceSet model_confidence_set(const Columns& losses, const IndexRows& resamples,
                                        McsStatistic statistic) {
  std::vector<double> mean_loss;
  for (const auto& x : losses) mean_loss.push_back(mean(x));
  Columns resampled = means_by_resample(losses, resamples);
  if (statistic == McsStatistic::Range) {
    return eliminate(RangeTest(std::move(mean_loss), std::move(resampled)), losses.size());
  }
  return eliminate(MeanTest(std::move(mean_loss), std::move(resampled)), losses.size());
}

}  // namespace winnow::sweeps::stats
