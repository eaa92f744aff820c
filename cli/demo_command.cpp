#include "cli/app.hpp"

namespace winnow::cli {

void add_demo_command(CLI::App&, Context&) {}

}  // namespace winnow::cli
