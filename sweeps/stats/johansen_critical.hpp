#pragma once

#include <array>
#include <cstddef>

namespace winnow::sweeps::stats {

inline constexpr std::size_t kJohansenSeriesMax = 12;

/// Critical values of Johansen's statistics at 90%, 95% and 99% (MacKinnon, Haug and Michelis 1996,
/// as tabulated by LeSage) for `series` series without a common trend left; det_order as johansen()
/// takes it. NaN beyond twelve series.
struct JohansenCritical {
  std::array<double, 3> trace, max_eigen;
};
JohansenCritical johansen_critical(std::size_t series, int det_order);

}  // namespace winnow::sweeps::stats
