#pragma once

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "actors/runner.hpp"
#include "base/hash.hpp"
#include "base/time.hpp"
#include "engine/engine.hpp"

// What the nodes of farm_path.cpp run instead of the engine: blocks whose content follows from the
// plan alone, at a known cost a trial.
namespace winnow::actors {

inline std::int64_t cpu_ns(clockid_t clock) {
  timespec t{};
  (void)::clock_gettime(clock, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

/// Takes the calling thread below the rest of its process, whatever policy it runs under: nice
/// counts for nothing when a busy machine is measured with `chrt -r`.
inline void step_back() {
  thread_local bool done = false;
  if (std::exchange(done, true)) return;
  sched_param param{};
  const int policy = ::sched_getscheduler(0);
  if ((policy == SCHED_RR || policy == SCHED_FIFO) && ::sched_getparam(0, &param) == 0 &&
      param.sched_priority > 1) {
    --param.sched_priority;
    (void)::sched_setscheduler(0, policy, &param);
  }
}

/// Keeps the calling thread busy until it has used `cost` of processor time.
inline void burn(DurationNs cost) {
  const std::int64_t until = cpu_ns(CLOCK_THREAD_CPUTIME_ID) + cost.ns;
  while (cpu_ns(CLOCK_THREAD_CPUTIME_ID) < until) {
  }
}

/// The block that trial keys of the plan and numbers derived from them make: as wide as the
/// engine's, and of digits that do not compress, as real metrics do not.
inline ResultBlock made_block(const sweeps::Plan& plan, std::uint64_t block) {
  const auto range = plan.block_range(block);
  const sweeps::Segment& segment = plan.segment_of_block(block);
  const std::vector<double> params = plan.params(range.first_trial, range.rows);
  const std::size_t width = params.size() / range.rows;
  ResultBlock out;
  out.block = block;
  out.first_trial = range.first_trial;
  out.rows = range.rows;
  out.metric_count = static_cast<std::uint32_t>(engine::metric_decls().size());
  out.periods = segment.periods;
  out.status.assign(range.rows, TrialStatus::Ok);
  out.keys.resize(range.rows);
  out.metrics.resize(std::size_t{out.metric_count} * range.rows);
  out.returns.resize(std::size_t{out.periods} * range.rows);
  out.point_steps = segment.point_steps;
  if (out.point_steps > 0) {
    out.point_metrics = static_cast<std::uint32_t>(plan.point_metrics().size());
  }
  out.points.resize(std::size_t{out.point_metrics} * out.point_steps * range.rows);
  for (std::uint32_t row = 0; row < range.rows; ++row) {
    const std::span<const double> point = std::span(params).subspan(row * width, width);
    out.keys[row] = plan.key(segment, point);
    std::uint64_t digits = out.keys[row].low;
    const auto next = [&digits] {
      digits = digits * 0x9e3779b97f4a7c15ull + 0x7f4a7c15ull;
      return static_cast<double>(digits >> 11) * 0x1p-53;
    };
    for (std::uint32_t m = 0; m < out.metric_count; ++m) {
      out.metrics[std::size_t{m} * range.rows + row] = next() * 4 - 2;
    }
    for (std::uint32_t p = 0; p < out.periods; ++p) {
      out.returns[std::size_t{row} * out.periods + p] = static_cast<float>(next() * 0.04 - 0.02);
    }
    const std::size_t columns = std::size_t{out.point_metrics} * out.point_steps;
    for (std::size_t c = 0; c < columns; ++c) out.points[c * range.rows + row] = next();
  }
  return out;
}

/// Purpose: a node's runner that does nothing but burn `cost` a trial. Thread: any, const.
class MadeRunner final : public TrialRunner {
 public:
  explicit MadeRunner(DurationNs cost) : cost_(cost) {}

  Status run(const RunRequest& request, std::stop_token stop, const Emit& emit) override {
    step_back();
    const sweeps::Plan& plan = *request.plan;
    const std::uint64_t first = request.first_block;
    for (std::uint64_t block = first; block < first + request.blocks; ++block) {
      if (stop.stop_requested()) return Error(ErrorCode::Cancelled, "the node stops");
      const MonoNs start = system_clock().mono();
      ResultBlock out = made_block(plan, block);
      if (cost_.ns > 0) {
        for (std::uint32_t row = 0; row < out.rows; ++row) burn(cost_);
      }
      emit(std::move(out), system_clock().mono() - start);
    }
    return {};
  }

 private:
  DurationNs cost_;
};

/// The same burning without a farm, on as many threads of the workers' own priority; the seconds
/// that the slowest took.
inline double burn_alone_s(std::uint64_t trials, DurationNs cost, std::uint32_t threads) {
  constexpr int kWorkerNice = 5;  // as worker_pool.cpp
  const MonoNs start = system_clock().mono();
  {
    std::vector<std::jthread> burning;
    for (std::uint32_t t = 0; t < threads; ++t) {
      burning.emplace_back([&, share = trials / threads] {
        const int before = ::getpriority(PRIO_PROCESS, 0);
        (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)),
                            before + kWorkerNice);
        step_back();
        for (std::uint64_t i = 0; i < share; ++i) burn(cost);
      });
    }
  }
  return (system_clock().mono() - start).seconds();
}

}  // namespace winnow::actors
