#pragma once

#include <cstddef>

#include "sweeps/stats/parallel.hpp"

namespace winnow::serve {

/// A ParallelFor on `threads` threads of its own, which live as long as one call (a call is for
/// work of milliseconds and more). 0: as many as the machine has. A body must not throw.
sweeps::ParallelFor threads_for(std::size_t threads = 0);

}  // namespace winnow::serve
