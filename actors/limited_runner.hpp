#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "actors/runner.hpp"

namespace winnow::actors {

/// Purpose: computes trials; what a runner cuts into batches and asks to stop.
/// Thread: any, many at once.
class TrialComputer {
 public:
  /// Consecutive trials of one segment on one window.
  struct Range {
    const sweeps::Plan& plan;
    const sweeps::Segment& segment;
    std::uint64_t first_trial = 0;
    std::uint64_t trials = 0;
  };

  virtual ~TrialComputer() = default;
  /// Brings what the segment's trials need. Fails: Unavailable (it cannot be had), Cancelled.
  virtual Status prepare(const sweeps::Plan& plan, const sweeps::Segment& segment,
                         std::stop_token stop) = 0;
  /// Bytes that compute() takes at most. A function of the plan: the same on every node.
  /// Fails: Unavailable, as prepare().
  virtual Result<std::uint64_t> bytes(const Range& range) = 0;
  /// One row a trial, as a block without a number. Asks `stop` every few milliseconds. Fails:
  /// Cancelled (it said yes), Unavailable (as prepare(): its data are gone again).
  virtual Result<ResultBlock> compute(const Range& range, const std::function<bool()>& stop) = 0;
  /// Gives back memory that it can do without.
  virtual void relieve() {}
};

/// The lane engine on datasets of `data_dir`; see make_engine_runner.
std::shared_ptr<TrialComputer> make_engine_computer(const std::string& data_dir,
                                                    std::shared_ptr<DatasetProvider> provider);

/// Runs blocks with a computer, in batches, under the limits of sweep and node. A batch that goes
/// over the time of one trial is stopped and split until the guilty trials stand alone, which
/// become Cut rows; their neighbours get results. A trial that would need more memory than its
/// limit is cut without being run.
std::unique_ptr<TrialRunner> make_limited_runner(std::shared_ptr<TrialComputer> computer,
                                                 const NodeLimits& limits = {});

}  // namespace winnow::actors
