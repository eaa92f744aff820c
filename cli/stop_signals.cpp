#include "cli/stop_signals.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <string>

#include "base/check.hpp"
#include "cli/log.hpp"

namespace winnow::cli {
namespace {

constexpr std::array kStopSignals{SIGINT, SIGTERM, SIGHUP};

std::atomic<bool> requested{false};
std::atomic<bool> guarded{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_stop_signal(int) { requested.store(true); }

bool is_ignored(int signal) {
  struct sigaction now {};
  return ::sigaction(signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
         now.sa_handler == SIG_IGN;
}

// The kernel keeps a blocked signal even where it is ignored, so that one is no part of this.
const sigset_t& stop_signals() {
  static const sigset_t set = [] {
    sigset_t out;
    sigemptyset(&out);
    for (const int signal : kStopSignals) {
      if (signal != SIGHUP || !is_ignored(signal)) sigaddset(&out, signal);
    }
    return out;
  }();
  return set;
}

bool are_held() {
  sigset_t blocked;
  sigemptyset(&blocked);
  return pthread_sigmask(SIG_BLOCK, nullptr, &blocked) == 0 && sigismember(&blocked, SIGTERM) == 1;
}

}  // namespace

void hold_stop_signals() { pthread_sigmask(SIG_BLOCK, &stop_signals(), nullptr); }

void release_stop_signals() { pthread_sigmask(SIG_UNBLOCK, &stop_signals(), nullptr); }

void wait_for_stop() {
  WINNOW_REQUIRES(are_held());
  int signal = 0;
  sigwait(&stop_signals(), &signal);
  log_info("stopping on signal " + std::to_string(signal));
}

bool stop_signal_came(std::chrono::milliseconds patience) {
  WINNOW_REQUIRES(are_held());
  const auto s = std::chrono::duration_cast<std::chrono::seconds>(patience);
  timespec wait{};
  wait.tv_sec = s.count();
  wait.tv_nsec = std::chrono::nanoseconds(patience - s).count();
  return sigtimedwait(&stop_signals(), nullptr, &wait) > 0;
}

StopGuard::StopGuard() : outermost_(!guarded.exchange(true)) {
  if (!outermost_) return;
  requested.store(false);
  struct sigaction action {};
  action.sa_handler = on_stop_signal;  // without SA_RESTART: what waits is woken
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
    if (sigismember(&stop_signals(), kStopSignals[i]) == 1) {
      ::sigaction(kStopSignals[i], &action, &before_[i]);
    }
  }
  release_stop_signals();
}

StopGuard::~StopGuard() {
  if (!outermost_) return;
  for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
    if (sigismember(&stop_signals(), kStopSignals[i]) == 1) {
      ::sigaction(kStopSignals[i], &before_[i], nullptr);
    }
  }
  guarded.store(false);
}

bool stop_requested() { return requested.load(); }

void secure_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest free number is the one that is missing: those below it are open by now.
    (void)::open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace winnow::cli
