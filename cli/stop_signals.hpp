#pragma once

#include <signal.h>

#include <array>
#include <chrono>

namespace winnow::cli {

// SIGINT, SIGTERM and SIGHUP ask a process to stop. From the first line of main on they are held
// back, so that none that comes early ends the process in disorder; then each command takes them in
// its way: it waits for them (a coordinator), is told (a run), or ends at once (all others). A
// SIGHUP that was ignored when the program began (nohup) stays so.

/// Blocks them in this and all later threads. Call first thing in main.
void hold_stop_signals();

/// They end the process again, those that came meanwhile included.
void release_stop_signals();

/// Waits for one of them. Requires: they are held.
void wait_for_stop();

/// Waits at most so long for one of them. Requires: they are held.
bool stop_signal_came(std::chrono::milliseconds patience);

/// Purpose: while it lives, they only set what stop_requested() reads; what came while they were
/// held counts. Thread: one at a time; guards within a guard change nothing.
class StopGuard {
 public:
  StopGuard();
  ~StopGuard();
  StopGuard(const StopGuard&) = delete;
  StopGuard& operator=(const StopGuard&) = delete;

 private:
  bool outermost_ = false;
  std::array<struct sigaction, 3> before_{};
};

/// Whether one came while a StopGuard lived.
bool stop_requested();

/// Opens what is closed of the descriptors 0 to 2 on /dev/null, so that no file of the store gets a
/// number that others print to. Reading 0 gives nothing; writing to 1 fails, as it would if it were
/// closed.
void secure_standard_descriptors();

}  // namespace winnow::cli
