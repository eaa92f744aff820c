#pragma once

#include <cstdint>

#include "base/market.hpp"

namespace winnow::sweeps {

/// What a market pays for being held.
enum class DriftLaw : std::uint8_t {
  Constant,  ///< the same every hour, calm or wild
  Variance,  ///< in proportion to the hour's variance
};

/// Purpose: a market whose volatility varies and whose direction nobody can forecast beyond its
/// drift. The logarithm of volatility wanders around its mean (Ornstein and Uhlenbeck); a share of
/// its shocks are the returns' own with the opposite sign, the leverage effect: after falls it is
/// wild, after rises calm. So those who follow prices hold when it is calm, and those who buy what
/// fell hold when it is wild, without having looked at volatility. Volume shrinks as volatility
/// grows: who may take so much of a bar's volume holds less when it is wild.
struct MoodySpec {
  std::size_t bars = 2 * 365 * 24;   ///< hours
  double volatility_ann_frac = 0.5;  ///< root of the mean variance
  double mood_sd_log = 0.8;          ///< of volatility's logarithm
  double half_life_days = 20;        ///< of a mood
  double leverage = 1;               ///< correlation of mood and return, less its sign, 0 to 1
  DriftLaw drift = DriftLaw::Constant;
  double hold_sharpe_ann = 2;  ///< of holding a fixed share of equity
  double notional_bar = 1e8;   ///< traded in an hour of root mean square volatility
};
/// Highs and lows are those of opens and closes: nothing in it may trade between.
MarketColumns moody_market(const MoodySpec& spec, std::uint64_t seed);

}  // namespace winnow::sweeps
