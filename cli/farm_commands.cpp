#include "cli/app.hpp"

namespace winnow::cli {

void add_farm_commands(CLI::App&, Context&) {}

}  // namespace winnow::cli
