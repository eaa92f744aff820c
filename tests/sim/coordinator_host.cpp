#include "tests/sim/hosts.hpp"

#include <malloc.h>
#include <time.h>

namespace winnow::sim {
namespace {

constexpr std::size_t kGroupBlocksMax = 256;  // as actors/intake.cpp
constexpr std::int64_t kRetryNs = 250 * kMs;
constexpr std::int64_t kCheckNs = 120 * kMs;

/// Adds the processor time of its life to a counter.
class Timed {
 public:
  explicit Timed(std::int64_t& into) : into_(into), start_ns_(cpu_ns()) {}
  ~Timed() { into_ += cpu_ns() - start_ns_; }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  static std::int64_t cpu_ns() {
    timespec t{};
    (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
  }
  std::int64_t& into_;
  std::int64_t start_ns_;
};

}  // namespace

std::uint64_t CoordinatorHost::core_bytes() {
  const auto in_use = [] { return static_cast<std::uint64_t>(::mallinfo2().uordblks); };
  const std::uint64_t before = in_use();
  const auto copy = std::make_unique<actors::CoordinatorCore>(*core_);
  return in_use() - before;
}

void CoordinatorHost::start() {
  process.alive = true;
  ++process.life;
  process.paused_until_ns = 0;
  if (const Status opened = disk_.open(); !opened) observer_.broken(opened.error().text());
  core_ = std::make_unique<actors::CoordinatorCore>(
      actors::CoordinatorOptions{}, disk_, [] { return catalog(); }, *this);
  if (const Status started = core_->start(now()); !started) {
    observer_.broken("the coordinator does not start: " + started.error().text());
  }
  deliver();
  world_.note(process.name, "starts", process.life);
  touched = true;
  tick();
}

void CoordinatorHost::kill() {
  world_.note(process.name, "is killed");
  process.alive = false;
  ++process.life;
  core_.reset();
  peers_.clear();
  queue_.clear();
  outbox_.clear();
  stale_.clear();
  sessions_.clear();
  busy_ = false;
  disk_.crash(world_.rng);
  net_->server_died();
}

void CoordinatorHost::tick() {
  {
    const Timed timed(core_ns);
    core_->tick(now());
  }
  deliver();
  touched = true;
  world_.timer(process, actors::CoordinatorCore::kTick, [this] { tick(); });
}

void CoordinatorHost::on_frame(const LinkPtr& link, const Frame& frame) {
  touched = true;
  peers_.emplace(link->peer, link);
  if (canary_ == Canary::NoFencing) {
    // Remembers each node's session by its process and lets an old one pass for the newest.
    const std::uint64_t node = hash128(link->remote->process.name).low;
    auto& newest = stale_[node];
    if (actors::is<actors::Hello>(frame)) {
      newest = {link->peer, frame.session};
    } else if (newest.second != frame.session && newest.second != 0 &&
               actors::contains(actors::NodeSays{}, static_cast<actors::Kind>(frame.kind))) {
      Frame stale = frame;
      stale.session = newest.second;
      core_->on_frame(newest.first, stale, now());
      return deliver();
    }
  }
  if (actors::is<actors::Hello>(frame)) {
    sessions_[link->peer] = frame.session;
  }
  if (const auto submit = actors::decode<actors::Submit>(frame)) speaker_ = submit->file_name;
  {
    const Timed timed(core_ns);
    core_->on_frame(link->peer, frame, now());
  }
  deliver();
}

void CoordinatorHost::on_disconnected(const LinkPtr& link) {
  touched = true;
  world_.note(process.name, "loses", link->peer.value());
  peers_.erase(link->peer);
  core_->peer_gone(link->peer, now());
  deliver();
}

void CoordinatorHost::send(PeerId to, Frame frame) { outbox_.emplace_back(to, std::move(frame)); }

void CoordinatorHost::deliver() {
  for (auto& [to, frame] : std::exchange(outbox_, {})) post(to, std::move(frame));
}

void CoordinatorHost::post(PeerId to, Frame frame) {
  const auto peer = peers_.find(to);
  if (peer == peers_.end()) return;
  observer_.sent_to_node(frame.session, frame);
  if (canary_ == Canary::LeasesTwice && actors::is<actors::LeaseOrder>(frame) &&
      world_.chance(0.1)) {
    order_twice(to, frame);
  }
  net_->to_remote(peer->second, std::move(frame));
}

void CoordinatorHost::order_twice(PeerId first, const Frame& frame) {
  for (const auto& [other, session] : sessions_) {
    const auto peer = peers_.find(other);
    if (other == first || peer == peers_.end()) continue;
    Frame twin = frame;
    twin.session = session;
    return net_->to_remote(peer->second, std::move(twin));
  }
}

void CoordinatorHost::ask(PeerId peer, std::uint64_t request, const actors::Query& question,
                          const cluster::Principal&) {
  world_.in(process, kMs, [this, peer, request, name = question.name] {
    core_->answered(peer, request, Error(ErrorCode::NotFound, "no question is called " + name));
    deliver();
  });
}

// Strategies of a workload hold no fault; looking for one takes its time.
void CoordinatorHost::check(actors::CheckOrder order) {
  world_.in(process, kCheckNs, [this, order = std::move(order)] {
    core_->checked(passed(order), now());
    deliver();
  });
}

std::string CoordinatorHost::network_of(PeerId peer) const {
  const auto link = peers_.find(peer);
  return link == peers_.end() ? "" : link->second->network;
}

// ---- the intake: as actors/intake.cpp, with the disk's time

void CoordinatorHost::commit(actors::CommitOffer offer) {
  queue_.push_back(std::move(offer));
  pump();
}

std::int64_t CoordinatorHost::sync_ns() {
  return static_cast<std::int64_t>(world_.between(workload_.sync_ms) * slowness * kMs);
}

void CoordinatorHost::pump() {
  if (busy_ || queue_.empty()) return;
  busy_ = true;
  world_.in(process, kMs / 20, [this] {
    std::vector<actors::CommitOffer> offers;
    while (!queue_.empty() && offers.size() < kGroupBlocksMax) {
      offers.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    std::shared_ptr<actors::IntakeGroup> group;
    {
      const Timed timed(intake_ns);
      group = std::make_shared<actors::IntakeGroup>(std::move(offers));
    }
    write(group);
  });
}

void CoordinatorHost::write(const std::shared_ptr<actors::IntakeGroup>& group) {
  const auto& commits = group->commits();
  const auto outcomes = disk_.write(commits);
  if (!outcomes) {
    core_->store_refuses(outcomes.error().text());
    deliver();
    return world_.in(process, kRetryNs, [this, group] { write(group); });
  }
  for (std::size_t k = 0; k < commits.size(); ++k) {
    group->took(k, (*outcomes)[k]);
    observer_.commit_answered(commits[k], (*outcomes)[k]);
  }
  if (canary_ == Canary::AcksBeforeSync) report(group);
  world_.in(process, sync_ns(), [this, group] {
    disk_.sync();
    world_.note(process.name, "synced", group->commits().size());
    touched = true;
    busy_ = false;
    if (canary_ != Canary::AcksBeforeSync) report(group);
    pump();
  });
}

void CoordinatorHost::report(const std::shared_ptr<actors::IntakeGroup>& group) {
  world_.in(process, kMs / 50, [this, group] {
    touched = true;
    {
      const Timed timed(core_ns);
      core_->committed(std::move(*group).results(), now());
    }
    deliver();
  });
}

}  // namespace winnow::sim
