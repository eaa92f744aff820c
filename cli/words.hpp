#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/command.hpp"

namespace winnow::cli {

/// The words of a command line (without the program's own name) as the parser wants them: first
/// those that name the command, then its options. Options of the program may stand before the
/// command; `help COMMAND` is `COMMAND --help`. Fails: InvalidInput naming what is no command or
/// option, and the nearest that is.
Result<std::vector<std::string>> arrange_words(const Command& app,
                                               std::span<const std::string> words);

}  // namespace winnow::cli
