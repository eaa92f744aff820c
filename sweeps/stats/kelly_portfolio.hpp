#pragma once

#include <vector>

namespace winnow::sweeps::stats {

/// Shares of wealth in several assets over one bet: b >= 0 with sum 1.
struct PortfolioKelly {
  double lambda = 0;
  std::vector<double> kelly;  ///< the largest growth E log(r'b)
  double growth_kelly = 0;
  std::vector<double> constrained;  ///< the largest growth with E (r'b)^-lambda <= 1
  double growth_constrained = 0;
  double constraint = 0;  ///< E (r'b)^-lambda there
};

/// Risk-constrained Kelly over assets (Busseti, Ryu and Boyd 2016, problem RCK): lambda = ln beta /
/// ln alpha bounds P(wealth ever below alpha) by beta. `returns` is [asset][scenario], gross. By
/// Newton's method with a barrier on b, and bisection of the multiplier of the constraint.
/// Requires: at least one asset with a return of 1 in every scenario (cash), or there may be no b
/// that keeps the constraint; positive probabilities that sum to 1; no return below 0, and in every
/// scenario one above; 0 < alpha, beta < 1.
PortfolioKelly kelly_portfolio(const std::vector<std::vector<double>>& returns,
                               const std::vector<double>& probabilities, double alpha, double beta);

}  // namespace winnow::sweeps::stats
