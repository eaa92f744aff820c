#pragma once

#include <span>
#include <vector>

#include "base/uninitialised.hpp"
#include "sweeps/convergence/convergence.hpp"
#include "sweeps/stats/panel.hpp"

namespace winnow::sweeps::level {

// Skill is what the market does not explain. A family is scored three times: its returns as they
// are (against cash), less beta times the market (least squares), and less the market held at the
// variant's mean exposure. Each of the last two alone is fooled by a market whose drift is not its
// null's (constant while volatility varies, or proportional to variance); the smaller is not.

/// Slope of each variant's returns on the market's, by least squares over these periods; 0 where
/// the market does not move. NaN for a row that has one. Requires: market.size() == periods.
std::vector<double> market_betas(const PanelView& returns, std::span<const double> market,
                                 const ParallelFor& parallel = serial_for());

/// Purpose: a panel less a part of the market: r - share r_m, one share a variant. As precise as
/// the panel it came from. Owner: the panel outlives it. Thread: const, so any.
class LessMarket {
 public:
  /// Requires: shares.size() == variants, market.size() == periods.
  LessMarket(const PanelView& returns, std::span<const double> shares,
             std::span<const double> market, const ParallelFor& parallel = serial_for());
  /// The same panel less other shares, in the same memory. Views of before show it, too.
  void take(std::span<const double> shares, std::span<const double> market,
            const ParallelFor& parallel = serial_for());
  PanelView view() const {
    return doubles_.empty() ? PanelView::of(floats_, returns_.variants(), returns_.periods())
                            : PanelView::of(doubles_, returns_.variants(), returns_.periods());
  }

 private:
  PanelView returns_;
  Uninitialised<float> floats_;
  Uninitialised<double> doubles_;
};

/// What the market explains of a family, in words for people.
enum class MarketShare {
  Little,     ///< both scores against the market stand, or none does
  CalmDays,   ///< only least squares passes: it earns by holding when it is calm
  WildDays,   ///< only the exposure passes: it earns by holding when it is wild
  Explained,  ///< it passes against cash alone
};

/// A family's score against each of the three.
struct Skill {
  Convergence cash;
  Convergence ols;
  Convergence exposure;
  double alpha_mean = 0;     ///< over the variants, of a period: what beta does not explain
  double beta_mean = 0;      ///< over the variants
  double exposure_mean = 0;  ///< over the variants and periods

  /// The gate: the smaller of the last two.
  const Convergence& gate() const { return ols.c < exposure.c ? ols : exposure; }
  MarketShare market_share() const;
};

/// `market` are the instrument's own returns of the same periods, with what holding it costs in
/// funding; `mean_exposure` each variant's mean position over them. Memory: one more panel.
Skill score_skill(const PanelView& returns, std::span<const double> market,
                  std::span<const double> mean_exposure, const ConvergenceOptions& options = {},
                  const ParallelFor& parallel = serial_for());

/// A sentence, empty for Little.
const char* market_share_text(MarketShare share);

}  // namespace winnow::sweeps::level
