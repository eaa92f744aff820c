#include "actors/coordinator_core.hpp"
#include "base/check.hpp"

namespace winnow::actors {
namespace {

constexpr DurationNs kSilent = seconds(2);

}  // namespace

void CoordinatorCore::measure(MonoNs now) {
  WINNOW_REQUIRES(metrics_ != nullptr);
  CoordinatorMetrics& m = *metrics_;
  const scheduler::NodeCensus census = scheduler_.census(now, kSilent);
  m.nodes.set_count(census.nodes);
  m.nodes_silent.set_count(census.silent);
  m.nodes_busy.set_count(census.busy);
  m.leases_live.set_count(census.leases);
  m.workers.set_count(scheduler_.workers());
  m.leases_expired.raise_to(scheduler_.leases_expired());
  m.in_commit_bytes.set_count(bytes_in_commit_);
  m.ends_unrecorded.set_count(unrecorded_.size());
  std::size_t watchers = 0;
  for (const auto& [sweep, those] : watchers_) watchers += those.size();
  m.watchers.set_count(watchers);

  std::array<std::uint64_t, 5> blocks{};
  std::size_t running = 0, paused = 0;
  for (const auto& [id, sweep] : registry_.all()) {
    const auto p = scheduler_.progress(id);
    if (!p) continue;
    Counted& before = counted_[id];
    m.blocks_retried.add(p->retries - std::min(before.retries, p->retries));
    m.blocks_straggling.add(p->stragglers - std::min(before.stragglers, p->stragglers));
    before = {p->retries, p->stragglers};
    if (sweep.meta.state == store::SweepState::Done) continue;
    ++(p->paused ? paused : running);
    const std::array<std::uint64_t, 5> of{p->pending, p->leased, p->received, p->committed,
                                          p->quarantined};
    for (std::size_t i = 0; i < of.size(); ++i) blocks[i] += of[i];
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) m.sweep_blocks[i]->set_count(blocks[i]);
  m.sweeps_active.set_count(running);
  m.sweeps_paused.set_count(paused);
}

void CoordinatorCore::count_grant(const scheduler::Lease& lease, MonoNs now) {
  if (metrics_ == nullptr) return;
  metrics_->leases_granted.add();
  granted_[lease.id.value() % granted_.size()] = {lease.id.value(), now};
}

void CoordinatorCore::count_result(std::uint64_t lease, MonoNs now) {
  if (metrics_ == nullptr || lease == 0) return;
  const Granted& granted = granted_[lease % granted_.size()];
  if (granted.lease == lease) metrics_->grant_to_result.observe((now - granted.at).seconds());
}

void CoordinatorCore::count_left(LeaveReason why) {
  if (metrics_ == nullptr) return;
  switch (why) {
    case LeaveReason::Goodbye:
      return metrics_->nodes_left_goodbye.add();
    case LeaveReason::Broken:
      return metrics_->nodes_left_broken.add();
    case LeaveReason::Silent:
      return metrics_->nodes_left_silent.add();
    case LeaveReason::Replaced:
      return metrics_->nodes_left_replaced.add();
  }
}

}  // namespace winnow::actors
