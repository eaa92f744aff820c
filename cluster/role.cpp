#include "cluster/role.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace winnow::cluster {
namespace {

constexpr std::array<std::string_view, 7> kRoles{"coordinator", "node",       "client",  "viewer",
                                                 "agent",       "researcher", "operator"};

}  // namespace

std::string_view role_name(Role role) { return kRoles[static_cast<std::size_t>(role)]; }

Result<Role> parse_role(std::string_view text) {
  const auto found = std::find(kRoles.begin(), kRoles.end(), text);
  if (found != kRoles.end()) return static_cast<Role>(found - kRoles.begin());
  return Error(ErrorCode::InvalidInput,
               "'" + std::string(text) +
                   "' is no role; roles are coordinator, node, client (as researcher), viewer, "
                   "agent, researcher and operator");
}

}  // namespace winnow::cluster
