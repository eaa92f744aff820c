#pragma once

#include <cstdint>

#include "base/market.hpp"

namespace winnow::sweeps {

/// Purpose: a market that holds a peg until it does not. Some sixty times a year it leaves the peg
/// by 60 bps, up or down, for hours; it returns, or breaks by 40% in the same direction, so rarely
/// that nothing can be expected of betting on the return: the price is a martingale. Two years in
/// five have no break, and in them every variant that bets on the return has earned.
struct PeggedSpec {
  std::size_t bars = 365 * 24;  ///< hours
  double deviations_year = 60;
  double deviation_frac = 0.006;
  double break_frac = 0.40;
  double noise_bar_frac = 0.00005;  ///< sd of an hour at the peg
};
/// The chance that a deviation breaks: what makes it a fair bet.
double break_probability(const PeggedSpec& spec);
MarketColumns pegged_market(const PeggedSpec& spec, std::uint64_t seed);

}  // namespace winnow::sweeps
