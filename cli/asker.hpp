#pragma once

#include <string>

#include "actors/client.hpp"
#include "base/result.hpp"
#include "cli/app.hpp"
#include "cluster/principal.hpp"

namespace winnow::cli {

// Who asks: what a command shows of itself, to a coordinator or, where none runs, to itself. A name
// is never believed: --user and $WINNOW_USER are claims that are checked.

/// The token of --token-file, else of $WINNOW_TOKEN; empty: there is none. Fails: as read_file;
/// InvalidInput.
Result<std::string> token_text(const Context& context);

/// What a coordinator is shown. Fails: as token_text.
Result<actors::Present> credential(const Context& context);

/// Tells the coordinator who asks, where there is anything to tell. Fails: Refused.
Status introduce(const Context& context, actors::Client& client);

/// Who asks, where this process itself answers: whose token of the home it is, else the account it
/// runs as. Fails: Refused (a token of no use, a claim that is not true).
Result<cluster::Principal> asker(const Context& context);

/// That whoever runs this command may do `what`. Fails: Refused.
Status check_asker(const Context& context, cluster::Rights least, std::string_view what);

/// `--user`, of commands that act in somebody's name.
void add_user_option(Command& command, Context& context);

/// `--identity` and `--token-file`, of commands that ask a coordinator.
void add_credential_options(Command& command, Context& context);

}  // namespace winnow::cli
