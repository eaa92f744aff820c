#include "cli/app.hpp"

namespace winnow::cli {

void add_data_commands(CLI::App&, Context&) {}

}  // namespace winnow::cli
