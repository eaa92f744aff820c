#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace winnow::sweeps {

// States of a market by UTC day, each known before the day begins: from the closes of complete days
// before it and nothing else. What a variant earned in each says where its edge lives; it is no
// test, and counts in no verdict.

/// A way to tell days apart. Declared in regimes.cpp; there is nowhere else to add one.
struct RegimeDecl {
  std::string_view name;
  std::span<const std::string_view> states;
  std::size_t closes = 0;  ///< that a day's state looks back on; with fewer it is not known
  std::string_view help;   ///< its definition, one sentence
  /// The state of the day after the last of `closes` (oldest first, so many as above).
  std::size_t (*state)(std::span<const double> closes) = nullptr;
};
std::span<const RegimeDecl> regime_decls();

inline constexpr std::int32_t kRegimeUnknown = -1;

/// The state of each day, by index into decl.states; kRegimeUnknown where too few days came before.
std::vector<std::int32_t> regime_states(const RegimeDecl& decl, std::span<const double> closes);

/// What was earned in one state.
struct RegimeGroup {
  std::size_t days = 0;
  double mean_frac = 0;   ///< of a day's return
  double sharpe_ann = 0;  ///< NaN where it is not defined
  double sum_frac = 0;    ///< of the days' returns: the groups' add up to the whole
};
/// By state, and last those of unknown state. Requires: states and returns of the same days.
std::vector<RegimeGroup> regime_groups(const RegimeDecl& decl, std::span<const std::int32_t> states,
                                       std::span<const double> returns, double periods_per_year);

}  // namespace winnow::sweeps
