#include "actors/intake.hpp"

#include <chrono>

#include "base/time.hpp"

namespace winnow::actors {
namespace {

// A group is one WAL write and one sync. More bytes a group would only delay acknowledgements.
constexpr std::size_t kGroupBlocksMax = 256;
constexpr std::size_t kGroupBytesMax = std::size_t{32} << 20;
constexpr std::chrono::milliseconds kRetryDelay{250};

// What trying again cannot change: the group is at fault, not the disk.
bool final_refusal(const Error& error) {
  return error.code() == ErrorCode::InvalidInput || error.code() == ErrorCode::NotFound;
}

}  // namespace

Intake::Intake(store::Store& store, Callbacks callbacks)
    : store_(store),
      callbacks_(std::move(callbacks)),
      thread_([this](std::stop_token stop) { loop(stop); }) {}

Intake::~Intake() { thread_.request_stop(); }

void Intake::offer(Offer offer) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(offer));
  }
  wake_.notify_one();
}

void Intake::loop(std::stop_token stop) {
  for (;;) {
    std::vector<Offer> group;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [&] { return !queue_.empty(); })) return;
      for (std::size_t bytes = 0;
           !queue_.empty() && group.size() < kGroupBlocksMax && bytes < kGroupBytesMax;) {
        bytes += queue_.front().block_bytes.size();
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    callbacks_.report(commit_group(std::move(group), stop));
  }
}

std::vector<Intake::Outcome> Intake::commit_group(std::vector<Offer> offers, std::stop_token stop) {
  IntakeGroup group(std::move(offers));
  const auto& commits = group.commits();
  while (!commits.empty()) {
    auto done = store_.commit(commits, system_clock().now());
    if (done) {
      for (std::size_t k = 0; k < commits.size(); ++k) group.took(k, (*done)[k]);
      break;
    }
    if (final_refusal(done.error())) {
      commit_one_by_one(group);
      break;
    }
    callbacks_.stalled(done.error());
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kRetryDelay, [] { return false; });
    if (stop.stop_requested()) {  // unacknowledged: the nodes still have them
      for (std::size_t k = 0; k < commits.size(); ++k) group.refused(k, done.error());
      break;
    }
  }
  return std::move(group).results();
}

// One block that the store will never take must not keep the rest of its group waiting for ever.
void Intake::commit_one_by_one(IntakeGroup& group) {
  const auto& commits = group.commits();
  for (std::size_t k = 0; k < commits.size(); ++k) {
    const auto done = store_.commit(std::span(&commits[k], 1), system_clock().now());
    done ? group.took(k, done->front()) : group.refused(k, done.error());
  }
}

}  // namespace winnow::actors
