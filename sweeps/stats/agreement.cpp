#include "sweeps/stats/agreement.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "sweeps/stats/basic.hpp"

namespace winnow::sweeps::stats {
namespace {

/// Sum of t^3 - t over the groups of t equal scores.
double tie_correction(std::vector<double> scores) {
  std::sort(scores.begin(), scores.end());
  double sum = 0;
  for (std::size_t from = 0; from < scores.size();) {
    std::size_t to = from + 1;
    while (to < scores.size() && scores[to] == scores[from]) ++to;
    const double t = static_cast<double>(to - from);
    sum += t * t * t - t;
    from = to;
  }
  return sum;
}

std::span<const double> first_part(const std::vector<double>& x, std::size_t n) {
  return std::span(x).first(n);
}

}  // namespace

IntraclassCorrelation intraclass_correlation(const Matrix& ratings) {
  WINNOW_REQUIRES(ratings.size() >= 2 && ratings.front().size() >= 2);
  const double n = static_cast<double>(ratings.size());
  const double k = static_cast<double>(ratings.front().size());
  std::vector<double> row_mean;
  std::vector<double> column_mean(ratings.front().size(), 0.0);
  for (const auto& row : ratings) {
    row_mean.push_back(mean(row));
    for (std::size_t j = 0; j < row.size(); ++j) column_mean[j] += row[j] / n;
  }
  double within = 0;
  double error = 0;
  const double grand = mean(row_mean);
  for (std::size_t i = 0; i < ratings.size(); ++i) {
    for (std::size_t j = 0; j < column_mean.size(); ++j) {
      const double w = ratings[i][j] - row_mean[i];
      const double e = w - column_mean[j] + grand;
      within += w * w;
      error += e * e;
    }
  }
  IntraclassCorrelation r{};
  const double bms = k * variance(row_mean);
  const double jms = n * variance(column_mean);
  const double wms = within / (n * (k - 1));
  const double ems = error / ((n - 1) * (k - 1));
  r.ms_targets = bms;
  r.ms_raters = jms;
  r.ms_within = wms;
  r.ms_error = ems;
  r.icc11 = (bms - wms) / (bms + (k - 1) * wms);
  r.icc21 = (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n);
  r.icc31 = (bms - ems) / (bms + (k - 1) * ems);
  r.icc1k = (bms - wms) / bms;
  r.icc2k = (bms - ems) / (bms + (jms - ems) / n);
  r.icc3k = (bms - ems) / bms;
  return r;
}

Concordance kendall_w(const Matrix& scores) {
  const double k = static_cast<double>(scores.size());
  const double n = static_cast<double>(scores.front().size());
  Matrix ranks;
  std::vector<double> rank_sum(scores.front().size(), 0.0);
  double ties = 0;
  for (const auto& row : scores) {
    ranks.push_back(average_ranks(row));
    ties += tie_correction(row);
    for (std::size_t j = 0; j < rank_sum.size(); ++j) rank_sum[j] += ranks.back()[j];
  }
  Concordance c;
  const double s = variance(rank_sum, 0) * n;
  const double most = k * k * (n * n * n - n) - k * ties;
  if (!(most > 0)) return c;  // every ranking ties everything: they agree on nothing
  c.w = 12 * s / most;
  c.chi2 = k * (n - 1) * c.w;
  c.p = chi2_sf(c.chi2, n - 1);
  double sum = 0;
  double pairs = 0;
  for (std::size_t a = 0; a < ranks.size(); ++a) {
    for (std::size_t b = a + 1; b < ranks.size(); ++b) {
      sum += correlation(ranks[a], ranks[b]);
      ++pairs;
    }
  }
  c.mean_spearman = sum / pairs;
  return c;
}

RankPersistence rank_persistence(const Matrix& columns) {
  std::vector<double> train;
  std::vector<double> test;
  double agree = 0;
  for (const auto& x : columns) {
    const std::size_t half = x.size() / 2;
    train.push_back(sharpe(first_part(x, half)));
    test.push_back(sharpe(std::span(x).subspan(half)));
    agree += std::signbit(train.back()) == std::signbit(test.back()) ? 1 : 0;
  }
  RankPersistence r{};
  r.spearman = spearman(train, test);
  r.spearman_p = correlation_p(r.spearman, train.size());
  r.kendall_tau_b = kendall_tau_b(train, test);
  r.pearson = correlation(train, test);
  r.sign_agreement_frac = agree / static_cast<double>(columns.size());
  return r;
}

ScaleReduction rhat(const Matrix& chains) {
  const double n = static_cast<double>(chains.front().size());
  std::vector<double> means;
  std::vector<double> variances;
  for (const auto& chain : chains) {
    means.push_back(mean(chain));
    variances.push_back(variance(chain));
  }
  ScaleReduction r;
  r.between = n * variance(means);
  r.within = mean(variances);
  r.rhat = std::sqrt(((n - 1) / n * r.within + r.between / n) / r.within);
  return r;
}

ScaleReduction split_rhat(const Matrix& chains) {
  Matrix halves;
  for (const auto& chain : chains) {
    const auto half = static_cast<std::ptrdiff_t>(chain.size() / 2);
    halves.emplace_back(chain.begin(), chain.begin() + half);
    halves.emplace_back(chain.end() - half, chain.end());
  }
  return rhat(halves);
}

}  // namespace winnow::sweeps::stats
