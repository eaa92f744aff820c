// Budgets of users: what a sweep would add to the ledger is held against them before it starts.
#include <algorithm>

#include "actors/sweep_registry.hpp"

namespace winnow::actors {
namespace {

/// So many keys are looked up at most to see which trials are new; larger demands count in full.
constexpr std::uint64_t kLookedUpMax = 500'000;

std::uint64_t open_blocks_end(const sweeps::Plan& plan) {
  const sweeps::ResolvedSpec& spec = plan.spec();
  if (spec.trials_max == 0 || spec.learns()) return plan.blocks();
  return SweepRegistry::blocks_within(plan, spec.trials_max);
}

bool is_committed(const std::vector<bool>& committed, std::uint64_t block) {
  return block < committed.size() && committed[block];
}

/// Trials that are planned within the sweep's own budget and not committed; `dataset` empty: on
/// all.
std::uint64_t open_trials(const sweeps::Plan& plan, const std::vector<bool>& committed,
                          const std::string& dataset) {
  std::uint64_t out = 0;
  const std::uint64_t end = open_blocks_end(plan);
  for (const sweeps::Segment& segment : plan.segments()) {
    if (!dataset.empty() && plan.spec().data[segment.dataset].content_hash != dataset) continue;
    const std::uint64_t last = std::min(end, segment.first_block + segment.blocks);
    for (std::uint64_t b = segment.first_block; b < last; ++b) {
      if (!is_committed(committed, b)) out += plan.block_range(b).rows;
    }
  }
  return out;
}

bool may_still_run(store::SweepState state) {
  return state == store::SweepState::Running || state == store::SweepState::Paused;
}

}  // namespace

Result<std::vector<sweeps::TrialLimit>> SweepRegistry::limits_of(const std::string& user) const {
  const auto text = book_.user_budget(user);
  if (!text) return text.error();
  if (!*text) return std::vector<sweeps::TrialLimit>();
  return sweeps::limits_from_json(**text, user);
}

// Of what is open, the trials that nobody evaluated before; others are repeats and cost nothing.
Result<std::uint64_t> SweepRegistry::new_trials(const sweeps::Plan& plan,
                                                const std::vector<bool>& committed,
                                                const std::string& dataset) const {
  const std::uint64_t open = open_trials(plan, committed, dataset);
  if (open > kLookedUpMax) return open;
  std::vector<LedgerKey> keys;
  std::uint64_t unknown = 0;  // of searches whose next points are not chosen
  const std::uint64_t end = open_blocks_end(plan);
  for (std::uint64_t b = 0; b < end; ++b) {
    if (is_committed(committed, b)) continue;
    const sweeps::Segment& segment = plan.segment_of_block(b);
    if (!dataset.empty() && plan.spec().data[segment.dataset].content_hash != dataset) continue;
    const auto range = plan.block_range(b);
    if (!plan.known(b)) {
      unknown += range.rows;
      continue;
    }
    const std::vector<double> params = plan.params(range.first_trial, range.rows);
    const std::size_t width = params.size() / range.rows;
    for (std::uint32_t row = 0; row < range.rows; ++row) {
      keys.push_back(plan.ledger_key(b, std::span(params).subspan(row * width, width)));
    }
  }
  const auto fresh = book_.new_trials(keys);
  if (!fresh) return fresh.error();
  return *fresh + unknown;
}

Status SweepRegistry::check_limits(const std::string& user, const sweeps::Plan& plan,
                                   const std::vector<bool>& committed) const {
  const auto limits = limits_of(user);
  if (!limits) return limits.error();
  if (limits->empty()) return {};
  const auto entries = book_.ledger_entries();
  if (!entries) return entries.error();
  for (const sweeps::TrialLimit& limit : *limits) {
    sweeps::TrialDemand demand;
    demand.asked = open_trials(plan, committed, limit.dataset_hash);
    if (demand.asked == 0) continue;
    for (const store::LedgerEntry& entry : *entries) {
      const bool counts = limit.dataset_hash.empty() || limit.dataset_hash == entry.dataset_hash;
      if (entry.user == user && counts) demand.spent += entry.trials;
    }
    for (const auto& [id, other] : sweeps_) {
      if (id == plan.id() || other.meta.user != user || !may_still_run(other.meta.state)) continue;
      demand.reserved += open_trials(*other.plan, other.committed, limit.dataset_hash);
    }
    if (sweeps::check_limit(limit, demand, user)) continue;
    const auto fresh = new_trials(plan, committed, limit.dataset_hash);
    if (!fresh) return fresh.error();
    demand.asked = *fresh;
    WINNOW_TRY(sweeps::check_limit(limit, demand, user));
  }
  return {};
}

Status SweepRegistry::check_new(const std::string& user, const sweeps::Plan& plan) const {
  return check_limits(user, plan, {});
}

// A sweep is charged to who began it. Whoever has a budget cannot let others pay.
Status SweepRegistry::check_more(const std::string& asker, const ActiveSweep& sweep,
                                 const sweeps::Plan& plan) const {
  const std::uint64_t before = open_trials(*sweep.plan, sweep.committed, "");
  const std::uint64_t after = open_trials(plan, sweep.committed, "");
  const bool goes_on = sweep.meta.state == store::SweepState::Running ||
                       sweep.meta.state == store::SweepState::Paused;
  if (after == 0 || (goes_on && after <= before)) return {};
  if (asker != sweep.meta.user) {
    const auto limits = limits_of(asker);
    if (!limits) return limits.error();
    if (!limits->empty()) {
      return Error(ErrorCode::Refused, "sweep " + sweep.meta.id + " is charged to user '" +
                                           sweep.meta.user + "'; user '" + asker +
                                           "', who has a budget, may only let their own go on");
    }
  }
  return check_limits(sweep.meta.user, plan, sweep.committed);
}

}  // namespace winnow::actors
