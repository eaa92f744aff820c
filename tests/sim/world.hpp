#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.hpp"
#include "base/time.hpp"
#include "tests/sim/workload.hpp"

namespace winnow::sim {

/// In nanoseconds, as all times here.
inline constexpr std::int64_t kMs = 1'000'000;

/// A process that can be killed, stopped and continued, with a clock of its own.
struct Process {
  std::string name;
  std::uint64_t life = 0;  ///< counts starts; what was set up in an earlier life never happens
  bool alive = false;
  std::int64_t paused_until_ns = 0;
  std::int64_t clock_offset_ns = 0;
  double clock_rate = 1;
};

/// Purpose: one virtual clock, one source of randomness and the queue of what will happen. The
/// same seed gives the same run, which `trace()` sums up.
class World {
 public:
  World(std::uint64_t seed, bool print) : rng(seed), print_(print) {}

  std::int64_t now_ns() const { return now_ns_; }
  /// What the process's own clock shows.
  MonoNs clock_of(const Process& p) const {
    return {static_cast<std::int64_t>(static_cast<double>(now_ns_) * p.clock_rate) +
            p.clock_offset_ns};
  }

  /// Runs `what` in the process after a time on the true clock, unless the process dies before;
  /// later if it is stopped then.
  void in(Process& process, std::int64_t after_ns, std::function<void()> what) {
    push(now_ns_ + after_ns, &process, std::move(what));
  }
  /// The same with a timer of the process's own clock.
  void timer(Process& process, DurationNs after, std::function<void()> what) {
    in(process, static_cast<std::int64_t>(static_cast<double>(after.ns) / process.clock_rate),
       std::move(what));
  }
  /// Something outside all processes: a fault, the network.
  void outside(std::int64_t after_ns, std::function<void()> what) {
    push(now_ns_ + after_ns, nullptr, std::move(what));
  }

  /// The next event; false if there is none before `end_ns`.
  bool step(std::int64_t end_ns);

  /// Something that happened, for the trace's hash and, if asked for, its text.
  void note(const std::string& who, std::string_view what, std::uint64_t a = 0,
            std::uint64_t b = 0);
  std::uint64_t trace() const { return trace_; }
  std::uint64_t steps() const { return steps_; }

  double between(const Between& b) { return b.low + (b.high - b.low) * rng.uniform(); }
  std::int64_t ns_between_s(const Between& s) {
    return static_cast<std::int64_t>(between(s) * 1e9);
  }
  bool chance(double frac) { return frac > 0 && rng.uniform() < frac; }

  Rng rng;

 private:
  struct Event {
    std::int64_t at_ns = 0;
    std::uint64_t order = 0;
    Process* process = nullptr;
    std::uint64_t life = 0;
    std::function<void()> what;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.at_ns != b.at_ns ? a.at_ns > b.at_ns : a.order > b.order;
    }
  };
  void push(std::int64_t at_ns, Process* process, std::function<void()> what);

  bool print_;
  std::int64_t now_ns_ = 0;
  std::uint64_t next_order_ = 0;
  std::uint64_t trace_ = 0;
  std::uint64_t steps_ = 0;
  std::priority_queue<Event, std::vector<Event>, Later> queue_;
};

}  // namespace winnow::sim
