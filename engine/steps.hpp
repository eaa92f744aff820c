#pragma once

#include <cstddef>
#include <memory>

#include "engine/family.hpp"
#include "engine/lanes/steps.hpp"
#include "engine/trade_recorder.hpp"

namespace winnow::engine {

/// The job's variants, to be stepped one bar after another. Requires: a family of families(); the
/// job, and the recorder, outlive it; one variant where there is a recorder.
std::unique_ptr<lanes::Steps> make_steps(const FamilyDecl& family, const lanes::Job& job,
                                         std::size_t tile_bars, TradeRecorder* recorder);

}  // namespace winnow::engine
