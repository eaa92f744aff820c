#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "actors/runner.hpp"
#include "base/result.hpp"

namespace winnow::actors {

class DatasetCourier;
class MetricsBook;

struct NodeOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::uint32_t workers = 1;
  std::shared_ptr<DatasetCourier> courier;  ///< fetches what the runner lacks; may be empty
  MetricsBook* metrics = nullptr;           ///< outlives the node; none: nothing is counted
  std::filesystem::path spool;  ///< folder for results nobody acknowledged; empty: none are kept
  /// Where a crash leaves a word for the next process, which takes it to the coordinator; or empty.
  std::filesystem::path run_folder = {};
};

/// Purpose: a worker node: joins a coordinator, runs leases on its workers, keeps every result
/// until it is acknowledged, and comes back by itself when the coordinator was away. Thread: all
/// functions from one thread.
class NodeProcess {
 public:
  static std::unique_ptr<NodeProcess> start(const NodeOptions& options,
                                            std::unique_ptr<TrialRunner> runner);
  /// Takes no more leases, gives back what has not started, waits for what runs and for its
  /// acknowledgement, at most `patience`; then leaves.
  virtual void drain(DurationNs patience) = 0;
  /// A computation does not stop, and only the end of this process ends it: drain(), and start
  /// anew without destroying the node, which would wait for it.
  virtual bool wants_restart() const = 0;
  virtual ~NodeProcess() = default;
};

}  // namespace winnow::actors
