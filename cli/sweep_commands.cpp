#include "cli/app.hpp"

namespace winnow::cli {

void add_sweep_commands(CLI::App&, Context&) {}

}  // namespace winnow::cli
