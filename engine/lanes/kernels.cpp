// Built once for each instruction set (see engine/CMakeLists.txt), into a shared library that
// exports nothing but the function at the end.

#include "engine/lanes/job.hpp"
#include "engine/lanes/lane.hpp"
#include "engine/lanes/sweep_window.hpp"
#include "engine/lanes/tile_size.hpp"
#include "engine/strategies/mean_reversion.hpp"
#include "engine/strategies/sma_cross.hpp"

#if WINNOW_LANES > 1
#include "engine/lanes/lane_hwy.hpp"
#endif

namespace winnow::engine::lanes {
namespace {

#if WINNOW_LANES > 1
using V = LaneN<WINNOW_LANES>;
#else
using V = Lane1;
#endif

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
  static const lanes::KernelTable table = {WINNOW_LANES,
                                           {&lanes::run<strategies::MeanReversion<lanes::V>>,
                                            &lanes::run<strategies::SmaCross<lanes::V>>}};
  return &table;
}
