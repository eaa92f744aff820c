#pragma once

#include <cstdint>
#include <vector>

#include "base/uninitialised.hpp"
#include "serve/sweep_view.hpp"

namespace winnow::serve {

/// The period returns of one family on one dataset, as far as they are committed.
struct FamilyPanel {
  Uninitialised<float> returns;      ///< [row][period]; a failed trial's row is NaN
  std::vector<std::uint64_t> trial;  ///< of each row
  std::uint32_t periods = 0;
  std::uint64_t skipped = 0;  ///< trials of blocks that have other periods (quarantined ones)
};
/// Fails: Refused (more than kPanelBytesMax), Corrupt, Io.
Result<FamilyPanel> read_panel(const Sources& sources, const SweepView& view,
                               const sweeps::Segment& segment);
inline constexpr std::uint64_t kPanelBytesMax = std::uint64_t{8} << 30;

}  // namespace winnow::serve
