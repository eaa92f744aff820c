#pragma once

// A header of wire.hpp's kind: it sees CAF.

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "actors/farm_metrics.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "cluster/door/peers.hpp"
#include "cluster/principal.hpp"

namespace winnow::actors {

/// What the farm port puts up with.
struct FarmPortLimits {
  std::uint32_t connections_max = 4096;  ///< and half of the file descriptors of the process
  DurationNs greeting = seconds(5);      ///< from the connection to its handshake
  DurationNs silence = seconds(30);      ///< between complete frames; CAF's heartbeat is 1 s
  std::size_t unsent_bytes_max = std::size_t{128} << 20;    ///< of one peer that does not read
  std::size_t unhandled_bytes_max = std::size_t{64} << 20;  ///< then nobody is read for a moment
};

/// Purpose: the coordinator's port: CAF's own, with BaspRules between each connection and CAF, a
/// role for each peer and a limit for everything. Thread: tick(), handled() and close() any; the
/// rest is CAF's network thread.
/// Limits: FarmPortLimits; a connection costs what its rules and CAF's buffers do (a frame).
class FarmPort {
 public:
  struct Options {
    std::string host;
    std::uint16_t port = 0;  ///< 0: any free one
    /// Who comes through a door; others are processes of this machine, which the kernel names.
    /// May be none.
    std::shared_ptr<const cluster::DoorPeers> peers;
    FarmPortMetrics* metrics = nullptr;  ///< copied; its book outlives the port
    FarmPortLimits limits;
  };
  /// Publishes `actor`. Fails: Unavailable (the port).
  static Result<std::shared_ptr<FarmPort>> open(caf::actor_system& system, const caf::actor& actor,
                                                const Options& options);
  virtual ~FarmPort() = default;

  virtual std::uint16_t port() const = 0;
  /// Who is at the far end of the connection that this node speaks over, if they may ask anything.
  /// Nothing: a connection that is gone, or the certificate of a node.
  virtual std::optional<cluster::Principal> who(const caf::node_id& node) const = 0;
  /// The actor has handled a frame with a body of so many bytes.
  virtual void handled(std::size_t body_bytes) = 0;
  /// Ends connections whose time is over. To be called several times a second.
  virtual void tick(MonoNs now) = 0;
  /// Accepts and delivers nothing more.
  virtual void close() = 0;
};

}  // namespace winnow::actors
