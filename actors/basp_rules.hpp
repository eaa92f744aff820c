#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>

#include "actors/peer_role.hpp"
#include "base/result.hpp"

namespace winnow::actors {

/// What of this process a peer's frames must fit to.
struct BaspHome {
  std::string node;             ///< this process's CAF node id as it travels
  std::uint64_t published = 0;  ///< actor id of the coordinator
  std::string frame_type;       ///< how CAF names a message of one Frame
};

/// Purpose: what may come out of one connection into CAF. CAF believes its peers: it would stop the
/// coordinator, kill proxies of other nodes, spawn actors or take any memory if one asked for it.
/// A peer of a farm says only this: its handshake, CAF's first question and answer about itself,
/// monitors and ends of its own actors, heartbeats, and Frames to the coordinator. All of it is
/// compared byte by byte; a Frame is stamped with the role of its sender.
/// Thread: one. Limits: kSendersMax actors a connection, kMonitorsMax monitors, kHandshakesMax
/// handshakes; frames of kFrameBytesMax.
class BaspRules {
 public:
  static constexpr std::size_t kHeaderBytes = 32;
  /// What a frame takes in memory beside its body, and no more than this on the wire.
  static constexpr std::size_t kFrameCostBytes = 64;
  static constexpr std::size_t kSendersMax = 8;
  static constexpr std::uint32_t kMonitorsMax = 64;
  static constexpr std::uint32_t kHandshakesMax = 4;

  BaspRules(const BaspHome& home, PeerRole role) : home_(home), role_(role) {}

  /// The next piece of the stream, cut as CAF reads it: a header, then its payload if it has one.
  /// May write the stamp. Fails: Refused, naming the frame's number and what is wrong; nothing of
  /// this piece may reach CAF.
  Status feed(std::span<std::byte> piece);

  std::uint64_t frames() const { return frames_; }  ///< complete ones
  /// The peer's CAF node id, empty before its handshake.
  const std::string& peer_node() const { return peer_node_; }
  /// What the last piece was: the cost of a Frame for the coordinator, else nothing.
  std::size_t frame_bytes() const { return frame_bytes_; }
  /// The last piece was a Frame that its sender's role does not allow (it passes with its stamp, so
  /// that the coordinator can say so).
  bool out_of_role() const { return out_of_role_; }
  Kind frame_kind() const { return frame_kind_; }

 private:
  struct Header {
    std::uint8_t operation = 0;
    std::uint8_t flags = 0;
    std::uint32_t payload = 0;
    std::uint64_t data = 0;
    std::uint64_t source = 0;
    std::uint64_t target = 0;
  };
  Error refuse(const std::string& why) const;
  Status check_header(std::span<const std::byte> piece);
  Status check_payload(std::span<std::byte> piece);
  Status check_handshake(std::span<const std::byte> piece);
  Status check_message(std::span<std::byte> piece);
  Status check_frame(std::span<std::byte> piece);
  Status check_ends(std::span<const std::byte> piece) const;
  Status check_sender();

  const BaspHome& home_;
  PeerRole role_;
  Header header_;
  bool in_payload_ = false;
  std::uint64_t frames_ = 0;
  std::uint32_t monitors_ = 0;
  std::uint32_t handshakes_ = 0;
  std::set<std::uint64_t> senders_;
  std::string peer_node_;
  std::size_t frame_bytes_ = 0;
  bool out_of_role_ = false;
  Kind frame_kind_ = Kind::Hello;
};

}  // namespace winnow::actors
