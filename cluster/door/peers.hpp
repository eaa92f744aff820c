#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "cluster/identity.hpp"

namespace winnow::cluster {

/// What the door knows of a peer by its certificate.
struct DoorPeer {
  Role role = Role::Node;
  std::string name;
};

/// Purpose: who is behind the connections that the door makes to the farm port, by their loopback
/// ports: the door writes, the farm port reads while it accepts. Thread: any.
class DoorPeers {
 public:
  void add(std::uint16_t port, DoorPeer who) {
    const std::lock_guard lock(mutex_);
    peers_.insert_or_assign(port, std::move(who));
  }
  void remove(std::uint16_t port) {
    const std::lock_guard lock(mutex_);
    peers_.erase(port);
  }
  std::optional<DoorPeer> find(std::uint16_t port) const {
    const std::lock_guard lock(mutex_);
    const auto found = peers_.find(port);
    return found == peers_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint16_t, DoorPeer> peers_;
};

}  // namespace winnow::cluster
