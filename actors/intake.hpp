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

#include "base/id.hpp"
#include "store/store.hpp"
#include "sweeps/plan.hpp"

namespace winnow::actors {

/// Purpose: the way of results onto the disk: decodes, checks them against the plan, commits what
/// has gathered in one group with one sync, and reports. Never drops a good block: while the store
/// refuses (a full disk) it keeps them and tries again.
/// Owner: the coordinator. Thread: any may offer(); `report` and `stalled` run on the intake's
/// thread. Limits: holds what nodes have not had acknowledged, which their credit bounds.
class Intake {
 public:
  struct Offer {
    std::shared_ptr<const sweeps::Plan> plan;
    std::string user;
    std::string block_bytes;             ///< encoded, or empty if `block` is set
    std::shared_ptr<ResultBlock> block;  ///< made here (quarantine)
    std::uint64_t block_index = 0;
    std::uint64_t sender = 0;  ///< returned in the outcome
    std::uint64_t lease = 0;
  };
  struct Outcome {
    std::string sweep;
    std::uint64_t block = 0;
    std::uint64_t sender = 0;
    std::uint64_t lease = 0;
    Status status;  ///< not ok: the bytes are not this block; nothing was committed
    store::CommitKind kind = store::CommitKind::Fresh;
  };
  struct Callbacks {
    std::function<void(std::vector<Outcome>)> report;
    std::function<void(const Error&)>
        stalled;  ///< the store refuses; tried again until it does not
  };

  Intake(store::Store& store, Callbacks callbacks);
  ~Intake();  ///< what was offered and can be committed is

  void offer(Offer offer);

 private:
  void loop(std::stop_token stop);
  std::vector<Outcome> commit_group(std::vector<Offer> group, std::stop_token stop);

  store::Store& store_;
  Callbacks callbacks_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Offer> queue_;
  std::jthread thread_;
};

}  // namespace winnow::actors
