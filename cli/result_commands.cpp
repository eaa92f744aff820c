#include "cli/app.hpp"

namespace winnow::cli {

void add_result_commands(CLI::App&, Context&) {}

}  // namespace winnow::cli
