#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace winnow::cluster {

/// What an end of the door puts up with.
struct DoorLimits {
  std::uint32_t connections_max = 4096;
  std::uint32_t handshaking_max = 256;  ///< not yet authenticated; of connections_max
  std::uint32_t per_address_max = 1024;
  std::uint32_t per_identity_max = 1024;   ///< one file may serve all nodes of a cluster
  DurationNs handshake = seconds(5);       ///< from the connection to its authentication
  DurationNs greeting = seconds(5);        ///< from then to the peer's first complete frame
  DurationNs silence = seconds(60);        ///< between complete frames; CAF's heartbeat is 1 s
  DurationNs linger = seconds(5);          ///< for what is on its way when one side has finished
  DurationNs reload = seconds(1);          ///< how often changed files are looked for
  std::uint32_t user_timeout_ms = 20'000;  ///< TCP_USER_TIMEOUT
};

}  // namespace winnow::cluster
