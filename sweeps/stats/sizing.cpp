#include "sweeps/stats/sizing.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "base/rng.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/bootstrap.hpp"

namespace winnow::sweeps::stats {
namespace {

/// Root of a falling function in [low, high] that changes sign there.
template <class F>
double root(F f, double low, double high) {
  const double at_low = f(low);
  const double at_high = f(high);
  if (at_low <= 0) return low;
  if (at_high >= 0) return high;
  std::uintmax_t steps = 200;
  const auto bracket = boost::math::tools::toms748_solve(
      f, low, high, at_low, at_high, boost::math::tools::eps_tolerance<double>(52), steps);
  return (bracket.first + bracket.second) / 2;
}

double expect(const Scenarios& s, auto f) {
  double sum = 0;
  for (std::size_t i = 0; i < s.outcomes.size(); ++i) sum += s.probabilities[i] * f(s.outcomes[i]);
  return sum;
}

/// The fraction at which the worst outcome ruins.
double ruin_fraction(const Scenarios& s) {
  const double worst = *std::min_element(s.outcomes.begin(), s.outcomes.end());
  return worst < 0 ? -1 / worst : std::numeric_limits<double>::infinity();
}

/// Trades drawn anew in blocks whose length their own dependence asks for; on from the last to the
/// first, as long as `count`.
class TradeDraws {
 public:
  TradeDraws(std::span<const double> trades, std::uint64_t seed)
      : trades_(trades),
        seed_(seed),
        stay_(1 - 1 / usable_block(optimal_block_length(trades).stationary, trades.size())) {}

  std::vector<double> draw(std::size_t count, std::uint64_t path) const {
    Rng rng(seed_, path);
    std::vector<double> out(count);
    std::size_t at = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const bool goes_on = i > 0 && rng.uniform() < stay_;
      at = goes_on ? (at + 1) % trades_.size() : rng.below(trades_.size());
      out[i] = trades_[at];
    }
    return out;
  }

 private:
  std::span<const double> trades_;
  std::uint64_t seed_;
  double stay_;
};

}  // namespace

BinaryKelly kelly_binary(double p, double b) {
  BinaryKelly k;
  k.fraction = std::max(0.0, p - (1 - p) / b);
  const auto growth = [&](double f) { return p * std::log1p(f * b) + (1 - p) * std::log1p(-f); };
  k.growth = growth(k.fraction);
  k.growth_half = growth(k.fraction / 2);
  return k;
}

NormalKelly kelly_normal(double m, double s, double r) {
  const double excess = m - r;
  const double full = excess * excess / (s * s);
  return {excess / (s * s), r + full / 2, r + full * (0.5 - 0.125), excess / s};
}

double probability_ever_below(double share, double level) { return std::pow(level, 2 / share - 1); }

double log_growth(const Scenarios& s, double fraction) {
  return expect(s, [fraction](double o) { return std::log1p(fraction * o); });
}

double kelly_scenarios(const Scenarios& s) {
  WINNOW_REQUIRES(s.outcomes.size() == s.probabilities.size());
  WINNOW_REQUIRES(std::abs(expect(s, [](double) { return 1.0; }) - 1) < 1e-9);
  const double ruin = ruin_fraction(s);
  const auto slope = [&](double f) { return expect(s, [f](double o) { return o / (1 + f * o); }); };
  if (!std::isfinite(ruin)) return slope(0) > 0 ? ruin : 0;
  return root(slope, 0, ruin * (1 - 1e-12));
}

RiskConstrainedKelly kelly_risk_constrained(const Scenarios& s, double alpha, double beta) {
  RiskConstrainedKelly k;
  k.lambda = std::log(beta) / std::log(alpha);
  k.kelly = kelly_scenarios(s);
  const auto risk = [&](double f) {
    return expect(s, [&](double o) { return std::pow(1 + f * o, -k.lambda); });
  };
  k.fraction = k.kelly;
  if (k.kelly > 0 && risk(k.kelly) > 1) {
    // risk is convex with risk(0) = 1 and falls at first: the other root lies beyond its minimum.
    const auto slope = [&](double f) {
      return expect(s, [&](double o) { return o * std::pow(1 + f * o, -k.lambda - 1); });
    };
    const double lowest = root(slope, 0, k.kelly);
    k.fraction = root([&](double f) { return 1 - risk(f); }, lowest, k.kelly);
  }
  k.growth = log_growth(s, k.fraction);
  k.constraint = risk(k.fraction);
  const double m = expect(s, [](double o) { return o; });
  const double square = expect(s, [](double o) { return o * o; });
  k.quadratic = std::max(0.0, std::min(m / square, 2 * m / ((k.lambda + 1) * square)));
  return k;
}

TargetUtility target_utility(std::span<const double> trades, double target, double kelly,
                             const TradePaths& paths) {
  WINNOW_REQUIRES(trades.size() >= 10 && target >= 1);
  constexpr int kGrid = 64;
  TargetUtility best;
  if (!(kelly > 0) || !std::isfinite(kelly)) {
    best.probability = target <= 1 ? 1 : 0;
    return best;
  }
  std::vector<std::size_t> reached(kGrid, 0);
  const TradeDraws draws(trades, paths.seed);
  for (std::size_t path = 0; path < paths.paths; ++path) {
    const std::vector<double> drawn = draws.draw(paths.horizon, path);
    for (int i = 0; i < kGrid; ++i) {
      const double f = 2 * kelly * (i + 1) / kGrid;
      double wealth = 1;
      for (const double r : drawn) wealth *= std::max(0.0, 1 + f * r);
      reached[static_cast<std::size_t>(i)] += wealth >= target ? 1 : 0;
    }
  }
  const auto most = std::max_element(reached.begin(), reached.end());
  best.fraction = 2 * kelly * static_cast<double>(most - reached.begin() + 1) / kGrid;
  best.probability = static_cast<double>(*most) / static_cast<double>(paths.paths);
  return best;
}

KellyInterval kelly_interval(std::span<const double> trades, const TradePaths& paths) {
  const TradeDraws draws(trades, paths.seed);
  const std::vector<double> weights(trades.size(), 1 / static_cast<double>(trades.size()));
  std::vector<double> fractions;
  for (std::size_t path = 0; path < paths.paths; ++path) {
    const std::vector<double> drawn = draws.draw(trades.size(), path);
    fractions.push_back(kelly_scenarios({drawn, weights}));
  }
  return {quantile(fractions, 0.05), quantile(fractions, 0.95)};
}

MultiKelly kelly_multi(std::span<const double> mu,
                       const std::vector<std::vector<double>>& covariance) {
  WINNOW_REQUIRES(covariance.size() == mu.size());
  const auto n = static_cast<Eigen::Index>(mu.size());
  Eigen::VectorXd m(n);
  Eigen::MatrixXd s(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    m(i) = mu[static_cast<std::size_t>(i)];
    for (Eigen::Index j = 0; j < n; ++j) {
      s(i, j) = covariance[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
    }
  }
  const Eigen::VectorXd w = s.ldlt().solve(m);
  MultiKelly k;
  k.weights.assign(w.data(), w.data() + n);
  k.growth = m.dot(w) - 0.5 * w.dot(s * w);
  k.sharpe = std::sqrt(m.dot(w));
  return k;
}

std::vector<double> volatility_target_weights(std::span<const double> returns,
                                              const VolatilityTarget& o) {
  std::vector<double> weights;
  double v = variance(returns.first(std::min(o.warm_up, returns.size())));
  for (double r : returns) {
    weights.push_back(std::min(o.cap, o.target_ann / std::sqrt(o.periods_per_year * v)));
    v = o.decay * v + (1 - o.decay) * r * r;
  }
  return weights;
}

}  // namespace winnow::sweeps::stats
