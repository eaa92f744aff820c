#pragma once

#include <cstdint>
#include <string_view>

#include "actors/protocol.hpp"

namespace winnow::actors {

/// What the identity of a connection allows. The farm port stamps it on each frame that arrives, in
/// the upper byte of Frame::kind, whatever the sender wrote there.
enum class PeerRole : std::uint8_t {
  Local = 0,   ///< a process of this account or root, past no door: allowed are all messages
  Node = 1,    ///< the certificate of a node: joins and delivers results
  Client = 2,  ///< anyone else: presents a token, submits, watches, steers, asks, as its principal
               ///< may
};

constexpr std::string_view peer_role_name(PeerRole role) {
  switch (role) {
    case PeerRole::Local:
      return "local process";
    case PeerRole::Node:
      return "node";
    case PeerRole::Client:
      return "client";
  }
  return "stranger";
}

/// Which messages a peer may send to the coordinator; those it answers with belong to nobody.
constexpr bool may_send(PeerRole role, Kind kind) {
  switch (role) {
    case PeerRole::Local:
      return contains(NodeSays{}, kind) || contains(ClientSays{}, kind);
    case PeerRole::Node:
      return contains(NodeSays{}, kind);
    case PeerRole::Client:
      return contains(ClientSays{}, kind);
  }
  return false;
}

constexpr std::uint16_t stamped(std::uint16_t kind, PeerRole role) {
  return static_cast<std::uint16_t>((kind & 0xffu) | std::uint32_t{static_cast<std::uint8_t>(role)}
                                                         << 8);
}
constexpr PeerRole stamp_of(std::uint16_t kind) { return static_cast<PeerRole>(kind >> 8); }
constexpr std::uint16_t without_stamp(std::uint16_t kind) { return kind & 0xffu; }

}  // namespace winnow::actors
