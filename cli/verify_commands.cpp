#include "cli/app.hpp"

namespace winnow::cli {

void add_verify_commands(CLI::App&, Context&) {}

}  // namespace winnow::cli
