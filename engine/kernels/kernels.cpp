// Built once for each instruction set (see engine/CMakeLists.txt), into a shared library that
// exports nothing but the function at the end.

#include "engine/kernels/kernel_units.hpp"

namespace winnow::engine::lanes {

const KernelTable::Run* plain_kernels() {
  static constexpr auto kRuns = kernels_of_families<Simulator>();
  return kRuns.data();
}

}  // namespace winnow::engine::lanes

extern "C" __attribute__((visibility("default"))) const winnow::engine::lanes::KernelTable*
WINNOW_KERNELS_NAME() {
  using namespace winnow::engine;
  static const lanes::KernelTable table = {WINNOW_LANES, kFamilyCount, lanes::plain_kernels(),
                                           lanes::full_kernels()};
  return &table;
}
