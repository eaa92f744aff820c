#include "actors/work_watch.hpp"

namespace winnow::actors {
namespace {

constexpr double kCpuFactor = 2;
constexpr double kCpuGrace_s = 1;
constexpr double kWallFactor = 20;
constexpr double kWallGrace_s = 30;

}  // namespace

std::int64_t cpu_time_ns(clockid_t clock) {
  timespec t{};
  if (::clock_gettime(clock, &t) != 0) return 0;
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

WorkWatch::Span::Span(WorkWatch& watch, const Computation& what) : watch_(watch) {
  Running running{what, {}, 0, system_clock().mono()};
  (void)::pthread_getcpuclockid(::pthread_self(), &running.clock);
  running.cpu_start_ns = cpu_time_ns(running.clock);
  const std::lock_guard lock(watch_.mutex_);
  number_ = watch_.next_++;
  watch_.running_.emplace(number_, running);
}

WorkWatch::Span::~Span() {
  const std::lock_guard lock(watch_.mutex_);
  watch_.running_.erase(number_);
}

std::vector<WorkWatch::Overdue> WorkWatch::overdue(MonoNs now) const {
  const std::lock_guard lock(mutex_);
  std::vector<Overdue> out;
  for (const auto& [number, running] : running_) {
    const double limit_s = running.what.limit_s;
    if (limit_s <= 0) continue;
    // Its thread lives as long as the entry is here, so the clock is its own.
    const double cpu_s =
        static_cast<double>(cpu_time_ns(running.clock) - running.cpu_start_ns) * 1e-9;
    const double wall_s = (now - running.start).seconds();
    if (cpu_s > kCpuFactor * limit_s + kCpuGrace_s ||
        wall_s > kWallFactor * limit_s + kWallGrace_s) {
      out.push_back({running.what, cpu_s, wall_s});
    }
  }
  return out;
}

}  // namespace winnow::actors
