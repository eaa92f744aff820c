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

#include "actors/farm_metrics.hpp"
#include "actors/intake_group.hpp"
#include "store/store.hpp"

namespace winnow::actors {

/// Purpose: the way of results onto the disk: one thread decodes and checks them against the plan,
/// another commits what has gathered in one group with one sync, and reports. Never drops a good
/// block: while the store refuses (a full disk) it keeps them and tries again.
/// Owner: the coordinator. Thread: any may offer(); `report` and `stalled` run on the committing
/// thread. Limits: holds what nodes have not had acknowledged, which their credit bounds.
class Intake {
 public:
  using Offer = CommitOffer;
  using Outcome = CommitResult;
  struct Callbacks {
    std::function<void(std::vector<Outcome>)> report;
    std::function<void(const Error&)>
        stalled;  ///< the store refuses; tried again until it does not
  };

  /// `metrics` outlives the intake; none: nothing is counted.
  Intake(store::Store& store, Callbacks callbacks, CoordinatorMetrics* metrics = nullptr);
  ~Intake();  ///< what was offered and can be committed is

  void offer(Offer offer);

  /// Age of the oldest offer that is not on disk; 0: there is none.
  DurationNs oldest(MonoNs now) const;

 private:
  struct Checked {
    CheckedOffer offer;
    MonoNs offered{0};
    std::size_t bytes = 0;
  };

  void check(std::stop_token stop);
  void commit(std::stop_token stop);
  void tell_queued();
  std::vector<Outcome> commit_group(std::vector<CheckedOffer> offers, std::stop_token stop);
  void commit_one_by_one(IntakeGroup& group);
  void count(const std::vector<Outcome>& outcomes, const std::vector<MonoNs>& offered);

  store::Store& store_;
  Callbacks callbacks_;
  CoordinatorMetrics* metrics_;
  mutable std::mutex mutex_;
  std::condition_variable_any offered_;   // to the checking thread: an offer, or room behind it
  std::condition_variable_any prepared_;  // to the committing thread: a checked offer, or no more
  std::deque<Offer> queue_;
  std::deque<Checked> checked_;
  std::deque<MonoNs> waiting_since_;  // of all that is not committed, in order
  std::size_t queued_bytes_ = 0;      // of the same
  std::size_t checked_bytes_ = 0;     // in checked_
  bool all_checked_ = false;          // the checking thread has ended
  std::jthread checking_;
  std::jthread committing_;
};

}  // namespace winnow::actors
