// Built once for each instruction set (see engine/CMakeLists.txt), into a shared library that
// exports nothing but the function at the end.

#include "engine/lanes/kernels.hpp"

namespace winnow::engine::lanes {
namespace {

template <class Strategy>
void run(const Job& job) {
  SweepWindow<V, Strategy, NoRecorder, Skip::Yes> window(job, tile_bars(job), nullptr);
  window.run();
}

}  // namespace
}  // namespace winnow::engine::lanes

extern "C" __attribute__((visibility("default"))) const winnow::engine::lanes::KernelTable*
WINNOW_KERNELS_NAME() {
  using namespace winnow::engine;
  static const lanes::KernelTable table = {
      WINNOW_LANES,
      {&lanes::run<strategies::MeanReversion<lanes::V>>,
       &lanes::run<strategies::SmaCross<lanes::V>>},
      {&lanes::run_full_mean_reversion, &lanes::run_full_sma_cross}};
  return &table;
}
