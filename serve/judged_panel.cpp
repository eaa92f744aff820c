#include "serve/judged_panel.hpp"

#include <algorithm>

namespace winnow::serve {

std::vector<std::uint32_t> judged_rows(const SweepView& view, const sweeps::Segment& segment,
                                       const sweeps::Judged& judged, const FamilyPanel& panel) {
  std::vector<std::uint32_t> rows;
  for (std::size_t r = 0; r < panel.trial.size(); ++r) {
    if (judged.counts(view.plan, segment, panel.trial[r])) {
      rows.push_back(static_cast<std::uint32_t>(r));
    }
  }
  return rows;
}

sweeps::PanelView judged_view(const SweepView& view, const sweeps::Segment& segment,
                              const sweeps::Judged& judged, const FamilyPanel& panel) {
  auto all = sweeps::PanelView::of(panel.returns, panel.trial.size(), panel.periods);
  if (judged.note.empty()) return all;
  const std::size_t skipped = std::min<std::size_t>(judged.chosen_by_periods, panel.periods);
  return all.subset(judged_rows(view, segment, judged, panel)).window(skipped, panel.periods);
}

}  // namespace winnow::serve
