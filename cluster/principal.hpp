#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "cluster/identity.hpp"

namespace winnow::cluster {

/// What somebody may do at a farm. Each may do all that the ones before it may.
enum class Rights : std::uint8_t {
  Viewer,      ///< ask and watch
  Agent,       ///< run sweeps and backtests in its own name, and steer its own
  Researcher,  ///< delete its own, show sealed days
  Operator,    ///< steer everybody's; budgets, accounts, reveals, ledgers
};
std::string_view rights_name(Rights rights);
/// Fails: InvalidInput, naming what there is.
Result<Rights> parse_rights(std::string_view text);
/// What a certificate allows its holder to ask; that of a node or a coordinator asks nothing.
std::optional<Rights> rights_of(Role role);

/// How a farm came to know who asks.
enum class Credential : std::uint8_t {
  Account,      ///< the user id of the peer's process, from the kernel
  Certificate,  ///< of the farm's authority
  Token,        ///< `winnow token create`
};
std::string_view credential_name(Credential credential);

/// Purpose: who asks, by what they showed and never by what they typed.
struct Principal {
  std::string name;
  Rights rights = Rights::Viewer;
  Credential credential = Credential::Account;
  std::string token_id = {};  ///< of a Token
  bool operator==(const Principal&) const = default;
};

/// `account 'ann' (operator)`.
std::string describe(const Principal& who);

/// {"name", "role", "credential", "token_id"}, as JSON text.
std::string principal_json(const Principal& who);

/// A name that somebody gave as their own: nothing if it is empty or theirs. Fails: Refused.
Status check_claim(const Principal& who, std::string_view claimed);
/// `what` says what is asked for: `delete sweeps`. Fails: Refused, naming what is needed.
Status check_rights(const Principal& who, Rights least, std::string_view what);

/// `thing` (`sweep 1a2b`) is of `owner`: others than they and operators may not steer it. Fails:
/// Refused.
Status check_owner(const Principal& who, std::string_view owner, std::string_view thing);

/// The login name of a user id; `uid-1234` where it has none.
std::string account_name(uid_t uid);
/// The account of a user id, as this process sees it: its own and root may do everything, for they
/// can change its files; others may look.
Principal account_principal(uid_t uid);
/// The account this process runs as.
Principal own_account();

/// Whose process is at the far end of a TCP connection within this machine, as the kernel says it.
/// Fails: NotFound if it does not (the far end is gone, or elsewhere).
Result<uid_t> uid_of_peer(int socket);

}  // namespace winnow::cluster
