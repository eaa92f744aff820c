#pragma once

// What the units of an instruction set's library are made of; see engine/CMakeLists.txt.

#include "engine/lanes/job.hpp"

namespace winnow::engine::lanes {

/// For each family, in the list's order. Two units, so that neither takes long.
const KernelTable::Run* plain_kernels();
const KernelTable::Run* full_kernels();

}  // namespace winnow::engine::lanes
