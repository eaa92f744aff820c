#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <stop_token>

#include "actors/node_core.hpp"
#include "base/id.hpp"
#include "base/result.hpp"

namespace winnow::actors {

/// Purpose: where workers that run a suspect wait, before each trial, until the coordinator knows
/// of it. Thread: any.
class TrialGate {
 public:
  /// Returns when the trial may begin. Fails: Cancelled (the lease is over, or `stop`).
  Status wait(LeaseId place, std::uint64_t trial, std::stop_token stop) {
    std::unique_lock lock(mutex_);
    const auto answered = [&] {
      const auto found = answers_.find(place);
      return found != answers_.end() && found->second.trial == trial;
    };
    const bool heard = wake_.wait(lock, stop, answered);
    const bool begin = heard && answers_.at(place).leave == NodeCore::Leave::Begin;
    answers_.erase(place);
    if (begin) return {};
    return Error(ErrorCode::Cancelled, "the lease was over before trial " + std::to_string(trial));
  }
  void answer(LeaseId place, std::uint64_t trial, NodeCore::Leave leave) {
    {
      const std::lock_guard lock(mutex_);
      answers_[place] = {trial, leave};
    }
    wake_.notify_all();
  }
  /// Nobody waits there any more.
  void forget(LeaseId place) {
    const std::lock_guard lock(mutex_);
    answers_.erase(place);
  }

 private:
  struct Answer {
    std::uint64_t trial = 0;
    NodeCore::Leave leave = NodeCore::Leave::Stop;
  };
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::map<LeaseId, Answer> answers_;
};

}  // namespace winnow::actors
