// As kernels.cpp, with all rules of execution.

#include "engine/kernels/kernel_units.hpp"

namespace winnow::engine::lanes {

const KernelTable::Run* full_kernels() {
  static constexpr auto kRuns = kernels_of_families<FullSimulator>();
  return kRuns.data();
}

}  // namespace winnow::engine::lanes
