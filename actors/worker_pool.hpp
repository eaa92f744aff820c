#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "actors/runner.hpp"
#include "base/id.hpp"

namespace winnow::actors {

/// Purpose: the node's CPU work, on plain threads so that no amount of it delays the network.
/// Owner: the node. Thread: any may push(); the callbacks run on the workers' threads.
/// Limits: the queue holds what the coordinator granted, which the node's credit bounds.
class WorkerPool {
 public:
  struct Work {
    LeaseId lease;
    std::shared_ptr<const sweeps::Plan> plan;
    std::uint64_t first_block = 0;
    std::uint32_t blocks = 0;
    bool alone = false;
    Condemned condemned;
  };
  struct Callbacks {
    std::function<void(LeaseId, ResultBlock, DurationNs work)> block;
    /// The lease is over; not ok: what could not be run.
    std::function<void(LeaseId, Status)> finished;
    /// RunRequest::before_trial of a lease that runs alone; may be empty.
    std::function<Status(LeaseId, std::uint64_t trial, std::stop_token stop)> before_trial = {};
  };

  WorkerPool(std::uint32_t workers, TrialRunner& runner, Callbacks callbacks);
  /// Running blocks are finished, queued work is dropped.
  ~WorkerPool();

  void push(Work work);
  /// Drops what has not started; returns the leases dropped.
  std::vector<LeaseId> drop_queued();
  /// Leases no worker has begun.
  std::size_t waiting() const;

 private:
  void loop(std::stop_token stop);

  TrialRunner& runner_;
  Callbacks callbacks_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Work> queue_;
  std::vector<std::jthread> threads_;  // last: they stop before the rest goes
};

}  // namespace winnow::actors
