#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

// Position sizing. Growth is the expected log growth of wealth per bet or per unit of time.

/// A bet won with probability p, paying b to 1 (Kelly 1956): f = p - (1 - p) / b, not below 0.
struct BinaryKelly {
  double fraction = 0;
  double growth = 0;
  double growth_half = 0;  ///< at half the fraction
};
BinaryKelly kelly_binary(double win_probability, double odds);

/// Normal returns with mean m, sd s, riskless r per unit of time (Thorp 2006): f = (m - r) / s^2.
struct NormalKelly {
  double fraction = 0;
  double growth = 0;  ///< r + (m - r)^2 / (2 s^2)
  double growth_half = 0;
  double sharpe = 0;
};
NormalKelly kelly_normal(double mean, double sd, double riskless);
/// P(wealth ever falls to `level` of the start) at `share` of the Kelly fraction: x^(2/k - 1).
double probability_ever_below(double share, double level);

/// A bet on one of several outcomes (return per unit staked).
struct Scenarios {
  std::span<const double> outcomes;
  std::span<const double> probabilities;
};
double log_growth(const Scenarios& s, double fraction);
/// Root of E[o / (1 + f o)] = 0; 0 for a bet with a negative mean; +infinity where no outcome
/// loses. Requires: probabilities sum to 1.
double kelly_scenarios(const Scenarios& s);

/// Risk-constrained Kelly (Busseti, Ryu and Boyd 2016): the fraction of largest growth with
/// E (1 + f o)^-lambda <= 1, lambda = ln beta / ln alpha, which bounds P(wealth ever below alpha)
/// by beta. `quadratic` is their second-order version min(E o / E o^2, 2 E o / ((lambda + 1) E
/// o^2)).
struct RiskConstrainedKelly {
  double lambda = 0;
  double kelly = 0;
  double fraction = 0;
  double growth = 0;
  double constraint = 0;  ///< E (1 + f o)^-lambda at the fraction
  double quadratic = 0;
};
RiskConstrainedKelly kelly_risk_constrained(const Scenarios& s, double alpha, double beta);

/// How trades may come again: a stationary bootstrap of their order, `horizon` of them a path.
struct TradePaths {
  std::size_t paths = 1'000;
  std::size_t horizon = 100;
  std::uint64_t seed = 1;
};
/// Trades are returns per unit staked; a stake f of the wealth makes it W (1 + f r) at each.
/// The fraction with the largest share of paths that end at `target` times the start or above, on a
/// grid of 64 points to twice the Kelly fraction; the smallest where several have it. 0 without an
/// edge. Requires: 10 trades, target >= 1.
struct TargetUtility {
  double fraction = 0;
  double probability = 0;
};
TargetUtility target_utility(std::span<const double> trades, double target, double kelly,
                             const TradePaths& paths);
/// The Kelly fraction of resamples of the trades, of which 90% lie between the two.
struct KellyInterval {
  double low = 0;
  double high = 0;
};
KellyInterval kelly_interval(std::span<const double> trades, const TradePaths& paths);

/// Several assets: w = covariance^-1 mu, growth mu'w - w'Sw/2, sharpe sqrt(mu'S^-1 mu).
struct MultiKelly {
  std::vector<double> weights;
  double growth = 0;
  double sharpe = 0;
};
/// Requires: a square covariance of mu's size. NaN weights if it is singular.
MultiKelly kelly_multi(std::span<const double> mu,
                       const std::vector<std::vector<double>>& covariance);

/// Weights that target an annual volatility with an exponentially weighted variance, known before
/// each return: w[t] = min(cap, target / sqrt(P v[t])), v[t+1] = lambda v[t] + (1 - lambda) r[t]^2,
/// v[0] the variance (divisor n - 1) of the first `warm_up` returns.
struct VolatilityTarget {
  double target_ann = 0;
  double decay = 0.94;
  double cap = 1;
  std::size_t warm_up = 20;
  double periods_per_year = 365;
};
std::vector<double> volatility_target_weights(std::span<const double> returns,
                                              const VolatilityTarget& options);

}  // namespace winnow::sweeps::stats
