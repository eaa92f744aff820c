#pragma once

#include <span>
#include <vector>

#include "sweeps/stats/panel.hpp"

namespace winnow::sweeps::level {

/// When two families count as one idea, on returns less the market's part over common days.
struct KinLimits {
  double portfolio_correlation = 0.7;  ///< of the two portfolios, or
  double twin_correlation = 0.8;       ///< a variant has a twin from here on, and
  double twin_share_frac = 0.5;        ///< so many of the later family have one in the earlier
};
/// Fewer common days tell nothing.
inline constexpr std::size_t kKinDaysMin = 60;

struct Kinship {
  double portfolio_correlation = 0;
  std::vector<double> best_twin;  ///< of each later variant: greatest correlation with an earlier
  double share_with_twin = 0;
  bool kin = false;
};

/// The mean over variants scaled to one deviation, period by period and about its mean: what a
/// family is as one holding.
std::vector<double> portfolio_of(const PanelView& panel);

/// Requires: the same periods. A constant series is like nothing.
Kinship compare_families(const PanelView& earlier, const PanelView& later,
                         const KinLimits& limits = {});

}  // namespace winnow::sweeps::level
