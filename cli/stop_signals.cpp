#include "cli/stop_signals.hpp"

#include <signal.h>
#include <spdlog/spdlog.h>

#include <ctime>

namespace winnow::cli {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

void block_stop_signals() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void wait_for_stop() {
  const sigset_t set = stop_signals();
  int signal = 0;
  sigwait(&set, &signal);
  spdlog::info("stopping on signal {}", signal);
}

bool stop_signal_came(std::chrono::milliseconds patience) {
  const sigset_t set = stop_signals();
  const auto s = std::chrono::duration_cast<std::chrono::seconds>(patience);
  timespec wait{};
  wait.tv_sec = s.count();
  wait.tv_nsec = std::chrono::nanoseconds(patience - s).count();
  return sigtimedwait(&set, nullptr, &wait) > 0;
}

}  // namespace winnow::cli
