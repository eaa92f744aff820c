#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serve/sweep_view.hpp"
#include "sweeps/risk/monte_carlo.hpp"
#include "sweeps/risk/policy.hpp"

namespace winnow::serve {

struct RiskOptions {
  std::size_t horizon_days = 365;
  std::size_t paths = 10'000;
  std::uint64_t seed = 1;
  std::vector<sweeps::risk::Policy> policies = sweeps::risk::default_policies();
};
inline constexpr std::uint64_t kRiskPathsMax = 200'000;
inline constexpr std::uint64_t kRiskPathsMin = 100;
/// Fewer days say nothing about a year: neither tails nor block lengths can be seen in them.
inline constexpr std::size_t kRiskDaysMin = 20;
inline constexpr std::size_t kRiskTradesMin = 20;

/// What one variant may lose: `verdict` is MEASURED, NO_RESULT, FAILED, CONSTANT or TOO_FEW_DAYS,
/// `reasons` say why; then history, simulation, ruin, posterior, tail, trades and policies. A
/// number that does not exist is null. Fails: Corrupt, Io.
Result<Json> assess_variant(const Sources& sources, const SweepView& view, std::uint64_t trial,
                            const RiskOptions& options);

/// What each policy would have made of all variants of a segment, by their daily returns: medians,
/// and the share of variants that it made better. At most kPolicyVariantsMax variants, evenly
/// spread. A policy that only acts within days has no numbers here. Fails: as read_panel.
Result<Json> policies_over_family(const Sources& sources, const SweepView& view,
                                  const sweeps::Segment& segment, const RiskOptions& options);
inline constexpr std::uint64_t kPolicyVariantsMax = 20'000;

}  // namespace winnow::serve
