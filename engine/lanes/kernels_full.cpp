// As kernels.cpp, with all rules of execution: a unit of its own, so that neither takes long.

#include "engine/lanes/kernels.hpp"

namespace winnow::engine::lanes {
namespace {

template <class Strategy>
void run(const Job& job) {
  SweepWindow<V, Strategy, NoRecorder, Skip::Yes, FullSimulator> window(job, tile_bars(job),
                                                                        nullptr);
  window.run();
}

}  // namespace

void run_full_mean_reversion(const Job& job) { run<strategies::MeanReversion<V>>(job); }
void run_full_sma_cross(const Job& job) { run<strategies::SmaCross<V>>(job); }

}  // namespace winnow::engine::lanes
