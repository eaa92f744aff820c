#pragma once

#include "engine/engine.hpp"
#include "engine/lanes/job.hpp"

namespace winnow::engine {

/// The kernels of one instruction set. Requires: isa_supported(isa).
const lanes::KernelTable& kernels_of(Isa isa);

}  // namespace winnow::engine
