#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "base/result_block.hpp"
#include "base/time.hpp"
#include "sweeps/plan.hpp"

namespace winnow::actors {

/// Purpose: runs blocks of a plan. The node's workers know nothing of engines or datasets.
/// Thread: run() from many threads at once.
class TrialRunner {
 public:
  /// A finished block and the time its computation took.
  using Emit = std::function<void(ResultBlock block, DurationNs work)>;

  virtual ~TrialRunner() = default;

  /// Runs blocks [first, first + count), which lie in one segment, in order, handing each to `emit`
  /// as soon as it is there. A trial that fails becomes a Failed row. Fails: the whole range could
  /// not be run (a dataset is not here, say).
  virtual Status run(const sweeps::Plan& plan, std::uint64_t first, std::uint32_t count,
                     std::stop_token stop, const Emit& emit) = 0;
};

/// Purpose: brings datasets to this place. Thread: any.
class DatasetProvider {
 public:
  virtual ~DatasetProvider() = default;
  /// Returns when the dataset is in the data folder, or why it cannot be.
  virtual Status need(const std::string& content_hash, std::stop_token stop) = 0;
  /// How many were dropped again so far; what is mapped of them only holds disk space.
  virtual std::uint64_t drops() const = 0;
};

/// The real one: the lane engine on datasets of `data_dir`, found by content hash; those that are
/// not there come from `provider`, if there is one.
std::unique_ptr<TrialRunner> make_engine_runner(
    const std::string& data_dir, std::shared_ptr<DatasetProvider> provider = nullptr);

/// A block of failed trials, all with one reason: what a quarantined block is committed as.
ResultBlock failed_block(const sweeps::Plan& plan, std::uint64_t block, const std::string& reason);

}  // namespace winnow::actors
