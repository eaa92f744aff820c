#include "tests/sim/net.hpp"

#include <algorithm>

namespace winnow::sim {
namespace {

constexpr std::int64_t kDialTimeoutNs = 3000 * kMs;
constexpr std::int64_t kResetNs = 40 * kMs;  // a dead process's connections close within it

}  // namespace

void Net::dial(Remote& remote) {
  const std::int64_t trip =
      2 * static_cast<std::int64_t>(world_.between(workload_.latency_ms) * kMs);
  world_.in(remote.process, trip, [this, &remote] {
    const bool reachable = remote.cut_off_until_ns <= world_.now_ns();
    if (!reachable || server_.process.paused_until_ns > world_.now_ns()) {
      return world_.in(remote.process, kDialTimeoutNs, [&remote] { remote.on_dial_failed(); });
    }
    if (!server_.process.alive) return remote.on_dial_failed();
    auto link = std::make_shared<Link>();
    link->peer = PeerId(next_peer_++);
    link->remote = &remote;
    link->network = remote.process.name + "/" + std::to_string(remote.process.life);
    links_.push_back(link);
    remote.on_connected(link);
  });
}

void Net::to_server(const LinkPtr& link, Frame frame) { send(link, std::move(frame), true); }
void Net::to_remote(const LinkPtr& link, Frame frame) { send(link, std::move(frame), false); }

void Net::send(const LinkPtr& link, Frame frame, bool to_server) {
  (to_server ? traffic_.frames_in : traffic_.frames_out) += 1;
  (to_server ? traffic_.bytes_in : traffic_.bytes_out) += frame.body.size();
  if (actors::is<actors::BlockResult>(frame)) {
    traffic_.result_bytes += frame.body.size();
  }
  if (faults_ && world_.chance(workload_.drop_frac)) {
    return world_.note("net", "drops", frame.kind, link->peer.value());
  }
  const std::int64_t now = world_.now_ns();
  const auto latency = static_cast<std::int64_t>(world_.between(workload_.latency_ms) * kMs);
  std::int64_t at = std::max(now, link->remote->cut_off_until_ns) + latency;
  auto shared = std::make_shared<Frame>(std::move(frame));
  if (faults_ && world_.chance(workload_.double_frac)) {
    arrive(link, shared, to_server, at - now + latency, false);
  }
  if (faults_ && world_.chance(workload_.late_frac)) {
    at += static_cast<std::int64_t>(world_.between(workload_.late_ms) * kMs);
    return arrive(link, shared, to_server, at - now, true);
  }
  std::int64_t& last = to_server ? link->near_last_ns : link->far_last_ns;
  last = std::max(last + 1, at);
  arrive(link, shared, to_server, last - now, false);
}

void Net::arrive(const LinkPtr& link, const std::shared_ptr<Frame>& frame, bool to_server,
                 std::int64_t after_ns, bool outlives_link) {
  Process& target = to_server ? server_.process : link->remote->process;
  world_.in(target, after_ns, [this, link, frame, to_server, outlives_link] {
    if (!outlives_link && !(to_server ? link->near_open : link->far_open)) return;
    world_.note(link->remote->process.name, to_server ? "-> frame" : "<- frame", frame->kind,
                frame->session % 100'000);
    if (to_server) {
      server_.on_frame(link, *frame);
    } else {
      link->remote->on_frame(*frame);
    }
  });
}

void Net::notice_near(const LinkPtr& link, std::int64_t after_ns) {
  world_.in(server_.process, after_ns, [this, link] {
    if (!link->near_open) return;
    link->near_open = false;
    server_.on_disconnected(link);
  });
}

void Net::notice_far(const LinkPtr& link, std::int64_t after_ns) {
  world_.in(link->remote->process, after_ns, [link] {
    if (!link->far_open) return;
    link->far_open = false;
    link->remote->on_disconnected(link);
  });
}

void Net::break_link(const LinkPtr& link, std::int64_t within_ns) {
  const auto some = [&] {
    return static_cast<std::int64_t>(world_.rng.below(static_cast<std::uint64_t>(within_ns) + 1));
  };
  notice_near(link, some());
  notice_far(link, some());
  forget_closed();
}

void Net::break_links_of(const Remote& remote, std::int64_t within_ns) {
  for (const LinkPtr& link : links()) {
    if (link->remote == &remote) break_link(link, within_ns);
  }
}

void Net::server_died() {
  for (const LinkPtr& link : links_) {
    link->near_open = false;
    notice_far(link, static_cast<std::int64_t>(world_.rng.below(kResetNs)));
  }
  forget_closed();
}

void Net::remote_died(Remote& remote) {
  for (const LinkPtr& link : links_) {
    if (link->remote != &remote) continue;
    link->far_open = false;
    const std::int64_t held = std::max<std::int64_t>(0, remote.cut_off_until_ns - world_.now_ns());
    notice_near(link, held + static_cast<std::int64_t>(world_.rng.below(kResetNs)));
  }
  forget_closed();
}

void Net::forget_closed() {
  std::erase_if(links_, [](const LinkPtr& l) { return !l->near_open && !l->far_open; });
}

}  // namespace winnow::sim
