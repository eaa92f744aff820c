#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "base/result.hpp"
#include "cluster/certificate.hpp"
#include "cluster/identity.hpp"

namespace winnow::cluster {

/// Purpose: whom an end of the door trusts now. Thread: one.
struct Trust {
  Identity own;
  std::set<std::string> revoked;
  std::shared_ptr<boost::asio::ssl::context> context;
};

/// Where a connection notes why it refuses its peer, while the handshake runs. Outlives
/// `connection`.
void note_refusal_in(SSL* connection, std::string& why);

/// Why a handshake failed, in a person's words. `failed` is what the stream said.
std::string refusal_text(SSL* connection, const std::string& failed);

/// If the peer ended the connection by a TLS alert, its name; else empty.
std::string alert_of(const boost::system::error_code& failed);

/// Reads the files. `revoked` may be empty (no list). Fails: as read_identity, read_revoked;
/// InvalidInput (role of the identity, a key that does not fit).
Result<Trust> read_trust(const std::filesystem::path& identity,
                         const std::filesystem::path& revoked);

/// The peer of an established connection, if it may stay: signed by an authority that is trusted
/// now, within its time, of this farm, in a fitting role, not revoked. Fails: Refused.
Result<Subject> check_peer(const Trust& trust, SSL* connection);

}  // namespace winnow::cluster
