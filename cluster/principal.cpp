#include "cluster/principal.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace winnow::cluster {
namespace {

constexpr std::array<std::string_view, 4> kRightsNames{"viewer", "agent", "researcher", "operator"};
constexpr std::array<std::string_view, 3> kCredentialNames{"account", "certificate", "token"};

}  // namespace

std::string_view rights_name(Rights rights) {
  return kRightsNames[static_cast<std::size_t>(rights)];
}

Result<Rights> parse_rights(std::string_view text) {
  const auto found = std::find(kRightsNames.begin(), kRightsNames.end(), text);
  if (found != kRightsNames.end()) return static_cast<Rights>(found - kRightsNames.begin());
  return Error(ErrorCode::InvalidInput, "'" + std::string(text) +
                                            "' is no role; allowed are viewer, agent, researcher "
                                            "and operator");
}

std::optional<Rights> rights_of(Role role) {
  switch (role) {
    case Role::Coordinator:
    case Role::Node:
      return std::nullopt;
    case Role::Client:
    case Role::Researcher:
      return Rights::Researcher;
    case Role::Viewer:
      return Rights::Viewer;
    case Role::Agent:
      return Rights::Agent;
    case Role::Operator:
      return Rights::Operator;
  }
  return std::nullopt;
}

std::string_view credential_name(Credential credential) {
  return kCredentialNames[static_cast<std::size_t>(credential)];
}

std::string describe(const Principal& who) {
  return std::string(credential_name(who.credential)) + " '" + who.name + "' (" +
         std::string(rights_name(who.rights)) + ")";
}

std::string principal_json(const Principal& who) {
  nlohmann::ordered_json out{{"name", who.name},
                             {"role", rights_name(who.rights)},
                             {"credential", credential_name(who.credential)}};
  out["token_id"] = nullptr;
  if (!who.token_id.empty()) out["token_id"] = who.token_id;
  return json_text(out);
}

Status check_claim(const Principal& who, std::string_view claimed) {
  if (claimed.empty() || claimed == who.name) return {};
  return Error(ErrorCode::Refused,
               "--user: '" + std::string(claimed.substr(0, 80)) + "' is not who asks: this is " +
                   describe(who) +
                   "; a name is believed only with a credential of that name (`winnow token "
                   "create --role ROLE --name NAME`, then $WINNOW_TOKEN or --token-file)");
}

Status check_rights(const Principal& who, Rights least, std::string_view what) {
  if (who.rights >= least) return {};
  const std::string needed(rights_name(least));
  return Error(ErrorCode::Refused, describe(who) + " may not " + std::string(what) +
                                       ": that needs the role " + needed +
                                       (least == Rights::Operator ? "" : " or more"));
}

Status check_owner(const Principal& who, std::string_view owner, std::string_view thing) {
  if (who.rights == Rights::Operator || owner == who.name) return {};
  return Error(ErrorCode::Refused, std::string(thing) + " is of '" + std::string(owner) +
                                       "', and " + describe(who) +
                                       " may only steer their own: that needs the role operator");
}

std::string account_name(uid_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const int failed = ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  if (failed == 0 && found != nullptr && *found->pw_name != '\0') return found->pw_name;
  return "uid-" + std::to_string(uid);
}

Principal account_principal(uid_t uid) {
  const bool owns_files = uid == ::geteuid() || uid == 0;
  return {.name = account_name(uid),
          .rights = owns_files ? Rights::Operator : Rights::Viewer,
          .credential = Credential::Account};
}

Principal own_account() { return account_principal(::geteuid()); }

}  // namespace winnow::cluster
