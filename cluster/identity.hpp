#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cluster/role.hpp"

namespace winnow::cluster {

/// Purpose: one party of a farm: what it proves itself with and whom it trusts. As a file: a few
/// `key: value` lines, then PEM blocks; it holds a private key.
struct Identity {
  std::string farm;
  Role role = Role::Node;
  std::string name;
  std::string serial;       ///< of the certificate, hexadecimal
  std::string door;         ///< HOST:PORT of the coordinator's door; may be empty
  std::string chain;        ///< PEM: the certificate, then what links it to an older authority
  std::string key;          ///< PEM
  std::string authorities;  ///< PEM: whom to trust
};

std::string identity_text(const Identity& identity);
/// Fails: InvalidInput naming `file` and what is missing.
Result<Identity> parse_identity(std::string_view text, std::string_view file);
Result<Identity> read_identity(const std::filesystem::path& file);

/// A file only its owner may read, replaced in one step. Fails: Io.
Status write_secret(const std::filesystem::path& file, std::string_view text);

/// Names of farms, nodes and clients: 1 to 63 of `a-z A-Z 0-9 . _ -`, beginning with a letter or
/// digit. Fails: InvalidInput.
Status check_name(std::string_view what, std::string_view name);

}  // namespace winnow::cluster
