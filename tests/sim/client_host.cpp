#include <algorithm>

#include "actors/client.hpp"
#include "tests/sim/hosts.hpp"

namespace winnow::sim {
namespace {}  // namespace

void ClientHost::start() {
  process.name = "client";
  process.alive = true;
  ++process.life;
  ids_.assign(workload_.sweeps.size(), "");
  answered_.assign(workload_.sweeps.size(), false);
  dial();
  tick();
}

void ClientHost::insist() {
  insists_ = true;
  answered_.assign(answered_.size(), false);
}

void ClientHost::dial() { net_.dial(*this); }

void ClientHost::on_connected(const LinkPtr& link) { link_ = link; }

void ClientHost::on_dial_failed() {
  world_.timer(process, milliseconds(300), [this] { dial(); });
}

void ClientHost::on_disconnected(const LinkPtr& link) {
  if (link != link_) return;
  link_.reset();
  dial();
}

void ClientHost::tick() {
  if (link_) {
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      // At first they come one by one.
      if (watch_again_.erase(i) > 0) {
        net_.to_server(link_, actors::encode(actors::Watch{ids_[i]}, 2000 + i));
      }
      if (!answered_[i] && (insists_ || world_.rng.below(3) == 0)) submit(i);
    }
    if (!insists_ && workload_.control_every_s > 0 &&
        world_.chance(1 / workload_.control_every_s)) {
      control();
    }
  }
  world_.timer(process, milliseconds(1000), [this] { tick(); });
}

void ClientHost::submit(std::size_t sweep) {
  actors::Submit message;
  message.yaml = spec_text(workload_.sweeps[sweep]);
  message.file_name = workload_.sweeps[sweep].user;  // CoordinatorHost: that is who asks
  net_.to_server(link_, actors::encode(message, sweep + 1));
}

void ClientHost::control() {
  const std::size_t sweep = world_.rng.below(ids_.size());
  if (ids_[sweep].empty()) return;
  static constexpr const char* kActions[] = {"pause", "resume", "cancel", "submit"};
  const std::uint64_t which = world_.rng.below(4);
  world_.note(process.name, kActions[which], sweep);
  if (which == 3) return submit(sweep);
  const actors::Control message{.sweep = ids_[sweep],
                                .action = static_cast<actors::SweepAction>(which)};
  net_.to_server(link_, actors::encode(message, 1000 + sweep));
}

// More of what ran out, once for each time that it did; the last of such steps lets it finish.
void ClientHost::extend(std::size_t sweep, std::uint64_t committed) {
  if (extended_at_[sweep] == committed && world_.now_ns() < extend_again_ns_[sweep]) return;
  extended_at_[sweep] = committed;
  extend_again_ns_[sweep] = world_.now_ns() + 5000 * kMs;  // by then it or its answer was lost
  const SweepDecl& decl = workload_.sweeps[sweep];
  actors::Control more{.sweep = ids_[sweep], .action = actors::SweepAction::Extend};
  more.more_trials = budget_trials(decl);
  more.more_cpu_ms = static_cast<std::uint64_t>(decl.budget_cpu_s * 1000);
  world_.note(process.name, "extends", sweep);
  net_.to_server(link_, actors::encode(more, 3000 + sweep));
}

void ClientHost::on_frame(const Frame& frame) {
  if (actors::is<actors::Progress>(frame)) {
    const auto progress = actors::decode<actors::Progress>(frame);
    if (!progress || actors::state_of(*progress) != store::SweepState::BudgetSpent || !link_)
      return;
    const auto sweep = std::find(ids_.begin(), ids_.end(), progress->sweep) - ids_.begin();
    if (sweep == static_cast<std::ptrdiff_t>(ids_.size())) return;
    extend(static_cast<std::size_t>(sweep), progress->trials_committed);
    watch_again_.insert(static_cast<std::size_t>(sweep));
    return;
  }
  if (!actors::is<actors::Submitted>(frame)) return;
  const auto answer = actors::decode<actors::Submitted>(frame);
  if (!answer || frame.session == 0 || frame.session > ids_.size()) return;
  const std::size_t sweep = frame.session - 1;
  ids_[sweep] = answer->sweep;
  answered_[sweep] = true;
  if (link_) net_.to_server(link_, actors::encode(actors::Watch{answer->sweep}, 2000 + sweep));
}

}  // namespace winnow::sim
