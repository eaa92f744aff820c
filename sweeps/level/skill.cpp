#include "sweeps/level/skill.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "sweeps/convergence/kernels.hpp"

namespace winnow::sweeps::level {
namespace {

constexpr std::size_t kRowsAdjusted = 1024;

template <class Body>
void each_row(std::size_t rows, const ParallelFor& parallel, const Body& body) {
  const std::size_t tasks = (rows + kRowsAdjusted - 1) / kRowsAdjusted;
  parallel(tasks, [&](std::size_t task) {
    const std::size_t last = std::min(rows, (task + 1) * kRowsAdjusted);
    for (std::size_t v = task * kRowsAdjusted; v < last; ++v) body(v);
  });
}

template <class Real>
void subtract(const PanelView& returns, std::span<const double> shares,
              std::span<const double> market, const ParallelFor& parallel,
              Uninitialised<Real>& out) {
  const std::size_t periods = returns.periods();
  out.resize(returns.variants() * periods);
  each_row(returns.variants(), parallel, [&](std::size_t v) {
    less_scaled(returns.row<Real>(v), shares[v], market, out.data() + v * periods);
  });
}

double mean_finite(std::span<const double> values) {
  double sum = 0;
  double n = 0;
  for (const double v : values) {
    if (!std::isfinite(v)) continue;
    sum += v;
    n += 1;
  }
  return n > 0 ? sum / n : 0;
}

std::vector<double> row_means(const PanelView& returns, const ParallelFor& parallel) {
  std::vector<double> out(returns.variants());
  each_row(returns.variants(), parallel, [&](std::size_t v) {
    const std::size_t n = returns.periods();
    const double sum = returns.is_double() ? sweeps::sums(returns.row<double>(v), n, 0).sum
                                           : sweeps::sums(returns.row<float>(v), n, 0).sum;
    out[v] = sum / static_cast<double>(n);
  });
  return out;
}

bool stands(const Convergence& score) { return score.scored && score.c >= score.c_required; }

}  // namespace

std::vector<double> market_betas(const PanelView& returns, std::span<const double> market,
                                 const ParallelFor& parallel) {
  WINNOW_REQUIRES(market.size() == returns.periods());
  const double n = static_cast<double>(market.size());
  double mean = 0;
  for (const double m : market) mean += m;
  mean /= n;
  double squares = 0;
  std::vector<double> centred;
  for (const double m : market) {
    centred.push_back(m - mean);
    squares += (m - mean) * (m - mean);
  }
  // What rounding leaves of a constant series is not variance.
  const bool moves = squares > n * mean * mean * 1e-24;
  std::vector<double> out(returns.variants(), 0.0);
  if (!moves) return out;
  each_row(returns.variants(), parallel, [&](std::size_t v) {
    const double* m = centred.data();
    out[v] = (returns.is_double() ? sweeps::dot(returns.row<double>(v), m, centred.size())
                                  : sweeps::dot(returns.row<float>(v), m, centred.size())) /
             squares;
  });
  return out;
}

LessMarket::LessMarket(const PanelView& returns, std::span<const double> shares,
                       std::span<const double> market, const ParallelFor& parallel)
    : returns_(returns) {
  take(shares, market, parallel);
}

void LessMarket::take(std::span<const double> shares, std::span<const double> market,
                      const ParallelFor& parallel) {
  WINNOW_REQUIRES(shares.size() == returns_.variants());
  WINNOW_REQUIRES(market.size() == returns_.periods());
  if (returns_.is_double()) {
    subtract(returns_, shares, market, parallel, doubles_);
  } else {
    subtract(returns_, shares, market, parallel, floats_);
  }
}

MarketShare Skill::market_share() const {
  if (stands(ols) && stands(exposure)) return MarketShare::Little;
  if (stands(ols)) return MarketShare::CalmDays;
  if (stands(exposure)) return MarketShare::WildDays;
  return stands(cash) ? MarketShare::Explained : MarketShare::Little;
}

Skill score_skill(const PanelView& returns, std::span<const double> market,
                  std::span<const double> mean_exposure, const ConvergenceOptions& options,
                  const ParallelFor& parallel) {
  const std::vector<double> betas = market_betas(returns, market, parallel);
  Skill out;
  out.beta_mean = mean_finite(betas);
  out.alpha_mean = mean_finite(row_means(returns, parallel)) - out.beta_mean * mean_finite(market);
  out.exposure_mean = mean_finite(mean_exposure);
  out.cash = score_convergence(returns, options, parallel);
  // Of a million variants a panel is a gigabyte and a half, and new memory costs more than the
  // subtraction: both panels lie in the same.
  LessMarket rest(returns, betas, market, parallel);
  out.ols = score_convergence(rest.view(), options, parallel);
  rest.take(mean_exposure, market, parallel);
  out.exposure = score_convergence(rest.view(), options, parallel);
  return out;
}

const char* market_share_text(MarketShare share) {
  switch (share) {
    case MarketShare::Little:
      return "";
    case MarketShare::CalmDays:
      return "it earns by holding when it is calm, not by choosing days";
    case MarketShare::WildDays:
      return "it earns by holding when it is wild, not by choosing days";
    case MarketShare::Explained:
      return "the market explains what it earns";
  }
  return "";
}

}  // namespace winnow::sweeps::level
