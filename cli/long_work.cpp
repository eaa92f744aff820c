#include "cli/long_work.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "base/text.hpp"
#include "cli/progress.hpp"

namespace winnow::cli {
namespace {

// Silence longer than two seconds reads as a hang.
constexpr std::chrono::milliseconds kFirst{1500};
constexpr std::chrono::milliseconds kEvery{5000};
constexpr std::chrono::milliseconds kRedraw{1000};

}  // namespace

LongWork::LongWork(const Context& context, std::string_view what)
    : what_(log_text(what)), terminal_(::isatty(STDERR_FILENO) != 0) {
  if (context.quiet) return;
  talking_ = std::jthread([this](const std::stop_token& stop) { talk(stop); });
}

LongWork::~LongWork() {
  if (!talking_.joinable()) return;
  talking_.request_stop();
  talking_.join();
  if (drawn_ && terminal_) std::fprintf(stderr, "\r\x1b[2K");
}

void LongWork::talk(const std::stop_token& stop) {
  const MonoNs begun = system_clock().mono();
  std::chrono::milliseconds pause = kFirst;
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, stop, pause, [&] { return stop.stop_requested(); }) &&
         !stop.stop_requested()) {
    say(system_clock().mono() - begun);
    drawn_ = true;
    pause = terminal_ ? kRedraw : kEvery;
  }
}

void LongWork::say(DurationNs so_far) const {
  std::fprintf(stderr, terminal_ ? "\r\x1b[2K%s ... %s" : "%s ... %s\n", what_.c_str(),
               short_duration(so_far).c_str());
  std::fflush(stderr);
}

}  // namespace winnow::cli
