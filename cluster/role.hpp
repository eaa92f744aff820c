#pragma once

#include <string_view>

#include "base/result.hpp"

namespace winnow::cluster {

/// What a certificate allows: a coordinator answers at the door, the others knock at it. A client
/// is a researcher by its older name; what each may ask is in principal.hpp.
enum class Role { Coordinator, Node, Client, Viewer, Agent, Researcher, Operator };
std::string_view role_name(Role role);
/// Fails: InvalidInput, naming the roles there are.
Result<Role> parse_role(std::string_view text);

}  // namespace winnow::cluster
