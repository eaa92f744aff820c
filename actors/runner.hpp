#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "actors/work_watch.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "base/result_block.hpp"
#include "base/time.hpp"
#include "sweeps/plan.hpp"

namespace winnow::actors {

/// Trials that are not to be run any more, by their index in the plan, each with the evidence.
using Condemned = std::map<std::uint64_t, std::string>;

/// Blocks [first_block, first_block + blocks) of a plan, which lie in one segment.
struct RunRequest {
  std::shared_ptr<const sweeps::Plan> plan;
  std::uint64_t first_block = 0;
  std::uint32_t blocks = 0;
  LeaseId place;        ///< whose work it is, for overdue()
  bool alone = false;   ///< one trial at a time, so that a guilty one is known by its number
  Condemned condemned;  ///< become Cut rows
  /// Of what runs alone: asked before each trial. Fails: it is not to begin, nor what follows.
  std::function<Status(std::uint64_t trial, std::stop_token stop)> before_trial;
};

/// Purpose: runs blocks of a plan. The node's workers know nothing of engines or datasets.
/// Thread: run() from many threads at once, overdue() from any.
class TrialRunner {
 public:
  /// A finished block and the time its computation took.
  using Emit = std::function<void(ResultBlock block, DurationNs work)>;

  virtual ~TrialRunner() = default;

  /// Runs the blocks in order, handing each to `emit` as soon as it is there. A trial that fails
  /// becomes a Failed row, one that goes over a limit a Cut row. Fails: Unavailable (what the range
  /// needs cannot be had here, which says nothing of its trials), Cancelled (it was stopped); any
  /// other error is an attempt at its first block that failed.
  virtual Status run(const RunRequest& request, std::stop_token stop, const Emit& emit) = 0;

  /// Computations that went over their limit of time and did not stop when asked.
  virtual std::vector<WorkWatch::Overdue> overdue() const { return {}; }

  /// Of the node's limit of memory; zeros without one.
  struct MemoryLoad {
    std::uint64_t waiting = 0;     ///< batches that wait for room
    std::uint64_t held_bytes = 0;  ///< by batches that run
  };
  virtual MemoryLoad memory_load() const { return {}; }
};

/// Purpose: brings datasets to this place. Thread: any.
class DatasetProvider {
 public:
  virtual ~DatasetProvider() = default;
  /// Returns when the dataset is in the data folder, or why it cannot be.
  virtual Status need(const std::string& content_hash, std::stop_token stop) = 0;
  /// What lies here under this hash is not what it should be, as `why` says: it is held no longer,
  /// and the next need() brings it anew, if there is a place to have it from.
  virtual void reject(const std::string& content_hash, const Error& why) = 0;
  /// How many were dropped again so far; what is mapped of them only holds disk space.
  virtual std::uint64_t drops() const = 0;
};

/// What a node allows beside what the sweep does; the smaller limit holds. 0: none.
struct NodeLimits {
  double trial_seconds = 0;     ///< of processor time
  double trial_memory_mb = 0;   ///< MiB
  std::uint64_t memory_mb = 0;  ///< MiB of the whole process; batches wait for room
};

/// The real one: the lane engine on datasets of `data_dir`, found by content hash; those that are
/// not there come from `provider`, if there is one.
std::unique_ptr<TrialRunner> make_engine_runner(const std::string& data_dir,
                                                std::shared_ptr<DatasetProvider> provider = nullptr,
                                                const NodeLimits& limits = {});

/// A block of trials that were not run, all with one reason: what a quarantined block is committed
/// as.
ResultBlock failed_block(const sweeps::Plan& plan, std::uint64_t block, const std::string& reason);

/// host:pid, for people.
std::string node_name();

}  // namespace winnow::actors
