#pragma once

#include <memory>
#include <vector>

#include "engine/holding.hpp"
#include "serve/answer/board.hpp"
#include "serve/sweep_view.hpp"

namespace winnow::serve {

/// Buy and hold of one dataset over a sweep's window. Fails: NotFound (the data are not here).
Result<std::shared_ptr<const engine::Holding>> hold_dataset(const Sources& sources,
                                                            const SweepView& view,
                                                            std::size_t dataset);

/// The same as answers say it: metrics by name (null: not measurable) with the calendar they are
/// annual by. A dataset that is not here says why.
answer::Holding holding_of(const Sources& sources, const SweepView& view, std::size_t dataset);
/// Of every dataset of the sweep.
std::vector<answer::Holding> holdings_of(const Sources& sources, const SweepView& view);

}  // namespace winnow::serve
