#pragma once

#include <boost/asio/ssl/context.hpp>
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

/// Reads the files. `revoked` may be empty (no list). Fails: as read_identity, read_revoked;
/// InvalidInput (role of the identity, a key that does not fit).
Result<Trust> read_trust(const std::filesystem::path& identity,
                         const std::filesystem::path& revoked);

/// The peer of an established connection, if it may stay: signed by an authority that is trusted
/// now, within its time, of this farm, in a fitting role, not revoked. Fails: Refused.
Result<Subject> check_peer(const Trust& trust, SSL* connection);

}  // namespace winnow::cluster
