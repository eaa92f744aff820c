#pragma once

#include <pthread.h>
#include <time.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/id.hpp"
#include "base/time.hpp"

namespace winnow::actors {

/// Purpose: what each worker computes right now and for how long it has, so that a computation that
/// never returns can be told from one that is slow. Owner: a runner. Thread: any; a thread begins
/// one computation at a time.
class WorkWatch {
 public:
  /// Consecutive trials of one block or batch, under a limit of processor time a trial.
  struct Computation {
    LeaseId place;
    std::uint64_t first_trial = 0;
    std::uint64_t trials = 0;
    double limit_s = 0;  ///< 0: it may take for ever
  };
  struct Overdue {
    Computation what;
    double cpu_s = 0;
    double wall_s = 0;
  };

  /// While it lives, its thread computes.
  class Span {
   public:
    Span(WorkWatch& watch, const Computation& what);
    ~Span();
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;

   private:
    WorkWatch& watch_;
    std::uint64_t number_ = 0;
  };

  /// What should have ended long ago: it has had more than twice its limit of processor time and a
  /// second, though it is asked to stop at its limit; or it sleeps, and 20 times its limit and half
  /// a minute have passed. Neither a busy machine nor a paused process makes the first true.
  std::vector<Overdue> overdue(MonoNs now) const;

 private:
  struct Running {
    Computation what;
    clockid_t clock{};
    std::int64_t cpu_start_ns = 0;
    MonoNs start;
  };
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Running> running_;
  std::uint64_t next_ = 1;
};

/// Processor time that a thread or process has had.
std::int64_t cpu_time_ns(clockid_t clock);

}  // namespace winnow::actors
