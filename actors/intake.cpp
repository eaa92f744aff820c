#include "actors/intake.hpp"

#include <chrono>

#include "base/time.hpp"

namespace winnow::actors {
namespace {

// A group is one WAL write and one sync. More bytes a group would only delay acknowledgements, and
// what is decoded, hashed, batched and copied by turns would leave the cache in between.
constexpr std::size_t kGroupBlocksMax = 256;
constexpr std::size_t kGroupBytesMax = std::size_t{8} << 20;
// Enough for the next group to be ready when a commit ends. What waits further back stays encoded.
constexpr std::size_t kCheckedBytesMax = 2 * kGroupBytesMax;
constexpr std::chrono::milliseconds kRetryDelay{250};

// What trying again cannot change: the group is at fault, not the disk.
bool final_refusal(const Error& error) {
  return error.code() == ErrorCode::InvalidInput || error.code() == ErrorCode::NotFound;
}

}  // namespace

// A profile of one thread that did both: two fifths of its time went into decoding and checking
// while the log stood still, and the other core had time to spare.
Intake::Intake(store::Store& store, Callbacks callbacks, CoordinatorMetrics* metrics)
    : store_(store),
      callbacks_(std::move(callbacks)),
      metrics_(metrics),
      checking_([this](std::stop_token stop) { check(stop); }),
      committing_([this](std::stop_token stop) { commit(stop); }) {}

Intake::~Intake() {
  checking_.request_stop();
  committing_.request_stop();
}

void Intake::tell_queued() {
  if (metrics_ == nullptr) return;
  metrics_->intake_blocks.set_count(waiting_since_.size());
  metrics_->intake_bytes.set_count(queued_bytes_);
}

DurationNs Intake::oldest(MonoNs now) const {
  const std::lock_guard lock(mutex_);
  return waiting_since_.empty() ? DurationNs{0} : now - waiting_since_.front();
}

void Intake::offer(Offer offer) {
  {
    const std::lock_guard lock(mutex_);
    offer.offered = system_clock().mono();
    queued_bytes_ += offer.block_bytes.size();
    waiting_since_.push_back(offer.offered);
    queue_.push_back(std::move(offer));
    tell_queued();
  }
  offered_.notify_one();
}

void Intake::check(std::stop_token stop) {
  for (;;) {
    Checked next;
    Offer offer;
    {
      std::unique_lock lock(mutex_);
      const bool more = offered_.wait(lock, stop, [&] {
        return !queue_.empty() && (checked_bytes_ < kCheckedBytesMax || stop.stop_requested());
      });
      if (!more && queue_.empty()) {
        all_checked_ = true;
        prepared_.notify_one();
        return;
      }
      if (!more) continue;  // told to stop between the two looks: the rest is due
      offer = std::move(queue_.front());
      queue_.pop_front();
    }
    next.offered = offer.offered;
    next.bytes = offer.block_bytes.size();
    next.offer = check_offer(std::move(offer));
    {
      const std::lock_guard lock(mutex_);
      checked_bytes_ += next.bytes;
      checked_.push_back(std::move(next));
    }
    prepared_.notify_one();
  }
}

void Intake::commit(std::stop_token stop) {
  for (;;) {
    std::vector<CheckedOffer> group;
    std::vector<MonoNs> offered;
    std::size_t bytes = 0;
    {
      std::unique_lock lock(mutex_);
      prepared_.wait(lock, [&] { return !checked_.empty() || all_checked_; });
      if (checked_.empty()) return;
      while (!checked_.empty() && group.size() < kGroupBlocksMax && bytes < kGroupBytesMax) {
        bytes += checked_.front().bytes;
        offered.push_back(checked_.front().offered);
        group.push_back(std::move(checked_.front().offer));
        checked_.pop_front();
      }
      checked_bytes_ -= bytes;
      if (metrics_ != nullptr) metrics_->bytes_committed.add(bytes);
    }
    offered_.notify_one();
    auto outcomes = commit_group(std::move(group), stop);
    {
      const std::lock_guard lock(mutex_);
      queued_bytes_ -= bytes;
      const auto done = static_cast<std::ptrdiff_t>(offered.size());
      waiting_since_.erase(waiting_since_.begin(), waiting_since_.begin() + done);
      tell_queued();
    }
    if (metrics_ != nullptr) count(outcomes, offered);
    callbacks_.report(std::move(outcomes));
  }
}

void Intake::count(const std::vector<Outcome>& outcomes, const std::vector<MonoNs>& offered) {
  const MonoNs now = system_clock().mono();
  metrics_->commit_blocks.observe(static_cast<double>(outcomes.size()));
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& o = outcomes[i];
    if (!o.status) {
      metrics_->blocks_refused.add();
      continue;
    }
    metrics_->result_to_acknowledgement.observe((now - offered[i]).seconds());
    switch (o.kind) {
      case store::CommitKind::Fresh:
        metrics_->blocks_fresh.add();
        metrics_->trials_committed.add(o.rows);
        break;
      case store::CommitKind::Duplicate:
        metrics_->blocks_duplicate.add();
        break;
      case store::CommitKind::Mismatch:
        metrics_->blocks_mismatch.add();
        break;
    }
  }
}

std::vector<Intake::Outcome> Intake::commit_group(std::vector<CheckedOffer> offers,
                                                  std::stop_token stop) {
  IntakeGroup group(std::move(offers));
  const auto& commits = group.commits();
  while (!commits.empty()) {
    const MonoNs start = system_clock().mono();
    auto done = store_.commit(commits, system_clock().now());
    if (done && metrics_ != nullptr) {
      metrics_->commit_duration.observe((system_clock().mono() - start).seconds());
    }
    if (done) {
      for (std::size_t k = 0; k < commits.size(); ++k) group.took(k, (*done)[k]);
      break;
    }
    if (final_refusal(done.error())) {
      commit_one_by_one(group);
      break;
    }
    callbacks_.stalled(done.error());
    if (metrics_ != nullptr) metrics_->commits_stalled.add();
    std::unique_lock lock(mutex_);
    prepared_.wait_for(lock, stop, kRetryDelay, [] { return false; });
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
