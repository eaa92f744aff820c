// The thin shell of cli/progress.hpp: descriptors, escape sequences and signals.
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "cli/progress.hpp"
#include "cli/table.hpp"

namespace winnow::cli {
namespace {

constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::string_view kShowCursor = "\x1b[?25h";
constexpr std::string_view kClearLine = "\r\x1b[2K";

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody reads; progress is not worth failing for
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view text = value;
    return text.find("UTF-8") != text.npos || text.find("utf8") != text.npos ||
           text.find("UTF8") != text.npos || text.find("utf-8") != text.npos;
  }
  return false;
}

// What the handlers may touch: set before they are installed, cleared after they are removed.
volatile std::sig_atomic_t hidden_fd = -1;
constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
std::array<struct sigaction, kSignals.size()> earlier{};

void show_cursor() {
  const int fd = hidden_fd;
  if (fd < 0) return;
  // write(2) only: this runs inside signal handlers.
  [[maybe_unused]] const auto n = ::write(fd, kShowCursor.data(), kShowCursor.size());
}

void on_signal(int number, siginfo_t* info, void* context) {
  const int saved = errno;
  show_cursor();
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    if (kSignals[i] != number) continue;
    const struct sigaction& old = earlier[i];
    if ((old.sa_flags & SA_SIGINFO) != 0) {
      old.sa_sigaction(number, info, context);
    } else if (old.sa_handler == SIG_DFL) {
      // As if we had not been there. A stop (SIGTSTP) returns here when the program goes on.
      struct sigaction mine {};
      sigaction(number, &old, &mine);
      sigset_t only;
      sigemptyset(&only);
      sigaddset(&only, number);
      raise(number);
      pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
      sigaction(number, &mine, nullptr);
    } else if (old.sa_handler != SIG_IGN) {
      old.sa_handler(number);
    }
  }
  errno = saved;
}

void take_terminal(int fd) {
  write_all(fd, kHideCursor);
  hidden_fd = fd;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(kSignals[i], nullptr, &earlier[i]);
    // A caller that waits for EINTR keeps it; an ignored signal (nohup) stays ignored.
    if (earlier[i].sa_handler == SIG_IGN && (earlier[i].sa_flags & SA_SIGINFO) == 0) continue;
    if (earlier[i].sa_handler != SIG_DFL)
      action.sa_flags = SA_SIGINFO | (earlier[i].sa_flags & SA_RESTART);
    sigaction(kSignals[i], &action, nullptr);
  }
  static const int registered = std::atexit(show_cursor);
  (void)registered;
}

void give_terminal_back() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction now {};
    sigaction(kSignals[i], nullptr, &now);
    // Someone who installed a handler after us keeps it.
    if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_signal) {
      sigaction(kSignals[i], &earlier[i], nullptr);
    }
  }
  show_cursor();
  hidden_fd = -1;
}

}  // namespace

ProgressMode progress_mode(const ProgressOptions& options) {
  if (options.quiet) return ProgressMode::Silent;
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::strcmp(term, "dumb") == 0;
  return isatty(options.fd) != 0 && !dumb ? ProgressMode::Terminal : ProgressMode::Lines;
}

Progress::Progress(const ProgressOptions& options, const Clock& clock)
    : options_(options), clock_(clock), mode_(progress_mode(options)) {
  if (mode_ == ProgressMode::Terminal) take_terminal(options_.fd);
}

Progress::~Progress() {
  if (mode_ != ProgressMode::Terminal) return;
  if (!finished_) clear_line();
  give_terminal_back();
}

void Progress::write_text(const std::string& text) const { write_all(options_.fd, text); }

void Progress::clear_line() {
  if (drawn_) write_text(std::string(kClearLine));
  drawn_ = false;
}

void Progress::update(const ProgressState& state) {
  if (finished_) return;
  state_ = state;
  updated_ = true;
  const MonoNs now = clock_.mono();
  meter_.update(state.done, state.total, now);
  if (mode_ == ProgressMode::Silent) return;
  // The first line of a pipe comes after a full interval: by then it has a rate to tell.
  if (!last_output_) {
    last_output_ = now;
    if (mode_ == ProgressMode::Terminal) draw();
    return;
  }
  const bool terminal = mode_ == ProgressMode::Terminal;
  if (now - *last_output_ < (terminal ? options_.redraw : options_.line_every)) return;
  last_output_ = now;
  if (terminal) {
    draw();
  } else {
    write_text(progress_sentence(state_, meter_) + "\n");
  }
}

void Progress::draw() {
  const std::size_t columns = terminal_columns(options_.fd);
  // The last column stays free: some terminals wrap when it is written.
  const LineStyle style{.columns = columns > 1 ? columns - 1 : 79, .unicode = locale_is_utf8()};
  write_text(std::string(kClearLine) + progress_line(state_, meter_, style));
  drawn_ = true;
}

void Progress::finish() {
  if (finished_) return;
  finished_ = true;
  if (mode_ == ProgressMode::Silent) return;
  clear_line();
  if (updated_) write_text(progress_summary(state_, meter_) + "\n");
}

void Progress::say(const std::string& text) {
  if (mode_ == ProgressMode::Silent) return;
  const bool redraw = drawn_ && !finished_;
  clear_line();
  write_text(printable(text) + "\n");
  if (redraw) draw();
}

}  // namespace winnow::cli
