#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace winnow::sweeps::level {

// Losses that were not seen. A window without a rare event says little about its rate: with none
// seen in T years the 95% upper limit is 3 / T a year. So every instrument has a gap, a move
// against the position that no order stops, and the upper limit of its rate; each variant is
// charged what that would have cost it (docs/STATISTICS.md).

/// Upper 95% limit of the mean of a Poisson count of which `seen` were seen: 3.00, 4.74, 6.30, ...
double poisson_upper_limit(std::uint64_t seen);

/// Purpose: the gap of one instrument and the record that its rate comes from.
struct Gap {
  double frac = 0;  ///< of the notional, against the position; 0 < frac <= 1
  std::uint64_t seen = 0;
  double years = 0;    ///< that the record covers
  std::string record;  ///< its name; empty: the instrument's own data are all there is
  double rate_year() const { return poisson_upper_limit(seen) / years; }
  bool operator==(const Gap&) const = default;
};

/// What is charged where there is no record of a class: pegged pairs, new listings, simulated
/// markets.
inline constexpr double kGapFracUnrecorded = 0.40;
/// C of the returns less the charge that a family needs.
inline constexpr double kGapsMin = 0.90;
/// Of an instrument with so many years of data. Requires: years > 0.
Gap gap_without_record(double years);

/// One entry of a gaps.yaml.
struct GapRecord {
  std::vector<std::string> instruments;
  Gap gap;
  std::string source;  ///< in words
};

/// Parses configs/gaps.yaml. Fails: InvalidInput, `file:line:column: ` naming key, value and what
/// is allowed.
Result<std::vector<GapRecord>> parse_gaps(std::string_view yaml, std::string_view file_name);

/// Null: no record names the instrument. Any alias of a name will do (base/instrument.hpp), and a
/// future that expires is its pair.
const GapRecord* find_gap(std::span<const GapRecord> records, std::string_view instrument);

/// The gap of an instrument: of the shipped records, else without one; what a home's own records
/// say stands if it is no smaller and no rarer. Requires: years > 0.
/// Fails: InvalidInput where the home's own say less.
struct GapQuestion {
  std::span<const GapRecord> shipped;
  std::span<const GapRecord> own;
  std::string_view instrument;
  double years = 0;  ///< of the instrument's data
};
Result<Gap> resolve_gap(const GapQuestion& question);

/// What one gap costs a variant, as a fraction of its equity. A stop at distance s leaves s and a
/// third of the gap, through which it fills. Requires: notional_max >= 0.
struct Held {
  double notional_max = 0;  ///< largest notional over equity
  double stop_frac = 0;     ///< 0: none
};
double gap_loss(const Gap& gap, const Held& held);

/// What is charged, before anything is known of the variants: "30% against what is held, 0.43
/// times a year (bitcoin against the dollar: 1 in 11 years)".
std::string charge_text(const Gap& gap);

/// "one gap of 30% costs 212 days of profit; charged 0.43 a year (...)".
struct GapCost {
  double loss_frac = 0;           ///< mean over the variants, of equity
  double profit_a_day = 0;        ///< mean over the variants, of equity
  double days_of_profit() const;  ///< NaN without a profit
};
std::string gap_text(const Gap& gap, const GapCost& cost);

}  // namespace winnow::sweeps::level
