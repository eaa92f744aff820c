#include <spdlog/spdlog.h>

#include <algorithm>

#include "actors/coordinator_core.hpp"
#include "base/text.hpp"
#include "sweeps/checked_rows.hpp"

// Between a client's wish and a sweep that is leased: every strategy passes the detectors first.

namespace winnow::actors {

void CoordinatorCore::on(const Submit& m, const From& from, const cluster::Principal& who) {
  auto plan = registry_.plan(m);
  if (!plan) return refuse(from, plan.error());
  auto segments = unchecked(*plan);
  if (!segments) return refuse(from, segments.error());
  SweepRegistry::Asker asker{who.name, m.unseal != 0};
  if (segments->empty()) return begin(*std::move(plan), asker, from);
  check_first(*std::move(plan), *std::move(segments), std::move(asker), from);
}

// One of several segments with the same key is enough.
Result<std::vector<std::uint32_t>> CoordinatorCore::unchecked(const sweeps::Plan& plan) {
  std::vector<std::uint32_t> out;
  std::set<Hash128> seen;
  for (const sweeps::Segment& segment : plan.segments()) {
    const Hash128 key = sweeps::check_key(plan, segment);
    if (passed_.contains(key) || !seen.insert(key).second) continue;
    const auto known = registry_.checked(key);
    if (!known) return known.error();
    if (*known) {
      passed_.insert(key);
    } else {
      out.push_back(segment.index);
    }
  }
  return out;
}

// Whoever asks for a plan that is being looked at waits for the same answer; who asks again, for
// its latest request.
void CoordinatorCore::check_first(sweeps::Plan plan, std::vector<std::uint32_t> segments,
                                  SweepRegistry::Asker asker, const From& from) {
  const std::string id = plan.id();
  const auto found = checks_.find(id);
  const bool known = found != checks_.end();
  const auto full = Error(ErrorCode::Unavailable,
                          "too many sweeps wait for their strategies to be checked; ask again");
  if (!known && checks_.size() >= kChecksMax) return refuse(from, full);
  Checks& checks = checks_[id];
  std::erase_if(checks.waiting, [&](const Checks::Waiting& a) { return a.from.peer == from.peer; });
  if (checks.waiting.size() >= kAskersMax) return refuse(from, full);
  checks.waiting.push_back({std::move(asker), from});
  if (!known) {
    checks.order.ticket = next_ticket_++;
    checks.order.plan = std::make_shared<const sweeps::Plan>(std::move(plan));
    checks.order.segments = std::move(segments);
  }
  tell(checks);
  if (!known) outside_.check(checks.order);  // may answer at once
}

void CoordinatorCore::checked(const CheckResult& result, MonoNs now) {
  for (const Hash128& key : result.passed) {
    passed_.insert(key);
    // A disk that is full just then costs the next coordinator the same search, no more.
    if (const Status stored = registry_.put_checked(key); !stored) {
      store_refuses(stored.error().text());
    }
  }
  const auto found = std::find_if(checks_.begin(), checks_.end(), [&](const auto& c) {
    return c.second.order.ticket == result.ticket;
  });
  if (found == checks_.end()) return;  // nobody waits any more
  if (!result.waits_for.empty()) {
    if (found->second.waits_for != result.waits_for) {
      spdlog::error("a sweep waits for {}", log_text(result.waits_for));
    }
    found->second.waits_for = result.waits_for;
    found->second.asked_again = 0;
    return tell(found->second);
  }
  const Checks checks = std::move(found->second);
  checks_.erase(found);
  for (const Checks::Waiting& waiting : checks.waiting) {
    From from = waiting.from;
    from.now = now;
    if (!result.status) {
      refuse(from, result.status.error());
    } else {
      begin(*checks.order.plan, waiting.asker, from);
    }
  }
}

void CoordinatorCore::begin(sweeps::Plan plan, const SweepRegistry::Asker& asker,
                            const From& from) {
  auto sweep = registry_.submit(std::move(plan), asker, outside_.utc_now());
  if (!sweep) return refuse(from, sweep.error());
  ActiveSweep& active = **sweep;
  if (active.meta.state == store::SweepState::Cancelled ||
      active.meta.state == store::SweepState::Paused) {
    const Status running =
        registry_.set_state(active, store::SweepState::Running, outside_.utc_now());
    if (!running) return refuse(from, running.error());
  }
  const Status added = take_up(active);
  if (!added) return refuse(from, added.error());
  send(from.peer, Submitted{active.meta.id, active.plan->trials(), active.trials_committed},
       from.session);
  act(from.now);
}

void CoordinatorCore::tell(const Checks& checks) {
  const Checking word{static_cast<std::uint32_t>(checks.order.segments.size()), checks.waits_for};
  for (const Checks::Waiting& waiting : checks.waiting) {
    send(waiting.from.peer, word, waiting.from.session);
  }
}

// What waited for data is looked at again: it may be there now.
void CoordinatorCore::tell_checks() {
  std::vector<CheckOrder> again;
  for (auto& [id, checks] : checks_) {
    tell(checks);
    if (checks.waits_for.empty() || checks.order.ticket == checks.asked_again) continue;
    checks.order.ticket = checks.asked_again = next_ticket_++;
    again.push_back(checks.order);
  }
  for (CheckOrder& order : again) outside_.check(std::move(order));
}

void CoordinatorCore::forget_asker(PeerId peer) {
  for (auto it = checks_.begin(); it != checks_.end();) {
    auto& waiting = it->second.waiting;
    std::erase_if(waiting, [&](const Checks::Waiting& a) { return a.from.peer == peer; });
    if (!waiting.empty()) {
      ++it;
      continue;
    }
    it->second.order.vain->store(true);
    it = checks_.erase(it);
  }
}

}  // namespace winnow::actors
