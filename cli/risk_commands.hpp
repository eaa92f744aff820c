#pragma once

#include "cli/app.hpp"

namespace winnow::cli {

/// `winnow risk` and `winnow bakeoff`, called by add_result_commands.
void add_risk_commands(Command& app, Context& context);

}  // namespace winnow::cli
