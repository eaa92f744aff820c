#pragma once

#include <chrono>

namespace winnow::cli {

/// Blocks SIGINT and SIGTERM in this and all later threads; the functions below take them.
void block_stop_signals();

/// Waits for one of them. Requires: they are blocked.
void wait_for_stop();

/// Waits at most so long for one of them. Requires: they are blocked.
bool stop_signal_came(std::chrono::milliseconds patience);

}  // namespace winnow::cli
