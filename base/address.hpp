#pragma once

#include <cstdint>
#include <string>

namespace winnow {

/// Whether an address reaches this machine alone: 127.0.0.0/8, ::1 (also in brackets or mapped) and
/// `localhost`. Other names are not resolved.
bool is_loopback(const std::string& host);

/// Why nothing can listen on an address and port, in words; empty if it can, or if the answer is
/// not the operating system's.
std::string why_not_listening(const std::string& host, std::uint16_t port);

/// What a listener does when somebody connects and says nothing, then says something that is no
/// protocol at all.
enum class Listener {
  None,         ///< nobody listens, or not within a second
  SpeaksFirst,  ///< it greets: a farm port
  AlertsTls,    ///< it waits, then answers with an alert of TLS: a door
  Other,
};
Listener listener_at(const std::string& host, std::uint16_t port);

}  // namespace winnow
