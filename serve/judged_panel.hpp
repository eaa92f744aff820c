#pragma once

#include <cstdint>
#include <vector>

#include "serve/scores.hpp"
#include "sweeps/judged.hpp"

namespace winnow::serve {

/// The rows of a panel whose trials its family may be judged by.
std::vector<std::uint32_t> judged_rows(const SweepView& view, const sweeps::Segment& segment,
                                       const sweeps::Judged& judged, const FamilyPanel& panel);

/// Those rows, on the days that chose none of them. Owner: the panel must outlive it.
sweeps::PanelView judged_view(const SweepView& view, const sweeps::Segment& segment,
                              const sweeps::Judged& judged, const FamilyPanel& panel);

}  // namespace winnow::serve
