#include "cli/app.hpp"

namespace winnow::cli {

void add_strategy_commands(CLI::App&, Context&) {}

}  // namespace winnow::cli
