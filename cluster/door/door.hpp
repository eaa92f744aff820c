#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cluster/door/limits.hpp"
#include "cluster/door/peers.hpp"
#include "cluster/identity.hpp"

namespace winnow::cluster {

struct DoorCounts {
  std::uint64_t accepted = 0;
  std::uint64_t authenticated = 0;
  std::uint64_t turned_away = 0;  ///< by a limit, before anything was read
  std::uint64_t refused = 0;      ///< by certificate, role, revocation or a missed deadline
  std::uint64_t cut = 0;          ///< authenticated, then a bad frame, silence or revocation
  std::uint32_t open = 0;         ///< now
  // Of refused and cut, by what was wrong.
  std::uint64_t by_handshake = 0;    ///< no TLS, or an older one
  std::uint64_t by_certificate = 0;  ///< another authority, farm or role, expired, not valid yet
  std::uint64_t by_revocation = 0;
  std::uint64_t by_limit = 0;     ///< of one identity's connections
  std::uint64_t by_deadline = 0;  ///< handshake, greeting, silence
  std::uint64_t by_frame = 0;     ///< not CAF's protocol, or too large
  std::uint64_t by_loss = 0;      ///< the network, or the peer without a word
};

/// Purpose: the coordinator's end. Listens where it is told, speaks TLS 1.3 with holders of the
/// farm's node and client certificates only, and passes to the coordinator's loopback port what
/// BaspGuard lets through.
/// Thread: any; one thread of its own does all the work. Limits: DoorLimits; about 150 KiB an
/// authenticated connection.
class Door {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: a free one
    std::uint16_t inner_port = 0;
    std::filesystem::path identity;  ///< HOME/cluster/coordinator, read again when it changes
    std::filesystem::path revoked;   ///< HOME/cluster/revoked, the same
    std::shared_ptr<DoorPeers> peers =
        nullptr;  ///< where the port inside looks up who speaks; may be none
    DoorLimits limits;
  };
  /// Fails: InvalidInput (address, identity), Unavailable (the port is taken).
  static Result<std::unique_ptr<Door>> open(const Options& options);
  virtual ~Door() = default;  ///< cuts what is open

  virtual std::uint16_t port() const = 0;
  virtual DoorCounts counts() const = 0;
};

/// Purpose: the other end, on a node's or client's machine: a loopback port whose connections come
/// out at the coordinator's. Dials anew for each, so that CAF's own retries are the reconnects;
/// after a failure, connections are closed at once until a growing delay (at most 2 s) is over.
/// Thread, Limits: as Door.
class DoorPath {
 public:
  struct Options {
    std::string host;
    std::uint16_t port = 0;
    std::filesystem::path identity;  ///< read again when it changes
    DoorLimits limits;
  };
  /// Fails: InvalidInput (an identity of no use here), NotFound (no such file), Unavailable.
  static Result<std::unique_ptr<DoorPath>> open(const Options& options);
  /// Lets open connections come to their end for at most DoorLimits::linger, then cuts them.
  virtual ~DoorPath() = default;

  virtual std::uint16_t port() const = 0;  ///< on 127.0.0.1
  virtual DoorCounts counts() const = 0;
  /// Why the last attempt failed; empty after one that did not.
  virtual std::string last_failure() const = 0;
};

}  // namespace winnow::cluster
