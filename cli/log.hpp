#pragma once

#include <string>

namespace winnow::cli {

// What this room says in the log, apart from the logger's headers, which are slow to compile.

/// From now on log lines go to stderr, each one line of text with its UTC time. Again: nothing.
void begin_log();

/// What an operator may want to know.
void log_info(const std::string& line);
/// Why the process must end.
void log_critical(const std::string& line);

}  // namespace winnow::cli
