#include "sweeps/best_of_many.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/check.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/bootstrap.hpp"

namespace winnow::sweeps {
namespace {

using Eigen::MatrixXd;

constexpr std::uint64_t kResamplingSeed = 1;
constexpr std::size_t kVariantsPerTask = 128;  // variants; their resampled means stay in cache
constexpr double kLuckAlpha = 0.05;
constexpr std::size_t kStepsMax = 10;

/// The periods of one resample, by its number.
using Resample = std::function<std::vector<std::size_t>(std::size_t)>;

/// How often each resample draws each period, as a part of all: [period][resample].
MatrixXd draw_weights(std::size_t periods, std::size_t resamples, const Resample& resample,
                      const ParallelFor& parallel) {
  MatrixXd out =
      MatrixXd::Zero(static_cast<Eigen::Index>(periods), static_cast<Eigen::Index>(resamples));
  parallel(resamples, [&](std::size_t b) {
    auto column = out.col(static_cast<Eigen::Index>(b));
    for (const std::size_t t : resample(b)) column[static_cast<Eigen::Index>(t)] += 1;
    column /= static_cast<double>(periods);
  });
  return out;
}

/// A share of resamples as the p-values of this page: (1 + #) / (1 + resamples).
double never_zero(double share, std::size_t resamples) {
  const double b = static_cast<double>(resamples);
  return (1 + std::round(share * b)) / (1 + b);
}

/// Purpose: the family's means and the largest deviations of their resamples. Thread: one, which
/// hands chunks of variants out.
class Tester {
 public:
  struct Draws {
    std::size_t resamples = 0;
    double mean_block = 1;
    Resample resample;
  };
  Tester(const PanelView& panel, std::span<const std::uint32_t> rows, const Draws& draws,
         const ParallelFor& parallel)
      : panel_(panel),
        rows_(rows),
        parallel_(parallel),
        mean_block_(draws.mean_block),
        kernel_(stats::long_run_kernel(panel.periods(), draws.mean_block)),
        resamples_(draws.resamples),
        weights_(draw_weights(panel.periods(), resamples_, draws.resample, parallel)),
        mean_(rows.size()),
        omega_(rows.size()),
        left_(rows.size(), true) {}

  BestOfMany run() {
    BestOfMany out;
    out.variants = rows_.size();
    out.resamples = resamples_;
    out.mean_block = mean_block_;
    const std::vector<Maxima> all = pass(Pass::First);
    const double n = std::sqrt(static_cast<double>(panel_.periods()));
    double plain = -std::numeric_limits<double>::infinity();
    double studentised = 0;
    for (std::size_t k = 0; k < rows_.size(); ++k) {
      plain = std::max(plain, mean_[k]);
      studentised = std::max(studentised, n * statistic(k));
    }
    const auto p_of = [&](double Maxima::*which, double value) {
      std::vector<double> maxima;
      for (const Maxima& m : all) maxima.push_back(m.*which);
      return never_zero(stats::tail_share(maxima, value), resamples_);
    };
    out.p_reality_check = p_of(&Maxima::plain, plain);
    out.p_spa_lower = p_of(&Maxima::lower, studentised / n);
    out.p_spa_consistent = p_of(&Maxima::consistent, studentised / n);
    out.p_spa_upper = p_of(&Maxima::upper, studentised / n);
    step_down(all, out);
    return out;
  }

 private:
  /// Largest over variants, in one resample. Those of the studentised tests are at least 0.
  struct Maxima {
    double plain = -std::numeric_limits<double>::infinity();
    double lower = 0, consistent = 0, upper = 0;
    double step = -std::numeric_limits<double>::infinity();
  };
  enum class Pass { First, Step };

  double statistic(std::size_t k) const { return omega_[k] > 0 ? mean_[k] / omega_[k] : 0; }

  /// Returns of some variants in units of their sd; means and long-run sd at the first pass.
  MatrixXd standardised(std::size_t first, std::size_t count, Pass pass) {
    const std::size_t periods = panel_.periods();
    MatrixXd x(static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(periods));
    std::vector<double> row(periods);
    for (std::size_t i = 0; i < count; ++i) {
      double sum = 0;
      for (std::size_t t = 0; t < periods; ++t) {
        row[t] = panel_.at(rows_[first + i], t);
        sum += row[t];
      }
      const double mean = sum / static_cast<double>(periods);
      double squares = 0;
      for (const double v : row) squares += (v - mean) * (v - mean);
      const double sd = std::sqrt(squares / static_cast<double>(periods - 1));
      for (double& v : row) v /= sd;
      if (pass == Pass::First) {
        mean_[first + i] = mean / sd;
        omega_[first + i] = stats::long_run_sd(row, kernel_);
      }
      x.row(static_cast<Eigen::Index>(i)) =
          Eigen::Map<const Eigen::RowVectorXd>(row.data(), static_cast<Eigen::Index>(periods));
    }
    return x;
  }

  void add(const MatrixXd& means, std::size_t first, std::size_t count, Pass pass,
           std::vector<Maxima>& out) const {
    const auto n = static_cast<double>(panel_.periods());
    const double band = std::sqrt(2 * std::log(std::log(n)) / n);
    for (std::size_t b = 0; b < resamples_; ++b) {
      Maxima& m = out[b];
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t k = first + i;
        if (!left_[k]) continue;
        const double drawn = means(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(b));
        if (pass == Pass::First) m.plain = std::max(m.plain, drawn - mean_[k]);
        // Without a long-run spread a variant says nothing: its studentised ratio is 0 throughout.
        const double deviation = omega_[k] > 0 ? (drawn - mean_[k]) / omega_[k] : 0;
        m.step = std::max(m.step, deviation);
        if (pass == Pass::Step || !(omega_[k] > 0)) continue;
        m.upper = std::max(m.upper, deviation);
        const bool bad = mean_[k] < -omega_[k] * band;
        m.consistent = std::max(m.consistent, bad ? drawn / omega_[k] : deviation);
        m.lower = std::max(m.lower, mean_[k] < 0 ? drawn / omega_[k] : deviation);
      }
    }
  }

  std::vector<Maxima> pass(Pass which) {
    const std::size_t chunks = (rows_.size() + kVariantsPerTask - 1) / kVariantsPerTask;
    // A few sets of maxima, each of chunks far apart: memory does not grow with the family.
    constexpr std::size_t kParts = 64;
    const std::size_t parts = std::min(kParts, chunks);
    std::vector<std::vector<Maxima>> found(parts, std::vector<Maxima>(resamples_));
    parallel_(parts, [&](std::size_t p) {
      for (std::size_t c = p; c < chunks; c += parts) {
        const std::size_t first = c * kVariantsPerTask;
        const std::size_t count = std::min(kVariantsPerTask, rows_.size() - first);
        const MatrixXd means = standardised(first, count, which) * weights_;
        add(means, first, count, which, found[p]);
      }
    });
    std::vector<Maxima> out(resamples_);
    for (const auto& part : found) {
      for (std::size_t b = 0; b < resamples_; ++b) merge(part[b], out[b]);
    }
    return out;
  }

  static void merge(const Maxima& from, Maxima& to) {
    to.plain = std::max(to.plain, from.plain);
    to.lower = std::max(to.lower, from.lower);
    to.consistent = std::max(to.consistent, from.consistent);
    to.upper = std::max(to.upper, from.upper);
    to.step = std::max(to.step, from.step);
  }

  /// The smallest maximum with at least 95% of all at or below it.
  static double critical(const std::vector<Maxima>& maxima) {
    std::vector<double> v;
    for (const Maxima& m : maxima) v.push_back(m.step);
    std::sort(v.begin(), v.end());
    const double at = std::ceil((1 - kLuckAlpha) * static_cast<double>(v.size()) - 1e-9);
    return v[static_cast<std::size_t>(std::max(at, 1.0)) - 1];
  }

  void step_down(const std::vector<Maxima>& all, BestOfMany& out) {
    double level = critical(all);
    for (std::size_t step = 0; step < kStepsMax; ++step) {
      std::uint64_t fresh = 0;
      for (std::size_t k = 0; k < rows_.size(); ++k) {
        if (!left_[k] || !(statistic(k) > std::max(level, 0.0))) continue;
        left_[k] = false;
        ++fresh;
      }
      out.superior += fresh;
      if (fresh == 0 || out.superior == rows_.size() || step + 1 == kStepsMax) return;
      level = critical(pass(Pass::Step));
    }
  }

  const PanelView& panel_;
  std::span<const std::uint32_t> rows_;
  const ParallelFor& parallel_;
  double mean_block_;
  std::vector<double> kernel_;
  std::size_t resamples_;
  MatrixXd weights_;
  std::vector<double> mean_, omega_;
  std::vector<char> left_;  // not yet found superior; bytes, as threads read beside one another
};

// A series and its multiple differ by rounding only, which no test may take for a difference.
bool same_series(const std::vector<double>& a, const std::vector<double>& b) {
  constexpr double kRounding = 1e-9;  // of a standard deviation
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](double x, double y) { return std::fabs(x - y) <= kRounding; });
}

}  // namespace

BestOfManyResult best_of_many(const PanelView& panel, std::span<const std::uint32_t> rows,
                              double mean_block, const ParallelFor& parallel) {
  BestOfManyResult out;
  if (rows.empty()) {
    out.reason = "no variant has returns that vary";
  } else if (panel.periods() < kBestOfManyPeriodsMin) {
    out.reason = std::to_string(panel.periods()) + " periods; the tests need at least " +
                 std::to_string(kBestOfManyPeriodsMin);
  } else if (rows.size() > kBestOfManyVariantsMax) {
    out.reason = std::to_string(rows.size()) + " variants; at most " +
                 std::to_string(kBestOfManyVariantsMax) + " are tested at once";
  } else {
    const std::size_t resamples =
        rows.size() <= kBestOfManyFewVariants ? kBestOfManyResamples : kBestOfManyResamplesFew;
    const auto resample = [&](std::size_t b) {
      return stats::stationary_indices(panel.periods(), mean_block, kResamplingSeed, b);
    };
    out.tests = Tester(panel, rows, {resamples, mean_block, resample}, parallel).run();
  }
  return out;
}

BestOfMany best_of_many_given(const PanelView& panel, std::span<const std::uint32_t> rows,
                              double mean_block, const stats::IndexRows& resamples) {
  WINNOW_REQUIRES(!rows.empty() && !resamples.empty());
  const auto resample = [&](std::size_t b) { return resamples[b]; };
  return Tester(panel, rows, {resamples.size(), mean_block, resample}, serial_for()).run();
}

Contest contest(const std::vector<std::vector<double>>& returns, const stats::IndexRows& resamples,
                double mean_block, double alpha) {
  WINNOW_REQUIRES(!returns.empty() && !resamples.empty());
  stats::SnoopingInput input;
  input.mean_block = mean_block;
  input.resamples = resamples;
  stats::Columns losses;
  std::vector<std::size_t> model;  // of each series; clones are one model
  for (const std::vector<double>& series : returns) {
    const double sd = stats::stdev(series);
    std::vector<double> gain;
    for (const double r : series) gain.push_back(r / sd);
    const auto known =
        std::find_if(input.advantage.begin(), input.advantage.end(),
                     [&](const std::vector<double>& other) { return same_series(gain, other); });
    model.push_back(static_cast<std::size_t>(known - input.advantage.begin()));
    if (known != input.advantage.end()) continue;
    losses.emplace_back();
    for (const double r : gain) losses.back().push_back(-r);
    input.advantage.push_back(std::move(gain));
  }
  const auto means = stats::resampled_means(input);
  const std::vector<double> better = stats::step_m(means, alpha).adjusted_p;
  std::vector<double> in_set(losses.size(), 1);
  if (losses.size() > 1) {
    in_set = stats::model_confidence_set(losses, resamples, stats::McsStatistic::Range).p;
  }
  Contest out;
  out.p_spa =
      never_zero(stats::superior_ability(means, stats::Recentring::Consistent).p, resamples.size());
  for (const std::size_t m : model) {
    out.p_beats_cash.push_back(better[m]);
    out.p_in_best_set.push_back(in_set[m]);
  }
  return out;
}

}  // namespace winnow::sweeps
