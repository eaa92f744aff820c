#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"

namespace winnow::cluster {

class Authority;

/// Identities for nodes that a batch system numbers: node N of `nodes` is called NAME-N and reads
/// the file `N.identity` of `folder`.
struct ArrayInvites {
  std::string name;
  std::uint32_t nodes = 1;
  std::filesystem::path folder;
};

/// Makes them all. The folder, made if it is not there, is its owner's alone, and so is each file.
/// Whatever was made for NAME-1, NAME-2, ... before is revoked once the new ones are written, and
/// files of numbers beyond `nodes` are removed. Fails: InvalidInput (the name), Refused (others may
/// enter the folder), Io.
Status invite_array(Authority& authority, const ArrayInvites& invites, TimestampNs now);

/// Where node number N of it finds its own; N may be a variable of a shell.
std::string array_identity(const std::string& number);

}  // namespace winnow::cluster
