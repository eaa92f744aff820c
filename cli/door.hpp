#pragma once

#include <memory>
#include <string>

#include "actors/client.hpp"
#include "base/address.hpp"
#include "base/result.hpp"
#include "cli/app.hpp"
#include "cluster/door/door.hpp"

namespace winnow::cli {

/// Fails: Refused where the home has no authority; what to do is in the text.
Status check_may_listen(const Context& context, const std::string& host);

/// The door at `where` in front of the coordinator's loopback port. Fails: as Door::open.
Result<std::unique_ptr<cluster::Door>> open_door(const Context& context,
                                                 const actors::Endpoint& where,
                                                 std::uint16_t inner_port,
                                                 std::shared_ptr<cluster::DoorPeers> peers);

/// The near end of a way through the door at `where`. Fails: as DoorPath::open.
Result<std::unique_ptr<cluster::DoorPath>> open_path(const actors::Endpoint& where,
                                                     const std::string& identity);

/// Requires of `identity` what `needed` may do. Fails: Refused, saying which role it has; as
/// read_identity.
Status check_role(const std::string& identity, cluster::Role needed);

/// A client that speaks through the door at `where`. Fails: Unavailable, saying what the door said.
Result<std::unique_ptr<actors::Client>> connect_through_door(const actors::Endpoint& where,
                                                             const std::string& identity,
                                                             DurationNs patience);

/// --identity, else $WINNOW_IDENTITY unless `host` is loopback, where farms have no door as a rule;
/// empty if neither is given.
std::string identity_file(const Context& context, const std::string& host);

/// --join, else the door that the identity names. Fails: InvalidInput if neither is there.
Result<std::string> join_address(const Context& context, const std::string& join);

/// Adds --identity to a command that takes --connect or --join.
void add_identity_option(Command& command, Context& context);

}  // namespace winnow::cli
