#pragma once

#include <string>
#include <vector>

namespace winnow::cli {

/// The whole program: parses the words after its own name, runs the command and gives the exit
/// status. Whatever goes wrong ends with a sentence on stderr and a status of app.hpp.
int run_program(const std::vector<std::string>& words);

}  // namespace winnow::cli
